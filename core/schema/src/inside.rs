//! Words that apply schemas to what is inside a value: its items, its properties, their names.

use serde_json::{Map, Value};

use crate::check::{Check, Seen, Work};
use crate::problem::{At, Tell};
use crate::program::{Id, Properties};

/// What is expected where a property should not be.
const UNKNOWN: &str = "no property of this name";

impl Check<'_> {
    pub(crate) fn items<'v>(
        &mut self,
        first: &[Id],
        rest: Option<Id>,
        list: &'v [Value],
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        mut tell: Option<&mut Tell>,
    ) -> bool {
        if rest.is_some_and(|rest| self.program.is_never(rest)) && list.len() > first.len() {
            if let Some(tell) = tell {
                tell.say(work.at, work.value, format!("at most {} items", first.len()));
            }
            return false;
        }
        let nodes = first.iter().copied().map(Some).chain(std::iter::repeat(rest));
        let mut fits = true;
        for (index, (item, node)) in list.iter().zip(nodes).enumerate() {
            let Some(node) = node else { break };
            let at = At::Index(index, work.at);
            fits &= self.node(node, item, &at, Some(work.frame), None, tell.as_deref_mut());
            if !fits && tell.as_ref().is_none_or(|tell| tell.is_full()) {
                return false;
            }
        }
        if let Some(seen) = seen {
            seen.first_items = seen.first_items.max(if rest.is_some() { usize::MAX } else { first.len() });
        }
        fits
    }

    pub(crate) fn rest_items<'v>(
        &mut self,
        rest: Id,
        list: &'v [Value],
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        tell: Option<&mut Tell>,
    ) -> bool {
        let Some(seen) = seen else { return true };
        let left =
            list.iter().enumerate().skip(seen.first_items).filter(|(index, _)| !seen.items.contains(index));
        for (index, item) in left {
            if !self.node(rest, item, &At::Index(index, work.at), Some(work.frame), None, None) {
                if let Some(tell) = tell {
                    tell.say(work.at, work.value, "no more items".to_owned());
                }
                return false;
            }
        }
        seen.first_items = usize::MAX;
        true
    }

    pub(crate) fn properties<'v>(
        &mut self,
        properties: &Properties,
        map: &'v Map<String, Value>,
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        mut tell: Option<&mut Tell>,
    ) -> bool {
        let Properties { named, patterns, others } = properties;
        let (mut fits, mut told_unknown) = (true, false);
        for (name, value) in map {
            let at = At::Property(name, work.at);
            let mut known = false;
            if let Some((_, node)) =
                named.binary_search_by(|(known, _)| known.cmp(name)).ok().and_then(|place| named.get(place))
            {
                known = true;
                fits &= self.node(*node, value, &at, Some(work.frame), None, tell.as_deref_mut());
            }
            for (pattern, node) in patterns {
                if self.finds(*pattern, name) {
                    known = true;
                    fits &= self.node(*node, value, &at, Some(work.frame), None, tell.as_deref_mut());
                }
            }
            if !known && let Some(node) = *others {
                known = true;
                if self.program.is_never(node) {
                    // One of them tells enough.
                    if let Some(tell) = tell.as_deref_mut().filter(|_| !told_unknown) {
                        tell.say(&at, value, UNKNOWN.to_owned());
                    }
                    (fits, told_unknown) = (false, true);
                } else {
                    fits &= self.node(node, value, &at, Some(work.frame), None, tell.as_deref_mut());
                }
            }
            if !fits && tell.as_ref().is_none_or(|tell| tell.is_full()) {
                return false;
            }
            if let Some(seen) = seen.as_mut().filter(|_| known) {
                seen.names.insert(name);
            }
        }
        fits
    }

    pub(crate) fn rest_properties<'v>(
        &mut self,
        rest: Id,
        map: &'v Map<String, Value>,
        work: &Work<'_, 'v>,
        seen: &mut Option<Seen<'v>>,
        tell: Option<&mut Tell>,
    ) -> bool {
        let Some(seen) = seen.as_mut().filter(|seen| !seen.all_names) else { return true };
        for (name, value) in map.iter().filter(|(name, _)| !seen.names.contains(name.as_str())) {
            let at = At::Property(name, work.at);
            if !self.node(rest, value, &at, Some(work.frame), None, None) {
                if let Some(tell) = tell {
                    tell.say(&at, value, UNKNOWN.to_owned());
                }
                return false;
            }
        }
        seen.all_names = true;
        true
    }

    pub(crate) fn names(
        &mut self,
        node: Id,
        map: &Map<String, Value>,
        work: &Work<'_, '_>,
        mut tell: Option<&mut Tell>,
    ) -> bool {
        let mut fits = true;
        for name in map.keys() {
            let name = Value::String(name.clone());
            if self.node(node, &name, work.at, Some(work.frame), None, None) {
                continue;
            }
            fits = false;
            let Some(tell) = tell.as_deref_mut().filter(|tell| !tell.is_full()) else { return false };
            tell.name(work.at, &name, |first| {
                self.node(node, &name, work.at, Some(work.frame), None, Some(first));
            });
        }
        fits
    }
}
