//! What the benchmarks serve and send: the workload of `tests/bench/README.md`, as the core sees it.
#![allow(dead_code, reason = "each benchmark uses a part of it")]

use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::http::{Attached, Emit, Endpoint, Exchange, Headers, HttpStep, Request};
use mcpgraft::json::Raw;
use mcpgraft::server::{Offer, Profile, Step};
use mcpgraft::{Limits, Server, Session};

const FILLERS: usize = 17;
const INFO: &str = r#"{"name":"bench","version":"1.0.0"}"#;

/// 20 tools with schemas, 10 resources, 2 templates, 3 prompts.
pub fn catalog() -> Owned {
    let mut catalog = Owned::new();
    let mut put = |kind, text: &str| assert!(catalog.put(kind, text).expect("a definition"), "new");
    put(
        Kind::Tool,
        r#"{"name":"add","description":"Add two numbers.","inputSchema":{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"]}}"#,
    );
    put(
        Kind::Tool,
        r#"{"name":"echo","description":"Give a text back.","inputSchema":{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}}"#,
    );
    put(
        Kind::Tool,
        r#"{"name":"search","description":"Search the records by keyword.","inputSchema":{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","default":10}},"required":["query"]},"outputSchema":{"type":"array","items":{"type":"object"}}}"#,
    );
    for number in 1..=FILLERS {
        put(
            Kind::Tool,
            &format!(
                r#"{{"name":"filler_{number:02}","description":"Does nothing much, number {number}.","inputSchema":{{"type":"object","properties":{{"name":{{"type":"string"}},"count":{{"type":"integer","default":1}},"tags":{{"type":"array","items":{{"type":"string"}}}}}},"required":["name"]}}}}"#
            ),
        );
    }
    for number in 0..10 {
        put(
            Kind::Resource,
            &format!(r#"{{"uri":"note://{number}","name":"note {number}","mimeType":"text/plain"}}"#),
        );
    }
    put(Kind::Template, r#"{"uriTemplate":"row://{number}","name":"row"}"#);
    put(Kind::Template, r#"{"uriTemplate":"page://{book}/{number}","name":"page"}"#);
    for name in ["brief", "review", "plan"] {
        put(
            Kind::Prompt,
            &format!(r#"{{"name":"{name}","arguments":[{{"name":"topic","required":true}}]}}"#),
        );
    }
    catalog
}

/// A server of that catalogue.
pub fn server(catalog: &Owned) -> Server<'_, &Owned> {
    let profile = Profile {
        tools: Offer::Catalog,
        resources: Offer::Catalog,
        prompts: Offer::Catalog,
        ..Profile::new(Raw::trusted(INFO))
    };
    Server { profile, limits: Limits::DEFAULT, catalog }
}

/// How a message says which revision it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// `2025-11-25`: an `initialize` came before.
    Handshake,
    /// `2026-07-28`: it says so itself.
    Stateless,
}

impl std::fmt::Display for Speaks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if *self == Speaks::Handshake { "2025-11-25" } else { "2026-07-28" })
    }
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1.0.0"}}"#;
const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"bench","version":"1.0.0"}}}"#;

/// A request of the workload, and what the host answers to it; no answer where the library has its own.
#[derive(Clone, Debug)]
pub struct Exchanged {
    pub label: &'static str,
    pub method: &'static str,
    /// What the header `Mcp-Name` repeats, if anything.
    pub name: Option<&'static str>,
    pub message: Vec<u8>,
    pub result: String,
}

fn exchanged(
    label: &'static str,
    method: &'static str,
    name: Option<&'static str>,
    params: &str,
    result: String,
    speaks: Speaks,
) -> Exchanged {
    let comma = if params.is_empty() { "" } else { "," };
    let params = match speaks {
        Speaks::Handshake => format!("{{{params}}}"),
        Speaks::Stateless => format!("{{{params}{comma}{META}}}"),
    };
    let message = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#).into_bytes();
    Exchanged { label, method, name, message, result }
}

