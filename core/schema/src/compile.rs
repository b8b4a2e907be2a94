//! From a schema to a program. A schema is made once, however often it is referred to; references are followed one after the
//! other, so that a chain of them needs no stack.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use crate::content;
use crate::draft::{D4, D6, D7, D2019, D2020, Draft};
use crate::format::Format;
use crate::index::{Index, Target};
use crate::matcher::Matcher;
use crate::problem::short;
use crate::program::{Count, Id, Node, Program, Properties, Word};
use crate::value::{self, Options};

/// Compiles a schema that fits its meta-schema.
///
/// # Errors
/// In words: a reference leads nowhere, or a pattern is none.
pub(crate) fn compile(root: &Value, draft: Draft) -> Result<Program, String> {
    let mut compiler = Compiler {
        index: Index::new(root, draft)?,
        program: Program::default(),
        made: HashMap::new(),
        waiting: Vec::new(),
        patterns: HashMap::new(),
        dynamic: Vec::new(),
    };
    compiler.node(root, 0);
    compiler.work()?;
    Ok(compiler.program)
}

struct Compiler<'a> {
    index: Index<'a>,
    program: Program,
    /// The node of each schema, by its address.
    made: HashMap<*const Value, Id>,
    /// Schemas whose nodes are still empty.
    waiting: Vec<(&'a Value, Id)>,
    patterns: HashMap<&'a str, usize>,
    /// Dynamic anchors that are referred to.
    dynamic: Vec<&'a str>,
}

/// A schema that is being made, and where it stands.
struct Place<'a> {
    map: &'a Map<String, Value>,
    resource: usize,
    draft: Draft,
}

impl<'a> Place<'a> {
    fn number(&self, word: &str) -> Option<&'a Number> {
        match self.map.get(word) {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        }
    }
}

impl<'a> Compiler<'a> {
    /// The node of a schema.
    fn node(&mut self, schema: &'a Value, around: usize) -> Id {
        let next = self.program.nodes.len();
        let id = *self.made.entry(std::ptr::from_ref(schema)).or_insert(next);
        if id == next {
            let resource = self.index.owner(schema, around);
            self.program.nodes.push(Node { resource, ..Node::default() });
            self.waiting.push((schema, id));
        }
        id
    }

    fn nodes(&mut self, schemas: &'a Value, around: usize) -> Vec<Id> {
        schemas.as_array().into_iter().flatten().map(|schema| self.node(schema, around)).collect()
    }

    fn work(&mut self) -> Result<(), String> {
        loop {
            while let Some((schema, id)) = self.waiting.pop() {
                let resource = self.program.nodes.get(id).map_or(0, |node| node.resource);
                let words = self.words(schema, resource)?;
                if let Some(node) = self.program.nodes.get_mut(id) {
                    node.leftovers =
                        words.iter().any(|word| matches!(word, Word::RestItems(_) | Word::RestProperties(_)));
                    node.words = words;
                }
            }
            self.anchors();
            if self.waiting.is_empty() {
                return Ok(());
            }
        }
    }

    /// Makes all that a dynamic reference can lead to.
    fn anchors(&mut self) {
        let names: HashMap<&str, usize> =
            self.dynamic.iter().enumerate().map(|(place, name)| (*name, place)).collect();
        let mut found = Vec::new();
        for (at, resource) in self.index.resources.iter().enumerate() {
            let known =
                resource.dynamic.iter().filter_map(|(name, schema)| Some((*names.get(name)?, *schema)));
            found.extend(known.map(|(place, schema)| (place, at, schema)));
        }
        self.program.dynamic.resize_with(names.len(), HashMap::new);
        for (place, at, schema) in found {
            let node = self.node(schema, at);
            if let Some(anchors) = self.program.dynamic.get_mut(place) {
                anchors.insert(at, node);
            }
        }
    }

    fn words(&mut self, schema: &'a Value, resource: usize) -> Result<Vec<Word>, String> {
        let map = match schema {
            Value::Object(map) => map,
            Value::Bool(false) => return Ok(Vec::from([Word::Never])),
            _ => return Ok(Vec::new()),
        };
        let place = Place { map, resource, draft: self.index.draft(resource) };
        let mut words = Vec::new();
        if let Some(Value::String(reference)) = map.get("$ref") {
            let target = self.index.follow(reference, resource)?;
            words.push(Word::Ref(self.node(target.schema, target.resource)));
            if self.index.alone(resource) {
                return Ok(words);
            }
        }
        for (word, value) in map {
            match self.word(&place, word, value)? {
                Some(word) => words.push(word),
                None => words.extend(self.applied(&place, word, value)?),
            }
        }
        // These stand for several keywords, or need that the others are done.
        words.extend(self.properties(&place)?);
        words.extend(self.items(&place));
        words.extend(content_of(&place));
        if place.draft >= D2019 {
            words.extend(map.get("unevaluatedItems").map(|rest| Word::RestItems(self.node(rest, resource))));
            let rest = map.get("unevaluatedProperties");
            words.extend(rest.map(|rest| Word::RestProperties(self.node(rest, resource))));
        }
        Ok(words)
    }

