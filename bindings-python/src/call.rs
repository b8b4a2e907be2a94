//! A call for the host to run, as Python sees it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::json::Raw;
use mcpgraft::jsonrpc::Id;
use mcpgraft::model::ClientCapabilities;
use mcpgraft::model::template;
use mcpgraft::server::{self, CallKey, Failure, NewTask, Reference, Target, TaskAction, TaskOrigin};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::task::Task;

/// Who can tell whether a call was taken back.
pub(crate) trait Owner: Send + Sync {
    fn is_cancelled(&self, key: CallKey) -> bool;
}

impl<T: Owner> Owner for Mutex<T> {
    fn is_cancelled(&self, key: CallKey) -> bool {
        self.lock().unwrap_or_else(PoisonError::into_inner).is_cancelled(key)
    }
}

/// Something for the host to run.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Call {
    owner: Arc<dyn Owner>,
    capabilities: ClientCapabilities,
    origin: TaskOrigin<'static>,
    token: Option<String>,
    /// The client asks for a task with this very call.
    #[pyo3(get)]
    wants_task: bool,
    #[pyo3(get)]
    task_ttl_ms: Option<u64>,
    /// Its answer waits for something that is not run for it.
    #[pyo3(get)]
    waits: bool,
    #[pyo3(get)]
    key: u64,
    #[pyo3(get)]
    kind: &'static str,
    #[pyo3(get)]
    method: String,
    #[pyo3(get)]
    name: String,
    #[pyo3(get)]
    entry: Option<String>,
    #[pyo3(get)]
    arguments: Py<PyBytes>,
    #[pyo3(get)]
    variables: HashMap<String, String>,
    #[pyo3(get)]
    cursor: Option<String>,
    #[pyo3(get)]
    meta: Option<Py<PyBytes>>,
    #[pyo3(get)]
    revision: &'static str,
    #[pyo3(get)]
    stateless: bool,
    #[pyo3(get)]
    client_info: Option<Py<PyBytes>>,
    #[pyo3(get)]
    client_capabilities: Option<Py<PyBytes>>,
    #[pyo3(get)]
    input_responses: Option<Py<PyBytes>>,
    #[pyo3(get)]
    request_state: Option<String>,
    #[pyo3(get)]
    progress_wanted: bool,
    #[pyo3(get)]
    log_level: Option<&'static str>,
    #[pyo3(get)]
    batched: bool,
}

#[pymethods]
impl Call {
    #[getter]
    fn cancelled(&self) -> bool {
        self.owner.is_cancelled(CallKey::from_bits(self.key))
    }

    /// Whether it is a request of its own, with nothing from a round before.
    #[getter]
    fn fresh(&self) -> bool {
        self.kind != "task" && self.request_state.is_none() && self.input_responses.is_none()
    }

    /// Whether the client takes a task for an answer to this call; the server must offer them, too.
    #[getter]
    fn tasks(&self) -> bool {
        self.capabilities.tasks && self.kind == "tool"
    }

    /// A task for this call, as it begins.
    #[pyo3(signature = (id, *, owner, now, ttl_ms, poll_ms))]
    fn new_task(
        &self,
        id: &str,
        owner: Option<&str>,
        now: u64,
        ttl_ms: Option<u64>,
        poll_ms: Option<u64>,
    ) -> PyResult<Task> {
        let token = self.token.as_deref().map(|token| Id::read(Raw::trusted(token)));
        let origin = self.origin.with_token(token.and_then(Result::ok));
        Task::begin(&NewTask { id, owner, now, ttl: ttl_ms, poll: poll_ms, origin })
    }

    fn __repr__(&self) -> String {
        format!("<Call {} {:?}>", self.kind, self.name)
    }
}

/// Who the peer said it was in its handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) info: Option<Vec<u8>>,
    pub(crate) capabilities: Option<Vec<u8>>,
}

