//! Who a server is and what it offers: the material of `initialize` and `server/discover`.

use super::Server;
use crate::catalog::Catalog;
use crate::json::{Full, Raw, Sink, Writer};
use crate::model::ClientCapabilities;
use crate::revision::methods::Feature;
use crate::revision::{Revision, RevisionSet, Span, fields};

/// Where the entries of a kind come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Offer {
    /// Nowhere: the capability is not declared and the methods do not exist.
    #[default]
    No,
    /// From the catalogue: lists are answered by the library, calls are checked against it.
    Catalog,
    /// From the host's own table: lists and lookups reach the host as calls.
    Host,
}

/// Who may keep a cached answer (server/utilities/caching of `2026-07-28`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheScope {
    /// Only for the same authorization context.
    #[default]
    Private,
    /// Anyone.
    Public,
}

impl CacheScope {
    /// Its name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            CacheScope::Private => "private",
            CacheScope::Public => "public",
        }
    }
}

/// Whether the experimental tasks of `2025-11-25` are offered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExperimentalTasks {
    /// They are not: the capability is not declared, the methods do not exist, and who asks for a task gets a result.
    #[default]
    No,
    /// They are, but for `tasks/list`.
    Offered,
    /// They are, with `tasks/list` where clients are told apart: on duplex channels, and over HTTP where sessions are kept.
    Listed,
}

/// Identity, capabilities and served revisions.
#[derive(Clone, Copy, Debug)]
pub struct Profile<'a> {
    /// `Implementation` as a JSON object in the newest shape; `name` and `version` are required.
    pub info: Raw<'a>,
    /// Advice for the model, shown by clients as they see fit.
    pub instructions: Option<&'a str>,
    /// The revisions served.
    pub revisions: RevisionSet,
    /// Tools.
    pub tools: Offer,
    /// Resources and resource templates.
    pub resources: Offer,
    /// Prompts.
    pub prompts: Offer,
    /// `completion/complete` reaches the host.
    pub completions: bool,
    /// Log messages are sent to clients.
    pub logging: bool,
    /// The host tells sessions when a list changes.
    pub list_changed: bool,
    /// Sessions may subscribe to resources.
    pub subscribe: bool,
    /// The `experimental` capabilities, a JSON object.
    pub experimental: Option<Raw<'a>>,
    /// The `extensions` capabilities, a JSON object; declared in stateless revisions only. With
    /// `io.modelcontextprotocol/tasks` in it the methods of tasks reach the host. Each name has to pass
    /// [`is_extension`](crate::model::is_extension), each value is an object.
    pub extensions: Option<Raw<'a>>,
    /// The experimental tasks of `2025-11-25` are offered: their methods reach the host, and a tool's
    /// `execution.taskSupport` says whether a call may, must or must not ask for a task. Leave that member out of the
    /// catalogue where they are not offered.
    pub experimental_tasks: ExperimentalTasks,
    /// How long a client may keep a list or resource, in ms (`ttlMs`); 0 = not at all. A result of the host that
    /// says so itself wins.
    pub ttl_ms: u64,
    /// Who may keep it.
    pub cache_scope: CacheScope,
}

impl<'a> Profile<'a> {
    /// A profile that offers nothing yet, in all revisions.
    #[must_use]
    pub const fn new(info: Raw<'a>) -> Self {
        Profile {
            info,
            instructions: None,
            revisions: RevisionSet::ALL,
            tools: Offer::No,
            resources: Offer::No,
            prompts: Offer::No,
            completions: false,
            logging: false,
            list_changed: false,
            subscribe: false,
            experimental: None,
            extensions: None,
            experimental_tasks: ExperimentalTasks::No,
            ttl_ms: 0,
            cache_scope: CacheScope::Private,
        }
    }

    /// Whether the extension for tasks is declared.
    pub(crate) fn tasks(&self) -> bool {
        self.extensions.and_then(|declared| declared.get(fields::TASKS)).is_some_and(Raw::is_object)
    }

    /// Whether tool calls of this revision may become tasks here.
    pub(crate) fn tasks_in(&self, revision: Revision) -> bool {
        if revision.is_stateless() {
            return self.tasks();
        }
        self.experimental_tasks != ExperimentalTasks::No
            && self.tools != Offer::No
            && fields::EXPERIMENTAL_TASKS.has(revision)
    }

