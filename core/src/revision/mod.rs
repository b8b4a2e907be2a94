//! The protocol revisions and everything that differs between them, in one place.
//!
//! | room | fact |
//! |---|---|
//! | here | the five revisions, their eras, and their yes/no differences |
//! | [`methods`] | which method exists when, what it needs, how its result is written |
//! | [`fields`] | which field of which type exists when |
//! | [`codes`] | error codes |
//! | `translate` | how a value of the newest shape is written for an older peer |
//!
//! No other module compares revisions by hand: it asks a row of these tables.

pub mod codes;
pub mod fields;
pub mod methods;
pub(crate) mod translate;

use crate::json::Str;

/// A released revision of the Model Context Protocol, oldest first.
///
/// Revisions are exact names, not dates to compare; the order here is the order of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Revision {
    /// `2024-11-05`: handshake; stdio and HTTP+SSE.
    V2024_11_05 = 0,
    /// `2025-03-26`: Streamable HTTP, batches, tool annotations, audio.
    V2025_03_26 = 1,
    /// `2025-06-18`: structured output, elicitation, titles; no batches.
    V2025_06_18 = 2,
    /// `2025-11-25`: icons, URL elicitation, tools in sampling, experimental tasks.
    V2025_11_25 = 3,
    /// `2026-07-28`: stateless; every request describes itself.
    V2026_07_28 = 4,
}

/// How a revision scopes its conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// An `initialize` handshake opens a session that later messages belong to (until `2025-11-25`).
    Handshake,
    /// Every request carries its own version and capabilities in `_meta` (from `2026-07-28`).
    Stateless,
}

/// One row of the revision table: what a reader of the wire can see of a revision besides methods and fields.
#[derive(Debug)]
pub struct Row {
    /// The revision this row is about.
    pub revision: Revision,
    /// Its name on the wire.
    pub name: &'static str,
    /// Its era.
    pub era: Era,
    /// JSON-RPC batches are received (basic/index of `2025-03-26`; removed after it).
    pub batches: bool,
    /// An error whose request id could not be read says `"id":null`; later revisions leave `id` out
    /// (schema: `RequestId` is not nullable, and optional in errors from `2025-11-25`).
    pub null_id: bool,
    /// Code of "resource not found" (server/resources of each revision).
    pub resource_not_found: i32,
    /// `structuredContent` and `outputSchema` exist.
    pub structured: bool,
    /// `structuredContent` may be any JSON value and `outputSchema` any schema; before, both are objects only.
    pub structured_any: bool,
    /// Server-sent events may carry ids, by which a GET with `Last-Event-ID` resumes a stream (basic/transports,
    /// "Resumability and Redelivery", from `2025-03-26` to `2025-11-25`).
    pub event_ids: bool,
    /// A stream opens with an event that is empty but for its id, and the server may close the connection before the
    /// stream has ended (basic/transports of `2025-11-25`).
    pub polling: bool,
}

use Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28};

/// The revision table, oldest first, indexed by `Revision as usize`.
pub static TABLE: [Row; 5] = [
    Row {
        revision: V2024_11_05,
        name: "2024-11-05",
        era: Era::Handshake,
        batches: false,
        null_id: true,
        resource_not_found: codes::RESOURCE_NOT_FOUND,
        structured: false,
        structured_any: false,
        event_ids: false,
        polling: false,
    },
    Row {
        revision: V2025_03_26,
        name: "2025-03-26",
        era: Era::Handshake,
        batches: true,
        null_id: true,
        resource_not_found: codes::RESOURCE_NOT_FOUND,
        structured: false,
        structured_any: false,
        event_ids: true,
        polling: false,
    },
    Row {
        revision: V2025_06_18,
        name: "2025-06-18",
        era: Era::Handshake,
        batches: false,
        null_id: true,
        resource_not_found: codes::RESOURCE_NOT_FOUND,
        structured: true,
        structured_any: false,
        event_ids: true,
        polling: false,
    },
    Row {
        revision: V2025_11_25,
        name: "2025-11-25",
        era: Era::Handshake,
        batches: false,
        null_id: false,
        resource_not_found: codes::RESOURCE_NOT_FOUND,
        structured: true,
        structured_any: false,
        event_ids: true,
        polling: true,
    },
    Row {
        revision: V2026_07_28,
        name: "2026-07-28",
        era: Era::Stateless,
        batches: false,
        null_id: false,
        resource_not_found: codes::INVALID_PARAMS,
        structured: true,
        structured_any: true,
        event_ids: false,
        polling: false,
    },
];

impl Revision {
    /// All revisions, oldest first.
    pub const ALL: [Revision; 5] = [V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28];
    /// The oldest revision.
    pub const OLDEST: Revision = V2024_11_05;
    /// The newest revision.
    pub const NEWEST: Revision = V2026_07_28;
    /// What an old HTTP client without handshake, session or version header is taken to speak
    /// (basic/transports of `2025-06-18` and `2025-11-25`: "SHOULD assume 2025-03-26").
    pub const ASSUMED: Revision = V2025_03_26;

