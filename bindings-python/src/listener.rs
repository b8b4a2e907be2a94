//! A response that stays open.

use std::sync::{Arc, Mutex};

use mcpgraft::http::{self, Handshake};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{local, lock};
use crate::session::list_kind;
use crate::shared::Shared;
use crate::task::Task;

/// An open event stream: told what has changed, it gives the bytes to write.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Listener {
    shared: Arc<Shared>,
    inner: Mutex<http::Listener>,
}

impl Listener {
    pub(crate) fn new(shared: &Arc<Shared>, inner: http::Listener) -> Self {
        Listener { shared: shared.clone(), inner: Mutex::new(inner) }
    }

    fn bytes<'py>(
        &self,
        py: Python<'py>,
        write: impl FnOnce(&mut http::Listener, &mut Vec<u8>) -> Result<(), mcpgraft::LocalError>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut out = Vec::new();
        write(&mut *lock(&self.inner)?, &mut out).map_err(local)?;
        Ok((!out.is_empty()).then(|| PyBytes::new(py, &out)))
    }
}

#[pymethods]
impl Listener {
    fn list_changed<'py>(&self, py: Python<'py>, kind: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let kind = list_kind(kind)?;
        self.bytes(py, |inner, out| {
            self.shared.serve(|server| inner.list_changed(server, kind, out)).map(|_| ())
        })
    }

    #[pyo3(signature = (uri, session=None))]
    fn resource_updated<'py>(
        &self,
        py: Python<'py>,
        uri: &str,
        session: Option<&[u8]>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let session = session.and_then(Handshake::restore);
        self.bytes(py, |inner, out| inner.resource_updated(session.as_ref(), uri, out).map(|_| ()))
    }

    #[pyo3(signature = (task, principal=None))]
    fn task_changed<'py>(
        &self,
        py: Python<'py>,
        task: &Task,
        principal: Option<&str>,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.bytes(py, |inner, out| {
            // A value that is no task is nobody's: it cannot come from here.
            task.view(|task| inner.task_changed(&task, principal, out).map(|_| ())).unwrap_or(Ok(()))
        })
    }

    /// The name of the stream, if its events are numbered.
    #[getter]
    fn stream(&self) -> PyResult<Option<String>> {
        Ok(lock(&self.inner)?.stream().map(|name| name.text().to_owned()))
    }

    /// The number of the event given last, if events are numbered.
    #[getter]
    fn event(&self) -> PyResult<Option<u32>> {
        Ok(lock(&self.inner)?.event().map(|event| event.number))
    }

    fn end<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        self.bytes(py, |inner, out| self.shared.serve(|server| inner.end(server, out)))
    }
}