fn echo(label: &'static str, bytes: usize, speaks: Speaks) -> Exchanged {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(bytes / 45 + 1);
    let text = text.get(..bytes).unwrap_or_default();
    exchanged(
        label,
        "tools/call",
        Some("echo"),
        &format!(r#""name":"echo","arguments":{{"text":"{text}"}}"#),
        format!(r#"{{"content":[{{"type":"text","text":"{text}"}}]}}"#),
        speaks,
    )
}

/// Every kind of request that the workload has, by its label.
pub fn request(label: &str, speaks: Speaks) -> Exchanged {
    let records: Vec<String> = (0..10)
        .map(|number| {
            format!(r#"{{"id":"record-{number}","title":"The record number {number}","score":0.{number}}}"#)
        })
        .collect();
    let records = format!("[{}]", records.join(","));
    let quoted = records.replace('"', "\\\"");
    match label {
        "add" => exchanged(
            "add",
            "tools/call",
            Some("add"),
            r#""name":"add","arguments":{"a":1,"b":2}"#,
            r#"{"content":[{"type":"text","text":"3"}]}"#.into(),
            speaks,
        ),
        "search" => exchanged(
            "search",
            "tools/call",
            Some("search"),
            r#""name":"search","arguments":{"query":"record","limit":10}"#,
            format!(r#"{{"content":[{{"type":"text","text":"{quoted}"}}],"structuredContent":{records}}}"#),
            speaks,
        ),
        "echo 64 KiB" => echo("echo 64 KiB", 64 << 10, speaks),
        "echo 1 MiB" => echo("echo 1 MiB", 1 << 20, speaks),
        "tools/list" => exchanged("tools/list", "tools/list", None, "", String::new(), speaks),
        "resources/list" => exchanged("resources/list", "resources/list", None, "", String::new(), speaks),
        "resources/read" => exchanged(
            "resources/read",
            "resources/read",
            Some("note://3"),
            r#""uri":"note://3""#,
            r#"{"contents":[{"uri":"note://3","mimeType":"text/plain","text":"The text of note 3."}]}"#
                .into(),
            speaks,
        ),
        "template" => exchanged(
            "template",
            "resources/read",
            Some("page://emma/12"),
            r#""uri":"page://emma/12""#,
            r#"{"contents":[{"uri":"page://emma/12","mimeType":"text/plain","text":"Page 12."}]}"#.into(),
            speaks,
        ),
        "prompts/get" => exchanged(
            "prompts/get",
            "prompts/get",
            Some("brief"),
            r#""name":"brief","arguments":{"topic":"speed"}"#,
            r#"{"messages":[{"role":"user","content":{"type":"text","text":"Write a brief about speed."}}]}"#
                .into(),
            speaks,
        ),
        other => unreachable!("no request is called {other}"),
    }
}

/// The labels of [`request`].
pub const LABELS: [&str; 9] = [
    "add",
    "search",
    "tools/list",
    "resources/list",
    "resources/read",
    "template",
    "prompts/get",
    "echo 64 KiB",
    "echo 1 MiB",
];

/// A session that has shaken hands.
pub fn session(server: &Server<'_, &Owned>) -> Session {
    let mut session = Session::new(1);
    let mut out = Vec::new();
    session.accept(server, INITIALIZE.as_bytes(), &mut out).expect("room");
    session
        .accept(server, br#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#, &mut out)
        .expect("room");
    session
}

/// One request on a duplex channel, and its answer in `out`.
pub fn duplex(session: &mut Session, server: &Server<'_, &Owned>, exchanged: &Exchanged, out: &mut Vec<u8>) {
    out.clear();
    if let Step::Call(call) = session.accept(server, &exchanged.message, out).expect("room") {
        assert!(session.reply(server, call.key, &exchanged.result, out).expect("a result"));
    }
}

/// One request over HTTP, and the body of its response in `out`.
pub fn http(server: &Server<'_, &Owned>, exchanged: &Exchanged, speaks: Speaks, out: &mut Vec<u8>) {
    out.clear();
    let version: &[u8] = if speaks == Speaks::Handshake { b"2025-11-25" } else { b"2026-07-28" };
    let headers: [(&str, &[u8]); 8] = [
        ("Host", b"127.0.0.1:3000"),
        ("Accept", b"application/json, text/event-stream"),
        ("Content-Type", b"application/json"),
        ("User-Agent", b"bench/1.0"),
        ("MCP-Protocol-Version", version),
        ("Connection", b"keep-alive"),
        ("Mcp-Method", exchanged.method.as_bytes()),
        ("Mcp-Name", exchanged.name.unwrap_or_default().as_bytes()),
    ];
    // Older clients send neither, and lists have no name.
    let count = if speaks == Speaks::Handshake { 6 } else { 7 + usize::from(exchanged.name.is_some()) };
    let headers = headers.get(..count).unwrap_or_default();
    let request = Request { method: "POST", headers: Headers(headers), peer_is_loopback: Some(true) };
    let mut exchange = Exchange::new(1);
    let refusal = exchange.gate(server, &Endpoint::default(), &request, out).expect("room");
    assert!(refusal.is_none());
    match exchange.accept(server, &request, Attached::Off, &exchanged.message, out).expect("room") {
        HttpStep::Call(call) => {
            let emit = exchange.reply(server, call.key, &exchanged.result, out).expect("a result");
            assert!(matches!(emit, Emit::Whole(head) if head.status == 200));
        }
        HttpStep::Reply { head, .. } => assert_eq!(head.status, 200),
        other => unreachable!("nothing else was asked for: {other:?}"),
    }
}
