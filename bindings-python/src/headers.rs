//! The headers of a request, from Python.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

/// The headers of a request, one after the other: two pieces of memory, however many there are.
#[derive(Default)]
pub(crate) struct HeaderText {
    names: String,
    values: Vec<u8>,
    /// Where each name and each value ends.
    ends: Vec<(usize, usize)>,
}

impl HeaderText {
    /// Headers as hosts hand them over: bytes, as ASGI does, or text decoded from Latin-1, as WSGI does.
    pub(crate) fn read(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut read = HeaderText {
            names: String::with_capacity(256),
            values: Vec::with_capacity(512),
            ends: Vec::with_capacity(16),
        };
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
        if let Ok(value) = value.cast::<PyBytes>() {
            self.values.extend_from_slice(value.as_bytes());
        } else {
            let text: String = value.extract()?;
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
