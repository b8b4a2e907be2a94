//! One HTTP request and its response.

mod steps;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use mcpgraft::http::events::{Event, StreamName};
use mcpgraft::http::{self, Head, cors};
use mcpgraft::server::{self, CallKey, Log, Progress};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::ask::{self, OwnedAsk, Reason};
use crate::call::{self, Owner};
use crate::error::{json, local, lock, text};
use crate::headers::HeaderText;
use crate::http_step::{Emit, HttpStep, Reply, saved};
use crate::listener::Listener;
use crate::session::ENVELOPE;
use crate::shared::{Shared, headers};
use crate::task::Task;

struct State {
    inner: http::Exchange,
    /// The call in work.
    key: Option<CallKey>,
    batch: Option<Pending>,
    /// What a resuming client asked for.
    resume: Option<http::events::Resume>,
}

/// A batch in work: its message, how far it is, the answers so far, and the session it belongs to.
struct Pending {
    body: Py<PyBytes>,
    at: server::Batch,
    out: Vec<u8>,
    session: Option<http::Handshake>,
}

impl Owner for State {
    fn is_cancelled(&self, key: CallKey) -> bool {
        self.inner.is_cancelled(key)
    }
}

/// The server's side of one HTTP request.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Exchange {
    shared: Arc<Shared>,
    method: String,
    headers: HeaderText,
    peer_is_loopback: Option<bool>,
    streams: bool,
    listens: bool,
    state: Arc<Mutex<State>>,
}

impl Exchange {
    pub(crate) fn new(
        shared: Arc<Shared>,
        method: String,
        headers: HeaderText,
        peer: Option<&str>,
        streams: bool,
        listens: bool,
        events: Option<StreamName>,
    ) -> Self {
        let peer_is_loopback =
            peer.and_then(|peer| peer.parse::<IpAddr>().ok()).map(|peer| peer.to_canonical().is_loopback());
        let mut inner = http::Exchange::new(shared.tag());
        if let Some(stream) = events {
            inner = inner.with_events(stream);
        }
        let state = Arc::new(Mutex::new(State { inner, key: None, batch: None, resume: None }));
        Exchange { shared, method, headers, peer_is_loopback, streams, listens, state }
    }

    /// The exchange of a request whose head is let in, or the answer to one that is refused.
    pub(crate) fn entered(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let mut out = Vec::new();
        match self.gated(&mut out)? {
            None => Ok(Bound::new(py, self)?.into_any()),
            Some(head) => Ok(self.head(py, &head, &out)?.into_bound(py).into_any()),
        }
    }

