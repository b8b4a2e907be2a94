//! Answers that are one text, or the values of a completion: written as they go, without a result to be read first. What a
//! device mostly says, and all that it links then.

use super::Server;
use super::answer::{self, Head};
use super::inflight::Inflight;
use crate::catalog::Catalog;
use crate::error::LocalError;
use crate::json::{Full, Raw, Sink, Writer};
use crate::revision::methods::{Feature, Method};

/// A text as the answer of a call. Every revision reads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    /// The text, in as many pieces as it lies about in. Of a completion: each piece is a value, of which the first 100 are
    /// sent.
    pub pieces: &'a [&'a str],
    /// Of a resource: its URI, as it was asked for. Otherwise not used.
    pub uri: &'a str,
    /// Of a resource: its MIME type, if it is known.
    pub mime_type: Option<&'a str>,
    /// Of a tool: it says why the tool failed ([`Failure::Tool`](super::Failure::Tool)). Otherwise not used. A device that
    /// says it so links nothing of [`Session::fail`](super::Session::fail).
    pub failed: bool,
}

/// Writes a text as the answer of a tool call (one text block), a prompt (one message of the user), a resource or a
/// completion. `structured`: of a tool.
pub(crate) fn text<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    call: &Inflight,
    text: &Text<'_>,
    structured: Option<Raw<'_>>,
    out: &mut S,
) -> Result<(), LocalError> {
    let can = |feature| server.catalog.can(feature);
    if can(Feature::Tasks) && call.wants_task() {
        return Err(LocalError::BadResult("a call that asks for a task is answered by one"));
    }
    let method = call.method.map(|row| row.method);
    let part = match method {
        Some(Method::ToolsCall) if can(Feature::Tools) => Part::Block,
        Some(Method::PromptsGet) if can(Feature::Prompts) && structured.is_none() => Part::Message,
        Some(Method::ResourcesRead) if can(Feature::Resources) && structured.is_none() => Part::Contents,
        Some(Method::Complete) if can(Feature::Completions) && structured.is_none() => Part::Values,
        _ => return Err(LocalError::BadResult("no answer of this call is a text of this kind")),
    };
    let mut w = Writer::new(out);
    answer::open(call.id.id(), &mut w)?;
    answer::head(server, call.revision, Head::Complete, &mut w)?;
    match part {
        Part::Block => {
            w.fragment(r#""content":[{"#, false)?;
            block(text, structured, &mut w)?;
            w.end_object()?;
            w.end_array()?;
            if text.failed {
                w.field_bool("isError", true)?;
            } else if let Some(value) = structured {
                answer::structured(value, call.wrap, call.revision, &mut w)?;
            }
        }
        Part::Message => {
            w.fragment(r#""messages":[{"role":"user","content":{"#, false)?;
            block(text, None, &mut w)?;
            w.end_object()?;
            w.end_object()?;
            w.end_array()?;
        }
        Part::Contents => {
            w.fragment(r#""contents":[{"#, false)?;
            w.field_str("uri", text.uri)?;
            if let Some(mime_type) = text.mime_type {
                w.field_str("mimeType", mime_type)?;
            }
            w.key("text")?;
            w.string_of(text.pieces)?;
            w.end_object()?;
            w.end_array()?;
        }
        Part::Values => {
            w.fragment(r#""completion":{"values":["#, false)?;
            text.pieces.iter().take(answer::MAX_VALUES).try_for_each(|value| w.string(value))?;
            w.end_array()?;
            if text.pieces.len() > answer::MAX_VALUES {
                w.field_bool("hasMore", true)?;
            }
            w.end_object()?;
        }
    }
    if call.revision.is_stateless() && call.method.is_some_and(|row| row.cacheable) {
        answer::hints(server, &mut w)?;
    }
    answer::foot(server, call.revision, None, &mut w)?;
    answer::close(&mut w)?;
    Ok(())
}

/// What a text is written as.
enum Part {
    /// The content of a tool.
    Block,
    /// A message of a prompt.
    Message,
    /// The contents of a resource.
    Contents,
    /// Each piece is a value of a completion.
    Values,
}

/// Writes the members of a text block. Without a text, what is structured is said in JSON.
fn block<S: Sink + ?Sized>(
    text: &Text<'_>,
    structured: Option<Raw<'_>>,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    w.fragment(r#""type":"text","text":"#, false)?;
    match structured {
        Some(value) if text.pieces.is_empty() => w.string(value.text()),
        _ => w.string_of(text.pieces),
    }
}
