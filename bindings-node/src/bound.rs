//! Entries that are called for every request, as JavaScript functions that belong to one object.
//!
//! A method of a class costs a few hundred nanoseconds before it runs: the object is unwrapped and its type looked up, and a
//! table behind a lock is told who borrows it. A function that has its object with it costs none of this, and cannot be given
//! a wrong one.

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::ToNapiValue;
use napi::{Env, sys};

use crate::argument::Arg;
use crate::error::Guarded;
use crate::record::Text;

/// Most arguments of an entry; those left out are undefined.
pub(crate) const ARGUMENTS: usize = 7;

/// An entry. It stands behind the object's guard, so that it does not panic.
pub(crate) type Entry<T> = fn(Env, &Guarded<T>, [Arg; ARGUMENTS]) -> napi::Result<Option<Text>>;

struct Bound<T> {
    object: Rc<Guarded<T>>,
    entry: Entry<T>,
}

/// A JavaScript function.
pub struct Function(sys::napi_value);

impl ToNapiValue for Function {
    unsafe fn to_napi_value(_: sys::napi_env, function: Self) -> napi::Result<sys::napi_value> {
        Ok(function.0)
    }
}

/// Makes a function of an object. It keeps the object alive.
pub(crate) fn bind<T: 'static>(env: Env, object: &Rc<Guarded<T>>, entry: Entry<T>) -> napi::Result<Function> {
    let bound = Box::into_raw(Box::new(Bound { object: object.clone(), entry })).cast::<c_void>();
    let mut value = ptr::null_mut();
    // SAFETY: `env` is that of the running call. What `bound` points to lives until the finalizer of the function runs, on
    // this thread, when nobody can call it any more; if there is to be no finalizer, it is freed here, and nobody gets the
    // function.
    unsafe {
        let made =
            sys::napi_create_function(env.raw(), ptr::null(), 0, Some(call::<T>), bound, &raw mut value);
        let done = if made == sys::Status::napi_ok {
            let (hint, reference) = (ptr::null_mut(), ptr::null_mut());
            sys::napi_add_finalizer(env.raw(), value, bound, Some(release::<T>), hint, reference)
        } else {
            made
        };
        if done != sys::Status::napi_ok {
            drop(Box::from_raw(bound.cast::<Bound<T>>()));
        }
        napi::check_status!(done)?;
    }
    Ok(Function(value))
}

unsafe extern "C" fn release<T>(_: sys::napi_env, bound: *mut c_void, _: *mut c_void) {
    // SAFETY: it is what `bind` made, and this is called once.
    drop(unsafe { Box::from_raw(bound.cast::<Bound<T>>()) });
}

unsafe extern "C" fn call<T>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    let (mut arguments, mut count) = ([ptr::null_mut(); ARGUMENTS], ARGUMENTS);
    let mut bound = ptr::null_mut();
    // SAFETY: napi calls this with what belongs to the running call, and `bound` is what `bind` gave it.
    unsafe {
        let this = ptr::null_mut();
        let known =
            sys::napi_get_cb_info(env, info, &raw mut count, arguments.as_mut_ptr(), this, &raw mut bound);
        if known != sys::Status::napi_ok {
            return ptr::null_mut();
        }
        let Bound { object, entry } = &*bound.cast::<Bound<T>>();
        // What went wrong has been thrown.
        let made = entry(Env::from_raw(env), object, arguments.map(|value| Arg::of(env, value)));
        made.and_then(|made| Option::<Text>::to_napi_value(env, made)).unwrap_or(ptr::null_mut())
    }
}
