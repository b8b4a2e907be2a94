//! Whether a value fits, and with a `Tell` to tell it to, what does not.
//!
//! A schema can say in a few lines what takes forever to check, so steps and depth are counted. What is not decided in time
//! does not fit.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::problem::{At, Tell};
use crate::program::{Count, Id, Node, Program, Word};
use crate::value;

/// Steps a check may take: a schema at a value is one. A megabyte of numbers takes half a million.
const STEPS: usize = 10_000_000;

/// How many schemas may be at work within one another, each with less than a KiB of stack. The deepest schema takes 500 of them
/// by its meta-schema; the deepest value may meet five at each level.
const DEPTH: u16 = 640;

/// How many names or frames are looked at in a step.
const SMALL: usize = 16;

/// Bytes of text that a pattern is taken to look at in a step.
const BYTES: usize = 64;

/// One check of one value.
pub(crate) struct Check<'p> {
    pub(crate) program: &'p Program,
    left: usize,
    /// Something could not be decided in time.
    pub(crate) undecided: bool,
}

/// A schema at work, and those it works for: the dynamic scope.
pub(crate) struct Frame<'f> {
    outer: Option<&'f Frame<'f>>,
    node: Id,
    resource: usize,
    value: *const Value,
    depth: u16,
}

/// What has been looked at of a value.
#[derive(Default)]
pub(crate) struct Seen<'v> {
    pub(crate) names: BTreeSet<&'v str>,
    pub(crate) all_names: bool,
    pub(crate) items: BTreeSet<usize>,
    pub(crate) first_items: usize,
}

impl<'v> Seen<'v> {
    fn add(&mut self, other: Seen<'v>) {
        self.names.extend(other.names);
        self.all_names |= other.all_names;
        self.items.extend(other.items);
        self.first_items = self.first_items.max(other.first_items);
    }
}

/// Where a word is at work.
pub(crate) struct Work<'w, 'v> {
    pub(crate) value: &'v Value,
    pub(crate) at: &'w At<'w>,
    pub(crate) frame: &'w Frame<'w>,
}

impl<'p> Check<'p> {
    pub(crate) fn new(program: &'p Program) -> Self {
        Check { program, left: STEPS, undecided: false }
    }

    /// Whether a value fits the program.
    pub(crate) fn root(&mut self, value: &Value, tell: Option<&mut Tell>) -> bool {
        self.node(0, value, &At::Root, None, None, tell)
    }

    /// Whether its steps were not enough.
    pub(crate) fn exhausted(&self) -> bool {
        self.left == 0
    }

    fn step(&mut self, count: usize) -> bool {
        self.left = self.left.saturating_sub(count);
        self.undecided |= self.left == 0;
        self.left > 0
    }

