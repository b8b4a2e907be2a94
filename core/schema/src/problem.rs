//! What is wrong with a value, in words: where, what would fit, what came.

use std::fmt::Write as _;
use std::io;

use serde_json::Value;

use crate::program::{Count, Word};
use crate::value::TYPES;

/// Longest value or list of values shown, in characters.
const SHOWN: usize = 60;

/// Most problems told of one value: enough to act on, short enough to read.
const PROBLEMS: usize = 3;

/// Problems looked at for each that is told: a schema may say the same twice.
const LOOKED_AT: usize = 4;

/// Deepest chain of alternatives that is followed to find the one that nearly fits.
const ALTERNATIVES: u8 = 8;

/// One thing that is wrong with a value. Values are cut to 60 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: as in `filters.tags[0]`; empty for the value itself.
    pub path: String,
    /// What would fit there.
    pub expected: String,
    /// What came.
    pub got: String,
}

/// A place in a value.
pub(crate) enum At<'a> {
    Root,
    Property(&'a str, &'a At<'a>),
    Index(usize, &'a At<'a>),
}

impl At<'_> {
    fn path(&self) -> String {
        let (mut steps, mut at) = (Vec::new(), self);
        while let At::Property(_, outer) | At::Index(_, outer) = at {
            steps.push(at);
            at = outer;
        }
        let mut path = String::new();
        for at in steps.iter().rev() {
            match at {
                At::Property(name, _) => step(&mut path, name),
                // Writing to a string does not fail.
                At::Index(index, _) => drop(write!(path, "[{index}]")),
                At::Root => {}
            }
        }
        path
    }
}

/// Takes problems, until there are enough.
pub(crate) struct Tell {
    pub(crate) problems: Vec<Problem>,
    looked_at: usize,
    most: usize,
    left: u8,
}

impl Tell {
    /// Takes as many as are told.
    pub(crate) fn new() -> Self {
        Tell { problems: Vec::new(), looked_at: 0, most: PROBLEMS, left: ALTERNATIVES }
    }

    /// Takes one.
    pub(crate) fn first() -> Self {
        Tell { most: 1, ..Tell::new() }
    }

    pub(crate) fn is_full(&self) -> bool {
        self.problems.len() >= self.most || self.looked_at >= LOOKED_AT * self.most
    }

    fn add(&mut self, problem: Problem) {
        if !self.is_full() && !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
        self.looked_at += 1;
    }

    /// A value is not what is expected.
    pub(crate) fn say(&mut self, at: &At<'_>, value: &Value, expected: String) {
        if !self.is_full() {
            self.add(Problem { path: at.path(), expected, got: short(value) });
        }
    }

    /// A property is missing.
    pub(crate) fn missing(&mut self, at: &At<'_>) {
        self.add(Problem { path: at.path(), expected: "a value".to_owned(), got: "nothing".to_owned() });
    }

    /// The name of a property does not fit; `find` finds out why.
    pub(crate) fn name(&mut self, at: &At<'_>, name: &Value, find: impl FnOnce(&mut Tell)) {
        let expected = match self.found(find) {
            Some(Problem { expected, .. }) => format!("property names to be {expected}"),
            None => "other property names".to_owned(),
        };
        self.say(at, name, expected);
    }

    /// Of alternatives that all fail, tells the problem of the one that got furthest; else what they all want at this place.
    /// `find` finds out what is wrong with one.
    pub(crate) fn nearest(
        &mut self,
        at: &At<'_>,
        value: &Value,
        count: usize,
        mut find: impl FnMut(usize, &mut Tell),
    ) {
        let here = at.path();
        let mut wanted: Vec<String> = Vec::new();
        let mut best: Option<Problem> = None;
        let mut several = false;
        for found in (0..count).filter_map(|place| self.found(|first| find(place, first))) {
            if found.path == here {
                if !wanted.contains(&found.expected) {
                    wanted.push(found.expected);
                }
            } else if best.is_none() {
                best = Some(found);
            } else {
                several = true;
            }
        }
        match best {
            // One alternative accepted the value's type: its complaint is the useful one.
            Some(found) if !several => self.add(found),
            Some(Problem { path, expected, got }) => self.say(
                at,
                value,
                format!("one of {count} alternatives ({path}: expected {expected}, got {got})"),
            ),
            None if wanted.is_empty() => {
                self.say(at, value, format!("a value that fits one of {count} alternatives"));
            }
            None => self.say(at, value, wanted.join(" or ")),
        }
    }

    /// The first problem that is found, unless this goes too deep.
    fn found(&self, find: impl FnOnce(&mut Tell)) -> Option<Problem> {
        let mut first = Tell { left: self.left.checked_sub(1)?, ..Tell::first() };
        find(&mut first);
        first.problems.pop()
    }
}

impl Word {
    /// What fits this word, where it says so by itself.
    pub(crate) fn expected(&self) -> String {
        match self {
            Word::Never => "nothing".to_owned(),
            Word::Types(types) => {
                let names = TYPES.iter().filter(|(bit, _)| types & bit != 0).map(|(_, name)| *name);
                names.collect::<Vec<_>>().join(" or ")
            }
            Word::Enum(options) => one_of(&options.values),
            Word::Const(value) => short(value),
            Word::Least(limit, exclusive) => {
                format!("a number {} {limit}", if *exclusive { ">" } else { ">=" })
            }
            Word::Most(limit, exclusive) => {
                format!("a number {} {limit}", if *exclusive { "<" } else { "<=" })
            }
            Word::Multiple(of) => format!("a multiple of {of}"),
            Word::AtLeast(what, least) => format!("at least {least} {}", name(*what)),
            Word::AtMost(what, most) => format!("at most {most} {}", name(*what)),
            Word::Pattern(_, pattern) => format!("text that matches {}", cut(pattern)),
            Word::Unique => "items that all differ".to_owned(),
            Word::Contains { .. } => "an item that fits \"contains\"".to_owned(),
            Word::Not(_, schema) => format!("a value that does not fit {schema}"),
            Word::Format(format) => format!("a valid {}", format.name()),
            Word::Content { encoding: Some(encoding), .. } => format!("{encoding} text"),
            Word::Content { encoding: None, .. } => "application/json text".to_owned(),
            _ => "a value that fits".to_owned(),
        }
    }
}

fn name(what: Count) -> &'static str {
    match what {
        Count::Characters => "characters",
        Count::Items => "items",
        Count::Properties => "properties",
    }
}

/// Goes into a property: `filters.tags`. Names are the peer's, so a long one is cut.
fn step(path: &mut String, name: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(&cut(name));
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// A value as JSON, or its beginning.
pub(crate) fn short(value: &Value) -> String {
    let mut begun = Begun(Vec::new());
    // It fails when there is enough.
    drop(serde_json::to_writer(&mut begun, value));
    cut(String::from_utf8_lossy(&begun.0).trim_end_matches('\u{fffd}'))
}

fn one_of(options: &[Value]) -> String {
    let mut text = String::from("one of ");
    for (at, option) in options.iter().enumerate() {
        if at > 0 {
            text.push_str(", ");
        }
        if text.len() > 4 * SHOWN {
            text.push_str("...");
            break;
        }
        text.push_str(&short(option));
    }
    text
}

/// Takes the first bytes and then no more, so that a long value is not written whole to be cut.
struct Begun(Vec<u8>);

impl io::Write for Begun {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = (4 * (SHOWN + 1)).saturating_sub(self.0.len()).min(bytes.len());
        self.0.extend_from_slice(bytes.get(..room).unwrap_or_default());
        Ok(room) // 0 ends the writing
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
