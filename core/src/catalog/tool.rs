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

impl ToolTraits {
    /// Reads them from a definition.
    #[must_use]
    pub fn of(definition: Raw<'_>) -> Self {
        let [input, output] = definition.sift(&["inputSchema", "outputSchema"]).values;
        ToolTraits {
            mirrored: input.is_some_and(param_headers::present),
            wrap: match output {
                None => Wrap::ByValue,
                Some(schema) if is_object_schema(schema) => Wrap::Never,
                Some(_) => Wrap::Always,
            },
        }
    }
}
