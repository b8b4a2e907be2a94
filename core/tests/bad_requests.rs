//! Bad HTTP requests and their exact answers: what the gate refuses, headers that say something else than the body, and
//! bodies that cannot be read. Each row changes a good request of the stateless era (or one of the handshake era) and
//! says the status and the answer as `id code message`, with `data` where there is some.
#![cfg(feature = "std")]
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/served.rs"]
mod served;

use mcpgraft::Server;
use mcpgraft::http::guard::{Guard, Hosts, Listed};
use mcpgraft::http::{Body, Endpoint, Exchange, Head, Headers, HttpStep, Request};
use mcpgraft::json::{Raw, check};
use served::{headers, served};

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

/// Changes to the headers: a name with its only value, or without any.
type Changes = &'static [(&'static str, Option<&'static [u8]>)];

/// Status, and what went out in short.
fn shown(head: Head, out: &[u8]) -> String {
    if head.body != Body::Json {
        assert!(out.is_empty());
        return format!("{} (nothing)", head.status);
    }
    let answer = check(out, 64).expect("JSON");
    if answer.is_array() {
        return format!("{} {}", head.status, answer.text());
    }
    let id = answer.get("id").map_or("-", Raw::text);
    let Some(error) = answer.get("error") else { return format!("{} {id} result", head.status) };
    let text = |key| error.get(key).map_or("", Raw::text);
    let message = error.get("message").and_then(Raw::str).unwrap();
    format!("{} {id} {} {message} {}", head.status, text("code"), text("data")).trim_end().to_owned()
}

/// Sends a request and gives the answer. A call of the host is answered with an empty result.
fn sent(endpoint: &Endpoint<'_>, method: &str, headers: &[(String, Vec<u8>)], body: &[u8]) -> String {
    let server = Server { limits: mcpgraft::Limits { message_bytes: 600, ..served().limits }, ..served() };
    let headers: Vec<(&str, &[u8])> =
        headers.iter().map(|(name, value)| (name.as_str(), &value[..])).collect();
    let request = Request { method, headers: Headers(&headers), peer_is_loopback: None };
    let mut exchange = Exchange::new(1);
    let mut out = Vec::new();
    if let Some(head) = exchange.gate(&server, endpoint, &request, &mut out).unwrap() {
        return shown(head, &out);
    }
    let mut step = exchange.accept(&server, &request, mcpgraft::http::Attached::Off, body, &mut out).unwrap();
    if let HttpStep::Batch(mut batch) = step {
        step = exchange.next(&server, None, &mut batch, body, &mut out).unwrap();
    }
    match step {
        HttpStep::Reply { head, .. } | HttpStep::Opened { head, .. } => shown(head, &out),
        HttpStep::Call(call) => {
            exchange.reply(&server, call.key, "{}", &mut out).unwrap();
            shown(Head { status: 200, body: Body::Json }, &out)
        }
        step => panic!("{step:?}"),
    }
}

/// The good request, changed.
fn changed(message: &str, changes: Changes) -> Vec<(String, Vec<u8>)> {
    let mut headers = headers(message);
    for (name, value) in changes {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        headers.extend(value.map(|value| ((*name).to_owned(), value.to_vec())));
    }
    headers
}