impl Call {
    pub(crate) fn new(
        py: Python<'_>,
        call: &server::Call<'_>,
        catalog: &Owned,
        client: &Client,
        owner: Arc<dyn Owner>,
    ) -> PyResult<Py<Call>> {
        let bytes = |raw: Raw<'_>| PyBytes::new(py, raw.bytes()).unbind();
        let known = |said: Option<Raw<'_>>, before: &Option<Vec<u8>>| match said {
            Some(raw) => Some(bytes(raw)),
            None if call.revision.is_stateless() => None,
            None => before.as_ref().map(|text| PyBytes::new(py, text).unbind()),
        };
        let key = |kind, at: Option<usize>| {
            at.and_then(|at| catalog.at(kind, at)).map(|entry| entry.key.to_owned())
        };
        let mut cursor = None;
        let mut variables = HashMap::new();
        let (kind, name, entry, arguments) = match call.target {
            Target::Tool { entry, name, arguments } => {
                ("tool", name.to_cow().into_owned(), key(Kind::Tool, entry), arguments)
            }
            Target::Prompt { entry, name, arguments } => {
                ("prompt", name.to_cow().into_owned(), key(Kind::Prompt, entry), arguments)
            }
            Target::Resource { entry, uri } => {
                let uri = uri.to_cow().into_owned();
                let found = entry.and_then(|(kind, at)| key(kind, Some(at)));
                if let (Some((Kind::Template, _)), Some(text)) = (entry, &found) {
                    variables = captures(text, &uri)?;
                }
                ("resource", uri, found, Raw::trusted("{}"))
            }
            Target::Completion { reference, .. } => {
                let name = match reference {
                    Reference::Prompt(name) | Reference::Resource(name) => name.to_cow().into_owned(),
                };
                ("completion", name, None, call.params)
            }
            Target::Tasks { cursor: from } => {
                cursor = from.map(|from| from.to_cow().into_owned());
                ("task", String::new(), None, call.params)
            }
            Target::Task { id, responses, .. } => ("task", id.to_cow().into_owned(), None, responses),
            Target::List { kind, cursor: from } => {
                cursor = from.map(|from| from.to_cow().into_owned());
                let name = match kind {
                    Kind::Tool => "tools",
                    Kind::Resource => "resources",
                    Kind::Template => "templates",
                    Kind::Prompt => "prompts",
                };
                ("list", name.to_owned(), None, call.params)
            }
            Target::Custom { method } => ("custom", method.to_cow().into_owned(), None, call.params),
        };
        let call = Call {
            owner,
            capabilities: call.capabilities,
            origin: call.task_origin().with_token(None),
            token: call.token.map(|token| token.text().to_owned()),
            wants_task: call.task.is_some(),
            task_ttl_ms: call.task.and_then(|task| task.ttl_ms),
            waits: matches!(call.target, Target::Task { action: TaskAction::Result, .. }),
            key: call.key.to_bits(),
            kind,
            method: call.target.method().into_owned(),
            name,
            entry,
            arguments: bytes(arguments),
            variables,
            cursor,
            meta: call.meta.map(bytes),
            revision: call.revision.name(),
            stateless: call.revision.is_stateless(),
            client_info: known(call.client_info, &client.info),
            client_capabilities: known(call.client_capabilities, &client.capabilities),
            input_responses: call.input_responses.map(bytes),
            request_state: call.request_state.map(|state| state.to_cow().into_owned()),
            progress_wanted: call.progress,
            log_level: call.log.map(|level| level.name()),
            batched: call.batched,
        };
        Py::new(py, call)
    }
}

fn captures(text: &str, uri: &str) -> PyResult<HashMap<String, String>> {
    let bad = |_| PyValueError::new_err(format!("the resource template {text:?} cannot be read"));
    let variables = template::variables(text, uri).map_err(bad)?;
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

/// A failure as Python names it.
pub(crate) fn failure<'a>(
    kind: &str,
    message: &'a str,
    code: Option<i32>,
    data: Option<Raw<'a>>,
) -> PyResult<Failure<'a>> {
    Failure::named(kind, message, code, data).map_err(PyValueError::new_err)
}

/// A log level as Python names it.
pub(crate) fn level(name: &str) -> PyResult<mcpgraft::model::Level> {
    mcpgraft::model::Level::parse(name)
        .ok_or_else(|| PyValueError::new_err(format!("{name:?} is not a log level")))
}
