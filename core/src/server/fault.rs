//! What goes to the peer when its message cannot be served. A fault never ends a session.

use core::fmt;

use super::Server;
use crate::catalog::Catalog;
use crate::json::{Full, JsonError, Sink, Str, Writer, digits};
use crate::jsonrpc::{self, Id, Malformed, Say};
use crate::limits::TOKEN_BYTES;
use crate::revision::methods::Feature;
use crate::revision::{Era, Revision, RevisionSet, codes};

/// The peer's mistake, as the JSON-RPC error it is answered with.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Fault<'m> {
    /// Not JSON, or not UTF-8, or nested too deeply.
    Json(JsonError),
    /// More bytes than the limit.
    TooLong {
        /// `Limits::message_bytes`
        limit: usize,
    },
    /// JSON, but not a message.
    Malformed(Malformed),
    /// An array where batches do not exist.
    NoBatch,
    /// `[]`
    EmptyBatch,
    /// More messages than the limit.
    LongBatch {
        /// `Limits::batch`
        limit: usize,
    },
    /// `initialize` in a batch.
    InitializeInBatch,
    /// A request of the handshake era without a handshake.
    NotInitialized,
    /// A second `initialize`.
    AlreadyInitialized,
    /// A request of the handshake era that names no session, where sessions are kept.
    NoSession,
    /// The session it names is unknown or over.
    SessionGone,
    /// An id that is in use: by a call in work, or by an earlier request of the same batch.
    DuplicateId,
    /// A response where none may come.
    NoResponse,
    /// No room for another call.
    Busy {
        /// `Limits::in_flight`
        limit: usize,
    },
    /// No room for another subscription.
    TooManySubscriptions {
        /// `Limits::subscriptions`
        limit: usize,
    },
    /// No such method here.
    NoMethod {
        /// As it was asked for.
        method: Str<'m>,
    },
    /// The envelope in `_meta` is incomplete.
    Envelope {
        /// Key in `_meta`.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// A parameter is missing or of the wrong type.
    Param {
        /// Path below `params`.
        field: &'static str,
        /// What belongs there.
        expected: &'static str,
    },
    /// `params` itself.
    Params,
    /// A key that stands twice where readers could disagree.
    Twice {
        /// The key.
        field: &'static str,
    },
    /// A prompt argument that is required.
    PromptArgument {
        /// Its name.
        name: Str<'m>,
    },
    /// Unknown tool.
    NoTool {
        /// As it was asked for.
        name: Str<'m>,
    },
    /// A tool that answers by a task only (`2025-11-25`).
    TaskNeeded {
        /// Its name.
        name: Str<'m>,
    },
    /// A tool that is never a task (`2025-11-25`).
    TaskForbidden {
        /// Its name.
        name: Str<'m>,
    },
    /// Unknown prompt.
    NoPrompt {
        /// As it was asked for.
        name: Str<'m>,
    },
    /// Unknown resource.
    NoResource {
        /// As it was asked for.
        uri: Str<'m>,
    },
    /// A cursor that was not issued here, or is no longer good.
    Cursor,
    /// The revision is not served.
    Version {
        /// As it was asked for.
        requested: Str<'m>,
    },
    /// The revision in the header of a request that says none in its body is not served.
    VersionHeader {
        /// As it was asked for.
        requested: &'m str,
    },
    /// The client did not declare the extension for tasks with this request.
    NoTasks,
    /// A mirror header of HTTP.
    Header {
        /// Its name.
        header: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A mirror header of HTTP for one argument of a tool.
    ParamHeader {
        /// Its name after the prefix.
        param: Str<'m>,
        /// What is wrong with it.
        why: &'static str,
    },
}

/// Makes the table of what each fault says, and the way from a fault to its row: no row can be another fault's.
macro_rules! said {
    ($($fault:ident: $text:literal, $code:expr;)*) => {
        /// A `%` is filled in. A table is less code than a text and a number for each.
        static SAID: [(&str, i32); [$($text),*].len()] = [$(($text, $code)),*];

        #[derive(Clone, Copy)]
        enum Row { $($fault),* }

        impl Row {
            fn of(fault: &Fault<'_>) -> Self {
                match fault { $(Fault::$fault { .. } => Row::$fault),* }
            }
        }
    };
}

said! {
    Json: "invalid JSON at byte %: ", codes::PARSE_ERROR;
    TooLong: "the message is longer than % bytes", codes::INVALID_REQUEST;
    Malformed: "", codes::INVALID_REQUEST;
    NoBatch: "batches are received in sessions of revision 2025-03-26 only", codes::INVALID_REQUEST;
    EmptyBatch: "a batch must hold at least one message", codes::INVALID_REQUEST;
    LongBatch: "the batch holds more than % messages", codes::INVALID_REQUEST;
    InitializeInBatch: "initialize must not be part of a batch", codes::INVALID_REQUEST;
    NotInitialized: "the session is not initialized: send initialize first, or say the version in _meta", codes::INVALID_REQUEST;
    AlreadyInitialized: "the session is initialized already", codes::INVALID_REQUEST;
    NoSession: "the header Mcp-Session-Id is missing: send initialize first, or say the version in _meta", codes::INVALID_REQUEST;
    SessionGone: "the session is unknown or over: send initialize again", codes::INVALID_REQUEST;
    DuplicateId: "a request with this id is still in work", codes::INVALID_REQUEST;
    NoResponse: "the server asked nothing: responses are not accepted here", codes::INVALID_REQUEST;
    Busy: "too many requests are in work; the limit is %", codes::INTERNAL_ERROR;
    TooManySubscriptions: "too many resources are subscribed to; the limit is %", codes::INTERNAL_ERROR;
    NoMethod: "method not found: %", codes::METHOD_NOT_FOUND;
    Envelope: "params._meta[\"%\"] must be ", codes::INVALID_PARAMS;
    Param: "params.% must be ", codes::INVALID_PARAMS;
    Params: "params must be an object", codes::INVALID_PARAMS;
    Twice: "the key \"%\" stands twice", codes::INVALID_REQUEST;
    PromptArgument: "the prompt needs the argument %", codes::INVALID_PARAMS;
    NoTool: "unknown tool: %", codes::INVALID_PARAMS;
    TaskNeeded: "the tool % is called as a task only: send params.task, too", codes::METHOD_NOT_FOUND;
    TaskForbidden: "the tool % cannot be called as a task: leave params.task out", codes::METHOD_NOT_FOUND;
    NoPrompt: "unknown prompt: %", codes::INVALID_PARAMS;
    NoResource: "resource not found: %", codes::INVALID_PARAMS;
    Cursor: "params.cursor was not issued by this server or is no longer valid; list again from the start", codes::INVALID_PARAMS;
    Version: "protocol version % is not supported", codes::UNSUPPORTED_VERSION;
    VersionHeader: "protocol version \"%\" is not supported", codes::UNSUPPORTED_VERSION;
    NoTasks: "the client capability extensions[\"io.modelcontextprotocol/tasks\"] is needed for this", codes::MISSING_CAPABILITY;
    Header: "the header % ", codes::HEADER_MISMATCH;
    ParamHeader: "the header Mcp-Param-% ", codes::HEADER_MISMATCH;
}

impl Fault<'_> {
    /// Says it in words, piece by piece. `http`: it may be about a header.
    fn say(&self, http: bool, put: &mut Say<'_>) -> fmt::Result {
        let (mut text, _) = self.said();
        let (fill, end) = match *self {
            // What has no headers links nothing of them.
            Fault::VersionHeader { .. } | Fault::Header { .. } | Fault::ParamHeader { .. } if !http => {
                (Fill::Text(""), "")
            }
            Fault::Malformed(why) => {
                text = why.text();
                match why {
                    Malformed::Twice(name) => (Fill::Text(name), ""),
                    Malformed::LongId => (Fill::Number(TOKEN_BYTES), ""),
                    _ => (Fill::Text(""), ""),
                }
            }
            Fault::Json(JsonError { kind, offset }) => (Fill::Number(offset), kind.text()),
            Fault::TooLong { limit }
            | Fault::LongBatch { limit }
            | Fault::Busy { limit }
            | Fault::TooManySubscriptions { limit } => (Fill::Number(limit), ""),
            Fault::NoMethod { method: text }
            | Fault::PromptArgument { name: text }
            | Fault::NoTool { name: text }
            | Fault::TaskNeeded { name: text }
            | Fault::TaskForbidden { name: text }
            | Fault::NoPrompt { name: text }
            | Fault::NoResource { uri: text }
            | Fault::Version { requested: text } => (Fill::Quoted(text), ""),
            Fault::VersionHeader { requested } => (Fill::Short(requested), ""),
            Fault::Envelope { field, expected } | Fault::Param { field, expected } => {
                (Fill::Text(field), expected)
            }
            Fault::Twice { field } => (Fill::Text(field), ""),
            Fault::Header { header, why } => (Fill::Text(header), why),
            Fault::ParamHeader { param, why } => (Fill::Plain(param), why),
            _ => (Fill::Text(""), ""),
        };
        let (before, after) = jsonrpc::gap(text);
        put(before)?;
        match fill {
            Fill::Text(text) => put(text)?,
            Fill::Number(number) => put(&digits::unsigned(number as u64))?,
            Fill::Quoted(text) => shown(text, put)?,
            Fill::Plain(text) => text.chars().try_for_each(|c| put(c.encode_utf8(&mut [0; 4])))?,
            Fill::Short(text) => {
                text.chars().take(SHOWN).try_for_each(|c| put(c.encode_utf8(&mut [0; 4])))?
            }
        }
        put(after)?;
        put(end)
    }

    /// Its row of the table.
    fn said(&self) -> (&'static str, i32) {
        SAID.get(Row::of(self) as usize).copied().unwrap_or(("", codes::INTERNAL_ERROR))
    }

    /// The JSON-RPC error code for a peer of this revision.
    #[must_use]
    pub fn code(&self, revision: Revision) -> i32 {
        match self {
            Fault::NoResource { .. } => revision.row().resource_not_found,
            _ => self.said().1,
        }
    }

    /// Writes the error answer. `revision` is the peer's, as far as it is known.
    ///
    /// # Errors
    /// [`Full`]: no room; the output is to be cut back by the caller.
    pub(crate) fn write<C: Catalog, S: Sink + ?Sized>(
        &self,
        id: Option<Id<'_>>,
        revision: Option<Revision>,
        server: &Server<'_, C>,
        http: bool,
        out: &mut S,
    ) -> Result<(), Full> {
        let served = server.profile.revisions;
        let can = |feature| server.catalog.can(feature);
        let code = match self {
            // To a client that looks for the stateless era, its code would say that it is served here.
            Fault::VersionHeader { .. } if http && !served.serves(Era::Stateless) => codes::INVALID_REQUEST,
            _ => self.code(revision.unwrap_or(Revision::NEWEST)),
        };
        let mut w = begin(id, revision, code, out)?;
        let mut left = MESSAGE_BYTES;
        w.string_by(|put| {
            // A message that does not fit is cut short: it is for people.
            let _ = self.say(http, &mut |piece| {
                left = left.checked_sub(piece.len()).ok_or(fmt::Error)?;
                put(piece)
            });
        })?;
        match self {
            Fault::NoResource { uri } if can(Feature::Resources) => {
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
            Fault::VersionHeader { requested } if http => {
                w.key("data")?;
                w.begin_object()?;
                supported(&mut w, served, Revision::parse(requested))?;
                w.field_str("requested", requested)?;
                w.end_object()?;
            }
            Fault::NoTasks if can(Feature::Tasks) => {
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
    let mut w = begin(id, revision, code, out)?;
    w.string(message)?;
    Ok(w)
}

/// Writes the start of an error answer, up to the message.
fn begin<'s, S: Sink + ?Sized>(
    id: Option<Id<'_>>,
    revision: Option<Revision>,
    code: i32,
    out: &'s mut S,
) -> Result<Writer<'s, S>, Full> {
    let mut w = Writer::new(out);
    w.fragment(r#"{"jsonrpc":"2.0""#, true)?;
    let id = match id {
        Some(id) => Some(id.text()),
        None if revision.is_some_and(|revision| revision.row().null_id) => Some("null"),
        None => None,
    };
    if let Some(id) = id {
        w.key("id")?;
        w.raw_text(id)?;
    }
    w.fragment(r#""error":{"code":"#, false)?;
    w.i64(i64::from(code))?;
    w.key("message")?;
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

/// What is filled into a sentence.
enum Fill<'m> {
    Text(&'m str),
    Number(usize),
    /// A peer's string: see [`shown`].
    Quoted(Str<'m>),
    /// A string of the host's own.
    Plain(Str<'m>),
    /// No more than [`SHOWN`] characters of a text.
    Short(&'m str),
}

/// Longest message in words.
const MESSAGE_BYTES: usize = 256;

/// Most characters of a peer's string in a message for people.
const SHOWN: usize = 64;

/// A peer's string in a message for people: decoded, in quotes, not longer than [`SHOWN`] characters.
fn shown(text: Str<'_>, put: &mut Say<'_>) -> fmt::Result {
    put("\"")?;
    for (at, c) in text.chars().enumerate() {
        if at == SHOWN {
            put("…")?;
            break;
        }
        put(if c.is_control() { ' ' } else { c }.encode_utf8(&mut [0; 4]))?;
    }
    put("\"")
}

impl fmt::Display for Fault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.say(true, &mut |piece| f.write_str(piece))
    }
}

impl core::error::Error for Fault<'_> {}

impl From<Malformed> for Fault<'_> {
    fn from(why: Malformed) -> Self {
        Fault::Malformed(why)
    }
}
