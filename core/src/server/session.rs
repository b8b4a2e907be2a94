//! One duplex channel: stdio, UART, TCP, WebSocket.

use super::Server;
use super::answer::{self, Failure};
use super::call::{Batch, Call, CallKey, Notice, Step};
use super::era::{self, Envelope};
use super::fault::Fault;
use super::inflight::{Inflight, Table};
use super::lists;
use super::mirror::Unmirrored;
use super::notify::{self, Log, Progress};
use super::out::{in_batch, whole};
use super::profile::Channel;
use super::request::{self, Plan, Run};
use crate::catalog::{Catalog, Kind};
use crate::error::LocalError;
use crate::json::{self, Kind as Json, Raw, Sink, Str, fnv64};
use crate::jsonrpc::{self, Id, Message, Request};
use crate::model::{ClientCapabilities, Level};
use crate::revision::methods::{Method, Notification};
use crate::revision::{Era, Revision};

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
            capabilities: ClientCapabilities {
                roots: false,
                sampling: false,
                sampling_tools: false,
                sampling_context: false,
                elicit_form: false,
                elicit_url: false,
            },
            level: Level::DEFAULT,
            calls: Table::new(tag),
            watched: heapless::Vec::new(),
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
        let value = match json::check(message, server.limits.depth) {
            Ok(value) => value,
            Err(error) => return self.refuse(server, Fault::Json(error), None, out),
        };
        if value.kind() != Json::Array {
            return self.message(server, value, false, out);
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
        batch.pending = None;
        let Some(value) = batch.element(message) else {
            if !out.is_empty() {
                out.put(b"]")?;
            }
            return Ok(None);
        };
        let step = in_batch(out, |out| self.message(server, value, true, out))?;
        batch.at += 1;
        if let Step::Call(call) = &step {
            batch.pending = Some(call.key);
        }
        Ok(Some(step))
    }

    /// Answers a call with its result: a JSON object in the newest shape, which the peer gets as its revision knows it.
    ///
    /// `false`: nothing was written, because the peer took the call back. The key is used up either way.
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
    ) -> Result<bool, LocalError> {
        self.end(key, out, |call, out| answer::result(server, call, result, out))
    }

    /// Answers a call with a failure; otherwise as [`Session::reply`].
    ///
    /// # Errors
    /// As [`Session::reply`].
    pub fn fail<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: CallKey,
        failure: &Failure<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        self.end(key, out, |call, out| answer::failure(server, call, failure, out).map(|_| ()))
    }

    fn end<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        out: &mut S,
        write: impl FnOnce(&Inflight, &mut S) -> Result<(), LocalError>,
    ) -> Result<bool, LocalError> {
        let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
        let wanted = !call.cancelled;
        if wanted {
            if call.batched {
                in_batch(out, |out| write(call, out))?;
            } else {
                whole(out, |out| write(call, out))?;
            }
        }
        self.calls.remove(key);
        Ok(wanted)
    }

    /// Tells the peer how far a call has come. `false`: nothing was written, because the peer did not ask, took the call
    /// back, or the number did not grow. `out` must not be a batch's.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::NotAllowed`] for numbers that are not finite, [`LocalError::OutputFull`].
    pub fn progress<S: Sink + ?Sized>(
        &mut self,
        key: CallKey,
        progress: &Progress<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let call = self.calls.get_mut(key).ok_or(LocalError::UnknownCall)?;
        whole(out, |out| notify::progress(call, progress, out))
    }

    /// Sends a log message, about a call or about the session. `false`: nothing was written, because logging is not
    /// offered or the level is below what the peer wants.
    ///
    /// # Errors
    /// [`LocalError::UnknownCall`], [`LocalError::OutputFull`].
    pub fn log<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        key: Option<CallKey>,
        log: &Log<'_>,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        let least = match key {
            None => self.phase.revision().map(|_| self.level),
            Some(key) => {
                let call = self.calls.get(key).ok_or(LocalError::UnknownCall)?;
                if call.cancelled { None } else { self.log_level(call.revision, call.level) }
            }
        };
        if !server.profile.logging || least.is_none_or(|least| log.level < least) {
            return Ok(false);
        }
        whole(out, |out| Ok(notify::log(log, out)?))?;
        Ok(true)
    }

    /// Least level that a request's logs need: its own in stateless revisions, else the session's.
    fn log_level(&self, revision: Revision, own: Option<Level>) -> Option<Level> {
        if revision.is_stateless() { own } else { Some(self.level) }
    }

    /// Tells the peer that a list has changed. `false`: nothing was written, because that is not offered or no
    /// handshake has been completed.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn list_changed<C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        kind: Kind,
        out: &mut S,
    ) -> Result<bool, LocalError> {
        if !server.profile.list_changed || !matches!(self.phase, Phase::Ready(_)) {
            return Ok(false);
        }
        whole(out, |out| Ok(notify::list_changed(kind, out)?))?;
        Ok(true)
    }

    /// Tells the peer that a resource has changed. `false`: nothing was written, because it is not subscribed to.
    ///
    /// # Errors
    /// [`LocalError::OutputFull`].
    pub fn resource_updated<S: Sink + ?Sized>(&mut self, uri: &str, out: &mut S) -> Result<bool, LocalError> {
        if !matches!(self.phase, Phase::Ready(_)) || !self.watched.contains(&fnv64(uri.as_bytes())) {
            return Ok(false);
        }
        whole(out, |out| Ok(notify::updated(uri, out)?))?;
        Ok(true)
    }

    /// Sends a notification of the host's own.
    ///
    /// # Errors
    /// [`LocalError::NotAllowed`] for a method under `notifications/`, which is the protocol's, or before a handshake:
    /// stateless revisions know only notifications that belong to a request. [`LocalError::OutputFull`].
    pub fn notify<S: Sink + ?Sized>(
        &mut self,
        method: &str,
        params: Option<Raw<'_>>,
        out: &mut S,
    ) -> Result<(), LocalError> {
        if method.starts_with("notifications/") {
            return Err(LocalError::NotAllowed("methods under notifications/ are the protocol's own"));
        }
        if self.phase.revision().is_none() {
            return Err(LocalError::NotAllowed("there was no handshake"));
        }
        whole(out, |out| Ok(notify::custom(method, params, out)?))
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
        whole(out, |out| Ok(fault.write(id, revision, server.profile.revisions, out)?))?;
        Ok(Step::Send)
    }

    fn message<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        value: Raw<'m>,
        batched: bool,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        match jsonrpc::read(value) {
            Err((why, id)) => self.refuse(server, Fault::Malformed(why), id, out),
            Ok(Message::Request(request)) => self.request(server, request, batched, out),
            Ok(Message::Notification { method, params }) => Ok(self.notification(method, params)),
            Ok(Message::Response { id, outcome }) => Ok(Step::Notice(Notice::Response { id, outcome })),
        }
    }

    fn request<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: Request<'m>,
        batched: bool,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let id = request.id;
        // The message decides its era; nothing a channel has seen before changes that.
        let claim = era::claim(request.params, server.profile.revisions);
        let initialize = request.method == *Method::Initialize.row().name;
        let envelope = if claim.version {
            match era::open(&request, server.profile.revisions, &Unmirrored) {
                Ok(envelope) => Some(envelope),
                Err(fault) => return self.refuse_as(server, fault, Some(id), Some(Revision::NEWEST), out),
            }
        } else {
            None
        };
        let revision = match (&envelope, self.phase.revision()) {
            (Some(envelope), _) => envelope.revision,
            (None, _) if initialize => return self.initialize(server, &request, out),
            (None, Some(revision)) => revision,
            (None, None) => {
                let ping = request.method == *Method::Ping.row().name;
                let handshakes = server.profile.revisions.serves(Era::Handshake);
                if ping && handshakes {
                    whole(out, |out| Ok(answer::empty(server, id, Revision::OLDEST, out)?))?;
                    return Ok(Step::Send);
                }
                let stateless_only =
                    Method::of(request.method).is_some_and(|row| !row.span.has(Revision::OLDEST));
                let fault = if claim.other || stateless_only || !handshakes {
                    era::no_version()
                } else {
                    Fault::NotInitialized
                };
                return self.refuse(server, fault, Some(id), out);
            }
        };
        if self.calls.find(id).is_some() {
            return self.refuse_as(server, Fault::DuplicateId, Some(id), Some(revision), out);
        }
        let plan = match request::plan(server, &request, revision, Channel::Duplex, &Unmirrored) {
            Ok(plan) => plan,
            Err(fault) => return self.refuse_as(server, fault, Some(id), Some(revision), out),
        };
        self.carry_out(server, id, revision, envelope, plan, batched, out)
    }

    #[allow(clippy::too_many_arguments)] // one request, taken apart
    fn carry_out<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        id: Id<'m>,
        revision: Revision,
        envelope: Option<Envelope<'m>>,
        plan: Plan<'m>,
        batched: bool,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let step = match plan {
            Plan::Run(run) => return self.run(server, id, revision, envelope, run, batched, out),
            Plan::Subscribe(uri) => {
                let hash = uri.hash64();
                let limit = server.limits.subscriptions.min(SUBS);
                if !self.watched.contains(&hash) && self.watched.len() >= limit {
                    let fault = Fault::TooManySubscriptions { limit };
                    return self.refuse_as(server, fault, Some(id), Some(revision), out);
                }
                Step::Notice(Notice::Subscribed(uri))
            }
            Plan::Unsubscribe(uri) => Step::Notice(Notice::Unsubscribed(uri)),
            Plan::Level(level) => Step::Notice(Notice::Level(level)),
            Plan::Empty | Plan::Discover | Plan::Page { .. } | Plan::Initialize => Step::Send,
        };
        whole(out, |out| Ok(lists::answer(server, id, revision, &plan, Channel::Duplex, out)?))?;
        // Only now that the answer is written does anything change.
        match plan {
            Plan::Level(level) => self.level = level,
            Plan::Subscribe(uri) if !self.watched.contains(&uri.hash64()) => {
                let _ = self.watched.push(uri.hash64());
            }
            Plan::Unsubscribe(uri) => self.watched.retain(|hash| *hash != uri.hash64()),
            _ => {}
        }
        Ok(step)
    }

    #[allow(clippy::too_many_arguments)] // one request, taken apart
    fn run<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        id: Id<'m>,
        revision: Revision,
        envelope: Option<Envelope<'m>>,
        run: Run<'m>,
        batched: bool,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let limit = server.limits.in_flight.min(CALLS);
        let key = self.calls.next_key().filter(|_| self.calls.len() < limit);
        let Some(key) = key else {
            return self.refuse_as(server, Fault::Busy { limit }, Some(id), Some(revision), out);
        };
        let own = envelope.and_then(|envelope| envelope.level);
        let log = self.log_level(revision, own).filter(|_| server.profile.logging);
        self.calls.insert(Inflight::new(key, id, revision, &run, own, batched));
        let capabilities = envelope.map_or(self.capabilities, |envelope| envelope.capabilities);
        Ok(Step::Call(Call::new(key, revision, &run, envelope.as_ref(), capabilities, log, batched)))
    }

    fn initialize<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: &Request<'m>,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let id = request.id;
        if self.phase != Phase::New {
            return self.refuse(server, Fault::AlreadyInitialized, Some(id), out);
        }
        let opening = match era::opening(request, server.profile.revisions) {
            Ok(opening) => opening,
            Err(fault) => return self.refuse(server, fault, Some(id), out),
        };
        let revision = opening.revision;
        whole(out, |out| Ok(lists::initialize(server, id, revision, Channel::Duplex, out)?))?;
        self.phase = Phase::Opening(revision);
        self.capabilities = ClientCapabilities::read(opening.capabilities, revision);
        Ok(Step::Notice(Notice::Opened {
            revision,
            client_info: opening.client_info,
            client_capabilities: opening.capabilities,
        }))
    }

    /// Notifications are never answered; what does not fit is ignored.
    fn notification<'m>(&mut self, method: Str<'m>, params: Option<Raw<'m>>) -> Step<'m> {
        match Notification::of(method) {
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
                let Some(Ok(id)) = id else { return Step::Nothing };
                let reason = params.and_then(|params| params.get("reason")).and_then(Raw::str);
                match self.calls.find(id) {
                    None => Step::Nothing,
                    Some(call) => {
                        call.cancelled = true;
                        Step::Notice(Notice::Cancelled { key: call.key, reason })
                    }
                }
            }
            Some(Notification::RootsListChanged) if self.phase != Phase::New => {
                Step::Notice(Notice::RootsChanged)
            }
            // Progress belongs to requests of the server, and none is open.
            Some(Notification::RootsListChanged | Notification::Progress) => Step::Nothing,
        }
    }
}
