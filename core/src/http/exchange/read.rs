//! From the body of a request to its answer, or to a call for the host.

use super::super::headers::name;
use super::super::mirror::HttpMirror;
use super::super::plan::{self, Body, Head};
use super::super::{Attached, Handshake, Listener, Request, Sessions, gate};
use super::{Exchange, HttpStep, State};
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{Kind, Raw, Sink};
use crate::jsonrpc::{self, Message};
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
use crate::revision::methods::{Method, Notification};
use crate::server::call::{Call, Notice};
use crate::server::era::{self, Envelope};
use crate::server::incoming::Incoming;
use crate::server::inflight::Inflight;
use crate::server::mirror::Unmirrored;
use crate::server::out::event;
use crate::server::params::Params;
use crate::server::profile::Channel;
use crate::server::request::{self, Plan};
use crate::server::{Fault, Server, listen, lists};
use core::borrow::Borrow;

/// What the head of a request says about its era.
#[derive(Clone, Copy, Debug)]
pub(super) enum Named<'r> {
    Nothing,
    Served(Revision),
    Unknown(&'r str),
    Twice,
}

/// Whose request it is.
pub(super) struct Asker<'m, 's> {
    pub(super) revision: Revision,
    /// In the stateless era.
    pub(super) envelope: Option<Envelope<'m>>,
    /// In the handshake era, where sessions are kept.
    pub(super) session: Option<&'s mut Handshake>,
}

/// A cancellation that comes in a request of its own.
pub(super) fn cancelled(params: Option<Raw<'_>>) -> Option<Notice<'_>> {
    let params = params?;
    let id = jsonrpc::Id::read(params.get("requestId")?).ok()?;
    Some(Notice::CancelledElsewhere { id, reason: params.get("reason").and_then(Raw::str) })
}

impl<'r> Named<'r> {
    /// Whether it names a stateless revision.
    pub(super) fn is_stateless(self) -> bool {
        matches!(self, Named::Served(revision) if revision.is_stateless())
    }

    /// What is wrong with the header by itself.
    fn fault(self) -> Option<Fault<'r>> {
        match self {
            Named::Nothing | Named::Served(_) => None,
            Named::Unknown(requested) => Some(Fault::VersionHeader { requested }),
            Named::Twice => Some(Fault::Header { header: name::VERSION, why: "stands more than once" }),
        }
    }
}

fn named<'r, C>(server: &Server<'_, C>, mirror: &HttpMirror<'r>) -> Named<'r> {
    match mirror.named() {
        Err(_) => Named::Twice,
        Ok(None) => Named::Nothing,
        Ok(Some(version)) => {
            match Revision::parse(version).filter(|revision| server.profile.revisions.has(*revision)) {
                Some(revision) => Named::Served(revision),
                None => Named::Unknown(version),
            }
        }
    }
}

