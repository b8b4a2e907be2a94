//! Tools and what they give.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{ContentBlock, Extra, Icon, Payload, is_false, or_default, present};

/// A tool, as the catalogue takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tool {
    /// What it is called by: at most 128 characters.
    pub name: String,
    /// Its name for people (from `2025-06-18`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it does, for the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of its arguments: an object with `"type":"object"`.
    pub input_schema: Payload,
    /// JSON Schema of its structured content (from `2025-06-18`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_schema: Option<Payload>,
    /// Hints about its behaviour (from `2025-03-26`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<ToolAnnotations>,
    /// Icons (from `2025-11-25`).
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub icons: Vec<Icon>,
    /// `_meta` (from `2025-06-18`)
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl Tool {
    /// A tool with nothing but its name and the schema of its arguments.
    #[must_use]
    pub fn new(name: impl Into<String>, input_schema: Payload) -> Self {
        Tool {
            name: name.into(),
            title: None,
            description: None,
            input_schema,
            output_schema: None,
            annotations: None,
            icons: Vec::new(),
            meta: None,
            extra: Extra::new(),
        }
    }
}

/// Hints about a tool's behaviour, which clients need not believe. What is absent has the default of the protocol.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ToolAnnotations {
    /// Its name for people, before `Tool::title` existed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// It changes nothing. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_hint: Option<bool>,
    /// It may destroy something. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub destructive_hint: Option<bool>,
    /// Twice with the same arguments is as once. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent_hint: Option<bool>,
    /// It reaches out into the world. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub open_world_hint: Option<bool>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The result of `tools/call`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallToolResult {
    /// What the model sees. Structured content without any goes out as text, too.
    #[serde(default, deserialize_with = "or_default")]
    pub content: Vec<ContentBlock>,
    /// The result as a value: any JSON, `null` included (from `2025-06-18`).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub structured_content: Option<Payload>,
    /// The tool failed, and the content says how.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub is_error: bool,
    /// `_meta`
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl CallToolResult {
    /// Text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::blocks([ContentBlock::text(text)])
    }

    /// Some blocks.
    #[must_use]
    pub fn blocks(blocks: impl IntoIterator<Item = ContentBlock>) -> Self {
        CallToolResult { content: blocks.into_iter().collect(), ..Self::default() }
    }

    /// A value; the library writes it as text, too.
    #[must_use]
    pub fn structured(value: Payload) -> Self {
        CallToolResult { structured_content: Some(value), ..Self::default() }
    }

    /// A failure that the model sees.
    #[must_use]
    pub fn error(text: impl Into<String>) -> Self {
        CallToolResult { is_error: true, ..Self::text(text) }
    }
}
