//! A failure inside on demand, so that tests can prove of every entry that it is guarded.

#[cfg(feature = "crash")]
mod armed {
    use std::cell::Cell;

    use napi_derive::napi;

    thread_local! {
        static ARMED: Cell<bool> = const { Cell::new(false) };
    }

    /// The next call into the addon fails inside.
    #[napi]
    pub fn fail_next() {
        ARMED.set(true);
    }

    #[allow(clippy::panic)] // what this is for
    pub(crate) fn now() {
        if ARMED.take() {
            panic!("asked for by failNext()");
        }
    }
}

#[cfg(not(feature = "crash"))]
mod armed {
    pub(crate) const fn now() {}
}

pub(crate) use armed::now;
