//! What a client is told on the host's own account: changes, the end of listening, notifications of its own.

use mcpgraft::catalog::Kind;
use mcpgraft::http::Handshake;

use crate::abi::{mcpgraft_event, mcpgraft_peer, mcpgraft_status, mcpgraft_str};
use crate::guard::{bytes, enter, event_place, utf8};
use crate::peer::{Any, NOT_HERE, with};
use crate::server;
use crate::session::SessionPeer;

/// Session or listener: tells the client that the list of this kind has changed, if it wants to know.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_list_changed(
    peer: *mut mcpgraft_peer,
    kind: u32,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let kind: Kind = server::kind(kind)?;
        let made = match peer {
            Any::Session(peer) => {
                let changed = peer.notify(|inner, shared, out| {
                    shared.serve(|server| inner.list_changed(server, kind, out))
                });
                changed?.0
            }
            Any::Listener(peer) => peer
                .notify(|inner, shared, out| shared.serve(|server| inner.list_changed(server, kind, out)))?,
            Any::Exchange(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Session or listener: tells the client that a resource has changed, if it watches it. `stored`: of the listener of a
/// session's GET, the session as it is stored now; else absent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_resource_updated(
    peer: *mut mcpgraft_peer,
    uri: mcpgraft_str,
    stored: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, uri, stored) =
            unsafe { (event_place(event)?, utf8("uri", uri)?, bytes("stored", stored)?) };
        let made = match peer {
            Any::Session(peer) => peer.notify(|inner, _, out| inner.resource_updated(uri, out))?.0,
            Any::Listener(peer) => {
                let session = Handshake::restore(stored);
                peer.notify(|inner, _, out| inner.resource_updated(session.as_ref(), uri, out))?
            }
            Any::Exchange(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Session or listener: ends what the client listens to in good order, before the channel or response is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_end_listening(
    peer: *mut mcpgraft_peer,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let made = match peer {
            Any::Session(peer) => {
                let ended =
                    peer.notify(|inner, shared, out| shared.serve(|server| inner.end_listening(server, out)));
                ended?.0
            }
            Any::Listener(peer) => {
                let made = peer.notify(|inner, shared, out| shared.serve(|server| inner.end(server, out)))?;
                mcpgraft_event { end: true, ..made }
            }
            Any::Exchange(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Session: sends a notification of the host's own, outside `notifications/`; `params` (JSON) may be absent.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_notify(
    session: *mut mcpgraft_peer,
    method: mcpgraft_str,
    params: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut SessionPeer| {
        // SAFETY: the caller's promise.
        let (place, method, params) =
            unsafe { (event_place(event)?, utf8("method", method)?, crate::json::maybe("params", params)?) };
        place.put(&peer.notify(|inner, _, out| inner.notify(method, params, out))?.0);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(session.cast(), work) }
}
