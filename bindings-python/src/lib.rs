//! The native half of the Python package `mcpgraft`: bytes in, bytes out. No protocol knowledge lives here; each
//! class wraps one of the core's and locks for itself, so the module does not need the interpreter's lock.

use pyo3::prelude::*;

mod ask;
mod call;
mod coroutine;
mod error;
mod exchange;
mod framer;
mod headers;
mod http_step;
mod listener;
mod options;
mod seal;
mod session;
mod shared;
mod task;
#[cfg(feature = "schema")]
mod validate;

/// See the module's documentation in `_native.pyi`.
#[pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;
    use pyo3::types::PyDict;

    #[pymodule_export]
    use super::ask::accepts;
    #[pymodule_export]
    use super::call::Call;
    #[pymodule_export]
    use super::coroutine::begin;
    #[pymodule_export]
    use super::error::LocalError;
    #[pymodule_export]
    use super::exchange::Exchange;
    #[pymodule_export]
    use super::framer::Framer;
    #[pymodule_export]
    use super::headers::environ_headers;
    #[pymodule_export]
    use super::http_step::{Emit, HttpStep, Reply};
    #[pymodule_export]
    use super::listener::Listener;
    #[pymodule_export]
    use super::seal::{BadSeal, Keys};
    #[pymodule_export]
    use super::session::{Batch, Session, Step};
    #[pymodule_export]
    use super::shared::{Core, Pace};
    #[pymodule_export]
    use super::task::{Task, task_page};
    #[cfg(feature = "schema")]
    #[pymodule_export]
    use super::validate::Validator;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("VERSION", env!("CARGO_PKG_VERSION"))?;
        let names = mcpgraft::Revision::ALL.into_iter().rev().map(mcpgraft::Revision::name);
        module.add("REVISIONS", pyo3::types::PyTuple::new(module.py(), names.collect::<Vec<_>>())?)?;
        let limits = PyDict::new(module.py());
        for (name, value) in mcpgraft::Limits::DEFAULT.named() {
            limits.set_item(name, value)?;
        }
        module.add("LIMITS", limits)?;
        module.add("SESSION_HEADER", mcpgraft::http::SESSION_HEADER)?;
        module.add(
            "KEEP_ALIVE",
            pyo3::types::PyBytes::new(module.py(), mcpgraft::http::Listener::KEEP_ALIVE),
        )?;
        module.add("NONCE_BYTES", mcpgraft::seal::NONCE_BYTES)
    }
}
