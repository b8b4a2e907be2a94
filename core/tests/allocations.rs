//! A call costs no memory: accepting a message and answering it into an output that has grown before allocates nothing.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::panic)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::http::events::StreamName;
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Headers, HttpStep, Request, Sessions};
use mcpgraft::json::Raw;
use mcpgraft::model::Level;
use mcpgraft::server::{Log, Offer, Profile, Progress, Step};
use mcpgraft::{Limits, Server, Session};

/// Counts what this thread allocates.
struct Counting;

thread_local! {
    static COUNT: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }
    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` allocates.
fn allocations(work: impl FnOnce()) -> usize {
    let before = COUNT.get();
    work();
    COUNT.get() - before
}

fn catalog() -> Owned {
    let mut catalog = Owned::new();
    for name in ["add", "search"] {
        let tool = format!(r#"{{"name":"{name}","inputSchema":{{"type":"object"}}}}"#);
        catalog.put(Kind::Tool, &tool).unwrap();
    }
    catalog.put(Kind::Template, r#"{"uriTemplate":"data://{rows}","name":"data"}"#).unwrap();
    catalog
}

fn server(catalog: &Owned) -> Server<'_, &Owned> {
    let profile = Profile {
        tools: Offer::Catalog,
        resources: Offer::Catalog,
        logging: true,
        ..Profile::new(Raw::trusted(r#"{"name":"s","version":"1"}"#))
    };
    Server { profile, limits: Limits::DEFAULT, catalog }
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info","progressToken":"a token"}"#;
const RESULT: &str = r#"{"content":[{"type":"text","text":"3"}],"structuredContent":{"sum":3}}"#;

fn messages() -> [Vec<u8>; 4] {
    let handshake = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add","arguments":{"a":1,"b":2},"_meta":{"progressToken":2}}}"#;
    [
        handshake.into(),
        format!(r#"{{"jsonrpc":"2.0","id":"an id","method":"tools/call","params":{{"name":"search","arguments":{{"q":"\u0061"}},{META}}}}}"#).into(),
        format!(r#"{{"jsonrpc":"2.0","id":3,"method":"resources/read","params":{{"uri":"data://25",{META}}}}}"#).into(),
        format!(r#"{{"jsonrpc":"2.0","id":4,"method":"tools/list","params":{{{META}}}}}"#).into(),
    ]
}

#[test]
fn a_session_allocates_nothing() {
    let catalog = catalog();
    let server = server(&catalog);
    let mut session = Session::<16, 16>::new(1);
    let mut out = Vec::with_capacity(4096);
    let initialize = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    session.accept(&server, initialize, &mut out).unwrap();
    let messages = messages();
    let mut calls = 0;
    let count = allocations(|| {
        for message in &messages {
            out.clear();
            let Step::Call(call) = session.accept(&server, message, &mut out).unwrap() else { continue };
            calls += 1;
            let progress = Progress { progress: 0.5, total: Some(1.0), message: Some("half") };
            session.progress(call.key, &progress, &mut out).unwrap();
            let log = Log { level: Level::Error, logger: None, data: Raw::trusted("{}") };
            session.log(&server, Some(call.key), &log, &mut out).unwrap();
            let result = if calls == 3 { r#"{"contents":[]}"# } else { RESULT };
            assert!(session.reply(&server, call.key, result, &mut out).unwrap());
        }
    });
    assert_eq!((calls, count), (3, 0));
    assert!(allocations(|| drop(vec![1_u8])) > 0, "the counter counts");
}

#[test]
fn an_exchange_allocates_nothing() {
    let catalog = catalog();
    let server = server(&catalog);
    let endpoint = Endpoint { streams: true, ..Endpoint::default() };
    let headers: [(&str, &[u8]); 6] = [
        ("Host", b"localhost:3000"),
        ("Content-Type", b"application/json"),
        ("Accept", b"application/json, text/event-stream"),
        ("MCP-Protocol-Version", b"2026-07-28"),
        ("Mcp-Method", b"tools/call"),
        ("Mcp-Name", b"search"),
    ];
    let request = Request { method: "POST", headers: Headers(&headers), peer_is_loopback: Some(true) };
    let [_, body, ..] = messages();
    let mut out = Vec::with_capacity(4096);
    let count = allocations(|| {
        let mut exchange = Exchange::new(1);
        assert!(exchange.gate(&server, &endpoint, &request, &mut out).unwrap().is_none());
        let HttpStep::Call(call) =
            exchange.accept(&server, &request, Attached::Off, &body, &mut out).unwrap()
        else {
            panic!("a call")
        };
        let progress = Progress { progress: 0.5, total: None, message: None };
        exchange.progress(call.key, &progress, &mut out).unwrap();
        let emit = exchange.reply(&server, call.key, RESULT, &mut out).unwrap();
        assert_eq!(emit, Emit::Events { start: None, end: true });
    });
    assert_eq!(count, 0);
}

#[test]
fn numbered_events_allocate_nothing() {
    let catalog = catalog();
    let server = server(&catalog);
    let endpoint = Endpoint { streams: true, sessions: Sessions::Kept, ..Endpoint::default() };
    let headers: [(&str, &[u8]); 3] = [
        ("Host", b"localhost:3000"),
        ("Content-Type", b"application/json"),
        ("Accept", b"application/json, text/event-stream"),
    ];
    let request = Request { method: "POST", headers: Headers(&headers), peer_is_loopback: Some(true) };
    let hello = br#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#;
    let [body, ..] = messages();
    let mut out = Vec::with_capacity(4096);
    let count = allocations(|| {
        let mut opening = Exchange::new(1);
        assert!(opening.gate(&server, &endpoint, &request, &mut out).unwrap().is_none());
        let step = opening.accept(&server, &request, Attached::Missing, hello, &mut out).unwrap();
        let HttpStep::Opened { mut handshake, .. } = step else { panic!("a session") };
        let mut exchange = Exchange::new(1).with_events(StreamName::new("s").unwrap());
        assert!(exchange.gate(&server, &endpoint, &request, &mut out).unwrap().is_none());
        let attached = Attached::Known(&mut handshake);
        let HttpStep::Call(call) = exchange.accept(&server, &request, attached, &body, &mut out).unwrap()
        else {
            panic!("a call")
        };
        let progress = Progress { progress: 0.5, total: None, message: None };
        exchange.progress(call.key, &progress, &mut out).unwrap();
        let closed = exchange.close_stream(call.key, 10, &mut out).unwrap();
        assert_eq!(closed, Emit::Events { start: None, end: true });
        exchange.reply(&server, call.key, RESULT, &mut out).unwrap();
        assert_eq!(exchange.event().map(|event| event.number), Some(2));
    });
    assert_eq!(count, 0);
}
