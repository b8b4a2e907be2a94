//! What a server offers, shared by all its sessions and exchanges.

use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::http::events::StreamName;
use mcpgraft::http::guard::{Guard, Hosts};
use mcpgraft::http::{Endpoint, Headers, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::model::is_extension;
use mcpgraft::server::{self, CacheScope, ExperimentalTasks, Offer, Profile, Progress};
use mcpgraft::{Limits, Revision, RevisionSet, Server};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::{json, local, lock, text};
use crate::exchange::Exchange;
use crate::framer::Framer;
use crate::headers::HeaderText;
use crate::session::Session;

/// Everything but the catalogue: fixed when the server is made.
#[derive(Debug)]
struct Config {
    info: String,
    instructions: Option<String>,
    revisions: RevisionSet,
    /// By [`Kind`]: the host keeps the table itself.
    host_lists: [bool; 4],
    completions: bool,
    logging: bool,
    list_changed: bool,
    subscribe: bool,
    experimental: Option<String>,
    extensions: Option<String>,
    experimental_tasks: ExperimentalTasks,
    ttl_ms: u64,
    cache_scope: CacheScope,
    hosts: Option<Vec<String>>,
    origins: Vec<String>,
    sessions: Sessions,
    limits: Limits,
}

/// The server as the sessions see it.
#[derive(Debug)]
pub(crate) struct Shared {
    config: Config,
    catalog: RwLock<Owned>,
    /// By [`Kind`]: there has been one, so its capability stays declared.
    had: [AtomicBool; 4],
    tags: AtomicU16,
}

const fn index(kind: Kind) -> usize {
    match kind {
        Kind::Tool => 0,
        Kind::Resource => 1,
        Kind::Template => 2,
        Kind::Prompt => 3,
    }
}

impl Shared {
    fn offer(&self, kinds: &[Kind]) -> Offer {
        let any = |test: &dyn Fn(usize) -> bool| kinds.iter().any(|kind| test(index(*kind)));
        if any(&|at| self.config.host_lists.get(at) == Some(&true)) {
            Offer::Host
        } else if any(&|at| self.had.get(at).is_some_and(|had| had.load(Ordering::Relaxed))) {
            Offer::Catalog
        } else {
            Offer::No
        }
    }

    /// Runs `with` on the server as it is now.
    pub(crate) fn serve<R>(&self, with: impl FnOnce(&Server<'_, &Owned>) -> R) -> R {
        let config = &self.config;
        let catalog = self.catalog.read().unwrap_or_else(PoisonError::into_inner);
        let profile = Profile {
            instructions: config.instructions.as_deref(),
            revisions: config.revisions,
            tools: self.offer(&[Kind::Tool]),
            resources: self.offer(&[Kind::Resource, Kind::Template]),
            prompts: self.offer(&[Kind::Prompt]),
            completions: config.completions,
            logging: config.logging,
            list_changed: config.list_changed,
            subscribe: config.subscribe,
            experimental: config.experimental.as_deref().map(Raw::trusted),
            extensions: config.extensions.as_deref().map(Raw::trusted),
            experimental_tasks: config.experimental_tasks,
            ttl_ms: config.ttl_ms,
            cache_scope: config.cache_scope,
            ..Profile::new(Raw::trusted(&config.info))
        };
        with(&Server { profile, limits: config.limits, catalog: &catalog })
    }

    /// Runs `with` on the catalogue as it is now.
    pub(crate) fn with_catalog<R>(&self, with: impl FnOnce(&Owned) -> R) -> R {
        with(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `with` on the endpoint of a host that can stream or not.
    pub(crate) fn endpoint<R>(
        &self,
        streams: bool,
        listens: bool,
        with: impl FnOnce(&Endpoint<'_>) -> R,
    ) -> R {
        let hosts = self.config.hosts.as_ref().map(|hosts| texts(hosts));
        let origins = texts(&self.config.origins);
        let guard = Guard {
            allowed_hosts: hosts.as_deref().map_or(Hosts::Any, Hosts::Listed),
            allowed_origins: &origins,
        };
        with(&Endpoint { guard, streams, listens, sessions: self.config.sessions })
    }

    /// Whether pages of any other origin are let in.
    pub(crate) fn knows_origins(&self) -> bool {
        !self.config.origins.is_empty()
    }

    /// The sessions that are kept for clients of the handshake era.
    pub(crate) fn sessions(&self) -> Sessions {
        self.config.sessions
    }

    /// A mark for the call keys of the next session or exchange.
    pub(crate) fn tag(&self) -> u16 {
        self.tags.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.config.limits
    }
}

fn texts(list: &[String]) -> Vec<&str> {
    list.iter().map(String::as_str).collect()
}

/// What a server offers: identity, capabilities, limits, catalogue.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Core {
    shared: Arc<Shared>,
}

fn kind(name: &str) -> PyResult<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        PyValueError::new_err(format!(
            "kind must be \"tool\", \"resource\", \"template\" or \"prompt\", not {name:?}"
        ))
    })
}

fn flag(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    value.extract()
}

fn object(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let bytes: &[u8] = value.extract()?;
    let raw = json(name, bytes)?;
    if !raw.is_object() {
        return Err(PyValueError::new_err(format!("{name} must be a JSON object")));
    }
    Ok(raw.text().to_owned())
}

/// What a server declares of extensions.
fn extensions(name: &str, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let text = object(name, value)?;
    for (key, settings) in Raw::trusted(&text).members() {
        let key = key.to_cow();
        if !is_extension(&key) {
            return Err(PyValueError::new_err(format!(
                "{name}: {key:?} is no name of an extension: it needs a prefix, as in \"com.example/name\""
            )));
        }
        if !settings.is_object() {
            return Err(PyValueError::new_err(format!("{name}: the value of {key:?} must be an object")));
        }
    }
    Ok(text)
}

impl Config {
    fn set(&mut self, name: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        match name {
            "logging" => self.logging = flag(value)?,
            "completions" => self.completions = flag(value)?,
            "list_changed" => self.list_changed = flag(value)?,
            "subscribe" => self.subscribe = flag(value)?,
            "ttl_ms" => self.ttl_ms = value.extract()?,
            "cache_scope" => {
                self.cache_scope = match value.extract::<&str>()? {
                    "private" => CacheScope::Private,
                    "public" => CacheScope::Public,
                    _ => return Err(PyValueError::new_err("cache_scope must be \"private\" or \"public\"")),
                }
            }
            "sessions" => {
                self.sessions = match value.extract::<&str>()? {
                    "off" => Sessions::Off,
                    "fixed" => Sessions::Fixed,
                    "kept" => Sessions::Kept,
                    _ => {
                        return Err(PyValueError::new_err("sessions must be \"off\", \"fixed\" or \"kept\""));
                    }
                }
            }
            "revisions" => {
                let names: Vec<String> = value.extract()?;
                self.revisions = RevisionSet::NONE;
                for name in &names {
                    let revision = Revision::parse(name).ok_or_else(|| {
                        PyValueError::new_err(format!("revisions: {name:?} is not a revision"))
                    })?;
                    self.revisions = self.revisions.with(revision);
                }
                if self.revisions == RevisionSet::NONE {
                    return Err(PyValueError::new_err("revisions must name at least one"));
                }
            }
            "host_lists" => {
                for name in value.extract::<Vec<String>>()? {
                    let listed = match name.as_str() {
                        "tools" => &[Kind::Tool][..],
                        "resources" | "templates" => &[Kind::Resource, Kind::Template],
                        "prompts" => &[Kind::Prompt],
                        _ => {
                            return Err(PyValueError::new_err(format!(
                                "host_lists: {name:?} is none of \"tools\", \"resources\", \"templates\", \"prompts\""
                            )));
                        }
                    };
                    for kind in listed {
                        if let Some(flag) = self.host_lists.get_mut(index(*kind)) {
                            *flag = true;
                        }
                    }
                }
            }
            "allowed_hosts" => self.hosts = value.extract()?,
            "allowed_origins" => self.origins = value.extract()?,
            "experimental" => self.experimental = Some(object(name, value)?),
            "extensions" => self.extensions = Some(extensions(name, value)?),
            "experimental_tasks" => {
                self.experimental_tasks = match value.extract::<String>()?.as_str() {
                    "no" => ExperimentalTasks::No,
                    "offered" => ExperimentalTasks::Offered,
                    "listed" => ExperimentalTasks::Listed,
                    other => {
                        let text = format!("{name}: {other:?} is none of \"no\", \"offered\", \"listed\"");
                        return Err(PyValueError::new_err(text));
                    }
                };
            }
            _ => return Err(PyTypeError::new_err(format!("unknown option {name:?}"))),
        }
        Ok(())
    }
}

/// Limits how often one call tells its progress.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Pace(Mutex<server::Pace>);

#[pymethods]
impl Pace {
    /// Whether to tell it now; `now` in ms by a clock that does not go back.
    #[pyo3(signature = (progress, total, *, now))]
    fn admits(&self, progress: f64, total: Option<f64>, now: u64) -> PyResult<bool> {
        Ok(lock(&self.0)?.admits(&Progress { progress, total, message: None }, now))
    }
}

#[pymethods]
impl Core {
    fn pace(&self) -> Pace {
        Pace(Mutex::new(server::Pace::new(&self.shared.config.limits)))
    }

    #[new]
    #[pyo3(signature = (info, *, instructions=None, limits=None, options=None))]
    fn new(
        info: &[u8],
        instructions: Option<String>,
        limits: Option<&Bound<'_, PyDict>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let raw = json("info", info)?;
        for name in ["name", "version"] {
            if raw.get(name).and_then(Raw::str).is_none_or(|value| value.is_empty()) {
                return Err(PyValueError::new_err(format!("info: {name:?} must be a non-empty string")));
            }
        }
        // As a result carries it, on one line.
        let mut one_line = Vec::new();
        mcpgraft::json::Writer::new(&mut one_line).compact(raw).map_err(|full| local(full.into()))?;
        let mut config = Config {
            info: String::from_utf8_lossy(&one_line).into_owned(),
            instructions,
            revisions: RevisionSet::ALL,
            host_lists: [false; 4],
            completions: false,
            logging: false,
            list_changed: false,
            subscribe: false,
            experimental: None,
            extensions: None,
            experimental_tasks: ExperimentalTasks::No,
            ttl_ms: 0,
            cache_scope: CacheScope::Private,
            hosts: None,
            origins: Vec::new(),
            sessions: Sessions::Off,
            limits: Limits::DEFAULT,
        };
        for (name, value) in limits.into_iter().flatten() {
            let (name, value): (String, usize) = (name.extract()?, value.extract()?);
            if !config.limits.set(&name, value) {
                return Err(PyValueError::new_err(format!("limits: {name:?} cannot be {value}")));
            }
        }
        let mut catalog = Owned::new();
        for (name, value) in options.into_iter().flatten() {
            let name: String = name.extract()?;
            if name == "custom_methods" {
                for method in value.extract::<Vec<String>>()? {
                    catalog.add_custom_method(&method).map_err(local)?;
                }
            } else if !(value.is_none() && name == "allowed_hosts") {
                config.set(&name, &value)?;
            }
        }
        let shared = Shared {
            config,
            catalog: RwLock::new(catalog),
            had: Default::default(),
            tags: AtomicU16::new(0),
        };
        Ok(Core { shared: Arc::new(shared) })
    }

    fn put(&self, kind: &str, definition: &[u8]) -> PyResult<bool> {
        let kind = self::kind(kind)?;
        let definition = text("definition", definition)?;
        let mut catalog = self.shared.catalog.write().unwrap_or_else(PoisonError::into_inner);
        let new = catalog.put(kind, definition).map_err(local)?;
        if let Some(had) = self.shared.had.get(index(kind)) {
            had.store(true, Ordering::Relaxed);
        }
        Ok(new)
    }

    fn remove(&self, kind: &str, key: &str) -> PyResult<bool> {
        let kind = self::kind(kind)?;
        Ok(self.shared.catalog.write().unwrap_or_else(PoisonError::into_inner).remove(kind, key))
    }

    fn keys(&self, kind: &str) -> PyResult<Vec<String>> {
        let kind = self::kind(kind)?;
        let catalog = self.shared.catalog.read().unwrap_or_else(PoisonError::into_inner);
        Ok((0..catalog.len(kind)).filter_map(|at| Some(catalog.at(kind, at)?.key.to_owned())).collect())
    }

    fn get<'py>(&self, py: Python<'py>, kind: &str, key: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let kind = self::kind(kind)?;
        let catalog = self.shared.catalog.read().unwrap_or_else(PoisonError::into_inner);
        Ok(catalog.get(kind, key).map(|definition| PyBytes::new(py, definition.bytes())))
    }

    fn session(&self) -> Session {
        Session::new(self.shared.clone())
    }

    /// Newline framing within this server's limit.
    fn framer(&self) -> Framer {
        Framer::with_limit(self.shared.limits().message_bytes)
    }

    #[pyo3(signature = (method, headers, *, peer=None, stream=true, listen=false, events=None))]
    #[allow(clippy::too_many_arguments)] // keywords, in Python
    fn exchange(
        &self,
        method: String,
        headers: &Bound<'_, PyAny>,
        peer: Option<&str>,
        stream: bool,
        listen: bool,
        events: Option<&str>,
    ) -> PyResult<Exchange> {
        let wrong = "events: the name of a stream is 1 to 32 letters, digits, - and _ of ASCII";
        let name = |text| StreamName::new(text).ok_or_else(|| PyValueError::new_err(wrong));
        let events = events.map(name).transpose()?;
        let headers = HeaderText::read(headers)?;
        Ok(Exchange::new(self.shared.clone(), method, headers, peer, stream, listen, events))
    }

    /// Looks at the head of a request: its exchange, or the answer if it is refused.
    fn enter<'py>(
        &self,
        method: String,
        headers: &Bound<'py, PyAny>,
        peer: Option<&str>,
        listen: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let given = HeaderText::read(headers)?;
        Exchange::new(self.shared.clone(), method, given, peer, true, listen, None).entered(headers.py())
    }
}

/// The borrowed headers as the core reads them.
pub(crate) fn headers<'r>(borrowed: &'r [(&'r str, &'r [u8])]) -> Headers<'r> {
    Headers(borrowed)
}
