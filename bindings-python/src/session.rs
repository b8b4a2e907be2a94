//! One duplex channel.

use std::sync::{Arc, Mutex};

use mcpgraft::catalog::Kind;
use mcpgraft::server::{self, AskKey, CallKey, Log, Notice, Progress};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::ask::{self, OwnedAsk, Reason};
use crate::call::{self, Call, Client, Owner};
use crate::error::{json, local, lock, text};
use crate::shared::Shared;
use crate::task::Task;

/// Room for what an answer has around its result, as a rule.
pub(crate) const ENVELOPE: usize = 512;
/// Room that is kept from answer to answer in any case.
const KEPT: usize = 16 << 10;

/// Room for what the limits can allow: calls in work, and watched resources.
type Inner = server::Session<256, 1024>;

pub(crate) struct State {
    inner: Box<Inner>,
    client: Client,
    /// Answers of a batch in work, until they leave as one array.
    batch: Vec<u8>,
    /// Where messages are written, one after the other.
    out: Vec<u8>,
}

impl Owner for State {
    fn is_cancelled(&self, key: CallKey) -> bool {
        self.inner.is_cancelled(key)
    }
}

/// The server's side of one duplex channel.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Session {
    shared: Arc<Shared>,
    state: Arc<Mutex<State>>,
}

/// What a message led to.
#[pyclass(frozen, get_all, module = "mcpgraft._native")]
pub(crate) struct Step {
    send: Option<Py<PyBytes>>,
    event: &'static str,
    call: Option<Py<Call>>,
    batch: Option<Py<Batch>>,
    key: Option<u64>,
    method: Option<String>,
    params: Option<Py<PyBytes>>,
    text: Option<String>,
    ask: Option<u32>,
    ok: bool,
    left: usize,
}

impl Step {
    fn new(send: Option<Py<PyBytes>>, event: &'static str) -> Self {
        Step {
            send,
            event,
            call: None,
            batch: None,
            key: None,
            method: None,
            params: None,
            text: None,
            ask: None,
            ok: true,
            left: 0,
        }
    }
}

/// The messages of a batch, one by one.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Batch {
    shared: Arc<Shared>,
    state: Arc<Mutex<State>>,
    message: Py<PyBytes>,
    at: Mutex<server::Batch>,
}

fn taken(py: Python<'_>, out: &[u8]) -> Option<Py<PyBytes>> {
    (!out.is_empty()).then(|| PyBytes::new(py, out).unbind())
}

impl Session {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let state = State {
            inner: Box::new(Inner::new(shared.tag())),
            client: Client::default(),
            batch: Vec::new(),
            out: Vec::new(),
        };
        Session { shared, state: Arc::new(Mutex::new(state)) }
    }

    fn notification<'py>(
        &self,
        py: Python<'py>,
        write: impl FnOnce(&mut Inner, &mut Vec<u8>) -> Result<(), mcpgraft::LocalError>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut out = Vec::new();
        write(&mut lock(&self.state)?.inner, &mut out).map_err(local)?;
        Ok((!out.is_empty()).then(|| PyBytes::new(py, &out)))
    }
}

/// A list as Python names it.
pub(crate) fn list_kind(name: &str) -> PyResult<Kind> {
    match name {
        "tools" => Ok(Kind::Tool),
        "resources" => Ok(Kind::Resource),
        "prompts" => Ok(Kind::Prompt),
        _ => Err(PyValueError::new_err("kind must be \"tools\", \"resources\" or \"prompts\"")),
    }
}

