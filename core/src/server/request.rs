//! From a request to what has to be done: the method, its parameters, and whether their target exists.

use super::Server;
use super::call::{Reference, Target, TaskAction, TaskWanted};
use super::cursor;
use super::fault::Fault;
use super::mirror::Mirror;
use super::params::{NAMES, Params};
use super::profile::{Channel, Offer};
use crate::catalog::{Catalog, Kind as Entries, TaskSupport, Wrap};
use crate::json::{Raw, SliceSink, Str};
use crate::jsonrpc::{Id, Request};
use crate::limits::URI_BYTES;
use crate::model::template::Template;
use crate::model::{ClientCapabilities, Level};
use crate::revision::Revision;
use crate::revision::methods::{self, Feature, Method};

/// What a request asks for, checked.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub(crate) enum Plan<'m> {
    /// Answer `{}`.
    Empty,
    /// Answer `server/discover`.
    Discover,
    /// Answer a page of a list from the catalogue.
    Page { kind: Entries, from: usize },
    /// Set the session's log level and answer `{}`.
    Level(Level),
    /// Watch a resource and answer `{}`.
    Subscribe(Str<'m>),
    /// Stop watching it and answer `{}`.
    Unsubscribe(Str<'m>),
    /// Open a subscription.
    Listen { filter: Raw<'m> },
    /// Open a session.
    Initialize,
    /// Give it to the host.
    Run(Run<'m>),
}

/// A call in the making: what the host runs, and how its result is written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'m> {
    pub(crate) target: Target<'m>,
    pub(crate) params: Raw<'m>,
    pub(crate) meta: Option<Raw<'m>>,
    pub(crate) token: Option<Id<'m>>,
    pub(crate) input_responses: Option<Raw<'m>>,
    pub(crate) request_state: Option<Str<'m>>,
    /// The client wants a task for an answer.
    pub(crate) task: Option<TaskWanted>,
    /// The method's row; `None` for a custom method.
    pub(crate) method: Option<&'static methods::Row>,
    /// How structured content is written for older peers.
    pub(crate) wrap: Wrap,
}

/// `{}`, for what was not sent.
const NOTHING: Raw<'static> = Raw::trusted("{}");

/// Checks a request against the tables and the catalogue.
///
/// The order is the ladder's: method, parameters, mirrored name, target, mirrored arguments.
pub(crate) fn plan<'m, 'x, C: Catalog>(
    server: &'x Server<'_, C>,
    request: &Request<'m>,
    given: &Params<'m>,
    revision: Revision,
    capabilities: ClientCapabilities,
    channel: Channel,
    mirror: &impl Mirror,
) -> Result<Plan<'m>, Fault<'x>>
where
    'm: 'x,
{
    let profile = &server.profile;
    let row = Method::find(request.method, revision).filter(|row| server.has(row.feature, revision, channel));
    let custom = row.is_none() && Method::of(request.method).is_none();
    if row.is_none() && !(custom && server.catalog.custom_method(request.method)) {
        return Err(Fault::NoMethod { method: request.method });
    }
    // Where this is constant, nothing of what it refuses is linked.
    let can = |feature| server.catalog.can(feature);
    if can(Feature::Tasks)
        && row.is_some_and(|row| row.feature == Feature::Tasks)
        && revision.is_stateless()
        && !capabilities.tasks
    {
        return Err(Fault::NoTasks);
    }
    let params = request.params.unwrap_or(NOTHING);
    if !params.is_object() {
        return Err(Fault::Params);
    }
    if let Some(at) = given.named.twice {
        return Err(Fault::Twice { field: NAMES.get(at).copied().unwrap_or("params") });
    }
    let [
        meta,
        name,
        arguments,
        uri,
        cursor,
        level,
        reference,
        argument,
        context,
        responses,
        state,
        task,
        wanted,
    ] = given.named.values;
    let meta = match meta {
        Some(meta) if !meta.is_object() => {
            return Err(Fault::Param { field: "_meta", expected: "an object" });
        }
        meta => meta,
    };
    let run = Run {
        target: Target::Custom { method: request.method },
        params,
        meta,
        token: progress_token(given)?,
        input_responses: None,
        request_state: None,
        task: None,
        method: row,
        wrap: Wrap::ByValue,
    };
    let Some(row) = row else { return Ok(Plan::Run(run)) };
    let run = if row.may_ask && revision.is_stateless() {
        Run {
            input_responses: object("inputResponses", responses)?,
            request_state: string("requestState", state)?,
            ..run
        }
    } else {
        run
    };
    // What a header repeats is compared before the target is looked up; a missing parameter is reported as such.
    if let Some(parameter) = row.mirrored {
        let value = match parameter {
            "uri" => uri,
            "taskId" => task,
            _ => name,
        };
        if let Some(value) = value.and_then(Raw::str) {
            mirror.name(value)?;
        }
    }
    match row.method {
        Method::Initialize => Ok(Plan::Initialize),
        Method::Ping => Ok(Plan::Empty),
        Method::Discover => Ok(Plan::Discover),
        Method::Listen if can(Feature::Listen) => match object("notifications", params.get("notifications"))?
        {
            Some(filter)
                if profile.tasks()
                    && !capabilities.tasks
                    && filter.get("taskIds").is_some_and(Raw::is_array) =>
            {
                Err(Fault::NoTasks)
            }
            Some(filter) => Ok(Plan::Listen { filter }),
            None => Err(Fault::Param { field: "notifications", expected: "an object" }),
        },
        Method::ToolsList if can(Feature::Tools) => list(server, profile.tools, Entries::Tool, cursor, run),
        Method::PromptsList if can(Feature::Prompts) => {
            list(server, profile.prompts, Entries::Prompt, cursor, run)
        }
        Method::ResourcesList if can(Feature::Resources) => {
            list(server, profile.resources, Entries::Resource, cursor, run)
        }
        Method::ResourceTemplatesList if can(Feature::Resources) => {
            list(server, profile.resources, Entries::Template, cursor, run)
        }
        Method::ToolsCall if can(Feature::Tools) => {
            let name = required("name", name)?;
            let arguments = object("arguments", arguments)?.unwrap_or(NOTHING);
            let (entry, definition) =
                find(server, profile.tools, Entries::Tool, name).ok_or(Fault::NoTool { name })?;
            // What is universal has neither an output schema nor anything of tasks and headers.
            let traits = entry
                .filter(|_| can(Feature::Translation))
                .and_then(|at| server.catalog.tool(at))
                .unwrap_or_default();
            if traits.mirrored
                && let Some(schema) = definition.and_then(|definition| definition.get("inputSchema"))
            {
                mirror.arguments(schema, arguments)?;
            }
            let task = if !can(Feature::Tasks) || revision.is_stateless() || !profile.tasks_in(revision) {
                None
            } else {
                task_wanted(entry.map(|_| traits.task), wanted, name)?
            };
            let wrap = traits.wrap;
            Ok(Plan::Run(Run { target: Target::Tool { entry, name, arguments }, task, wrap, ..run }))
        }
        Method::PromptsGet if can(Feature::Prompts) => {
            let name = required("name", name)?;
            let arguments = object("arguments", arguments)?.unwrap_or(NOTHING);
            if arguments.members().any(|(_, value)| value.str().is_none()) {
                return Err(Fault::Param {
                    field: "arguments",
                    expected: "an object whose values are strings",
                });
            }
            let (entry, definition) =
                find(server, profile.prompts, Entries::Prompt, name).ok_or(Fault::NoPrompt { name })?;
            if let Some(definition) = definition {
                prompt_arguments(definition, arguments)?;
            }
            Ok(Plan::Run(Run { target: Target::Prompt { entry, name, arguments }, ..run }))
        }
        Method::ResourcesRead if can(Feature::Resources) => {
            let uri = required("uri", uri)?;
            let entry = match profile.resources {
                Offer::Catalog => Some(resource(&server.catalog, uri).ok_or(Fault::NoResource { uri })?),
                _ => None,
            };
            Ok(Plan::Run(Run { target: Target::Resource { entry, uri }, ..run }))
        }
        Method::ResourcesSubscribe if can(Feature::Subscribe) => Ok(Plan::Subscribe(required("uri", uri)?)),
        Method::ResourcesUnsubscribe if can(Feature::Subscribe) => {
            Ok(Plan::Unsubscribe(required("uri", uri)?))
        }
        Method::SetLevel if can(Feature::Logging) => level
            .and_then(Raw::str)
            .and_then(Level::of)
            .map(Plan::Level)
            .ok_or(Fault::Param { field: "level", expected: "a log level such as \"info\"" }),
        Method::TasksGet | Method::TasksUpdate | Method::TasksCancel | Method::TasksResult
            if can(Feature::Tasks) =>
        {
            let id = required("taskId", task)?;
            let (action, responses) = match row.method {
                Method::TasksGet => (TaskAction::Get, NOTHING),
                Method::TasksCancel => (TaskAction::Cancel, NOTHING),
                Method::TasksResult => (TaskAction::Result, NOTHING),
                _ => match object("inputResponses", responses)? {
                    Some(responses) => (TaskAction::Update, responses),
                    None => return Err(Fault::Param { field: "inputResponses", expected: "an object" }),
                },
            };
            Ok(Plan::Run(Run { target: Target::Task { action, id, responses }, ..run }))
        }
        Method::TasksList if can(Feature::TaskLists) => {
            let cursor = string("cursor", cursor)?;
            Ok(Plan::Run(Run { target: Target::Tasks { cursor }, ..run }))
        }
        Method::Complete if can(Feature::Completions) => {
            let target = completion(server, reference, argument, context)?;
            Ok(Plan::Run(Run { target, ..run }))
        }
        _ => Err(Fault::NoMethod { method: request.method }),
    }
}

/// Whether a tool call asks for a task, which its tool must allow (basic/utilities/tasks of `2025-11-25`, "Tool-Level
/// Negotiation"). Where the host keeps the table, it judges.
fn task_wanted<'m>(
    support: Option<TaskSupport>,
    wanted: Option<Raw<'m>>,
    name: Str<'m>,
) -> Result<Option<TaskWanted>, Fault<'m>> {
    let Some(wanted) = object("task", wanted)? else {
        return if support == Some(TaskSupport::Required) {
            Err(Fault::TaskNeeded { name })
        } else {
            Ok(None)
        };
    };
    if support == Some(TaskSupport::Forbidden) {
        return Err(Fault::TaskForbidden { name });
    }
    const EXPECTED: Fault<'static> = Fault::Param { field: "task.ttl", expected: "a number of ms above 0" };
    let ttl = match wanted.get("ttl").filter(|ttl| !ttl.is_null()) {
        None => None,
        // A fraction of a millisecond is none.
        Some(ttl) => Some(ttl.u64().or_else(|| whole_ms(ttl)).filter(|ttl| *ttl > 0).ok_or(EXPECTED)?),
    };
    Ok(Some(TaskWanted { ttl_ms: ttl }))
}

