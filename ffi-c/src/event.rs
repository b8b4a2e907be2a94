//! Events: what a step of the core says, as views.

use mcpgraft::catalog::{Catalog, Kind, Owned};
use mcpgraft::json::{Raw, SliceSink, Writer};
use mcpgraft::limits::URI_BYTES;
use mcpgraft::model::Level;
use mcpgraft::model::template::{self, Template};
use mcpgraft::server::{Call, Notice, Reference, Target, TaskAction};

use crate::abi::{
    mcpgraft_event, mcpgraft_event_kind, mcpgraft_kind, mcpgraft_level, mcpgraft_str, mcpgraft_target,
};
use crate::guard::Done;
use crate::memory::Scratch;
use crate::server::Shared;

/// Makes room for all that an event of this message can need, so that nothing fails once the message has had its effect.
pub(crate) fn prepare(scratch: &mut Scratch, shared: &Shared, message: &[u8]) -> Done {
    let escaped = if message.contains(&b'\\') { message.len() } else { 0 };
    scratch.room(escaped + shared.template_room())
}

fn raw(value: Raw<'_>) -> mcpgraft_str {
    mcpgraft_str::of(value.bytes())
}

fn maybe(value: Option<Raw<'_>>) -> mcpgraft_str {
    value.map_or(mcpgraft_str::NONE, raw)
}

pub(crate) fn level(level: Level) -> mcpgraft_level {
    use mcpgraft_level::*;
    match level {
        Level::Debug => MCPGRAFT_LEVEL_DEBUG,
        Level::Info => MCPGRAFT_LEVEL_INFO,
        Level::Notice => MCPGRAFT_LEVEL_NOTICE,
        Level::Warning => MCPGRAFT_LEVEL_WARNING,
        Level::Error => MCPGRAFT_LEVEL_ERROR,
        Level::Critical => MCPGRAFT_LEVEL_CRITICAL,
        Level::Alert => MCPGRAFT_LEVEL_ALERT,
        Level::Emergency => MCPGRAFT_LEVEL_EMERGENCY,
    }
}

fn list(kind: Kind) -> mcpgraft_kind {
    match kind {
        Kind::Tool => mcpgraft_kind::MCPGRAFT_TOOL,
        Kind::Resource => mcpgraft_kind::MCPGRAFT_RESOURCE,
        Kind::Template => mcpgraft_kind::MCPGRAFT_TEMPLATE,
        Kind::Prompt => mcpgraft_kind::MCPGRAFT_PROMPT,
    }
}

/// The event of a call.
pub(crate) fn call(call: &Call<'_>, catalog: &Owned, scratch: &mut Scratch) -> mcpgraft_event {
    use mcpgraft_target::*;
    let mut event = mcpgraft_event {
        key: call.key.to_bits(),
        params: raw(call.params),
        meta: maybe(call.meta),
        revision: mcpgraft_str::of(call.revision.name().as_bytes()),
        client_info: maybe(call.client_info),
        client_capabilities: maybe(call.client_capabilities),
        input_responses: maybe(call.input_responses),
        request_state: call.request_state.map_or(mcpgraft_str::NONE, |state| scratch.text(state)),
        level: call.log.map_or(mcpgraft_level::MCPGRAFT_LEVEL_NONE, level),
        progress_wanted: call.progress,
        origin: call.task_origin().to_bits(),
        tasks: call.capabilities.tasks && matches!(call.target, Target::Tool { .. }),
        wants_task: call.task.is_some(),
        task_ttl_ms: call.task.and_then(|task| task.ttl_ms).unwrap_or(0),
        stateless: call.revision.is_stateless(),
        progress_token: call
            .token
            .map_or(mcpgraft_str::NONE, |token| mcpgraft_str::of(token.text().as_bytes())),
        more: call.batched,
        ..mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_CALL)
    };
    let named = |method: &'static str| mcpgraft_str::of(method.as_bytes());
    match call.target {
        Target::Tool { entry, name, arguments } => {
            event.target = MCPGRAFT_CALL_TOOL;
            event.method = named("tools/call");
            event.name = scratch.text(name);
            // It was found by its name.
            event.entry = entry.map_or(mcpgraft_str::NONE, |_| event.name);
            event.arguments = raw(arguments);
        }
        Target::Prompt { entry, name, arguments } => {
            event.target = MCPGRAFT_GET_PROMPT;
            event.method = named("prompts/get");
            event.name = scratch.text(name);
            event.entry = entry.map_or(mcpgraft_str::NONE, |_| event.name);
            event.arguments = raw(arguments);
        }
        Target::Resource { entry, uri } => {
            event.target = MCPGRAFT_READ_RESOURCE;
            event.method = named("resources/read");
            event.name = scratch.text(uri);
            event.arguments = mcpgraft_str::of(b"{}");
            match entry {
                Some((Kind::Template, at)) => {
                    if let Some(found) = catalog.at(Kind::Template, at) {
                        event.entry = scratch.copy(found.key.as_bytes());
                        event.variables = variables(found.key, uri, scratch);
                    }
                }
                Some(_) => event.entry = event.name,
                None => {}
            }
        }
        Target::Completion { reference, .. } => {
            let (Reference::Prompt(name) | Reference::Resource(name)) = reference;
            event.target = MCPGRAFT_COMPLETE;
            event.method = named("completion/complete");
            event.name = scratch.text(name);
        }
        Target::Task { action, id, responses } => {
            (event.target, event.method) = match action {
                TaskAction::Get => (MCPGRAFT_GET_TASK, named("tasks/get")),
                TaskAction::Update => (MCPGRAFT_UPDATE_TASK, named("tasks/update")),
                TaskAction::Cancel => (MCPGRAFT_CANCEL_TASK, named("tasks/cancel")),
                TaskAction::Result => (MCPGRAFT_TASK_RESULT, named("tasks/result")),
            };
            event.name = scratch.text(id);
            event.arguments = raw(responses);
        }
        Target::Tasks { cursor } => {
            (event.target, event.method) = (MCPGRAFT_LIST_TASKS, named("tasks/list"));
            event.cursor = cursor.map_or(mcpgraft_str::NONE, |cursor| scratch.text(cursor));
        }
        Target::List { kind, cursor } => {
            event.target = MCPGRAFT_LIST;
            event.method = named(kind.method().row().name);
            event.name = named(kind.list());
            event.list = list(kind);
            event.cursor = cursor.map_or(mcpgraft_str::NONE, |cursor| scratch.text(cursor));
        }
        Target::Custom { method } => {
            event.target = MCPGRAFT_CUSTOM;
            event.method = scratch.text(method);
            event.name = event.method;
        }
    }
    event
}

