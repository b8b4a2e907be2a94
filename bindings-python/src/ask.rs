//! Questions to the client, as Python gives them.

use mcpgraft::json::{Raw, Str};
use mcpgraft::server::{Ask, Unable};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use crate::error::json;

/// A question that owns its parts: `("form", message, schema)`, `("url", message, url, id)`, `("sample", params)`,
/// `("roots",)` or `("task", id, request)`; schemas, parameters and kept requests are JSON bytes.
pub(crate) enum OwnedAsk {
    Form(String, Vec<u8>),
    Url(String, String, String),
    Sample(Vec<u8>),
    Roots,
    /// The id with its quotes.
    Task(String, Vec<u8>),
}

impl OwnedAsk {
    pub(crate) fn read(ask: &Bound<'_, PyTuple>) -> PyResult<Self> {
        let kind: String = ask.get_item(0)?.extract()?;
        let object = |at: usize| -> PyResult<Vec<u8>> {
            let bytes: Vec<u8> = ask.get_item(at)?.extract()?;
            if !json("ask", &bytes)?.is_object() {
                return Err(PyValueError::new_err("ask: a JSON object is needed"));
            }
            Ok(bytes)
        };
        let text = |at: usize| -> PyResult<String> { ask.get_item(at)?.extract() };
        Ok(match kind.as_str() {
            "form" => OwnedAsk::Form(text(1)?, object(2)?),
            "url" => OwnedAsk::Url(text(1)?, text(2)?, text(3)?),
            "sample" => OwnedAsk::Sample(object(1)?),
            "roots" => OwnedAsk::Roots,
            "task" => {
                let mut id = Vec::new();
                // A Vec has room.
                let _ = mcpgraft::json::escape(&text(1)?, &mut id);
                OwnedAsk::Task(String::from_utf8_lossy(&id).into_owned(), object(2)?)
            }
            _ => return Err(PyValueError::new_err(format!("ask: {kind:?} is no kind of question"))),
        })
    }

    /// As the core takes it. What was read as JSON is JSON still.
    pub(crate) fn borrow(&self) -> Ask<'_> {
        match self {
            OwnedAsk::Form(message, schema) => Ask::Form { message, schema: raw(schema) },
            OwnedAsk::Url(message, url, id) => Ask::Url { message, url, id },
            OwnedAsk::Sample(params) => Ask::Sample { params: raw(params) },
            OwnedAsk::Roots => Ask::Roots,
            OwnedAsk::Task(id, request) => Ask::Task { id: Str::trusted(id), request: raw(request) },
        }
    }
}

fn raw(bytes: &[u8]) -> Raw<'_> {
    mcpgraft::json::check(bytes, mcpgraft::json::MAX_DEPTH).unwrap_or(Raw::NULL)
}

/// Several questions with their keys.
pub(crate) fn read_all(asks: Vec<(String, Bound<'_, PyTuple>)>) -> PyResult<Vec<(String, OwnedAsk)>> {
    asks.into_iter().map(|(key, ask)| Ok((key, OwnedAsk::read(&ask)?))).collect()
}

/// The questions as the core takes them.
pub(crate) fn borrow_all(asks: &[(String, OwnedAsk)]) -> Vec<(&str, Ask<'_>)> {
    asks.iter().map(|(key, ask)| (key.as_str(), ask.borrow())).collect()
}

/// Why a client cannot be asked, as `(reason, text, needed capabilities)`; `None` if it can.
pub(crate) type Reason = Option<(&'static str, &'static str, Option<Py<PyBytes>>)>;

pub(crate) fn reason(py: Python<'_>, verdict: Result<(), Unable>) -> Reason {
    match verdict {
        Ok(()) => None,
        Err(Unable::Capability(needed)) => {
            let text = "the client did not declare the capability that is needed";
            Some(("capability", text, Some(PyBytes::new(py, needed.bytes()).unbind())))
        }
        Err(Unable::Revision(why)) => Some(("revision", why, None)),
        Err(Unable::Wrong(why)) => Some(("wrong", why, None)),
    }
}

/// Whether an answer of the client is of the kind that was asked for.
#[pyfunction]
pub(crate) fn accepts(ask: &Bound<'_, PyTuple>, answer: &[u8]) -> PyResult<bool> {
    let ask = OwnedAsk::read(ask)?;
    Ok(mcpgraft::json::check(answer, mcpgraft::json::MAX_DEPTH)
        .is_ok_and(|answer| ask.borrow().accepts(answer)))
}
