//! Bad input and its exact answers, on a session: what cannot be read, is no message, or asks for what is not there.
//! Each row is a message and its answer as `id code message`, with `data` where there is some. No row ends the session.
#![cfg(feature = "std")]
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/served.rs"]
mod served;

use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::json::{Raw, check};
use mcpgraft::server::Step;
use mcpgraft::{Limits, Server, Session};
use served::{Borrowed, served};

/// What went out, in short.
fn shown(out: &[u8]) -> String {
    if out.is_empty() {
        return "(nothing)".to_owned();
    }
    let one = |answer: Raw<'_>| {
        let id = answer.get("id").map_or("-", Raw::text);
        let Some(error) = answer.get("error") else { return format!("{id} result") };
        let text = |key| error.get(key).map_or("", Raw::text);
        let message = error.get("message").and_then(Raw::str).unwrap();
        format!("{id} {} {message} {}", text("code"), text("data")).trim_end().to_owned()
    };
    let answer = check(out, 64).expect("JSON");
    if answer.is_array() {
        return answer.elements().map(one).collect::<Vec<_>>().join("; ");
    }
    one(answer)
}

/// A server with the default limits.
fn server() -> Server<'static, Borrowed> {
    Server { limits: Limits { batch: 4, ..Limits::DEFAULT }, ..served() }
}

fn opened(revision: &str) -> Session {
    let mut session = Session::new(1);
    if !revision.is_empty() {
        let message = format!(
            r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
        );
        session.accept(&server(), message.as_bytes(), &mut Vec::new()).unwrap();
        session
            .accept(&server(), br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, &mut Vec::new())
            .unwrap();
    }
    session
}

/// Sends one message and gives what came out.
fn sent(session: &mut Session, message: &[u8]) -> String {
    let mut out = Vec::new();
    match session.accept(&server(), message, &mut out).expect("room") {
        Step::Batch(mut batch) => {
            while let Some(step) = session.next(&server(), &mut batch, message, &mut out).expect("room") {
                assert!(!matches!(step, Step::Call(_)), "no call comes of bad input");
            }
        }
        Step::Call(call) => panic!("no call comes of bad input: {call:?}"),
        _ => {}
    }
    shown(&out)
}

