//! What goes to the peer when its message cannot be served. A fault never ends a session.

use core::fmt::{self, Write as _};

use crate::json::{Full, JsonError, Sink, Str, Writer};
use crate::jsonrpc::{Id, Malformed};
use crate::revision::{Era, Revision, RevisionSet, codes};

/// The peer's mistake, as the JSON-RPC error it is answered with.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Fault<'m> {
    /// Not JSON, or not UTF-8, or nested too deeply.
    #[error("{0}")]
    Json(JsonError),
    /// More bytes than the limit.
    #[error("the message is longer than {limit} bytes")]
    TooLong {
        /// `Limits::message_bytes`
        limit: usize,
    },
    /// JSON, but not a message.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// An array where batches do not exist.
    #[error("batches are received in sessions of revision 2025-03-26 only")]
    NoBatch,
    /// `[]`
    #[error("a batch must hold at least one message")]
    EmptyBatch,
    /// More messages than the limit.
    #[error("the batch holds more than {limit} messages")]
    LongBatch {
        /// `Limits::batch`
        limit: usize,
    },
    /// `initialize` in a batch.
    #[error("initialize must not be part of a batch")]
    InitializeInBatch,
    /// A request of the handshake era without a handshake.
    #[error("the session is not initialized: send initialize first, or say the version in _meta")]
    NotInitialized,
    /// A second `initialize`.
    #[error("the session is initialized already")]
    AlreadyInitialized,
    /// A request of the handshake era that names no session, where sessions are kept.
    #[error("the header Mcp-Session-Id is missing: send initialize first, or say the version in _meta")]
    NoSession,
    /// The session it names is unknown or over.
    #[error("the session is unknown or over: send initialize again")]
    SessionGone,
    /// An id that is in use: by a call in work, or by an earlier request of the same batch.
    #[error("a request with this id is still in work")]
    DuplicateId,
    /// A response where none may come.
    #[error("the server asked nothing: responses are not accepted here")]
    NoResponse,
    /// No room for another call.
    #[error("too many requests are in work; the limit is {limit}")]
    Busy {
        /// `Limits::in_flight`
        limit: usize,
    },
    /// No room for another subscription.
    #[error("too many resources are subscribed to; the limit is {limit}")]
    TooManySubscriptions {
        /// `Limits::subscriptions`
        limit: usize,
    },
    /// No such method here.
    #[error("method not found: {}", Shown(*.method))]
    NoMethod {
        /// As it was asked for.
        method: Str<'m>,
    },
    /// The envelope in `_meta` is incomplete.
    #[error("params._meta[\"{field}\"] must be {expected}")]
    Envelope {
        /// Key in `_meta`.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A parameter is missing or of the wrong type.
    #[error("params.{field} must be {expected}")]
    Param {
        /// Path below `params`.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// `params` itself.
    #[error("params must be an object")]
    Params,
    /// A key that stands twice where readers could disagree.
    #[error("the key \"{field}\" stands twice")]
    Twice {
        /// The key.
        field: &'static str,
    },
    /// A prompt argument that is required.
    #[error("the prompt needs the argument {}", Shown(*.name))]
    PromptArgument {
        /// Its name.
        name: Str<'m>,
    },
    /// Unknown tool.
    #[error("unknown tool: {}", Shown(*.name))]
    NoTool {
        /// As it was asked for.
        name: Str<'m>,
    },
    /// A tool that answers by a task only (`2025-11-25`).
    #[error("the tool {} is called as a task only: send params.task, too", Shown(*.name))]
    TaskNeeded {
        /// Its name.
        name: Str<'m>,
    },
    /// A tool that is never a task (`2025-11-25`).
    #[error("the tool {} cannot be called as a task: leave params.task out", Shown(*.name))]
    TaskForbidden {
        /// Its name.
        name: Str<'m>,
    },
    /// Unknown prompt.
    #[error("unknown prompt: {}", Shown(*.name))]
    NoPrompt {
        /// As it was asked for.
        name: Str<'m>,
    },
    /// Unknown resource.
    #[error("resource not found: {}", Shown(*.uri))]
    NoResource {
        /// As it was asked for.
        uri: Str<'m>,
    },
    /// A cursor that was not issued here, or is no longer good.
    #[error("params.cursor was not issued by this server or is no longer valid; list again from the start")]
    Cursor,
    /// The revision is not served.
    #[error("protocol version {} is not supported", Shown(*.requested))]
    Version {
        /// As it was asked for.
        requested: Str<'m>,
    },
    /// The revision in the header of a request that says none in its body is not served.
    #[error("protocol version \"{requested:.64}\" is not supported")]
    VersionHeader {
        /// As it was asked for.
        requested: &'m str,
    },
    /// The client did not declare the extension for tasks with this request.
    #[error("the client capability extensions[\"io.modelcontextprotocol/tasks\"] is needed for this")]
    NoTasks,
    /// A mirror header of HTTP.
    #[error("the header {header} {why}")]
    Header {
        /// Its name.
        header: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A mirror header of HTTP for one argument of a tool.
    #[error("the header Mcp-Param-{param} {why}")]
    ParamHeader {
        /// Its name after the prefix.
        param: Str<'m>,
        /// What is wrong with it.
        why: &'static str,
    },
}

impl Fault<'_> {
    /// The JSON-RPC error code for a peer of this revision.
    #[must_use]
    pub fn code(&self, revision: Revision) -> i32 {
        match self {
            Fault::Json(_) => codes::PARSE_ERROR,
            Fault::TooLong { .. }
            | Fault::Malformed(_)
            | Fault::NoBatch
            | Fault::EmptyBatch
            | Fault::LongBatch { .. }
            | Fault::InitializeInBatch
            | Fault::NotInitialized
            | Fault::AlreadyInitialized
            | Fault::NoSession
            | Fault::SessionGone
            | Fault::DuplicateId
            | Fault::NoResponse
            | Fault::Twice { .. } => codes::INVALID_REQUEST,
            Fault::Busy { .. } | Fault::TooManySubscriptions { .. } => codes::INTERNAL_ERROR,
            Fault::NoMethod { .. } | Fault::TaskNeeded { .. } | Fault::TaskForbidden { .. } => {
                codes::METHOD_NOT_FOUND
            }
            Fault::Envelope { .. }
            | Fault::Param { .. }
            | Fault::Params
            | Fault::PromptArgument { .. }
            | Fault::NoTool { .. }
            | Fault::NoPrompt { .. }
            | Fault::Cursor => codes::INVALID_PARAMS,
            Fault::NoResource { .. } => revision.row().resource_not_found,
            Fault::Version { .. } | Fault::VersionHeader { .. } => codes::UNSUPPORTED_VERSION,
            Fault::NoTasks => codes::MISSING_CAPABILITY,
            Fault::Header { .. } | Fault::ParamHeader { .. } => codes::HEADER_MISMATCH,
        }
    }

    /// Writes the error answer. `revision` is the peer's, as far as it is known.
    ///
    /// # Errors
    /// [`Full`]: no room; the output is to be cut back by the caller.
    pub(crate) fn write<S: Sink + ?Sized>(
        &self,
        id: Option<Id<'_>>,
        revision: Option<Revision>,
        served: RevisionSet,
        out: &mut S,
    ) -> Result<(), Full> {
        let mut message = heapless::String::<256>::new();
        // A message that does not fit is cut short: it is for people.
        let _ = write!(message, "{self}");
        let code = match self {
            // To a client that looks for the stateless era, its code would say that it is served here.
            Fault::VersionHeader { .. } if !served.serves(Era::Stateless) => codes::INVALID_REQUEST,
            _ => self.code(revision.unwrap_or(Revision::NEWEST)),
        };
        let mut w = open(id, revision, code, &message, out)?;
        match self {
            Fault::NoResource { uri } => {
                w.key("data")?;
                w.begin_object()?;
                w.key("uri")?;
                w.raw_text(uri.raw())?;
                w.end_object()?;
            }
            Fault::Version { requested } => {
                w.key("data")?;
                w.begin_object()?;
                supported(&mut w, served, Revision::of(*requested))?;
                w.key("requested")?;
                w.raw_text(requested.raw())?;
                w.end_object()?;
            }
            Fault::VersionHeader { requested } => {
                w.key("data")?;
                w.begin_object()?;
                supported(&mut w, served, Revision::parse(requested))?;
                w.field_str("requested", requested)?;
                w.end_object()?;
            }
            Fault::NoTasks => {
                w.key("data")?;
                w.raw_text(
                    r#"{"requiredCapabilities":{"extensions":{"io.modelcontextprotocol/tasks":{}}}}"#,
                )?;
            }
            Fault::Envelope { field, .. } => {
                w.key("data")?;
                w.begin_object()?;
                w.field_str("field", field)?;
                supported(&mut w, served, None)?;
                w.end_object()?;
            }
            _ => {}
        }
        close(&mut w)
    }
}

/// Writes the start of an error answer, up to and including the message.
pub(crate) fn open<'s, S: Sink + ?Sized>(
    id: Option<Id<'_>>,
    revision: Option<Revision>,
    code: i32,
    message: &str,
    out: &'s mut S,
) -> Result<Writer<'s, S>, Full> {
    let mut w = Writer::new(out);
    w.begin_object()?;
    w.field_str("jsonrpc", "2.0")?;
    match id {
        Some(id) => {
            w.key("id")?;
            w.raw_text(id.text())?;
        }
        None if revision.is_some_and(|revision| revision.row().null_id) => {
            w.key("id")?;
            w.null()?;
        }
        None => {}
    }
    w.key("error")?;
    w.begin_object()?;
    w.key("code")?;
    w.i64(i64::from(code))?;
    w.field_str("message", message)?;
    Ok(w)
}

/// Writes the end of an error answer.
pub(crate) fn close<S: Sink + ?Sized>(w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.end_object()?;
    w.end_object()
}

/// Writes `supported`: the served revisions, newest first.
///
/// A client whose *handshake* revision was refused in a stateless request would find it in the full list and try
/// again for ever, so it gets the stateless ones only.
fn supported<S: Sink + ?Sized>(
    w: &mut Writer<'_, S>,
    served: RevisionSet,
    refused: Option<Revision>,
) -> Result<(), Full> {
    let stateless_only = refused.is_some_and(|revision| revision.era() == Era::Handshake);
    w.key("supported")?;
    w.begin_array()?;
    for revision in served.newest_first().filter(|revision| !stateless_only || revision.is_stateless()) {
        w.string(revision.name())?;
    }
    w.end_array()
}

/// A peer's string in a message for people: decoded, in quotes, not longer than 64 characters.
struct Shown<'m>(Str<'m>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for (at, c) in self.0.chars().enumerate() {
            if at == 64 {
                f.write_char('…')?;
                break;
            }
            f.write_char(if c.is_control() { ' ' } else { c })?;
        }
        f.write_char('"')
    }
}
