//! JSON-RPC 2.0: the envelope of a message, and ids that come back byte for byte.

mod id;

pub use id::{Id, Token};

use core::fmt;

use crate::json::{Kind, Picked, Raw, Str, digits, find};

/// One JSON-RPC message, borrowed from the text it came in.
#[derive(Clone, Copy, Debug)]
#[repr(u8)]
pub enum Message<'m> {
    /// It wants an answer.
    Request(Request<'m>),
    /// It wants none.
    Notification {
        /// What happened.
        method: Str<'m>,
        /// Its parameters, whatever they are.
        params: Option<Raw<'m>>,
    },
    /// An answer to a request of ours.
    Response {
        /// The id of that request; `None` when the peer could not read it.
        id: Option<Id<'m>>,
        /// The `result`, or the `error` object.
        outcome: Result<Raw<'m>, Raw<'m>>,
    },
}

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'m> {
    /// To be echoed in the answer.
    pub id: Id<'m>,
    /// What to do.
    pub method: Str<'m>,
    /// Its parameters; a JSON `null` counts as absent.
    pub params: Option<Raw<'m>>,
}

/// Why a JSON value is not a JSON-RPC message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not an object.
    NotObject,
    /// A member stands twice, so different readers would see different messages.
    Twice(&'static str),
    /// No `"jsonrpc":"2.0"`.
    Version,
    /// The id is null, a fraction, a boolean, a container, or out of range.
    Id,
    /// The id is longer than [`TOKEN_BYTES`](crate::limits::TOKEN_BYTES).
    LongId,
    /// The method is not a string.
    Method,
    /// The parameters are neither object nor array.
    Params,
    /// Neither a method nor an outcome.
    Empty,
    /// A method and an outcome.
    Both,
}

impl Malformed {
    /// It in words; a `%` is filled in.
    pub(crate) fn text(self) -> &'static str {
        static TEXTS: [&str; 9] = [
            "a message must be a JSON object",
            "the member \"%\" stands twice",
            "the member \"jsonrpc\" must be \"2.0\"",
            "the member \"id\" must be a string or an integer",
            "the member \"id\" must not be longer than % bytes",
            "the member \"method\" must be a string",
            "the member \"params\" must be an object",
            "a message needs \"method\", \"result\" or \"error\"",
            "a message with \"method\" must have neither \"result\" nor \"error\"",
        ];
        let at = match self {
            Malformed::NotObject => 0,
            Malformed::Twice(_) => 1,
            Malformed::Version => 2,
            Malformed::Id => 3,
            Malformed::LongId => 4,
            Malformed::Method => 5,
            Malformed::Params => 6,
            Malformed::Empty => 7,
            Malformed::Both => 8,
        };
        TEXTS.get(at).copied().unwrap_or_default()
    }
}

/// What stands before the `%` of a sentence and what after it.
pub(crate) fn gap(text: &'static str) -> (&'static str, &'static str) {
    find(text.as_bytes(), b'%')
        .and_then(|at| Some((text.get(..at)?, text.get(at + 1..)?)))
        .unwrap_or((text, ""))
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = gap(self.text());
        f.write_str(before)?;
        match self {
            Malformed::Twice(name) => f.write_str(name)?,
            Malformed::LongId => f.write_str(&digits::unsigned(crate::limits::TOKEN_BYTES as u64))?,
            _ => {}
        }
        f.write_str(after)
    }
}

impl core::error::Error for Malformed {}

/// Takes the pieces of a sentence, without the formatting of `core::fmt`, which is much code on a device.
pub(crate) type Say<'p> = dyn FnMut(&str) -> fmt::Result + 'p;

/// The members of a message.
pub(crate) const MEMBERS: [&str; 6] = ["jsonrpc", "id", "method", "params", "result", "error"];

/// Reads the envelope of a message. Unknown members are ignored.
///
/// # Errors
/// What is wrong, with the id if it could be read: the answer to a broken request echoes it.
pub fn read<'m>(value: Raw<'m>) -> Result<Message<'m>, (Malformed, Option<Id<'m>>)> {
    read_sifted(value, value.sift(&MEMBERS))
}

/// As [`read`], of a value whose [`MEMBERS`] are known.
#[cfg_attr(feature = "alloc", inline)]
pub(crate) fn read_sifted<'m>(
    value: Raw<'m>,
    members: Picked<'m, 6>,
) -> Result<Message<'m>, (Malformed, Option<Id<'m>>)> {
    if value.is_object() { message(members) } else { Err((Malformed::NotObject, None)) }
}

