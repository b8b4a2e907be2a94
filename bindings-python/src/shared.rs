//! What a server offers, shared by all its sessions and exchanges.

use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::http::events::StreamName;
use mcpgraft::http::{Endpoint, Headers, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::server::{self, Progress};
use mcpgraft::settings::Settings;
use mcpgraft::{Limits, Server};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use crate::error::{json, local, lock, text};
use crate::exchange::Exchange;
use crate::framer::Framer;
use crate::headers::HeaderText;
use crate::options;
use crate::session::Session;

/// The server as the sessions see it.
#[derive(Debug)]
pub(crate) struct Shared {
    settings: Settings,
    catalog: RwLock<Owned>,
    tags: AtomicU16,
}

impl Shared {
    /// Runs `with` on the server as it is now.
    pub(crate) fn serve<R>(&self, with: impl FnOnce(&Server<'_, &Owned>) -> R) -> R {
        self.with_catalog(|catalog| with(&self.settings.server(catalog)))
    }

    /// Runs `with` on the catalogue as it is now.
    pub(crate) fn with_catalog<R>(&self, with: impl FnOnce(&Owned) -> R) -> R {
        with(&self.catalog.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The endpoint of a host that can stream or not.
    pub(crate) fn endpoint(&self, streams: bool, listens: bool) -> Endpoint<'_> {
        self.settings.endpoint(streams, listens)
    }

    /// The sessions that are kept for clients of the handshake era.
    pub(crate) fn sessions(&self) -> Sessions {
        self.settings.sessions()
    }

    /// A mark for the call keys of the next session or exchange.
    pub(crate) fn tag(&self) -> u16 {
        self.tags.fetch_add(1, Ordering::Relaxed)
    }

    pub(crate) fn limits(&self) -> &Limits {
        self.settings.limits()
    }
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
        Pace(Mutex::new(server::Pace::new(self.shared.limits())))
    }

    #[new]
    #[pyo3(signature = (info, *, instructions=None, limits=None, options=None))]
    fn new(
        info: &[u8],
        instructions: Option<String>,
        limits: Option<&Bound<'_, PyDict>>,
        options: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let (mut settings, mut catalog) = (Settings::new(), Owned::new());
        let mut set = |name: &str, value: Raw<'_>| {
            settings.set(&mut catalog, name, value).map_err(|error| options::wrong(name, error))
        };
        set("info", json("info", info)?)?;
        if let Some(text) = instructions {
            set("instructions", json("instructions", &options::text(&text))?)?;
        }
        for (name, value) in options.into_iter().flatten() {
            let name: String = name.extract()?;
            if !value.is_none() {
                set(&name, json(&name, &options::value(&name, &value)?)?)?;
            }
        }
        for (name, value) in limits.into_iter().flatten() {
            let name: String = name.extract()?;
            let shown = format!("limits.{name}");
            let value = options::value(&shown, &value)?;
            settings
                .set_limit(&name, json(&shown, &value)?)
                .map_err(|error| options::wrong(&shown, error))?;
        }
        let shared = Shared { settings, catalog: RwLock::new(catalog), tags: AtomicU16::new(0) };
        Ok(Core { shared: Arc::new(shared) })
    }

    fn put(&self, kind: &str, definition: &[u8]) -> PyResult<bool> {
        let kind = self::kind(kind)?;
        let definition = text("definition", definition)?;
        let mut catalog = self.shared.catalog.write().unwrap_or_else(PoisonError::into_inner);
        catalog.put(kind, definition).map_err(local)
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