    fn request<R>(&self, with: impl FnOnce(&http::Request<'_>) -> R) -> R {
        let borrowed = self.headers.borrow();
        with(&http::Request {
            method: &self.method,
            headers: headers(&borrowed),
            peer_is_loopback: self.peer_is_loopback,
        })
    }

    fn resumed<R>(&self, with: impl FnOnce(&http::events::Resume) -> R) -> PyResult<R> {
        let state = lock(&self.state)?;
        state.resume.as_ref().map(with).ok_or_else(|| local(mcpgraft::LocalError::Over))
    }

    /// Adds what browsers need to see the response.
    fn cors(&self, all: &mut Vec<(String, String)>) {
        let guard = self.shared.endpoint(self.streams, self.listens).guard;
        if guard.allowed_origins.is_empty() {
            return;
        }
        self.request(|request| {
            cors::headers(&guard, request, |name, value| {
                all.push((name.to_owned(), value.to_owned()));
            });
        });
    }

    fn head(&self, py: Python<'_>, head: &Head, body: &[u8]) -> PyResult<Py<Reply>> {
        self.reply_with(py, head, PyBytes::new(py, body).unbind())
    }

    fn reply_with(&self, py: Python<'_>, head: &Head, body: Py<PyBytes>) -> PyResult<Py<Reply>> {
        let mut more = Vec::new();
        self.cors(&mut more);
        Py::new(py, Reply { status: head.status, head: Some(*head), more, body })
    }

    fn emit(&self, py: Python<'_>, emit: http::Emit, event: Option<Event>, out: &[u8]) -> PyResult<Emit> {
        let event = event.filter(|_| matches!(emit, http::Emit::Events { .. }));
        let event = event.map(|event| {
            let kept = out.get(event.start..).unwrap_or_default();
            (event.number, PyBytes::new(py, kept).unbind())
        });
        let (head, end) = match emit {
            http::Emit::Whole(head) => (Some(head), true),
            http::Emit::Events { start, end } => (start, end),
            http::Emit::Held => (None, false),
            http::Emit::Nothing => (None, true),
        };
        let body = PyBytes::new(py, out).unbind();
        let complete = matches!(emit, http::Emit::Whole(_));
        let first = if complete { body.clone_ref(py) } else { PyBytes::new(py, b"").unbind() };
        let first = head.map(|head| self.reply_with(py, &head, first)).transpose()?;
        Ok(Emit { first, complete, body, end, event })
    }

    fn write(
        &self,
        py: Python<'_>,
        key: u64,
        room: usize,
        write: impl FnOnce(&mut http::Exchange, CallKey, &mut Vec<u8>) -> Result<http::Emit, mcpgraft::LocalError>,
    ) -> PyResult<Emit> {
        let key = CallKey::from_bits(key);
        let mut state = lock(&self.state)?;
        let State { inner, batch, .. } = &mut *state;
        let mut own = Vec::with_capacity(if batch.is_none() { room } else { 0 });
        let out = batch.as_mut().map_or(&mut own, |batch| &mut batch.out);
        let emit = write(inner, key, out).map_err(local)?;
        let event = inner.event();
        state.key = None;
        self.emit(py, emit, event, &own)
    }

    /// The whole response of a call, if that is what is written.
    fn whole(
        &self,
        py: Python<'_>,
        room: usize,
        write: impl FnOnce(&mut http::Exchange, &mut Vec<u8>) -> Result<http::Emit, mcpgraft::LocalError>,
    ) -> PyResult<Option<Py<Reply>>> {
        let mut out = Vec::with_capacity(room);
        let mut state = lock(&self.state)?;
        let emit = write(&mut state.inner, &mut out).map_err(local)?;
        state.key = None;
        match emit {
            http::Emit::Whole(head) => self.head(py, &head, &out).map(Some),
            _ => Ok(None),
        }
    }

    fn notification(
        &self,
        py: Python<'_>,
        write: impl FnOnce(&mut http::Exchange, &mut Vec<u8>) -> Result<http::Emit, mcpgraft::LocalError>,
    ) -> PyResult<Option<Emit>> {
        let mut out = Vec::new();
        let mut state = lock(&self.state)?;
        match write(&mut state.inner, &mut out).map_err(local)? {
            http::Emit::Nothing | http::Emit::Held => Ok(None),
            emit => self.emit(py, emit, state.inner.event(), &out).map(Some),
        }
    }
}

#[pymethods]
impl Exchange {
    fn gate(&self, py: Python<'_>) -> PyResult<Option<Py<Reply>>> {
        let mut out = Vec::new();
        self.gated(&mut out)?.map(|head| self.head(py, &head, &out)).transpose()
    }

    #[getter]
    fn max_body(&self) -> usize {
        self.shared.limits().message_bytes
    }

    #[getter]
    fn can_stream(&self) -> PyResult<bool> {
        Ok(lock(&self.state)?.inner.can_stream())
    }

    #[getter]
    fn dropped(&self) -> PyResult<u32> {
        Ok(lock(&self.state)?.inner.dropped())
    }

    /// The session the request names.
    #[getter]
    fn session_id(&self) -> Option<String> {
        self.request(|request| http::Exchange::session_id(request).map(str::to_owned))
    }

    #[pyo3(signature = (body, session=None))]
    fn accept(&self, body: &Bound<'_, PyBytes>, session: Option<&[u8]>) -> PyResult<HttpStep> {
        let mut handshake = session.and_then(http::Handshake::restore);
        let mut state = lock(&self.state)?;
        let mut out = Vec::new();
        let made = self.accepted(&mut state, body.as_bytes(), handshake.as_mut(), &mut out)?;
        self.noted(&mut state, body, &made, handshake, &out)
    }

