//! What a client is told on the host's own account: changes, the end of listening, notifications of its own.

use mcpgraft::catalog::Kind;
use mcpgraft::http::Handshake;
use mcpgraft::json::Raw;
use mcpgraft::server::{CallKey, Task};

use crate::abi::{mcpgraft_event, mcpgraft_peer, mcpgraft_status, mcpgraft_str};
use crate::guard::{Done, bytes, event_place, maybe, utf8};
use crate::peer::{Any, NOT_HERE, with};
use crate::server;
use crate::task::Kept;
use crate::trouble::Trouble;

/// What a client is told. `subject` and `more` are absent where nothing is said of them.
#[repr(u32)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum mcpgraft_news {
    /// Session, listener: the list of tools has changed. This and the next three have the numbers of `mcpgraft_kind`.
    MCPGRAFT_NEWS_TOOLS = 0,
    /// The list of resources has.
    MCPGRAFT_NEWS_RESOURCES = 1,
    /// The list of resource templates has.
    MCPGRAFT_NEWS_TEMPLATES = 2,
    /// The list of prompts has.
    MCPGRAFT_NEWS_PROMPTS = 3,
    /// Session, listener: the resource with the URI `subject` has changed. `more`: of the listener of a session's GET, the
    /// session as it is stored now.
    MCPGRAFT_NEWS_RESOURCE = 4,
    /// Session, listener: the stored task `subject` stands where it stands now. `more`: the client's principal, who is told
    /// of no task but his own.
    MCPGRAFT_NEWS_TASK = 5,
    /// Session, exchange: the elicitation by URL with the `elicitationId` `subject` is done. An exchange tells it on the
    /// stream of the call `key`.
    MCPGRAFT_NEWS_ELICITATION = 6,
    /// Session, listener: what the client listens to ends in good order, before the channel or response is closed.
    MCPGRAFT_NEWS_END = 7,
    /// Session: a notification of the host's own, outside `notifications/`. `subject`: its method; `more`: its parameters
    /// (JSON), if it has any.
    MCPGRAFT_NEWS_OWN = 8,
}

/// The same, with what belongs to it.
enum News<'c> {
    List(Kind),
    Resource(&'c str, &'c [u8]),
    Task(Task<'c>, Option<&'c str>),
    Elicitation(&'c str),
    End,
    Own(&'c str, Option<Raw<'c>>),
}

/// Reads what C says.
///
/// # Safety
/// As `bytes`.
unsafe fn read<'c>(news: u32, subject: mcpgraft_str, more: mcpgraft_str) -> Done<News<'c>> {
    use mcpgraft_news::*;
    let is = |one: mcpgraft_news| news == one as u32;
    // SAFETY: the caller's promise.
    unsafe {
        Ok(if is(MCPGRAFT_NEWS_RESOURCE) {
            News::Resource(utf8("subject", subject)?, bytes("more", more)?)
        } else if is(MCPGRAFT_NEWS_TASK) {
            News::Task(Kept::task(bytes("subject", subject)?)?, maybe("more", more)?)
        } else if is(MCPGRAFT_NEWS_ELICITATION) {
            News::Elicitation(utf8("subject", subject)?)
        } else if is(MCPGRAFT_NEWS_END) {
            News::End
        } else if is(MCPGRAFT_NEWS_OWN) {
            News::Own(utf8("subject", subject)?, crate::json::maybe("more", more)?)
        } else {
            News::List(server::kind(news).map_err(|_| Trouble::argument("news is no mcpgraft_news"))?)
        })
    }
}

/// Tells the client something that is no answer (`mcpgraft_news`, which says what the rest is). Nothing is sent if it does not
/// want to know, or if its revision has no such message. `key`: of `MCPGRAFT_NEWS_ELICITATION` alone.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_notify(
    peer: *mut mcpgraft_peer,
    key: u64,
    news: u32,
    subject: mcpgraft_str,
    more: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, news) = unsafe { (event_place(event)?, read(news, subject, more)?) };
        place.put(&match (peer, news) {
            (Any::Session(peer), news) => {
                peer.notify(|inner, shared, out| match &news {
                    News::List(kind) => {
                        shared.serve(|server| inner.list_changed(server, *kind, out)).map(drop)
                    }
                    News::Resource(uri, _) => inner.resource_updated(uri, out).map(drop),
                    News::Task(task, who) => inner.task_changed(task, *who, out).map(drop),
                    News::Elicitation(id) => inner.elicitation_complete(id, out).map(drop),
                    News::End => shared.serve(|server| inner.end_listening(server, out)),
                    News::Own(method, params) => inner.notify(method, *params, out),
                })?
                .0
            }
            (Any::Exchange(peer), News::Elicitation(id)) => {
                peer.notify(|inner, _, out| inner.elicitation_complete(CallKey::from_bits(key), id, out))?
            }
            (Any::Listener(_), News::Elicitation(_) | News::Own(..)) | (Any::Exchange(_), _) => {
                return Err(NOT_HERE);
            }
            (Any::Listener(peer), news) => {
                let made = peer.notify(|inner, shared, out| match &news {
                    News::List(kind) => {
                        shared.serve(|server| inner.list_changed(server, *kind, out)).map(drop)
                    }
                    News::Resource(uri, stored) => {
                        let session = Handshake::restore(stored);
                        inner.resource_updated(session.as_ref(), uri, out).map(drop)
                    }
                    News::Task(task, who) => inner.task_changed(task, *who, out).map(drop),
                    _ => shared.serve(|server| inner.end(server, out)),
                })?;
                mcpgraft_event { end: matches!(news, News::End), ..made }
            }
        });
        Ok::<_, Trouble>(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}
