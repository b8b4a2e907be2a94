//! Questions to the client.

use mcpgraft::json::{Raw, Str};
use mcpgraft::server::{Ask, Unable};
use napi::Env;
use napi_derive::napi;

use crate::argument::Arg;
use crate::error::{Trouble, guard, json};
use crate::record::{self, Text};

/// A question that owns its parts.
pub(crate) enum OwnedAsk {
    Form(String, Vec<u8>),
    Url(String, String, String),
    Sample(Vec<u8>),
    Roots,
    /// The id with its quotes.
    Task(String, Vec<u8>),
}

/// One part of a question: a string.
fn part(ask: Raw<'_>, at: usize) -> Result<String, Trouble> {
    let part = ask.elements().nth(at).and_then(Raw::str);
    let part = part.ok_or_else(|| Trouble::argument("ask: a part of it is missing or no string"))?;
    Ok(part.to_cow().into_owned())
}

/// One part of a question: a string that holds a JSON object.
fn object(ask: Raw<'_>, at: usize) -> Result<Vec<u8>, Trouble> {
    let text = part(ask, at)?.into_bytes();
    if json("ask", &text)?.is_object() {
        Ok(text)
    } else {
        Err(Trouble::argument("ask: schema, params and request must be JSON objects"))
    }
}

impl OwnedAsk {
    /// From a JSON array of strings: `["form", message, schema]`, `["url", message, url, id]`, `["sample", params]`,
    /// `["roots"]` or `["task", id, request]`.
    fn new(ask: Raw<'_>) -> Result<Self, Trouble> {
        let kind = part(ask, 0)?;
        Ok(match kind.as_str() {
            "form" => OwnedAsk::Form(part(ask, 1)?, object(ask, 2)?),
            "url" => OwnedAsk::Url(part(ask, 1)?, part(ask, 2)?, part(ask, 3)?),
            "sample" => OwnedAsk::Sample(object(ask, 1)?),
            "roots" => OwnedAsk::Roots,
            "task" => {
                let id = part(ask, 1)?;
                let quoted = record::json(|w| w.string(&id));
                OwnedAsk::Task(String::from_utf8_lossy(&quoted).into_owned(), object(ask, 2)?)
            }
            _ => return Err(Trouble::argument(format!("ask: {kind:?} is no kind of question"))),
        })
    }

    pub(crate) fn read(ask: Arg) -> Result<Self, Trouble> {
        Self::new(json("ask", &ask.bytes("ask")?)?)
    }

    /// As the core takes it. What was read as JSON is JSON still.
    pub(crate) fn borrow(&self) -> Ask<'_> {
        match self {
            OwnedAsk::Form(message, schema) => Ask::Form { message, schema: raw(schema) },
            OwnedAsk::Url(message, url, id) => Ask::Url { message, url, id },
            OwnedAsk::Sample(params) => Ask::Sample { params: raw(params) },
            OwnedAsk::Roots => Ask::Roots,
            OwnedAsk::Task(id, request) => Ask::Task { id: Str::trusted(id), request: raw(request) },
        }
    }
}

fn raw(bytes: &[u8]) -> Raw<'_> {
    mcpgraft::json::check(bytes, mcpgraft::json::MAX_DEPTH).unwrap_or(Raw::NULL)
}

/// Several questions with their keys: a JSON array of `[key, question]`.
pub(crate) fn read_all(asks: Arg) -> Result<Vec<(String, OwnedAsk)>, Trouble> {
    let text = asks.bytes("asks")?;
    let wrong = || Trouble::argument("asks must be pairs of a key and a question");
    json("asks", &text)?
        .elements()
        .map(|pair| Ok((part(pair, 0)?, OwnedAsk::new(pair.elements().nth(1).ok_or_else(wrong)?)?)))
        .collect()
}

/// The questions as the core takes them.
pub(crate) fn borrow_all(asks: &[(String, OwnedAsk)]) -> Vec<(&str, Ask<'_>)> {
    asks.iter().map(|(key, ask)| (key.as_str(), ask.borrow())).collect()
}

/// Why a client cannot be asked, as a JSON array: reason, text, needed capabilities (a string or null); `None` if it can.
pub(crate) fn reason(verdict: Result<(), Unable>) -> Option<Text> {
    let (why, message, needed) = match verdict {
        Ok(()) => return None,
        Err(Unable::Capability(needed)) => {
            ("capability", "the client did not declare the capability that is needed", Some(needed))
        }
        Err(Unable::Revision(why)) => ("revision", why, None),
        Err(Unable::Wrong(why)) => ("wrong", why, None),
    };
    Some(Text(record::json(|w| {
        w.begin_array()?;
        w.string(why)?;
        w.string(message)?;
        match needed {
            Some(needed) => w.string(needed.text())?,
            None => w.null()?,
        }
        w.end_array()
    })))
}

/// Whether an answer of the client is of the kind that was asked for.
#[napi]
pub fn accepts(env: Env, ask: Arg, answer: Arg) -> napi::Result<bool> {
    guard(env, || {
        let (ask, answer) = (OwnedAsk::read(ask)?, answer.bytes("answer")?);
        Ok(mcpgraft::json::check(&answer, mcpgraft::json::MAX_DEPTH)
            .is_ok_and(|answer| ask.borrow().accepts(answer)))
    })
}