/// Turns a core step into a Python one.
fn step(
    py: Python<'_>,
    shared: &Arc<Shared>,
    owner: &Arc<Mutex<State>>,
    state: &mut State,
    message: &Bound<'_, PyBytes>,
    made: &server::Step<'_>,
    send: Option<Py<PyBytes>>,
) -> PyResult<Step> {
    let bytes = |raw: mcpgraft::json::Raw<'_>| PyBytes::new(py, raw.bytes()).unbind();
    Ok(match made {
        server::Step::Send => Step::new(send, "done"),
        server::Step::Nothing => Step::new(send, "ignored"),
        server::Step::Call(call) => {
            let call = shared
                .with_catalog(|catalog| Call::new(message, call, catalog, &state.client, owner.clone()))?;
            Step { call: Some(Py::new(py, call)?), ..Step::new(send, "call") }
        }
        server::Step::Batch(batch) => {
            state.batch.clear();
            let batch = Batch {
                shared: shared.clone(),
                state: owner.clone(),
                message: message.clone().unbind(),
                at: Mutex::new(batch.clone()),
            };
            Step { batch: Some(Py::new(py, batch)?), ..Step::new(send, "batch") }
        }
        server::Step::Notice(notice) => match *notice {
            Notice::Opened { revision, client_info, client_capabilities } => {
                state.client =
                    Client { info: Some(bytes(client_info)), capabilities: Some(bytes(client_capabilities)) };
                Step { text: Some(revision.name().to_owned()), ..Step::new(send, "opened") }
            }
            Notice::Ready => Step::new(send, "ready"),
            Notice::Cancelled { key, reason } => Step {
                key: Some(key.to_bits()),
                text: reason.map(|reason| reason.to_cow().into_owned()),
                ..Step::new(send, "cancelled")
            },
            Notice::Level(level) => Step { text: Some(level.name().to_owned()), ..Step::new(send, "level") },
            Notice::Subscribed(uri) => {
                Step { text: Some(uri.to_cow().into_owned()), ..Step::new(send, "subscribed") }
            }
            Notice::Unsubscribed(uri) => {
                Step { text: Some(uri.to_cow().into_owned()), ..Step::new(send, "unsubscribed") }
            }
            Notice::RootsChanged => Step::new(send, "roots_changed"),
            Notice::Listening { filter } => {
                Step { params: Some(bytes(filter)), ..Step::new(send, "listening") }
            }
            Notice::Answer { key, ask, outcome, left } => Step {
                key: Some(key.to_bits()),
                ask: Some(ask.to_bits()),
                ok: outcome.is_ok(),
                params: Some(bytes(outcome.unwrap_or_else(|error| error))),
                left,
                ..Step::new(send, "answer")
            },
            Notice::Response { id, outcome } => Step {
                text: id.map(|id| id.text().to_owned()),
                ok: outcome.is_ok(),
                params: Some(bytes(outcome.unwrap_or_else(|error| error))),
                ..Step::new(send, "response")
            },
            // Only HTTP has requests of their own for that.
            Notice::CancelledElsewhere { .. } => Step::new(send, "ignored"),
            Notice::Notification { method, params } => Step {
                method: Some(method.to_cow().into_owned()),
                params: params.map(bytes),
                ..Step::new(send, "notification")
            },
        },
    })
}

#[pymethods]
impl Session {
    fn accept(&self, py: Python<'_>, message: &Bound<'_, PyBytes>) -> PyResult<Step> {
        let mut state = lock(&self.state)?;
        let State { inner, out, .. } = &mut *state;
        out.clear();
        let made =
            self.shared.serve(|server| inner.accept(server, message.as_bytes(), out)).map_err(local)?;
        let send = taken(py, out);
        step(py, &self.shared, &self.state, &mut state, message, &made, send)
    }

