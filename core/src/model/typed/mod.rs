//! The protocol's types for Rust hosts, with serde: definitions for the catalogue and results for `reply`, in the newest
//! shape (the schema of `2026-07-28`).
//!
//! - What is absent is not written; a `null` that is read counts as absent (but `structuredContent: null` is a value).
//! - What is JSON of the host's own (schemas, structured content, `_meta`) is a [`Payload`]: text that is passed on byte for
//!   byte, so that no number is rounded.
//! - Members that are not known are kept in `extra`, blocks of an unknown `type` in [`ContentBlock::Unknown`]. Only in `extra`
//!   numbers beyond 64 bits become floats.
//!
//! ```
//! use mcpgraft::model::typed::{CallToolResult, Tool, payload, to_json};
//! let schema = payload(r#"{"type":"object","properties":{"query":{"type":"string"}}}"#)?;
//! let tool = Tool { description: Some("Search policies".into()), ..Tool::new("search", schema) };
//! assert_eq!(
//!     to_json(&tool)?,
//!     r#"{"name":"search","description":"Search policies","inputSchema":{"type":"object","properties":{"query":{"type":"string"}}}}"#
//! );
//! assert_eq!(to_json(&CallToolResult::text("3"))?, r#"{"content":[{"type":"text","text":"3"}]}"#);
//! # Ok::<(), mcpgraft::LocalError>(())
//! ```

mod content;
mod party;
mod prompt;
mod resource;
mod tool;

pub use content::{ContentBlock, EmbeddedResource, Media, TextContent};
pub use party::{Annotations, Icon, Implementation, Role, Theme};
pub use prompt::{CompleteResult, Completion, GetPromptResult, Prompt, PromptArgument, PromptMessage};
pub use resource::{CacheScope, ReadResourceResult, Resource, ResourceContents, ResourceTemplate};
pub use tool::{CallToolResult, Tool, ToolAnnotations};

use alloc::boxed::Box;
use alloc::string::{String, ToString};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::error::LocalError;
use crate::json::{self, Raw};

/// JSON text that is passed on byte for byte.
pub type Payload = Box<RawValue>;

/// Members that this version of the library does not know.
pub type Extra = serde_json::Map<String, serde_json::Value>;

/// Takes a text as a [`Payload`].
///
/// # Errors
/// [`LocalError::BadJson`] if it is not one valid JSON value.
pub fn payload(text: &str) -> Result<Payload, LocalError> {
    let bad = |kind| LocalError::BadJson(kind);
    let value = json::check(text.as_bytes(), json::MAX_DEPTH).map_err(|error| bad(error.kind))?;
    RawValue::from_string(value.text().to_string()).map_err(|_| bad(json::JsonErrorKind::Value))
}

/// Any value that serde can write, as a [`Payload`]: structured content, for one.
///
/// # Errors
/// [`LocalError::BadResult`] if it cannot be JSON, such as a map whose keys are no strings.
pub fn to_payload<T: Serialize + ?Sized>(value: &T) -> Result<Payload, LocalError> {
    serde_json::value::to_raw_value(value).map_err(|_| NOT_JSON)
}

/// Writes a value as JSON on one line.
///
/// # Errors
/// As [`to_payload`].
pub fn to_json<T: Serialize + ?Sized>(value: &T) -> Result<String, LocalError> {
    serde_json::to_string(value).map_err(|_| NOT_JSON)
}

const NOT_JSON: LocalError = LocalError::BadResult("a value in it cannot be written as JSON");

/// A `null` is a value here, and only what is not there is absent.
fn present<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Payload>, D::Error> {
    Payload::deserialize(from).map(Some)
}

/// A `null` counts as the default.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// A whole number in any spelling: `5.0` is sent by peers whose numbers are floats.
fn whole<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let Some(number) = Option::<Payload>::deserialize(from)? else { return Ok(None) };
    let number = Raw::trusted(number.get()).u64();
    number.map(Some).ok_or_else(|| D::Error::custom("expected a whole number from 0 on"))
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls it with")]
fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests;
