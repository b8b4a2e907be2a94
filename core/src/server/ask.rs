//! Asking the client: elicitation, sampling, roots (client/elicitation, client/sampling, client/roots).
//!
//! A handler says what it needs and ends; when the answers are there it is run again with them. In the handshake
//! era each need is a request of the server's own; in the stateless era all of them leave as one `input_required`
//! result and come back with a retry. What the client may be asked for is decided here, by its capabilities, and what
//! is asked is written here as its revision knows it.

use super::ask_down as down;
use crate::error::LocalError;
use crate::json::{Full, Kind, Raw, Sink, Str, Writer, digits};
use crate::model::ClientCapabilities;
use crate::revision::fields::meta;
use crate::revision::{Revision, fields};

/// Something only the client can give.
#[derive(Clone, Copy, Debug)]
pub enum Ask<'a> {
    /// `elicitation/create`: the user fills in a form.
    Form {
        /// For the user.
        message: &'a str,
        /// A flat JSON Schema object: strings, numbers, booleans and choices.
        schema: Raw<'a>,
    },
    /// `elicitation/create`: the user opens an address (from `2025-11-25`).
    Url {
        /// For the user.
        message: &'a str,
        /// Where to go; no user data and no secrets in it.
        url: &'a str,
        /// Unguessable; names this elicitation in a later `notifications/elicitation/complete` (`2025-11-25`).
        id: &'a str,
    },
    /// `sampling/createMessage`: the client's model writes.
    Sample {
        /// The parameters, in the newest shape.
        params: Raw<'a>,
    },
    /// `roots/list`: which folders the client works in.
    Roots,
    /// A question that a task has [open](super::Task::open), asked on `tasks/result` (`2025-11-25`).
    Task {
        /// Its id.
        id: Str<'a>,
        /// The question as it is kept: `method` and `params`.
        request: Raw<'a>,
    },
}

/// A handle of a question to the client that is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AskKey(pub(crate) u32);

impl AskKey {
    /// The key as a number, for hosts that pass handles through other languages.
    #[must_use]
    pub const fn to_bits(self) -> u32 {
        self.0
    }

    /// The key of that number.
    #[must_use]
    pub const fn from_bits(bits: u32) -> AskKey {
        AskKey(bits)
    }
}

