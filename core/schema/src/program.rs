//! A compiled schema: nodes, which are schemas, of words, which are keywords with what they say.

use std::collections::HashMap;

use serde_json::{Number, Value};

use crate::format::Format;
use crate::matcher::Matcher;
use crate::value::Options;

/// A node's place in the program.
pub(crate) type Id = usize;

/// A compiled schema.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) nodes: Vec<Node>,
    pub(crate) patterns: Vec<Matcher>,
    /// For each dynamic anchor: the resources that have it, and the nodes there.
    pub(crate) dynamic: Vec<HashMap<usize, Id>>,
}

/// A schema.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) resource: usize,
    /// In order; those that look at what the others left come last.
    pub(crate) words: Vec<Word>,
    /// One of them looks at what the others left.
    pub(crate) leftovers: bool,
}

/// What a number counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Count {
    Characters,
    Items,
    Properties,
}

/// A keyword and what it says.
#[derive(Debug)]
pub(crate) enum Word {
    /// The schema `false`.
    Never,
    /// Bits of `value`.
    Types(u8),
    Enum(Options),
    Const(Value),
    /// `minimum`, or `exclusiveMinimum`.
    Least(Number, bool),
    /// `maximum`, or `exclusiveMaximum`.
    Most(Number, bool),
    Multiple(Number),
    AtLeast(Count, u64),
    AtMost(Count, u64),
    /// By its place in the program, and as it was written.
    Pattern(usize, String),
    Unique,
    /// The first items each by itself, and all others.
    Items(Vec<Id>, Option<Id>),
    Contains {
        node: Id,
        least: u64,
        most: Option<u64>,
        /// What was found counts as looked at (2020-12).
        marks: bool,
    },
    Required(Vec<String>),
    Properties(Box<Properties>),
    Names(Id),
    /// Who has this property must have those.
    RequiredWith(Vec<(String, Vec<String>)>),
    SchemaWith(Vec<(String, Id)>),
    All(Vec<Id>),
    Any(Vec<Id>),
    One(Vec<Id>),
    /// The schema as it is shown.
    Not(Id, String),
    If(Id, Option<Id>, Option<Id>),
    Ref(Id),
    /// An anchor by its place in `dynamic`, and where it leads if nothing outside has it.
    Dynamic(usize, Id),
    Format(Format),
    Content {
        encoding: Option<&'static str>,
        json: bool,
    },
    RestItems(Id),
    RestProperties(Id),
}

/// `properties`, `patternProperties` and `additionalProperties`.
#[derive(Debug, Default)]
pub(crate) struct Properties {
    /// Sorted by name.
    pub(crate) named: Vec<(String, Id)>,
    pub(crate) patterns: Vec<(usize, Id)>,
    pub(crate) others: Option<Id>,
}

impl Program {
    /// Whether a node is the schema `false`.
    pub(crate) fn is_never(&self, id: Id) -> bool {
        self.nodes.get(id).is_some_and(|node| matches!(node.words.as_slice(), [Word::Never]))
    }
}
