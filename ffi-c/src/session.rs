//! One duplex channel: stdio, UART, TCP, WebSocket.

use mcpgraft::LocalError;
use mcpgraft::json::Sink;
use mcpgraft::server::{self, CallKey, Step};

use crate::abi::{
    mcpgraft_event, mcpgraft_event_kind, mcpgraft_peer, mcpgraft_server, mcpgraft_status, mcpgraft_str,
};
use crate::counted::Counted;
use crate::event;
use crate::guard::{Done, Handle, Held, alone, bytes, enter, event_place, place, shared};
use crate::memory::Output;
use crate::peer::Base;
use crate::server::{Offered, Shared};
use crate::trouble::Trouble;

/// Room for what the default limits allow: calls in work, and watched resources.
pub(crate) type Inner = server::Session<64, 256>;

/// A session with its memory.
pub(crate) struct SessionPeer {
    pub(crate) base: Base,
    pub(crate) inner: Inner,
}

impl Held for SessionPeer {
    const MAGIC: u32 = 0x6d63_7002;
}

impl SessionPeer {
    fn new(shared: Counted<Shared>) -> Self {
        SessionPeer { inner: Inner::new(shared.tag()), base: Base::new(shared) }
    }

    fn accept(&mut self, message: &[u8]) -> Done<mcpgraft_event> {
        let SessionPeer { base, inner } = self;
        let Base { shared, out, scratch, batch, .. } = base;
        out.clear();
        event::prepare(scratch, shared, message)?;
        let made = shared.serve(|server| {
            let step = inner.accept(server, message, out).map_err(|error| out.trouble(error))?;
            Ok::<_, Trouble>(match &step {
                Step::Batch(at) => {
                    batch.begin(at, message)?;
                    let kind = mcpgraft_event_kind::MCPGRAFT_BATCH;
                    mcpgraft_event { more: true, ..mcpgraft_event::new(kind) }
                }
                step => event(step, server.catalog, scratch),
            })
        })?;
        Ok(mcpgraft_event { send: out.view(), ..made })
    }

    fn too_long(&mut self) -> Done<mcpgraft_event> {
        Ok(self.notify(|inner, shared, out| shared.serve(|server| inner.too_long(server, out)))?.0)
    }

    /// The next event of the batch.
    pub(crate) fn next(&mut self) -> Done<mcpgraft_event> {
        let SessionPeer { base, inner } = self;
        let Base { shared, scratch, batch, .. } = base;
        let at = batch.at.as_mut().ok_or(LocalError::Over)?;
        event::prepare(scratch, shared, &batch.message)?;
        let (message, answers) = (&batch.message, &mut batch.answers);
        let made = shared.serve(|server| {
            let step = inner.next(server, at, message, answers).map_err(|error| answers.trouble(error))?;
            Ok::<_, Trouble>(step.map(|step| event(&step, server.catalog, scratch)))
        })?;
        if let Some(made) = made {
            return Ok(mcpgraft_event { more: true, ..made });
        }
        batch.at = None;
        let kind = if answers.is_empty() {
            mcpgraft_event_kind::MCPGRAFT_NOTHING
        } else {
            mcpgraft_event_kind::MCPGRAFT_ANSWERED
        };
        Ok(mcpgraft_event { send: answers.view(), ..mcpgraft_event::new(kind) })
    }

    /// Answers a call: the answer of a batch's call waits for the others.
    pub(crate) fn answer(
        &mut self,
        key: CallKey,
        write: impl FnOnce(&mut Inner, &Shared, &mut Output) -> Result<bool, LocalError>,
    ) -> Done<mcpgraft_event> {
        let SessionPeer { base, inner } = self;
        let batched = inner.is_batched(key);
        let out = if batched { &mut base.batch.answers } else { &mut base.out };
        if !batched {
            out.clear();
        }
        write(inner, &base.shared, out).map_err(|error| out.trouble(error))?;
        let send = if batched { mcpgraft_str::NONE } else { out.view() };
        Ok(mcpgraft_event { send, more: batched, ..said(send) })
    }

    /// Sends something else.
    pub(crate) fn notify<R>(
        &mut self,
        write: impl FnOnce(&mut Inner, &Shared, &mut Output) -> Result<R, LocalError>,
    ) -> Done<(mcpgraft_event, R)> {
        let out = &mut self.base.out;
        out.clear();
        let result = write(&mut self.inner, &self.base.shared, out).map_err(|error| out.trouble(error))?;
        let send = out.view();
        Ok((mcpgraft_event { send, ..said(send) }, result))
    }
}

/// The event of something that was written, or not.
fn said(send: mcpgraft_str) -> mcpgraft_event {
    mcpgraft_event::new(if send.len == 0 {
        mcpgraft_event_kind::MCPGRAFT_NOTHING
    } else {
        mcpgraft_event_kind::MCPGRAFT_ANSWERED
    })
}

fn event(
    step: &Step<'_>,
    catalog: &mcpgraft::catalog::Owned,
    scratch: &mut crate::memory::Scratch,
) -> mcpgraft_event {
    match step {
        Step::Send => mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_ANSWERED),
        // A batch is never part of a batch.
        Step::Nothing | Step::Batch(_) => mcpgraft_event::new(mcpgraft_event_kind::MCPGRAFT_NOTHING),
        Step::Call(call) => event::call(call, catalog, scratch),
        Step::Notice(notice) => event::notice(notice, scratch),
    }
}

/// Makes the server's side of one duplex channel. Free it with `mcpgraft_free` when the channel is closed. Any number of
/// threads may do this with one server at once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_session_new(
    server: *const mcpgraft_server,
    session: *mut *mut mcpgraft_peer,
) -> mcpgraft_status {
    // SAFETY: the caller's promise.
    let offered = match unsafe { shared::<Offered>(server.cast()) } {
        Ok(offered) => offered,
        Err(status) => return status,
    };
    alone(|| {
        // SAFETY: the caller's promise.
        let place = unsafe { place("session", session) }?;
        place.put(Handle::create(SessionPeer::new(offered.share()?))?.cast());
        Ok(())
    })
}

/// Takes one message, without its newline. Write `event->send`, then do what the event says. What the peer got wrong is
/// answered there and never ends the session. `message` absent: it was too long to be kept (`MCPGRAFT_TOO_LONG`), which the
/// peer is told.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_session_accept(
    session: *mut mcpgraft_peer,
    message: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: &mut SessionPeer| {
        // SAFETY: the caller's promise.
        let (place, bytes) = unsafe { (event_place(event)?, bytes("message", message)?) };
        place.put(&if message.ptr.is_null() { peer.too_long()? } else { peer.accept(bytes)? });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { enter(session.cast(), work) }
}
