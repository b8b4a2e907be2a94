//! JSON-RPC batches over HTTP (`2025-03-26`): an array in, its messages one by one, an array of answers out.

use super::super::plan::Head;
use super::super::{Attached, Handshake, gate};
use super::read::{Asker, Named, cancelled};
use super::{Exchange, HttpStep, State};
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{Raw, Sink};
use crate::jsonrpc::{self, Message};
use crate::model::ClientCapabilities;
use crate::revision::Revision;
use crate::revision::methods::Notification;
use crate::server::call::{Batch, Notice};
use crate::server::era;
use crate::server::mirror::Unmirrored;
use crate::server::out::{in_batch, whole};
use crate::server::params::Params;
use crate::server::request::{self, Plan};
use crate::server::{Fault, Server, lists};

impl Exchange {
    pub(super) fn array<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        value: Raw<'m>,
        named: Named<'_>,
        attached: Attached<'_>,
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let limit = server.limits.batch;
        if !self.accept.json {
            let message = "the header Accept must allow application/json for a batch";
            return Ok(HttpStep::reply(gate::refuse(406, format_args!("{message}"), out)?));
        }
        let served = server.profile.revisions;
        let claims = value.elements().any(|message| era::claim(message.get("params"), served).version);
        let revision = match (self.assumed(server, named), self.resident(attached, named.is_stateless())) {
            (Err(fault), _) | (_, Err(fault)) => Err(fault),
            (Ok(_), Ok(Some(handshake))) => Ok(handshake.revision),
            (Ok(revision), Ok(None)) => Ok(revision),
        };
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

    /// Takes the next message of a batch, with the body the batch came in and the output it began with, and the session the
    /// batch was accepted in ([`Attached::Known`]), if any. The last step is a reply.
    ///
    /// # Errors
    /// [`LocalError::BatchPending`] while the last call is unanswered; [`LocalError::Over`] without a batch;
    /// [`LocalError::OutputFull`].
    pub fn next<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        mut session: Option<&mut Handshake>,
        batch: &mut Batch,
        body: &'m [u8],
        out: &mut S,
    ) -> Result<HttpStep<'m>, LocalError> {
        let State::Batch(revision) = self.state else { return Err(LocalError::Over) };
        if batch.pending.is_some_and(|key| self.calls.get(key).is_some()) {
            return Err(LocalError::BatchPending);
        }
        // Several messages may be answered in one step: without room for all of them, none is.
        let mut ahead = Batch { at: batch.at, pending: None };
        let step = whole(out, |out| {
            loop {
                let Some(value) = ahead.element(body) else {
                    let head = if out.is_empty() {
                        Head::ACCEPTED
                    } else {
                        out.put(b"]")?;
                        Head::json(200)
                    };
                    self.state = State::Over;
                    return Ok(HttpStep::reply(head));
                };
                let made = in_batch(out, |out| match ahead.repeated(body, value) {
                    Some(id) => {
                        Fault::DuplicateId.write(Some(id), Some(revision), server, true, out)?;
                        Ok(None)
                    }
                    None => self.element(server, session.as_deref_mut(), value, revision, out),
                })?;
                ahead.at += 1;
                if let Some(HttpStep::Call(call)) = &made {
                    ahead.pending = Some(call.key);
                }
                if let Some(made) = made {
                    return Ok(made);
                }
            }
        })?;
        *batch = ahead;
        Ok(step)
    }

    /// One message of a batch: answered in `out`, a call, or something for the host to know.
    fn element<'m, C: Catalog, S: Sink + ?Sized>(
        &mut self,
        server: &Server<'_, C>,
        session: Option<&mut Handshake>,
        value: Raw<'m>,
        revision: Revision,
        out: &mut S,
    ) -> Result<Option<HttpStep<'m>>, LocalError> {
        let request = match jsonrpc::read(value) {
            Err((why, id)) => {
                Fault::Malformed(why).write(id, Some(revision), server, true, out)?;
                return Ok(None);
            }
            Ok(Message::Request(request)) => request,
            // Only where a session is kept there is somebody whose question it can be, or whose request.
            Ok(_) if !self.in_session => return Ok(None),
            Ok(Message::Response { id, outcome }) => {
                return Ok(Some(HttpStep::Notice(Notice::Response { id, outcome })));
            }
            Ok(Message::Notification { method, params }) => {
                let notice = match Notification::of(method) {
                    Some(Notification::Cancelled) => cancelled(params),
                    Some(Notification::RootsListChanged) => Some(Notice::RootsChanged),
                    Some(_) => None,
                    None => Some(Notice::Notification { method, params }),
                };
                return Ok(notice.map(HttpStep::Notice));
            }
        };
        let channel = self.channel();
        match request::plan(
            server,
            &request,
            &Params::read(request.params),
            revision,
            ClientCapabilities::default(),
            channel,
            &Unmirrored,
        ) {
            Err(fault) => fault.write(Some(request.id), Some(revision), server, true, out)?,
            Ok(Plan::Run(run)) => {
                let asker = Asker { revision, envelope: None, session };
                return self
                    .start(server, request.id, &asker, run, true)
                    .map(|call| Some(HttpStep::Call(call)));
            }
            Ok(plan) => {
                let remembered = session.map(|session| session.remember(&plan, server.limits.subscriptions));
                let notice = match remembered.transpose() {
                    Ok(notice) => notice.flatten(),
                    Err(fault) => {
                        fault.write(Some(request.id), Some(revision), server, true, out)?;
                        return Ok(None);
                    }
                };
                lists::answer(server, request.id, revision, &plan, channel, out)?;
                return Ok(notice.map(HttpStep::Notice));
            }
        }
        Ok(None)
    }
}
