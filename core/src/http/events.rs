//! Event ids, and what a client that lost its connection needs to go on where it was (basic/transports, "Resumability and
//! Redelivery" of `2025-03-26` to `2025-11-25`, and polling, which the last of them adds).
//!
//! Off unless the host names the stream of an exchange ([`Exchange::with_events`](super::Exchange::with_events)). Then the
//! events of a call in a session, and those of a session's GET stream, are numbered from 1: the id is the name, `-`, and
//! the number. A stream of `2025-11-25` opens with event 0, which is empty: its client can resume before anything was
//! said. Clients of older revisions would take it for a message, so they get none; those of `2024-11-05` and of the
//! stateless era get no ids at all.
//!
//! The core numbers and reads ids; the host keeps the events:
//!
//! ```text
//! HttpStep::Call        Exchange::stream() is Some: there is such a stream in this session now; so for HttpStep::Listen
//! Emit::Events          if Exchange::event() is Some: first store (session, stream, number, its bytes, last one?), then send
//! connection lost       the call goes on; what it emits is stored only
//! Exchange::close_stream  the same, wanted: send, end the response, store what comes
//! HttpStep::Resume      no such stream in the session, or the event after that number was dropped: Resume::refuse
//!                       otherwise: send what is kept after it, then what is stored from now on, to the last one
//! ```
//! A reply or failure that leads to [`Emit::Nothing`](super::Emit::Nothing), because the call was taken back, ends the stream
//! without a last event.
//!
//! An event belongs to one session and one stream: keep it under both names, so that nobody is sent another's. A stream
//! that lost events to a bound cannot be resumed before them.

use super::gate;
use super::listener::Listener;
use super::plan::Head;
use crate::error::LocalError;
use crate::frame::sse;
use crate::json::{Sink, Writer};
use crate::revision::Revision;
use crate::server::out::{event, whole};

/// Longest name of a stream, in bytes.
pub const NAME_BYTES: usize = 32;

/// Longest time a client is told to wait before it connects again, in milliseconds: five minutes.
pub const MAX_RETRY_MS: u32 = 300_000;

/// The name of an event stream: no other stream of the session has it, on any worker, at any time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StreamName(heapless::String<NAME_BYTES>);

impl StreamName {
    /// Takes 1 to [`NAME_BYTES`] letters, digits, `_` and `-` of ASCII: 16 random bytes in hexadecimal, say. `None` for
    /// anything else.
    #[must_use]
    pub fn new(name: &str) -> Option<StreamName> {
        let fits = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
        heapless::String::try_from(name).ok().filter(|_| fits).map(StreamName)
    }

    /// The name.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

/// An event to be kept: that of the last [`Emit::Events`](super::Emit::Events), or of a listener's last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number in its stream: 1, 2, 3 ...
    pub number: u32,
    /// Where it begins in the output; it goes to the end.
    pub start: usize,
}

/// A client wants to go on with a stream: `GET` with `Last-Event-ID`. Whether there is such a stream the host knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resume {
    /// Which stream of the request's session.
    pub stream: StreamName,
    /// The last event the client has seen; it wants those with greater numbers.
    pub after: u32,
    pub(super) revision: Revision,
}

impl Resume {
    /// Reads the value of `Last-Event-ID`; `None` if it is no id of this form.
    pub(super) fn read(id: &str, revision: Revision) -> Option<Resume> {
        let (name, digits) = id.rsplit_once('-')?;
        let after = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))?;
        let canonical = digits.len() == 1 || !digits.starts_with('0');
        StreamName::new(name).filter(|_| canonical).map(|stream| Resume { stream, after, revision })
    }

    /// Refuses it: nothing, or not all that follows, is kept. The body is in the output.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn refuse<S: Sink + ?Sized>(&self, out: &mut S) -> Result<Head, LocalError> {
        unknown(out)
    }

    /// Goes on with the GET stream of a session, whose last event has the number `last`: what changes from now on is told
    /// under the numbers after it.
    #[must_use]
    pub fn listener(&self, last: u32) -> Listener {
        let numbering =
            Numbering { last, opened: true, ..Numbering::new(self.stream.clone()).of(self.revision) };
        Listener::session(Some(numbering))
    }
}

