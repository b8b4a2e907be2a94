//! The headers of a request, from Python.

use std::borrow::Cow;

use mcpgraft::http::Headers;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

/// The headers of a request that the core looks at, one after the other: two pieces of memory, however many there are.
#[derive(Default)]
pub(crate) struct HeaderText {
    /// Of the headers that mirror arguments.
    names: String,
    values: Vec<u8>,
    ends: Vec<End>,
}

/// Where a name and its value end.
struct End {
    /// The name, if it is one that the core knows: it stands nowhere else then.
    known: Option<&'static str>,
    name: usize,
    value: usize,
}

impl HeaderText {
    /// Headers as hosts hand them over: pairs of bytes, as in ASGI, or of text decoded from Latin-1; or the environ of
    /// WSGI, which has them among other things (PEP 3333, "environ Variables").
    pub(crate) fn read(given: &Bound<'_, PyAny>) -> PyResult<Self> {
        let mut read =
            HeaderText { names: String::new(), values: Vec::with_capacity(256), ends: Vec::with_capacity(8) };
        if let Ok(environ) = given.cast::<PyDict>() {
            for (name, value) in environ.iter() {
                read.add_variable(&name, &value)?;
            }
        } else if let Ok(pairs) = given.cast::<PyList>() {
            for pair in pairs.iter() {
                read.add_pair(&pair)?;
            }
        } else {
            for pair in given.try_iter()? {
                read.add_pair(&pair?)?;
            }
        }
        Ok(read)
    }

    fn add_variable(&mut self, name: &Bound<'_, PyAny>, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let Ok(name) = name.cast::<PyString>() else { return Ok(()) };
        match header_of(&name.to_cow()?, value)? {
            Some(header) => self.add(header.as_bytes(), value),
            None => Ok(()),
        }
    }

    fn add_pair(&mut self, pair: &Bound<'_, PyAny>) -> PyResult<()> {
        let (name, value) = if let Ok(pair) = pair.cast::<PyTuple>() {
            (pair.get_item(0)?, pair.get_item(1)?)
        } else {
            (pair.get_item(0)?, pair.get_item(1)?)
        };
        if let Ok(name) = name.cast::<PyBytes>() {
            self.add(name.as_bytes(), &value)
        } else {
            self.add(name.cast::<PyString>()?.to_cow()?.as_bytes(), &value)
        }
    }

    /// Notes a header, if the core asks for one of that name.
    fn add(&mut self, name: &[u8], value: &Bound<'_, PyAny>) -> PyResult<()> {
        let known = Headers::known(name);
        if known.is_none() {
            if !Headers::mirrors(name) {
                return Ok(());
            }
            // What is no text is no name of a header, and nobody looks for what is left of it.
            self.names.push_str(&String::from_utf8_lossy(name));
        }
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
        self.ends.push(End { known, name: self.names.len(), value: self.values.len() });
        Ok(())
    }

    /// As the core takes them.
    pub(crate) fn borrow(&self) -> Vec<(&str, &[u8])> {
        let mut begin = (0, 0);
        let cut = |end: &End| {
            let own = || self.names.get(begin.0..end.name).unwrap_or_default();
            let (name, value) = (end.known.unwrap_or_else(own), self.values.get(begin.1..end.value));
            begin = (end.name, end.value);
            (name, value.unwrap_or_default())
        };
        self.ends.iter().map(cut).collect()
    }
}

/// The header that a variable of WSGI's environ is, if it is one; its letters' case is lost (PEP 3333, "environ Variables").
fn header_of(variable: &str, value: &Bound<'_, PyAny>) -> PyResult<Option<Cow<'static, str>>> {
    Ok(match variable.strip_prefix("HTTP_") {
        // These two have variables of their own. Some servers give them twice, as nginx before uWSGI does; and a client
        // may have sent `Content_Type`, which is another header.
        Some("CONTENT_TYPE" | "CONTENT_LENGTH") => None,
        Some(header) => Some(header.replace('_', "-").into()),
        // Servers may set these to "" when absent.
        None if variable == "CONTENT_TYPE" && value.is_truthy()? => Some("Content-Type".into()),
        None if variable == "CONTENT_LENGTH" && value.is_truthy()? => Some("Content-Length".into()),
        None => None,
    })
}

/// The headers in an environ of WSGI, for handlers: names in lower case, and values as they are.
#[pyfunction]
pub(crate) fn environ_headers<'py>(
    environ: &Bound<'py, PyDict>,
) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let mut headers = Vec::new();
    for (name, value) in environ.iter() {
        if let Ok(name) = name.cast::<PyString>()
            && let Some(header) = header_of(&name.to_cow()?, &value)?
        {
            headers.push((header.to_ascii_lowercase(), value));
        }
    }
    Ok(headers)
}
