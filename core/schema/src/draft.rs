//! The drafts, their meta-schemas, and where in a schema there are schemas.

use std::sync::OnceLock;

use serde_json::Value;

use crate::Whole;

/// A draft of JSON Schema, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Draft {
    D4,
    D6,
    D7,
    D2019,
    D2020,
}

pub(crate) use Draft::{D4, D6, D7, D2019, D2020};

/// The texts are lists of documents, the schema of schemas first; without what says nothing of validity.
const TEXTS: [&str; 5] = [
    include_str!("meta/draft-04.json"),
    include_str!("meta/draft-06.json"),
    include_str!("meta/draft-07.json"),
    include_str!("meta/2019-09.json"),
    include_str!("meta/2020-12.json"),
];

const NAMES: [(&str, Draft); 5] = [
    ("json-schema.org/draft-04/schema", D4),
    ("json-schema.org/draft-06/schema", D6),
    ("json-schema.org/draft-07/schema", D7),
    ("json-schema.org/draft/2019-09/schema", D2019),
    ("json-schema.org/draft/2020-12/schema", D2020),
];

impl Draft {
    /// The draft that a `$schema` names.
    pub(crate) fn named(label: &str) -> Option<Self> {
        let label = label.strip_suffix('#').unwrap_or(label);
        let name = label.strip_prefix("https://").or_else(|| label.strip_prefix("http://"))?;
        NAMES.iter().find(|(known, _)| *known == name).map(|(_, draft)| *draft)
    }

    /// The documents of its meta-schema.
    fn documents(self) -> &'static [Value] {
        static READ: [OnceLock<Vec<Value>>; 5] = [const { OnceLock::new() }; 5];
        let place = self as usize;
        let text = TEXTS.get(place).copied().unwrap_or_default();
        READ.get(place)
            .map_or(&[], |read| read.get_or_init(|| serde_json::from_str(text).unwrap_or_default()))
    }

    /// Its schema of schemas, compiled once for the process.
    pub(crate) fn meta(self) -> Option<&'static Whole> {
        static MADE: [OnceLock<Option<Whole>>; 5] = [const { OnceLock::new() }; 5];
        let made = MADE.get(self as usize)?;
        made.get_or_init(|| Whole::compile(self.documents().first()?, self).ok()).as_ref()
    }

    /// The keyword that names a schema.
    pub(crate) fn id(self) -> &'static str {
        if self == D4 { "id" } else { "$id" }
    }
}

/// A document of one of the meta-schemas, by its URI without a fragment.
pub(crate) fn document(uri: &str) -> Option<(&'static Value, Draft)> {
    if !uri.contains("json-schema.org/draft") {
        return None;
    }
    [D4, D6, D7, D2019, D2020].into_iter().find_map(|draft| {
        let named = |document: &&Value| {
            let id = document.get(draft.id()).and_then(Value::as_str);
            id.is_some_and(|id| id.strip_suffix('#').unwrap_or(id) == uri)
        };
        draft.documents().iter().find(named).map(|document| (document, draft))
    })
}

/// The schemas directly under a keyword.
pub(crate) fn under<'a>(draft: Draft, word: &str, value: &'a Value) -> Vec<&'a Value> {
    let since = match word {
        "additionalItems" if draft < D2020 => D4,
        "not" | "additionalProperties" | "items" | "allOf" | "anyOf" | "oneOf" | "properties" => D4,
        "patternProperties" | "definitions" | "dependencies" => D4,
        "contains" | "propertyNames" => D6,
        "if" | "then" | "else" => D7,
        "$defs" | "dependentSchemas" | "contentSchema" | "unevaluatedItems" | "unevaluatedProperties" => {
            D2019
        }
        "prefixItems" => D2020,
        _ => return Vec::new(),
    };
    if draft < since {
        return Vec::new();
    }
    match (word, value) {
        (
            "properties" | "patternProperties" | "definitions" | "dependencies" | "$defs"
            | "dependentSchemas",
            _,
        ) => value.as_object().map_or_else(Vec::new, |map| map.values().collect()),
        ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(list)) => list.iter().collect(),
        ("items", Value::Array(list)) if draft < D2020 => list.iter().collect(),
        (_, Value::Object(_)) => Vec::from([value]),
        _ => Vec::new(),
    }
}
