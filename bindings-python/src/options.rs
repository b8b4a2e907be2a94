//! The settings of a server, from Python: values as JSON, and what is wrong as exceptions.

use mcpgraft::json::Writer;
use mcpgraft::settings::SettingError;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyBytes, PyInt, PyString};

use crate::error;

/// A string as JSON.
pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    // A Vec has room.
    let _ = Writer::new(&mut out).string(text);
    out
}

/// The value of an option or limit as JSON: a bool, a number, a string, strings, or JSON in bytes.
pub(crate) fn value(name: &str, given: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    if let Ok(json) = given.cast::<PyBytes>() {
        return Ok(error::json(name, json.as_bytes())?.text().into());
    }
    if let Ok(flag) = given.cast::<PyBool>() {
        return Ok(if flag.is_true() { "true" } else { "false" }.into());
    }
    if given.is_instance_of::<PyInt>() {
        return Ok(given.extract::<i64>()?.to_string().into());
    }
    if let Ok(string) = given.cast::<PyString>() {
        return Ok(text(string.to_str()?));
    }
    let wrong = || PyTypeError::new_err(format!("{name} must be a bool, int, str, bytes or strings"));
    let mut list = vec![b'['];
    for element in given.try_iter().map_err(|_| wrong())? {
        if list.len() > 1 {
            list.push(b',');
        }
        let element = element?;
        list.extend(text(element.cast::<PyString>().map_err(|_| wrong())?.to_str()?));
    }
    list.push(b']');
    Ok(list)
}

/// What is wrong with an option or limit.
pub(crate) fn wrong(name: &str, error: SettingError<'_>) -> PyErr {
    match error {
        SettingError::Unknown => PyTypeError::new_err(format!("{name}: {error}")),
        SettingError::Wrong { must, found, .. } => {
            PyValueError::new_err(format!("{name} must be {must}, not {found}"))
        }
        other => PyValueError::new_err(format!("{name}: {other}")),
    }
}
