//! What is remembered of a client of the handshake era between its HTTP requests (basic/transports, "Session
//! Management"): a small value. Where it lives is the host's choice: nowhere, in a table, in a store, or sealed
//! inside the session id itself.

use crate::json::{Full, Sink};
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
use crate::server::Fault;
use crate::server::call::Notice;
use crate::server::request::Plan;
use crate::server::watched::Watched;

/// Most resources one HTTP session watches.
const WATCHED: usize = 128;

/// The outcome of a handshake over HTTP, and what the client has set since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handshake {
    pub(crate) revision: Revision,
    pub(crate) capabilities: ClientCapabilities,
    pub(crate) level: Level,
    /// Of the watched URIs.
    watched: Watched<WATCHED>,
    /// It differs from what was saved.
    pub(crate) changed: bool,
}

/// First byte of a saved handshake: which form the rest has.
const FORM: u8 = 1;

impl Handshake {
    pub(crate) fn new(revision: Revision, capabilities: ClientCapabilities) -> Self {
        Handshake { revision, capabilities, level: Level::DEFAULT, watched: Watched::new(), changed: false }
    }

    /// The revision agreed on.
    #[must_use]
    pub fn revision(&self) -> Revision {
        self.revision
    }

    /// What the client may be asked for.
    #[must_use]
    pub fn capabilities(&self) -> ClientCapabilities {
        self.capabilities
    }

    /// Whether the client watches this resource.
    #[must_use]
    pub fn watches(&self, uri: &str) -> bool {
        self.watched.contains(crate::json::fnv64(uri.as_bytes()))
    }

    /// Whether a request has changed it since it was made or restored, so that it is to be saved again.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// To be called when it was saved again: [`Handshake::changed`] then tells of what changes from now on.
    pub fn saved(&mut self) {
        self.changed = false;
    }

    /// Takes in what a request of the session sets; the host is told.
    pub(super) fn remember<'m>(
        &mut self,
        plan: &Plan<'m>,
        limit: usize,
    ) -> Result<Option<Notice<'m>>, Fault<'m>> {
        Ok(match plan {
            Plan::Level(level) => {
                self.changed |= self.level != *level;
                self.level = *level;
                Some(Notice::Level(*level))
            }
            Plan::Subscribe(uri) => {
                let hash = uri.hash64();
                let limit = limit.min(WATCHED);
                if !self.watched.contains(hash) {
                    if self.watched.push(hash, limit).is_err() {
                        return Err(Fault::TooManySubscriptions { limit });
                    }
                    self.changed = true;
                }
                Some(Notice::Subscribed(*uri))
            }
            Plan::Unsubscribe(uri) => {
                let before = self.watched.len();
                self.watched.remove(uri.hash64());
                self.changed |= self.watched.len() != before;
                Some(Notice::Unsubscribed(*uri))
            }
            _ => None,
        })
    }

    /// Writes it as bytes, for a store.
    ///
    /// # Errors
    /// [`Full`].
    pub fn save<S: Sink + ?Sized>(&self, out: &mut S) -> Result<(), Full> {
        out.put(&[FORM, self.revision as u8, self.capabilities.to_bits(), self.level as u8])?;
        self.watched.iter().try_for_each(|hash| out.put(&hash.to_le_bytes()))
    }

    /// Reads it back; `None` if the bytes are not a saved handshake of this form.
    #[must_use]
    pub fn restore(saved: &[u8]) -> Option<Handshake> {
        let (head, hashes) = saved.split_at_checked(4)?;
        let &[FORM, revision, capabilities, level] = head else { return None };
        let revision = Revision::ALL.into_iter().find(|known| *known as u8 == revision)?;
        let level = Level::ALL.into_iter().find(|known| *known as u8 == level)?;
        let mut handshake = Handshake::new(revision, ClientCapabilities::from_bits(capabilities));
        handshake.level = level;
        let chunks = hashes.chunks_exact(8);
        if !chunks.remainder().is_empty() {
            return None;
        }
        for chunk in chunks {
            handshake.watched.push(u64::from_le_bytes(chunk.try_into().ok()?), WATCHED).ok()?;
        }
        Some(handshake)
    }
}

/// What the host found under the request's `Mcp-Session-Id`.
#[derive(Debug)]
pub enum Attached<'s> {
    /// The host keeps no sessions: every request stands alone.
    Off,
    /// Sessions are kept, and the request names none.
    Missing,
    /// The one it names is unknown or over.
    Unknown,
    /// This one.
    Known(&'s mut Handshake),
}

/// Which kind of sessions the host keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sessions {
    /// None: any worker serves any request, and nothing is remembered.
    #[default]
    Off,
    /// They cannot change after the handshake: sealed inside their id. Subscriptions and log levels are not kept.
    Fixed,
    /// They are kept and may change.
    Kept,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saved_and_restored() {
        let capabilities = ClientCapabilities { sampling: true, elicit_url: true, ..Default::default() };
        let mut handshake = Handshake::new(Revision::V2025_06_18, capabilities);
        handshake.level = Level::Alert;
        handshake.watched.push(7, 9).unwrap();
        handshake.watched.push(u64::MAX, 9).unwrap();
        let mut saved = heapless::Vec::<u8, 64>::new();
        handshake.save(&mut saved).unwrap();
        assert_eq!(Handshake::restore(&saved), Some(handshake));
        for end in 0..saved.len() {
            assert!(Handshake::restore(&saved[..end]).is_none_or(|other| other.watched.len() < 2), "{end}");
        }
        saved[0] = 9;
        assert_eq!(Handshake::restore(&saved), None);
    }
}
