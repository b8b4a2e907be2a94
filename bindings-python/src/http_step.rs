//! What the steps of an HTTP exchange look like from Python.

use std::borrow::Cow;

use mcpgraft::http::{self, Body, Head};
use mcpgraft::server::Notice;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::call::Call;
use crate::error::local;
use crate::listener::Listener;

/// Status, headers and body of a response.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Reply {
    #[pyo3(get)]
    pub(crate) status: u16,
    /// What the core says of it.
    pub(crate) head: Option<Head>,
    /// Headers besides.
    pub(crate) more: Vec<(String, String)>,
    #[pyo3(get)]
    pub(crate) body: Py<PyBytes>,
}

static JSON: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();
static EVENTS: PyOnceLock<Py<PyTuple>> = PyOnceLock::new();

#[pymethods]
impl Reply {
    #[getter]
    fn headers(&self) -> Vec<(&str, &str)> {
        self.all().collect()
    }

    /// The headers of a whole response, with its length.
    fn sized(&self, py: Python<'_>) -> Vec<(&str, Cow<'_, str>)> {
        let length = self.length(py).map(|length| ("Content-Length", length.to_string().into()));
        self.all().map(|(name, value)| (name, value.into())).chain(length).collect()
    }

    /// Status, headers as ASGI wants them, and body of a whole response.
    fn encoded<'py>(
        &'py self,
        py: Python<'py>,
    ) -> PyResult<(u16, Bound<'py, PyList>, &'py Bound<'py, PyBytes>)> {
        let all = self.pairs(py)?;
        if let Some(length) = self.length(py) {
            static NAME: PyOnceLock<Py<PyBytes>> = PyOnceLock::new();
            let name = NAME.get_or_init(py, || PyBytes::new(py, b"content-length").unbind());
            let value = PyBytes::new(py, length.to_string().as_bytes());
            all.append(PyTuple::new(py, [name.bind(py), &value])?)?;
        }
        Ok((self.status, all, self.body.bind(py)))
    }

    /// The same of a response that stays open, without a body.
    fn opened<'py>(&self, py: Python<'py>) -> PyResult<(u16, Bound<'py, PyList>)> {
        Ok((self.status, self.pairs(py)?))
    }
}

impl Reply {
    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let head =
            self.head.iter().flat_map(Head::headers).map(|(name, value)| -> (&str, &str) { (name, value) });
        head.chain(self.more.iter().map(|(name, value)| (&**name, &**value)))
    }

    fn pairs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let pair = |(name, value): (&str, &str)| {
            let name = name.to_ascii_lowercase();
            // Bytes that are no ASCII came here as Latin-1.
            let value: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
            PyTuple::new(py, [PyBytes::new(py, name.as_bytes()), PyBytes::new(py, &value)])
        };
        let all = PyList::empty(py);
        // Nearly every response has one of these, and nothing else.
        let kept = match self.head.map(|head| head.body) {
            Some(Body::Json) if self.more.is_empty() => &JSON,
            Some(Body::Events) if self.more.is_empty() => &EVENTS,
            _ => {
                for one in self.all() {
                    all.append(pair(one)?)?;
                }
                return Ok(all);
            }
        };
        let made =
            || self.all().map(pair).collect::<PyResult<Vec<_>>>().and_then(|all| PyTuple::new(py, all));
        for one in kept.get_or_try_init(py, || made().map(Bound::unbind))?.bind(py) {
            all.append(one)?;
        }
        Ok(all)
    }

    /// What a `Content-Length` is to say, where a body is possible and there is none yet.
    fn length(&self, py: Python<'_>) -> Option<usize> {
        let said = self.more.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-length"));
        let bodiless = matches!(self.status, 204 | 304);
        (!said && !bodiless).then(|| self.body.bind(py).as_bytes().len())
    }
}

