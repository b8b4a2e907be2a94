//! Answers made from the catalogue and the profile alone: lists, `initialize`, `server/discover`.

use super::Server;
use super::answer::{self, Head};
use super::cursor;
use super::profile::{self, Channel};
use super::request::Plan;
use super::translate;
use crate::catalog::{Catalog, Kind};
use crate::json::{Full, Sink, Writer};
use crate::jsonrpc::Id;
use crate::revision::Revision;
use crate::revision::fields::{self, Shape};

/// Writes one page of a list.
pub(crate) fn page<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    id: Id<'_>,
    revision: Revision,
    kind: Kind,
    from: usize,
    out: &mut S,
) -> Result<(), Full> {
    let mut w = Writer::new(out);
    answer::open(id, &mut w)?;
    w.begin_object()?;
    answer::head(server, revision, Head::Cacheable, &mut w)?;
    w.key(kind.list())?;
    w.begin_array()?;
    let start = w.sink().len();
    let mut next = from;
    let mut last = None;
    while let Some(entry) = server.catalog.at(kind, next) {
        if last.is_some() && next - from >= server.limits.page_items {
            break;
        }
        let mark = w.mark();
        match kind {
            Kind::Tool => translate::tool(entry.definition, revision, &mut w)?,
            _ => translate::object(entry.definition, shape(kind), revision, &mut w)?,
        }
        // One entry is always sent, however long it is, so that a list ends.
        if last.is_some() && w.sink().len() - start > server.limits.page_bytes {
            w.rewind(mark);
            break;
        }
        last = Some((next, entry.key));
        next += 1;
    }
    w.end_array()?;
    if let Some((at, key)) = last
        && server.catalog.at(kind, next).is_some()
    {
        w.key("nextCursor")?;
        cursor::write(kind, at, key, &mut w)?;
    }
    answer::foot(server, revision, None, &mut w)?;
    w.end_object()?;
    answer::close(&mut w)
}

fn shape(kind: Kind) -> &'static Shape {
    match kind {
        Kind::Tool => &fields::TOOL,
        Kind::Resource | Kind::Template => &fields::RESOURCE,
        Kind::Prompt => &fields::PROMPT,
    }
}

/// Writes the answer to `initialize` (basic/lifecycle of the handshake era).
pub(crate) fn initialize<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    id: Id<'_>,
    revision: Revision,
    channel: Channel,
    out: &mut S,
) -> Result<(), Full> {
    let mut w = Writer::new(out);
    answer::open(id, &mut w)?;
    w.begin_object()?;
    w.field_str("protocolVersion", revision.name())?;
    w.key("capabilities")?;
    profile::capabilities(&server.profile, revision, channel, &mut w)?;
    w.key("serverInfo")?;
    translate::object(server.profile.info, &fields::IMPLEMENTATION, revision, &mut w)?;
    if let Some(instructions) = server.profile.instructions {
        w.field_str("instructions", instructions)?;
    }
    w.end_object()?;
    answer::close(&mut w)
}

/// Writes the answer to `server/discover` (`2026-07-28`).
pub(crate) fn discover<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    id: Id<'_>,
    revision: Revision,
    channel: Channel,
    out: &mut S,
) -> Result<(), Full> {
    let mut w = Writer::new(out);
    answer::open(id, &mut w)?;
    w.begin_object()?;
    answer::head(server, revision, Head::Cacheable, &mut w)?;
    w.key("supportedVersions")?;
    w.begin_array()?;
    for served in server.profile.revisions.newest_first() {
        w.string(served.name())?;
    }
    w.end_array()?;
    w.key("capabilities")?;
    profile::capabilities(&server.profile, revision, channel, &mut w)?;
    if let Some(instructions) = server.profile.instructions {
        w.field_str("instructions", instructions)?;
    }
    answer::foot(server, revision, None, &mut w)?;
    w.end_object()?;
    answer::close(&mut w)
}

/// Writes the answer to a request that needs no host: everything but calls and `initialize`.
pub(crate) fn answer<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    id: Id<'_>,
    revision: Revision,
    plan: &Plan<'_>,
    channel: Channel,
    out: &mut S,
) -> Result<(), Full> {
    match *plan {
        Plan::Page { kind, from } => page(server, id, revision, kind, from, out),
        Plan::Discover => discover(server, id, revision, channel, out),
        _ => answer::empty(server, id, revision, out),
    }
}