fn answers(endpoint: &Endpoint<'_>, message: &str, table: &[(Changes, &str)]) {
    let mut wrong = Vec::new();
    for (changes, answer) in table {
        let got = sent(endpoint, "POST", &changed(message, changes), message.as_bytes());
        if got != *answer {
            wrong.push(format!("{changes:?}\n  wanted {answer}\n  got    {got}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn stateless() -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"route","arguments":{{"to":"a"}},{META}}}}}"#
    )
}

const HANDSHAKE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;

// Answers that several rows have.
const FOREIGN: &str =
    "403 - -32600 the Origin header names another site; add it to `allowed_origins` to allow it";
const MEDIA: &str = "415 - -32600 the header Content-Type must be application/json in UTF-8";
const OK: &str = "200 1 result";
const FORM: &str = "406 - -32600 the header Accept must allow application/json or text/event-stream";
const VERSION: &str = "400 1 -32020 the header MCP-Protocol-Version does not match the body";
const NAME: &str = "400 1 -32020 the header Mcp-Name is not a valid value";
const NO_BATCH: &str = "400 - -32600 batches are received in sessions of revision 2025-03-26 only";
const ID: &str = r#"400 - -32600 the member "id" must be a string or an integer"#;
const NO_OBJECT: &str = "400 - -32600 a message must be a JSON object";
const NO_VERSION: &str = r#"400 1 -32602 params._meta["io.modelcontextprotocol/protocolVersion"] must be a string naming a revision {"field":"io.modelcontextprotocol/protocolVersion","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#;

/// What is refused whatever the body says: Host, Origin, media type, length, Accept.
const GATE: &[(Changes, &str)] = &[
    (&[], OK),
    (&[("Host", None)], OK),
    (&[("Host", Some(b"evil.example"))], OK),
    (
        &[("Host", Some(b"evil.example")), ("Origin", Some(b"http://evil.example"))],
        "403 - -32600 the Origin header agrees with the Host header, but the name could point at this machine by DNS rebinding; add the host to `allowed_hosts` or the origin to `allowed_origins` to allow it",
    ),
    (&[("Host", Some(b"evil.example:3000")), ("Origin", Some(b"http://localhost:3000"))], FOREIGN),
    (&[("Origin", Some(b"http://localhost:3000"))], OK),
    (&[("Origin", Some(b"http://localhost:3001"))], FOREIGN),
    (&[("Origin", Some(b"https://localhost:3000"))], OK),
    (&[("Origin", Some(b"http://127.0.0.1:3000"))], FOREIGN),
    (&[("Origin", Some(b"http://evil.example"))], FOREIGN),
    (&[("Origin", Some(b"http://localhost.evil.example:3000"))], FOREIGN),
    (&[("Origin", Some(b"http://localhost:3000@evil.example"))], FOREIGN),
    (
        &[("Origin", Some(b"null"))],
        r#"403 - -32600 the Origin header is null; add "null" to `allowed_origins` to allow it"#,
    ),
    (&[("Origin", Some(b""))], FOREIGN),
    (&[("Origin", Some(b"\xFF"))], FOREIGN),
    (&[("Origin", Some(b"file://"))], FOREIGN),
    (&[("Content-Type", None)], MEDIA),
    (&[("Content-Type", Some(b""))], MEDIA),
    (&[("Content-Type", Some(b"text/plain"))], MEDIA),
    (&[("Content-Type", Some(b"text/json"))], MEDIA),
    (&[("Content-Type", Some(b"application/json-rpc"))], MEDIA),
    (&[("Content-Type", Some(b"application/x-www-form-urlencoded"))], MEDIA),
    (&[("Content-Type", Some(b"application/json; charset=utf-16"))], MEDIA),
    (&[("Content-Type", Some(b"application/json, text/plain"))], MEDIA),
    (&[("Content-Type", Some(b"APPLICATION/JSON;charset=UTF-8"))], OK),
    (&[("Content-Length", Some(b"601"))], "413 - -32600 the body is longer than 600 bytes"),
    (&[("Content-Length", Some(b"99999999999999999999"))], "413 - -32600 the body is longer than 600 bytes"),
    (&[("Content-Length", Some(b"600"))], OK),
    (&[("Content-Length", Some(b"x"))], OK),
    (&[("Accept", None)], OK),
    (&[("Accept", Some(b""))], OK),
    (&[("Accept", Some(b"*/*"))], OK),
    (&[("Accept", Some(b"text/html"))], FORM),
    (&[("Accept", Some(b"application/json;q=0, text/event-stream;q=0"))], FORM),
    (&[("Accept", Some(b"application/xml, image/png"))], FORM),
];

/// Headers of the stateless era that are missing, wrong, or lie.
const MIRRORS: &[(Changes, &str)] = &[
    (&[("MCP-Protocol-Version", None)], "400 1 -32020 the header MCP-Protocol-Version is missing"),
    (&[("MCP-Protocol-Version", Some(b""))], VERSION),
    (&[("MCP-Protocol-Version", Some(b"2025-11-25"))], VERSION),
    (&[("MCP-Protocol-Version", Some(b"9999-01-01"))], VERSION),
    (&[("MCP-Protocol-Version", Some(b"\xFF"))], VERSION),
    (&[("MCP-Protocol-Version", Some(b" 2026-07-28\t"))], OK),
    (&[("Mcp-Method", None)], "400 1 -32020 the header Mcp-Method is missing"),
    (&[("Mcp-Method", Some(b""))], "400 1 -32020 the header Mcp-Method does not match the body"),
    (&[("Mcp-Method", Some(b"tools/list"))], "400 1 -32020 the header Mcp-Method does not match the body"),
    (&[("Mcp-Method", Some(b"TOOLS/CALL"))], "400 1 -32020 the header Mcp-Method does not match the body"),
    (
        &[("Mcp-Method", Some(b"=?base64?dG9vbHMvY2FsbA==?="))],
        "400 1 -32020 the header Mcp-Method does not match the body",
    ),
    (&[("Mcp-Name", None)], "400 1 -32020 the header Mcp-Name is missing"),
    (&[("Mcp-Name", Some(b""))], "400 1 -32020 the header Mcp-Name does not match the body"),
    (&[("Mcp-Name", Some(b"add"))], "400 1 -32020 the header Mcp-Name does not match the body"),
    (&[("Mcp-Name", Some(b"ROUTE"))], "400 1 -32020 the header Mcp-Name does not match the body"),
    (&[("Mcp-Name", Some(b"=?base64?cm91dGU=?="))], OK),
    (
        &[("Mcp-Name", Some(b"=?BASE64?cm91dGU=?="))],
        "400 1 -32020 the header Mcp-Name does not match the body",
    ),
    (&[("Mcp-Name", Some(b"=?base64?cm91dGU?="))], NAME),
    (&[("Mcp-Name", Some(b"=?base64?cm91dG_=?="))], NAME),
    (&[("Mcp-Name", Some(b"=?base64?/w==?="))], NAME),
    (&[("Mcp-Name", Some(b"rout\xC3\xA9"))], NAME),
    (&[("Mcp-Param-To", None)], "400 1 -32020 the header Mcp-Param-To is missing"),
    (&[("Mcp-Param-To", Some(b"b"))], "400 1 -32020 the header Mcp-Param-To does not match the body"),
    (&[("Mcp-Param-To", Some(b""))], "400 1 -32020 the header Mcp-Param-To does not match the body"),
    (&[("MCP-PARAM-TO", Some(b"a"))], OK),
    (&[("Mcp-Param-To", Some(b"\x01"))], "400 1 -32020 the header Mcp-Param-To is not a valid value"),
    (&[("Mcp-Param-To", Some(b"=?base64?YQ==?="))], OK),
    (
        &[("Mcp-Param-To", Some(b"=?base64?YR==?="))],
        "400 1 -32020 the header Mcp-Param-To is not a valid value",
    ),
    (&[("Mcp-Session-Id", Some(b"whatever"))], OK),
    (&[("Last-Event-ID", Some(b"7"))], OK),
    (&[("Mcp-Unknown", Some(b"x"))], OK),
];

/// The version header of a request that has no envelope.
const VERSIONS: &[(Changes, &str)] = &[
    (&[], OK),
    (&[("MCP-Protocol-Version", Some(b"2025-03-26"))], OK),
    (&[("MCP-Protocol-Version", Some(b"2024-11-05"))], OK),
    (&[("MCP-Protocol-Version", Some(b"2026-07-28"))], NO_VERSION),
    (
        &[("MCP-Protocol-Version", Some(b"2026-07-29"))],
        r#"400 1 -32022 protocol version "2026-07-29" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"2026-07-29"}"#,
    ),
    (
        &[("MCP-Protocol-Version", Some(b""))],
        r#"400 1 -32022 protocol version "" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":""}"#,
    ),
    (
        &[("MCP-Protocol-Version", Some(b"draft"))],
        r#"400 1 -32022 protocol version "draft" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"draft"}"#,
    ),
    (
        &[("MCP-Protocol-Version", Some(b"\""))],
        r#"400 1 -32022 protocol version """ is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"\""}"#,
    ),
    (
        &[("MCP-Protocol-Version", Some(b"\xFF"))],
        r#"400 1 -32022 protocol version "�" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"�"}"#,
    ),
];

/// The same of `initialize`, whose own parameters name the version.
const OPENINGS: &[(Changes, &str)] = &[
    (&[], OK),
    (&[("MCP-Protocol-Version", Some(b"2025-11-25"))], OK),
    (&[("MCP-Protocol-Version", Some(b"2026-07-29"))], OK),
    (&[("MCP-Protocol-Version", Some(b"2026-07-28"))], NO_VERSION),
    (&[("Mcp-Session-Id", Some(b"whatever"))], OK),
];

/// Bodies, without a version header and with that of the stateless era.
const BODIES: &[(&[u8], &str, &str)] = &[
    (
        br#""#,
        "400 - -32700 invalid JSON at byte 0: the text ends too early",
        "400 - -32700 invalid JSON at byte 0: the text ends too early",
    ),
    (
        br#"{"#,
        "400 - -32700 invalid JSON at byte 1: the text ends too early",
        "400 - -32700 invalid JSON at byte 1: the text ends too early",
    ),
    (
        b"\xFF",
        "400 - -32700 invalid JSON at byte 0: not UTF-8",
        "400 - -32700 invalid JSON at byte 0: not UTF-8",
    ),
    (
        b"\xEF\xBB\xBF{}",
        "400 - -32700 invalid JSON at byte 0: a byte order mark is not part of JSON; send the value without it",
        "400 - -32700 invalid JSON at byte 0: a byte order mark is not part of JSON; send the value without it",
    ),
    (br#"null"#, NO_OBJECT, NO_OBJECT),
    (
        br#"{}"#,
        r#"400 - -32600 the member "jsonrpc" must be "2.0""#,
        r#"400 - -32600 the member "jsonrpc" must be "2.0""#,
    ),
    (br#"[]"#, "400 - -32600 a batch must hold at least one message", NO_BATCH),
    (
        br#"[1]"#,
        r#"200 [{"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"a message must be a JSON object"}}]"#,
        NO_BATCH,
    ),
    (br#"{"jsonrpc":"2.0","id":null,"method":"tools/list"}"#, ID, ID),
    (br#"{"jsonrpc":"2.0","id":1.5,"method":"tools/list"}"#, ID, ID),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":1}"#,
        r#"400 1 -32600 the member "method" must be a string"#,
        r#"400 1 -32600 the member "method" must be a string"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/list"}"#,
        r#"400 - -32600 the member "id" stands twice"#,
        r#"400 - -32600 the member "id" stands twice"#,
    ),
    (br#"{"jsonrpc":"2.0","id":1,"method":"nope"}"#, r#"200 1 -32601 method not found: "nope""#, NO_VERSION),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope"}}"#,
        r#"200 1 -32602 unknown tool: "nope""#,
        NO_VERSION,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#,
        "200 1 -32602 params must be an object",
        NO_VERSION,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"nope:x"}}"#,
        r#"200 1 -32002 resource not found: "nope:x" {"uri":"nope:x"}"#,
        NO_VERSION,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"test://a"}}"#,
        r#"200 1 -32601 method not found: "resources/subscribe""#,
        NO_VERSION,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"server/discover"}"#,
        r#"200 1 -32601 method not found: "server/discover""#,
        NO_VERSION,
    ),
    (br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, "202 (nothing)", "202 (nothing)"),
    (
        br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}"#,
        "202 (nothing)",
        "202 (nothing)",
    ),
    (
        br#"{"jsonrpc":"2.0","method":1}"#,
        r#"400 - -32600 the member "method" must be a string"#,
        r#"400 - -32600 the member "method" must be a string"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"result":{}}"#,
        "202 (nothing)",
        "400 1 -32600 the server asked nothing: responses are not accepted here",
    ),
    (br#"{"jsonrpc":"2.0","id":[],"result":{}}"#, ID, ID),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#,
        "200 1 -32602 params.protocolVersion must be a string",
        NO_VERSION,
    ),
    (
        br#"[{"jsonrpc":"2.0","id":1,"method":"initialize"}]"#,
        "400 - -32600 initialize must not be part of a batch",
        NO_BATCH,
    ),
    (br#"[1,1,1,1,1]"#, "400 - -32600 the batch holds more than 4 messages", NO_BATCH),
];

/// Bodies of the stateless era with headers that agree. `META` stands for the envelope.
const STATELESS: &[(&str, &str)] = &[
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"nope","params":{META}}"#,
        r#"404 1 -32601 method not found: "nope""#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{META}}"#,
        r#"404 1 -32601 method not found: "ping""#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{META}}"#,
        r#"404 1 -32601 method not found: "initialize""#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope",META}}"#,
        r#"200 1 -32602 unknown tool: "nope""#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1,META}}"#,
        "200 1 -32602 params.name must be a string",
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"route","arguments":[],META}}"#,
        "200 1 -32602 params.arguments must be an object",
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"route","arguments":{"to":1},META}}"#,
        OK,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"nope:x",META}}"#,
        r#"200 1 -32602 resource not found: "nope:x" {"uri":"nope:x"}"#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"x",META}}"#,
        "200 1 -32602 params.cursor was not issued by this server or is no longer valid; list again from the start",
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info",META}}"#,
        r#"404 1 -32601 method not found: "logging/setLevel""#,
    ),
    (r#"[{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{META}}]"#, NO_BATCH),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#,
        r#"400 1 -32602 params._meta["io.modelcontextprotocol/clientCapabilities"] must be an object {"field":"io.modelcontextprotocol/clientCapabilities","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"9999-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
        r#"400 1 -32022 protocol version "9999-01-01" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"9999-01-01"}"#,
    ),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}}}}"#,
        r#"400 1 -32022 protocol version "2025-11-25" is not supported {"supported":["2026-07-28"],"requested":"2025-11-25"}"#,
    ),
];