impl Exchange {
    pub(super) fn read<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: &Request<'_>,
        attached: Attached<'_>,
        body: &'m [u8],
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let limit = server.limits.message_bytes;
        if body.len() > limit {
            return self.refuse(server, &Fault::TooLong { limit }, None, None, out);
        }
        let mut incoming = Incoming::NONE;
        if let Err(error) = incoming.check(body, server.limits.depth) {
            return self.refuse(server, &Fault::Json(error), None, None, out);
        }
        let mirror = HttpMirror::new(request.headers);
        let named = named(server, &mirror);
        if incoming.value.kind() == Kind::Array {
            return self.array(server, incoming.value, named, attached, out);
        }
        match incoming.read() {
            Err((why, id)) => self.refuse(server, &Fault::Malformed(why), id, None, out),
            Ok(Message::Request(message)) => {
                let params = incoming.params(&message);
                self.request(server, &mirror, message, params.borrow(), named, attached, out)
            }
            Ok(Message::Notification { method, params }) => {
                if let Some(fault) = named.fault() {
                    return self.refuse(server, &fault, None, None, out);
                }
                let claim = era::claim(params, server.profile.revisions);
                let stateless = named.is_stateless() || claim.version;
                let session = match self.resident(attached, stateless) {
                    Ok(session) => session,
                    Err(fault) => return self.refuse(server, &fault, None, None, out),
                };
                let notice = match Notification::of(method) {
                    Some(Notification::Cancelled) if session.is_some() => cancelled(params),
                    Some(Notification::RootsListChanged) if session.is_some() => Some(Notice::RootsChanged),
                    Some(Notification::Initialized) if session.is_some() => Some(Notice::Ready),
                    // Without a session, ids are not unique among the clients: what is cancelled cannot be known.
                    Some(_) => None,
                    None => Some(Notice::Notification { method, params }),
                };
                Ok(HttpStep::Reply { head: Head::ACCEPTED, notice })
            }
            Ok(Message::Response { id, outcome }) => {
                if named.is_stateless() {
                    return self.refuse(server, &Fault::NoResponse, id, Some(Revision::NEWEST), out);
                }
                if let Some(fault) = named.fault() {
                    return self.refuse(server, &fault, None, None, out);
                }
                if let Err(fault) = self.resident(attached, false) {
                    return self.refuse(server, &fault, None, None, out);
                }
                let notice = Some(Notice::Response { id, outcome });
                Ok(HttpStep::Reply { head: Head::ACCEPTED, notice })
            }
        }
    }

    /// GET and DELETE: the standalone stream of a session, and its end.
    pub(super) fn without_body<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: &Request<'_>,
        attached: Attached<'_>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let named = named(server, &HttpMirror::new(request.headers));
        let session = match named.fault() {
            Some(fault) => Err(fault),
            None => self.resident(attached, false),
        };
        let session = match session {
            Ok(session) => session,
            Err(fault) => return self.refuse(server, &fault, None, None, out),
        };
        if request.method == "DELETE" {
            return Ok(HttpStep::Ended { head: Head::ENDED });
        }
        let session = session.map(|session| session.revision);
        let resumes = session.filter(|revision| self.streams && self.resumes(request, *revision));
        if resumes.is_none() && !self.listens {
            return Ok(HttpStep::reply(Head::not_allowed(true)));
        }
        if !self.accept.sse {
            let message = "the header Accept must allow text/event-stream";
            return Ok(HttpStep::reply(gate::refuse(406, format_args!("{message}"), out)?));
        }
        if let Some(revision) = resumes {
            return self.resume(request, revision, out);
        }
        let numbering = session.map_or(Ok(None), |revision| self.standing(revision, out))?;
        Ok(HttpStep::Listen { head: Head::EVENTS, listener: Listener::session(numbering) })
    }

    /// The session a message of the handshake era belongs to; `None` where there are none. Messages of the stateless era
    /// belong to none, whatever header they carry.
    pub(super) fn resident<'s>(
        &mut self,
        attached: Attached<'s>,
        stateless: bool,
    ) -> Result<Option<&'s mut Handshake>, Fault<'static>> {
        match attached {
            _ if stateless => Ok(None),
            Attached::Off => Ok(None),
            Attached::Missing => Err(Fault::NoSession),
            Attached::Unknown => Err(Fault::SessionGone),
            Attached::Known(handshake) => {
                self.in_session = true;
                Ok(Some(handshake))
            }
        }
    }

    /// What can be kept for the client of a request.
    pub(super) fn channel(&self) -> Channel {
        Channel {
            pushes: self.listens && self.sessions != Sessions::Off,
            watches: self.listens && self.sessions == Sessions::Kept,
            listens: self.listens && self.streams,
            knows: self.sessions != Sessions::Off,
        }
    }

    #[allow(clippy::too_many_arguments)] // one request, taken apart
    fn request<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        mirror: &HttpMirror<'_>,
        request: jsonrpc::Request<'m>,
        params: &Params<'m>,
        named: Named<'_>,
        attached: Attached<'_>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let id = Some(request.id);
        let served = server.profile.revisions;
        if !self.accept.json && !self.accept.sse {
            let message = "the header Accept must allow application/json or text/event-stream";
            return Ok(HttpStep::reply(gate::refuse(406, format_args!("{message}"), out)?));
        }
        let channel = self.channel();
        if params.claim(served).version || named.is_stateless() {
            return match era::open(&request, params, server, mirror) {
                Err(fault) => self.refuse(server, &fault, id, Some(Revision::NEWEST), out),
                Ok(envelope) => {
                    let revision = envelope.revision;
                    match request::plan(
                        server,
                        &request,
                        params,
                        revision,
                        envelope.capabilities,
                        channel,
                        mirror,
                    ) {
                        Err(fault) => self.refuse(server, &fault, id, Some(revision), out),
                        Ok(plan) => {
                            let asker = Asker { revision, envelope: Some(envelope), session: None };
                            self.carry_out(server, request, asker, plan, out)
                        }
                    }
                }
            };
        }
        if request.method == *Method::Initialize.row().name {
            return self.initialize(server, &request, attached, out);
        }
        let session = match self.resident(attached, false) {
            Ok(session) => session,
            Err(fault) => return self.refuse(server, &fault, id, None, out),
        };
        // The header of a session's client may name another served revision; the one agreed on stands.
        let revision = match (self.assumed(server, named), &session) {
            (Ok(_), Some(handshake)) => handshake.revision,
            (Ok(revision), None) => revision,
            (Err(fault), _) => return self.refuse(server, &fault, id, None, out),
        };
        // What handshake-era clients declare decides nothing here.
        let capabilities = ClientCapabilities::default();
        match request::plan(server, &request, params, revision, capabilities, channel, &Unmirrored) {
            Err(fault) => self.refuse(server, &fault, id, Some(revision), out),
            Ok(plan) => {
                let asker = Asker { revision, envelope: None, session };
                self.carry_out(server, request, asker, plan, out)
            }
        }
    }

    /// Its own parameters name the version; a header that says otherwise is a client's habit.
    fn initialize<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: &jsonrpc::Request<'m>,
        attached: Attached<'_>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let fault = match attached {
            Attached::Known(_) => Some(Fault::AlreadyInitialized),
            Attached::Unknown => Some(Fault::SessionGone),
            Attached::Off | Attached::Missing => None,
        };
        let opening = match fault {
            Some(fault) => Err(fault),
            None => era::opening(request, server.profile.revisions),
        };
        let opening = match opening {
            Ok(opening) => opening,
            Err(fault) => return self.refuse(server, &fault, Some(request.id), None, out),
        };
        let revision = opening.revision;
        let channel = self.channel();
        self.body(out, |out| Ok(lists::initialize(server, request.id, revision, channel, out)?))?;
        let capabilities = server.client(opening.capabilities, revision);
        Ok(HttpStep::Opened {
            head: self.head(200),
            handshake: Handshake::new(revision, capabilities),
            client_info: opening.client_info,
            client_capabilities: opening.capabilities,
        })
    }

    /// The revision of a message that belongs to no handshake and makes no claim of its own.
    pub(super) fn assumed<'r, C: Catalog>(
        &self,
        server: &Server<'_, C>,
        named: Named<'r>,
    ) -> Result<Revision, Fault<'r>> {
        match named {
            Named::Served(revision) => Ok(revision),
            Named::Nothing => {
                let served = server.profile.revisions;
                if served.has(Revision::ASSUMED) { Some(Revision::ASSUMED) } else { served.negotiate(None) }
                    .ok_or(era::no_version())
            }
            Named::Unknown(_) | Named::Twice => Err(named.fault().unwrap_or(Fault::Params)),
        }
    }

    fn carry_out<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: jsonrpc::Request<'m>,
        asker: Asker<'m, '_>,
        plan: Plan<'m>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let revision = asker.revision;
        let notice = match (&plan, asker.session) {
            (Plan::Run(run), session) => {
                let asker = Asker { session, ..asker };
                let call = self.start(server, request.id, &asker, *run, false)?;
                self.state = State::Working;
                return Ok(HttpStep::Call(call));
            }
            (Plan::Listen { filter }, _) => {
                return self.listen(server, request.id, revision, *filter, out);
            }
            (plan, Some(handshake)) => match handshake.remember(plan, server.limits.subscriptions) {
                Ok(notice) => notice,
                Err(fault) => return self.refuse(server, &fault, Some(request.id), Some(revision), out),
            },
            (_, None) => None,
        };
        let channel = self.channel();
        self.body(out, |out| Ok(lists::answer(server, request.id, revision, &plan, channel, out)?))?;
        Ok(HttpStep::Reply { head: self.head(200), notice })
    }

    fn listen<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        id: jsonrpc::Id<'m>,
        revision: Revision,
        filter: Raw<'m>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        if !self.accept.sse {
            let message = "the header Accept must allow text/event-stream";
            return Ok(HttpStep::reply(gate::refuse(406, format_args!("{message}"), out)?));
        }
        let limit = server.limits.subscriptions;
        match listen::Listener::new(jsonrpc::Token::keep(id)?, revision, filter, &server.profile, limit) {
            Err(fault) => self.refuse(server, &fault, Some(id), Some(revision), out),
            Ok(listener) => {
                event(out, |out| Ok(listener.acknowledge(filter, &server.profile, out)?))?;
                Ok(HttpStep::Listen { head: Head::EVENTS, listener: Listener::subscription(listener) })
            }
        }
    }

    pub(super) fn start<'m, C>(
        &mut self,
        server: &Server<'_, C>,
        id: jsonrpc::Id<'m>,
        asker: &Asker<'m, '_>,
        run: request::Run<'m>,
        batched: bool,
    ) -> Result<Call<'m>, LocalError> {
        let key = self.calls.next_key().ok_or(LocalError::Over)?;
        let Asker { revision, envelope, session } = asker;
        let own = envelope.and_then(|envelope| envelope.level);
        // Without a session nobody has set a level; what the server chooses applies.
        let set = session.as_ref().map_or(Level::DEFAULT, |handshake| handshake.level);
        let level = if revision.is_stateless() { own } else { Some(set) };
        let delivers = self.can_stream() && !batched;
        let log = level.filter(|_| server.profile.logging && delivers);
        self.number(*revision, delivers);
        let capabilities = match (envelope, session) {
            (Some(envelope), _) => envelope.capabilities,
            (None, Some(handshake)) => handshake.capabilities,
            (None, None) => ClientCapabilities::default(),
        };
        let capabilities = capabilities.with_task(run.task.is_some());
        self.calls.insert(Inflight::new(key, id, *revision, &run, level, capabilities, batched)?);
        let mut call = Call::new(key, *revision, &run, envelope.as_ref(), capabilities, log, batched);
        call.progress &= delivers;
        Ok(call)
    }

    pub(super) fn refuse<'m, C: Catalog, S: Sink + ?Sized>(
        &self,
        server: &Server<'_, C>,
        fault: &Fault<'_>,
        id: Option<jsonrpc::Id<'_>>,
        revision: Option<Revision>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let head = self.head(plan::refused(fault, revision));
        let write = |out: &mut S| Ok(fault.write(id, revision, server, true, out)?);
        if head.body == Body::Events { self.body(out, write) } else { write(out) }?;
        Ok(HttpStep::reply(head))
    }
}
