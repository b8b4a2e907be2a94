//! Prompts, and completing what is typed.

use alloc::string::String;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{ContentBlock, Extra, Icon, Payload, Role, is_false, or_default, whole};

/// A prompt, as the catalogue takes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Prompt {
    /// What it is asked for by.
    pub name: String,
    /// Its name for people (from `2025-06-18`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it can be told.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
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

impl Prompt {
    /// A prompt with nothing but its name.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Prompt {
            name: name.into(),
            title: None,
            description: None,
            arguments: Vec::new(),
            icons: Vec::new(),
            meta: None,
            extra: Extra::new(),
        }
    }
}

/// Something a prompt can be told. Its value is always a string.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PromptArgument {
    /// Its name.
    pub name: String,
    /// Its name for people (from `2025-06-18`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// It must be told.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "is_false")]
    pub required: bool,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl PromptArgument {
    /// An argument that may be left out.
    #[must_use]
    pub fn optional(name: impl Into<String>) -> Self {
        PromptArgument {
            name: name.into(),
            title: None,
            description: None,
            required: false,
            extra: Extra::new(),
        }
    }

    /// An argument that must be told.
    #[must_use]
    pub fn required(name: impl Into<String>) -> Self {
        PromptArgument { required: true, ..Self::optional(name) }
    }
}

/// One message of a prompt.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PromptMessage {
    /// Who says it.
    pub role: Role,
    /// What is said: one block in every revision.
    pub content: ContentBlock,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl PromptMessage {
    /// A message.
    #[must_use]
    pub fn new(role: Role, content: ContentBlock) -> Self {
        PromptMessage { role, content, extra: Extra::new() }
    }
}

/// The result of `prompts/get`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct GetPromptResult {
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The messages.
    pub messages: Vec<PromptMessage>,
    /// `_meta`
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl GetPromptResult {
    /// One message of the user.
    #[must_use]
    pub fn user(text: impl Into<String>) -> Self {
        let message = PromptMessage::new(Role::User, ContentBlock::text(text));
        GetPromptResult { messages: Vec::from([message]), ..Self::default() }
    }
}

/// Suggestions for what is being typed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Completion {
    /// The suggestions, best first; more than 100 are cut on the way out.
    pub values: Vec<String>,
    /// How many there are in all.
    #[serde(default, deserialize_with = "whole", skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// There are more than are here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The result of `completion/complete`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct CompleteResult {
    /// The suggestions.
    pub completion: Completion,
    /// `_meta`
    #[serde(default, rename = "_meta", skip_serializing_if = "Option::is_none")]
    pub meta: Option<Payload>,
    /// What is not known.
    #[serde(flatten)]
    pub extra: Extra,
}

impl CompleteResult {
    /// Some suggestions.
    #[must_use]
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let completion = Completion { values: values.into_iter().collect(), ..Completion::default() };
        CompleteResult { completion, ..Self::default() }
    }
}
