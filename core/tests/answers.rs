//! What hosts answer, and what becomes of it: members that are null, results that cannot be sent, keys used twice.
#![cfg(feature = "std")]
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/served.rs"]
mod served;

use mcpgraft::json::Raw;
use mcpgraft::server::{Batch, Step};
use mcpgraft::{LocalError, Session};
use served::{META, served};

const INFO: &str = r#""_meta":{"io.modelcontextprotocol/serverInfo":{"name":"s","version":"1","title":"S"}}"#;

/// Answers a stateless request with this result.
fn answered(method: &str, params: &str, result: &str) -> Result<String, LocalError> {
    let mut session = Session::<4, 4>::new(1);
    let mut out = Vec::new();
    let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}{META}}}}}"#);
    let Step::Call(call) = session.accept(&served(), message.as_bytes(), &mut out).unwrap() else {
        panic!("a call")
    };
    session.reply(&served(), call.key, result, &mut out)?;
    let text = String::from_utf8(out).unwrap();
    let inner = text.strip_prefix(r#"{"jsonrpc":"2.0","id":1,"result":"#).unwrap();
    Ok(inner.strip_suffix('}').unwrap().replace(INFO, "INFO"))
}

#[test]
fn null_is_left_out_where_the_protocol_has_none() {
    let tool = |result| answered("tools/call", r#""name":"add","#, result).unwrap();
    assert_eq!(
        tool(r#"{"resultType":null,"content":[],"isError":null,"_meta":null,"structuredContent":null}"#),
        r#"{"resultType":"complete","content":[{"type":"text","text":"null"}],"structuredContent":null,INFO}"#
    );
    assert_eq!(
        answered(
            "resources/read",
            r#""uri":"test://a","#,
            r#"{"contents":[],"ttlMs":null,"cacheScope":"public"}"#
        ),
        Ok(r#"{"resultType":"complete","contents":[],"cacheScope":"public","ttlMs":7,INFO}"#.to_owned())
    );
    // What a method of the host's own answers is its own.
    assert_eq!(
        answered("acme/own", "", r#"{"a":null,"ttlMs":null}"#),
        Ok(r#"{"resultType":"complete","a":null,"ttlMs":null,INFO}"#.to_owned())
    );
}

#[test]
fn what_cannot_be_sent_is_said_to_the_host() {
    let tool = |result| answered("tools/call", r#""name":"add","#, result);
    for (result, why) in [
        ("[]", "it must be a JSON object"),
        (r#"{"resultType":1}"#, "\"resultType\" must be a string"),
        (r#"{"resultType":"late"}"#, "\"resultType\" must be \"complete\" or \"input_required\""),
        (r#"{"resultType":"task"}"#, "only a tool call of a client that takes tasks is answered by one"),
        (
            r#"{"resultType":"input_required"}"#,
            "\"input_required\" needs \"inputRequests\" or \"requestState\"",
        ),
        (r#"{"content":{}}"#, "\"content\" must be an array of content blocks"),
    ] {
        assert_eq!(tool(result), Err(LocalError::BadResult(why)));
    }
    assert!(matches!(tool("{"), Err(LocalError::BadJson(_))));
    let read = answered("resources/read", r#""uri":"test://a","#, "{}");
    assert_eq!(read, Err(LocalError::BadResult("\"contents\" must be an array")));
}

#[test]
fn a_batch_that_is_over_stays_over() {
    let mut session = Session::<4, 4>::new(1);
    let mut out = Vec::new();
    let open = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    session.accept(&served(), open, &mut out).unwrap();
    out.clear();
    let message = br#"[{"jsonrpc":"2.0","id":2,"method":"ping"}]"#;
    let mut batch = match session.accept(&served(), message, &mut out).unwrap() {
        Step::Batch(batch) => batch,
        _ => Batch::default(),
    };
    while session.next(&served(), &mut batch, message, &mut out).unwrap().is_some() {}
    assert!(session.next(&served(), &mut batch, message, &mut out).unwrap().is_none());
    assert_eq!(out, br#"[{"jsonrpc":"2.0","id":2,"result":{}}]"#);
}

#[test]
fn notifications_of_the_host_have_objects_as_parameters() {
    let mut session = Session::<4, 4>::new(1);
    let params = Some(Raw::trusted("[1]"));
    let sent = session.notify("acme/hello", params, &mut Vec::new());
    assert_eq!(sent, Err(LocalError::NotAllowed("params must be an object")));
}
