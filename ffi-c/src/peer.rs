//! What sessions, exchanges and listeners share: memory, and the functions that take any of them.

use mcpgraft::LocalError;
use mcpgraft::http;
use mcpgraft::model::Level;
use mcpgraft::server::{Batch, CallKey, Failure, Log, Progress};
use std::ffi::c_char;

use crate::abi::{
    mcpgraft_event, mcpgraft_event_kind, mcpgraft_failure, mcpgraft_peer, mcpgraft_status, mcpgraft_str,
};
use crate::counted::Counted;
use crate::exchange::{ExchangePeer, keep};
use crate::guard::{Done, Handle, Held, bytes, cross, event_place, held, maybe, place, utf8};
use crate::memory::{Output, Scratch};
use crate::server::Shared;
use crate::session::{Inner, SessionPeer};
use crate::task::Kept;
use crate::trouble::Trouble;

/// Memory of a session or an exchange.
pub(crate) struct Base {
    pub(crate) shared: Counted<Shared>,
    pub(crate) out: Output,
    /// Texts of the last message.
    pub(crate) scratch: Scratch,
    /// Texts of a question.
    pub(crate) asks: Scratch,
    pub(crate) batch: Pending,
}

impl Base {
    pub(crate) fn new(shared: Counted<Shared>) -> Self {
        Base {
            shared,
            out: Output::default(),
            scratch: Scratch::default(),
            asks: Scratch::default(),
            batch: Pending::default(),
        }
    }
}

/// A batch in work: its message, how far it is, and the answers so far.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) at: Option<Batch>,
    pub(crate) message: Vec<u8>,
    pub(crate) answers: Output,
    /// The session it belongs to, over HTTP.
    pub(crate) session: Option<http::Handshake>,
}

impl Pending {
    /// A batch begins.
    pub(crate) fn begin(&mut self, at: &Batch, message: &[u8]) -> Done {
        if self.at.is_some() {
            return Err(LocalError::BatchPending.into());
        }
        self.message.clear();
        self.message.try_reserve(message.len()).map_err(|_| Trouble::NO_MEMORY)?;
        self.message.extend_from_slice(message);
        self.answers.clear();
        self.at = Some(at.clone());
        Ok(())
    }
}

/// An open event stream.
pub(crate) struct ListenerPeer {
    shared: Counted<Shared>,
    out: Output,
    inner: http::Listener,
}

impl Held for ListenerPeer {
    const MAGIC: u32 = 0x6d63_7004;
}

impl ListenerPeer {
    pub(crate) fn create(shared: Counted<Shared>, inner: http::Listener) -> Done<*mut Handle<ListenerPeer>> {
        Handle::create(ListenerPeer { shared, out: Output::default(), inner })
    }

    pub(crate) fn notify<R>(
        &mut self,
        write: impl FnOnce(&mut http::Listener, &Shared, &mut Output) -> Result<R, LocalError>,
    ) -> Done<mcpgraft_event> {
        let ListenerPeer { shared, out, inner } = self;
        out.clear();
        write(inner, shared, out).map_err(|error| out.trouble(error))?;
        let send = out.view();
        if send.len == 0 {
            return Ok(mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_NOTHING));
        }
        let answered = mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_ANSWERED);
        let mut event = mcpgraft_event { send, ..answered };
        keep(&mut event, inner.event(), send);
        if let Some(stream) = inner.stream() {
            event.stream = mcpgraft_str::of(stream.text().as_bytes());
        }
        Ok(event)
    }
}

