//! A text as an answer says what the same result as JSON says, in every revision.
#![allow(clippy::unwrap_used, clippy::panic)]

use mcpgraft::catalog::{Entry, Fixed};
use mcpgraft::http::{Attached, Endpoint, Exchange, Headers, HttpStep, Request};
use mcpgraft::json::{Raw, SliceSink};
use mcpgraft::server::{Failure, Offer, Profile, Step, Text};
use mcpgraft::{Limits, LocalError, Revision, Server, Session};

const PIECES: [&str; 3] = ["a \"quoted\"\n", "", "line\u{1}é"];
const JOINED: &str = r#""a \"quoted\"\nline\u0001é""#;

static TOOLS: [Entry<'_>; 1] = [mcpgraft::entry!(Tool, r#"{"name":"t","inputSchema":{"type":"object"}}"#)];
static PROMPTS: [Entry<'_>; 1] = [mcpgraft::entry!(Prompt, r#"{"name":"p"}"#)];
static RESOURCES: [Entry<'_>; 1] = [mcpgraft::entry!(Resource, r#"{"uri":"dev://r","name":"r"}"#)];

fn server() -> Server<'static, Fixed<'static>> {
    let info = Raw::trusted(r#"{"name":"s","version":"1"}"#);
    let offer = Offer::Catalog;
    let profile =
        Profile { tools: offer, resources: offer, prompts: offer, completions: true, ..Profile::new(info) };
    let catalog = Fixed { tools: &TOOLS, resources: &RESOURCES, prompts: &PROMPTS, ..Fixed::default() };
    Server { profile, limits: Limits::DEFAULT, catalog }
}

fn request_text(method: &str, params: &str, revision: Revision) -> String {
    let mut meta = "";
    if revision.is_stateless() {
        meta = r#","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    }
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{meta}}}}}"#)
}

/// A session of that revision, and a call in work.
fn call(method: &str, params: &str, revision: Revision) -> (Session<2, 2>, mcpgraft::server::CallKey) {
    let (server, mut session, mut memory) = (server(), Session::new(1), [0; 2048]);
    if !revision.is_stateless() {
        let open = format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{}","capabilities":{{}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#,
            revision.name()
        );
        session.accept(&server, open.as_bytes(), &mut SliceSink::new(&mut memory)).unwrap();
    }
    let message = request_text(method, params, revision);
    let key = match session.accept(&server, message.as_bytes(), &mut SliceSink::new(&mut memory)) {
        Ok(Step::Call(call)) => call.key,
        other => panic!("{other:?}"),
    };
    (session, key)
}

