//! From the body of a request to its answer, or to a call for the host.

use super::super::headers::name;
use super::super::mirror::HttpMirror;
use super::super::plan::{self, Head};
use super::super::{Request, gate};
use super::{Exchange, HttpStep, State};
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{self, Kind, Raw, Sink};
use crate::jsonrpc::{self, Message};
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
use crate::revision::methods::{Method, Notification};
use crate::server::call::{Batch, Call, Notice};
use crate::server::era::{self, Envelope};
use crate::server::inflight::Inflight;
use crate::server::mirror::Unmirrored;
use crate::server::out::in_batch;
use crate::server::profile::Channel;
use crate::server::request::{self, Plan};
use crate::server::{Fault, Server, lists};

/// What the head of a request says about its era.
#[derive(Clone, Copy, Debug)]
enum Named<'r> {
    Nothing,
    Served(Revision),
    Unknown(&'r str),
    Twice,
}

impl<'r> Named<'r> {
    /// What is wrong with the header by itself.
    fn fault(self) -> Option<Fault<'r>> {
        match self {
            Named::Nothing | Named::Served(_) => None,
            Named::Unknown(requested) => Some(Fault::VersionHeader { requested }),
            Named::Twice => Some(Fault::Header { header: name::VERSION, why: "stands more than once" }),
        }
    }
}

