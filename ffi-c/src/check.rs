//! Values against the JSON Schemas of a tool, in builds that can (cargo feature `schema`).

use crate::abi::{mcpgraft_peer, mcpgraft_status, mcpgraft_str};
#[cfg(not(feature = "schema"))]
use crate::guard::Done;
use crate::guard::{place, utf8};
use crate::peer::{Any, NOT_HERE, with};
#[cfg(not(feature = "schema"))]
use crate::server::Shared;
use crate::trouble::Trouble;

/// What a tool has a schema for.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_schema {
    /// `inputSchema`: the arguments of a call.
    MCPGRAFT_SCHEMA_INPUT = 0,
    /// `outputSchema`: the structured content of a result.
    MCPGRAFT_SCHEMA_OUTPUT = 1,
}

/// Session or exchange: checks a value (JSON) against a schema of the tool `name` of the catalogue, which is compiled when it is
/// first needed. `problem` gets what is wrong, three things at most, as a text for the model: fail with `MCPGRAFT_FAIL_TOOL` and
/// this. It is absent if the value fits, or if the tool has no such schema, and valid until the next check on this handle.
/// `MCPGRAFT_NOT_FOUND`: there is no such tool. `MCPGRAFT_BAD_DEFINITION`: what it has is no schema. `MCPGRAFT_NOT_ALLOWED`: the
/// library was built without validation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_check(
    peer: *mut mcpgraft_peer,
    name: mcpgraft_str,
    schema: u32,
    value: mcpgraft_str,
    problem: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, name, value) =
            unsafe { (place("problem", problem)?, utf8("name", name)?, crate::json::value("value", value)?) };
        let base = match peer {
            Any::Session(peer) => &mut peer.base,
            Any::Exchange(peer) => &mut peer.base,
            Any::Listener(_) => return Err(NOT_HERE),
        };
        let output = if schema == mcpgraft_schema::MCPGRAFT_SCHEMA_INPUT as u32 {
            false
        } else if schema == mcpgraft_schema::MCPGRAFT_SCHEMA_OUTPUT as u32 {
            true
        } else {
            return Err(Trouble::argument("schema is no mcpgraft_schema"));
        };
        base.problem = found(&base.shared, name, output, value.bytes())?;
        place.put(base.problem.as_ref().map_or(mcpgraft_str::NONE, |text| mcpgraft_str::of(text.as_bytes())));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

#[cfg(not(feature = "schema"))]
fn found(_: &Shared, _: &str, _: bool, _: &[u8]) -> Done<Option<String>> {
    Err(Trouble::Plain(
        mcpgraft_status::MCPGRAFT_NOT_ALLOWED,
        "this library was built without validation: make SCHEMA=1",
    ))
}

#[cfg(feature = "schema")]
pub(crate) use compiled::Schemas;
#[cfg(feature = "schema")]
use compiled::found;

#[cfg(feature = "schema")]
mod compiled {
    use std::collections::BTreeMap;
    use std::sync::{Arc, Mutex, PoisonError};

    use mcpgraft::LocalError;
    use mcpgraft::catalog::{Catalog, Kind, Owned};
    use mcpgraft::json::{Str, Writer};
    use mcpgraft::schema::Validator;

    use crate::abi::mcpgraft_status;
    use crate::guard::Done;
    use crate::server::Shared;
    use crate::trouble::Trouble;

    /// What a schema of a tool was compiled to, by tool and by whether it is of results; `None`: it has none.
    #[derive(Debug, Default)]
    pub(crate) struct Schemas(Mutex<BTreeMap<(String, bool), Option<Arc<Validator>>>>);

    impl Schemas {
        /// The tool's definition has changed.
        pub(crate) fn forget(&self, name: &str) {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            known.remove(&(name.to_owned(), false));
            known.remove(&(name.to_owned(), true));
        }

        /// The catalogue does not change while this runs.
        fn validator(&self, catalog: &Owned, name: &str, output: bool) -> Done<Option<Arc<Validator>>> {
            let mut quoted = Vec::new();
            Writer::new(&mut quoted).string(name)?;
            let quoted = std::str::from_utf8(&quoted).unwrap_or("\"\"");
            let entry =
                catalog.find(Kind::Tool, Str::trusted(quoted)).and_then(|at| catalog.at(Kind::Tool, at));
            let entry =
                entry.ok_or(Trouble::Plain(mcpgraft_status::MCPGRAFT_NOT_FOUND, "there is no such tool"))?;
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (name.to_owned(), output);
            if let Some(made) = known.get(&key) {
                return Ok(made.clone());
            }
            let schema = entry.definition.get(if output { "outputSchema" } else { "inputSchema" });
            let made = schema.map(|schema| Validator::new(schema.bytes()).map(Arc::new)).transpose();
            let made = made.map_err(|_| LocalError::BadDefinition("the tool's schema is no JSON Schema"))?;
            known.insert(key, made.clone());
            Ok(made)
        }
    }

    pub(super) fn found(shared: &Shared, name: &str, output: bool, value: &[u8]) -> Done<Option<String>> {
        let validator = shared.serve(|server| shared.schemas.validator(server.catalog, name, output))?;
        let problems = validator.map_or(Vec::new(), |validator| validator.check(value));
        let root = if output { "result" } else { "arguments" };
        let told = problems.into_iter().map(|problem| {
            let path = if problem.path.is_empty() { root } else { &problem.path };
            format!("{path}: expected {}, got {}", problem.expected, problem.got)
        });
        let told = told.collect::<Vec<_>>().join("; ");
        Ok((!told.is_empty()).then_some(told))
    }
}
