//! Every method and notification that a client may send, with the revisions that have it.

use super::fields::{self, Shape};
use super::{Revision, Span};
use crate::json::Str;

/// A request method the server side knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the methods'
pub enum Method {
    Initialize,
    Ping,
    Discover,
    Listen,
    ToolsList,
    ToolsCall,
    ResourcesList,
    ResourceTemplatesList,
    ResourcesRead,
    ResourcesSubscribe,
    ResourcesUnsubscribe,
    PromptsList,
    PromptsGet,
    Complete,
    SetLevel,
    TasksGet,
    TasksUpdate,
    TasksCancel,
    TasksResult,
    TasksList,
}

/// The server capability a method belongs to; a method of a feature that is not offered does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Always there.
    Core,
    /// `tools`
    Tools,
    /// `resources`
    Resources,
    /// `resources.subscribe`
    Subscribe,
    /// `prompts`
    Prompts,
    /// `completions`
    Completions,
    /// `logging`
    Logging,
    /// Anything whose changes are told: `listChanged`, `resources.subscribe`, tasks
    Listen,
    /// Tasks: the extension `io.modelcontextprotocol/tasks`, which the client must declare with each request, too; in
    /// `2025-11-25` the experimental capability `tasks`
    Tasks,
    /// `tasks.list` (`2025-11-25`)
    TaskLists,
    /// Questions to the client, and what it declares about them ([`Call::capabilities`](crate::server::Call)): no method
    /// belongs to them
    Asks,
    /// Definitions, or what the server says it is, that some revision gets in another form. It is not needed where all are
    /// [`universal`](crate::catalog::universal), and [`universal_info`](crate::catalog::universal_info): no method belongs
    /// to it
    Translation,
}

/// One row of the method table.
#[derive(Debug)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// Its name on the wire.
    pub name: &'static str,
    /// The revisions that have it.
    pub span: Span,
    /// The capability it belongs to.
    pub feature: Feature,
    /// Shape of its result, for older peers.
    pub result: &'static Shape,
    /// Its result carries `ttlMs` and `cacheScope` (server/utilities/caching of `2026-07-28`).
    pub cacheable: bool,
    /// It may be answered by `input_required` (basic/patterns/mrtr of `2026-07-28`).
    pub may_ask: bool,
    /// The parameter that the `Mcp-Name` header mirrors (`2026-07-28`).
    pub mirrored: Option<&'static str>,
}

const fn row(
    method: Method,
    name: &'static str,
    span: Span,
    feature: Feature,
    result: &'static Shape,
) -> Row {
    Row { method, name, span, feature, result, cacheable: false, may_ask: false, mirrored: None }
}

const fn cacheable(row: Row) -> Row {
    Row { cacheable: true, ..row }
}

const fn may_ask(row: Row, mirrored: &'static str) -> Row {
    Row { may_ask: true, mirrored: Some(mirrored), ..row }
}

const fn task(method: Method, name: &'static str, span: Span) -> Row {
    Row { mirrored: Some("taskId"), ..row(method, name, span, Feature::Tasks, &fields::PLAIN) }
}

/// The experimental form of tasks and the extension that came of it.
const BOTH_TASKS: Span = Span { since: fields::EXPERIMENTAL_TASKS.since, until: Span::STATELESS.until };