impl Exchange {
    pub(super) fn read<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: &Request<'_>,
        body: &'m [u8],
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let limit = server.limits.message_bytes;
        if body.len() > limit {
            return self.refuse(server, &Fault::TooLong { limit }, None, None, out);
        }
        let value = match json::check(body, server.limits.depth) {
            Ok(value) => value,
            Err(error) => return self.refuse(server, &Fault::Json(error), None, None, out),
        };
        let named = self.named(server, request);
        if value.kind() == Kind::Array {
            return self.array(server, value, named, out);
        }
        match jsonrpc::read(value) {
            Err((why, id)) => self.refuse(server, &Fault::Malformed(why), id, None, out),
            Ok(Message::Request(message)) => self.request(server, request, message, named, out),
            Ok(Message::Notification { method, params }) => {
                if let Some(fault) = named.fault() {
                    return self.refuse(server, &fault, None, None, out);
                }
                let notice = match Notification::of(method) {
                    // Ids are not unique among the clients of an endpoint: what is cancelled cannot be known.
                    Some(_) => None,
                    None => Some(Notice::Notification { method, params }),
                };
                Ok(HttpStep::Reply { head: Head::ACCEPTED, notice })
            }
            Ok(Message::Response { id, outcome }) => {
                if let Named::Served(revision) = named
                    && revision.is_stateless()
                {
                    return self.refuse(server, &Fault::NoResponse, id, Some(revision), out);
                }
                if let Some(fault) = named.fault() {
                    return self.refuse(server, &fault, None, None, out);
                }
                let notice = Some(Notice::Response { id, outcome });
                Ok(HttpStep::Reply { head: Head::ACCEPTED, notice })
            }
        }
    }

    fn named<'r, C>(&self, server: &Server<'_, C>, request: &Request<'r>) -> Named<'r> {
        match request.headers.text(name::VERSION) {
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

    fn request<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        head: &Request<'_>,
        request: jsonrpc::Request<'m>,
        named: Named<'_>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let id = Some(request.id);
        let served = server.profile.revisions;
        if !self.accept.json && !self.accept.sse {
            let message = "the header Accept must allow application/json or text/event-stream";
            return Ok(HttpStep::reply(gate::refuse(406, format_args!("{message}"), out)?));
        }
        let header_is_stateless = matches!(named, Named::Served(revision) if revision.is_stateless());
        let claimed = era::claim(request.params, served).version;
        if claimed || header_is_stateless {
            let mirror = HttpMirror(head.headers);
            return match era::open(&request, served, &mirror) {
                Err(fault) => self.refuse(server, &fault, id, Some(Revision::NEWEST), out),
                Ok(envelope) => {
                    let revision = envelope.revision;
                    match request::plan(server, &request, revision, Channel::Exchange, &mirror) {
                        Err(fault) => self.refuse(server, &fault, id, Some(revision), out),
                        Ok(plan) => self.carry_out(server, request, revision, Some(envelope), plan, out),
                    }
                }
            };
        }
        if request.method == *Method::Initialize.row().name {
            // Its own parameters name the version; a header that says otherwise is a client's habit.
            return match era::opening(&request, served) {
                Err(fault) => self.refuse(server, &fault, id, None, out),
                Ok(opening) => {
                    self.body(out, |out| {
                        let revision = opening.revision;
                        Ok(lists::initialize(server, request.id, revision, Channel::Exchange, out)?)
                    })?;
                    Ok(HttpStep::Reply {
                        head: self.head(200),
                        notice: Some(Notice::Opened {
                            revision: opening.revision,
                            client_info: opening.client_info,
                            client_capabilities: opening.capabilities,
                        }),
                    })
                }
            };
        }
        let revision = match self.assumed(server, named) {
            Ok(revision) => revision,
            Err(fault) => return self.refuse(server, &fault, id, None, out),
        };
        match request::plan(server, &request, revision, Channel::Exchange, &Unmirrored) {
            Err(fault) => self.refuse(server, &fault, id, Some(revision), out),
            Ok(plan) => self.carry_out(server, request, revision, None, plan, out),
        }
    }

    /// The revision of a message that belongs to no handshake and makes no claim of its own.
    fn assumed<'r, C: Catalog>(
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

    fn array<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        value: Raw<'m>,
        named: Named<'_>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let limit = server.limits.batch;
        if !self.accept.json {
            let message = "the header Accept must allow application/json for a batch";
            return Ok(HttpStep::reply(gate::refuse(406, format_args!("{message}"), out)?));
        }
        let served = server.profile.revisions;
        let claims = value.elements().any(|message| era::claim(message.get("params"), served).version);
        let revision = self.assumed(server, named);
        let fault = match revision {
            Err(fault) => fault,
            Ok(revision) if claims || !revision.row().batches => Fault::NoBatch,
            Ok(revision) => match request::batch(value, limit) {
                Some(fault) => fault,
                None => {
                    self.state = State::Batch(revision);
                    return Ok(HttpStep::Batch(Batch::default()));
                }
            },
        };
        self.refuse(server, &fault, None, None, out)
    }

    /// Takes the next message of a batch, with the body the batch came in and the output it began with. The last step is
    /// a reply.
    ///
    /// # Errors
    /// [`LocalError::BatchPending`] while the last call is unanswered; [`LocalError::Over`] without a batch;
    /// [`LocalError::OutputFull`].
    pub fn next<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        batch: &mut Batch,
        body: &'m [u8],
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let State::Batch(revision) = self.state else { return Err(LocalError::Over) };
        if batch.pending.is_some_and(|key| self.calls.get(key).is_some()) {
            return Err(LocalError::BatchPending);
        }
        batch.pending = None;
        loop {
            let Some(value) = batch.element(body) else {
                let head = if out.is_empty() {
                    Head::ACCEPTED
                } else {
                    out.put(b"]")?;
                    Head::json(200)
                };
                self.state = State::Over;
                return Ok(HttpStep::reply(head));
            };
            let call = in_batch(out, |out| self.element(server, value, revision, out))?;
            batch.at += 1;
            if let Some(call) = call {
                batch.pending = Some(call.key);
                return Ok(HttpStep::Call(call));
            }
        }
    }

    /// One message of a batch: answered in `out`, or a call.
    fn element<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        value: Raw<'m>,
        revision: Revision,
        out: &mut S,
    ) -> Result<Option<Call<'m>>, LocalError> {
        let served = server.profile.revisions;
        let request = match jsonrpc::read(value) {
            Err((why, id)) => {
                Fault::Malformed(why).write(id, Some(revision), served, out)?;
                return Ok(None);
            }
            Ok(Message::Request(request)) => request,
            Ok(_) => return Ok(None),
        };
        match request::plan(server, &request, revision, Channel::Exchange, &Unmirrored) {
            Err(fault) => fault.write(Some(request.id), Some(revision), served, out)?,
            Ok(Plan::Run(run)) => return self.start(server, request.id, revision, None, run, true).map(Some),
            Ok(plan) => lists::answer(server, request.id, revision, &plan, Channel::Exchange, out)?,
        }
        Ok(None)
    }

    fn carry_out<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        request: jsonrpc::Request<'m>,
        revision: Revision,
        envelope: Option<Envelope<'m>>,
        plan: Plan<'m>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        if let Plan::Run(run) = plan {
            let call = self.start(server, request.id, revision, envelope, run, false)?;
            self.state = State::Working;
            return Ok(HttpStep::Call(call));
        }
        self.body(out, |out| {
            Ok(lists::answer(server, request.id, revision, &plan, Channel::Exchange, out)?)
        })?;
        Ok(HttpStep::reply(self.head(200)))
    }

    fn start<'m, C>(
        &mut self,
        server: &Server<'_, C>,
        id: jsonrpc::Id<'m>,
        revision: Revision,
        envelope: Option<Envelope<'m>>,
        run: request::Run<'m>,
        batched: bool,
    ) -> Result<Call<'m>, LocalError> {
        let key = self.calls.next_key().ok_or(LocalError::Over)?;
        let own = envelope.and_then(|envelope| envelope.level);
        // Without a session nobody has set a level; what the server chooses applies.
        let level = if revision.is_stateless() { own } else { Some(Level::DEFAULT) };
        let delivers = self.can_stream() && !batched;
        let log = level.filter(|_| server.profile.logging && delivers);
        self.calls.insert(Inflight::new(key, id, revision, &run, level, batched));
        let capabilities = envelope.map_or(ClientCapabilities::default(), |envelope| envelope.capabilities);
        let mut call = Call::new(key, revision, &run, envelope.as_ref(), capabilities, log, batched);
        call.progress &= delivers;
        Ok(call)
    }

    fn refuse<'m, C, S: Sink + ?Sized>(
        &self,
        server: &Server<'_, C>,
        fault: &Fault<'_>,
        id: Option<jsonrpc::Id<'_>>,
        revision: Option<Revision>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        fault.write(id, revision, server.profile.revisions, out)?;
        Ok(HttpStep::reply(Head::json(plan::refused(fault, revision))))
    }
}