/// The headers of a request without a version, and with that of the stateless era.
fn both() -> [Vec<(String, Vec<u8>)>; 2] {
    [&[] as Changes, &[("MCP-Protocol-Version", Some(b"2026-07-28"))]].map(|changes| changed("{}", changes))
}

#[test]
fn bad_headers() {
    let open = Endpoint::default();
    answers(&open, &stateless(), GATE);
    answers(&open, &stateless(), MIRRORS);
    answers(&open, HANDSHAKE, VERSIONS);
    answers(&open, INITIALIZE, OPENINGS);
}

#[test]
fn bad_bodies() {
    for (body, without, with) in BODIES {
        let [bare, versioned] = both();
        let shown = String::from_utf8_lossy(body);
        assert_eq!(sent(&Endpoint::default(), "POST", &bare, body), *without, "{shown}");
        assert_eq!(sent(&Endpoint::default(), "POST", &versioned, body), *with, "{shown}, stateless");
    }
    for (body, answer) in STATELESS {
        let body = body.replace("META", META);
        assert_eq!(sent(&Endpoint::default(), "POST", &headers(&body), body.as_bytes()), *answer, "{body}");
    }
    let long = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","x":"{}"}}"#, "x".repeat(600));
    let [bare, _] = both();
    assert_eq!(
        sent(&Endpoint::default(), "POST", &bare, long.as_bytes()),
        "413 - -32600 the message is longer than 600 bytes"
    );
    let deep = "[".repeat(500);
    assert_eq!(
        sent(&Endpoint::default(), "POST", &bare, deep.as_bytes()),
        "400 - -32700 invalid JSON at byte 16: nested too deeply"
    );
}

