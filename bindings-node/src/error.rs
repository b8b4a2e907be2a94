//! What goes wrong, as JavaScript errors; and the guard that every entry stands behind.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;

use mcpgraft::LocalError;
use napi::{Env, Error, Status, sys};

/// An error with a stable `code`, the same text in every language, and for the host's mistakes its number.
#[derive(Debug)]
pub(crate) struct Trouble {
    code: &'static str,
    number: Option<u32>,
    message: String,
}

impl Trouble {
    /// An argument of the wrong type or value; `message` names it and says what it must be.
    pub(crate) fn argument(message: impl Into<String>) -> Self {
        Trouble { code: "invalid_argument", number: None, message: message.into() }
    }

    pub(crate) fn bad_seal() -> Self {
        Trouble { code: "bad_seal", number: None, message: mcpgraft::seal::BadSeal.to_string() }
    }

    pub(crate) fn poisoned() -> Self {
        let message = "this object is unusable: an earlier call failed inside; make a new one".to_owned();
        Trouble { code: "poisoned", number: None, message }
    }

    fn internal() -> Self {
        let message =
            "this call failed inside, which is a bug; the object cannot be used any more".to_owned();
        Trouble { code: "internal", number: None, message }
    }

    /// Throws it in JavaScript. What is returned only says that something was thrown.
    fn throw(&self, env: Env) -> Error {
        let env = env.raw();
        // SAFETY: `env` is the one of the running call, and every pointer is to something alive here. Without memory, or
        // in an environment that is being torn down, nothing is thrown, and napi throws what is returned.
        unsafe {
            let (mut code, mut message, mut error) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
            let text = |text: &str, value| {
                sys::napi_create_string_utf8(env, text.as_ptr().cast(), text.len() as isize, value)
            };
            text(self.code, &raw mut code);
            text(&self.message, &raw mut message);
            sys::napi_create_error(env, code, message, &raw mut error);
            if let Some(number) = self.number {
                let mut value = ptr::null_mut();
                sys::napi_create_uint32(env, number, &raw mut value);
                sys::napi_set_named_property(env, error, c"number".as_ptr(), value);
            }
            sys::napi_throw(env, error);
        }
        Error::new(Status::PendingException, self.message.clone())
    }
}

impl From<LocalError> for Trouble {
    fn from(error: LocalError) -> Self {
        Trouble { code: error.name(), number: Some(error.code()), message: error.to_string() }
    }
}

/// Runs what an entry does; what panics is an error, and not the end of the process.
fn catch<R>(env: Env, work: impl FnOnce() -> Result<R, Trouble>) -> Result<napi::Result<R>, Error> {
    let run = || {
        crate::crash::now();
        work()
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(Ok(made)) => Ok(Ok(made)),
        Ok(Err(trouble)) => Ok(Err(trouble.throw(env))),
        Err(_) => Err(Trouble::internal().throw(env)),
    }
}

/// An entry that belongs to no object, or to one that cannot change.
pub(crate) fn guard<R>(env: Env, work: impl FnOnce() -> Result<R, Trouble>) -> napi::Result<R> {
    catch(env, work).unwrap_or_else(Err)
}

/// What an object holds. It is used by one thread, and a call into it never leads to another one: nothing here runs
/// JavaScript. After a call that failed inside, it says so instead of going on with a broken state.
#[derive(Debug)]
pub(crate) struct Guarded<T> {
    value: RefCell<T>,
    poisoned: Cell<bool>,
}

impl<T> Guarded<T> {
    pub(crate) fn new(value: T) -> Self {
        Guarded { value: RefCell::new(value), poisoned: Cell::new(false) }
    }

    /// An entry of the object.
    pub(crate) fn run<R>(
        &self,
        env: Env,
        work: impl FnOnce(&mut T) -> Result<R, Trouble>,
    ) -> napi::Result<R> {
        let made = catch(env, || self.with(work)?);
        made.unwrap_or_else(|error| {
            self.poisoned.set(true);
            Err(error)
        })
    }

    /// The same inside an entry of another object.
    pub(crate) fn with<R>(&self, work: impl FnOnce(&mut T) -> R) -> Result<R, Trouble> {
        if self.poisoned.get() {
            return Err(Trouble::poisoned());
        }
        let mut value = self.value.try_borrow_mut().map_err(|_| Trouble::poisoned())?;
        Ok(work(&mut value))
    }
}

/// One JSON value in bytes.
pub(crate) fn json<'a>(name: &str, bytes: &'a [u8]) -> Result<mcpgraft::json::Raw<'a>, Trouble> {
    mcpgraft::json::check(bytes, mcpgraft::json::MAX_DEPTH)
        .map_err(|error| Trouble::argument(format!("{name}: {error}")))
}

/// UTF-8 text in bytes.
pub(crate) fn text<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str, Trouble> {
    std::str::from_utf8(bytes).map_err(|_| Trouble::argument(format!("{name} must be UTF-8")))
}