/// A number with a fraction or exponent as whole milliseconds.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked before
fn whole_ms(number: Raw<'_>) -> Option<u64> {
    number.f64().filter(|ms| *ms >= 1.0 && *ms < 9e15).map(|ms| ms as u64)
}

/// What is wrong with a batch as a whole (basic/index of `2025-03-26`, "Batching").
pub(crate) fn batch(messages: Raw<'_>, limit: usize) -> Option<Fault<'_>> {
    let initialize = |message: Raw<'_>| {
        message
            .get("method")
            .and_then(Raw::str)
            .is_some_and(|method| method == *Method::Initialize.row().name)
    };
    if messages.elements().next().is_none() {
        Some(Fault::EmptyBatch)
    } else if messages.elements().take(limit.saturating_add(1)).count() > limit {
        Some(Fault::LongBatch { limit })
    } else if messages.elements().any(initialize) {
        Some(Fault::InitializeInBatch)
    } else {
        None
    }
}

fn list<'m, C: Catalog>(
    server: &Server<'_, C>,
    offer: Offer,
    kind: Entries,
    cursor: Option<Raw<'m>>,
    run: Run<'m>,
) -> Result<Plan<'m>, Fault<'m>> {
    let cursor = string("cursor", cursor)?;
    if offer == Offer::Host {
        return Ok(Plan::Run(Run { target: Target::List { kind, cursor }, ..run }));
    }
    let from = match cursor {
        None => 0,
        Some(cursor) => cursor::read(&server.catalog, kind, cursor).ok_or(Fault::Cursor)?,
    };
    Ok(Plan::Page { kind, from })
}