#[test]
fn headers_that_stand_twice() {
    let message = stateless();
    for (name, value, answer) in [
        ("host", "localhost:3000", "400 - -32600 the headers Host and Origin may stand once only"),
        ("content-type", "application/json", MEDIA),
        (
            "mcp-protocol-version",
            "2026-07-28",
            "400 1 -32020 the header MCP-Protocol-Version stands more than once",
        ),
        ("mcp-method", "tools/call", "400 1 -32020 the header Mcp-Method stands more than once"),
        ("mcp-name", "route", "400 1 -32020 the header Mcp-Name stands more than once"),
        ("mcp-param-to", "a", "400 1 -32020 the header Mcp-Param-To stands more than once"),
        ("accept", "application/json", OK),
    ] {
        let mut headers = headers(&message);
        headers.push((name.to_owned(), value.as_bytes().to_vec()));
        assert_eq!(sent(&Endpoint::default(), "POST", &headers, message.as_bytes()), answer);
    }
}

#[test]
fn other_methods() {
    for method in ["GET", "DELETE", "PUT", "PATCH", "HEAD", "OPTIONS", "post", ""] {
        let answer = sent(&Endpoint::default(), method, &changed("{}", &[]), b"");
        assert_eq!(answer, "405 (nothing)", "{method}");
    }
    // A stranger's page learns nothing, whatever it asks.
    let page = changed("{}", &[("Origin", Some(b"http://evil.example"))]);
    for method in ["GET", "OPTIONS", "POST"] {
        let answer = FOREIGN;
        assert_eq!(sent(&Endpoint::default(), method, &page, b""), answer);
    }
}

