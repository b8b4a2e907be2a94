//! Questions to the client, as C gives them: the method and the parameters of the newest revision.

use mcpgraft::json::Raw;
use mcpgraft::server::{Ask, AskKey, CallKey, Unable};

use crate::abi::{mcpgraft_event, mcpgraft_peer, mcpgraft_status, mcpgraft_str, mcpgraft_verdict};
use crate::exchange::ExchangePeer;
use crate::guard::{Done, alone, event_place, maybe, place, utf8};
use crate::memory::Scratch;
use crate::peer::{Any, NOT_HERE, with};
use crate::session::SessionPeer;
use crate::trouble::Trouble;

/// Most questions that can be asked at once.
const MAX_ASKS: usize = 64;

/// Reads a question.
///
/// # Safety
/// What comes back is used before room is made in `scratch` again.
unsafe fn read<'c>(method: &str, params: Raw<'c>, scratch: &mut Scratch) -> Done<Ask<'c>> {
    // SAFETY: the caller's promise.
    let mut text = |name: &str| unsafe { scratch.str(params.get(name).and_then(Raw::str)?) };
    Ok(match method {
        "roots/list" => Ask::Roots,
        "sampling/createMessage" if params.is_object() => Ask::Sample { params },
        "elicitation/create" => {
            let message =
                text("message").ok_or(Trouble::argument("an elicitation needs a string \"message\""))?;
            if params.get("mode").and_then(Raw::str).is_some_and(|mode| mode == *"url") {
                let url =
                    text("url").ok_or(Trouble::argument("an elicitation by URL needs a string \"url\""))?;
                Ask::Url { message, url, id: text("elicitationId").unwrap_or_default() }
            } else {
                let schema = params.get("requestedSchema").filter(|schema| schema.is_object());
                let schema = schema
                    .ok_or(Trouble::argument("an elicitation by form needs an object \"requestedSchema\""))?;
                Ask::Form { message, schema }
            }
        }
        "sampling/createMessage" => return Err(Trouble::argument("params must be a JSON object")),
        _ => {
            return Err(Trouble::argument(
                "method must be elicitation/create, sampling/createMessage or roots/list",
            ));
        }
    })
}

/// Reads a question of C.
///
/// # Safety
/// As `bytes`, and what comes back is used before room is made in `scratch` again.
pub(crate) unsafe fn question<'c>(
    method: mcpgraft_str,
    params: mcpgraft_str,
    scratch: &mut Scratch,
) -> Done<Ask<'c>> {
    scratch.room(params.len)?;
    // SAFETY: the caller's promise.
    unsafe {
        let params = crate::json::maybe("params", params)?.unwrap_or(Raw::trusted("{}"));
        read(utf8("method", method)?, params, scratch)
    }
}

/// Reads several questions: a JSON object of `{"method", "params"}` by key.
///
/// # Safety
/// As [`question`].
pub(crate) unsafe fn questions<'c>(
    requests: Raw<'c>,
    scratch: &mut Scratch,
) -> Done<Vec<(&'c str, Ask<'c>)>> {
    scratch.room(requests.text().len())?;
    let count = requests.members().count();
    if !requests.is_object() || count > MAX_ASKS {
        return Err(Trouble::argument("requests must be a JSON object of at most 64 questions by key"));
    }
    let mut asks = Vec::new();
    asks.try_reserve_exact(count).map_err(|_| Trouble::NO_MEMORY)?;
    for (key, request) in requests.members() {
        let params = request.get("params").unwrap_or(Raw::trusted("{}"));
        // SAFETY: the caller's promise.
        let (key, method) = unsafe {
            let method = request.get("method").and_then(Raw::str);
            let method = method.ok_or(Trouble::argument("a question needs a string \"method\""))?;
            (scratch.str(key).unwrap_or_default(), scratch.str(method).unwrap_or_default())
        };
        // SAFETY: the caller's promise.
        asks.push((key, unsafe { read(method, params, scratch) }?));
    }
    Ok(asks)
}

/// What C is told about a question.
pub(crate) fn verdict(verdict: Result<(), Unable>) -> (mcpgraft_verdict, mcpgraft_str) {
    match verdict {
        Ok(()) => (mcpgraft_verdict::MCPGRAFT_CAN_ASK, mcpgraft_str::NONE),
        Err(Unable::Capability(needed)) => {
            (mcpgraft_verdict::MCPGRAFT_NO_CAPABILITY, mcpgraft_str::of(needed.bytes()))
        }
        Err(Unable::Revision(why)) => (mcpgraft_verdict::MCPGRAFT_NO_FORM, mcpgraft_str::of(why.as_bytes())),
        Err(Unable::Wrong(why)) => (mcpgraft_verdict::MCPGRAFT_WRONG_ASK, mcpgraft_str::of(why.as_bytes())),
    }
}

