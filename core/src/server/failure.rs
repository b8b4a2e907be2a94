//! How a call failed, and the JSON-RPC error that is for a peer.

use crate::error::LocalError;
use crate::json::{Full, Raw, Sink, Writer};
use crate::revision::{Revision, codes};

/// How a call failed, in the host's words. Each revision gets the form it knows.
#[derive(Clone, Copy, Debug)]
pub enum Failure<'a> {
    /// The tool ran and failed: a result with `isError`, which the model sees. For tool calls only; elsewhere it is
    /// an internal error.
    Tool(&'a str),
    /// There is no such tool, prompt or resource; for `resources/read`, the URI.
    NotFound(&'a str),
    /// A parameter is wrong.
    InvalidParams(&'a str),
    /// The host does not know this method after all.
    NoMethod(&'a str),
    /// The host failed. Say no more than a stranger may read.
    Internal(&'a str),
    /// The call needs client capabilities that were not declared.
    MissingCapability {
        /// A `ClientCapabilities` object with what is needed.
        needed: Raw<'a>,
        /// For people.
        message: &'a str,
    },
    /// An error of the application's own. A code the protocol reserves for itself becomes -32603.
    Custom {
        /// Outside -32768 to -32000, or one the revision defines.
        code: i32,
        /// One concise sentence.
        message: &'a str,
        /// Any JSON value.
        data: Option<Raw<'a>>,
    },
}

/// A JSON-RPC error.
pub(crate) struct Described<'a> {
    pub(crate) code: i32,
    pub(crate) message: &'a str,
    pub(crate) data: Data<'a>,
}

/// What a JSON-RPC error says besides.
pub(crate) enum Data<'a> {
    None,
    Any(Raw<'a>),
    Uri(&'a str),
    Capabilities(Raw<'a>),
}

impl<'a> Failure<'a> {
    /// The failure that bindings name with a word: `tool`, `not_found`, `invalid_params`, `method_not_found`, `internal`,
    /// `missing_capability` (needs `data`, the capabilities), `custom` (needs `code`, takes `data`).
    ///
    /// # Errors
    /// What is missing or not known, in words.
    pub fn named(
        kind: &str,
        message: &'a str,
        code: Option<i32>,
        data: Option<Raw<'a>>,
    ) -> Result<Self, &'static str> {
        Ok(match kind {
            "tool" => Failure::Tool(message),
            "not_found" => Failure::NotFound(message),
            "invalid_params" => Failure::InvalidParams(message),
            "method_not_found" => Failure::NoMethod(message),
            "internal" => Failure::Internal(message),
            "missing_capability" => {
                let needed = data.ok_or("data must hold the needed capabilities")?;
                Failure::MissingCapability { needed, message }
            }
            "custom" => {
                let code = code.ok_or("a custom failure needs a code")?;
                Failure::Custom { code, message, data }
            }
            _ => {
                return Err(
                    "failure must be \"tool\", \"not_found\", \"invalid_params\", \"method_not_found\", \
                     \"internal\", \"missing_capability\" or \"custom\"",
                );
            }
        })
    }

    /// The text of the `isError` result it is to a peer of this revision that called a tool; `None`: it is an error.
    pub(crate) fn of_tool(&self, revision: Revision) -> Option<&'a str> {
        match *self {
            Failure::Tool(text) => Some(text),
            // Only stateless revisions have a code for it; a model can read a tool's text.
            Failure::MissingCapability { message, .. } if !revision.is_stateless() => Some(message),
            _ => None,
        }
    }

    /// The JSON-RPC error it is to a peer of this revision.
    pub(crate) fn describe(&self, revision: Revision) -> Result<Described<'a>, LocalError> {
        let (code, message, data) = match *self {
            Failure::Tool(text) | Failure::Internal(text) => (codes::INTERNAL_ERROR, text, Data::None),
            Failure::NotFound(text) | Failure::InvalidParams(text) => {
                (codes::INVALID_PARAMS, text, Data::None)
            }
            Failure::NoMethod(text) => (codes::METHOD_NOT_FOUND, text, Data::None),
            Failure::MissingCapability { needed, message } => {
                if !needed.is_object() {
                    return Err(LocalError::BadResult("\"requiredCapabilities\" must be an object"));
                }
                if revision.is_stateless() {
                    (codes::MISSING_CAPABILITY, message, Data::Capabilities(needed))
                } else {
                    (codes::INTERNAL_ERROR, message, Data::None)
                }
            }
            Failure::Custom { code, message, data } => {
                let code = if codes::may_send(code, revision) { code } else { codes::INTERNAL_ERROR };
                (code, message, data.map_or(Data::None, Data::Any))
            }
        };
        Ok(Described { code, message, data })
    }
}

impl Described<'_> {
    /// Writes the members of an `error` object.
    pub(crate) fn members<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        w.key("code")?;
        w.i64(i64::from(self.code))?;
        w.field_str("message", self.message)?;
        self.data(w)
    }

    /// Writes its `data`, if there is any.
    pub(crate) fn data<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        if matches!(self.data, Data::None) {
            return Ok(());
        }
        w.key("data")?;
        match self.data {
            Data::None => w.null(),
            Data::Any(value) => w.raw(value),
            Data::Uri(uri) => {
                w.begin_object()?;
                w.field_str("uri", uri)?;
                w.end_object()
            }
            Data::Capabilities(needed) => {
                w.begin_object()?;
                w.field("requiredCapabilities", needed)?;
                w.end_object()
            }
        }
    }
}
