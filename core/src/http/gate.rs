//! What can be refused before the body is read.

use super::headers::{Headers, Repeated, name};
use super::plan::Head;
use super::{Endpoint, Request, Sessions, cors};
use crate::json::{Full, Sink};
use crate::revision::{Revision, codes};
use crate::server::fault;

/// Checks a request's head. `Some`: it is refused, and `out` holds the body of the refusal.
pub(crate) fn check<S: Sink + ?Sized>(
    endpoint: &Endpoint<'_>,
    request: &Request<'_>,
    limit: usize,
    out: &mut S,
) -> Result<Option<Head>, Full> {
    let headers = request.headers;
    // Host and Origin first: a stranger's page must not even learn what is served here.
    let (host, origin) = match (headers.text("Host"), headers.text("Origin")) {
        (Ok(host), Ok(origin)) => (host, origin),
        _ => {
            return refuse(400, format_args!("the headers Host and Origin may stand once only"), out)
                .map(Some);
        }
    };
    if let Err(why) = endpoint.guard.check(host, origin, request.peer_is_loopback) {
        return refuse(403, format_args!("{why}"), out).map(Some);
    }
    if cors::is_preflight(request) && cors::origin(&endpoint.guard, request).is_some() {
        return Ok(Some(Head::PREFLIGHT));
    }
    let sessions = endpoint.sessions != Sessions::Off;
    match request.method {
        "POST" => {}
        "GET" | "DELETE" if sessions && !of_stateless_era(headers) => return Ok(None),
        _ => return Ok(Some(Head::not_allowed(sessions))),
    }
    if !is_json(headers) {
        return refuse(415, format_args!("the header Content-Type must be application/json in UTF-8"), out)
            .map(Some);
    }
    // Digits that are no number of 64 bits are one that is too great.
    let too_long = |length: &str| {
        let digits = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
        digits && length.parse::<u64>().map_or(true, |length| length > limit as u64)
    };
    if headers.texts("Content-Length").any(too_long) {
        return refuse(413, format_args!("the body is longer than {limit} bytes"), out).map(Some);
    }
    Ok(None)
}

/// Writes the body of a refusal that answers no particular message.
pub(crate) fn refuse<S: Sink + ?Sized>(
    status: u16,
    message: core::fmt::Arguments<'_>,
    out: &mut S,
) -> Result<Head, Full> {
    let mut text = heapless::String::<256>::new();
    // A message that does not fit is cut short: it is for people.
    let _ = core::fmt::write(&mut text, message);
    let mut w = fault::open(None, None, codes::INVALID_REQUEST, &text, out)?;
    fault::close(&mut w)?;
    Ok(Head::json(status))
}

/// Stateless revisions have POST only.
fn of_stateless_era(headers: Headers<'_>) -> bool {
    let version = headers.text(name::VERSION).ok().flatten();
    version.and_then(Revision::parse).is_some_and(Revision::is_stateless)
}

/// `application/json`, with any parameters but another charset.
fn is_json(headers: Headers<'_>) -> bool {
    let Ok(Some(value)): Result<_, Repeated> = headers.text("Content-Type") else { return false };
    let mut parts = value.split(';').map(str::trim);
    let media = parts.next().unwrap_or("");
    media.eq_ignore_ascii_case("application/json")
        && parts.filter_map(|part| part.split_once('=')).all(|(name, value)| {
            let value = value.trim().trim_matches('"');
            !name.trim().eq_ignore_ascii_case("charset")
                || value.eq_ignore_ascii_case("utf-8")
                || value.eq_ignore_ascii_case("utf8")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_types() {
        let json = |value: &[u8]| is_json(Headers(&[("content-type", value)]));
        assert!(json(b"application/json"));
        assert!(json(b"Application/JSON; charset=UTF-8"));
        assert!(json(b"application/json;charset=\"utf-8\"; x=y"));
        assert!(!json(b"application/json; charset=latin1"));
        assert!(!json(b"application/json-rpc"));
        assert!(!json(b"text/json"));
        assert!(!json(b""));
        assert!(!is_json(Headers(&[])));
    }
}