/// Whether an answer of the client (a result, JSON) is of the kind that was asked for; what is not counts as not given.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_ask_accepts(
    method: mcpgraft_str,
    params: mcpgraft_str,
    answer: mcpgraft_str,
    accepts: *mut bool,
) -> mcpgraft_status {
    alone(|| {
        let mut scratch = Scratch::default();
        // SAFETY: the caller's promise.
        let (place, ask, answer) = unsafe {
            let place = place("accepts", accepts)?;
            (place, question(method, params, &mut scratch)?, crate::json::value("answer", answer)?)
        };
        place.put(ask.accepts(answer));
        Ok(())
    })
}

/// Whether the client of a call can be asked this: a method and parameters as in `mcpgraft_ask`. `why` (static) is a text that
/// tells why not; of `MCPGRAFT_NO_CAPABILITY`, a JSON object for `MCPGRAFT_FAIL_MISSING_CAPABILITY`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_can_ask(
    peer: *mut mcpgraft_peer,
    key: u64,
    method: mcpgraft_str,
    params: mcpgraft_str,
    verdict: *mut mcpgraft_verdict,
    why: *mut mcpgraft_str,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (verdict, why) = unsafe { (place("verdict", verdict)?, place("why", why)?) };
        let key = CallKey::from_bits(key);
        let found = match peer {
            Any::Session(SessionPeer { base, inner }) => {
                // SAFETY: the caller's promise.
                inner.can_ask(key, &unsafe { question(method, params, &mut base.asks) }?)?
            }
            Any::Exchange(ExchangePeer { base, inner, .. }) => {
                // SAFETY: the caller's promise.
                inner.can_ask(key, &unsafe { question(method, params, &mut base.asks) }?)?
            }
            Any::Listener(_) => return Err(NOT_HERE),
        };
        let (found, text) = self::verdict(found);
        verdict.put(found);
        why.put(text);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Asks the client of a call of the handshake era: `method` is `elicitation/create`, `sampling/createMessage` or `roots/list`,
/// `params` are its parameters in the newest shape. The call stays in work. On a session, the answer comes as
/// `MCPGRAFT_ANSWER` with `event->ask`. On an exchange, it comes in another request of the session as `MCPGRAFT_RESPONSE` with
/// `id`: a text that no other question of the session has (sessions ignore it).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_ask(
    peer: *mut mcpgraft_peer,
    key: u64,
    id: mcpgraft_str,
    method: mcpgraft_str,
    params: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let place = unsafe { event_place(event) }?;
        let key = CallKey::from_bits(key);
        let made = match peer {
            Any::Session(peer) => {
                // SAFETY: the caller's promise.
                let ask = unsafe { question(method, params, &mut peer.base.asks) }?;
                let (made, asked) = peer.notify(|inner, _, out| inner.ask(key, &ask, out))?;
                mcpgraft_event { ask: asked.to_bits(), ..made }
            }
            Any::Exchange(peer) => {
                // SAFETY: the caller's promise.
                let (id, ask) = unsafe { (utf8("id", id)?, question(method, params, &mut peer.base.asks)?) };
                peer.notify(|inner, _, out| inner.ask(key, id, &ask, out))?
            }
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Answers a call of the stateless era with what it still needs: a JSON object of `{"method", "params"}` by keys of the host's
/// own. The client calls again, with the answers by the same keys (`input_responses`) and with `state` (`request_state`), which
/// may be absent: seal it, the client can forge it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_require_input(
    peer: *mut mcpgraft_peer,
    key: u64,
    requests: mcpgraft_str,
    state: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, requests, state) = unsafe {
            (event_place(event)?, crate::json::value("requests", requests)?, maybe("state", state)?)
        };
        let key = CallKey::from_bits(key);
        let made = match peer {
            Any::Session(peer) => {
                // SAFETY: the caller's promise.
                let asks = unsafe { questions(requests, &mut peer.base.asks) }?;
                peer.answer(key, |inner, shared, out| {
                    shared.serve(|server| inner.require_input(server, key, &asks, state, out))
                })?
            }
            Any::Exchange(peer) => {
                // SAFETY: the caller's promise.
                let asks = unsafe { questions(requests, &mut peer.base.asks) }?;
                peer.answer(|inner, shared, out| {
                    shared.serve(|server| inner.require_input(server, key, &asks, state, out))
                })?
            }
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}

/// Gives up waiting for the answer to a question of a call, and tells the client. A session names the question with `ask`, an
/// exchange with `id`, as it was asked with. Nothing is sent if nobody was waiting, or the exchange's stream is not open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mcpgraft_give_up(
    peer: *mut mcpgraft_peer,
    key: u64,
    ask: u32,
    id: mcpgraft_str,
    event: *mut mcpgraft_event,
) -> mcpgraft_status {
    let work = |peer: Any<'_>| {
        // SAFETY: the caller's promise.
        let (place, id) = unsafe { (event_place(event)?, utf8("id", id)?) };
        let made = match peer {
            Any::Session(peer) => peer.notify(|inner, _, out| inner.give_up(AskKey::from_bits(ask), out))?.0,
            Any::Exchange(peer) => {
                peer.notify(|inner, _, out| inner.give_up(CallKey::from_bits(key), id, out))?
            }
            Any::Listener(_) => return Err(NOT_HERE),
        };
        place.put(&made);
        Ok(())
    };
    // SAFETY: the caller's promise.
    unsafe { with(peer, work) }
}
