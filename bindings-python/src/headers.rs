//! The headers of a request, from Python.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

/// The headers of a request, one after the other: two pieces of memory, however many there are.
#[derive(Default)]
pub(crate) struct HeaderText {
    names: String,
    values: Vec<u8>,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl HeaderText {
    /// Headers as hosts hand them over: pairs of bytes, as in ASGI, or of text decoded from Latin-1; or the environ of
    /// WSGI, which has them among other things (PEP 3333, "environ Variables").
    pub(crate) fn read(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut read = HeaderText {
            names: String::with_capacity(256),
            values: Vec::with_capacity(512),
            ends: Vec::with_capacity(16),
        };
        if let Ok(environ) = given.cast::<PyDict>() {
            for (name, value) in environ.iter() {
                read.add_variable(&name, &value)?;
            }
            return Ok(read);
        }
        for pair in given.try_iter()? {
            let pair = pair?;
            if let Ok(pair) = pair.cast::<PyTuple>() {
                read.add(&pair.get_item(0)?, &pair.get_item(1)?)?;
            } else {
                read.add(&pair.get_item(0)?, &pair.get_item(1)?)?;
            }
        }
        Ok(read)
    }

    fn add_variable(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(name) = name.cast::<PyString>() else { return Ok(()) };
        let name = name.to_cow()?;
        match name.strip_prefix("HTTP_") {
            Some(header) => {
                self.names
                    .extend(header.chars().map(|c| if c == '_' { '-' } else { c.to_ascii_lowercase() }));
            }
            // Servers may set these to "" when absent.
            None if name == "CONTENT_TYPE" && value.is_truthy()? => self.names.push_str("content-type"),
            None if name == "CONTENT_LENGTH" && value.is_truthy()? => self.names.push_str("content-length"),
            None => return Ok(()),
        }
        self.add_value(value)
    }

    fn add(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(name) = name.cast::<PyBytes>() {
            match std::str::from_utf8(name.as_bytes()) {
                Ok(name) => self.names.push_str(name),
                // No name of a header; what is left of it is one that nobody looks for.
                Err(_) => self.names.extend(name.as_bytes().iter().map(|b| char::from(*b))),
            }
        } else {
            self.names.push_str(&name.extract::<String>()?);
        }
        self.add_value(value)
    }

    fn add_value(&mut self, value: &Bound<'_, PyAny>) -> PyResult<()> {
        if let Ok(value) = value.cast::<PyBytes>() {
            self.values.extend_from_slice(value.as_bytes());
        } else {
            let text = value.cast::<PyString>()?.to_cow()?;
            let start = self.values.len();
            for c in text.chars() {
                if let Ok(byte) = u8::try_from(u32::from(c)) {
                    self.values.push(byte);
                } else {
                    // Not decoded from Latin-1, after all.
                    self.values.truncate(start);
                    self.values.extend_from_slice(text.as_bytes());
                    break;
                }
            }
        }
        self.ends.push((self.names.len(), self.values.len()));
        Ok(())
    }

    /// As the core takes them.
    pub(crate) fn borrow(&self) -> Vec<(&str, &[u8])> {
        let mut begin = (0, 0);
        let cut = |end: &(usize, usize)| {
            let (name, value) = (self.names.get(begin.0..end.0), self.values.get(begin.1..end.1));
            begin = *end;
            (name.unwrap_or_default(), value.unwrap_or_default())
        };
        self.ends.iter().map(cut).collect()
    }
}
