//! One duplex channel: stdio, UART, TCP, WebSocket.

mod requests;
mod respond;

use super::Server;
use super::ask::{self, AskKey};
use super::call::{Batch, CallKey, Notice, Step};
use super::fault::Fault;
use super::incoming::Incoming;
use super::inflight::Table;
use super::listen::Listener;
use super::out::{in_batch, line, whole};
use super::request;
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{Raw, Sink, Str};
use crate::jsonrpc::{Id, Message};
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
use crate::revision::methods::{Feature, Notification};

/// Most questions to the client that may be open at once.
const ASKS: usize = 16;

/// Most subscriptions of the stateless era on one channel.
const LISTENERS: usize = 8;

/// Most tasks of `2025-11-25` whose changes one channel is told of; of more, its client hears by asking.
const TASKS: usize = 32;

/// The server's side of one duplex channel.
///
/// One message in, one [`Step`] out. Everything is bounded: at most `CALLS` calls in work and `SUBS` watched
/// resources, and less if the server's limits say so. It holds no bytes of any message beyond ids and tokens.
///
/// Both eras share the channel: a request with a version in `_meta` stands alone, any other belongs to the
/// handshake that opened the session. Neither locks out the other.
#[derive(Clone, Debug)]
pub struct Session<const CALLS: usize = 16, const SUBS: usize = 16> {
    phase: Phase,
    capabilities: ClientCapabilities,
    level: Level,
    calls: Table<CALLS>,
    /// Hashes of the watched URIs. A collision means a superfluous notification, nothing worse.
    watched: heapless::Vec<u64, SUBS>,
    /// Hashes of the ids of experimental tasks that calls of this channel became; see `watched`.
    tasks: heapless::Vec<u64, TASKS>,
    /// Subscriptions of the stateless era.
    listeners: heapless::Vec<Listener<SUBS>, LISTENERS>,
    /// Requests of this side's own that wait for an answer.
    asked: heapless::Vec<Asked, ASKS>,
    /// How many there have been: their ids.
    asks: u32,
}

/// A request of this side's own.
#[derive(Clone, Copy, Debug)]
struct Asked {
    number: u32,
    /// The call that needs the answer.
    call: CallKey,
}

/// Where the handshake stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    New,
    /// `initialize` was answered, `notifications/initialized` has not come.
    Opening(Revision),
    Ready(Revision),
}

impl Phase {
    fn revision(self) -> Option<Revision> {
        match self {
            Phase::New => None,
            Phase::Opening(revision) | Phase::Ready(revision) => Some(revision),
        }
    }
}

impl<const CALLS: usize, const SUBS: usize> Session<CALLS, SUBS> {
    /// A fresh channel. `tag` (15 bits) marks its call keys, so that a key of one session is unknown to another.
    #[must_use]
    pub const fn new(tag: u16) -> Self {
        Session {
            phase: Phase::New,
            capabilities: ClientCapabilities::NONE,
            level: Level::DEFAULT,
            calls: Table::new(tag),
            watched: heapless::Vec::new(),
            tasks: heapless::Vec::new(),
            listeners: heapless::Vec::new(),
            asked: heapless::Vec::new(),
            asks: 0,
        }
    }

