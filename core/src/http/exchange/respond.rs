//! The answer of a call: one JSON object, or the end of an event stream.

use super::super::events::numbered;
use super::super::plan::{self, Body, Emit, Head};
use super::{Exchange, State};
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::frame::sse;
use crate::json::{Raw, Sink, escape};
use crate::jsonrpc::Id;
use crate::revision::fields;
use crate::server::Server;
use crate::server::answer::{self, Failure};
use crate::server::ask::{self, Ask, Unable};
use crate::server::call::CallKey;
use crate::server::inflight::Inflight;
use crate::server::notify::{self, Log, Progress};
use crate::server::out::{event, in_batch, whole};
use crate::server::plain::{self, Text};
use crate::server::tasks::Task;

impl Exchange {
    /// Answers a call with its result: a JSON object in the newest shape.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::BadJson`], [`LocalError::BadResult`], [`LocalError::OutputFull`]; the
    /// call stays in work.
    pub fn reply<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        result: &str,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        self.end(key, out, |call, out| answer::result(server, call, result, out).map(|()| None))
    }

    /// Answers a call of a tool, a prompt, a resource or a completion with a text; otherwise as [`Exchange::reply`]. The
    /// answer is written from the pieces of the text, without a result to be put together and read first.
    ///
    /// # Errors
    /// [`LocalError::BadResult`] for other calls, and for one that asks for a task; otherwise as [`Exchange::reply`].
    pub fn reply_text<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        text: &Text<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        self.end(key, out, |call, out| plain::text(server, call, text, None, out).map(|()| None))
    }

    /// Answers a call of a tool with structured content and the same as a text; otherwise as [`Exchange::reply_text`].
    /// `structured` is valid JSON that fits the tool's output schema. A text without pieces is that JSON.
    ///
    /// # Errors
    /// [`LocalError::BadResult`] for calls of anything but a tool; otherwise as [`Exchange::reply_text`].
    pub fn reply_structured<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        structured: Raw<'_>,
        text: &Text<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        self.end(key, out, |call, out| plain::text(server, call, text, Some(structured), out).map(|()| None))
    }

    /// Answers a call with a failure; otherwise as [`Exchange::reply`].
    ///
    /// # Errors
    /// As [`Exchange::reply`].
    pub fn fail<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        failure: &Failure<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        self.end(key, out, |call, out| answer::failure(server, call, failure, out))
    }

    fn end<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        out: &mut S,
        write: impl Fn(&Inflight, &mut S) -> Result<Option<i32>, LocalError>,
    ) -> Result<Emit, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        let emit = if call.cancelled {
            Emit::Nothing
        } else if call.batched {
            in_batch(out, |out| write(call, out))?;
            Emit::Held
        } else {
            let (start, streaming) = (out.len(), self.state == State::Streaming);
            let events = streaming || self.only_events();
            let code = if streaming {
                numbered(&mut self.numbering, out, |out| write(call, out))
            } else {
                whole(out, |out| if events { event(out, |out| write(call, out)) } else { write(call, out) })
            }?;
            let head = self.head(plan::failed(code, call.revision));
            if streaming {
                Emit::Events { start: None, end: true }
            } else {
                if events && head.body != Body::Events {
                    // Only now is it known that the status says more than 200, which no stream can.
                    out.truncate(start);
                    whole(out, |out| write(call, out))?;
                }
                Emit::Whole(head)
            }
        };
        self.calls.remove(key);
        if !matches!(self.state, State::Batch(_)) {
            self.state = State::Over;
        }
        Ok(emit)
    }

    /// Whether the client of a call may be asked for this, and can be in its revision.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`]; inside, why it cannot be asked.
    pub fn can_ask(&self, key: CallKey, ask: &Ask<'_>) -> Result<Result<(), Unable>, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        Ok(ask.check(&call.capabilities, call.revision))
    }

    /// Asks the client of a handshake-era call, on the call's own stream. The call stays in work; the answer comes as a
    /// response in another request of the same session. `id` names the question: a text that no other question of the
    /// session has, on any worker.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if the client cannot be asked ([`Exchange::can_ask`] tells why), is of the stateless era
    /// (see [`Exchange::require_input`]), has no session to answer in, or takes no stream; [`LocalError::UnknownCall`];
    /// [`LocalError::OutputFull`].
    pub fn ask<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        id: &str,
        ask: &Ask<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        if call.revision.is_stateless() {
            return Err(LocalError::NotAllowed("a stateless client is asked with require_input"));
        }
        if !self.in_session || !self.can_stream() || call.batched {
            return Err(LocalError::NotAllowed(
                "there is no way to this client: it needs a session and an event stream",
            ));
        }
        ask.check(&call.capabilities, call.revision)?;
        let text = quoted(id)?;
        numbered(&mut self.numbering, out, |out| {
            Ok(ask::request(&text, ask, &call.capabilities, call.revision, out)?)
        })?;
        Ok(self.streamed())
    }

    /// Tells the client that nobody waits for the answer to a question any more; `id` is the one it was asked with.
    /// [`Emit::Nothing`]: the call is over or taken back, or its stream is not open.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] for an id that no question can have, [`LocalError::OutputFull`].
    pub fn give_up<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        id: &str,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        if self.state != State::Streaming || self.is_cancelled(key) {
            return Ok(Emit::Nothing);
        }
        let text = quoted(id)?;
        numbered(&mut self.numbering, out, |out| Ok(ask::cancelled(&text, out)?))?;
        Ok(self.streamed())
    }

    /// Tells the client, on a call's own stream, that an elicitation by URL is done (`2025-11-25`); `id` is the one it was
    /// asked with. [`Emit::Nothing`]: its revision has no such message, or it takes no stream.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn elicitation_complete<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        id: &str,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        if !fields::ELICITATION_ID.has(call.revision) || !self.can_stream() || call.batched {
            return Ok(Emit::Nothing);
        }
        numbered(&mut self.numbering, out, |out| Ok(notify::elicitation_complete(id, out)?))?;
        Ok(self.streamed())
    }

    /// Answers a stateless call with what it still needs; the client asks again with the answers. `state` comes back
    /// with them: seal it, the client can forge it. Each key names its question; keys are the handler's.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] if a question cannot be asked or the client is of the handshake era (see
    /// [`Exchange::ask`]); otherwise as [`Exchange::reply`].
    pub fn require_input<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        asks: &[(&str, Ask<'_>)],
        state: Option<&str>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        self.end(key, out, |call, out| answer::input_required(server, call, asks, state, out).map(|()| None))
    }

    /// Whether the request of this id is the one in work here; then it is taken back. For cancellations of the handshake
    /// era, which come in a request of their own.
    pub fn cancel(&mut self, id: &str) -> Option<CallKey> {
        let id = Id::read(crate::json::check(id.as_bytes(), 1).ok()?).ok()?;
        let call = self.calls.find(id)?;
        call.cancelled = true;
        Some(call.key)
    }

    /// Takes back what is in work, because the session it belongs to is over (basic/transports, "Session Management").
    pub fn abandon(&mut self) {
        self.calls.abandon();
    }

    /// Tells the peer how far a call has come. [`Emit::Nothing`]: it did not ask, the number did not grow, or the answer
    /// has to be one JSON object (counted in [`Exchange::dropped`]).
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::NotAllowed`] for numbers that are not finite, [`LocalError::OutputFull`].
    pub fn progress<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        progress: &Progress<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        let delivers = self.can_stream();
        let call = self.calls.get_mut(key).ok_or(LocalError::UnknownCall)?;
        if call.token.is_none() || call.cancelled {
            return Ok(Emit::Nothing);
        }
        if !delivers || call.batched {
            self.dropped = self.dropped.saturating_add(1);
            return Ok(Emit::Nothing);
        }
        let (start, before, numbering) = (out.len(), call.progress, self.numbering.clone());
        let written = numbered(&mut self.numbering, out, |out| notify::progress(call, progress, out));
        if written.is_err() {
            // The end of the event may have found no room after the number was noted.
            call.progress = before;
        }
        if !written? {
            out.truncate(start);
            self.numbering = numbering;
            return Ok(Emit::Nothing);
        }
        Ok(self.streamed())
    }

    /// Tells the client, on the stream of a call that waits for a task (`tasks/result` of `2025-11-25`), how far the task
    /// has come. [`Emit::Nothing`]: it did not ask, the task is over, or the answer has to be one JSON object. The numbers
    /// must grow.
    ///
    /// # Errors
    /// As [`Exchange::progress`].
    pub fn task_progress<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        task: &Task<'_>,
        progress: &Progress<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        if !self.can_stream() || call.cancelled || call.batched {
            return Ok(Emit::Nothing);
        }
        let (start, numbering) = (out.len(), self.numbering.clone());
        if !numbered(&mut self.numbering, out, |out| task.progress_notification(progress, out))? {
            out.truncate(start);
            self.numbering = numbering;
            return Ok(Emit::Nothing);
        }
        Ok(self.streamed())
    }

    /// Begins the event stream of a call before there is anything to say, with a comment (or the event that opens
    /// it, where events have ids): for calls that wait, so that
    /// neither side takes the connection for dead. [`Emit::Nothing`]: there is a stream already, or cannot be one.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn begin_stream<S: Sink + ?Sized>(&mut self, key: CallKey, out: &mut S) -> Result<Emit, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        if self.state != State::Working || !self.can_stream() || call.cancelled || call.batched {
            return Ok(Emit::Nothing);
        }
        match self.numbering.as_mut().filter(|numbering| numbering.polls()) {
            Some(numbering) => numbering.open(out)?,
            None => whole(out, |out| Ok(out.put(sse::KEEP_ALIVE)?))?,
        }
        Ok(self.streamed())
    }

    /// Sends a log message about a call. [`Emit::Nothing`]: logging is not offered, the level is below what the peer
    /// wants, or the answer has to be one JSON object (counted in [`Exchange::dropped`]).
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn log<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        log: &Log<'_>,
        out: &mut S,
    ) -> Result<Emit, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        if !server.profile.logging || call.cancelled || call.level.is_none_or(|least| log.level < least) {
            return Ok(Emit::Nothing);
        }
        if !self.can_stream() || call.batched {
            self.dropped = self.dropped.saturating_add(1);
            return Ok(Emit::Nothing);
        }
        numbered(&mut self.numbering, out, |out| Ok(notify::log(log, out)?))?;
        Ok(self.streamed())
    }

    /// The peer is gone. `true`: that takes the call back, so stop working on it; in the handshake era it does not
    /// (basic/transports: "Disconnection MAY occur at any time … SHOULD NOT be interpreted as the client cancelling").
    pub fn close(&mut self, key: CallKey) -> bool {
        match self.calls.get_mut(key) {
            Some(call) if call.revision.is_stateless() => {
                call.cancelled = true;
                true
            }
            _ => false,
        }
    }

    /// Whether the peer took this call back. An unknown key counts as taken back.
    #[must_use]
    pub fn is_cancelled(&self, key: CallKey) -> bool {
        self.calls.get(key).is_none_or(|call| call.cancelled)
    }

    /// The peer takes nothing but an event stream.
    fn only_events(&self) -> bool {
        !self.accept.json && self.accept.sse
    }

    pub(super) fn head(&self, status: u16) -> Head {
        let events = self.only_events() && status == 200;
        Head { status, body: if events { Body::Events } else { Body::Json } }
    }

    /// Writes a response body: a message, or an event with it if the peer takes nothing else.
    pub(super) fn body<S: Sink + ?Sized, T>(
        &self,
        out: &mut S,
        write: impl FnOnce(&mut S) -> Result<T, LocalError>,
    ) -> Result<T, LocalError> {
        if self.only_events() { event(out, write) } else { write(out) }
    }
}

/// The id of a question as JSON text.
fn quoted(id: &str) -> Result<heapless::String<96>, LocalError> {
    const WRONG: LocalError = LocalError::NotAllowed("the id of a question is at most 80 bytes");
    let mut text = heapless::Vec::<u8, 96>::new();
    escape(id, &mut text).map_err(|_| WRONG)?;
    heapless::String::from_utf8(text).map_err(|_| WRONG)
}