/// Why a client cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unable {
    /// It did not declare the capability; this `ClientCapabilities` object names what is missing.
    Capability(Raw<'static>),
    /// Its revision has no form for what is asked.
    Revision(&'static str),
    /// What is asked is wrong in itself.
    Wrong(&'static str),
}

impl From<Unable> for LocalError {
    fn from(unable: Unable) -> Self {
        match unable {
            Unable::Capability(_) => {
                LocalError::NotAllowed("the client did not declare the capability that is needed")
            }
            Unable::Revision(why) | Unable::Wrong(why) => LocalError::NotAllowed(why),
        }
    }
}

impl<'a> Ask<'a> {
    /// The method of the request.
    #[must_use]
    pub fn method(&self) -> &'static str {
        match self {
            Ask::Form { .. } | Ask::Url { .. } => "elicitation/create",
            Ask::Sample { .. } => "sampling/createMessage",
            Ask::Roots => "roots/list",
            Ask::Task { request, .. } => kept(*request).method(),
        }
    }

    /// Whether this client may be asked, and can be in its revision.
    ///
    /// # Errors
    /// [`Unable`]: it must not be sent.
    pub fn check(&self, capabilities: &ClientCapabilities, revision: Revision) -> Result<(), Unable> {
        let needs =
            |has: bool, needed| if has { Ok(()) } else { Err(Unable::Capability(Raw::trusted(needed))) };
        match self {
            Ask::Roots => needs(capabilities.roots, r#"{"roots":{}}"#),
            Ask::Url { url, .. } => {
                needs(capabilities.elicit_url, r#"{"elicitation":{"url":{}}}"#)?;
                if url.contains("://") {
                    Ok(())
                } else {
                    Err(Unable::Wrong("an elicitation needs a whole URL"))
                }
            }
            Ask::Form { schema, .. } => {
                needs(capabilities.elicit_form, r#"{"elicitation":{}}"#)?;
                down::check_form(*schema, revision)
            }
            Ask::Sample { params } => {
                needs(capabilities.sampling, r#"{"sampling":{}}"#)?;
                if params.get("tools").or(params.get("toolChoice")).is_some() {
                    needs(capabilities.sampling_tools, r#"{"sampling":{"tools":{}}}"#)?;
                }
                down::check_sampling(*params, revision)
            }
            Ask::Task { request, .. } if fields::EXPERIMENTAL_TASKS.has(revision) => {
                kept(*request).check(capabilities, revision)
            }
            Ask::Task { .. } => Err(Unable::Revision("only clients of 2025-11-25 are asked on tasks/result")),
        }
    }

    /// Writes `params`.
    pub(crate) fn params<S: Sink + ?Sized>(
        &self,
        capabilities: &ClientCapabilities,
        revision: Revision,
        w: &mut Writer<'_, S>,
    ) -> Result<(), Full> {
        match self {
            Ask::Roots => {
                w.begin_object()?;
                w.end_object()
            }
            Ask::Form { message, schema } => {
                w.begin_object()?;
                w.field_str("message", message)?;
                w.key("requestedSchema")?;
                down::form(*schema, revision, w)?;
                w.end_object()
            }
            Ask::Url { message, url, id } => {
                w.begin_object()?;
                w.field_str("mode", "url")?;
                w.field_str("message", message)?;
                w.field_str("url", url)?;
                if fields::ELICITATION_ID.has(revision) {
                    w.field_str("elicitationId", id)?;
                }
                w.end_object()
            }
            Ask::Sample { params } => down::sampling(*params, capabilities, revision, w),
            Ask::Task { id, request } => {
                // It was written for this revision when it was kept.
                w.begin_object()?;
                let params = request.get("params");
                let members = params.into_iter().flat_map(Raw::members);
                members.filter(|(key, _)| key != "_meta").try_for_each(|(key, value)| {
                    w.raw_key(key)?;
                    w.raw(value)
                })?;
                w.key("_meta")?;
                w.begin_object()?;
                let own = params.and_then(|params| params.get("_meta")).into_iter().flat_map(Raw::members);
                own.filter(|(key, _)| key != meta::RELATED_TASK).try_for_each(|(key, value)| {
                    w.raw_key(key)?;
                    w.raw(value)
                })?;
                related(*id, w)?;
                w.end_object()?;
                w.end_object()
            }
        }
    }

    /// Whether an answer of the client is of the right kind: what is not counts as not given.
    #[must_use]
    pub fn accepts(&self, answer: Raw<'_>) -> bool {
        let string = |key: &str| answer.get(key).and_then(Raw::str);
        match self {
            Ask::Roots => answer.get("roots").is_some_and(|roots| roots.is_array()),
            Ask::Sample { .. } => {
                answer
                    .get("content")
                    .is_some_and(|content| matches!(content.kind(), Kind::Object | Kind::Array))
                    && string("model").is_some()
                    && string("role").is_some()
            }
            Ask::Task { request, .. } => kept(*request).accepts(answer),
            Ask::Form { .. } | Ask::Url { .. } => {
                let action = string("action");
                let is = |name: &str| action.is_some_and(|action| action == *name);
                let content = answer.get("content").is_none_or(|content| content.is_object());
                (is("accept") || is("decline") || is("cancel")) && content
            }
        }
    }
}

/// What a kept question asks for, as far as it decides whether it can be asked and what answers it.
fn kept(request: Raw<'_>) -> Ask<'_> {
    let params = request.get("params").unwrap_or(Raw::NULL);
    let method = request.get("method").and_then(Raw::str);
    let is = |ask: &Ask<'_>| method.is_some_and(|method| method == *ask.method());
    let sample = Ask::Sample { params };
    if is(&Ask::Roots) {
        Ask::Roots
    } else if is(&sample) {
        sample
    } else if params.get("mode").and_then(Raw::str).is_some_and(|mode| mode == *"url") {
        // The address was looked at when it was kept.
        Ask::Url { message: "", url: "://", id: "" }
    } else {
        Ask::Form { message: "", schema: params.get("requestedSchema").unwrap_or(Raw::NULL) }
    }
}

/// Writes the member of `_meta` that says which task a message belongs to (`2025-11-25`).
pub(crate) fn related<S: Sink + ?Sized>(id: Str<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.key(meta::RELATED_TASK)?;
    w.begin_object()?;
    w.key("taskId")?;
    w.raw_text(id.raw())?;
    w.end_object()
}

/// Writes a request of the server's own (handshake era). `id` is JSON text: a number, or a string with its quotes.
pub(crate) fn request<S: Sink + ?Sized>(
    id: &str,
    ask: &Ask<'_>,
    capabilities: &ClientCapabilities,
    revision: Revision,
    out: &mut S,
) -> Result<(), Full> {
    let mut w = Writer::new(out);
    w.begin_object()?;
    w.field_str("jsonrpc", "2.0")?;
    w.key("id")?;
    w.raw_text(id)?;
    w.field_str("method", ask.method())?;
    if !matches!(ask, Ask::Roots) {
        w.key("params")?;
        ask.params(capabilities, revision, &mut w)?;
    }
    w.end_object()
}

/// A number as JSON text.
pub(crate) fn number(number: u32) -> heapless::String<32> {
    digits::unsigned(u64::from(number))
}

/// Writes the members `inputRequests` and `requestState` of an `input_required` result (stateless era).
pub(crate) fn input_required<S: Sink + ?Sized>(
    asks: &[(&str, Ask<'_>)],
    state: Option<&str>,
    capabilities: &ClientCapabilities,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if !asks.is_empty() {
        w.key("inputRequests")?;
        w.begin_object()?;
        embedded(asks, capabilities, revision, w)?;
        w.end_object()?;
    }
    if let Some(state) = state {
        w.field_str("requestState", state)?;
    }
    Ok(())
}

/// Writes questions as members of `inputRequests`: without the envelope of a request, which they are not.
pub(crate) fn embedded<S: Sink + ?Sized>(
    asks: &[(&str, Ask<'_>)],
    capabilities: &ClientCapabilities,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    for (key, ask) in asks {
        w.key(key)?;
        w.begin_object()?;
        w.field_str("method", ask.method())?;
        w.key("params")?;
        ask.params(capabilities, revision, w)?;
        w.end_object()?;
    }
    Ok(())
}

/// Writes that an answer is no longer waited for. `id` is JSON text, as in [`request`].
pub(crate) fn cancelled<S: Sink + ?Sized>(id: &str, out: &mut S) -> Result<(), Full> {
    let mut w = super::notify::open("notifications/cancelled", out)?;
    w.begin_object()?;
    w.key("requestId")?;
    w.raw_text(id)?;
    w.end_object()?;
    w.end_object()
}