#[test]
fn a_text_is_the_same_as_its_result() {
    for (method, params, uri, mime_type, result) in [
        (
            "tools/call",
            r#""name":"t""#,
            "",
            None,
            format!(r#"{{"content":[{{"type":"text","text":{JOINED}}}]}}"#),
        ),
        (
            "prompts/get",
            r#""name":"p""#,
            "",
            None,
            format!(r#"{{"messages":[{{"role":"user","content":{{"type":"text","text":{JOINED}}}}}]}}"#),
        ),
        (
            "resources/read",
            r#""uri":"dev://r""#,
            "dev://r",
            Some("text/plain"),
            format!(r#"{{"contents":[{{"uri":"dev://r","mimeType":"text/plain","text":{JOINED}}}]}}"#),
        ),
        (
            "resources/read",
            r#""uri":"dev://r""#,
            "dev://r",
            None,
            format!(r#"{{"contents":[{{"uri":"dev://r","text":{JOINED}}}]}}"#),
        ),
    ] {
        for revision in Revision::ALL {
            let server = server();
            let (mut first, mut second) = ([0; 2048], [0; 2048]);
            let (mut out, mut plain) = (SliceSink::new(&mut first), SliceSink::new(&mut second));
            let (mut session, key) = call(method, params, revision);
            assert_eq!(session.reply(&server, key, &result, &mut out), Ok(true));
            let (mut session, key) = call(method, params, revision);
            let text = Text { pieces: &PIECES, uri, mime_type, failed: false };
            // What does not fit changes nothing.
            assert_eq!(
                session.reply_text(&server, key, &text, &mut SliceSink::new(&mut [0; 40])),
                Err(LocalError::OutputFull)
            );
            assert_eq!(session.reply_text(&server, key, &text, &mut plain), Ok(true));
            assert_eq!(session.in_flight(), 0);
            let said = |out: &SliceSink<'_>| String::from_utf8(out.written().to_vec()).unwrap();
            assert_eq!(said(&plain), said(&out), "{method} {}", revision.name());
        }
    }
}

const COMPLETE: &str = r#""ref":{"type":"ref/prompt","name":"p"},"argument":{"name":"a","value":""}"#;

#[test]
fn the_values_of_a_completion_are_the_same_as_its_result() {
    for (count, more) in [(0, ""), (2, ""), (100, ""), (101, r#","hasMore":true"#)] {
        let values: Vec<String> = (0..count).map(|n| format!("\"{n}\n")).collect();
        let pieces: Vec<&str> = values.iter().map(String::as_str).collect();
        let quoted: Vec<String> = (0..count.min(100)).map(|n| format!(r#""\"{n}\n""#)).collect();
        let result = format!(r#"{{"completion":{{"values":[{}]{more}}}}}"#, quoted.join(","));
        for revision in Revision::ALL {
            let (mut first, mut second) = ([0; 2048], [0; 2048]);
            let (mut out, mut plain) = (SliceSink::new(&mut first), SliceSink::new(&mut second));
            let (mut session, key) = call("completion/complete", COMPLETE, revision);
            assert_eq!(session.reply(&server(), key, &result, &mut out), Ok(true));
            let (mut session, key) = call("completion/complete", COMPLETE, revision);
            let text = Text { pieces: &pieces, ..Text::default() };
            assert_eq!(session.reply_text(&server(), key, &text, &mut plain), Ok(true));
            assert_eq!(plain.written(), out.written(), "{count} {}", revision.name());
        }
    }
}

#[test]
fn structured_content_is_the_same_as_its_result() {
    for (value, pieces, content) in [
        (r#"{"a":"b"}"#, &[][..], ""),
        (r#"{"a":"b"}"#, &["in ", "words"], r#""content":[{"type":"text","text":"in words"}],"#),
        ("[1]", &[], ""),
        ("null", &["none"], r#""content":[{"type":"text","text":"none"}],"#),
    ] {
        for revision in Revision::ALL {
            let (mut first, mut second) = ([0; 1024], [0; 1024]);
            let (mut out, mut plain) = (SliceSink::new(&mut first), SliceSink::new(&mut second));
            let result = format!(r#"{{{content}"structuredContent":{value}}}"#);
            let (mut session, key) = call("tools/call", r#""name":"t""#, revision);
            assert_eq!(session.reply(&server(), key, &result, &mut out), Ok(true));
            let (mut session, key) = call("tools/call", r#""name":"t""#, revision);
            let (value, text) = (Raw::trusted(value), Text { pieces, ..Text::default() });
            assert_eq!(session.reply_structured(&server(), key, value, &text, &mut plain), Ok(true));
            assert_eq!(plain.written(), out.written(), "{value:?} {}", revision.name());
        }
    }
    let (mut session, key) = call("completion/complete", COMPLETE, Revision::NEWEST);
    let mut memory = [0; 1024];
    let mut out = SliceSink::new(&mut memory);
    let said = session.reply_structured(&server(), key, Raw::trusted("1"), &Text::default(), &mut out);
    assert!(matches!(said, Err(LocalError::BadResult(_))), "{said:?}");
    assert_eq!(session.in_flight(), 1);
}

#[test]
fn a_tool_that_failed_says_so_as_a_failure_does() {
    for revision in Revision::ALL {
        let (mut first, mut second) = ([0; 1024], [0; 1024]);
        let (mut out, mut plain) = (SliceSink::new(&mut first), SliceSink::new(&mut second));
        let why = "no \"sensor\"";
        let (mut session, key) = call("tools/call", r#""name":"t""#, revision);
        assert_eq!(session.fail(&server(), key, &Failure::Tool(why), &mut out), Ok(true));
        let (mut session, key) = call("tools/call", r#""name":"t""#, revision);
        let text = Text { pieces: &["no ", "\"sensor\""], failed: true, ..Text::default() };
        assert_eq!(session.reply_text(&server(), key, &text, &mut plain), Ok(true));
        assert_eq!(plain.written(), out.written(), "{}", revision.name());
    }
}

const ACCEPTS: [&[u8]; 2] = [b"application/json, text/event-stream", b"text/event-stream"];

/// An exchange of that revision whose client accepts this, and a call in work.
fn exchanged(
    method: &str,
    params: &str,
    revision: Revision,
    accept: &[u8],
) -> (Exchange, mcpgraft::server::CallKey) {
    let (server, mut exchange, mut memory) = (server(), Exchange::new(1), [0; 2048]);
    let target = params.split('"').nth(3).unwrap();
    let headers: [(&str, &[u8]); 5] = [
        ("Accept", accept),
        ("Content-Type", b"application/json"),
        ("MCP-Protocol-Version", revision.name().as_bytes()),
        ("Mcp-Method", method.as_bytes()),
        ("Mcp-Name", target.as_bytes()),
    ];
    let request = Request { method: "POST", headers: Headers(&headers), peer_is_loopback: None };
    let mut out = SliceSink::new(&mut memory);
    assert_eq!(exchange.gate(&server, &Endpoint::default(), &request, &mut out), Ok(None));
    let body = request_text(method, params, revision);
    let key = match exchange.accept(&server, &request, Attached::Off, body.as_bytes(), &mut out) {
        Ok(HttpStep::Call(call)) => call.key,
        other => panic!("{other:?}"),
    };
    (exchange, key)
}

#[test]
fn over_http_a_text_is_the_same_as_its_result() {
    for (method, params, uri, result) in [
        ("tools/call", r#""name":"t""#, "", format!(r#"{{"content":[{{"type":"text","text":{JOINED}}}]}}"#)),
        (
            "resources/read",
            r#""uri":"dev://r""#,
            "dev://r",
            format!(r#"{{"contents":[{{"uri":"dev://r","text":{JOINED}}}]}}"#),
        ),
    ] {
        for (revision, accept) in Revision::ALL.into_iter().flat_map(|it| ACCEPTS.map(|accept| (it, accept)))
        {
            let (mut first, mut second) = ([0; 2048], [0; 2048]);
            let (mut out, mut plain) = (SliceSink::new(&mut first), SliceSink::new(&mut second));
            let (mut exchange, key) = exchanged(method, params, revision, accept);
            let emit = exchange.reply(&server(), key, &result, &mut out).unwrap();
            let (mut exchange, key) = exchanged(method, params, revision, accept);
            let text = Text { pieces: &PIECES, uri, ..Text::default() };
            // What does not fit changes nothing.
            let none = exchange.reply_text(&server(), key, &text, &mut SliceSink::new(&mut [0; 40]));
            assert_eq!(none, Err(LocalError::OutputFull));
            assert_eq!(exchange.reply_text(&server(), key, &text, &mut plain), Ok(emit));
            assert_eq!(plain.written(), out.written(), "{method} {}", revision.name());
            let again = exchange.reply_text(&server(), key, &text, &mut plain);
            assert_eq!(again, Err(LocalError::UnknownCall));
        }
    }
}

#[test]
fn over_http_structured_content_is_the_same_as_its_result() {
    for (value, pieces, content) in [
        (r#"{"a":"b"}"#, &[][..], ""),
        ("[1]", &["in ", "words"], r#""content":[{"type":"text","text":"in words"}],"#),
    ] {
        for (revision, accept) in Revision::ALL.into_iter().flat_map(|it| ACCEPTS.map(|accept| (it, accept)))
        {
            let (mut first, mut second) = ([0; 1024], [0; 1024]);
            let (mut out, mut plain) = (SliceSink::new(&mut first), SliceSink::new(&mut second));
            let result = format!(r#"{{{content}"structuredContent":{value}}}"#);
            let (mut exchange, key) = exchanged("tools/call", r#""name":"t""#, revision, accept);
            let emit = exchange.reply(&server(), key, &result, &mut out).unwrap();
            let (mut exchange, key) = exchanged("tools/call", r#""name":"t""#, revision, accept);
            let (value, text) = (Raw::trusted(value), Text { pieces, ..Text::default() });
            assert_eq!(exchange.reply_structured(&server(), key, value, &text, &mut plain), Ok(emit));
            assert_eq!(plain.written(), out.written(), "{value:?} {}", revision.name());
        }
    }
    let (mut exchange, key) = exchanged("prompts/get", r#""name":"p""#, Revision::NEWEST, b"*/*");
    let mut memory = [0; 1024];
    let mut out = SliceSink::new(&mut memory);
    let said = exchange.reply_structured(&server(), key, Raw::trusted("1"), &Text::default(), &mut out);
    assert!(matches!(said, Err(LocalError::BadResult(_))), "{said:?}");
    assert!(!exchange.is_cancelled(key));
}
