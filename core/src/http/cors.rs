//! What browsers ask before they let a page talk to the endpoint (the Fetch standard, "CORS protocol").
//!
//! Only origins that the guard's list names get an answer; same-origin pages need none.

use super::Request;
use super::guard::Guard;
use crate::json::Sink;

/// Methods a page may use.
pub const METHODS: &str = "GET, POST, DELETE, OPTIONS";

/// Response headers a page may read.
pub const EXPOSED: &str = "Mcp-Session-Id, MCP-Protocol-Version, WWW-Authenticate";

/// How long a browser may remember the answer, in seconds.
pub const MAX_AGE: &str = "7200";

/// Request headers a page may send, besides `Mcp-Param-…` of any name.
pub const ALLOWED: [&str; 9] = [
    "accept",
    "authorization",
    "content-type",
    "last-event-id",
    "mcp-method",
    "mcp-name",
    "mcp-protocol-version",
    "mcp-session-id",
    "x-api-key",
];

const PARAM: &str = "mcp-param-";

/// Whether a request is the question a browser asks before the real one.
#[must_use]
pub fn is_preflight(request: &Request<'_>) -> bool {
    request.method == "OPTIONS" && request.headers.all("Access-Control-Request-Method").next().is_some()
}

/// The origin to let in, if the request comes from a listed one.
#[must_use]
pub fn origin<'r>(guard: &Guard<'_>, request: &Request<'r>) -> Option<&'r str> {
    let origin = request.headers.text("Origin").ok()??;
    guard.lists(origin).then_some(origin)
}

/// Gives the CORS headers of a response, whatever its status: none for requests from elsewhere than a listed origin.
/// For a preflight request, what may be sent is among them. Names that do not fit 1 KiB together are left out.
pub fn headers(guard: &Guard<'_>, request: &Request<'_>, mut each: impl FnMut(&str, &str)) {
    let Some(origin) = origin(guard, request) else { return };
    each("Access-Control-Allow-Origin", origin);
    each("Vary", "Origin");
    if !is_preflight(request) {
        each("Access-Control-Expose-Headers", EXPOSED);
        return;
    }
    let mut names = heapless::Vec::<u8, 1024>::new();
    for name in asked_for(request) {
        let before = names.len();
        let separated = before == 0 || names.put(b", ").is_ok();
        if !separated || names.put(name.as_bytes()).is_err() {
            names.truncate(before);
        }
    }
    each("Access-Control-Allow-Methods", METHODS);
    each("Access-Control-Allow-Headers", core::str::from_utf8(&names).unwrap_or(""));
    each("Access-Control-Max-Age", MAX_AGE);
}

/// The headers a preflight request asks for that may be sent. A wildcard would not do as an answer, since browsers never
/// let it stand for `Authorization`.
fn asked_for<'r>(request: &Request<'r>) -> impl Iterator<Item = &'r str> {
    let lines = request.headers.texts("Access-Control-Request-Headers");
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|name| {
        let param = name.split_at_checked(PARAM.len()).is_some_and(|(prefix, rest)| {
            prefix.eq_ignore_ascii_case(PARAM)
                && !rest.is_empty()
                && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        });
        param || ALLOWED.iter().any(|known| name.eq_ignore_ascii_case(known))
    })
}
