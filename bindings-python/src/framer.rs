//! Newline framing for byte streams.

use std::sync::Mutex;

use mcpgraft::frame::line::{Frame, LineBuffer};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::error::lock;

/// Cuts a byte stream into lines, however it arrives.
#[pyclass(frozen, module = "mcpgraft._native")]
pub(crate) struct Framer {
    lines: Mutex<LineBuffer>,
}

fn line<'py>(py: Python<'py>, frame: &Frame<'_>) -> Option<Bound<'py, PyBytes>> {
    match frame {
        Frame::Line(line) => Some(PyBytes::new(py, line)),
        Frame::TooLong => None,
    }
}

impl Framer {
    pub(crate) fn with_limit(limit: usize) -> Self {
        Framer { lines: Mutex::new(LineBuffer::with_limit(limit)) }
    }
}

#[pymethods]
impl Framer {
    #[new]
    #[pyo3(signature = (limit = mcpgraft::Limits::DEFAULT.message_bytes))]
    fn new(limit: usize) -> Self {
        Self::with_limit(limit)
    }

    fn feed<'py>(&self, py: Python<'py>, data: &[u8]) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
        let mut lines = lock(&self.lines)?;
        let mut rest = data;
        let mut found = Vec::new();
        while let Some(frame) = lines.next(&mut rest) {
            found.push(line(py, &frame));
        }
        Ok(found)
    }

    fn finish<'py>(&self, py: Python<'py>) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
        let mut lines = lock(&self.lines)?;
        Ok(lines.finish().iter().map(|frame| line(py, frame)).collect())
    }
}
