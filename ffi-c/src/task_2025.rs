//! What the experimental tasks of 2025-11-25 have beside those of the extension: questions on `tasks/result`, and
//! `tasks/list`.

use mcpgraft::server::{self, Ask, CallKey};

use crate::abi::{mcpgraft_event, mcpgraft_peer, mcpgraft_status, mcpgraft_str};
use crate::guard::{bytes, event_place, maybe, utf8};
use crate::memory::Output;
use crate::peer::{Any, NOT_HERE, with};
use crate::task::{Kept, local};
use crate::trouble::Trouble;

/// Most tasks of a page.
const MAX_TASKS: usize = 1000;

/// Asks, on the call `MCPGRAFT_TASK_RESULT` with the key `key`, the question `question` that a task has open (`open_keys` of its
/// view). `id` and the event are as those of `mcpgraft_ask`; give the answer to `mcpgraft_task_change`. `saved` is the stored task.
/// `MCPGRAFT_NOT_FOUND`: it has no such question open. `MCPGRAFT_NOT_ALLOWED`: the client of this call cannot be asked.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_ask(
    peer: *mut mcpgraft_peer,
    key: u64,
    saved: mcpgraft_str,
    question: mcpgraft_str,
    id: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, saved, question, id) = unsafe {
            (event_place(event)?, bytes("saved", saved)?, utf8("question", question)?, utf8("id", id)?)
        };
        let task = Kept::task(saved)?;
        let found = task.open().find(|(known, _)| known == question);
        let (_, request) = found.ok_or(Trouble::Plain(
            mcpgraft_status::MCPGRAFT_NOT_FOUND,
            "the task has no such question open",
        ))?;
        let ask = Ask::Task { id: task.id(), request };
        let key = CallKey::from_bits(key);
        place.put(&match peer {
            Any::Session(peer) => {
                let (made, asked) = peer.notify(|inner, _, out| inner.ask(key, &ask, out))?;
                mcpgraft_event { ask: asked.to_bits(), ..made }
            }
            Any::Exchange(peer) => peer.notify(|inner, _, out| inner.ask(key, id, &ask, out))?,
            Any::Listener(_) => return Err(NOT_HERE),
        });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Answers the call `MCPGRAFT_LIST_TASKS` with `count` stored tasks, at most 1000: those of its client alone. `next` is the cursor
/// of the next page, absent on the last one.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_task_page(
    peer: *mut mcpgraft_peer,
    key: u64,
    saved: *const mcpgraft_str,
    count: usize,
    next: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, next) = unsafe { (event_place(event)?, maybe("next", next)?) };
        if saved.is_null() && count > 0 {
            return Err(Trouble::Null("saved"));
        }
        if count > MAX_TASKS || !saved.is_aligned() {
            return Err(Trouble::argument("a page has 1000 tasks at most"));
        }
        let list = if count == 0 {
            &[][..]
        } else {
            // SAFETY: the caller's promise.
            unsafe { std::slice::from_raw_parts(saved, count) }
        };
        let mut tasks = Vec::new();
        tasks.try_reserve_exact(count).map_err(|_| Trouble::NO_MEMORY)?;
        for saved in list {
            // SAFETY: the caller's promise.
            tasks.push(Kept::task(unsafe { bytes("saved", *saved) }?)?);
        }
        let mut page = Output::default();
        server::task_page(tasks.iter().copied(), next, &mut page).map_err(local)?;
        let page = std::str::from_utf8(page.own()).map_err(|_| Trouble::Utf8("saved"))?;
        let key = CallKey::from_bits(key);
        place.put(&match peer {
            Any::Session(peer) => peer.answer(key, |inner, shared, out| {
                shared.serve(|server| inner.reply(server, key, page, out))
            })?,
            Any::Exchange(peer) => {
                peer.answer(|inner, shared, out| shared.serve(|server| inner.reply(server, key, page, out)))?
            }
            Any::Listener(_) => return Err(NOT_HERE),
        });
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}