    /// Whether a method of this feature exists in a revision on a channel. Only a channel that outlives a request can
    /// keep a subscription, and only where clients are told apart each can be shown what is its own.
    #[inline]
    fn has(&self, feature: Feature, revision: Revision, channel: Channel) -> bool {
        match feature {
            Feature::Core | Feature::Asks | Feature::Translation => true,
            Feature::Tools => self.tools != Offer::No,
            Feature::Resources => self.resources != Offer::No,
            Feature::Subscribe => self.resources != Offer::No && self.subscribe && channel.watches,
            Feature::Prompts => self.prompts != Offer::No,
            Feature::Completions => self.completions,
            Feature::Logging => self.logging,
            Feature::Listen => channel.listens && (self.list_changed || self.subscribe || self.tasks()),
            Feature::Tasks => self.tasks_in(revision),
            Feature::TaskLists => {
                let listed = self.experimental_tasks == ExperimentalTasks::Listed;
                listed && channel.knows && self.tasks_in(revision)
            }
        }
    }
}

impl<C: Catalog> Server<'_, C> {
    /// Whether a method of this feature exists in a revision on a channel.
    pub(crate) fn has(&self, feature: Feature, revision: Revision, channel: Channel) -> bool {
        // First what may be constant: of the rest, only what it leaves is linked.
        self.catalog.can(feature) && self.profile.has(feature, revision, channel)
    }

    /// What a client declares, as far as anything here depends on it.
    pub(crate) fn client(&self, declared: Raw<'_>, revision: Revision) -> ClientCapabilities {
        if self.catalog.can(Feature::Asks) || self.catalog.can(Feature::Tasks) {
            ClientCapabilities::read(declared, revision)
        } else {
            ClientCapabilities::NONE
        }
    }
}

/// What carries the messages, and what it can keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// Messages that belong to no request reach a client of the handshake era.
    pub(crate) pushes: bool,
    /// What such a client subscribes to is remembered.
    pub(crate) watches: bool,
    /// Subscriptions of the stateless era can be kept: a response may stay open.
    pub(crate) listens: bool,
    /// Clients of the handshake era are told apart.
    pub(crate) knows: bool,
}

impl Channel {
    /// stdio, UART, TCP, WebSocket: either side may write at any time.
    pub(crate) const DUPLEX: Channel = Channel { pushes: true, watches: true, listens: true, knows: true };
}

/// Writes `ServerCapabilities`. What cannot be kept on this channel is not promised.
pub(crate) fn capabilities<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    revision: Revision,
    channel: Channel,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    let profile = &server.profile;
    let stateless = revision.is_stateless();
    let changes = profile.list_changed && if stateless { channel.listens } else { channel.pushes };
    let watches = profile.subscribe && if stateless { channel.listens } else { channel.watches };
    w.begin_object()?;
    if let Some(experimental) = profile.experimental {
        w.field("experimental", experimental)?;
    }
    let has = |feature| server.has(feature, revision, channel);
    if has(Feature::Logging) {
        empty(w, "logging")?;
    }
    if has(Feature::Completions) && Span::since(fields::COMPLETIONS_SINCE).has(revision) {
        empty(w, "completions")?;
    }
    if has(Feature::Prompts) {
        listed(w, "prompts", changes, false)?;
    }
    if has(Feature::Resources) {
        listed(w, "resources", changes, watches)?;
    }
    if has(Feature::Tools) {
        listed(w, "tools", changes, false)?;
    }
    if has(Feature::Tasks) && !stateless {
        w.key("tasks")?;
        w.begin_object()?;
        if has(Feature::TaskLists) {
            empty(w, "list")?;
        }
        empty(w, "cancel")?;
        w.key("requests")?;
        w.raw_text(r#"{"tools":{"call":{}}}"#)?;
        w.end_object()?;
    }
    if let Some(extensions) = profile.extensions
        && Span::since(fields::EXTENSIONS_SINCE).has(revision)
    {
        w.field("extensions", extensions)?;
    }
    w.end_object()
}

fn empty<S: Sink + ?Sized>(w: &mut Writer<'_, S>, name: &str) -> Result<(), Full> {
    w.key(name)?;
    w.begin_object()?;
    w.end_object()
}

fn listed<S: Sink + ?Sized>(
    w: &mut Writer<'_, S>,
    name: &str,
    changes: bool,
    subscribe: bool,
) -> Result<(), Full> {
    w.key(name)?;
    w.begin_object()?;
    if subscribe {
        w.field_bool("subscribe", true)?;
    }
    if changes {
        w.field_bool("listChanged", true)?;
    }
    w.end_object()
}
