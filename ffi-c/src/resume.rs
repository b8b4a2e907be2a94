//! Clients that come back, and clients that do not: streams that open early and close before their end, what was kept of
//! them, and calls that nobody waits for any more.

use mcpgraft::LocalError;
use mcpgraft::server::CallKey;

use crate::abi::{mcpgraft_event, mcpgraft_event_kind, mcpgraft_peer, mcpgraft_status, mcpgraft_str};
use crate::exchange::ExchangePeer;
use crate::guard::{enter, event_place, place, utf8};
use crate::peer::{Any, ListenerPeer, NOT_HERE, with};
use crate::trouble::Trouble;

/// What is done with the event stream of a call.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_stream_step {
    /// It opens before there is anything to say, so that its client can come back if the connection is lost. Nothing is sent if
    /// it is open, or if the client could not come back.
    MCPGRAFT_STREAM_OPENS = 0,
    /// The same; but a client that could not come back gets a comment, so that nobody takes the connection of a call that waits
    /// for dead.
    MCPGRAFT_STREAM_WAITS = 1,
    /// The response ends before its answer (`end`): the client is told to come back after `retry_ms` ms. The call stays in work,
    /// and what it emits from now on is kept for the client and not sent. Without `end` in the event the client could not come
    /// back, and the response stays.
    MCPGRAFT_STREAM_CLOSES = 2,
}

/// How the client of a call is lost.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_loss {
    /// Exchange: it took back the request `id` (JSON). For `MCPGRAFT_CANCELLED` of another exchange of the same session.
    MCPGRAFT_LOST_REQUEST = 0,
    /// Exchange: the connection is gone. In the stateless era this takes the call back; in the handshake era a client may lose
    /// its connection and still want the answer.
    MCPGRAFT_LOST_CONNECTION = 1,
    /// Session, exchange: it is gone, or its session over. Whatever is in work is taken back.
    MCPGRAFT_LOST_CLIENT = 2,
}

/// Exchange: opens or closes the event stream of a call (`mcpgraft_stream_step`) where nothing else does. `retry_ms` is used by
/// `MCPGRAFT_STREAM_CLOSES` alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_stream(
    exchange: *mut mcpgraft_peer,
    key: u64,
    step: u32,
    retry_ms: u32,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut ExchangePeer| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let key = CallKey::from_bits(key);
        let is = |one: mcpgraft_stream_step| step == one as u32;
        place.put(&if is(mcpgraft_stream_step::MCPGRAFT_STREAM_OPENS) {
            peer.notify(|inner, _, out| inner.open_stream(key, out))?
        } else if is(mcpgraft_stream_step::MCPGRAFT_STREAM_WAITS) {
            peer.notify(|inner, _, out| inner.begin_stream(key, out))?
        } else if is(mcpgraft_stream_step::MCPGRAFT_STREAM_CLOSES) {
            peer.notify(|inner, _, out| inner.close_stream(key, retry_ms, out))?
        } else {
            return Err(Trouble::argument("step is no mcpgraft_stream_step"));
        });
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

/// Takes back what nobody waits for any more (`mcpgraft_loss`). It must still be answered; nothing is sent for it. `key` gets the
/// call of an exchange that was taken back, or 0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_lost(
    peer: *mut mcpgraft_peer,
    loss: u32,
    id: mcpgraft_str,
    key: *mut u64,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (id, place) = unsafe { (utf8("id", id)?, place("key", key)?) };
        let is = |one: mcpgraft_loss| loss == one as u32;
        let client = is(mcpgraft_loss::MCPGRAFT_LOST_CLIENT);
        let request = is(mcpgraft_loss::MCPGRAFT_LOST_REQUEST);
        if !client && !request && !is(mcpgraft_loss::MCPGRAFT_LOST_CONNECTION) {
            return Err(Trouble::argument("loss is no mcpgraft_loss"));
        }
        let key = match peer {
            Any::Session(peer) if client => {
                peer.inner.abandon();
                None
            }
            Any::Exchange(peer) if request => peer.inner.cancel(id),
            Any::Exchange(peer) if client => {
                peer.inner.abandon();
                peer.key
            }
            Any::Exchange(peer) => peer.key.filter(|key| peer.inner.close(*key)),
            Any::Session(_) | Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(key.map_or(0, CallKey::to_bits));
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}