    pub(crate) fn node<'v>(
        &mut self,
        id: Id,
        value: &'v Value,
        at: &At<'_>,
        outer: Option<&Frame<'_>>,
        seen: Option<&mut Seen<'v>>,
        tell: Option<&mut Tell>,
    ) -> bool {
        let program = self.program;
        let Some(node) = program.nodes.get(id) else { return true };
        let depth = outer.map_or(0, |outer| outer.depth + 1);
        if depth > DEPTH {
            self.left = 0;
        }
        if !self.step(1) || self.undecided {
            return false;
        }
        let frame = Frame { outer, node: id, resource: node.resource, value, depth };
        let work = Work { value, at, frame: &frame };
        if seen.is_none() && !node.leftovers {
            return self.words(node, &work, &mut None, tell);
        }
        let mut mine = Some(Seen::default());
        let fits = self.words(node, &work, &mut mine, tell);
        if fits && let (Some(seen), Some(mine)) = (seen, mine) {
            seen.add(mine);
        }
        fits
    }

    fn words<'v>(
        &mut self,
        node: &'p Node,
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        mut tell: Option<&mut Tell>,
    ) -> bool {
        let mut fits = true;
        for word in &node.words {
            if !self.word(word, work, seen, tell.as_deref_mut()) {
                fits = false;
                if tell.as_ref().is_none_or(|tell| tell.is_full()) {
                    break;
                }
            }
        }
        fits
    }

    /// One word; most of them are about one type, and take all others.
    fn word<'v>(
        &mut self,
        word: &'p Word,
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        mut tell: Option<&mut Tell>,
    ) -> bool {
        let value = work.value;
        let fits = match (word, value) {
            (Word::Never, _) => false,
            (Word::Types(types), _) => value::types(value) & types != 0,
            (Word::Enum(options), _) => options.has(value),
            (Word::Const(constant), _) => value::same(constant, value),
            (Word::Least(limit, true), Value::Number(number)) => value::compare(number, limit).is_gt(),
            (Word::Least(limit, false), Value::Number(number)) => value::compare(number, limit).is_ge(),
            (Word::Most(limit, true), Value::Number(number)) => value::compare(number, limit).is_lt(),
            (Word::Most(limit, false), Value::Number(number)) => value::compare(number, limit).is_le(),
            (Word::Multiple(of), Value::Number(number)) => value::is_multiple(number, of),
            (Word::AtLeast(what, least), _) => counted(*what, value).is_none_or(|count| count >= *least),
            (Word::AtMost(what, most), _) => counted(*what, value).is_none_or(|count| count <= *most),
            (Word::Pattern(pattern, _), Value::String(text)) => self.finds(*pattern, text),
            (Word::Format(format), Value::String(text)) => format.takes(text),
            (Word::Content { encoding, json }, Value::String(text)) => {
                crate::content::takes(*encoding, *json, text)
            }
            (Word::Unique, Value::Array(list)) => self.step(list.len()) && value::all_differ(list),
            (Word::Contains { node, least, most, marks }, Value::Array(list)) => {
                let mut count = 0_u64;
                for (index, item) in list.iter().enumerate() {
                    if self.node(*node, item, work.at, Some(work.frame), None, None) {
                        count += 1;
                        if let Some(seen) = seen.as_mut().filter(|_| *marks) {
                            seen.items.insert(index);
                        } else if most.is_none() && count >= *least {
                            break;
                        }
                    }
                }
                count >= *least && most.is_none_or(|most| count <= most)
            }
            (Word::Not(node, _), _) => !self.node(*node, value, work.at, Some(work.frame), None, None),
            (Word::Any(nodes), _) => {
                let mut any = false;
                for node in nodes {
                    any |= self.apart(*node, work, seen);
                    // All of them are asked what they looked at.
                    if any && seen.is_none() {
                        break;
                    }
                }
                any
            }
            (Word::One(nodes), _) => nodes.iter().filter(|node| self.apart(**node, work, seen)).count() == 1,
            // These tell by themselves.
            (Word::Required(names), Value::Object(map)) => {
                self.step(names.len() / SMALL);
                return required(names, map, work, tell);
            }
            (Word::RequiredWith(lists), Value::Object(map)) => {
                self.step(lists.len());
                let mut fits = true;
                for (_, names) in lists.iter().filter(|(name, _)| map.contains_key(name)) {
                    fits &= required(names, map, work, tell.as_deref_mut());
                }
                return fits;
            }
            (Word::All(nodes), _) => {
                let nodes = nodes.iter().copied();
                return self.each(nodes, work, seen, tell);
            }
            (Word::SchemaWith(nodes), Value::Object(map)) => {
                self.step(nodes.len() / SMALL);
                let nodes = nodes.iter().filter(|(name, _)| map.contains_key(name)).map(|(_, node)| *node);
                return self.each(nodes, work, seen, tell);
            }
            (Word::If(test, then, other), _) => {
                let next = if self.apart(*test, work, seen) { then } else { other };
                return self.each(next.iter().copied(), work, seen, tell);
            }
            (Word::Ref(node), _) => return self.follow(*node, work, seen, tell),
            (Word::Dynamic(name, node), _) => {
                let node = self.outermost(*name, work.frame).unwrap_or(*node);
                return self.follow(node, work, seen, tell);
            }
            (Word::Items(first, rest), Value::Array(list)) => {
                return self.items(first, *rest, list, work, seen, tell);
            }
            (Word::RestItems(rest), Value::Array(list)) => {
                return self.rest_items(*rest, list, work, seen, tell);
            }
            (Word::Properties(properties), Value::Object(map)) => {
                return self.properties(properties, map, work, seen, tell);
            }
            (Word::RestProperties(rest), Value::Object(map)) => {
                return self.rest_properties(*rest, map, work, seen, tell);
            }
            (Word::Names(node), Value::Object(map)) => return self.names(*node, map, work, tell),
            _ => true,
        };
        if !fits && let Some(tell) = tell {
            self.tell(word, work, tell);
        }
        fits
    }

    pub(crate) fn finds(&mut self, pattern: usize, text: &str) -> bool {
        if !self.step(1 + text.len() / BYTES) {
            return false;
        }
        let found = self.program.patterns.get(pattern).map_or(Some(true), |pattern| pattern.finds(text));
        self.undecided |= found.is_none();
        found.unwrap_or(false)
    }

    /// A schema at the same value, whose word counts if it fits.
    fn apart<'v>(&mut self, node: Id, work: &Work<'_, 'v>, seen: &mut Option<Seen<'v>>) -> bool {
        self.node(node, work.value, work.at, Some(work.frame), seen.as_mut(), None)
    }

    /// All schemas at the same value.
    fn each<'v>(
        &mut self,
        nodes: impl Iterator<Item = Id>,
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        mut tell: Option<&mut Tell>,
    ) -> bool {
        let mut fits = true;
        for node in nodes {
            fits &=
                self.node(node, work.value, work.at, Some(work.frame), seen.as_mut(), tell.as_deref_mut());
            if !fits && tell.as_ref().is_none_or(|tell| tell.is_full()) {
                break;
            }
        }
        fits
    }

    /// A reference. One that comes back to where it came from says nothing.
    fn follow<'v>(
        &mut self,
        node: Id,
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        tell: Option<&mut Tell>,
    ) -> bool {
        let (mut outer, mut passed) = (Some(work.frame), 0);
        while let Some(frame) = outer.filter(|frame| std::ptr::eq(frame.value, work.value)) {
            if frame.node == node {
                return true;
            }
            outer = frame.outer;
            passed += 1;
        }
        self.step(passed / SMALL);
        self.node(node, work.value, work.at, Some(work.frame), seen.as_mut(), tell)
    }

    /// The node of a dynamic anchor in the outermost resource at work that has it.
    fn outermost(&mut self, name: usize, frame: &Frame<'_>) -> Option<Id> {
        self.step(usize::from(frame.depth) / SMALL);
        let anchors = self.program.dynamic.get(name)?;
        let (mut outer, mut found) = (Some(frame), None);
        while let Some(frame) = outer {
            found = anchors.get(&frame.resource).copied().or(found);
            outer = frame.outer;
        }
        found
    }

    /// Tells of a word that a value does not fit.
    #[cold]
    fn tell(&mut self, word: &Word, work: &Work<'_, '_>, tell: &mut Tell) {
        match word {
            Word::Any(nodes) | Word::One(nodes) => {
                let mut fits =
                    |node: &Id| self.node(*node, work.value, work.at, Some(work.frame), None, None);
                if nodes.iter().any(&mut fits) {
                    return tell.say(
                        work.at,
                        work.value,
                        "a value that fits one of the alternatives only".to_owned(),
                    );
                }
                tell.nearest(work.at, work.value, nodes.len(), |place, first| {
                    if let Some(node) = nodes.get(place) {
                        self.node(*node, work.value, work.at, Some(work.frame), None, Some(first));
                    }
                });
            }
            Word::Pattern(..) if self.undecided => {
                tell.say(work.at, work.value, "text that the pattern decides in time".to_owned());
            }
            other => tell.say(work.at, work.value, other.expected()),
        }
    }
}

fn required(
    names: &[String],
    map: &Map<String, Value>,
    work: &Work<'_, '_>,
    mut tell: Option<&mut Tell>,
) -> bool {
    let mut fits = true;
    for name in names.iter().filter(|name| !map.contains_key(name.as_str())) {
        fits = false;
        let Some(tell) = tell.as_deref_mut() else { return false };
        tell.missing(&At::Property(name, work.at));
    }
    fits
}

/// How many there are of what is counted; `None`: the value has none of it.
fn counted(what: Count, value: &Value) -> Option<u64> {
    let count = match (what, value) {
        (Count::Characters, Value::String(text)) => text.chars().count(),
        (Count::Items, Value::Array(list)) => list.len(),
        (Count::Properties, Value::Object(map)) => map.len(),
        _ => return None,
    };
    Some(u64::try_from(count).unwrap_or(u64::MAX))
}
