//! `subscriptions/listen` of the stateless era: what a client wants to hear of, and how it is told
//! (basic/patterns/subscriptions of `2026-07-28`).

use super::Server;
use super::answer::{self, Head};
use super::fault::Fault;
use super::profile::Profile;
use super::tasks::Task;
use super::watched::Watched;
use crate::catalog::Kind;
use crate::json::{Full, Raw, Sink, Writer, fnv64};
use crate::jsonrpc::Token;
use crate::revision::Revision;
use crate::revision::fields::meta;

/// One subscription. Of the watched URIs and tasks it keeps hashes: a collision means a superfluous notification, nothing
/// worse. Whose a task is is looked at each time it is told of.
#[derive(Clone, Debug)]
pub(crate) struct Listener<const URIS: usize> {
    pub(crate) id: Token,
    revision: Revision,
    tools: bool,
    prompts: bool,
    resources: bool,
    /// Of a task it is the complement, so that a URI is not taken for one.
    watched: Watched<URIS>,
}

impl<const URIS: usize> Listener<URIS> {
    /// Reads a filter. What the server does not offer is left out; unknown keys are ignored.
    pub(crate) fn new<'m>(
        id: Token,
        revision: Revision,
        filter: Raw<'m>,
        profile: &Profile<'_>,
        limit: usize,
    ) -> Result<Self, Fault<'m>> {
        let wants = |key: &str, offered: bool| {
            offered && profile.list_changed && filter.get(key).and_then(Raw::bool) == Some(true)
        };
        let has = |offer: super::Offer| offer != super::Offer::No;
        let mut hashes = Watched::<URIS>::new();
        let limit = limit.min(URIS);
        for uri in watched(filter, profile).unwrap_or(Raw::NULL).elements() {
            let Some(uri) = uri.str() else {
                let field = "notifications.resourceSubscriptions";
                return Err(Fault::Param { field, expected: "an array of strings" });
            };
            if hashes.push(uri.hash64(), limit).is_err() {
                return Err(Fault::TooManySubscriptions { limit });
            }
        }
        for id in tasks(filter, profile).unwrap_or(Raw::NULL).elements() {
            let Some(id) = id.str() else {
                return Err(Fault::Param { field: "notifications.taskIds", expected: "an array of strings" });
            };
            if hashes.push(!id.hash64(), limit).is_err() {
                return Err(Fault::TooManySubscriptions { limit });
            }
        }
        Ok(Listener {
            id,
            revision,
            tools: wants("toolsListChanged", has(profile.tools)),
            prompts: wants("promptsListChanged", has(profile.prompts)),
            resources: wants("resourcesListChanged", has(profile.resources)),
            watched: hashes,
        })
    }

    /// Writes the first message of the subscription: what of the filter is honoured.
    pub(crate) fn acknowledge<S: Sink + ?Sized>(
        &self,
        filter: Raw<'_>,
        profile: &Profile<'_>,
        out: &mut S,
    ) -> Result<(), Full> {
        self.tagged("notifications/subscriptions/acknowledged", out, |w| {
            w.key("notifications")?;
            w.begin_object()?;
            let kinds = [
                ("toolsListChanged", self.tools),
                ("promptsListChanged", self.prompts),
                ("resourcesListChanged", self.resources),
            ];
            for (key, _) in kinds.into_iter().filter(|(_, wanted)| *wanted) {
                w.field_bool(key, true)?;
            }
            if let Some(uris) = watched(filter, profile) {
                w.field("resourceSubscriptions", uris)?;
            }
            if let Some(ids) = tasks(filter, profile) {
                w.field("taskIds", ids)?;
            }
            w.end_object()
        })
    }

    /// Whether it wants to hear that a list has changed.
    pub(crate) fn wants_list(&self, kind: Kind) -> bool {
        match kind {
            Kind::Tool => self.tools,
            Kind::Prompt => self.prompts,
            Kind::Resource | Kind::Template => self.resources,
        }
    }

    /// Whether it wants to hear that a resource has changed.
    pub(crate) fn wants_resource(&self, uri: &str) -> bool {
        self.watched.contains(fnv64(uri.as_bytes()))
    }

    /// Whether it wants to hear of a task.
    pub(crate) fn wants_task(&self, task: &Task<'_>) -> bool {
        self.watched.contains(!task.id().hash64())
    }

    /// Writes that a list has changed.
    pub(crate) fn list_changed<S: Sink + ?Sized>(&self, kind: Kind, out: &mut S) -> Result<(), Full> {
        self.tagged(super::notify::list_method(kind), out, |_| Ok(()))
    }

    /// Writes that a resource has changed.
    pub(crate) fn updated<S: Sink + ?Sized>(&self, uri: &str, out: &mut S) -> Result<(), Full> {
        self.tagged("notifications/resources/updated", out, |w| w.field_str("uri", uri))
    }

    /// Writes how a task stands now.
    pub(crate) fn task_changed<S: Sink + ?Sized>(&self, task: &Task<'_>, out: &mut S) -> Result<(), Full> {
        self.tagged("notifications/tasks", out, |w| task.details(w))
    }

    fn tagged<S: Sink + ?Sized>(
        &self,
        method: &str,
        out: &mut S,
        params: impl FnOnce(&mut Writer<'_, S>) -> Result<(), Full>,
    ) -> Result<(), Full> {
        let mut w = super::notify::open(method, out)?;
        w.begin_object()?;
        params(&mut w)?;
        w.key("_meta")?;
        w.begin_object()?;
        self.tag(&mut w)?;
        w.end_object()?;
        w.end_object()?;
        w.end_object()
    }

    fn tag<S: Sink + ?Sized>(&self, w: &mut Writer<'_, S>) -> Result<(), Full> {
        w.key(meta::SUBSCRIPTION_ID)?;
        w.raw_text(self.id.text())
    }

    /// Writes the answer that ends the subscription in good order.
    pub(crate) fn end<C, S: Sink + ?Sized>(&self, server: &Server<'_, C>, out: &mut S) -> Result<(), Full> {
        let mut w = Writer::new(out);
        answer::open(self.id.id(), &mut w)?;
        answer::head(server, self.revision, Head::Complete, &mut w)?;
        w.key("_meta")?;
        w.begin_object()?;
        self.tag(&mut w)?;
        w.field(meta::SERVER_INFO, server.profile.info)?;
        w.end_object()?;
        answer::close(&mut w)
    }
}

/// The watched tasks of a filter, if there are tasks here.
fn tasks<'m>(filter: Raw<'m>, profile: &Profile<'_>) -> Option<Raw<'m>> {
    let offered = profile.tasks();
    filter.get("taskIds").filter(|list| offered && list.is_array())
}

/// The watched URIs of a filter, if resources can be watched here.
fn watched<'m>(filter: Raw<'m>, profile: &Profile<'_>) -> Option<Raw<'m>> {
    let offered = profile.subscribe && profile.resources != super::Offer::No;
    filter.get("resourceSubscriptions").filter(|list| offered && list.is_array())
}