    /// This revision's row of the table.
    #[must_use]
    pub fn row(self) -> &'static Row {
        let [a, b, c, d, e] = &TABLE;
        match self {
            V2024_11_05 => a,
            V2025_03_26 => b,
            V2025_06_18 => c,
            V2025_11_25 => d,
            V2026_07_28 => e,
        }
    }

    /// Its name on the wire, such as `2025-11-25`.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// Its era.
    #[must_use]
    pub fn era(self) -> Era {
        if self.is_stateless() { Era::Stateless } else { Era::Handshake }
    }

    /// True in the era without handshake.
    #[must_use]
    pub fn is_stateless(self) -> bool {
        // What its row says (tested), without looking it up.
        Span::STATELESS.has(self)
    }

    /// The revision of that exact name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Revision> {
        // Most clients speak a new one.
        TABLE.iter().rev().find(|row| row.name == name).map(|row| row.revision)
    }

    /// The revision named by a JSON string.
    #[must_use]
    pub fn of(name: Str<'_>) -> Option<Revision> {
        TABLE.iter().rev().find(|row| name == *row.name).map(|row| row.revision)
    }
}

/// The revisions from one to another, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// First revision that has it.
    pub since: Revision,
    /// Last revision that has it.
    pub until: Revision,
}

impl Span {
    /// Every revision.
    pub const ALL: Span = Span::since(Revision::OLDEST);
    /// The revisions that open with a handshake.
    pub const HANDSHAKE: Span = Span { since: V2024_11_05, until: V2025_11_25 };
    /// The revisions without one.
    pub const STATELESS: Span = Span::since(V2026_07_28);

    /// From this revision on.
    #[must_use]
    pub const fn since(since: Revision) -> Span {
        Span { since, until: Revision::NEWEST }
    }

    /// Whether the revision lies in it.
    #[must_use]
    pub fn has(self, revision: Revision) -> bool {
        self.since <= revision && revision <= self.until
    }
}

/// A set of revisions: which ones a server serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionSet(u8);

impl RevisionSet {
    /// All five.
    pub const ALL: RevisionSet = RevisionSet(0b1_1111);
    /// None: the start for building a set.
    pub const NONE: RevisionSet = RevisionSet(0);

    /// The set with one more revision.
    #[must_use]
    pub const fn with(self, revision: Revision) -> RevisionSet {
        RevisionSet(self.0 | 1 << (revision as u8))
    }

    /// Whether the revision is in the set.
    #[must_use]
    pub const fn has(self, revision: Revision) -> bool {
        self.0 & (1 << (revision as u8)) != 0
    }

    /// Its members, newest first.
    pub fn newest_first(self) -> impl Iterator<Item = Revision> {
        Revision::ALL.iter().rev().copied().filter(move |revision| self.has(*revision))
    }

    /// Its members of one era, newest first.
    pub fn of_era(self, era: Era) -> impl Iterator<Item = Revision> {
        self.of(era).newest_first()
    }

    /// Whether it has any member of an era.
    #[must_use]
    pub fn serves(self, era: Era) -> bool {
        self.of(era).0 != 0
    }

    /// Its members of one era.
    const fn of(self, era: Era) -> RevisionSet {
        const HANDSHAKE: u8 = (1 << Span::STATELESS.since as u8) - 1;
        match era {
            Era::Handshake => RevisionSet(self.0 & HANDSHAKE),
            Era::Stateless => RevisionSet(self.0 & !HANDSHAKE),
        }
    }

    /// What to answer to an `initialize` that asks for `asked`: the same if it is served, else the newest
    /// revision of the handshake era that is (basic/lifecycle, "Version Negotiation"). `None`: no such
    /// revision is served. Never a stateless revision, whatever was asked.
    #[must_use]
    pub fn negotiate(self, asked: Option<Revision>) -> Option<Revision> {
        match asked {
            Some(revision) if self.has(revision) && revision.era() == Era::Handshake => Some(revision),
            _ => self.of_era(Era::Handshake).next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_at_their_own_index() {
        for revision in Revision::ALL {
            assert_eq!(revision.row().revision, revision);
            assert_eq!(revision.row().era, revision.era());
            assert_eq!(Revision::parse(revision.name()), Some(revision));
        }
        assert_eq!(Revision::parse("2026-07-28 "), None);
        assert_eq!(Revision::parse("draft"), None);
    }

    // proves: S-045, T-009, T-012
    #[test]
    fn initialize_never_yields_a_stateless_revision() {
        let all = RevisionSet::ALL;
        assert_eq!(all.negotiate(Some(V2026_07_28)), Some(V2025_11_25));
        assert_eq!(all.negotiate(None), Some(V2025_11_25));
        assert_eq!(all.negotiate(Some(V2024_11_05)), Some(V2024_11_05));
        let old = RevisionSet::NONE.with(V2024_11_05).with(V2025_03_26);
        assert_eq!(old.negotiate(Some(V2025_11_25)), Some(V2025_03_26));
        assert_eq!(RevisionSet::NONE.with(V2026_07_28).negotiate(Some(V2025_11_25)), None);
    }

    #[test]
    fn sets_list_newest_first() {
        let set = RevisionSet::NONE.with(V2024_11_05).with(V2026_07_28);
        assert!(set.newest_first().eq([V2026_07_28, V2024_11_05]));
        assert!(set.of_era(Era::Handshake).eq([V2024_11_05]));
    }
}
