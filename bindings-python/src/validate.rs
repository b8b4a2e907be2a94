//! JSON Schemas, compiled once, and what is wrong with a value that does not fit one.

use mcpgraft::schema;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// A compiled JSON Schema.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Validator(schema::Validator);

#[pymethods]
impl Validator {
    #[new]
    fn new(py: Python<'_>, schema: &[u8]) -> PyResult<Self> {
        py.detach(|| schema::Validator::new(schema)).map(Validator).map_err(PyValueError::new_err)
    }

    /// What is wrong with a JSON value, as path, what would fit there, what came; empty if it fits.
    fn check(&self, py: Python<'_>, instance: &[u8]) -> Vec<(String, String, String)> {
        let problems = py.detach(|| self.0.check(instance));
        problems.into_iter().map(|found| (found.path, found.expected, found.got)).collect()
    }
}