/// Sends every message of a table to one session of that revision (none: before the handshake).
fn answers(revision: &str, table: &[(&[u8], &str)]) {
    let mut session = opened(revision);
    let before = format!("{session:?}");
    let mut wrong = Vec::new();
    for (message, answer) in table {
        let got = sent(&mut session, message);
        if got != *answer {
            wrong.push(format!("{}\n  wanted {answer}\n  got    {got}", String::from_utf8_lossy(message)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(format!("{session:?}"), before, "bad input changes nothing");
}

/// What is not JSON, or not UTF-8.
const NOT_JSON: &[(&[u8], &str)] = &[
    (br#""#, "- -32700 invalid JSON at byte 0: the text ends too early"),
    (br#"   "#, "- -32700 invalid JSON at byte 3: the text ends too early"),
    (b"\xEF", "- -32700 invalid JSON at byte 0: not UTF-8"),
    (
        b"\xEF\xBB\xBF{}",
        "- -32700 invalid JSON at byte 0: a byte order mark is not part of JSON; send the value without it",
    ),
    (
        b"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"pi\xFFng\"}",
        "- -32700 invalid JSON at byte 36: not UTF-8",
    ),
    (b"{\"a\":\"\xED\xA0\x80\"}", "- -32700 invalid JSON at byte 6: not UTF-8"),
    (b"{\"a\":\"\xC0\x80\"}", "- -32700 invalid JSON at byte 6: not UTF-8"),
    (br#"{"#, "- -32700 invalid JSON at byte 1: the text ends too early"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"pi"#, "- -32700 invalid JSON at byte 36: the text ends too early"),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping""#,
        "- -32700 invalid JSON at byte 39: the text ends too early",
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#,
        "- -32700 invalid JSON at byte 41: more text after the value",
    ),
    (br#"{"a":1,}"#, "- -32700 invalid JSON at byte 7: expected a member name in double quotes"),
    (br#"{'a':1}"#, "- -32700 invalid JSON at byte 1: expected a member name in double quotes"),
    (br#"{"a":01}"#, "- -32700 invalid JSON at byte 6: malformed number"),
    (br#"{"a":NaN}"#, "- -32700 invalid JSON at byte 5: expected a value"),
    (br#"{"a":.5}"#, "- -32700 invalid JSON at byte 5: expected a value"),
    (br#"{"a":1e}"#, "- -32700 invalid JSON at byte 7: malformed number"),
    (br#"{"a":+1}"#, "- -32700 invalid JSON at byte 5: expected a value"),
    (br#"{"a":tru}"#, "- -32700 invalid JSON at byte 8: expected true, false or null"),
    (br#"{"a":TRUE}"#, "- -32700 invalid JSON at byte 5: expected a value"),
    (br#"{/**/}"#, "- -32700 invalid JSON at byte 1: expected a member name in double quotes"),
    (b"{\"a\":\"\x01\"}", "- -32700 invalid JSON at byte 6: a control character in a string must be escaped"),
    (b"{\"a\":\"\x00\"}", "- -32700 invalid JSON at byte 6: a control character in a string must be escaped"),
    (br#"{"a":"\x"}"#, "- -32700 invalid JSON at byte 7: unknown escape in a string"),
    (br#"{"a":"\ud800"}"#, r#"- -32700 invalid JSON at byte 6: half a surrogate pair in a \u escape"#),
    (br#"{"a":"\u12"}"#, "- -32700 invalid JSON at byte 10: unknown escape in a string"),
    (br#"[1 2]"#, "- -32700 invalid JSON at byte 3: expected ',' or ']'"),
    (br#"{"a" 1}"#, "- -32700 invalid JSON at byte 5: expected ':' after the member name"),
    (br#"{"a":1 "b"}"#, "- -32700 invalid JSON at byte 7: expected ',' or '}'"),
    (b"\x00", "- -32700 invalid JSON at byte 0: expected a value"),
];

/// JSON, but no message.
const NO_MESSAGE: &[(&[u8], &str)] = &[
    (br#"null"#, "- -32600 a message must be a JSON object"),
    (br#"true"#, "- -32600 a message must be a JSON object"),
    (br#"1"#, "- -32600 a message must be a JSON object"),
    (br#""x""#, "- -32600 a message must be a JSON object"),
    (br#"{}"#, r#"- -32600 the member "jsonrpc" must be "2.0""#),
    (br#"{"a":1}"#, r#"- -32600 the member "jsonrpc" must be "2.0""#),
    (br#"{"jsonrpc":"2.0"}"#, r#"- -32600 a message needs "method", "result" or "error""#),
    (br#"{"jsonrpc":"2.0","id":1}"#, r#"1 -32600 a message needs "method", "result" or "error""#),
    (br#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, r#"1 -32600 the member "jsonrpc" must be "2.0""#),
    (br#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#, r#"1 -32600 the member "jsonrpc" must be "2.0""#),
    (br#"{"jsonrpc":null,"id":1,"method":"ping"}"#, r#"1 -32600 the member "jsonrpc" must be "2.0""#),
    (br#"{"id":1,"method":"ping"}"#, r#"1 -32600 the member "jsonrpc" must be "2.0""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":1}"#, r#"1 -32600 the member "method" must be a string"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":null}"#, r#"1 -32600 the member "method" must be a string"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":["ping"]}"#, r#"1 -32600 the member "method" must be a string"#),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}"#,
        r#"1 -32600 the member "params" must be an object"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":1}"#,
        r#"1 -32600 the member "params" must be an object"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":true}"#,
        r#"1 -32600 the member "params" must be an object"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
        r#"1 -32600 a message with "method" must have neither "result" nor "error""#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"ping","error":null}"#,
        r#"1 -32600 a message with "method" must have neither "result" nor "error""#,
    ),
    (br#"{"jsonrpc":"2.0","method":1}"#, r#"- -32600 the member "method" must be a string"#),
    (br#"{"jsonrpc":"2.0","method":"x","params":"y"}"#, r#"- -32600 the member "params" must be an object"#),
    (br#"[]"#, "- -32600 batches are received in sessions of revision 2025-03-26 only"),
    (br#"[1]"#, "- -32600 batches are received in sessions of revision 2025-03-26 only"),
    (
        br#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
        "- -32600 batches are received in sessions of revision 2025-03-26 only",
    ),
];

/// Keys that stand twice: other readers would see another message.
const TWICE: &[(&[u8], &str)] = &[
    (br#"{"jsonrpc":"2.0","jsonrpc":"2.0","id":1,"method":"ping"}"#, r#"- -32600 the member "jsonrpc" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"id":1,"method":"ping"}"#, r#"- -32600 the member "id" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}"#, r#"- -32600 the member "method" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"\u006dethod":"ping","method":"tools/list"}"#, r#"- -32600 the member "method" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{},"params":{}}"#, r#"- -32600 the member "params" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","name":"list"}}"#, r#"1 -32600 the key "name" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{},"arguments":{}}}"#, r#"1 -32600 the key "arguments" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{},"_meta":{}}}"#, r#"1 -32600 the key "_meta" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test://a","uri":"test://b"}}"#, r#"1 -32600 the key "uri" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/protocolVersion":"2025-11-25"}}}"#, r#"1 -32600 the key "io.modelcontextprotocol/protocolVersion" stands twice"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"a","protocolVersion":"b"}}"#, "1 -32600 the session is initialized already"),
];

/// Ids that are none.
const IDS: &[(&[u8], &str)] = &[
    (
        br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":true,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":-0.1,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1e400,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":18446744073709551616,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":-9223372036854775809,"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":[],"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
        r#"- -32600 the member "id" must be a string or an integer"#,
    ),
];

/// Ids that are echoed byte for byte.
const GOOD_IDS: &[(&[u8], &str)] = &[
    (br#"{"jsonrpc":"2.0","id":0,"method":"nope"}"#, r#"0 -32601 method not found: "nope""#),
    (br#"{"jsonrpc":"2.0","id":-1,"method":"nope"}"#, r#"-1 -32601 method not found: "nope""#),
    (br#"{"jsonrpc":"2.0","id":"","method":"nope"}"#, r#""" -32601 method not found: "nope""#),
    (br#"{"jsonrpc":"2.0","id":"1","method":"nope"}"#, r#""1" -32601 method not found: "nope""#),
    (br#"{"jsonrpc":"2.0","id":"\u0061","method":"nope"}"#, r#""\u0061" -32601 method not found: "nope""#),
    (br#"{"jsonrpc":"2.0","id":1.0,"method":"nope"}"#, r#"1.0 -32601 method not found: "nope""#),
    (br#"{"jsonrpc":"2.0","id":1e3,"method":"nope"}"#, r#"1e3 -32601 method not found: "nope""#),
    (
        br#"{"jsonrpc":"2.0","id":9007199254740993,"method":"nope"}"#,
        r#"9007199254740993 -32601 method not found: "nope""#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":18446744073709551615,"method":"nope"}"#,
        r#"18446744073709551615 -32601 method not found: "nope""#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":-9223372036854775808,"method":"nope"}"#,
        r#"-9223372036854775808 -32601 method not found: "nope""#,
    ),
    (br#"{"jsonrpc":"2.0","id":-0,"method":"nope"}"#, r#"-0 -32601 method not found: "nope""#),
];

/// Methods that are none.
const METHODS: &[(&[u8], &str)] = &[
    (br#"{"jsonrpc":"2.0","id":1,"method":"","params":{}}"#, r#"1 -32601 method not found: """#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"PING","params":{}}"#, r#"1 -32601 method not found: "PING""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"ping ","params":{}}"#, r#"1 -32601 method not found: "ping ""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"rpc.x","params":{}}"#, r#"1 -32601 method not found: "rpc.x""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools","params":{}}"#, r#"1 -32601 method not found: "tools""#),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"notifications/initialized","params":{}}"#,
        r#"1 -32601 method not found: "notifications/initialized""#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#,
        r#"1 -32601 method not found: "server/discover""#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"subscriptions/listen","params":{}}"#,
        r#"1 -32601 method not found: "subscriptions/listen""#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":1,"method":"sampling/createMessage","params":{}}"#,
        r#"1 -32601 method not found: "sampling/createMessage""#,
    ),
    (br#"{"jsonrpc":"2.0","id":1,"method":"\u0000","params":{}}"#, r#"1 -32601 method not found: " ""#),
];

/// Parameters of the wrong type, missing, or about nothing that exists.
const PARAMS: &[(&[u8], &str)] = &[
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":[]}"#, "1 -32602 params must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, "1 -32602 params.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}"#, "1 -32602 params.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":null}}"#, "1 -32602 params.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":["add"]}}"#, "1 -32602 params.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":""}}"#, r#"1 -32602 unknown tool: """#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nope"}}"#, r#"1 -32602 unknown tool: "nope""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ADD"}}"#, r#"1 -32602 unknown tool: "ADD""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":[]}}"#, "1 -32602 params.arguments must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":"{}"}}"#, "1 -32602 params.arguments must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":1}}"#, "1 -32602 params.arguments must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":[]}}"#, "1 -32602 params._meta must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":"x"}}"#, "1 -32602 params._meta must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"progressToken":1.5}}}"#, "1 -32602 params._meta.progressToken must be a short string or an integer"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"progressToken":true}}}"#, "1 -32602 params._meta.progressToken must be a short string or an integer"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"progressToken":[]}}}"#, "1 -32602 params._meta.progressToken must be a short string or an integer"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":1}}"#, "1 -32602 params.cursor must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"nope"}}"#, "1 -32602 params.cursor was not issued by this server or is no longer valid; list again from the start"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":""}}"#, "1 -32602 params.cursor was not issued by this server or is no longer valid; list again from the start"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"t00000000zzzzzzzz"}}"#, "1 -32602 params.cursor was not issued by this server or is no longer valid; list again from the start"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":"t+000000000000000"}}"#, "1 -32602 params.cursor was not issued by this server or is no longer valid; list again from the start"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"cursor":[]}}"#, "1 -32602 params.cursor must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{}}"#, "1 -32602 params.uri must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":1}}"#, "1 -32602 params.uri must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"nope://x"}}"#, r#"1 -32002 resource not found: "nope://x" {"uri":"nope://x"}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"test://a/\u0001b"}}"#, r#"1 -32002 resource not found: "test://a/ b" {"uri":"test://a/\u0001b"}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{}}"#, "1 -32602 params.uri must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/unsubscribe","params":{"uri":false}}"#, "1 -32602 params.uri must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{}}"#, "1 -32602 params.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"nope"}}"#, r#"1 -32602 unknown prompt: "nope""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"ask"}}"#, r#"1 -32602 the prompt needs the argument "what""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"ask","arguments":{"what":1}}}"#, "1 -32602 params.arguments must be an object whose values are strings"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"prompts/get","params":{"name":"ask","arguments":[]}}"#, "1 -32602 params.arguments must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{}}"#, r#"1 -32602 params.ref must be an object with "type""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":"ask"}}"#, "1 -32602 params.ref must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/tool","name":"add"}}}"#, r#"1 -32602 params.ref.type must be "ref/prompt" or "ref/resource""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt"}}}"#, "1 -32602 params.ref.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"nope"},"argument":{"name":"a","value":""}}}"#, r#"1 -32602 unknown prompt: "nope""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":1}}}"#, "1 -32602 params.ref.uri must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"ask"}}}"#, r#"1 -32602 params.argument must be an object with "name" and "value""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"ask"},"argument":{"name":1,"value":""}}}"#, "1 -32602 params.argument.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"ask"},"argument":{"name":"a","value":1}}}"#, "1 -32602 params.argument.value must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"ask"},"argument":{"name":"a","value":""},"context":[]}}"#, "1 -32602 params.context must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{}}"#, r#"1 -32602 params.level must be a log level such as "info""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"loud"}}"#, r#"1 -32602 params.level must be a log level such as "info""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":3}}"#, r#"1 -32602 params.level must be a log level such as "info""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"INFO"}}"#, r#"1 -32602 params.level must be a log level such as "info""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#, "1 -32600 the session is initialized already"),
];

/// Envelopes of stateless requests.
const ENVELOPES: &[(&[u8], &str)] = &[
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":null,"io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/protocolVersion"] must be a string naming a revision {"field":"io.modelcontextprotocol/protocolVersion","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":1,"io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/protocolVersion"] must be a string naming a revision {"field":"io.modelcontextprotocol/protocolVersion","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32022 protocol version "" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":""}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28 ","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32022 protocol version "2026-07-28 " is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"2026-07-28 "}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2025-11-25","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32022 protocol version "2025-11-25" is not supported {"supported":["2026-07-28"],"requested":"2025-11-25"}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"9999-01-01","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32022 protocol version "9999-01-01" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"9999-01-01"}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"DRAFT-2026-v1","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32022 protocol version "DRAFT-2026-v1" is not supported {"supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"],"requested":"DRAFT-2026-v1"}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/clientCapabilities"] must be an object {"field":"io.modelcontextprotocol/clientCapabilities","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":null}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/clientCapabilities"] must be an object {"field":"io.modelcontextprotocol/clientCapabilities","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":[]}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/clientCapabilities"] must be an object {"field":"io.modelcontextprotocol/clientCapabilities","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":"c"}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/clientInfo"] must be an object with string "name" and "version" {"field":"io.modelcontextprotocol/clientInfo","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"c"}}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/clientInfo"] must be an object with string "name" and "version" {"field":"io.modelcontextprotocol/clientInfo","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"trace"}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/logLevel"] must be a log level such as "info" {"field":"io.modelcontextprotocol/logLevel","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":1}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/logLevel"] must be a log level such as "info" {"field":"io.modelcontextprotocol/logLevel","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","requestState":1,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, "1 -32602 params.requestState must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","inputResponses":[],"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, "1 -32602 params.inputResponses must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, "1 -32602 params.name must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"nope://x","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32602 resource not found: "nope://x" {"uri":"nope://x"}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32601 method not found: "initialize""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32601 method not found: "ping""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32601 method not found: "logging/setLevel""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32601 method not found: "resources/subscribe""#),
];

/// Before the handshake.
const CLOSED: &[(&[u8], &str)] = &[
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}"#, "1 -32600 the session is not initialized: send initialize first, or say the version in _meta"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}"#, "1 -32600 the session is not initialized: send initialize first, or say the version in _meta"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/protocolVersion"] must be a string naming a revision {"field":"io.modelcontextprotocol/protocolVersion","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}}}"#, r#"1 -32602 params._meta["io.modelcontextprotocol/protocolVersion"] must be a string naming a revision {"field":"io.modelcontextprotocol/protocolVersion","supported":["2026-07-28","2025-11-25","2025-06-18","2025-03-26","2024-11-05"]}"#),
    (br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#, r#"- -32600 the member "id" must be a string or an integer"#),
    (br#"nonsense"#, "- -32700 invalid JSON at byte 1: expected true, false or null"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize"}"#, "1 -32602 params must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":[]}"#, "1 -32602 params must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}"#, "1 -32602 params.protocolVersion must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":1}}"#, "1 -32602 params.protocolVersion must be a string"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#, "1 -32602 params.capabilities must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":[]}}"#, "1 -32602 params.capabilities must be an object"),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{}}}"#, r#"1 -32602 params.clientInfo must be an object with string "name" and "version""#),
    (br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":1,"version":"1"}}}"#, r#"1 -32602 params.clientInfo must be an object with string "name" and "version""#),
];

/// Batches, in a session of `2025-03-26`.
const BATCHES: &[(&[u8], &str)] = &[
    (br#"[]"#, "null -32600 a batch must hold at least one message"),
    (br#"[[]]"#, "null -32600 a message must be a JSON object"),
    (
        br#"[1,"x",null]"#,
        "null -32600 a message must be a JSON object; null -32600 a message must be a JSON object; null -32600 a message must be a JSON object",
    ),
    (
        br#"[{"jsonrpc":"2.0","id":1,"method":"initialize"}]"#,
        "null -32600 initialize must not be part of a batch",
    ),
    (br#"[1,1,1,1,1]"#, "null -32600 the batch holds more than 4 messages"),
    (br#"[{"jsonrpc":"2.0","method":"x"}]"#, "(nothing)"),
    (
        br#"[{"jsonrpc":"2.0","id":1,"method":"nope"},{"jsonrpc":"2.0","id":1.5,"method":"ping"}]"#,
        r#"1 -32601 method not found: "nope"; null -32600 the member "id" must be a string or an integer"#,
    ),
    (
        br#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
        r#"null -32600 the member "id" must be a string or an integer"#,
    ),
];

#[test]
fn bad_input_of_a_session() {
    for table in [NOT_JSON, NO_MESSAGE, TWICE, IDS, GOOD_IDS, METHODS, PARAMS, ENVELOPES] {
        answers("2025-11-25", table);
    }
    answers("", CLOSED);
    answers("2025-03-26", BATCHES);
}

#[test]
fn ids_that_cannot_be_read_are_null_for_older_peers_only() {
    for (revision, answer) in [
        ("", "- -32700 invalid JSON at byte 0: expected a value"),
        ("2024-11-05", "null -32700 invalid JSON at byte 0: expected a value"),
        ("2025-03-26", "null -32700 invalid JSON at byte 0: expected a value"),
        ("2025-06-18", "null -32700 invalid JSON at byte 0: expected a value"),
        ("2025-11-25", "- -32700 invalid JSON at byte 0: expected a value"),
    ] {
        assert_eq!(sent(&mut opened(revision), b"x"), answer, "{revision}");
    }
}

#[test]
fn deep_nesting() {
    let mut session = opened("2025-11-25");
    let deep = |open: &str, close: &str, depth: usize| {
        let nested = [open.repeat(depth).as_str(), "1", close.repeat(depth).as_str()].concat();
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"nope","params":{{"a":{nested}}}}}"#)
    };
    for (open, close, at) in [("[", "]", 180), ("{\"a\":", "}", 684)] {
        let answer = format!("- -32700 invalid JSON at byte {at}: nested too deeply");
        assert_eq!(sent(&mut session, deep(open, close, 10_000).as_bytes()), answer);
        assert_eq!(sent(&mut session, deep(open, close, 127).as_bytes()), answer);
        assert_eq!(
            sent(&mut session, deep(open, close, 126).as_bytes()),
            "1 -32601 method not found: \"nope\""
        );
    }
    assert_eq!(sent(&mut session, &[b'['; 10_000]), "- -32700 invalid JSON at byte 128: nested too deeply");
}

#[test]
fn a_line_of_64_mib() {
    let mut session = opened("2025-06-18");
    let answer = "null -32600 the message is longer than 4194304 bytes";
    let line = vec![b'x'; 64 << 20];
    assert_eq!(sent(&mut session, &line), answer);
    // Framed, it is not even kept; what follows is read as usual.
    let mut lines = LineBuffer::with_limit(server().limits.message_bytes);
    let mut answers = Vec::new();
    let pieces = line.chunks(1 << 16).chain([&b"\n{\"jsonrpc\":\"2.0\",\"id\":9,\"method\":\"ping\"}\n"[..]]);
    for mut piece in pieces {
        while let Some(frame) = lines.next(&mut piece) {
            answers.push(match frame {
                Frame::Line(line) => sent(&mut session, line),
                Frame::TooLong => {
                    let mut out = Vec::new();
                    session.too_long(&server(), &mut out).unwrap();
                    shown(&out)
                }
            });
        }
    }
    assert_eq!(answers, [answer, "9 result"]);
}

#[test]
fn long_ids_and_names() {
    let mut session = opened("2025-11-25");
    let with_id =
        |len: usize| format!(r#"{{"jsonrpc":"2.0","id":"{}","method":"nope"}}"#, "x".repeat(len - 2));
    let id = format!("\"{}\"", "x".repeat(1022));
    let answer = format!("{id} -32601 method not found: \"nope\"");
    assert_eq!(sent(&mut session, with_id(1024).as_bytes()), answer);
    let long = sent(&mut session, with_id(1025).as_bytes());
    assert!(long.ends_with(" -32600 the member \"id\" must not be longer than 1024 bytes"), "{long}");
    // What is shown of a name is cut; control characters in it are not passed on to logs.
    let name = "\\u0007\\\"é".repeat(40);
    let call = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"{name}"}}}}"#);
    let shown = format!("1 -32602 unknown tool: \"{} …\"", " \"é".repeat(21));
    assert_eq!(sent(&mut session, call.as_bytes()), shown);
}