#[test]
fn listed_hosts_and_origins() {
    let guard = Guard {
        allowed_hosts: Hosts::Listed(Listed::Texts(&["api.example.com"])),
        allowed_origins: Listed::Texts(&["https://app.example.com"]),
    };
    let endpoint = Endpoint { guard, ..Endpoint::default() };
    let host = |host: &'static [u8]| -> Changes { Box::leak(Box::new([("Host", Some(host))])) };
    let not_listed = "403 - -32600 the Host header names a host that is not listed in `allowed_hosts`";
    for (changes, answer) in [
        (
            &[("Host", None)] as Changes,
            "403 - -32600 the Host header is missing, and only the hosts listed in `allowed_hosts` are served",
        ),
        (host(b"localhost:3000"), not_listed),
        (host(b"api.example.com.evil.example"), not_listed),
        (host(b"user@api.example.com"), not_listed),
        (host(b"api.example.com:443"), OK),
        (&[("Host", Some(b"api.example.com")), ("Origin", Some(b"https://evil.example"))], FOREIGN),
        (&[("Host", Some(b"api.example.com")), ("Origin", Some(b"https://app.example.com"))], OK),
        (&[("Host", Some(b"api.example.com")), ("Origin", Some(b"https://api.example.com"))], OK),
    ] {
        let message = stateless();
        let got = sent(&endpoint, "POST", &changed(&message, changes), message.as_bytes());
        assert_eq!(got, answer, "{changes:?}");
    }
}