    /// Keywords that look at a value by itself.
    fn word(&mut self, place: &Place<'a>, word: &str, value: &'a Value) -> Result<Option<Word>, String> {
        let draft = place.draft;
        Ok(Some(match (word, value) {
            ("type", _) => Word::Types(types(value, draft)),
            ("enum", Value::Array(options)) => Word::Enum(Options::new(options.iter().cloned())),
            ("const", _) if draft >= D6 => Word::Const(value.clone()),
            ("minimum", Value::Number(limit)) => Word::Least(limit.clone(), flag(place, "exclusiveMinimum")),
            ("maximum", Value::Number(limit)) => Word::Most(limit.clone(), flag(place, "exclusiveMaximum")),
            ("exclusiveMinimum", Value::Number(limit)) if draft >= D6 => Word::Least(limit.clone(), true),
            ("exclusiveMaximum", Value::Number(limit)) if draft >= D6 => Word::Most(limit.clone(), true),
            ("multipleOf", Value::Number(of)) => Word::Multiple(of.clone()),
            ("minLength", Value::Number(count)) => Word::AtLeast(Count::Characters, whole(count)),
            ("maxLength", Value::Number(count)) => Word::AtMost(Count::Characters, whole(count)),
            ("minItems", Value::Number(count)) => Word::AtLeast(Count::Items, whole(count)),
            ("maxItems", Value::Number(count)) => Word::AtMost(Count::Items, whole(count)),
            ("minProperties", Value::Number(count)) => Word::AtLeast(Count::Properties, whole(count)),
            ("maxProperties", Value::Number(count)) => Word::AtMost(Count::Properties, whole(count)),
            ("uniqueItems", Value::Bool(true)) => Word::Unique,
            ("pattern", Value::String(pattern)) => Word::Pattern(self.pattern(pattern)?, pattern.clone()),
            ("required", Value::Array(_)) => Word::Required(names(value)),
            ("format", Value::String(name)) => match Format::of(draft, name) {
                Some(format) => Word::Format(format),
                None => return Ok(None),
            },
            _ => return Ok(None),
        }))
    }

    /// Keywords that apply schemas.
    fn applied(&mut self, place: &Place<'a>, word: &str, value: &'a Value) -> Result<Vec<Word>, String> {
        let (draft, resource) = (place.draft, place.resource);
        Ok(Vec::from([match (word, value) {
            ("allOf", _) => Word::All(self.nodes(value, resource)),
            ("anyOf", _) => Word::Any(self.nodes(value, resource)),
            ("oneOf", _) => Word::One(self.nodes(value, resource)),
            ("not", _) => Word::Not(self.node(value, resource), short(value)),
            ("if", _) if draft >= D7 => {
                let then = place.map.get("then").map(|then| self.node(then, resource));
                let other = place.map.get("else").map(|other| self.node(other, resource));
                Word::If(self.node(value, resource), then, other)
            }
            ("propertyNames", _) if draft >= D6 => Word::Names(self.node(value, resource)),
            ("contains", _) if draft >= D6 => {
                let limit = |word| place.number(word).filter(|_| draft >= D2019).map(whole);
                Word::Contains {
                    node: self.node(value, resource),
                    least: limit("minContains").unwrap_or(1),
                    most: limit("maxContains"),
                    marks: draft >= D2020,
                }
            }
            ("dependentRequired", Value::Object(map)) if draft >= D2019 => {
                Word::RequiredWith(map.iter().map(|(name, others)| (name.clone(), names(others))).collect())
            }
            ("dependentSchemas", Value::Object(map)) if draft >= D2019 => {
                let made = map.iter().map(|(name, schema)| (name.clone(), self.node(schema, resource)));
                Word::SchemaWith(made.collect())
            }
            // From 2019-09 on it is two keywords; this one is still taken.
            ("dependencies", Value::Object(map)) => {
                let (lists, schemas): (Vec<_>, Vec<_>) = map.iter().partition(|(_, value)| value.is_array());
                let lists = lists.into_iter().map(|(name, others)| (name.clone(), names(others))).collect();
                let schemas =
                    schemas.into_iter().map(|(name, schema)| (name.clone(), self.node(schema, resource)));
                return Ok(Vec::from([Word::RequiredWith(lists), Word::SchemaWith(schemas.collect())]));
            }
            ("$dynamicRef", Value::String(reference)) if draft >= D2020 => {
                let target = self.index.follow(reference, resource)?;
                self.dynamic(&target)
            }
            ("$recursiveRef", Value::String(_)) if draft == D2019 => {
                let target = self.index.recursive(resource)?;
                self.dynamic(&target)
            }
            _ => return Ok(Vec::new()),
        }]))
    }