    /// The revision agreed on by handshake, if there was one.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.phase.revision()
    }

    /// How many calls are in work.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.calls.len()
    }

    /// Takes back all calls in work, because the peer is gone: nothing is written for them any more.
    pub fn abandon(&mut self) {
        self.calls.abandon();
    }

    /// Whether the peer took this call back. An unknown key counts as taken back.
    #[must_use]
    pub fn is_cancelled(&self, key: CallKey) -> bool {
        self.calls.get(key).is_none_or(|call| call.cancelled)
    }

    /// Whether the call is part of a batch, so that its answer belongs into the batch's output.
    #[must_use]
    pub fn is_batched(&self, key: CallKey) -> bool {
        self.calls.get(key).is_some_and(|call| call.batched)
    }

    /// Takes one message (one line of a framed channel, without its newline).
    ///
    /// Afterwards write whatever is in `out`, whatever the step says. A message that cannot be served is answered
    /// there and changes nothing.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`]: `out` is too small for the answer; the message has had no effect and may be given
    /// again.
    pub fn accept<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        message: &'m [u8],
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let limit = server.limits.message_bytes;
        if message.len() > limit {
            return self.refuse(server, Fault::TooLong { limit }, None, out);
        }
        let mut incoming = Incoming::NONE;
        if let Err(error) = incoming.check(message, server.limits.depth) {
            return self.refuse(server, Fault::Json(error), None, out);
        }
        let value = incoming.value;
        if !value.is_array() {
            return self.message(server, &incoming, false, out);
        }
        let fault = if self.phase.revision().is_some_and(|revision| revision.row().batches) {
            request::batch(value, server.limits.batch)
        } else {
            Some(Fault::NoBatch)
        };
        match fault {
            Some(fault) => self.refuse(server, fault, None, out),
            None => Ok(Step::Batch(Batch::default())),
        }
    }

    /// Reports a line that was too long to be kept, so that the peer learns of it.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn too_long<C: Catalog, S: Sink + ?Sized>(
        &self,
        server: &Server<'_, C>,
        out: &mut S,
    ) -> Result<(), LocalError> {
        let limit = server.limits.message_bytes;
        self.refuse(server, Fault::TooLong { limit }, None, out).map(|_| ())
    }

    /// Takes the next message of a batch, with the bytes the batch came in and the output it began with. `None`: the
    /// batch is over, and `out` holds the array of its answers, or nothing if none was due.
    ///
    /// # Errors
    /// [`LocalError::BatchPending`] while the last call is unanswered; [`LocalError::OutputFull`].
    pub fn next<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        batch: &mut Batch,
        message: &'m [u8],
        out: &mut S,
    ) -> Result<Option<Step<'m>>, LocalError> {
        if batch.pending.is_some_and(|key| self.calls.get(key).is_some()) {
            return Err(LocalError::BatchPending);
        }
        let Some(value) = batch.element(message) else {
            if !out.is_empty() && batch.at != usize::MAX {
                out.put(b"]")?;
            }
            // Asked again, the batch is still over.
            *batch = Batch { at: usize::MAX, pending: None };
            return Ok(None);
        };
        let step = in_batch(out, |out| match batch.repeated(message, value) {
            Some(id) => self.refuse(server, Fault::DuplicateId, Some(id), out),
            None => self.message(server, &Incoming::of(value), true, out),
        })?;
        batch.at += 1;
        batch.pending = match &step {
            Step::Call(call) => Some(call.key),
            _ => None,
        };
        Ok(Some(step))
    }

    fn refuse<'m, C: Catalog, S: Sink + ?Sized>(
        &self,
        server: &Server<'_, C>,
        fault: Fault<'_>,
        id: Option<Id<'_>>,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        self.refuse_as(server, fault, id, self.phase.revision(), out)
    }

    fn refuse_as<'m, C: Catalog, S: Sink + ?Sized>(
        &self,
        server: &Server<'_, C>,
        fault: Fault<'_>,
        id: Option<Id<'_>>,
        revision: Option<Revision>,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        whole(out, |out| Ok(fault.write(id, revision, server, false, out)?))?;
        Ok(Step::Send)
    }

    fn message<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        incoming: &Incoming<'m>,
        batched: bool,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        match incoming.read() {
            Err((why, id)) => self.refuse(server, Fault::Malformed(why), id, out),
            Ok(Message::Request(request)) => self.request(server, incoming, request, batched, out),
            Ok(Message::Notification { method, params }) => self.notification(server, method, params, out),
            Ok(Message::Response { id, outcome }) => Ok(Step::Notice(self.response(server, id, outcome))),
        }
    }

    /// Notifications are never answered; what does not fit is ignored.
    fn notification<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        method: Str<'m>,
        params: Option<Raw<'m>>,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        Ok(match Notification::of(method) {
            None => Step::Notice(Notice::Notification { method, params }),
            Some(Notification::Initialized) => match self.phase {
                Phase::Opening(revision) => {
                    self.phase = Phase::Ready(revision);
                    Step::Notice(Notice::Ready)
                }
                _ => Step::Nothing,
            },
            Some(Notification::Cancelled) => {
                let id = params.and_then(|params| params.get("requestId")).map(Id::read);
                let Some(Ok(id)) = id else { return Ok(Step::Nothing) };
                let reason = params.and_then(|params| params.get("reason")).and_then(Raw::str);
                return self.cancel(server, id, reason, out);
            }
            Some(Notification::RootsListChanged) if self.phase != Phase::New => {
                Step::Notice(Notice::RootsChanged)
            }
            // Progress on a question is nothing a handler could wait for: it has ended.
            Some(Notification::RootsListChanged | Notification::Progress) => Step::Nothing,
        })
    }

    /// The peer takes a request back: a call, with the questions it has asked, or a subscription.
    fn cancel<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        id: Id<'_>,
        reason: Option<Str<'m>>,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        if let Some(at) = self.listener(server, id) {
            self.listeners.swap_remove(at);
            return Ok(Step::Nothing);
        }
        let Some(key) = self.calls.find(id).map(|call| call.key) else { return Ok(Step::Nothing) };
        if server.catalog.can(Feature::Asks) {
            self.withdraw(key, out)?;
        }
        if let Some(call) = self.calls.get_mut(key) {
            call.cancelled = true;
        }
        Ok(Step::Notice(Notice::Cancelled { key, reason }))
    }

    /// Where the subscription of that id stands.
    fn listener<C: Catalog>(&self, server: &Server<'_, C>, id: Id<'_>) -> Option<usize> {
        if !server.catalog.can(Feature::Listen) {
            return None;
        }
        self.listeners.iter().position(|listener| listener.id.id() == id)
    }

    /// Takes back the questions that a call has asked: nobody waits for their answers any more.
    fn withdraw<S: Sink + ?Sized>(&mut self, key: CallKey, out: &mut S) -> Result<(), LocalError> {
        let start = out.len();
        whole(out, |out| {
            let open = self.asked.iter().filter(|asked| asked.call == key);
            open.map(|asked| asked.number)
                .try_for_each(|number| line(out, start, |out| Ok(ask::cancelled(&ask::number(number), out)?)))
        })?;
        self.asked.retain(|asked| asked.call != key);
        Ok(())
    }

    /// An answer of the peer: to a question of a call, or to nothing that is waited for.
    fn response<'m, C: Catalog>(
        &mut self,
        server: &Server<'_, C>,
        id: Option<Id<'m>>,
        outcome: Result<Raw<'m>, Raw<'m>>,
    ) -> Notice<'m> {
        if !server.catalog.can(Feature::Asks) {
            return Notice::Response { id, outcome };
        }
        let number = id.and_then(Id::number);
        let at = self.asked.iter().position(|asked| Some(u64::from(asked.number)) == number);
        match at.map(|at| self.asked.swap_remove(at)) {
            None => Notice::Response { id, outcome },
            Some(Asked { number, call }) => {
                let left = self.asked.iter().filter(|asked| asked.call == call).count();
                Notice::Answer { key: call, ask: AskKey(number), outcome, left }
            }
        }
    }
}
