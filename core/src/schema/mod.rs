//! JSON Schemas, compiled once, and what is wrong with a value that does not fit one.

mod plain;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::Write as _;
use std::io;
use std::sync::OnceLock;

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment;
use jsonschema::{Draft, PatternOptions, ValidationError};
use plain::Plain;
use serde_json::Value;

/// Longest schema, in bytes.
const SCHEMA_BYTES: usize = 1 << 20;

/// Deepest nesting of a schema. Compiling one recurses.
const SCHEMA_DEPTH: u16 = 100;

/// Steps one backtracking pattern may take on one text (2026-07-28, server/index: bound the time of validation).
const PATTERN_STEPS: usize = 100_000;

/// Most problems told of one value: enough to act on, short enough to read.
const PROBLEMS: usize = 3;

/// Most errors looked at to find that many: a schema may say the same twice.
const LOOKED_AT: usize = 4 * PROBLEMS;

/// Longest value or list of values shown, in characters.
const SHOWN: usize = 60;

/// Deepest chain of alternatives that is followed to find the one that nearly fits.
const ALTERNATIVES: u8 = 8;

/// What is expected where a property should not be.
const UNKNOWN: &str = "no property of this name";

/// What is expected where a schema that seemed plain is none.
const UNCHECKED: &str = "a schema that values can be checked by";

/// A compiled JSON Schema of at most 1 MiB and 100 levels: 2020-12, or the draft its `$schema` names.
///
/// Nothing is ever fetched. `format` is checked as its draft says: not at all from 2019-09 on.
///
/// Plain schemas (types, properties, items, strings to choose from, bounds: what most tools have) are checked from the text;
/// the whole validator is made for them when a value does not fit.
#[derive(Debug)]
pub struct Validator {
    plain: Option<Plain>,
    /// The schema, if it is plain.
    schema: Vec<u8>,
    /// Made at once if it is not.
    whole: OnceLock<Result<jsonschema::Validator, String>>,
}

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

impl Validator {
    /// Compiles a schema.
    ///
    /// # Errors
    /// In words, what is wrong: it is no schema of that draft, its draft is unknown, or a reference leads nowhere inside it.
    pub fn new(schema: &[u8]) -> Result<Self, String> {
        if schema.len() > SCHEMA_BYTES {
            return Err(format!("it is longer than {SCHEMA_BYTES} bytes"));
        }
        let (plain, whole) = (Plain::read(schema), OnceLock::new());
        if plain.is_none() {
            let compiled = compile(schema)?;
            whole.get_or_init(|| Ok(compiled));
        }
        let schema = if plain.is_some() { schema.to_vec() } else { Vec::new() };
        Ok(Validator { plain, schema, whole })
    }

    /// What is wrong with a JSON value, three problems at most; empty if it fits.
    #[must_use]
    pub fn check(&self, instance: &[u8]) -> Vec<Problem> {
        if self.plain.as_ref().is_some_and(|plain| plain.takes(instance)) {
            return Vec::new();
        }
        let whole = match self.whole.get_or_init(|| compile(&self.schema)) {
            Ok(whole) => whole,
            // Plain schemas are right by their meta-schema; a doubt must not let a value through.
            Err(why) => {
                return Vec::from([Problem {
                    path: String::new(),
                    expected: UNCHECKED.to_owned(),
                    got: why.clone(),
                }]);
            }
        };
        match serde_json::from_slice::<Value>(instance) {
            Ok(value) if whole.is_valid(&value) => Vec::new(),
            Ok(value) => {
                let mut problems = Vec::new();
                for error in whole.iter_errors(&value).take(LOOKED_AT) {
                    let found = problem(&error, &value, ALTERNATIVES);
                    if problems.len() < PROBLEMS && !problems.contains(&found) {
                        problems.push(found);
                    }
                }
                problems
            }
            // Numbers beyond any float, and nesting that nobody validates.
            Err(error) => Vec::from([Problem {
                path: String::new(),
                expected: "JSON that can be validated".to_owned(),
                got: error.to_string(),
            }]),
        }
    }
}

fn compile(schema: &[u8]) -> Result<jsonschema::Validator, String> {
    crate::json::check(schema, SCHEMA_DEPTH).map_err(|error| error.to_string())?;
    let schema: Value = serde_json::from_slice(schema).map_err(|error| error.to_string())?;
    match schema.get("$schema") {
        Some(Value::String(label)) if Draft::default().detect(&schema) == Draft::Unknown => {
            return Err(format!(
                "\"$schema\": {label:?} is not supported; 2020-12, 2019-09, draft-07, draft-06 and draft-04 are"
            ));
        }
        None | Some(Value::String(_)) => {}
        Some(_) => return Err("\"$schema\" must be a string".to_owned()),
    }
    jsonschema::options()
        .offline()
        .with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(PATTERN_STEPS))
        .build(&schema)
        .map_err(|error| match error.kind() {
            Kind::Referencing(why) => format!("a reference leads nowhere, and none is ever fetched: {why}"),
            _ => {
                let Problem { path, expected, got } = problem(&error, &schema, ALTERNATIVES);
                let at = if path.is_empty() { "it" } else { &path };
                format!("{at} is no JSON Schema: expected {expected}, got {got}")
            }
        })
}