/// Refuses a `Last-Event-ID` that names nothing which can be sent.
pub(super) fn unknown<S: Sink + ?Sized>(out: &mut S) -> Result<Head, LocalError> {
    let message = "the header Last-Event-ID names no event of this session, or one too old to go on from";
    whole(out, |out| Ok(gate::refuse(400, format_args!("{message}"), out)?))
}

/// The numbers of a stream's events.
#[derive(Clone, Debug)]
pub(super) struct Numbering {
    stream: StreamName,
    /// The last one given.
    last: u32,
    /// The stream opens with an empty event, and may be closed before its end.
    polls: bool,
    /// That event, if any, was written.
    opened: bool,
    /// What was written last.
    event: Option<Event>,
}

impl Numbering {
    pub(super) fn new(stream: StreamName) -> Self {
        Numbering { stream, last: 0, polls: false, opened: false, event: None }
    }

    /// As clients of this revision understand it; it must have ids.
    pub(super) fn of(self, revision: Revision) -> Self {
        Numbering { polls: revision.row().polling, ..self }
    }

    pub(super) fn stream(&self) -> &StreamName {
        &self.stream
    }

    /// Whether the stream may be closed before its end.
    pub(super) fn polls(&self) -> bool {
        self.polls
    }

    /// The event that was written last, if the last thing written was one to be kept.
    pub(super) fn event(&self) -> Option<Event> {
        self.event
    }

    /// Opens the stream with the empty event, once.
    pub(super) fn open<S: Sink + ?Sized>(&mut self, out: &mut S) -> Result<(), LocalError> {
        if self.polls && !self.opened {
            whole(out, |out| self.empty(None, out))?;
        }
        (self.opened, self.event) = (true, None);
        Ok(())
    }

    /// Says when to connect again, with the id to go on from: the connection is about to be closed.
    pub(super) fn pause<S: Sink + ?Sized>(&mut self, retry_ms: u32, out: &mut S) -> Result<(), LocalError> {
        whole(out, |out| self.empty(Some(retry_ms.min(MAX_RETRY_MS)), out))?;
        (self.opened, self.event) = (true, None);
        Ok(())
    }

    /// An event without data: it tells the id of the one before it.
    fn empty<S: Sink + ?Sized>(&self, retry_ms: Option<u32>, out: &mut S) -> Result<(), LocalError> {
        self.id(self.last, out)?;
        if let Some(ms) = retry_ms {
            out.put(b"retry: ")?;
            Writer::new(out).u64(ms.into())?;
            out.put(b"\n")?;
        }
        Ok(out.put(sse::NO_DATA)?)
    }

    fn id<S: Sink + ?Sized>(&self, number: u32, out: &mut S) -> Result<(), LocalError> {
        out.put(b"id: ")?;
        out.put(self.stream.text().as_bytes())?;
        out.put(b"-")?;
        Writer::new(out).u64(number.into())?;
        Ok(out.put(b"\n")?)
    }
}

/// Writes an event, whole or not at all: with an id where there are ids, and what opens the stream before the first one.
pub(super) fn numbered<S: Sink + ?Sized, T>(
    numbering: &mut Option<Numbering>,
    out: &mut S,
    write: impl FnOnce(&mut S) -> Result<T, LocalError>,
) -> Result<T, LocalError> {
    let Some(numbering) = numbering else { return whole(out, |out| event(out, write)) };
    let mut next = numbering.clone();
    let written = whole(out, |out| {
        next.open(out)?;
        let start = out.len();
        let number = next.last.checked_add(1).ok_or(LocalError::Over)?;
        next.id(number, out)?;
        (next.last, next.event) = (number, Some(Event { number, start }));
        event(out, write)
    })?;
    *numbering = next;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_strictly() {
        let read = |id: &str| {
            Resume::read(id, Revision::V2025_11_25).map(|resume| (resume.stream.text().len(), resume.after))
        };
        assert_eq!(read("s-0"), Some((1, 0)));
        assert_eq!(read("a_B-9-4294967295"), Some((5, u32::MAX)));
        assert_eq!(read("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-7"), Some((32, 7)));
        for wrong in [
            "",
            "-",
            "s",
            "s-",
            "-1",
            "s-01",
            "s-00",
            "s-+1",
            "s--",
            "s-4294967296",
            "s-1 ",
            "s 1-1",
            "s:1-1",
            "\u{e9}-1",
            "s-\u{661}",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-1",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
