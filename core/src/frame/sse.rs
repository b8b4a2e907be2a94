//! Server-sent events, as Streamable HTTP uses them: one JSON-RPC message per `message` event.

use crate::json::{Full, Sink, line_run, whole};

/// The comment that keeps an idle stream open; readers ignore it.
pub const KEEP_ALIVE: &[u8] = b":\n\n";

/// What stands before the data of an event that is written in place instead of with [`event`].
pub const EVENT_START: &[u8] = b"event: message\ndata: ";

/// What stands after the data of an event that is written in place. The data must hold no line break.
pub const EVENT_END: &[u8] = b"\n\n";

/// The end of an event that carries no message, only the fields before this. With a `data` line it reaches the reader at
/// all; the WHATWG rules drop an event without one.
pub const NO_DATA: &[u8] = b"data: \n\n";

/// Appends one `message` event that carries `data`.
///
/// Line breaks in `data` (LF, CR or CRLF: JSON has them only as white space between its parts) start another
/// `data:` line, so the reader gets them back as LF and the event stays whole.
///
/// # Errors
/// [`Full`] if it does not fit; then nothing was appended.
pub fn event(data: &[u8], out: &mut (impl Sink + ?Sized)) -> Result<(), Full> {
    whole(out, |out| {
        out.put(EVENT_START)?;
        let mut rest = data;
        while let Some((line, after)) =
            rest.split_at_checked(line_run(rest)).filter(|(_, after)| !after.is_empty())
        {
            out.put(line)?;
            out.put(b"\ndata: ")?;
            rest = after.strip_prefix(b"\r\n").unwrap_or(after.get(1..).unwrap_or_default());
        }
        out.put(rest)?;
        out.put(EVENT_END)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_event_per_message() {
        let mut out = heapless::Vec::<u8, 96>::new();
        assert_eq!(event(b"{\"id\":1}", &mut out), Ok(()));
        assert_eq!(out.as_slice(), b"event: message\ndata: {\"id\":1}\n\n");
        out.clear();
        assert_eq!(event(b"{\r\n\"id\":\r1\n}", &mut out), Ok(()));
        assert_eq!(out.as_slice(), b"event: message\ndata: {\ndata: \"id\":\ndata: 1\ndata: }\n\n");
    }

    #[test]
    fn a_full_sink_gets_nothing() {
        let mut out = heapless::Vec::<u8, 24>::new();
        assert_eq!(event(b"{\"id\":1}", &mut out), Err(Full));
        assert!(out.is_empty());
    }
}
