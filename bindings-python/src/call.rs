//! A call for the host to run, as Python sees it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::json::{Raw, Str};
use mcpgraft::jsonrpc::Id;
use mcpgraft::model::ClientCapabilities;
use mcpgraft::model::template;
use mcpgraft::server::{self, CallKey, Failure, NewTask, Reference, Target, TaskAction, TaskOrigin};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};

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

/// JSON of a call. Most of it nobody asks for, so it is taken out of the message when somebody does.
enum Text {
    /// Where it stands in the message.
    Within(Range<usize>),
    /// It came from elsewhere.
    Own(Py<PyBytes>),
}

impl Text {
    fn new(message: &Bound<'_, PyBytes>, raw: Raw<'_>) -> Self {
        let (whole, part) = (message.as_bytes(), raw.bytes());
        let start = part.as_ptr().addr().wrapping_sub(whole.as_ptr().addr());
        match start.checked_add(part.len()) {
            Some(end) if end <= whole.len() => Text::Within(start..end),
            _ => Text::Own(PyBytes::new(message.py(), part).unbind()),
        }
    }

    fn bytes<'py>(&self, message: &Bound<'py, PyBytes>) -> Bound<'py, PyBytes> {
        let py = message.py();
        match self {
            Text::Within(range) => {
                PyBytes::new(py, message.as_bytes().get(range.clone()).unwrap_or_default())
            }
            Text::Own(bytes) => bytes.bind(py).clone(),
        }
    }
}

/// Something for the host to run.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Call {
    owner: Arc<dyn Owner>,
    message: Py<PyBytes>,
    arguments: Text,
    meta: Option<Text>,
    client_info: Option<Text>,
    client_capabilities: Option<Text>,
    input_responses: Option<Text>,
    /// It is about a task.
    of_task: bool,
    of_tool: bool,
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
    kind: Py<PyString>,
    #[pyo3(get)]
    method: String,
    #[pyo3(get)]
    name: Py<PyString>,
    #[pyo3(get)]
    entry: Option<Py<PyString>>,
    #[pyo3(get)]
    variables: HashMap<String, String>,
    #[pyo3(get)]
    cursor: Option<String>,
    #[pyo3(get)]
    revision: &'static str,
    #[pyo3(get)]
    stateless: bool,
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

    #[getter]
    fn arguments<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.arguments.bytes(self.message.bind(py))
    }

    #[getter]
    fn meta<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.part(py, self.meta.as_ref())
    }

    #[getter]
    fn client_info<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.part(py, self.client_info.as_ref())
    }

    #[getter]
    fn client_capabilities<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.part(py, self.client_capabilities.as_ref())
    }

    #[getter]
    fn input_responses<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyBytes>> {
        self.part(py, self.input_responses.as_ref())
    }

    /// Whether it is a request of its own, with nothing from a round before.
    #[getter]
    fn fresh(&self) -> bool {
        !self.of_task && self.request_state.is_none() && self.input_responses.is_none()
    }

    /// Whether the client takes a task for an answer to this call; the server must offer them, too.
    #[getter]
    fn tasks(&self) -> bool {
        self.capabilities.tasks && self.of_tool
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

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("<Call {} {}>", self.kind.bind(py), self.name.bind(py).repr()?))
    }
}

/// Who the peer said it was in its handshake.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) info: Option<Py<PyBytes>>,
    pub(crate) capabilities: Option<Py<PyBytes>>,
}

