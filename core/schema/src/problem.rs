//! What is wrong with a value, in words: where, what would fit, what came.

use std::fmt::Write as _;
use std::io;

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::paths::LocationSegment;
use serde_json::Value;

/// Longest value or list of values shown, in characters.
const SHOWN: usize = 60;

/// Deepest chain of alternatives that is followed to find the one that nearly fits.
const ALTERNATIVES: u8 = 8;

/// What is expected where a property should not be.
const UNKNOWN: &str = "no property of this name";

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

impl Problem {
    /// The problem that an error in `root` stands for.
    pub(crate) fn of(error: &ValidationError<'_>, root: &Value) -> Self {
        problem(error, root, ALTERNATIVES)
    }
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