    fn too_long<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.notification(py, |inner, out| self.shared.serve(|server| inner.too_long(server, out)))
    }

    fn reply<'py>(&self, py: Python<'py>, key: u64, result: &[u8]) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let result = text("result", result)?;
        self.answer(py, key, result.len() + ENVELOPE, |state, key, out| {
            self.shared.serve(|server| state.reply(server, key, result, out))
        })
    }

    /// Answers a tool call with a text.
    fn reply_text<'py>(
        &self,
        py: Python<'py>,
        key: u64,
        text: &str,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let answer = server::Text { pieces: &[text], ..server::Text::default() };
        self.answer(py, key, text.len() + ENVELOPE, |state, key, out| {
            self.shared.serve(|server| state.reply_text(server, key, &answer, out))
        })
    }

    #[pyo3(signature = (key, failure, message, *, code=None, data=None))]
    fn fail<'py>(
        &self,
        py: Python<'py>,
        key: u64,
        failure: &str,
        message: &str,
        code: Option<i32>,
        data: Option<&[u8]>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let data = data.map(|data| json("data", data)).transpose()?;
        let failure = call::failure(failure, message, code, data)?;
        self.answer(py, key, ENVELOPE, |state, key, out| {
            self.shared.serve(|server| state.fail(server, key, &failure, out))
        })
    }

    #[pyo3(signature = (key, progress, total=None, message=None))]
    fn progress<'py>(
        &self,
        py: Python<'py>,
        key: u64,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let progress = Progress { progress, total, message };
        self.notification(py, |inner, out| {
            inner.progress(CallKey::from_bits(key), &progress, out).map(|_| ())
        })
    }

    #[pyo3(signature = (key, level, data, logger=None))]
    fn log<'py>(
        &self,
        py: Python<'py>,
        key: Option<u64>,
        level: &str,
        data: &[u8],
        logger: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let log = Log { level: call::level(level)?, logger, data: json("data", data)? };
        self.notification(py, |inner, out| {
            self.shared.serve(|server| inner.log(server, key.map(CallKey::from_bits), &log, out)).map(|_| ())
        })
    }

    fn list_changed<'py>(&self, py: Python<'py>, kind: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let kind = list_kind(kind)?;
        self.notification(py, |inner, out| {
            self.shared.serve(|server| inner.list_changed(server, kind, out)).map(|_| ())
        })
    }

    fn resource_updated<'py>(&self, py: Python<'py>, uri: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.notification(py, |inner, out| inner.resource_updated(uri, out).map(|_| ()))
    }

    #[pyo3(signature = (task, principal=None))]
    fn task_changed<'py>(
        &self,
        py: Python<'py>,
        task: &Task,
        principal: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.notification(py, |inner, out| {
            // A value that is no task is nobody's: it cannot come from here.
            task.view(|task| inner.task_changed(&task, principal, out).map(|_| ())).unwrap_or(Ok(()))
        })
    }

    #[pyo3(signature = (task, progress, total=None, message=None))]
    fn task_progress<'py>(
        &self,
        py: Python<'py>,
        task: &Task,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let progress = Progress { progress, total, message };
        self.notification(py, |inner, out| {
            task.view(|task| inner.task_progress(&task, &progress, out).map(|_| ())).unwrap_or(Ok(()))
        })
    }

    #[pyo3(signature = (method, params=None))]
    fn notify<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        params: Option<&[u8]>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let params = params.map(|params| json("params", params)).transpose()?;
        self.notification(py, |inner, out| inner.notify(method, params, out))
    }

    fn can_ask(&self, py: Python<'_>, key: u64, ask: &Bound<'_, PyTuple>) -> PyResult<Reason> {
        let ask = OwnedAsk::read(ask)?;
        let state = lock(&self.state)?;
        let verdict = state.inner.can_ask(CallKey::from_bits(key), &ask.borrow()).map_err(local)?;
        Ok(ask::reason(py, verdict))
    }

    /// `(bytes to write, key of the question)`
    fn ask<'py>(
        &self,
        py: Python<'py>,
        key: u64,
        ask: &Bound<'_, PyTuple>,
    ) -> PyResult<(Bound<'py, PyBytes>, u32)> {
        let ask = OwnedAsk::read(ask)?;
        let mut out = Vec::new();
        let asked =
            lock(&self.state)?.inner.ask(CallKey::from_bits(key), &ask.borrow(), &mut out).map_err(local)?;
        Ok((PyBytes::new(py, &out), asked.to_bits()))
    }

    fn give_up<'py>(&self, py: Python<'py>, ask: u32) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.notification(py, |inner, out| inner.give_up(AskKey::from_bits(ask), out).map(|_| ()))
    }

    #[pyo3(signature = (key, asks, state=None))]
    fn require_input<'py>(
        &self,
        py: Python<'py>,
        key: u64,
        asks: Vec<(String, Bound<'_, PyTuple>)>,
        state: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let asks = ask::read_all(asks)?;
        self.answer(py, key, ENVELOPE, |inner, key, out| {
            let asks = ask::borrow_all(&asks);
            self.shared.serve(|server| inner.require_input(server, key, &asks, state, out))
        })
    }

    fn elicitation_complete<'py>(&self, py: Python<'py>, id: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.notification(py, |inner, out| inner.elicitation_complete(id, out).map(|_| ()))
    }

    fn end_listening<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.notification(py, |inner, out| self.shared.serve(|server| inner.end_listening(server, out)))
    }

    /// The peer is gone: takes back all calls in work.
    fn abandon(&self) -> PyResult<()> {
        lock(&self.state)?.inner.abandon();
        Ok(())
    }

    fn is_cancelled(&self, key: u64) -> PyResult<bool> {
        Ok(lock(&self.state)?.inner.is_cancelled(CallKey::from_bits(key)))
    }

    #[getter]
    fn in_flight(&self) -> PyResult<usize> {
        Ok(lock(&self.state)?.inner.in_flight())
    }

    #[getter]
    fn revision(&self) -> PyResult<Option<&'static str>> {
        Ok(lock(&self.state)?.inner.revision().map(mcpgraft::Revision::name))
    }

    #[getter]
    fn client_info<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(lock(&self.state)?.client.info.as_ref().map(|info| info.bind(py).clone()))
    }

    #[getter]
    fn client_capabilities<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        Ok(lock(&self.state)?.client.capabilities.as_ref().map(|declared| declared.bind(py).clone()))
    }
}

impl Session {
    fn answer<'py>(
        &self,
        py: Python<'py>,
        key: u64,
        room: usize,
        write: impl FnOnce(&mut Inner, CallKey, &mut Vec<u8>) -> Result<bool, mcpgraft::LocalError>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let key = CallKey::from_bits(key);
        let mut state = lock(&self.state)?;
        let State { inner, batch, out, .. } = &mut *state;
        if inner.is_batched(key) {
            write(inner, key, batch).map_err(local)?;
            return Ok(None);
        }
        out.clear();
        // What one long answer took stays as long as others come that are nearly as long.
        if room < out.capacity() / 8 {
            out.shrink_to(KEPT);
        }
        out.reserve(room);
        write(inner, key, out).map_err(local)?;
        Ok((!out.is_empty()).then(|| PyBytes::new(py, out)))
    }
}

#[pymethods]
impl Batch {
    fn next(&self, py: Python<'_>) -> PyResult<Option<Step>> {
        let message = self.message.bind(py);
        let mut state = lock(&self.state)?;
        let mut at = lock(&self.at)?;
        let State { inner, batch, .. } = &mut *state;
        let made = self
            .shared
            .serve(|server| inner.next(server, &mut at, message.as_bytes(), batch))
            .map_err(local)?;
        match made {
            Some(made) => step(py, &self.shared, &self.state, &mut state, message, &made, None).map(Some),
            None if batch.is_empty() => Ok(None),
            None => {
                let send = taken(py, batch);
                batch.clear();
                Ok(Some(Step::new(send, "done")))
            }
        }
    }
}
