//! A call for the host to run, as a record tells it.

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::json::Raw;
use mcpgraft::model::template;
use mcpgraft::server::{self, Failure, Reference, Target, TaskAction};

use crate::argument::Arg;
use crate::error::{Trouble, json};
use crate::record::{Record, Slot, flag};

/// Who the peer said it was in its handshake.
#[derive(Clone, Debug, Default)]
pub(crate) struct Client {
    pub(crate) info: Option<String>,
    pub(crate) capabilities: Option<String>,
}

/// Writes a call into a record.
pub(crate) fn write(record: &mut Record, call: &server::Call<'_>, catalog: &Owned, client: &Client) {
    let stateless = call.revision.is_stateless();
    let known = |record: &mut Record, slot, said: Option<Raw<'_>>, before: &Option<String>| match said {
        Some(raw) => record.text(slot, raw.text()),
        None if stateless => {}
        None => record.maybe(slot, before.as_deref()),
    };
    for (bit, on) in [
        (flag::CALL, true),
        (flag::STATELESS, stateless),
        (flag::PROGRESS, call.progress),
        (flag::BATCHED, call.batched),
        (flag::TASKS, call.capabilities.tasks && matches!(call.target, Target::Tool { .. })),
        (flag::WANTS_TASK, call.task.is_some()),
        (flag::WAITS, matches!(call.target, Target::Task { action: TaskAction::Result, .. })),
    ] {
        record.flag(bit, on);
    }
    record.key(call.key);
    target(record, call, catalog);
    record.maybe(Slot::Meta, call.meta.map(Raw::text));
    record.text(Slot::Revision, call.revision.name());
    known(record, Slot::ClientInfo, call.client_info, &client.info);
    known(record, Slot::ClientCapabilities, call.client_capabilities, &client.capabilities);
    record.maybe(Slot::InputResponses, call.input_responses.map(Raw::text));
    record.maybe(Slot::RequestState, call.request_state.map(|state| state.to_cow()).as_deref());
    record.maybe(Slot::LogLevel, call.log.map(|level| level.name()));
    record.number(Slot::Origin, u64::from(call.task_origin().to_bits()));
    record.maybe(Slot::Token, call.token.map(|token| token.text()));
    record.number(Slot::TaskTtl, call.task.and_then(|task| task.ttl_ms).unwrap_or(0));
}

fn target(record: &mut Record, call: &server::Call<'_>, catalog: &Owned) {
    let entry = |record: &mut Record, kind, at: Option<usize>| {
        let found = at.and_then(|at| catalog.at(kind, at)).map(|entry| entry.key);
        record.maybe(Slot::Entry, found);
        found
    };
    let (kind, name, arguments) = match call.target {
        Target::Tool { entry: at, name, arguments } => {
            entry(record, Kind::Tool, at);
            ("tool", name.to_cow(), arguments)
        }
        Target::Prompt { entry: at, name, arguments } => {
            entry(record, Kind::Prompt, at);
            ("prompt", name.to_cow(), arguments)
        }
        Target::Resource { entry: at, uri } => {
            let uri = uri.to_cow();
            let found = at.and_then(|(kind, at)| entry(record, kind, Some(at)));
            if let (Some((Kind::Template, _)), Some(text)) = (at, found) {
                // The catalogue holds no template that cannot be read.
                let variables = template::variables(text, &uri).unwrap_or_default();
                record.pairs(Slot::Variables, variables.iter().map(|(name, value)| (*name, value.as_str())));
            }
            ("resource", uri, Raw::trusted("{}"))
        }
        Target::Completion { reference: Reference::Prompt(name) | Reference::Resource(name), .. } => {
            ("completion", name.to_cow(), call.params)
        }
        Target::Tasks { cursor } => {
            record.maybe(Slot::Cursor, cursor.map(|from| from.to_cow()).as_deref());
            ("task", "".into(), call.params)
        }
        Target::Task { id, responses, .. } => ("task", id.to_cow(), responses),
        Target::List { kind, cursor } => {
            record.maybe(Slot::Cursor, cursor.map(|from| from.to_cow()).as_deref());
            let name = match kind {
                Kind::Tool => "tools",
                Kind::Resource => "resources",
                Kind::Template => "templates",
                Kind::Prompt => "prompts",
            };
            ("list", name.into(), call.params)
        }
        Target::Custom { method } => ("custom", method.to_cow(), call.params),
    };
    record.text(Slot::Kind, kind);
    record.text(Slot::Method, &call.target.method());
    record.text(Slot::Name, &name);
    record.text(Slot::Arguments, arguments.text());
}

/// Runs `with` on a failure as JavaScript tells it.
pub(crate) fn failure<R>(
    kind: Arg,
    message: Arg,
    code: Arg,
    data: Arg,
    with: impl FnOnce(&Failure<'_>) -> Result<R, Trouble>,
) -> Result<R, Trouble> {
    let (kind, message, code) = (kind.text("failure")?, message.text("message")?, code.maybe_code()?);
    let data = data.maybe_bytes("data")?;
    let data = data.as_deref().map(|data| json("data", data)).transpose()?;
    with(&Failure::named(&kind, &message, code, data).map_err(Trouble::argument)?)
}

/// A log level.
pub(crate) fn level(level: Arg) -> Result<mcpgraft::model::Level, Trouble> {
    let name = level.text("level")?;
    mcpgraft::model::Level::parse(&name)
        .ok_or_else(|| Trouble::argument(format!("level: {name:?} is not a log level")))
}

/// A list that clients are told of.
pub(crate) fn list_kind(kind: Arg) -> Result<Kind, Trouble> {
    match kind.text("kind")?.as_str() {
        "tools" => Ok(Kind::Tool),
        "resources" => Ok(Kind::Resource),
        "prompts" => Ok(Kind::Prompt),
        _ => Err(Trouble::argument("kind must be \"tools\", \"resources\" or \"prompts\"")),
    }
}