    fn dynamic(&mut self, target: &Target<'a>) -> Word {
        let node = self.node(target.schema, target.resource);
        let Some(name) = target.dynamic else { return Word::Ref(node) };
        let known = self.dynamic.iter().position(|known| *known == name);
        Word::Dynamic(
            known.unwrap_or_else(|| {
                self.dynamic.push(name);
                self.dynamic.len() - 1
            }),
            node,
        )
    }

    fn pattern(&mut self, pattern: &'a str) -> Result<usize, String> {
        if let Some(known) = self.patterns.get(pattern) {
            return Ok(*known);
        }
        let wrong =
            || format!("pattern {} is no regular expression, or too large a one", short(&pattern.into()));
        self.program.patterns.push(Matcher::new(pattern).ok_or_else(wrong)?);
        let place = self.program.patterns.len() - 1;
        self.patterns.insert(pattern, place);
        Ok(place)
    }

    fn properties(&mut self, place: &Place<'a>) -> Result<Option<Word>, String> {
        let mut properties = Properties::default();
        if let Some(Value::Object(map)) = place.map.get("properties") {
            let made = map.iter().map(|(name, schema)| (name.clone(), self.node(schema, place.resource)));
            properties.named = made.collect();
            properties.named.sort_unstable();
        }
        if let Some(Value::Object(map)) = place.map.get("patternProperties") {
            for (pattern, schema) in map {
                let made = (self.pattern(pattern)?, self.node(schema, place.resource));
                properties.patterns.push(made);
            }
        }
        properties.others =
            (place.map.get("additionalProperties")).map(|schema| self.node(schema, place.resource));
        let any =
            !properties.named.is_empty() || !properties.patterns.is_empty() || properties.others.is_some();
        Ok(any.then(|| Word::Properties(Box::new(properties))))
    }

    fn items(&mut self, place: &Place<'a>) -> Option<Word> {
        let (map, resource) = (place.map, place.resource);
        let (first, rest) = if place.draft >= D2020 {
            (map.get("prefixItems"), map.get("items"))
        } else {
            match map.get("items") {
                Some(first @ Value::Array(_)) => (Some(first), map.get("additionalItems")),
                all => (None, all),
            }
        };
        let first = first.map(|first| self.nodes(first, resource));
        let rest = rest.map(|rest| self.node(rest, resource));
        (first.is_some() || rest.is_some()).then(|| Word::Items(first.unwrap_or_default(), rest))
    }
}

/// `contentEncoding` and `contentMediaType`: checked in drafts 06 and 07, told about later.
fn content_of(place: &Place<'_>) -> Option<Word> {
    if !(D6..=D7).contains(&place.draft) {
        return None;
    }
    let text = |word: &str| place.map.get(word).and_then(Value::as_str);
    let encoding = text("contentEncoding").and_then(content::encoding);
    let json = text("contentMediaType") == Some("application/json");
    (encoding.is_some() || json).then_some(Word::Content { encoding, json })
}

fn types(value: &Value, draft: Draft) -> u8 {
    let bit = |name: &str| match name {
        "integer" if draft == D4 => value::WRITTEN_INTEGER,
        _ => value::TYPES.iter().find(|(_, known)| *known == name).map_or(0, |(bit, _)| *bit),
    };
    match value {
        Value::String(name) => bit(name),
        Value::Array(list) => list.iter().filter_map(Value::as_str).fold(0, |bits, name| bits | bit(name)),
        _ => 0,
    }
}

/// A count; its meta-schema sees to it that it is one, perhaps written as 2.0.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(number: &Number) -> u64 {
    number.as_u64().or_else(|| number.as_f64().map(|number| number as u64)).unwrap_or_default()
}

fn names(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// In draft 04 these are flags beside the limit.
fn flag(place: &Place<'_>, word: &str) -> bool {
    place.draft == D4 && matches!(place.map.get(word), Some(Value::Bool(true)))
}
