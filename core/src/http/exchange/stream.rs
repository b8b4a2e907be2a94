//! The event stream of a call: how it opens, and how its connection may end before it does.

use super::super::Request;
use super::super::events::{Event, Numbering, Resume, StreamName, unknown};
use super::super::headers::name;
use super::super::plan::{Emit, Head};
use super::{Exchange, HttpStep, State};
use crate::error::LocalError;
use crate::json::Sink;
use crate::revision::Revision;
use crate::server::call::CallKey;

impl Exchange {
    /// An exchange whose events, if its client is in a session of a revision that has them, carry ids; `stream` is the
    /// name of its stream, should it come to one. A GET with `Last-Event-ID` then leads to [`HttpStep::Resume`]. See
    /// [`events`](super::super::events) for what the host has to do with them.
    #[must_use]
    pub fn with_events(self, stream: StreamName) -> Self {
        Exchange { numbering: Some(Numbering::new(stream)), ..self }
    }

    /// The name of the stream of the call in work, if its events carry ids: from [`HttpStep::Call`] on.
    #[must_use]
    pub fn stream(&self) -> Option<&StreamName> {
        match self.state {
            State::Working | State::Streaming => self.numbering.as_ref().map(Numbering::stream),
            _ => None,
        }
    }

    /// The event of the last output, to be kept; to be asked after [`Emit::Events`]. `None`: events have no ids here, or
    /// the output tells nothing that has to be told again.
    #[must_use]
    pub fn event(&self) -> Option<Event> {
        self.numbering.as_ref().and_then(Numbering::event)
    }

    /// Opens the stream of a call before there is anything to say, so that its client can come back if the connection is
    /// lost (`2025-11-25`). [`Emit::Nothing`]: it is open, or cannot be resumed.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn open_stream<S: Sink + ?Sized>(&mut self, key: CallKey, out: &mut S) -> Result<Emit, LocalError> {
        if self.state == State::Streaming {
            return Ok(Emit::Nothing);
        }
        match self.polled(key)? {
            Some(numbering) => numbering.open(out)?,
            None => return Ok(Emit::Nothing),
        }
        Ok(self.streamed())
    }

    /// Ends the response of a call before its answer: the client is told to come back for the rest after `retry_ms`
    /// milliseconds (at most [`MAX_RETRY_MS`](super::super::events::MAX_RETRY_MS)). The call stays in work, and what it
    /// emits from now on is to be kept for the client's return. [`Emit::Nothing`]: the client could not come back, so the
    /// response stays; only `2025-11-25` has this, and only where events carry ids.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn close_stream<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        retry_ms: u32,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        match self.polled(key)? {
            Some(numbering) => numbering.pause(retry_ms, out)?,
            None => return Ok(Emit::Nothing),
        }
        Ok(match self.streamed() {
            Emit::Events { start, .. } => Emit::Events { start, end: true },
            other => other,
        })
    }

    /// The numbers of a call's stream, if that may be closed before its end.
    fn polled(&mut self, key: CallKey) -> Result<Option<&mut Numbering>, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        let over = call.cancelled || call.batched;
        Ok(self.numbering.as_mut().filter(|numbering| numbering.polls() && !over))
    }

    pub(super) fn streamed(&mut self) -> Emit {
        let start = (self.state != State::Streaming).then_some(Head::EVENTS);
        self.state = State::Streaming;
        Emit::Events { start, end: false }
    }

    /// Whether the events of a call carry ids is known when it begins.
    pub(super) fn number(&mut self, revision: Revision, delivers: bool) {
        let numbers = delivers && self.in_session && revision.row().event_ids;
        self.numbering = self.numbering.take().filter(|_| numbers).map(|numbering| numbering.of(revision));
    }

    /// Whether a GET wants to go on with a stream, and its client knows of such.
    pub(super) fn resumes(&self, request: &Request<'_>, revision: Revision) -> bool {
        let named = request.headers.all(name::LAST_EVENT).next().is_some();
        named && self.numbering.is_some() && revision.row().event_ids
    }

    /// What a GET with `Last-Event-ID` leads to.
    pub(super) fn resume<'m, S: Sink + ?Sized>(
        &self,
        request: &Request<'_>,
        revision: Revision,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        // If it stands more than once, each would lead elsewhere.
        let id = request.headers.text(name::LAST_EVENT).ok().flatten();
        Ok(match id.and_then(|id| Resume::read(id, revision)) {
            Some(resume) => HttpStep::Resume { head: Head::EVENTS, resume },
            None => HttpStep::reply(unknown(out)?),
        })
    }

    /// The numbers of a session's GET stream, which it opens with.
    pub(super) fn standing<S: Sink + ?Sized>(
        &self,
        revision: Revision,
        out: &mut S,
    ) -> Result<Option<Numbering>, LocalError> {
        let has = self.streams && revision.row().event_ids;
        let Some(numbering) = self.numbering.as_ref().filter(|_| has) else { return Ok(None) };
        let mut numbering = numbering.clone().of(revision);
        numbering.open(out)?;
        Ok(Some(numbering))
    }
}
