//! Writing the host's answers: one newest-shaped result in, the peer's revision out.

use super::Server;
use super::ask::{self, Ask};
pub use super::failure::Failure;
use super::failure::{Data, Described};
use super::fault;
use super::inflight::Inflight;
use super::tasks_wire;
use crate::catalog::{Catalog, Wrap};
use crate::error::LocalError;
use crate::json::{self, Full, Raw, Sink, Writer};
use crate::jsonrpc::Id;
use crate::revision::Revision;
use crate::revision::fields::{self, meta};
use crate::revision::methods::{Feature, Method};
use crate::revision::translate;

/// Which members a stateless result starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Head {
    /// `resultType` only.
    Complete,
    /// And the cache hints.
    Cacheable,
}

/// Writes `{"jsonrpc":"2.0","id":…,"result":{`.
pub(crate) fn open<S: Sink + ?Sized>(id: Id<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.fragment(r#"{"jsonrpc":"2.0","id":"#, false)?;
    w.raw_text(id.text())?;
    w.fragment(r#""result":{"#, false)
}

/// Ends what [`open`] began.
pub(crate) fn close<S: Sink + ?Sized>(w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.end_object()?;
    w.end_object()
}

/// Writes the members every stateless result has in front.
pub(crate) fn head<C, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    revision: Revision,
    head: Head,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    if !revision.is_stateless() {
        return Ok(());
    }
    w.fragment(r#""resultType":"complete""#, true)?;
    if head == Head::Cacheable { hints(server, w) } else { Ok(()) }
}

/// Writes how long a stateless result may be kept, and by whom.
pub(crate) fn hints<C, S: Sink + ?Sized>(server: &Server<'_, C>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.field_u64("ttlMs", server.profile.ttl_ms)?;
    w.field_str("cacheScope", server.profile.cache_scope.name())
}

/// The beginning of a `_meta` that has [`meta::SERVER_INFO`] and nothing else.
const SERVER_INFO_ONLY: &str = r#""_meta":{"io.modelcontextprotocol/serverInfo":"#;

/// Writes `_meta`: the host's, and who the server is where the revision wants it in every result.
pub(crate) fn foot<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    revision: Revision,
    own: Option<Raw<'_>>,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let own = own.filter(|own| own.is_object());
    if !revision.is_stateless() && own.is_none() {
        return Ok(());
    }
    if own.is_none() && server.catalog.can(Feature::Translation) {
        w.fragment(SERVER_INFO_ONLY, false)?;
        w.line(server.profile.info)?;
        return w.end_object();
    }
    w.fragment(r#""_meta":{"#, false)?;
    let mut named = false;
    // Who has none links nothing that writes it.
    if let Some(own) = own {
        for (key, value) in own.members() {
            let server_info = key == *meta::SERVER_INFO;
            if !revision.is_stateless() && (server_info || key == *meta::SUBSCRIPTION_ID) {
                continue;
            }
            named |= server_info;
            w.raw_key(key)?;
            w.raw(value)?;
        }
    }
    if revision.is_stateless() && !named {
        w.key(meta::SERVER_INFO)?;
        if server.catalog.can(Feature::Translation) {
            w.line(server.profile.info)?;
        } else {
            w.raw_text(server.profile.info.text())?;
        }
    }
    w.end_object()
}

/// Writes `"result":{}` for a request that has nothing to say.
pub(crate) fn empty<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    id: Id<'_>,
    revision: Revision,
    out: &mut S,
) -> Result<(), Full> {
    let mut w = Writer::new(out);
    open(id, &mut w)?;
    head(server, revision, Head::Complete, &mut w)?;
    foot(server, revision, None, &mut w)?;
    close(&mut w)
}

/// Writes `input_required`: what a stateless call still needs (basic/patterns/mrtr of `2026-07-28`).
pub(crate) fn input_required<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    call: &Inflight,
    asks: &[(&str, Ask<'_>)],
    state: Option<&str>,
    out: &mut S,
) -> Result<(), LocalError> {
    if !call.revision.is_stateless() {
        return Err(LocalError::NotAllowed("a client of the handshake era is asked by requests"));
    }
    if !call.method.is_some_and(|row| row.may_ask) {
        return Err(LocalError::NotAllowed("this method may not ask the client"));
    }
    if asks.is_empty() && state.is_none() {
        return Err(LocalError::NotAllowed("\"input_required\" needs questions or a state"));
    }
    for (at, (key, ask)) in asks.iter().enumerate() {
        if asks.iter().take(at).any(|(other, _)| other == key) {
            return Err(LocalError::NotAllowed("two questions have the same key"));
        }
        ask.check(&call.capabilities, call.revision)?;
    }
    let mut w = Writer::new(out);
    open(call.id.id(), &mut w)?;
    w.field_str("resultType", "input_required")?;
    ask::input_required(asks, state, &call.capabilities, call.revision, &mut w)?;
    foot(server, call.revision, None, &mut w)?;
    close(&mut w)?;
    Ok(())
}

/// Checks that a result can be the answer of a call.
fn checked<'r, C>(server: &Server<'_, C>, call: &Inflight, result: &'r str) -> Result<Given<'r>, LocalError> {
    let bad = |why| Err(LocalError::BadResult(why));
    let sifted = json::check_sifting(result, json::MAX_DEPTH, &Given::NAMES)
        .map_err(|error| LocalError::BadJson(error.kind))?;
    let (raw, line, named) = (sifted.value, sifted.line, sifted.picked.values);
    if !raw.is_object() {
        return bad("it must be a JSON object");
    }
    let row = call.method;
    let [result_type, content, _, failed] = named;
    let more = sifted.others || result_type.is_some() || failed.is_some();
    let given = Given { raw, named, more, line };
    let ty = match result_type.filter(|ty| row.is_some() && !ty.is_null()).map(Raw::str) {
        Some(None) => return bad("\"resultType\" must be a string"),
        ty => ty.flatten(),
    };
    match ty {
        None => {}
        Some(ty) if ty == *"complete" => {}
        Some(ty) if ty == *"input_required" => {
            if !call.revision.is_stateless() {
                return bad("this client cannot be asked by \"input_required\"");
            }
            if !row.is_some_and(|row| row.may_ask) {
                return bad("this method may not answer \"input_required\"");
            }
            if raw.get("inputRequests").is_none() && raw.get("requestState").is_none() {
                return bad("\"input_required\" needs \"inputRequests\" or \"requestState\"");
            }
            return Ok(given);
        }
        Some(_) if row.is_none() => {}
        Some(ty) if ty == *"task" => {
            let offered = server.profile.tasks_in(call.revision) && call.capabilities.tasks;
            if !offered || row.is_none_or(|row| row.method != Method::ToolsCall) {
                return bad("only a tool call of a client that takes tasks is answered by one");
            }
            return if tasks_wire::is_created(raw, call.revision) {
                Ok(given)
            } else {
                bad("it is not the form of a new task")
            };
        }
        Some(_) => return bad("\"resultType\" must be \"complete\" or \"input_required\""),
    }
    if call.wants_task() {
        return bad("a call that asks for a task is answered by one");
    }
    let list = |key: &str| raw.get(key).is_some_and(|raw| raw.is_array());
    match row.map(|row| row.method) {
        Some(Method::ToolsCall) if content.is_some_and(|content| !content.is_array()) => {
            bad("\"content\" must be an array of content blocks")
        }
        Some(Method::ResourcesRead) if !list("contents") => bad("\"contents\" must be an array"),
        Some(Method::PromptsGet) if !list("messages") => bad("\"messages\" must be an array"),
        Some(Method::ToolsList) if !list("tools") => bad("\"tools\" must be an array"),
        Some(Method::ResourcesList) if !list("resources") => bad("\"resources\" must be an array"),
        Some(Method::ResourceTemplatesList) if !list("resourceTemplates") => {
            bad("\"resourceTemplates\" must be an array")
        }
        Some(Method::TasksList) if !list("tasks") => bad("\"tasks\" must be an array"),
        Some(Method::PromptsList) if !list("prompts") => bad("\"prompts\" must be an array"),
        Some(Method::Complete) if raw.at(&["completion", "values"]).is_none_or(|raw| !raw.is_array()) => {
            bad("\"completion.values\" must be an array")
        }
        _ => Ok(given),
    }
}

/// A result of the host, and the members that decide how it is written.
#[derive(Clone, Copy)]
struct Given<'r> {
    raw: Raw<'r>,
    named: [Option<Raw<'r>>; 4],
    /// It may have members besides `content` and `structuredContent`.
    more: bool,
    /// It is one line.
    line: bool,
}

impl Given<'_> {
    const NAMES: [&'static str; 4] = ["resultType", "content", "structuredContent", "isError"];
}

/// Members of an `input_required` result.
const ASK_MEMBERS: [&str; 4] = ["resultType", "inputRequests", "requestState", "_meta"];

/// Writes the answer of a call.
pub(crate) fn result<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    call: &Inflight,
    result: &str,
    out: &mut S,
) -> Result<(), LocalError> {
    let given = checked(server, call, result)?;
    let [result_type, ..] = given.named;
    let revision = call.revision;
    let stateless = revision.is_stateless();
    let is = |name: &str| result_type.and_then(Raw::str).is_some_and(|ty| ty == *name);
    let only: Option<&[&str]> = match call.method {
        Some(_) if is("input_required") => Some(&ASK_MEMBERS),
        Some(_) if is("task") => Some(tasks_wire::created_members(revision)),
        _ => None,
    };
    let method = call.method.map(|row| row.method);
    let shape = call.method.map_or(&fields::PLAIN, |row| row.result);
    let mut w = Writer::new(out);
    if given.line {
        w.trust_lines();
    }
    open(call.id.id(), &mut w)?;
    let absent = |member: Raw<'_>| member.is_null() && method.is_some();
    if stateless && result_type.is_none_or(absent) {
        w.fragment(r#""resultType":"complete""#, true)?;
    }
    let mut own_meta = None;
    let mut hints = [false; 2];
    // Of a tool, `content` and `structuredContent` are written below.
    let besides = given.more || method != Some(Method::ToolsCall);
    for (key, member) in given.raw.members().take(if besides { usize::MAX } else { 0 }) {
        if absent(member) && key != *"structuredContent" {
            // Serialisers write null for what is not there; no schema of the protocol has it.
        } else if only.is_some_and(|only| key != *"_meta" && !only.iter().any(|name| key == **name)) {
            // Questions and tasks have their own members and no others, whatever a handler had prepared besides.
        } else if key == *"_meta" {
            own_meta = Some(member);
        } else if fields::RESULT_ENVELOPE.iter().any(|name| key == **name) {
            if stateless {
                hints[0] |= key == *"ttlMs";
                hints[1] |= key == *"cacheScope";
                w.raw_key(key)?;
                w.raw(member)?;
            } else if method.is_none() {
                // Not ours to judge: a custom method may use the name for itself.
                w.raw_key(key)?;
                w.raw(member)?;
            }
        } else if method == Some(Method::ToolsCall) && (key == *"content" || key == *"structuredContent") {
            // Written together below: each depends on the other.
        } else if method == Some(Method::Complete) && key == *"completion" {
            w.raw_key(key)?;
            completion(member, &mut w)?;
        } else {
            translate::field(key, member, shape, revision, &mut w)?;
        }
    }
    if method == Some(Method::ToolsCall) && only.is_none() {
        let [_, content, structured, failed] = given.named;
        tool_content(content, structured, failed, call.wrap, revision, &mut w)?;
    }
    if stateless && only.is_none() && call.method.is_some_and(|row| row.cacheable) {
        let [ttl, scope] = hints;
        if !ttl {
            w.field_u64("ttlMs", server.profile.ttl_ms)?;
        }
        if !scope {
            w.field_str("cacheScope", server.profile.cache_scope.name())?;
        }
    }
    foot(server, revision, own_meta, &mut w)?;
    close(&mut w)?;
    Ok(())
}

/// Writes `content` and `structuredContent` of a tool result (server/tools, "Structured Content").
pub(crate) fn tool_content<S: Sink + ?Sized>(
    content: Option<Raw<'_>>,
    structured: Option<Raw<'_>>,
    failed: Option<Raw<'_>>,
    wrap: Wrap,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let row = revision.row();
    let failed = failed.and_then(Raw::bool) == Some(true);
    // A failed tool's structured content would hide its message in clients that validate it.
    let structured = structured.filter(|_| !failed);
    let is_text = |block: Raw<'_>| block.get("type").and_then(Raw::str).is_some_and(|ty| ty == *"text");
    // Only where there is something else to say it with.
    let says_it = structured.is_none()
        || content.is_some_and(|content| {
            if row.structured {
                content.is_array() && !content.is_hollow()
            } else {
                content.elements().any(is_text)
            }
        });
    w.key("content")?;
    match structured.filter(|_| !says_it) {
        None => translate::blocks(content.unwrap_or(Raw::trusted("[]")), revision, w)?,
        Some(value) => {
            // "For backwards compatibility, a tool that returns structured content SHOULD also return it as text".
            w.begin_array()?;
            for (at, block) in content.unwrap_or(Raw::NULL).elements().enumerate() {
                translate::block(block, at as u64, revision, w)?;
            }
            w.begin_object()?;
            w.field_str("type", "text")?;
            w.key("text")?;
            w.string(value.text())?;
            w.end_object()?;
            w.end_array()?;
        }
    }
    structured.map_or(Ok(()), |value| self::structured(value, wrap, revision, w))
}

/// Writes `structuredContent`, if the revision knows it.
pub(crate) fn structured<S: Sink + ?Sized>(
    value: Raw<'_>,
    wrap: Wrap,
    revision: Revision,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let row = revision.row();
    if !row.structured {
        return Ok(());
    }
    let object = value.is_object();
    let wrapped = !row.structured_any
        && match wrap {
            Wrap::Never => false,
            Wrap::Always => true,
            Wrap::ByValue => !object,
        };
    w.key("structuredContent")?;
    if wrapped {
        w.begin_object()?;
        w.field("result", value)?;
        w.end_object()
    } else {
        w.raw(value)
    }
}

/// Most completion values in one answer (server/utilities/completion).
pub(super) const MAX_VALUES: usize = 100;

fn completion<S: Sink + ?Sized>(completion: Raw<'_>, w: &mut Writer<'_, S>) -> Result<(), Full> {
    let values = completion.get("values").unwrap_or(Raw::NULL).elements();
    if values.take(MAX_VALUES + 1).count() <= MAX_VALUES {
        return w.raw(completion);
    }
    w.begin_object()?;
    for (key, member) in completion.members().filter(|(key, _)| key != "hasMore") {
        w.raw_key(key)?;
        if key == *"values" {
            w.begin_array()?;
            for value in member.elements().take(MAX_VALUES) {
                w.raw(value)?;
            }
            w.end_array()?;
        } else {
            w.raw(member)?;
        }
    }
    w.field_bool("hasMore", true)?;
    w.end_object()
}

/// Writes the answer of a call that failed. Gives the JSON-RPC error code, or `None` if it is a result.
pub(crate) fn failure<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    call: &Inflight,
    failure: &Failure<'_>,
    out: &mut S,
) -> Result<Option<i32>, LocalError> {
    let revision = call.revision;
    let method = call.method.map(|row| row.method);
    let error = match *failure {
        _ if method == Some(Method::ToolsCall)
            && !call.wants_task()
            && let Some(text) = failure.of_tool(revision) =>
        {
            return tool_error(server, call, text, out);
        }
        Failure::NotFound(uri) if method == Some(Method::ResourcesRead) => Described {
            code: revision.row().resource_not_found,
            message: "resource not found",
            data: Data::Uri(uri),
        },
        _ => failure.describe(revision)?,
    };
    let mut w = fault::open(Some(call.id.id()), Some(revision), error.code, error.message, out)?;
    error.data(&mut w)?;
    fault::close(&mut w)?;
    Ok(Some(error.code))
}

fn tool_error<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    call: &Inflight,
    text: &str,
    out: &mut S,
) -> Result<Option<i32>, LocalError> {
    let mut w = Writer::new(out);
    open(call.id.id(), &mut w)?;
    head(server, call.revision, Head::Complete, &mut w)?;
    error_content(text, &mut w)?;
    foot(server, call.revision, None, &mut w)?;
    close(&mut w)?;
    Ok(None)
}

/// Writes the members of a result that says why the tool failed.
pub(crate) fn error_content<S: Sink + ?Sized>(text: &str, w: &mut Writer<'_, S>) -> Result<(), Full> {
    w.key("content")?;
    w.begin_array()?;
    w.begin_object()?;
    w.field_str("type", "text")?;
    w.field_str("text", text)?;
    w.end_object()?;
    w.end_array()?;
    w.field_bool("isError", true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_is_named_as_the_protocol_says() {
        let mut text = heapless::String::<80>::new();
        for part in [SERVER_INFO_ONLY, "{}}"] {
            text.push_str(part).unwrap();
        }
        let member = text.strip_prefix("\"_meta\":").unwrap();
        let value = json::check(member.as_bytes(), 4).unwrap();
        assert!(value.members().all(|(name, _)| name == *meta::SERVER_INFO) && !value.is_hollow());
    }
}
