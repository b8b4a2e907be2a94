//! Sealed opaque strings.

use mcpgraft::seal::state::{self, Binding};
use mcpgraft::seal::{self, NONCE_BYTES};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::{json, text};

pyo3::create_exception!(
    mcpgraft,
    BadSeal,
    pyo3::exceptions::PyValueError,
    "A sealed text is not valid here; why is not told."
);

fn bad(_: seal::BadSeal) -> PyErr {
    BadSeal::new_err(seal::BadSeal.to_string())
}

/// A ring of keys: the first secret seals, all of them open.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Keys(seal::Keys);

fn nonce(bytes: &[u8]) -> PyResult<[u8; NONCE_BYTES]> {
    bytes.try_into().map_err(|_| PyValueError::new_err("nonce must be 24 random bytes"))
}

#[pymethods]
impl Keys {
    #[new]
    fn new(secrets: Vec<Vec<u8>>) -> PyResult<Self> {
        seal::Keys::new(secrets.iter().map(Vec::as_slice))
            .map(Keys)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn seal(&self, purpose: &str, plain: &[u8], nonce: &[u8]) -> PyResult<String> {
        self.0.seal(purpose, plain, self::nonce(nonce)?).map_err(bad)
    }

    fn open<'py>(&self, py: Python<'py>, purpose: &str, sealed: &str) -> PyResult<Bound<'py, PyBytes>> {
        self.0.open(purpose, sealed).map(|plain| PyBytes::new(py, &plain)).map_err(bad)
    }

    #[pyo3(signature = (method, target, arguments, principal, *, round, kept, now, ttl, nonce))]
    #[allow(clippy::too_many_arguments)] // keyword arguments, one for each fact
    fn seal_state(
        &self,
        method: &str,
        target: &str,
        arguments: &[u8],
        principal: Option<&str>,
        round: u16,
        kept: &[u8],
        now: u64,
        ttl: u64,
        nonce: &[u8],
    ) -> PyResult<String> {
        let binding = Binding { method, target, arguments: json("arguments", arguments)?, principal };
        let kept = text("kept", kept)?;
        state::seal(&self.0, &binding, round, kept, now, ttl, self::nonce(nonce)?).map_err(bad)
    }

    /// `(round, kept, nonce)`
    #[pyo3(signature = (method, target, arguments, principal, sealed, *, now))]
    #[allow(clippy::too_many_arguments)] // keyword arguments, one for each fact
    fn open_state<'py>(
        &self,
        py: Python<'py>,
        method: &str,
        target: &str,
        arguments: &[u8],
        principal: Option<&str>,
        sealed: &str,
        now: u64,
    ) -> PyResult<(u16, Bound<'py, PyBytes>, Bound<'py, PyBytes>)> {
        let binding = Binding { method, target, arguments: json("arguments", arguments)?, principal };
        let state = state::open(&self.0, &binding, sealed, now).map_err(bad)?;
        Ok((state.round, PyBytes::new(py, state.kept.as_bytes()), PyBytes::new(py, &state.nonce)))
    }
}
