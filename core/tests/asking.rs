//! Questions to the client, on a channel and over HTTP: exactly what is written, and to whom nothing is.
#![cfg(feature = "std")]
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::panic)]

#[path = "common/served.rs"]
mod served;

use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Handshake, Headers, HttpStep, Request, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::server::{Ask, CallKey, Notice, Step};
use mcpgraft::{LocalError, Session};
use served::served;

const FORM: Ask<'static> = Ask::Form {
    message: "Who?",
    schema: Raw::trusted(r#"{"type":"object","properties":{"name":{"type":"string","default":"Ada"}}}"#),
};
const URL: Ask<'static> = Ask::Url { message: "Go", url: "https://example.org/", id: "e1" };
const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","arguments":{}}}"#;

fn initialize(revision: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{revision}","capabilities":{{"elicitation":{{"form":{{}},"url":{{}}}}}},"clientInfo":{{"name":"c","version":"1"}}}}}}"#
    )
}

fn text(out: &mut Vec<u8>) -> String {
    String::from_utf8(core::mem::take(out)).unwrap()
}

/// The message of one event.
fn event(out: &mut Vec<u8>) -> String {
    let text = text(out);
    let (_, data) = text.split_once("data: ").unwrap();
    data.strip_suffix("\n\n").unwrap().to_owned()
}

/// A session with a call in work.
fn session(revision: &str) -> (Session<4, 4>, CallKey) {
    let (server, mut session, mut out) = (served(), Session::new(1), Vec::new());
    session.accept(&server, initialize(revision).as_bytes(), &mut out).unwrap();
    let ready = br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    session.accept(&server, ready, &mut out).unwrap();
    let Step::Call(call) = session.accept(&server, CALL.as_bytes(), &mut out).unwrap() else { panic!() };
    (session, call.key)
}

#[test]
fn a_channel_asks_and_is_answered() {
    let (server, mut out) = (served(), Vec::new());
    let (mut session, key) = session("2025-11-25");
    let first = session.ask(key, &FORM, &mut out).unwrap();
    assert_eq!(
        text(&mut out),
        r#"{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string","default":"Ada"}}}}}"#
    );
    session.ask(key, &URL, &mut out).unwrap();
    assert_eq!(
        text(&mut out),
        r#"{"jsonrpc":"2.0","id":2,"method":"elicitation/create","params":{"mode":"url","message":"Go","url":"https://example.org/","elicitationId":"e1"}}"#
    );
    let answer = br#"{"jsonrpc":"2.0","id":1,"result":{"action":"decline"}}"#;
    let Step::Notice(Notice::Answer { key: of, ask, outcome, left }) =
        session.accept(&server, answer, &mut out).unwrap()
    else {
        panic!()
    };
    assert_eq!((of, ask, left), (key, first, 1));
    assert!(FORM.accepts(outcome.unwrap()));
    // A second answer, and one to nothing, are nobody's.
    for id in [1, 9] {
        let late = format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#);
        let step = session.accept(&server, late.as_bytes(), &mut out).unwrap();
        assert!(matches!(step, Step::Notice(Notice::Response { .. })), "{step:?}");
    }
    // The call is taken back, and its open question with it.
    let cancel = br#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    session.accept(&server, cancel, &mut out).unwrap();
    assert_eq!(
        text(&mut out),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}}"#
    );
    assert!(matches!(session.ask(key, &FORM, &mut out), Err(LocalError::NotAllowed(_))));
}

#[test]
fn an_older_channel_gets_what_it_knows() {
    let mut out = Vec::new();
    let (mut session, key) = session("2025-06-18");
    let ask = session.ask(key, &FORM, &mut out).unwrap();
    assert!(!text(&mut out).contains("default"), "2025-06-18 has no defaults of strings");
    assert!(session.can_ask(key, &Ask::Roots).unwrap().is_err());
    assert!(session.give_up(ask, &mut out).unwrap());
    assert_eq!(
        text(&mut out),
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#
    );
    assert!(!session.give_up(ask, &mut out).unwrap(), "once is enough");
}

