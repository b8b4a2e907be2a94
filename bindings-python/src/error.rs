//! The host's mistakes as Python exceptions.

use std::sync::{Mutex, MutexGuard};

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;

pyo3::create_exception!(
    mcpgraft,
    LocalError,
    pyo3::exceptions::PyValueError,
    "The host's mistake; nothing has changed. `code` and `name` are the same in every language."
);

/// An exception for a core error.
pub(crate) fn local(error: mcpgraft::LocalError) -> PyErr {
    let raised = LocalError::new_err(error.to_string());
    Python::attach(|py| {
        let value = raised.value(py);
        // Setting plain attributes of a fresh exception cannot fail but for lack of memory.
        let _ = value.setattr("code", error.code());
        let _ = value.setattr("name", error.name());
    });
    raised
}

/// Locks, unless an earlier call broke off inside: then the object says so instead of going on with a broken state.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> PyResult<MutexGuard<'_, T>> {
    mutex
        .lock()
        .map_err(|_| PyRuntimeError::new_err("this object is unusable: an earlier call failed inside"))
}

/// UTF-8 text in Python bytes.
pub(crate) fn text<'a>(name: &str, bytes: &'a [u8]) -> PyResult<&'a str> {
    std::str::from_utf8(bytes).map_err(|_| PyValueError::new_err(format!("{name} must be UTF-8")))
}

/// One JSON value in Python bytes.
pub(crate) fn json<'a>(name: &str, bytes: &'a [u8]) -> PyResult<mcpgraft::json::Raw<'a>> {
    mcpgraft::json::check(bytes, mcpgraft::json::MAX_DEPTH)
        .map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
}
