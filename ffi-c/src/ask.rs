//! Questions to the client, as C gives them: the method and the parameters of the newest revision.

use mcpgraft::json::Raw;
use mcpgraft::server::{Ask, Unable};

use crate::abi::{mcpgraft_status, mcpgraft_str, mcpgraft_verdict};
use crate::guard::{Done, alone, place, utf8};
use crate::memory::Scratch;
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
