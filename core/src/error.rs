//! The host's mistakes. What goes to the peer is `server::Fault`.

use crate::json::{Full, JsonErrorKind};

/// A call into this library that cannot be done. The state is as if the call had not been made, and nothing was
/// left in the output.
///
/// Codes are stable and the same in every binding: a retired one is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The output has no room for the answer. Give more room and call again.
    #[error("the output buffer is too small for the message")]
    OutputFull,
    /// The key names no call in work: it was answered already, or belongs to another session.
    #[error("the call key is unknown: it was answered already, or belongs to another session or exchange")]
    UnknownCall,
    /// The result is not one valid JSON value.
    #[error("the result is not valid JSON: {0}")]
    BadJson(JsonErrorKind),
    /// The result is JSON, but cannot be the result of this call.
    #[error("the result cannot be sent: {0}")]
    BadResult(&'static str),
    /// A definition for the catalogue is not usable.
    #[error("the definition cannot be used: {0}")]
    BadDefinition(&'static str),
    /// The notification cannot be sent to this peer or at this time.
    #[error("the message cannot be sent: {0}")]
    NotAllowed(&'static str),
    /// A batch has a call that was not answered yet.
    #[error("answer the batch's current call before asking for the next")]
    BatchPending,
    /// The exchange was answered already.
    #[error("the exchange is over: it was answered or closed")]
    Over,
}

impl LocalError {
    /// The stable number of this error.
    #[must_use]
    pub const fn code(&self) -> u32 {
        match self {
            LocalError::OutputFull => 1,
            LocalError::UnknownCall => 2,
            LocalError::BadJson(_) => 3,
            LocalError::BadResult(_) => 4,
            LocalError::BadDefinition(_) => 5,
            LocalError::NotAllowed(_) => 6,
            LocalError::BatchPending => 7,
            LocalError::Over => 8,
        }
    }

    /// The stable name of this error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            LocalError::OutputFull => "output_full",
            LocalError::UnknownCall => "unknown_call",
            LocalError::BadJson(_) => "bad_json",
            LocalError::BadResult(_) => "bad_result",
            LocalError::BadDefinition(_) => "bad_definition",
            LocalError::NotAllowed(_) => "not_allowed",
            LocalError::BatchPending => "batch_pending",
            LocalError::Over => "over",
        }
    }
}

impl From<Full> for LocalError {
    fn from(_: Full) -> Self {
        LocalError::OutputFull
    }
}
