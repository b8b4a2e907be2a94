//! Answers made from the catalogue and the profile alone: lists, `initialize`, `server/discover`.

use super::Server;
use super::answer::{self, Head};
use super::cursor;
use super::profile::{self, Channel};
use super::request::Plan;
use crate::catalog::{self, Catalog, Kind};
use crate::json::{Full, Sink, Writer};
use crate::jsonrpc::Id;
use crate::revision::Revision;
use crate::revision::methods::Feature;
use crate::revision::{fields, translate};

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
    answer::head(server, revision, Head::Cacheable, &mut w)?;
    w.key(kind.list())?;
    w.begin_array()?;
    // A page that must fit is measured with the longest end it can have.
    let begin = w.mark();
    let room = w.sink().room();
    let bounded = room != usize::MAX;
    let budget = match bounded {
        false => server.limits.page_bytes,
        true => {
            end_page(server, revision, Some((kind, from, "")), &mut w)?;
            let end = w.sink().len() - begin.len();
            w.rewind(begin);
            server.limits.page_bytes.min(room.saturating_sub(end))
        }
    };
    let mut next = from;
    let mut last = None;
    while let Some(entry) = server.catalog.at(kind, next) {
        if last.is_some() && next - from >= server.limits.page_items {
            break;
        }
        let write = |w: &mut Writer<'_, S>| match server.catalog.listed(kind, next, revision) {
            Some(text) => w.raw_text(text),
            None if !server.catalog.can(Feature::Translation) => w.raw_text(entry.definition.text()),
            None => catalog::write_listed(kind, entry.definition, revision, w),
        };
        let mark = w.mark();
        let again = w.sink().trial(true);
        let written = write(&mut w);
        w.sink().trial(false);
        // One entry is always sent, however long it is, so that a list ends.
        let full = bounded && written.is_err();
        if last.is_some() && (full || (written.is_ok() && w.sink().len() - begin.len() > budget)) {
            w.rewind(mark);
            break;
        }
        written?;
        if again {
            w.rewind(mark);
            write(&mut w)?;
        }
        last = Some((kind, next, entry.key));
        next += 1;
    }
    end_page(server, revision, last.filter(|_| server.catalog.at(kind, next).is_some()), &mut w)
}

