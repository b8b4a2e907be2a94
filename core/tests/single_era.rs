//! Servers of one era: one of the handshake era alone must not look like one of the stateless era to a client that tries it
//! first, and one of the stateless era alone has no streams and no sessions.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::panic)]

use mcpgraft::catalog::Fixed;
use mcpgraft::http::{Attached, Endpoint, Exchange, Headers, HttpStep, Request, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::server::{Offer, Profile};
use mcpgraft::{Limits, Revision, RevisionSet, Server, Session};

const LIST: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}"#;

fn server() -> Server<'static, Fixed<'static>> {
    serving(Revision::V2025_06_18)
}

fn serving(revision: Revision) -> Server<'static, Fixed<'static>> {
    let profile = Profile {
        revisions: RevisionSet::NONE.with(revision),
        tools: Offer::Catalog,
        ..Profile::new(Raw::trusted(r#"{"name":"s","version":"1"}"#))
    };
    Server { profile, limits: Limits::DEFAULT, catalog: Fixed::default() }
}

#[test]
fn over_http() {
    let headers: [(&str, &[u8]); 2] =
        [("Content-Type", b"application/json"), ("MCP-Protocol-Version", b"2026-07-28")];
    let request = Request { method: "POST", headers: Headers(&headers), peer_is_loopback: None };
    let mut exchange = Exchange::new(1);
    let mut out = Vec::new();
    assert!(exchange.gate(&server(), &Endpoint::default(), &request, &mut out).unwrap().is_none());
    let step = exchange.accept(&server(), &request, Attached::Off, LIST, &mut out).unwrap();
    let HttpStep::Reply { head, .. } = step else { panic!("{step:?}") };
    assert_eq!(head.status, 400);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"protocol version \"2026-07-28\" is not supported","data":{"supported":["2025-06-18"],"requested":"2026-07-28"}}}"#
    );
}

#[test]
fn on_a_channel() {
    let mut out = Vec::new();
    Session::<4, 4>::new(1).accept(&server(), LIST, &mut out).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"the session is not initialized: send initialize first, or say the version in _meta"}}"#
    );
}

// proves: S-132
#[test]
fn without_the_handshake_era_there_is_nothing_to_get_or_delete() {
    let server = serving(Revision::V2026_07_28);
    for method in ["GET", "DELETE"] {
        // Not even where the host would keep sessions and streams.
        let endpoint =
            Endpoint { sessions: Sessions::Kept, streams: true, listens: true, ..Endpoint::default() };
        let headers: [(&str, &[u8]); 2] = [("Accept", b"text/event-stream"), ("Mcp-Session-Id", b"s")];
        let request = Request { method, headers: Headers(&headers), peer_is_loopback: None };
        let mut out = Vec::new();
        let head = Exchange::new(1).gate(&server, &endpoint, &request, &mut out).unwrap().unwrap();
        assert_eq!((head.status, head.headers().next()), (405, Some(("Allow", "POST"))), "{method}");
    }
}
