//! Clients that come back: streams that open early and close before their end, and what was kept of them; calls whose
//! client is gone.

use mcpgraft::LocalError;
use mcpgraft::server::CallKey;

use crate::abi::{mcpgraft_event, mcpgraft_event_kind, mcpgraft_peer, mcpgraft_status};
use crate::exchange::ExchangePeer;
use crate::guard::{enter, event_place};
use crate::peer::{Any, ListenerPeer, NOT_HERE, with};

/// Exchange: opens the stream of a call before there is anything to say, so that its client can come back if the connection is
/// lost. Nothing is sent if it is open, or if the client could not come back; `anyway`: to such a client a comment, so that
/// nobody takes the connection of a call that waits for dead.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_open_stream(
    exchange: *mut mcpgraft_peer,
    key: u64,
    anyway: bool,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut ExchangePeer| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let key = CallKey::from_bits(key);
        let open = |inner: &mut mcpgraft::http::Exchange, _: &_, out: &mut _| {
            if anyway { inner.begin_stream(key, out) } else { inner.open_stream(key, out) }
        };
        place.put(&peer.notify(open)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(exchange.cast(), work) }
}

/// Exchange: ends the response of a call before its answer (`end`): the client is told to come back after `retry_ms` ms. The call
/// stays in work, and what it emits from now on is kept for the client and not sent. Without `end` in the event the client could
/// not come back, and the response stays.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_close_stream(
    exchange: *mut mcpgraft_peer,
    key: u64,
    retry_ms: u32,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut ExchangePeer| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let close = |inner: &mut mcpgraft::http::Exchange, _: &_, out: &mut _| {
            inner.close_stream(CallKey::from_bits(key), retry_ms, out)
        };
        place.put(&peer.notify(close)?);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(exchange.cast(), work) }
}

/// Exchange, after `MCPGRAFT_RESUMING`. Not `known`: the event is the refusal to send, instead of what came with it. `known`: what
/// is kept is a session's own stream, whose last event is `last`: the event's `listener` goes on with it, and is yours. (For a
/// call's stream there is nothing to call: its own exchange goes on with it.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_resume(
    exchange: *mut mcpgraft_peer,
    known: bool,
    last: u32,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut ExchangePeer| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        if !known {
            place.put(&peer.refuse()?);
            return Ok(());
        }
        let listener = peer.resume.as_ref().ok_or(LocalError::Over)?.listener(last);
        let listener = ListenerPeer::create(peer.base.shared.share(), listener)?;
        let made = mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_LISTENING);
        place.put(&mcpgraft_event { listener: listener.cast(), ..made });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(exchange.cast(), work) }
}

/// Session or exchange: takes back whatever is in work, because its client is gone or its session over. It must still be
/// answered; nothing is sent for it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_abandon(peer: *mut mcpgraft_peer) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        match peer {
            Any::Session(peer) => peer.inner.abandon(),
            Any::Exchange(peer) => peer.inner.abandon(),
            Any::Listener(_) => return Err(NOT_HERE),
        }
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}
