//! What goes wrong, as a status and as text for the people who have to mend it.

use std::fmt;

use mcpgraft::LocalError;
use mcpgraft::json::{Full, JsonError};
use mcpgraft::settings::SettingError;

use crate::abi::mcpgraft_status;

/// Why a function did nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trouble {
    /// The core says so.
    Local(LocalError),
    /// The argument of that name is not JSON.
    Json(&'static str, JsonError),
    /// The argument of that name is not UTF-8.
    Utf8(&'static str),
    /// The argument of that name is NULL.
    Null(&'static str),
    /// The option, or the limit, of that name takes something else.
    Option(&'static str, &'static str),
    /// Anything else.
    Plain(mcpgraft_status, &'static str),
}

impl Trouble {
    /// An argument is out of its range.
    pub(crate) const fn argument(what: &'static str) -> Trouble {
        Trouble::Plain(mcpgraft_status::MCPGRAFT_BAD_ARGUMENT, what)
    }

    /// There is no memory.
    pub(crate) const NO_MEMORY: Trouble =
        Trouble::Plain(mcpgraft_status::MCPGRAFT_NO_MEMORY, "no memory is left");

    /// The status to return.
    pub(crate) fn status(self) -> mcpgraft_status {
        use mcpgraft_status::*;
        match self {
            Trouble::Plain(status, _) => status,
            Trouble::Json(..) => MCPGRAFT_BAD_JSON,
            Trouble::Utf8(_) => MCPGRAFT_NOT_UTF8,
            Trouble::Null(_) => MCPGRAFT_NULL,
            Trouble::Option(..) => MCPGRAFT_BAD_ARGUMENT,
            Trouble::Local(error) => match error {
                LocalError::OutputFull => MCPGRAFT_OUTPUT_FULL,
                LocalError::UnknownCall => MCPGRAFT_UNKNOWN_CALL,
                LocalError::BadJson(_) => MCPGRAFT_BAD_JSON,
                LocalError::BadResult(_) => MCPGRAFT_BAD_RESULT,
                LocalError::BadDefinition(_) => MCPGRAFT_BAD_DEFINITION,
                LocalError::BatchPending => MCPGRAFT_BATCH_PENDING,
                LocalError::Over => MCPGRAFT_OVER,
                // The list may grow; what is new is a refusal until it has a number here.
                _ => MCPGRAFT_NOT_ALLOWED,
            },
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Local(error) => error.fmt(f),
            Trouble::Json(name, error) => write!(f, "{name}: {error}"),
            Trouble::Utf8(name) => write!(f, "{name} is not UTF-8"),
            Trouble::Null(name) => write!(f, "{name} is NULL"),
            Trouble::Option(name, must) => write!(f, "{name} must be {must}"),
            Trouble::Plain(_, what) => f.write_str(what),
        }
    }
}

impl From<Full> for Trouble {
    fn from(_: Full) -> Trouble {
        Trouble::NO_MEMORY
    }
}

impl From<SettingError<'_>> for Trouble {
    fn from(error: SettingError<'_>) -> Trouble {
        match error {
            SettingError::Unknown => {
                Trouble::argument("there is no option of this name; README.md lists them")
            }
            SettingError::Wrong { name, must, .. } => Trouble::Option(name, must),
            SettingError::NoMemory => Trouble::NO_MEMORY,
            _ => Trouble::argument("this option cannot be set so"),
        }
    }
}

impl From<LocalError> for Trouble {
    fn from(error: LocalError) -> Trouble {
        Trouble::Local(error)
    }
}

/// The text of the last trouble of a handle: a fixed place, so that it costs no memory.
#[derive(Debug)]
pub(crate) struct Detail {
    text: [u8; 240],
    len: usize,
}

impl Detail {
    pub(crate) const EMPTY: Detail = Detail { text: [0; 240], len: 0 };

    pub(crate) fn bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }

    pub(crate) fn set(&mut self, what: &dyn fmt::Display) {
        self.len = 0;
        // What does not fit is cut off.
        let _ = fmt::write(self, format_args!("{what}"));
    }
}

impl fmt::Write for Detail {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let free = self.text.len() - self.len;
        let fits = (0..=free.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let target = self.text.get_mut(self.len..self.len + fits).ok_or(fmt::Error)?;
        target.copy_from_slice(text.as_bytes().get(..fits).ok_or(fmt::Error)?);
        self.len += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let mut detail = Detail::EMPTY;
        detail.set(&"é".repeat(200));
        assert_eq!(std::str::from_utf8(detail.bytes()).unwrap().len(), 240);
        detail.set(&format!("x{}", "é".repeat(200)));
        assert_eq!(std::str::from_utf8(detail.bytes()).unwrap().len(), 239);
        detail.set(&"short");
        assert_eq!(detail.bytes(), b"short");
    }
}