/// A peer, whichever it is.
pub(crate) enum Any<'p> {
    Session(&'p mut SessionPeer),
    Exchange(&'p mut ExchangePeer),
    Listener(&'p mut ListenerPeer),
}

pub(crate) const NOT_HERE: Trouble =
    Trouble::Plain(mcpgraft_status::MCPGRAFT_WRONG_HANDLE, "this kind of peer has no such thing");

/// Runs work on a peer of any kind.
///
/// # Safety
/// As `guard::enter`.
pub(crate) unsafe fn with(peer: *mut mcpgraft_peer, work: impl FnOnce(Any<'_>) -> Done) -> mcpgraft_status {
    let pointer = peer.cast();
    const KINDS: [u32; 3] = [SessionPeer::MAGIC, ExchangePeer::MAGIC, ListenerPeer::MAGIC];
    // SAFETY: the caller's promise; the magic number says what is held.
    unsafe {
        cross(pointer, &KINDS, |magic| {
            work(match magic {
                SessionPeer::MAGIC => Any::Session(held(pointer)),
                ExchangePeer::MAGIC => Any::Exchange(held(pointer)),
                _ => Any::Listener(held(pointer)),
            })
        })
    }
}

/// Writes answers into this buffer of the host's from now on, until another is named; NULL: into memory of the handle. A step
/// that does not fit is `MCPGRAFT_OUTPUT_FULL` and has no effect. The answers of a batch are collected in the handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_set_buffer(
    peer: *mut mcpgraft_peer,
    buffer: *mut c_char,
    room: usize,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        let out = match peer {
            Any::Session(peer) => &mut peer.base.out,
            Any::Exchange(peer) => &mut peer.base.out,
            Any::Listener(peer) => &mut peer.out,
        };
        if room > isize::MAX as usize {
            return Err(Trouble::argument("room is greater than any object can be"));
        }
        // SAFETY: the caller's promise.
        unsafe { out.lend(buffer, room) };
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// The next event of a batch: call it as long as `more` is true, each time after the call it gave was answered. The last one
/// sends the answers of all.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_next(
    peer: *mut mcpgraft_peer,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let made = match peer {
            Any::Session(peer) => peer.next()?,
            Any::Exchange(peer) => peer.next()?,
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Answers a call with its result: a JSON object in the newest shape, which the peer gets as its revision knows it. If the
/// peer took the call back, nothing is sent; the key is used up either way.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_reply(
    peer: *mut mcpgraft_peer,
    key: u64,
    result: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, result) = unsafe { (event_place(event)?, utf8("result", result)?) };
        let key = CallKey::from_bits(key);
        let made = match peer {
            Any::Session(peer) => peer.answer(key, |inner, shared, out| {
                shared.serve(|server| inner.reply(server, key, result, out))
            })?,
            Any::Exchange(peer) => peer
                .answer(|inner, shared, out| shared.serve(|server| inner.reply(server, key, result, out)))?,
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// A failure as C names it.
///
/// # Safety
/// As `bytes`.
pub(crate) unsafe fn failure<'c>(
    failure: u32,
    message: mcpgraft_str,
    code: i32,
    data: mcpgraft_str,
) -> Done<Failure<'c>> {
    // SAFETY: the caller's promise.
    let (message, data) = unsafe { (utf8("message", message)?, crate::json::maybe("data", data)?) };
    let is = |kind: mcpgraft_failure| failure == kind as u32;
    Ok(if is(mcpgraft_failure::MCPGRAFT_FAIL_TOOL) {
        Failure::Tool(message)
    } else if is(mcpgraft_failure::MCPGRAFT_FAIL_NOT_FOUND) {
        Failure::NotFound(message)
    } else if is(mcpgraft_failure::MCPGRAFT_FAIL_INVALID_PARAMS) {
        Failure::InvalidParams(message)
    } else if is(mcpgraft_failure::MCPGRAFT_FAIL_NO_METHOD) {
        Failure::NoMethod(message)
    } else if is(mcpgraft_failure::MCPGRAFT_FAIL_INTERNAL) {
        Failure::Internal(message)
    } else if is(mcpgraft_failure::MCPGRAFT_FAIL_MISSING_CAPABILITY) {
        let needed = data.ok_or(Trouble::argument("data must hold the needed capabilities"))?;
        Failure::MissingCapability { needed, message }
    } else if is(mcpgraft_failure::MCPGRAFT_FAIL_CUSTOM) {
        Failure::Custom { code, message, data }
    } else {
        return Err(Trouble::argument("failure is no mcpgraft_failure"));
    })
}

/// Answers a call with a failure (`mcpgraft_failure`), with one sentence for people. `code` is used by `MCPGRAFT_FAIL_CUSTOM`
/// alone; `data` (JSON, may be absent) by it and `MCPGRAFT_FAIL_MISSING_CAPABILITY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_fail(
    peer: *mut mcpgraft_peer,
    key: u64,
    failure: u32,
    message: mcpgraft_str,
    code: i32,
    data: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, failure) = unsafe { (event_place(event)?, self::failure(failure, message, code, data)?) };
        let key = CallKey::from_bits(key);
        let made = match peer {
            Any::Session(peer) => peer.answer(key, |inner, shared, out| {
                shared.serve(|server| inner.fail(server, key, &failure, out))
            })?,
            Any::Exchange(peer) => peer
                .answer(|inner, shared, out| shared.serve(|server| inner.fail(server, key, &failure, out)))?,
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Tells the client how far a call has come, of how much (`total`, NAN: not known), with a text that may be absent. Nothing is
/// sent if it did not ask for that, took the call back, or the number did not grow.
///
/// `task` is absent, or a stored task of 2025-11-25 (`saved`) that has come so far: on the session where its call came from
/// (`key` is not used), or on an exchange whose call `key`, `MCPGRAFT_TASK_RESULT`, waits for it. That its numbers grow is up to
/// the host.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_progress(
    peer: *mut mcpgraft_peer,
    key: u64,
    task: mcpgraft_str,
    progress: f64,
    total: f64,
    message: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, saved, message) =
            unsafe { (event_place(event)?, bytes("task", task)?, maybe("message", message)?) };
        let task = if task.ptr.is_null() { None } else { Some(Kept::task(saved)?) };
        let key = CallKey::from_bits(key);
        let progress = Progress { progress, total: (!total.is_nan()).then_some(total), message };
        let made = match peer {
            Any::Session(peer) => {
                let write = |inner: &mut Inner, _: &Shared, out: &mut Output| match &task {
                    Some(task) => inner.task_progress(task, &progress, out),
                    None => inner.progress(key, &progress, out),
                };
                peer.notify(write)?.0
            }
            Any::Exchange(peer) => peer.notify(|inner, _, out| match &task {
                Some(task) => inner.task_progress(key, task, &progress, out),
                None => inner.progress(key, &progress, out),
            })?,
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Sends a log message (`mcpgraft_level`; `data`: JSON; `logger` may be absent) about a call, or with `key` 0 about a session.
/// Nothing is sent if logs are not offered or the client does not want this level.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_log(
    peer: *mut mcpgraft_peer,
    key: u64,
    level: i32,
    data: mcpgraft_str,
    logger: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, data, logger) =
            unsafe { (event_place(event)?, crate::json::value("data", data)?, maybe("logger", logger)?) };
        let level = Level::ALL.into_iter().find(|known| crate::event::level(*known) as i32 == level);
        let level = level.ok_or(Trouble::argument("level is no mcpgraft_level"))?;
        let log = Log { level, logger, data };
        let call = CallKey::from_bits(key);
        let made = match peer {
            Any::Session(peer) => {
                let write = |inner: &mut Inner, shared: &Shared, out: &mut Output| {
                    shared.serve(|server| inner.log(server, (key != 0).then_some(call), &log, out))
                };
                peer.notify(write)?.0
            }
            Any::Exchange(peer) => {
                peer.notify(|inner, shared, out| shared.serve(|server| inner.log(server, call, &log, out)))?
            }
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Whether the client took a call back, so that its work is worth nothing. An unknown key counts as taken back.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_is_cancelled(
    peer: *mut mcpgraft_peer,
    key: u64,
    cancelled: *mut bool,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("cancelled", cancelled) }?;
        let key = CallKey::from_bits(key);
        place.put(match peer {
            Any::Session(peer) => peer.inner.is_cancelled(key),
            Any::Exchange(peer) => peer.inner.is_cancelled(key),
            Any::Listener(_) => return Err(NOT_HERE),
        });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}