/// The method table.
pub static TABLE: [Row; 20] = {
    use Feature as F;
    use Method as M;
    [
        row(M::Initialize, "initialize", Span::HANDSHAKE, F::Core, &fields::PLAIN),
        row(M::Ping, "ping", Span::HANDSHAKE, F::Core, &fields::PLAIN),
        cacheable(row(M::Discover, "server/discover", Span::STATELESS, F::Core, &fields::PLAIN)),
        row(M::Listen, "subscriptions/listen", Span::STATELESS, F::Listen, &fields::PLAIN),
        cacheable(row(M::ToolsList, "tools/list", Span::ALL, F::Tools, &fields::LIST_TOOLS)),
        may_ask(row(M::ToolsCall, "tools/call", Span::ALL, F::Tools, &fields::CALL_TOOL), "name"),
        cacheable(row(M::ResourcesList, "resources/list", Span::ALL, F::Resources, &fields::LIST_RESOURCES)),
        cacheable(row(
            M::ResourceTemplatesList,
            "resources/templates/list",
            Span::ALL,
            F::Resources,
            &fields::LIST_TEMPLATES,
        )),
        cacheable(may_ask(
            row(M::ResourcesRead, "resources/read", Span::ALL, F::Resources, &fields::READ_RESOURCE),
            "uri",
        )),
        row(M::ResourcesSubscribe, "resources/subscribe", Span::HANDSHAKE, F::Subscribe, &fields::PLAIN),
        row(M::ResourcesUnsubscribe, "resources/unsubscribe", Span::HANDSHAKE, F::Subscribe, &fields::PLAIN),
        cacheable(row(M::PromptsList, "prompts/list", Span::ALL, F::Prompts, &fields::LIST_PROMPTS)),
        may_ask(row(M::PromptsGet, "prompts/get", Span::ALL, F::Prompts, &fields::GET_PROMPT), "name"),
        row(M::Complete, "completion/complete", Span::ALL, F::Completions, &fields::PLAIN),
        row(M::SetLevel, "logging/setLevel", Span::HANDSHAKE, F::Logging, &fields::PLAIN),
        task(M::TasksGet, "tasks/get", BOTH_TASKS),
        task(M::TasksUpdate, "tasks/update", Span::STATELESS),
        task(M::TasksCancel, "tasks/cancel", BOTH_TASKS),
        task(M::TasksResult, "tasks/result", fields::EXPERIMENTAL_TASKS),
        row(M::TasksList, "tasks/list", fields::EXPERIMENTAL_TASKS, F::TaskLists, &fields::PLAIN),
    ]
};

impl Method {
    /// The method of that exact name, in any revision.
    #[must_use]
    pub fn of(name: Str<'_>) -> Option<&'static Row> {
        TABLE.iter().find(|row| name == *row.name)
    }

    /// The method of that name, if the revision has it.
    #[must_use]
    pub fn find(name: Str<'_>, revision: Revision) -> Option<&'static Row> {
        Self::of(name).filter(|row| row.span.has(revision))
    }

    /// Its row of the table.
    #[must_use]
    pub fn row(self) -> &'static Row {
        // Every method has a row (tested); the first row is only the answer for the impossible.
        let [first, ..] = &TABLE;
        TABLE.iter().find(|row| row.method == self).unwrap_or(first)
    }
}

/// A notification a client may send that the server side acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // the names are the notifications'
pub enum Notification {
    Initialized,
    Cancelled,
    Progress,
    RootsListChanged,
}

impl Notification {
    const NAMES: [(&'static str, Notification); 4] = [
        ("notifications/initialized", Notification::Initialized),
        ("notifications/cancelled", Notification::Cancelled),
        ("notifications/progress", Notification::Progress),
        ("notifications/roots/list_changed", Notification::RootsListChanged),
    ];

    /// The notification of that exact name.
    #[must_use]
    pub fn of(name: Str<'_>) -> Option<Notification> {
        Self::NAMES.iter().find(|(text, _)| name == **text).map(|(_, kind)| *kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_method_has_its_row() {
        for row in &TABLE {
            assert_eq!(row.method.row().name, row.name);
        }
    }

    #[test]
    fn methods_belong_to_revisions() {
        let ping = Str::trusted("\"ping\"");
        assert!(Method::find(ping, Revision::V2025_11_25).is_some());
        assert!(Method::find(ping, Revision::V2026_07_28).is_none());
        assert!(Method::of(Str::trusted("\"PING\"")).is_none());
    }
}