/// Position and definition of what is called by name; `(None, None)` where the host keeps the table.
fn find<'s, C: Catalog>(
    server: &'s Server<'_, C>,
    offer: Offer,
    kind: Entries,
    key: Str<'_>,
) -> Option<(Option<usize>, Option<Raw<'s>>)> {
    if offer == Offer::Host {
        return Some((None, None));
    }
    let at = server.catalog.find(kind, key)?;
    Some((Some(at), Some(server.catalog.at(kind, at)?.definition)))
}

/// The resource of that URI, or else the first template that matches it.
fn resource<C: Catalog>(catalog: &C, uri: Str<'_>) -> Option<(Entries, usize)> {
    if let Some(at) = catalog.find(Entries::Resource, uri) {
        return Some((Entries::Resource, at));
    }
    let mut decoded = [0; URI_BYTES];
    let mut sink = SliceSink::new(&mut decoded);
    let uri = match uri.plain() {
        Some(plain) => plain,
        None => {
            uri.decode(&mut sink).ok()?;
            core::str::from_utf8(sink.written()).ok()?
        }
    };
    if uri.len() > URI_BYTES {
        return None;
    }
    let matches = |at: &usize| {
        let template = catalog.at(Entries::Template, *at).and_then(|entry| Template::parse(entry.key).ok());
        template.is_some_and(|template| template.matches(uri).is_some())
    };
    (0..catalog.len(Entries::Template)).find(matches).map(|at| (Entries::Template, at))
}