    /// `accept` where no session is kept: the call if there is one that stands alone, the answer if that is all.
    fn take<'py>(&self, body: &Bound<'py, PyBytes>) -> PyResult<Bound<'py, PyAny>> {
        let py = body.py();
        let mut state = lock(&self.state)?;
        let mut out = Vec::new();
        let made = self.accepted(&mut state, body.as_bytes(), None, &mut out)?;
        Ok(match &made {
            http::HttpStep::Call(call) => {
                let call = self.call(body, &mut state, call)?;
                if call.is_plain() {
                    Bound::new(py, call)?.into_any()
                } else {
                    Bound::new(py, HttpStep::new(Py::new(py, call)?))?.into_any()
                }
            }
            http::HttpStep::Reply { head, .. } => self.head(py, head, &out)?.into_bound(py).into_any(),
            made => Bound::new(py, self.noted(&mut state, body, made, None, &out)?)?.into_any(),
        })
    }

    fn next(&self, py: Python<'_>) -> PyResult<HttpStep> {
        let mut state = lock(&self.state)?;
        let Some(mut pending) = state.batch.take() else { return Err(local(mcpgraft::LocalError::Over)) };
        let Pending { body, at, out, session } = &mut pending;
        let before = session.clone();
        let message = body.bind(py);
        let made = self
            .shared
            .serve(|server| state.inner.next(server, session.as_mut(), at, message.as_bytes(), out));
        let step = match made {
            Ok(made) => {
                let over = matches!(made, http::HttpStep::Reply { .. });
                let mut step = self.step(message, &mut state, &made, if over { out } else { &[] })?;
                if let Some(session) = session.as_ref().filter(|_| *session != before) {
                    step.session = Some(saved(py, session)?);
                }
                if over {
                    return Ok(step);
                }
                Ok(HttpStep { batch: true, ..step })
            }
            Err(error) => Err(local(error)),
        };
        state.batch = Some(pending);
        step
    }

    /// `reply` for a call of `take`, of which nothing was streamed: the whole response.
    fn answer(&self, py: Python<'_>, key: u64, result: &[u8]) -> PyResult<Option<Py<Reply>>> {
        let result = text("result", result)?;
        self.whole(py, result.len() + ENVELOPE, |inner, out| {
            self.shared.serve(|server| inner.reply(server, CallKey::from_bits(key), result, out))
        })
    }

    /// `answer` for a tool call, with a text.
    fn answer_text(&self, py: Python<'_>, key: u64, text: &str) -> PyResult<Option<Py<Reply>>> {
        let answer = server::Text { pieces: &[text], ..server::Text::default() };
        self.whole(py, text.len() + ENVELOPE, |inner, out| {
            self.shared.serve(|server| inner.reply_text(server, CallKey::from_bits(key), &answer, out))
        })
    }

    fn reply(&self, py: Python<'_>, key: u64, result: &[u8]) -> PyResult<Emit> {
        let result = text("result", result)?;
        self.write(py, key, result.len() + ENVELOPE, |inner, key, out| {
            self.shared.serve(|server| inner.reply(server, key, result, out))
        })
    }

    #[pyo3(signature = (key, failure, message, *, code=None, data=None))]
    fn fail(
        &self,
        py: Python<'_>,
        key: u64,
        failure: &str,
        message: &str,
        code: Option<i32>,
        data: Option<&[u8]>,
    ) -> PyResult<Emit> {
        let data = data.map(|data| json("data", data)).transpose()?;
        let failure = call::failure(failure, message, code, data)?;
        self.write(py, key, ENVELOPE, |inner, key, out| {
            self.shared.serve(|server| inner.fail(server, key, &failure, out))
        })
    }

    #[pyo3(signature = (key, progress, total=None, message=None))]
    fn progress(
        &self,
        py: Python<'_>,
        key: u64,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
    ) -> PyResult<Option<Emit>> {
        let progress = Progress { progress, total, message };
        self.notification(py, |inner, out| inner.progress(CallKey::from_bits(key), &progress, out))
    }

    #[pyo3(signature = (key, task, progress, total=None, message=None))]
    fn task_progress(
        &self,
        py: Python<'_>,
        key: u64,
        task: &Task,
        progress: f64,
        total: Option<f64>,
        message: Option<&str>,
    ) -> PyResult<Option<Emit>> {
        let (key, progress) = (CallKey::from_bits(key), Progress { progress, total, message });
        self.notification(py, |inner, out| {
            task.view(|task| inner.task_progress(key, &task, &progress, out))
                .unwrap_or(Ok(http::Emit::Nothing))
        })
    }

    fn begin_stream(&self, py: Python<'_>, key: u64) -> PyResult<Option<Emit>> {
        self.notification(py, |inner, out| inner.begin_stream(CallKey::from_bits(key), out))
    }

    #[pyo3(signature = (key, level, data, logger=None))]
    fn log(
        &self,
        py: Python<'_>,
        key: u64,
        level: &str,
        data: &[u8],
        logger: Option<&str>,
    ) -> PyResult<Option<Emit>> {
        let log = Log { level: call::level(level)?, logger, data: json("data", data)? };
        self.notification(py, |inner, out| {
            self.shared.serve(|server| inner.log(server, CallKey::from_bits(key), &log, out))
        })
    }

    fn can_ask(&self, py: Python<'_>, key: u64, ask: &Bound<'_, PyTuple>) -> PyResult<Reason> {
        let ask = OwnedAsk::read(ask)?;
        let state = lock(&self.state)?;
        let verdict = state.inner.can_ask(CallKey::from_bits(key), &ask.borrow()).map_err(local)?;
        Ok(ask::reason(py, verdict))
    }

    fn ask(&self, py: Python<'_>, key: u64, id: &str, ask: &Bound<'_, PyTuple>) -> PyResult<Option<Emit>> {
        let ask = OwnedAsk::read(ask)?;
        self.notification(py, |inner, out| inner.ask(CallKey::from_bits(key), id, &ask.borrow(), out))
    }

    fn give_up(&self, py: Python<'_>, key: u64, id: &str) -> PyResult<Option<Emit>> {
        self.notification(py, |inner, out| inner.give_up(CallKey::from_bits(key), id, out))
    }

    fn elicitation_complete(&self, py: Python<'_>, key: u64, id: &str) -> PyResult<Option<Emit>> {
        self.notification(py, |inner, out| inner.elicitation_complete(CallKey::from_bits(key), id, out))
    }

    #[pyo3(signature = (key, asks, state=None))]
    fn require_input(
        &self,
        py: Python<'_>,
        key: u64,
        asks: Vec<(String, Bound<'_, PyTuple>)>,
        state: Option<&str>,
    ) -> PyResult<Emit> {
        let asks = ask::read_all(asks)?;
        self.write(py, key, ENVELOPE, |inner, key, out| {
            let asks = ask::borrow_all(&asks);
            self.shared.serve(|server| inner.require_input(server, key, &asks, state, out))
        })
    }

    /// The name of the call's stream, if its events are numbered.
    #[getter]
    fn stream(&self) -> PyResult<Option<String>> {
        Ok(lock(&self.state)?.inner.stream().map(|name| name.text().to_owned()))
    }

    fn open_stream(&self, py: Python<'_>, key: u64) -> PyResult<Option<Emit>> {
        self.notification(py, |inner, out| inner.open_stream(CallKey::from_bits(key), out))
    }

    fn close_stream(&self, py: Python<'_>, key: u64, retry_ms: u32) -> PyResult<Option<Emit>> {
        self.notification(py, |inner, out| inner.close_stream(CallKey::from_bits(key), retry_ms, out))
    }

    /// The answer to a resuming client whose stream, or the events after the one it names, are not kept.
    fn refuse_resume(&self, py: Python<'_>) -> PyResult<Py<Reply>> {
        let mut out = Vec::new();
        let head = self.resumed(|resume| resume.refuse(&mut out))?.map_err(local)?;
        self.head(py, &head, &out)
    }

    /// Goes on with a session's GET stream after its event `last`.
    fn resume_listening(&self, last: u32) -> PyResult<Listener> {
        self.resumed(|resume| Listener::new(&self.shared, resume.listener(last)))
    }

    /// Whether the request of this id (JSON text) is in work here; then it is taken back.
    fn cancel(&self, id: &str) -> PyResult<bool> {
        Ok(lock(&self.state)?.inner.cancel(id).is_some())
    }

    /// Takes back the call in work: the session it belongs to is over.
    fn abandon(&self) -> PyResult<()> {
        lock(&self.state)?.inner.abandon();
        Ok(())
    }

    /// A response of the host's own (401, 403, 503), with what browsers need to see it.
    fn refuse(
        &self,
        py: Python<'_>,
        status: u16,
        headers: Vec<(String, String)>,
        body: &[u8],
    ) -> PyResult<Py<Reply>> {
        let mut all = headers;
        self.cors(&mut all);
        Py::new(py, Reply { status, head: None, more: all, body: PyBytes::new(py, body).unbind() })
    }

    fn close(&self) -> PyResult<bool> {
        let mut state = lock(&self.state)?;
        match state.key {
            Some(key) => Ok(state.inner.close(key)),
            None => Ok(false),
        }
    }

    fn is_cancelled(&self, key: u64) -> PyResult<bool> {
        Ok(lock(&self.state)?.inner.is_cancelled(CallKey::from_bits(key)))
    }
}
