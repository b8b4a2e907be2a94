//! Beginning a coroutine.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyIterator;
use pyo3::types::iterator::PySendResult;

/// Runs a coroutine until it waits for something: `(False, what)`, or until its end: `(True, value)`. `send` tells the
/// end by an exception, which costs more than most functions do.
#[pyfunction]
pub(crate) fn begin<'py>(coroutine: &Bound<'py, PyAny>) -> PyResult<(bool, Bound<'py, PyAny>)> {
    let py = coroutine.py();
    let steps = coroutine.call_method0(intern!(py, "__await__"))?.cast_into::<PyIterator>()?;
    Ok(match steps.send(&py.None().into_bound(py))? {
        PySendResult::Return(value) => (true, value),
        PySendResult::Next(waits) => (false, waits),
    })
}
