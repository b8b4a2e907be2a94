//! JSON Schemas, compiled once, and what is wrong with a value that does not fit one.

mod plain;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use std::sync::OnceLock;

pub use mcpgraft_schema::Problem;
use mcpgraft_schema::Whole;
use plain::Plain;

/// Longest schema, in bytes.
const SCHEMA_BYTES: usize = 1 << 20;

/// Deepest nesting of a schema. Compiling one recurses.
const SCHEMA_DEPTH: u16 = 100;

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
    whole: OnceLock<Result<Whole, String>>,
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
        match self.whole.get_or_init(|| compile(&self.schema)) {
            Ok(whole) => whole.check(instance),
            // Plain schemas are right by their meta-schema; a doubt must not let a value through.
            Err(why) => {
                Vec::from([Problem { path: String::new(), expected: UNCHECKED.to_owned(), got: why.clone() }])
            }
        }
    }
}

fn compile(schema: &[u8]) -> Result<Whole, String> {
    crate::json::check(schema, SCHEMA_DEPTH).map_err(|error| error.to_string())?;
    Whole::new(schema)
}
