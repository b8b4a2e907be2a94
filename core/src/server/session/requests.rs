//! Requests of a duplex channel: their era, and what they lead to.

use super::{Phase, Session};
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{Raw, Sink};
use crate::jsonrpc::{Id, Request, Token};
use crate::revision::methods::{Feature, Method};
use crate::revision::{Era, Revision};
use crate::server::Server;
use crate::server::answer;
use crate::server::call::{Call, Notice, Step};
use crate::server::era::{self, Envelope};
use crate::server::fault::Fault;
use crate::server::incoming::Incoming;
use crate::server::inflight::Inflight;
use crate::server::listen::Listener;
use crate::server::lists;
use crate::server::mirror::Unmirrored;
use crate::server::out::whole;
use crate::server::params::Params;
use crate::server::profile::Channel;
use crate::server::request::{self, Plan, Run};
use core::borrow::Borrow;

impl<const CALLS: usize, const SUBS: usize> Session<CALLS, SUBS> {
    pub(super) fn request<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        incoming: &Incoming<'m>,
        request: Request<'m>,
        batched: bool,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let id = request.id;
        let params = incoming.params(&request);
        let params: &Params<'m> = params.borrow();
        // The message decides its era; nothing a channel has seen before changes that.
        let claim = params.claim(server.profile.revisions);
        let initialize = request.method == *Method::Initialize.row().name;
        let envelope = if claim.version {
            match era::open(&request, params, server, &Unmirrored) {
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
                    Method::of(request.method).is_some_and(|row| row.span.since.is_stateless());
                let fault = if claim.other || stateless_only || !handshakes {
                    era::no_version()
                } else {
                    Fault::NotInitialized
                };
                return self.refuse(server, fault, Some(id), out);
            }
        };
        if self.calls.find(id).is_some() || self.listener(server, id).is_some() {
            return self.refuse_as(server, Fault::DuplicateId, Some(id), Some(revision), out);
        }
        let capabilities = envelope.as_ref().map_or(self.capabilities, |envelope| envelope.capabilities);
        let channel = Channel::DUPLEX;
        let plan = match request::plan(server, &request, params, revision, capabilities, channel, &Unmirrored)
        {
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
        // Where this is constant, what it refuses is not linked; no plan is made of it either.
        let can = |feature| server.catalog.can(feature);
        let step = match plan {
            Plan::Listen { filter } if can(Feature::Listen) => {
                return self.listen(server, id, revision, filter, out);
            }
            Plan::Run(run) => return self.run(server, id, revision, envelope, run, batched, out),
            Plan::Subscribe(uri) if can(Feature::Subscribe) => {
                let hash = uri.hash64();
                let limit = server.limits.subscriptions.min(SUBS);
                if !self.watched.contains(&hash) && self.watched.len() >= limit {
                    let fault = Fault::TooManySubscriptions { limit };
                    return self.refuse_as(server, fault, Some(id), Some(revision), out);
                }
                Step::Notice(Notice::Subscribed(uri))
            }
            Plan::Unsubscribe(uri) if can(Feature::Subscribe) => Step::Notice(Notice::Unsubscribed(uri)),
            Plan::Level(level) if can(Feature::Logging) => Step::Notice(Notice::Level(level)),
            _ => Step::Send,
        };
        whole(out, |out| Ok(lists::answer(server, id, revision, &plan, Channel::DUPLEX, out)?))?;
        // Only now that the answer is written does anything change.
        match plan {
            Plan::Level(level) if can(Feature::Logging) => self.level = level,
            Plan::Subscribe(uri) if can(Feature::Subscribe) && !self.watched.contains(&uri.hash64()) => {
                let _ = self.watched.push(uri.hash64());
            }
            Plan::Unsubscribe(uri) if can(Feature::Subscribe) => {
                self.watched.retain(|hash| *hash != uri.hash64());
            }
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
        let capabilities = envelope.map_or(self.capabilities, |envelope| envelope.capabilities);
        let capabilities = capabilities.with_task(run.task.is_some());
        self.calls.insert(Inflight::new(key, id, revision, &run, own, capabilities, batched)?);
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
        whole(out, |out| Ok(lists::initialize(server, id, revision, Channel::DUPLEX, out)?))?;
        self.phase = Phase::Opening(revision);
        self.capabilities = server.client(opening.capabilities, revision);
        Ok(Step::Notice(Notice::Opened {
            revision,
            client_info: opening.client_info,
            client_capabilities: opening.capabilities,
        }))
    }

    fn listen<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        id: Id<'m>,
        revision: Revision,
        filter: Raw<'m>,
        out: &mut S,
    ) -> Result<Step<'m>, LocalError> {
        let limit = server.limits.subscriptions;
        let listener = match Listener::new(Token::keep(id)?, revision, filter, &server.profile, limit) {
            Ok(listener) if !self.listeners.is_full() => listener,
            Ok(_) => {
                let fault = Fault::TooManySubscriptions { limit: self.listeners.capacity() };
                return self.refuse_as(server, fault, Some(id), Some(revision), out);
            }
            Err(fault) => return self.refuse_as(server, fault, Some(id), Some(revision), out),
        };
        whole(out, |out| Ok(listener.acknowledge(filter, &server.profile, out)?))?;
        let _ = self.listeners.push(listener);
        Ok(Step::Notice(Notice::Listening { filter }))
    }
}