/// What `act` does with a call over HTTP, in a session or without one.
fn over_http<R>(revision: &str, in_session: bool, act: impl FnOnce(&mut Exchange, CallKey) -> R) -> R {
    let (server, mut out) = (served(), Vec::new());
    let sessions = if in_session { Sessions::Kept } else { Sessions::Off };
    let endpoint = Endpoint { streams: true, sessions, ..Endpoint::default() };
    let headers: [(&str, &[u8]); 5] = [
        ("Host", b"localhost"),
        ("Content-Type", b"application/json"),
        ("Accept", b"application/json, text/event-stream"),
        ("MCP-Protocol-Version", revision.as_bytes()),
        ("Mcp-Session-Id", b"s1"),
    ];
    let request =
        |headers| Request { method: "POST", headers: Headers(headers), peer_is_loopback: Some(true) };
    let mut opening = Exchange::new(1);
    assert!(opening.gate(&server, &endpoint, &request(&headers[..3]), &mut out).unwrap().is_none());
    let missing = if in_session { Attached::Missing } else { Attached::Off };
    let hello = initialize(revision);
    let opened =
        opening.accept(&server, &request(&headers[..3]), missing, hello.as_bytes(), &mut out).unwrap();
    let mut handshake: Option<Handshake> = match opened {
        HttpStep::Opened { handshake, .. } if in_session => Some(handshake),
        _ => None,
    };
    assert_eq!(handshake.is_some(), in_session);
    let headers = if in_session { &headers[..] } else { &headers[..4] };
    let mut exchange = Exchange::new(2);
    assert!(exchange.gate(&server, &endpoint, &request(headers), &mut out).unwrap().is_none());
    let attached = handshake.as_mut().map_or(Attached::Off, Attached::Known);
    let step = exchange.accept(&server, &request(headers), attached, CALL.as_bytes(), &mut out).unwrap();
    let HttpStep::Call(call) = step else { panic!("{step:?}") };
    act(&mut exchange, call.key)
}

#[test]
fn over_http_it_asks_on_the_stream_of_the_call() {
    over_http("2025-11-25", true, |exchange, key| {
        let mut out = Vec::new();
        assert_eq!(exchange.give_up(key, "q1", &mut out), Ok(Emit::Nothing), "nothing was asked");
        let emit = exchange.ask(key, "q1", &FORM, &mut out).unwrap();
        assert!(matches!(emit, Emit::Events { start: Some(_), end: false }));
        assert!(event(&mut out).starts_with(r#"{"jsonrpc":"2.0","id":"q1","method":"elicitation/create""#));
        let emit = exchange.give_up(key, "q1", &mut out).unwrap();
        assert_eq!(emit, Emit::Events { start: None, end: false });
        assert_eq!(
            event(&mut out),
            r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"q1"}}"#
        );
        exchange.elicitation_complete(key, "e1", &mut out).unwrap();
        assert_eq!(
            event(&mut out),
            r#"{"jsonrpc":"2.0","method":"notifications/elicitation/complete","params":{"elicitationId":"e1"}}"#
        );
        let long = "q".repeat(95);
        assert!(matches!(exchange.ask(key, &long, &FORM, &mut out), Err(LocalError::NotAllowed(_))));
        assert!(matches!(exchange.give_up(key, &long, &mut out), Err(LocalError::NotAllowed(_))));
        assert!(out.is_empty());
    });
}

#[test]
fn an_older_client_hears_nothing_of_the_end_of_an_elicitation() {
    over_http("2025-06-18", true, |exchange, key| {
        let mut out = Vec::new();
        assert_eq!(exchange.elicitation_complete(key, "e1", &mut out), Ok(Emit::Nothing));
        assert!(out.is_empty());
    });
}

#[test]
fn without_a_session_there_is_no_way_to_ask() {
    over_http("2025-11-25", false, |exchange, key| {
        let mut out = Vec::new();
        assert!(matches!(exchange.ask(key, "q1", &FORM, &mut out), Err(LocalError::NotAllowed(_))));
        assert!(out.is_empty());
    });
}

#[test]
fn who_is_gone_gets_nothing() {
    let (server, mut out) = (served(), Vec::new());
    let (mut session, key) = session("2025-11-25");
    session.abandon();
    assert!(session.is_cancelled(key));
    session.reply(&server, key, r#"{"content":[]}"#, &mut out).unwrap();
    assert_eq!(text(&mut out), "");
    assert_eq!(session.in_flight(), 0);
}

#[test]
fn the_end_of_a_session_takes_its_call_back() {
    over_http("2025-11-25", true, |exchange, key| {
        let (server, mut out) = (served(), Vec::new());
        exchange.abandon();
        assert!(exchange.is_cancelled(key));
        let emit = exchange.reply(&server, key, r#"{"content":[]}"#, &mut out).unwrap();
        assert_eq!(emit, Emit::Nothing);
        assert_eq!(text(&mut out), "");
    });
}
