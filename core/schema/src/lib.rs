//! The whole JSON Schema validator behind the feature `schema` of `mcpgraft`: any draft from 04 to 2020-12. Use it through
//! `mcpgraft::schema`, which answers most plain schemas without it.
//!
//! It is a crate of its own to be compiled for size, as the validator it wraps: generic code is then made once, where that
//! validator is, and not a second time, for speed, where it is used.
#![forbid(unsafe_code)]

mod problem;

use jsonschema::error::ValidationErrorKind as Kind;
use jsonschema::{Draft, PatternOptions};
use serde_json::Value;

pub use problem::Problem;

/// Steps one backtracking pattern may take on one text (2026-07-28, server/index: bound the time of validation).
const PATTERN_STEPS: usize = 100_000;

/// Most problems told of one value: enough to act on, short enough to read.
const PROBLEMS: usize = 3;

/// Most errors looked at to find that many: a schema may say the same twice.
const LOOKED_AT: usize = 4 * PROBLEMS;

/// A compiled JSON Schema: 2020-12, or the draft its `$schema` names.
///
/// Nothing is ever fetched. `format` is checked as its draft says: not at all from 2019-09 on.
#[derive(Debug)]
pub struct Whole(jsonschema::Validator);

impl Whole {
    /// Compiles a schema. Compiling recurses: its size and depth are the caller's to bound.
    ///
    /// # Errors
    /// In words, what is wrong: it is no schema of that draft, its draft is unknown, or a reference leads nowhere inside it.
    pub fn new(schema: &[u8]) -> Result<Self, String> {
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
            .map(Whole)
            .map_err(|error| match error.kind() {
                Kind::Referencing(why) => {
                    format!("a reference leads nowhere, and none is ever fetched: {why}")
                }
                _ => {
                    let Problem { path, expected, got } = Problem::of(&error, &schema);
                    let at = if path.is_empty() { "it" } else { &path };
                    format!("{at} is no JSON Schema: expected {expected}, got {got}")
                }
            })
    }

    /// What is wrong with a JSON value, three problems at most; empty if it fits.
    #[must_use]
    pub fn check(&self, instance: &[u8]) -> Vec<Problem> {
        match serde_json::from_slice::<Value>(instance) {
            Ok(value) if self.0.is_valid(&value) => Vec::new(),
            Ok(value) => {
                let mut problems = Vec::new();
                for error in self.0.iter_errors(&value).take(LOOKED_AT) {
                    let found = Problem::of(&error, &value);
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
