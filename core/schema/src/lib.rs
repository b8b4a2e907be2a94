//! The whole JSON Schema validator behind the feature `schema` of `mcpgraft`: any draft from 04 to 2020-12. Use it through
//! `mcpgraft::schema`, which answers most plain schemas without it.
//!
//! It is written for what a server needs of one: small in the binary, nothing fetched, and each check bounded in steps and
//! depth, whatever the schema says. It is a crate of its own to be compiled for size.
//!
//! ```text
//! draft    the drafts, their meta-schemas     index    URIs, anchors, where references lead
//! compile  a schema to a program              program  what that is made of
//! check    a value by a program; inside: its items and properties
//! problem  what is wrong, in words
//! value    comparing values                   matcher, format, content    texts
//! ```
#![forbid(unsafe_code)]

mod check;
mod compile;
mod content;
mod draft;
mod format;
mod index;
mod inside;
mod matcher;
mod problem;
mod program;
mod value;

use serde_json::Value;

use check::Check;
use draft::{D2020, Draft};
pub use problem::Problem;
use problem::Tell;
use program::Program;

/// A compiled JSON Schema: 2020-12, or the draft its `$schema` names.
///
/// Nothing is ever fetched. `format` is checked as its draft says: not at all from 2019-09 on.
#[derive(Debug)]
pub struct Whole(Program);

impl Whole {
    /// Compiles a schema. Compiling recurses: its size and depth are the caller's to bound.
    ///
    /// # Errors
    /// In words, what is wrong: it is no schema of that draft, its draft is unknown, or a reference leads nowhere inside it.
    pub fn new(schema: &[u8]) -> Result<Self, String> {
        let schema: Value = serde_json::from_slice(schema).map_err(|error| error.to_string())?;
        let draft = match schema.get("$schema") {
            Some(Value::String(label)) => Draft::named(label).ok_or_else(|| {
                format!("\"$schema\": {label:?} is not supported; 2020-12, 2019-09, draft-07, draft-06 and draft-04 are")
            })?,
            None => D2020,
            Some(_) => return Err("\"$schema\" must be a string".to_owned()),
        };
        if let Some(Problem { path, expected, got }) =
            draft.meta().and_then(|meta| meta.problems(&schema, Tell::first()).pop())
        {
            let at = if path.is_empty() { "it" } else { &path };
            return Err(format!("{at} is no JSON Schema: expected {expected}, got {got}"));
        }
        Whole::compile(&schema, draft)
    }

    fn compile(schema: &Value, draft: Draft) -> Result<Self, String> {
        compile::compile(schema, draft).map(Whole)
    }

    /// What is wrong with a JSON value, three problems at most; empty if it fits.
    #[must_use]
    pub fn check(&self, instance: &[u8]) -> Vec<Problem> {
        match serde_json::from_slice::<Value>(instance) {
            Ok(value) => self.problems(&value, Tell::new()),
            // Numbers beyond any float, and nesting that nobody validates.
            Err(error) => Vec::from([Problem {
                path: String::new(),
                expected: "JSON that can be validated".to_owned(),
                got: error.to_string(),
            }]),
        }
    }

    /// The problems of a value, as many as are asked for.
    fn problems(&self, value: &Value, mut tell: Tell) -> Vec<Problem> {
        let mut check = Check::new(&self.0);
        if check.root(value, None) && !check.undecided {
            return Vec::new();
        }
        if !check.exhausted() {
            Check::new(&self.0).root(value, Some(&mut tell));
        }
        if tell.problems.is_empty() {
            tell.say(&problem::At::Root, value, "a value that can be checked in time".to_owned());
        }
        tell.problems
    }
}