/// Writes what follows the entries of a page: where to go on after its last one, and the end.
fn end_page<C: Catalog, S: Sink + ?Sized>(
    server: &Server<'_, C>,
    revision: Revision,
    last: Option<(Kind, usize, &str)>,
    w: &mut Writer<'_, S>,
) -> Result<(), Full> {
    w.end_array()?;
    if let Some((kind, at, key)) = last {
        w.key("nextCursor")?;
        cursor::write(kind, at, key, w)?;
    }
    answer::foot(server, revision, None, w)?;
    answer::close(w)
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
    w.field_str("protocolVersion", revision.name())?;
    w.key("capabilities")?;
    profile::capabilities(server, revision, channel, &mut w)?;
    w.key("serverInfo")?;
    if server.catalog.can(Feature::Translation) {
        translate::simple(server.profile.info, &fields::IMPLEMENTATION, revision, &mut w)?;
    } else {
        w.raw_text(server.profile.info.text())?;
    }
    if let Some(instructions) = server.profile.instructions {
        w.field_str("instructions", instructions)?;
    }
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
    answer::head(server, revision, Head::Cacheable, &mut w)?;
    w.key("supportedVersions")?;
    w.begin_array()?;
    for served in server.profile.revisions.newest_first() {
        w.string(served.name())?;
    }
    w.end_array()?;
    w.key("capabilities")?;
    profile::capabilities(server, revision, channel, &mut w)?;
    if let Some(instructions) = server.profile.instructions {
        w.field_str("instructions", instructions)?;
    }
    answer::foot(server, revision, None, &mut w)?;
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

#[cfg(test)]
#[cfg(feature = "alloc")]
mod tests {
    use super::*;
    use crate::catalog::{Entry, Owned};
    use crate::json::Raw;
    use crate::limits::Limits;
    use crate::server::Profile;
    use alloc::format;
    use alloc::string::String;
    use alloc::vec::Vec;
    use core::cell::Cell;

    /// A catalogue that counts what is asked of it. With `poison` its definitions are none, so that whoever translates
    /// one instead of copying its text is found out; with `bare` it has no texts.
    struct Watched<'a> {
        inner: &'a Owned,
        copied: Cell<usize>,
        poison: bool,
        bare: bool,
    }

    impl Catalog for Watched<'_> {
        fn len(&self, kind: Kind) -> usize {
            self.inner.len(kind)
        }
        fn at(&self, kind: Kind, index: usize) -> Option<Entry<'_>> {
            let entry = self.inner.at(kind, index)?;
            Some(if self.poison { Entry::new(entry.key, "\"translated\"") } else { entry })
        }
        fn listed(&self, kind: Kind, index: usize, revision: Revision) -> Option<&str> {
            self.copied.set(self.copied.get() + usize::from(index < self.len(kind)));
            if self.bare { None } else { self.inner.listed(kind, index, revision) }
        }
    }

    fn tools(count: usize) -> Owned {
        let mut catalog = Owned::new();
        for n in 0..count {
            let tool = format!(
                r#"{{"name":"tool{n:03}","title":"T","description":"é","inputSchema":{{"type":"object","properties":{{"a":true}}}},"outputSchema":{{"type":"array"}},"icons":[]}}"#
            );
            catalog.put(Kind::Tool, &tool).unwrap();
        }
        catalog
    }

    fn list(catalog: &Watched<'_>, limits: Limits, revision: Revision, from: usize) -> String {
        let profile = Profile::new(Raw::trusted(r#"{"name":"s","version":"1"}"#));
        let mut out = Vec::new();
        let id = Id::read(Raw::trusted("1")).unwrap();
        page(&Server { profile, limits, catalog }, id, revision, Kind::Tool, from, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn watched(inner: &Owned, poison: bool, bare: bool) -> Watched<'_> {
        Watched { inner, copied: Cell::new(0), poison, bare }
    }

    #[test]
    fn a_list_is_copied_and_not_translated() {
        let catalog = tools(200);
        for revision in Revision::ALL {
            let translated = list(&watched(&catalog, false, true), Limits::DEFAULT, revision, 0);
            let copying = watched(&catalog, true, false);
            for requests in 1..=2 {
                assert_eq!(list(&copying, Limits::DEFAULT, revision, 0), translated);
                assert_eq!(copying.copied.get(), 200 * requests);
            }
            assert!(translated.contains("tool199") && !translated.contains("nextCursor"));
        }
    }

    fn pages(catalog: &Owned, limits: Limits) -> Vec<usize> {
        let (watched, mut from, mut sizes) = (watched(catalog, false, false), 0, Vec::new());
        loop {
            let text = list(&watched, limits, Revision::V2025_06_18, from);
            let count = text.matches("\"name\":\"tool").count();
            sizes.push(count);
            from += count;
            if !text.contains("nextCursor") {
                return sizes;
            }
        }
    }

    #[test]
    fn pages_end_by_count_and_by_bytes() {
        let catalog = tools(10);
        let entry = catalog.listed(Kind::Tool, 0, Revision::V2025_06_18).unwrap().len();
        let by =
            |page_items, page_bytes| pages(&catalog, Limits { page_items, page_bytes, ..Limits::DEFAULT });
        assert_eq!(by(4, 1 << 20), [4, 4, 2]);
        assert_eq!(by(5, 1 << 20), [5, 5]);
        // The commas between entries count, too.
        assert_eq!(by(1000, 3 * entry + 2), [3, 3, 3, 1]);
        assert_eq!(by(1000, 3 * entry + 1), [2, 2, 2, 2, 2]);
        // An entry longer than a page is sent alone.
        assert_eq!(by(1000, 1), [1; 10]);
        assert_eq!(by(2, 3 * entry + 2), [2; 5]);
    }
}