impl Call {
    fn part<'py>(&self, py: Python<'py>, text: Option<&Text>) -> Option<Bound<'py, PyBytes>> {
        text.map(|text| text.bytes(self.message.bind(py)))
    }

    /// Of `message`, from a client that said what it is before, if it said so.
    pub(crate) fn new(
        message: &Bound<'_, PyBytes>,
        call: &server::Call<'_>,
        catalog: &Owned,
        client: &Client,
        owner: Arc<dyn Owner>,
    ) -> PyResult<Call> {
        let py = message.py();
        let text = |raw: Raw<'_>| Text::new(message, raw);
        let known = |said: Option<Raw<'_>>, before: &Option<Py<PyBytes>>| match said {
            Some(raw) => Some(text(raw)),
            None if call.revision.is_stateless() => None,
            None => before.as_ref().map(|bytes| Text::Own(bytes.clone_ref(py))),
        };
        let string = |name: &str| PyString::new(py, name).unbind();
        let kind = |name: &Bound<'_, PyString>| name.clone().unbind();
        // What a name stands for is found under the name, as a rule.
        let named = |name: Str<'_>, kind, at: Option<usize>| {
            let name = name.to_cow();
            let entry = at.and_then(|at| catalog.at(kind, at));
            let called = string(&name);
            let entry =
                entry.map(|entry| if entry.key == name { called.clone_ref(py) } else { string(entry.key) });
            (called, entry)
        };
        let mut cursor = None;
        let mut variables = HashMap::new();
        let (kind, (name, entry), arguments) = match call.target {
            Target::Tool { entry, name, arguments } => {
                (kind(intern!(py, "tool")), named(name, Kind::Tool, entry), arguments)
            }
            Target::Prompt { entry, name, arguments } => {
                (kind(intern!(py, "prompt")), named(name, Kind::Prompt, entry), arguments)
            }
            Target::Resource { entry, uri } => {
                if let Some((Kind::Template, at)) = entry
                    && let Some(found) = catalog.at(Kind::Template, at)
                {
                    variables = captures(found.key, &uri.to_cow())?;
                }
                let found = match entry {
                    Some((kind, at)) => named(uri, kind, Some(at)),
                    None => named(uri, Kind::Resource, None),
                };
                (kind(intern!(py, "resource")), found, Raw::trusted("{}"))
            }
            Target::Completion { reference, .. } => {
                let name = match reference {
                    Reference::Prompt(name) | Reference::Resource(name) => string(&name.to_cow()),
                };
                (kind(intern!(py, "completion")), (name, None), call.params)
            }
            Target::Tasks { cursor: from } => {
                cursor = from.map(|from| from.to_cow().into_owned());
                (kind(intern!(py, "task")), (string(""), None), call.params)
            }
            Target::Task { id, responses, .. } => {
                (kind(intern!(py, "task")), (string(&id.to_cow()), None), responses)
            }
            Target::List { kind: listed, cursor: from } => {
                cursor = from.map(|from| from.to_cow().into_owned());
                let name = match listed {
                    Kind::Tool => "tools",
                    Kind::Resource => "resources",
                    Kind::Template => "templates",
                    Kind::Prompt => "prompts",
                };
                (kind(intern!(py, "list")), (string(name), None), call.params)
            }
            Target::Custom { method } => {
                (kind(intern!(py, "custom")), (string(&method.to_cow()), None), call.params)
            }
        };
        Ok(Call {
            owner,
            message: message.clone().unbind(),
            arguments: text(arguments),
            meta: call.meta.map(text),
            client_info: known(call.client_info, &client.info),
            client_capabilities: known(call.client_capabilities, &client.capabilities),
            input_responses: call.input_responses.map(text),
            of_task: matches!(call.target, Target::Task { .. } | Target::Tasks { .. }),
            of_tool: matches!(call.target, Target::Tool { .. }),
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
            variables,
            cursor,
            revision: call.revision.name(),
            stateless: call.revision.is_stateless(),
            request_state: call.request_state.map(|state| state.to_cow().into_owned()),
            progress_wanted: call.progress,
            log_level: call.log.map(|level| level.name()),
            batched: call.batched,
        })
    }

    /// Whether it is one alone, with nothing from a round before.
    pub(crate) fn is_plain(&self) -> bool {
        self.fresh() && !self.batched
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
