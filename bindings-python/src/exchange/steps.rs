//! What the head and the body of a request lead to.

use mcpgraft::http::{self, Head};
use mcpgraft::server;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::{Exchange, Pending, State};
use crate::call::{Call, Client};
use crate::error::{local, lock};
use crate::http_step::{HttpStep, note, saved};
use crate::listener::Listener;

impl Exchange {
    /// Whether the head of the request is refused; then `out` has the body of the answer.
    pub(super) fn gated(&self, out: &mut Vec<u8>) -> PyResult<Option<Head>> {
        let mut state = lock(&self.state)?;
        let refusal = self.shared.serve(|server| {
            let endpoint = self.shared.endpoint(self.streams, self.listens);
            self.request(|request| state.inner.gate(server, &endpoint, request, out))
        });
        refusal.map_err(local)
    }

    pub(super) fn accepted<'m>(
        &self,
        state: &mut State,
        body: &'m [u8],
        handshake: Option<&mut http::Handshake>,
        out: &mut Vec<u8>,
    ) -> PyResult<http::HttpStep<'m>> {
        let attached = match handshake {
            _ if self.shared.sessions() == http::Sessions::Off => http::Attached::Off,
            Some(handshake) => http::Attached::Known(handshake),
            None if self.session_id().is_some() => http::Attached::Unknown,
            None => http::Attached::Missing,
        };
        let made = self
            .shared
            .serve(|server| self.request(|request| state.inner.accept(server, request, attached, body, out)));
        made.map_err(local)
    }

    /// What a step comes to, and what of it is kept.
    pub(super) fn noted(
        &self,
        state: &mut State,
        body: &Bound<'_, PyBytes>,
        made: &http::HttpStep<'_>,
        mut handshake: Option<http::Handshake>,
        out: &[u8],
    ) -> PyResult<HttpStep> {
        if let http::HttpStep::Batch(at) = made {
            let (body, session) = (body.clone().unbind(), handshake.take());
            state.batch = Some(Pending { body, at: at.clone(), out: Vec::new(), session });
        }
        let mut step = self.step(body, state, made, out)?;
        if let Some(handshake) = handshake.filter(http::Handshake::changed) {
            step.session = Some(saved(body.py(), &handshake)?);
        }
        Ok(step)
    }

    pub(super) fn call(
        &self,
        message: &Bound<'_, PyBytes>,
        state: &mut State,
        call: &server::Call<'_>,
    ) -> PyResult<Call> {
        state.key = Some(call.key);
        let nobody = Client::default();
        self.shared.with_catalog(|catalog| Call::new(message, call, catalog, &nobody, self.state.clone()))
    }

    pub(super) fn step(
        &self,
        message: &Bound<'_, PyBytes>,
        state: &mut State,
        made: &http::HttpStep<'_>,
        out: &[u8],
    ) -> PyResult<HttpStep> {
        let py = message.py();
        let mut step = HttpStep { ok: true, ..HttpStep::default() };
        let bytes = |raw: mcpgraft::json::Raw<'_>| PyBytes::new(py, raw.bytes()).unbind();
        match made {
            http::HttpStep::Reply { head, notice } => {
                step.reply = Some(self.head(py, head, out)?);
                if let Some(notice) = notice {
                    note(py, &mut step, notice);
                }
            }
            http::HttpStep::Notice(notice) => note(py, &mut step, notice),
            http::HttpStep::Opened { head, handshake, client_info, client_capabilities } => {
                step.reply = Some(self.head(py, head, out)?);
                step.event = Some("opened");
                step.client_info = Some(bytes(*client_info));
                step.client_capabilities = Some(bytes(*client_capabilities));
                step.session = Some(saved(py, handshake)?);
            }
            http::HttpStep::Ended { head } => {
                step.reply = Some(self.head(py, head, out)?);
                step.event = Some("ended");
            }
            http::HttpStep::Listen { head, listener } => {
                step.reply = Some(self.head(py, head, out)?);
                step.event = Some("listening");
                step.listener = Some(Py::new(py, Listener::new(&self.shared, listener.clone()))?);
            }
            http::HttpStep::Resume { head, resume } => {
                step.reply = Some(self.head(py, head, out)?);
                step.event = Some("resuming");
                step.resume = Some((resume.stream.text().to_owned(), resume.after));
                state.resume = Some(resume.clone());
            }
            http::HttpStep::Call(call) => step.call = Some(Py::new(py, self.call(message, state, call)?)?),
            http::HttpStep::Batch(_) => step.batch = true,
        }
        Ok(step)
    }
}