/// One problem of a value as `mcpgraft.ArgumentError` tells it.
fn problem(error: &ValidationError<'_>, root: &Value, left: u8) -> Problem {
    let instance = error.instance();
    let mut path = path_of(error);
    let mut got = short(instance);
    let expected = match error.kind() {
        Kind::Required { property } => {
            step(&mut path, property.as_str().unwrap_or_default());
            got = "nothing".to_owned();
            "a value".to_owned()
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let name = unexpected.first().map_or("", String::as_str);
            got = instance.get(name).map_or(got, short);
            step(&mut path, name);
            UNKNOWN.to_owned()
        }
        // An object that may have no property at all is not told by its name which one it has.
        Kind::FalseSchema if error.schema_path().as_str().ends_with("/additionalProperties") => {
            let object = root.pointer(error.instance_path().as_str()).and_then(Value::as_object);
            let name = object.and_then(|object| object.keys().next());
            step(&mut path, name.map_or("", String::as_str));
            UNKNOWN.to_owned()
        }
        Kind::Type { kind: TypeKind::Single(one) } => one.to_string(),
        Kind::Type { kind: TypeKind::Multiple(several) } => {
            several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or ")
        }
        Kind::Enum { options } => match &**options {
            Value::Array(options) => one_of(options),
            other => short(other),
        },
        Kind::Constant { expected_value } => short(expected_value),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            match nearest(error, context, root, left) {
                Ok(nearer) => return nearer,
                Err(expected) => expected,
            }
        }
        Kind::OneOfMultipleValid { .. } => "a value that fits one of the alternatives only".to_owned(),
        Kind::PropertyNames { error } if left > 0 => {
            let Problem { expected, got, .. } = problem(error, root, left - 1);
            return Problem { path, expected: format!("property names to be {expected}"), got };
        }
        Kind::Minimum { limit } => format!("a number >= {limit}"),
        Kind::Maximum { limit } => format!("a number <= {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("a number > {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("a number < {limit}"),
        Kind::MultipleOf { multiple_of } => format!("a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("at least {limit} characters"),
        Kind::MaxLength { limit } => format!("at most {limit} characters"),
        Kind::MinItems { limit } => format!("at least {limit} items"),
        Kind::MaxItems { limit } => format!("at most {limit} items"),
        Kind::AdditionalItems { limit } => format!("at most {limit} items"),
        Kind::UnevaluatedItems { .. } => "no more items".to_owned(),
        Kind::MinProperties { limit } => format!("at least {limit} properties"),
        Kind::MaxProperties { limit } => format!("at most {limit} properties"),
        Kind::UniqueItems => "items that all differ".to_owned(),
        Kind::Contains => "an item that fits \"contains\"".to_owned(),
        Kind::Pattern { pattern } => format!("text that matches {}", cut(pattern)),
        Kind::Format { format } => format!("a valid {format}"),
        Kind::ContentEncoding { content_encoding } => format!("{content_encoding} text"),
        Kind::ContentMediaType { content_media_type } => format!("{content_media_type} text"),
        Kind::Not { schema } => format!("a value that does not fit {}", short(schema)),
        Kind::FalseSchema => "nothing".to_owned(),
        Kind::BacktrackLimitExceeded { .. } => "text that the pattern decides in time".to_owned(),
        other => format!("a value that fits {:?}", other.keyword()),
    };
    Problem { path, expected, got }
}

/// Of alternatives that all fail, the problem of the one that got furthest; else what they all want at this place.
fn nearest(
    error: &ValidationError<'_>,
    context: &[Vec<ValidationError<'static>>],
    root: &Value,
    left: u8,
) -> Result<Problem, String> {
    let here = path_of(error);
    let mut wanted: Vec<String> = Vec::new();
    let mut best: Option<Problem> = None;
    let mut several = false;
    for first in context.iter().filter_map(|branch| branch.first()).filter(|_| left > 0) {
        let found = problem(first, root, left - 1);
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
        Some(found) if !several => Ok(found),
        Some(Problem { path, expected, got }) => {
            Err(format!("one of {} alternatives ({path}: expected {expected}, got {got})", context.len()))
        }
        None if wanted.is_empty() => Err(format!("a value that fits one of {} alternatives", context.len())),
        None => Err(wanted.join(" or ")),
    }
}

fn path_of(error: &ValidationError<'_>) -> String {
    let mut path = String::new();
    for segment in error.instance_path().segments() {
        match segment {
            LocationSegment::Property(name) => step(&mut path, &name),
            // Writing to a string does not fail.
            LocationSegment::Index(at) => drop(write!(path, "[{at}]")),
        }
    }
    path
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
fn short(value: &Value) -> String {
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