fn message(members: Picked<'_, 6>) -> Result<Message<'_>, (Malformed, Option<Id<'_>>)> {
    if let Some(at) = members.twice {
        return Err((Malformed::Twice(MEMBERS.get(at).copied().unwrap_or("?")), None));
    }
    let [version, id, method, params, result, error] = members.values;
    // The id first: every later complaint can then be addressed.
    let id = match id {
        None => Ok(None),
        Some(raw) => Id::read(raw).map(Some),
    };
    let known = id.ok().flatten();
    let fail = |why| Err((why, known));
    if known.is_some_and(|id| !id.fits()) {
        return fail(Malformed::LongId);
    }
    if version.and_then(Raw::str).is_none_or(|text| text != *"2.0") {
        return fail(Malformed::Version);
    }
    let params = params.filter(|raw| !raw.is_null());
    if let Some(method) = method {
        if result.is_some() || error.is_some() {
            return fail(Malformed::Both);
        }
        let Some(method) = method.str() else { return fail(Malformed::Method) };
        if params.is_some_and(|raw| !matches!(raw.kind(), Kind::Object | Kind::Array)) {
            return fail(Malformed::Params);
        }
        return match id {
            Err(why) => fail(why),
            Ok(Some(id)) => Ok(Message::Request(Request { id, method, params })),
            Ok(None) => Ok(Message::Notification { method, params }),
        };
    }
    // Seen in the wild: the member that does not apply is sent as null.
    let error = error.filter(|error| !error.is_null() || result.is_none_or(Raw::is_null));
    let outcome = match (result, error) {
        // Nobody may be answered for an answer; what says it failed, failed.
        (_, Some(error)) => Err(error),
        (Some(result), None) => Ok(result),
        (None, None) => return fail(Malformed::Empty),
    };
    match id {
        // A response without a usable id: the peer could not read ours.
        Err(_) if outcome.is_err() => Ok(Message::Response { id: None, outcome }),
        Err(why) => fail(why),
        Ok(id) => Ok(Message::Response { id, outcome }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::check;

    fn malformed(text: &str) -> (Malformed, Option<&str>) {
        let raw = check(text.as_bytes(), 16).expect("JSON");
        read(raw).map_err(|(why, id)| (why, id.map(|id| id.text()))).expect_err("malformed")
    }

    #[test]
    fn shapes() {
        assert_eq!(malformed("1").0, Malformed::NotObject);
        assert_eq!(malformed("{}").0, Malformed::Version);
        assert_eq!(malformed(r#"{"jsonrpc":"2.0"}"#).0, Malformed::Empty);
        assert_eq!(malformed(r#"{"jsonrpc":"2.0","id":1}"#), (Malformed::Empty, Some("1")));
        assert_eq!(
            malformed(r#"{"jsonrpc":"1.0","id":"a","method":"x"}"#),
            (Malformed::Version, Some("\"a\""))
        );
        assert_eq!(malformed(r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#), (Malformed::Id, None));
        assert_eq!(malformed(r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}"#).0, Malformed::Twice("id"));
        assert_eq!(malformed(r#"{"jsonrpc":"2.0","id":1,"method":1}"#), (Malformed::Method, Some("1")));
        assert_eq!(malformed(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":3}"#).0, Malformed::Params);
        assert_eq!(malformed(r#"{"jsonrpc":"2.0","id":1,"method":"x","result":1}"#).0, Malformed::Both);
    }

    #[test]
    fn null_params_are_absent_and_unknown_members_ignored() {
        let raw = check(br#"{"x":[],"jsonrpc":"2.0","id":0,"method":"m","params":null}"#, 16).unwrap();
        let Ok(Message::Request(request)) = read(raw) else { panic!("a request") };
        assert!(request.params.is_none());
        assert_eq!(request.id.text(), "0");
    }

    #[test]
    fn an_outcome_next_to_null_is_one_outcome() {
        let raw = check(br#"{"jsonrpc":"2.0","id":1,"result":{},"error":null}"#, 16).unwrap();
        assert!(matches!(read(raw), Ok(Message::Response { outcome: Ok(_), .. })));
        let raw = check(br#"{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}"#, 16).unwrap();
        assert!(matches!(read(raw), Ok(Message::Response { id: None, outcome: Err(_) })));
        let raw = check(br#"{"jsonrpc":"2.0","id":7,"result":null}"#, 16).unwrap();
        assert!(matches!(read(raw), Ok(Message::Response { outcome: Ok(_), .. })));
    }
}
