//! JSON Schemas, compiled once, and what is wrong with a value that does not fit one.

use std::rc::Rc;

use mcpgraft::schema;
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::bound::{Function, bind};
use crate::error::{Guarded, Trouble, guard};
use crate::record::{self, Text};

/// A compiled JSON Schema.
#[napi]
pub struct Validator(Rc<Guarded<schema::Validator>>);

#[napi]
impl Validator {
    #[napi(constructor)]
    pub fn new(env: Env, schema: Arg) -> napi::Result<Self> {
        guard(env, || {
            let compiled = schema::Validator::new(&schema.bytes("schema")?);
            let state = compiled.map_err(Trouble::argument)?;
            Ok(Validator(Rc::new(Guarded::new(state))))
        })
    }

    /// Tells what is wrong with a JSON value, as a JSON array of objects; `None` if it fits.
    #[napi]
    pub fn check_function(&self, env: Env) -> napi::Result<Function> {
        self.0.run(env, |_| Ok(()))?;
        bind(env, &self.0, |env, object, [instance, ..]| {
            object.run(env, |validator| {
                let problems = validator.check(&instance.bytes("instance")?);
                Ok((!problems.is_empty()).then(|| told(&problems)))
            })
        })
    }
}

fn told(problems: &[schema::Problem]) -> Text {
    Text(record::json(|w| {
        w.begin_array()?;
        for problem in problems {
            w.begin_object()?;
            w.field_str("path", &problem.path)?;
            w.field_str("expected", &problem.expected)?;
            w.field_str("got", &problem.got)?;
            w.end_object()?;
        }
        w.end_array()
    }))
}
