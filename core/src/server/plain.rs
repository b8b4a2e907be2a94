//! Answers that are one text: written as they go, without a result to be read first. What a device mostly says, and all
//! that it links then.

use super::Server;
use super::answer::{self, Head};
use super::inflight::Inflight;
use crate::error::LocalError;
use crate::json::{Full, Sink, Writer};
use crate::revision::methods::Method;

/// A text as the answer of a call. Every revision reads it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Text<'a> {
    /// The text, in as many pieces as it lies about in.
    pub pieces: &'a [&'a str],
    /// Of a resource: its URI, as it was asked for. Otherwise not used.
    pub uri: &'a str,
    /// Of a resource: its MIME type, if it is known.
    pub mime_type: Option<&'a str>,
    /// Of a tool: it says why the tool failed ([`Failure::Tool`](super::Failure::Tool)). Otherwise not used. A device that
    /// says it so links nothing of [`Session::fail`](super::Session::fail).
    pub failed: bool,
}

/// Writes a text as the answer of a tool call (one text block), a prompt (one message of the user) or a resource.
pub(crate) fn text<C, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    call: &Inflight,
    text: &Text<'_>,
    out: &mut S,
) -> Result<(), LocalError> {
    let list = match call.method.map(|row| row.method) {
        Some(Method::ToolsCall) => "content",
        Some(Method::PromptsGet) => "messages",
        Some(Method::ResourcesRead) => "contents",
        _ => return Err(LocalError::BadResult("only tools, prompts and resources are answered with a text")),
    };
    let mut w = Writer::new(out);
    answer::open(call.id.id(), &mut w)?;
    answer::head(server, call.revision, Head::Complete, &mut w)?;
    w.key(list)?;
    w.begin_array()?;
    w.begin_object()?;
    match list {
        "content" => block(text, &mut w)?,
        "messages" => {
            w.field_str("role", "user")?;
            w.key("content")?;
            w.begin_object()?;
            block(text, &mut w)?;
            w.end_object()?;
        }
        _ => {
            w.field_str("uri", text.uri)?;
            if let Some(mime_type) = text.mime_type {
                w.field_str("mimeType", mime_type)?;
            }
            w.key("text")?;
            w.string_of(text.pieces)?;
        }
    }
    w.end_object()?;
    w.end_array()?;
    if text.failed && list == "content" {
        w.field_bool("isError", true)?;
    }
    if call.revision.is_stateless() && call.method.is_some_and(|row| row.cacheable) {
        answer::hints(server, &mut w)?;
    }
    answer::foot(server, call.revision, None, &mut w)?;
    answer::close(&mut w)?;
    Ok(())
}

/// Writes the members of a text block.
fn block<S: Sink + ?Sized>(text: &Text<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.field_str("type", "text")?;
    w.key("text")?;
    w.string_of(text.pieces)
}