/// What a request led to.
#[pyclass(frozen, get_all, module = "mcpgraft._native")]
#[derive(Default)]
pub(crate) struct HttpStep {
    pub(crate) reply: Option<Py<Reply>>,
    pub(crate) call: Option<Py<Call>>,
    pub(crate) batch: bool,
    /// What happened besides: `notification`, `response`, `cancelled`, `roots_changed`, `ready`, `level`, `subscribed`,
    /// `unsubscribed`, `opened`, `ended`, `listening`, `resuming`.
    pub(crate) event: Option<&'static str>,
    pub(crate) method: Option<String>,
    pub(crate) params: Option<Py<PyBytes>>,
    pub(crate) text: Option<String>,
    pub(crate) ok: bool,
    pub(crate) client_info: Option<Py<PyBytes>>,
    pub(crate) client_capabilities: Option<Py<PyBytes>>,
    /// The session as it is to be stored now: a new one, or one that has changed.
    pub(crate) session: Option<Py<PyBytes>>,
    pub(crate) listener: Option<Py<Listener>>,
    /// The stream to go on with, and the last event its client has seen.
    pub(crate) resume: Option<(String, u32)>,
}

impl HttpStep {
    pub(crate) fn new(call: Py<Call>) -> Self {
        HttpStep { ok: true, call: Some(call), ..HttpStep::default() }
    }
}

/// What to send now.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Emit {
    pub(crate) first: Option<Py<Reply>>,
    /// `first` is the response, body and all.
    pub(crate) complete: bool,
    #[pyo3(get)]
    pub(crate) body: Py<PyBytes>,
    #[pyo3(get)]
    pub(crate) end: bool,
    /// The number and the bytes of the event to be kept.
    #[pyo3(get)]
    pub(crate) event: Option<(u32, Py<PyBytes>)>,
}

#[pymethods]
impl Emit {
    /// Status and headers, where the response begins.
    #[getter]
    fn head(&self, py: Python<'_>) -> PyResult<Option<Py<Reply>>> {
        match &self.first {
            Some(reply) if self.complete => {
                let Reply { status, head, more, .. } = reply.get();
                let body = PyBytes::new(py, b"").unbind();
                Py::new(py, Reply { status: *status, head: *head, more: more.clone(), body }).map(Some)
            }
            first => Ok(first.as_ref().map(|reply| reply.clone_ref(py))),
        }
    }

    /// The response, where it is complete at once.
    #[getter]
    fn whole(&self, py: Python<'_>) -> Option<Py<Reply>> {
        self.first.as_ref().filter(|_| self.complete).map(|reply| reply.clone_ref(py))
    }
}

/// Puts what a request told besides its answer into a step.
pub(crate) fn note(py: Python<'_>, step: &mut HttpStep, notice: &Notice<'_>) {
    let bytes = |raw: mcpgraft::json::Raw<'_>| PyBytes::new(py, raw.bytes()).unbind();
    match *notice {
        Notice::Notification { method, params } => {
            step.event = Some("notification");
            step.method = Some(method.to_cow().into_owned());
            step.params = params.map(bytes);
        }
        Notice::Response { id, outcome } => {
            step.event = Some("response");
            step.text = id.map(|id| id.text().to_owned());
            step.ok = outcome.is_ok();
            step.params = Some(bytes(outcome.unwrap_or_else(|error| error)));
        }
        Notice::CancelledElsewhere { id, .. } => {
            step.event = Some("cancelled");
            step.text = Some(id.text().to_owned());
        }
        Notice::RootsChanged => step.event = Some("roots_changed"),
        Notice::Ready => step.event = Some("ready"),
        Notice::Level(level) => {
            step.event = Some("level");
            step.text = Some(level.name().to_owned());
        }
        Notice::Subscribed(uri) => {
            step.event = Some("subscribed");
            step.text = Some(uri.to_cow().into_owned());
        }
        Notice::Unsubscribed(uri) => {
            step.event = Some("unsubscribed");
            step.text = Some(uri.to_cow().into_owned());
        }
        _ => {}
    }
}

pub(crate) fn saved(py: Python<'_>, handshake: &http::Handshake) -> PyResult<Py<PyBytes>> {
    let mut out = Vec::new();
    handshake.save(&mut out).map_err(|full| local(full.into()))?;
    Ok(PyBytes::new(py, &out).unbind())
}
