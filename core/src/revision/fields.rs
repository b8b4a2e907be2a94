//! Which field of which type exists since when, and what an older peer gets instead.
//!
//! The host writes everything in the newest shape. A [`Shape`] lists the fields of a type that are not in every
//! revision, or whose value has such fields; a field that is not listed is passed on to every peer. Nothing but
//! `Tool.execution` is ever taken from the newest shape: everything else is copied as it is for the newest revision.
//!
//! Source: the `schema` of each revision; what is *translated* rather than dropped is this project's choice and
//! is done by `server::translate`.

use super::Revision::{V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28};
use super::{Revision, Span};

/// A type: its fields that need care.
#[derive(Debug)]
pub struct Shape {
    /// Those fields.
    pub fields: &'static [Field],
    /// First revision from which on it is copied as it is: it has all of them, and in them everything the newest has.
    /// `None`: the newest has not all of them, so that there is no such revision.
    pub settled: Option<Revision>,
}

/// A field of a type.
#[derive(Debug)]
pub struct Field {
    /// Its key.
    pub name: &'static str,
    /// The revisions that have it; dropped for the others.
    pub span: Span,
    /// How its value is written.
    pub value: Value,
}

/// How the value of a field is written for an older peer.
#[derive(Debug)]
pub enum Value {
    /// As it is.
    Same,
    /// An object of this shape.
    One(&'static Shape),
    /// An array of objects of this shape.
    Each(&'static Shape),
    /// A content block; the shape is that of all of them.
    Block(&'static Shape),
    /// An array of content blocks.
    Blocks(&'static Shape),
    /// An array of tools.
    Tools,
    /// A JSON Schema.
    Schema,
    /// An output schema (object only, until the revision that lifts it).
    OutputSchema,
}

impl Field {
    /// Whether the revision has it.
    #[must_use]
    pub fn exists_in(&self, revision: Revision) -> bool {
        self.span.has(revision)
    }
}

impl Shape {
    const fn new(fields: &'static [Field]) -> Self {
        let mut settled = Some(Revision::OLDEST);
        let mut left = fields;
        while let Some((field, rest)) = left.split_first() {
            left = rest;
            let value = match &field.value {
                Value::Same => Some(Revision::OLDEST),
                Value::One(shape) | Value::Each(shape) => shape.settled,
                Value::Block(shape) | Value::Blocks(shape) => later(shape.settled, Some(V2025_06_18)),
                Value::Schema | Value::OutputSchema => Some(Revision::NEWEST),
                Value::Tools => None,
            };
            let kept = field.span.until as u8 == Revision::NEWEST as u8;
            let whole = if kept { Some(field.span.since) } else { None };
            settled = later(settled, later(whole, value));
        }
        Shape { fields, settled }
    }

    /// Whether the newest shape is copied as it is.
    #[must_use]
    pub fn settled_in(&self, revision: Revision) -> bool {
        self.settled.is_some_and(|settled| revision >= settled)
    }

    /// The field of that name, if it needs care.
    #[must_use]
    pub fn field(&self, name: crate::json::Str<'_>) -> Option<&'static Field> {
        self.fields.iter().find(|field| name == *field.name)
    }
}

/// The later of two revisions; never, if one of them is never.
const fn later(a: Option<Revision>, b: Option<Revision>) -> Option<Revision> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if a as u8 > b as u8 { a } else { b }),
        _ => None,
    }
}

const fn new(name: &'static str, since: Revision) -> Field {
    Field { name, span: Span::since(since), value: Value::Same }
}

const fn old(name: &'static str, value: Value) -> Field {
    Field { name, span: Span::ALL, value }
}

/// A type with nothing special.
pub static PLAIN: Shape = Shape::new(&[]);

/// `Annotations`.
pub static ANNOTATIONS: Shape = Shape::new(&[new("lastModified", V2025_06_18)]);

/// `Tool`. Its `title` moves to `annotations.title` for `2025-03-26`. `execution` says how it goes with the experimental
/// tasks of `2025-11-25`; no other revision has it, the newest one included.
pub static TOOL: Shape = Shape::new(&[
    new("title", V2025_06_18),
    old("inputSchema", Value::Schema),
    Field { name: "outputSchema", span: Span::since(V2025_06_18), value: Value::OutputSchema },
    new("annotations", V2025_03_26),
    new("icons", V2025_11_25),
    Field { name: "execution", span: EXPERIMENTAL_TASKS, value: Value::Same },
    new("_meta", V2025_06_18),
]);

/// `Resource` and `ResourceTemplate`.
pub static RESOURCE: Shape = Shape::new(&[
    new("title", V2025_06_18),
    old("annotations", Value::One(&ANNOTATIONS)),
    new("icons", V2025_11_25),
    new("_meta", V2025_06_18),
]);

/// `TextResourceContents` and `BlobResourceContents`.
pub static CONTENTS: Shape = Shape::new(&[new("_meta", V2025_06_18)]);

/// Every content block: the union of the blocks' fields, since no name means two things.
pub static BLOCK: Shape = Shape::new(&[
    new("title", V2025_06_18),
    old("annotations", Value::One(&ANNOTATIONS)),
    old("resource", Value::One(&CONTENTS)),
    new("icons", V2025_11_25),
    new("_meta", V2025_06_18),
]);

/// `PromptArgument`.
pub static PROMPT_ARGUMENT: Shape = Shape::new(&[new("title", V2025_06_18)]);

/// `Prompt`.
pub static PROMPT: Shape = Shape::new(&[
    new("title", V2025_06_18),
    old("arguments", Value::Each(&PROMPT_ARGUMENT)),
    new("icons", V2025_11_25),
    new("_meta", V2025_06_18),
]);

/// `PromptMessage`.
pub static PROMPT_MESSAGE: Shape = Shape::new(&[old("content", Value::Block(&BLOCK))]);

/// `Implementation`.
pub static IMPLEMENTATION: Shape = Shape::new(&[
    new("title", V2025_06_18),
    new("icons", V2025_11_25),
    new("description", V2025_11_25),
    new("websiteUrl", V2025_11_25),
]);

/// Parameters of `notifications/progress`.
pub static PROGRESS: Shape = Shape::new(&[new("message", V2025_03_26)]);

/// `ListToolsResult`.
pub static LIST_TOOLS: Shape = Shape::new(&[old("tools", Value::Tools)]);
/// `ListResourcesResult`.
pub static LIST_RESOURCES: Shape = Shape::new(&[old("resources", Value::Each(&RESOURCE))]);
/// `ListResourceTemplatesResult`.
pub static LIST_TEMPLATES: Shape = Shape::new(&[old("resourceTemplates", Value::Each(&RESOURCE))]);
/// `ListPromptsResult`.
pub static LIST_PROMPTS: Shape = Shape::new(&[old("prompts", Value::Each(&PROMPT))]);
/// `CallToolResult`; `structuredContent` is written by `server::answer`, which knows the tool.
pub static CALL_TOOL: Shape = Shape::new(&[old("content", Value::Blocks(&BLOCK))]);
/// `ReadResourceResult`.
pub static READ_RESOURCE: Shape = Shape::new(&[old("contents", Value::Each(&CONTENTS))]);
/// `GetPromptResult`.
pub static GET_PROMPT: Shape = Shape::new(&[old("messages", Value::Each(&PROMPT_MESSAGE))]);

/// Members of a result that only stateless revisions have; the encoder writes them, older peers never see them.
pub const RESULT_ENVELOPE: [&str; 3] = ["resultType", "ttlMs", "cacheScope"];

/// First revision that has content blocks of this `type`; older peers get a translation.
#[must_use]
pub fn block_since(kind: crate::json::Str<'_>) -> Revision {
    // `Shape::new` counts on the last of them.
    const NEW: [(&str, Revision); 2] = [("audio", V2025_03_26), ("resource_link", V2025_06_18)];
    NEW.iter().find(|(name, _)| kind == **name).map_or(Revision::OLDEST, |(_, since)| *since)
}

/// The `completions` capability: the method is older than the capability that announces it.
pub const COMPLETIONS_SINCE: Revision = V2025_03_26;
/// The `extensions` capability.
pub const EXTENSIONS_SINCE: Revision = V2026_07_28;
/// The experimental tasks: the capability `tasks`, `Tool.execution`, and `task` in the parameters of a tool call.
pub const EXPERIMENTAL_TASKS: Span = Span { since: V2025_11_25, until: V2025_11_25 };
/// The extension by which a tool call may be answered by a task.
pub const TASKS: &str = "io.modelcontextprotocol/tasks";
/// The client's `elicitation` capability.
pub const ELICITATION: Span = Span::since(V2025_06_18);
/// Details inside the client's `sampling` and `elicitation` capabilities.
pub const CAPABILITY_DETAILS: Span = Span::since(V2025_11_25);
/// `elicitationId` of an elicitation by URL.
pub const ELICITATION_ID: Span = Span { since: V2025_11_25, until: V2025_11_25 };
/// Forms with titled and multiple choices and defaults of every type; before, `enum` with `enumNames`.
pub const FORM_CHOICES: Span = Span::since(V2025_11_25);
/// Sampling messages whose content may be a list of blocks.
pub const SAMPLING_LISTS: Span = Span::since(V2025_11_25);

/// The revisions whose sampling messages may hold a block of this `type`.
#[must_use]
pub fn sampling_block(kind: crate::json::Str<'_>) -> Span {
    match kind {
        _ if kind == *"text" || kind == *"image" => Span::ALL,
        _ if kind == *"audio" => Span::since(V2025_03_26),
        // tool_use and tool_result; what is newer still is passed on to the newest only.
        _ => Span::since(V2025_11_25),
    }
}
/// `Tool.annotations` takes the place of `Tool.title` from here until the latter exists.
pub const TITLE_IN_ANNOTATIONS: Span = Span { since: V2025_03_26, until: V2025_03_26 };
/// Revisions whose strict readers want every member of a schema's `properties` to be an object.
pub const OBJECT_PROPERTIES: Span = Span::HANDSHAKE;

/// Keys of `_meta` that the protocol itself defines (basic/index of `2026-07-28`, "`_meta`").
pub mod meta {
    /// Version of the request.
    pub const PROTOCOL_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
    /// Capabilities of the client, for this request.
    pub const CLIENT_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
    /// Who the client is.
    pub const CLIENT_INFO: &str = "io.modelcontextprotocol/clientInfo";
    /// Least level of log messages wanted for this request.
    pub const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
    /// Who the server is, in results.
    pub const SERVER_INFO: &str = "io.modelcontextprotocol/serverInfo";
    /// Which subscription a notification belongs to.
    pub const SUBSCRIPTION_ID: &str = "io.modelcontextprotocol/subscriptionId";
    /// Which task a message belongs to (experimental tasks of `2025-11-25`).
    pub const RELATED_TASK: &str = "io.modelcontextprotocol/related-task";
    /// Token for progress notifications, all revisions.
    pub const PROGRESS_TOKEN: &str = "progressToken";
}