fn prompt_arguments<'x>(definition: Raw<'x>, given: Raw<'_>) -> Result<(), Fault<'x>> {
    for argument in definition.get("arguments").unwrap_or(Raw::NULL).elements() {
        let required = argument.get("required").and_then(Raw::bool) == Some(true);
        let Some(name) = argument.get("name").and_then(Raw::str) else { continue };
        if required && !given.members().any(|(key, _)| key == name) {
            return Err(Fault::PromptArgument { name });
        }
    }
    Ok(())
}

fn completion<'m, C: Catalog>(
    server: &Server<'_, C>,
    reference: Option<Raw<'m>>,
    argument: Option<Raw<'m>>,
    context: Option<Raw<'m>>,
) -> Result<Target<'m>, Fault<'m>> {
    const KIND: Fault<'static> =
        Fault::Param { field: "ref.type", expected: "\"ref/prompt\" or \"ref/resource\"" };
    let reference = object("ref", reference)?
        .ok_or(Fault::Param { field: "ref", expected: "an object with \"type\"" })?;
    let ty = reference.get("type").and_then(Raw::str).ok_or(KIND)?;
    let reference = if ty == *"ref/prompt" {
        let name = required("ref.name", reference.get("name"))?;
        if server.profile.prompts == Offer::Catalog {
            server.catalog.find(Entries::Prompt, name).ok_or(Fault::NoPrompt { name })?;
        }
        Reference::Prompt(name)
    } else if ty == *"ref/resource" {
        Reference::Resource(required("ref.uri", reference.get("uri"))?)
    } else {
        return Err(KIND);
    };
    let given = object("argument", argument)?
        .ok_or(Fault::Param { field: "argument", expected: "an object with \"name\" and \"value\"" })?;
    let name = required("argument.name", given.get("name"))?;
    let value = required("argument.value", given.get("value"))?;
    let context = object("context", context)?;
    Ok(Target::Completion { reference, argument: name, value, context })
}

/// The progress token, in any revision: a string or an integer.
fn progress_token<'m>(given: &Params<'m>) -> Result<Option<Id<'m>>, Fault<'m>> {
    let [.., token] = given.meta.values;
    match token.filter(|raw| !raw.is_null()) {
        None => Ok(None),
        Some(token) => Id::read(token)
            .ok()
            .filter(|token| token.fits())
            .map(Some)
            .ok_or(Fault::Param { field: "_meta.progressToken", expected: "a short string or an integer" }),
    }
}

fn required<'m>(field: &'static str, value: Option<Raw<'m>>) -> Result<Str<'m>, Fault<'m>> {
    value.and_then(Raw::str).ok_or(Fault::Param { field, expected: "a string" })
}

fn string<'m>(field: &'static str, value: Option<Raw<'m>>) -> Result<Option<Str<'m>>, Fault<'m>> {
    value.map(|raw| raw.str().ok_or(Fault::Param { field, expected: "a string" })).transpose()
}

fn object<'m>(field: &'static str, value: Option<Raw<'m>>) -> Result<Option<Raw<'m>>, Fault<'m>> {
    match value {
        Some(raw) if !raw.is_object() => Err(Fault::Param { field, expected: "an object" }),
        value => Ok(value),
    }
}
