//! What calls of a tool need to know of its definition.

use super::param_headers;
use crate::json::Raw;
use crate::revision::translate::is_object_schema;

/// What a definition says that every call of the tool has to know.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ToolTraits {
    /// Some of its arguments are repeated in HTTP headers (`x-mcp-header`).
    pub(crate) mirrored: bool,
    /// How its structured content is written for older peers.
    pub(crate) wrap: Wrap,
    /// Whether a call may ask for an experimental task.
    pub(crate) task: TaskSupport,
}

/// What `execution.taskSupport` says (basic/utilities/tasks of `2025-11-25`, "Tool-Level Negotiation").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TaskSupport {
    /// `forbidden`, or nothing.
    #[default]
    Forbidden,
    /// `optional`.
    Optional,
    /// `required`.
    Required,
}

impl TaskSupport {
    fn of(execution: Raw<'_>) -> Self {
        let word = execution.get("taskSupport").and_then(Raw::str);
        let is = |name: &str| word.is_some_and(|word| word == *name);
        if is("required") {
            TaskSupport::Required
        } else if is("optional") {
            TaskSupport::Optional
        } else {
            TaskSupport::Forbidden
        }
    }
}

/// Whether a tool's structured content needs an object around it for peers that know objects only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// The output schema is an object: never.
    Never,
    /// The output schema is something else: always, so that list and call agree.
    Always,
    /// No schema: when the value is not an object.
    #[default]
    ByValue,
}

impl Wrap {
    pub(crate) const fn to_bits(self) -> u8 {
        self as u8
    }

    /// An unknown number decides by value.
    pub(crate) const fn from_bits(bits: u64) -> Self {
        match bits {
            0 => Wrap::Never,
            1 => Wrap::Always,
            _ => Wrap::ByValue,
        }
    }
}

impl ToolTraits {
    /// Reads them from a definition.
    #[must_use]
    pub fn of(definition: Raw<'_>) -> Self {
        let [input, output, execution] =
            definition.sift(&["inputSchema", "outputSchema", "execution"]).values;
        ToolTraits {
            mirrored: input.is_some_and(param_headers::present),
            wrap: match output {
                None => Wrap::ByValue,
                Some(schema) if is_object_schema(schema) => Wrap::Never,
                Some(_) => Wrap::Always,
            },
            task: execution.map(TaskSupport::of).unwrap_or_default(),
        }
    }
}