/// The variables of a template in a URI, percent-decoded; what is not valid percent-encoding is passed on as it came.
fn variables(text: &str, uri: mcpgraft::json::Str<'_>, scratch: &mut Scratch) -> mcpgraft_str {
    let mut room = [0; URI_BYTES];
    let mut plain = SliceSink::new(&mut room);
    if uri.decode(&mut plain).is_err() {
        return mcpgraft_str::NONE;
    }
    let Ok(uri) = std::str::from_utf8(plain.written()) else { return mcpgraft_str::NONE };
    let Ok(template) = Template::parse(text) else { return mcpgraft_str::NONE };
    let Some(captures) = template.matches(uri) else { return mcpgraft_str::NONE };
    let written = scratch.written(|out| {
        let mut writer = Writer::new(out);
        writer.begin_object()?;
        for (name, value) in captures.iter() {
            let mut room = [0; URI_BYTES];
            let mut decoded = SliceSink::new(&mut room);
            let fits = template::percent_decode(value, &mut decoded).is_ok();
            let decoded = std::str::from_utf8(decoded.written()).ok().filter(|_| fits);
            writer.field_str(name, decoded.unwrap_or(value))?;
        }
        writer.end_object()
    });
    written.unwrap_or(mcpgraft_str::NONE)
}

/// The event of something that happened.
pub(crate) fn notice(notice: &Notice<'_>, scratch: &mut Scratch) -> mcpgraft_event {
    use mcpgraft_event_kind::*;
    let new = mcpgraft_event::new;
    match *notice {
        Notice::Opened { revision, client_info, client_capabilities } => mcpgraft_event {
            revision: mcpgraft_str::of(revision.name().as_bytes()),
            client_info: raw(client_info),
            client_capabilities: raw(client_capabilities),
            ..new(MCPGRAFT_OPENED)
        },
        Notice::Ready => new(MCPGRAFT_READY),
        Notice::Cancelled { key, reason } => mcpgraft_event {
            key: key.to_bits(),
            text: reason.map_or(mcpgraft_str::NONE, |reason| scratch.text(reason)),
            ..new(MCPGRAFT_CANCELLED)
        },
        Notice::CancelledElsewhere { id, reason } => mcpgraft_event {
            id: mcpgraft_str::of(id.text().as_bytes()),
            text: reason.map_or(mcpgraft_str::NONE, |reason| scratch.text(reason)),
            ..new(MCPGRAFT_CANCELLED)
        },
        Notice::Level(set) => mcpgraft_event { level: level(set), ..new(MCPGRAFT_LEVEL) },
        Notice::Subscribed(uri) => mcpgraft_event { text: scratch.text(uri), ..new(MCPGRAFT_SUBSCRIBED) },
        Notice::Unsubscribed(uri) => mcpgraft_event { text: scratch.text(uri), ..new(MCPGRAFT_UNSUBSCRIBED) },
        Notice::RootsChanged => new(MCPGRAFT_ROOTS_CHANGED),
        Notice::Listening { filter } => mcpgraft_event { params: raw(filter), ..new(MCPGRAFT_LISTENING) },
        Notice::Answer { key, ask, outcome, left } => mcpgraft_event {
            key: key.to_bits(),
            ask: ask.to_bits(),
            ok: outcome.is_ok(),
            params: raw(outcome.unwrap_or_else(|error| error)),
            left: u32::try_from(left).unwrap_or(u32::MAX),
            ..new(MCPGRAFT_ANSWER)
        },
        Notice::Response { id, outcome } => mcpgraft_event {
            id: id.map_or(mcpgraft_str::NONE, |id| mcpgraft_str::of(id.text().as_bytes())),
            ok: outcome.is_ok(),
            params: raw(outcome.unwrap_or_else(|error| error)),
            ..new(MCPGRAFT_RESPONSE)
        },
        Notice::Notification { method, params } => mcpgraft_event {
            method: scratch.text(method),
            params: maybe(params),
            ..new(MCPGRAFT_NOTIFICATION)
        },
    }
}
