//! A task about to be made, and what it keeps of the call it is made for.

use super::tasks::Status;
use crate::catalog::Wrap;
use crate::error::LocalError;
use crate::json::{Sink, Writer};
use crate::jsonrpc::Id;
use crate::model::ClientCapabilities;
use crate::revision::{Revision, RevisionSet};
use crate::server::out::whole;

/// What a task remembers of the call it was made for; see [`Call::task_origin`](super::Call::task_origin).
#[derive(Clone, Copy, Debug)]
pub struct TaskOrigin<'a> {
    revision: Revision,
    capabilities: ClientCapabilities,
    wrap: Wrap,
    token: Option<Id<'a>>,
}

impl<'a> TaskOrigin<'a> {
    /// A call of that revision, without a progress token and of a tool without an output schema, whose client may be
    /// asked for what it declared.
    #[must_use]
    pub const fn new(revision: Revision, capabilities: ClientCapabilities) -> Self {
        TaskOrigin { revision, capabilities, wrap: Wrap::ByValue, token: None }
    }

    /// The same with a token under which progress is told while the task runs; told in `2025-11-25` only.
    #[must_use]
    pub const fn with_token<'b>(self, token: Option<Id<'b>>) -> TaskOrigin<'b> {
        let TaskOrigin { revision, capabilities, wrap, .. } = self;
        TaskOrigin { revision, capabilities, wrap, token }
    }

    /// It as a number, the token left out, for hosts that pass it through other languages; not to be stored.
    #[must_use]
    pub fn to_bits(&self) -> u32 {
        let age = RevisionSet::ALL.newest_first().position(|known| known == self.revision);
        let age = age.and_then(|age| u8::try_from(age).ok()).unwrap_or(0);
        u32::from_le_bytes([self.capabilities.to_bits(), self.wrap.to_bits(), age, 0])
    }

    /// What that number was made of, without a token. `None`: it cannot have been made here.
    #[must_use]
    pub fn from_bits(bits: u32) -> Option<TaskOrigin<'static>> {
        let [capabilities, wrap, age, _] = bits.to_le_bytes();
        let revision = RevisionSet::ALL.newest_first().nth(usize::from(age))?;
        let capabilities = ClientCapabilities::from_bits(capabilities);
        let origin = TaskOrigin::new(revision, capabilities).wrapping(Wrap::from_bits(u64::from(wrap)));
        (origin.to_bits() == bits).then_some(origin)
    }

    pub(crate) const fn wrapping(self, wrap: Wrap) -> Self {
        TaskOrigin { wrap, ..self }
    }
}

/// A task about to be made.
#[derive(Clone, Copy, Debug)]
pub struct NewTask<'a> {
    /// Names it, and where nobody is authenticated is all that protects it: 128 random bits or more, as 1 to 128
    /// printable ASCII characters without `"` and `\`.
    pub id: &'a str,
    /// Who made it, as the host knows its callers; only the same one may see it. `None`: whoever knows the id.
    pub owner: Option<&'a str>,
    /// The time.
    pub now: u64,
    /// How long it is kept after `now`, in ms, more than 0; `None`: for ever.
    pub ttl: Option<u64>,
    /// How often a client should ask for it, in ms, more than 0.
    pub poll: Option<u64>,
    /// The call it answers.
    pub origin: TaskOrigin<'a>,
}

impl NewTask<'_> {
    /// Writes the task as it begins: working.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] for an id or a time that cannot be, [`LocalError::OutputFull`].
    pub fn save<S: Sink + ?Sized>(&self, out: &mut S) -> Result<(), LocalError> {
        let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\';
        if self.id.is_empty() || self.id.len() > 128 || !self.id.bytes().all(plain) {
            return Err(LocalError::NotAllowed("a task id is 1 to 128 printable ASCII characters"));
        }
        if self.ttl == Some(0) || self.poll == Some(0) {
            return Err(LocalError::NotAllowed("ttl and poll interval of a task must be more than 0"));
        }
        whole(out, |out| {
            let mut w = Writer::new(out);
            w.begin_object()?;
            w.field_str("id", self.id)?;
            if let Some(owner) = self.owner {
                w.field_str("owner", owner)?;
            }
            let TaskOrigin { revision, capabilities, wrap, token } = self.origin;
            w.field_u64("caps", u64::from(capabilities.to_bits()))?;
            if revision != Revision::NEWEST {
                w.field_str("revision", revision.name())?;
                w.field_u64("wrap", u64::from(wrap.to_bits()))?;
                if let Some(token) = token {
                    w.key("token")?;
                    w.raw_text(token.text())?;
                }
            }
            w.field_u64("created", self.now)?;
            for (key, value) in [("ttl", self.ttl), ("poll", self.poll)] {
                if let Some(value) = value {
                    w.field_u64(key, value)?;
                }
            }
            w.field_str("status", Status::Working.name())?;
            w.field_u64("updated", self.now)?;
            w.end_object()?;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_passes_through_a_number() {
        for revision in Revision::ALL {
            for wrap in [Wrap::Never, Wrap::Always, Wrap::ByValue] {
                let origin = TaskOrigin::new(revision, ClientCapabilities::from_bits(0x15)).wrapping(wrap);
                let again = TaskOrigin::from_bits(origin.to_bits()).unwrap();
                assert_eq!((again.revision, again.wrap), (revision, wrap));
                assert_eq!((again.capabilities.to_bits(), again.token), (0x15, None));
            }
        }
        for bits in [0x0100_0000, 0x0005_0000, 0x0000_0300, u32::MAX] {
            assert!(TaskOrigin::from_bits(bits).is_none(), "{bits:x}");
        }
    }
}
