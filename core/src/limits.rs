//! Every limit of the library, in one table. Limits are data given when a server is made; nothing here is read
//! from the environment.

/// What a server refuses to exceed.
///
/// | field | unit | default | what happens beyond it |
/// |---|---|---|---|
/// | `message_bytes` | bytes | 4 MiB | duplex: error -32600; HTTP: status 413 |
/// | `depth` | nested arrays and objects | 128 | error -32700 |
/// | `batch` | messages in one JSON-RPC batch (`2025-03-26`) | 64 | error -32600 |
/// | `in_flight` | calls of one session being worked on | 64 | error -32603 to that request only |
/// | `subscriptions` | resources one session watches | 256 | error -32603 to that request only |
/// | `page_items` | entries on one page of a list | 1000 | the rest follows by `nextCursor` |
/// | `page_bytes` | bytes of the entries on one page of a list | 1 MiB | the same; at least one entry is sent. A bounded output ends a page, too |
/// | `progress_rate` | progress notifications of one call a second, by [`Pace`](crate::server::Pace) | 100 | left out |
///
/// Two more are fixed: an id or a progress token is at most [`TOKEN_BYTES`] long on the wire, and `in_flight` and
/// `subscriptions` cannot exceed the capacities a `Session` was compiled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest message, in bytes.
    pub message_bytes: usize,
    /// Deepest nesting of arrays and objects; at most 256.
    pub depth: u16,
    /// Longest batch, in messages.
    pub batch: usize,
    /// Most calls of one session that may be in work at once.
    pub in_flight: usize,
    /// Most resources one session may subscribe to.
    pub subscriptions: usize,
    /// Most entries on one page of a list.
    pub page_items: usize,
    /// Most bytes of entries on one page of a list; one entry is always sent.
    pub page_bytes: usize,
    /// Most progress notifications of one call: in a burst, and per second after it. A host asks
    /// [`Pace`](crate::server::Pace), since nothing in here has a clock.
    pub progress_rate: usize,
}

/// Longest request id or progress token, as written on the wire (quotes included), in bytes: 1024, and 64 without a heap.
pub const TOKEN_BYTES: usize = if cfg!(feature = "alloc") { 1024 } else { 64 };

/// Longest resource URI that templates are matched against, in bytes: 2048, and 256 without a heap, where it is on the stack.
pub const URI_BYTES: usize = if cfg!(feature = "alloc") { 2048 } else { 256 };

impl Limits {
    /// The defaults of the table above.
    pub const DEFAULT: Limits = Limits {
        message_bytes: 4 << 20,
        depth: 128,
        batch: 64,
        in_flight: 64,
        subscriptions: 256,
        page_items: 1000,
        page_bytes: 1 << 20,
        progress_rate: 100,
    };

    /// Every limit by name, with its value: for bindings that take limits by name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, usize); 8] {
        [
            ("message_bytes", self.message_bytes),
            ("depth", usize::from(self.depth)),
            ("batch", self.batch),
            ("in_flight", self.in_flight),
            ("subscriptions", self.subscriptions),
            ("page_items", self.page_items),
            ("page_bytes", self.page_bytes),
            ("progress_rate", self.progress_rate),
        ]
    }

    /// Sets the limit of that name; `false` if there is none, the value is 0, or it does not fit.
    pub fn set(&mut self, name: &str, value: usize) -> bool {
        if value == 0 {
            return false;
        }
        match name {
            "message_bytes" => self.message_bytes = value,
            "depth" => match u16::try_from(value) {
                Ok(depth) if depth <= crate::json::MAX_DEPTH => self.depth = depth,
                _ => return false,
            },
            "batch" => self.batch = value,
            "in_flight" => self.in_flight = value,
            "subscriptions" => self.subscriptions = value,
            "page_items" => self.page_items = value,
            "page_bytes" => self.page_bytes = value,
            "progress_rate" => self.progress_rate = value,
            _ => return false,
        }
        true
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_named_limit_can_be_set() {
        let mut limits = Limits::DEFAULT;
        for (name, value) in Limits::DEFAULT.named() {
            assert!(limits.set(name, value - 1), "{name}");
        }
        for ((_, before), (_, after)) in Limits::DEFAULT.named().iter().zip(limits.named()) {
            assert_eq!(before - 1, after);
        }
        assert!(!limits.set("depth", 257));
        assert!(!limits.set("depth", 0));
        assert!(!limits.set("nonsense", 1));
    }
}
