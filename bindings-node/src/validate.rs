//! JSON Schemas, compiled once, and what is wrong with a value that does not fit one.

use std::cell::OnceCell;
use std::rc::Rc;

use mcpgraft::schema;
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::bound::{Function, bind};
use crate::error::{Guarded, Trouble, guard};
use crate::plain::Plain;
use crate::record::{self, Text};

/// A compiled JSON Schema.
#[napi]
pub struct Validator(Rc<Guarded<State>>);

struct State {
    plain: Option<Plain>,
    /// The schema, if it is plain.
    schema: Vec<u8>,
    /// Made at once if it is not.
    whole: OnceCell<schema::Validator>,
}

impl State {
    fn new(schema: &[u8]) -> Result<Self, String> {
        let plain = Plain::read(schema);
        let whole = OnceCell::new();
        if plain.is_none() {
            // The first one is set.
            let _ = whole.set(schema::Validator::new(schema)?);
        }
        let schema = if plain.is_some() { schema.to_vec() } else { Vec::new() };
        Ok(State { plain, schema, whole })
    }

    fn check(&self, instance: &[u8]) -> Result<Vec<schema::Problem>, Trouble> {
        if self.plain.as_ref().is_some_and(|plain| plain.takes(instance)) {
            return Ok(Vec::new());
        }
        if let Some(whole) = self.whole.get() {
            return Ok(whole.check(instance));
        }
        let whole = schema::Validator::new(&self.schema).map_err(Trouble::argument)?;
        Ok(self.whole.get_or_init(|| whole).check(instance))
    }
}

#[napi]
impl Validator {
    #[napi(constructor)]
    pub fn new(env: Env, schema: Arg) -> napi::Result<Self> {
        guard(env, || {
            let compiled = State::new(&schema.bytes("schema")?);
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
                let problems = validator.check(&instance.bytes("instance")?)?;
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
