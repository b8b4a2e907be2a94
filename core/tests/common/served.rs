//! A small server with something of everything and tight limits, and the messages its clients send.

use mcpgraft::catalog::{Entry, Fixed};
use mcpgraft::json::{Raw, check};
use mcpgraft::server::{Offer, Profile};
use mcpgraft::{Limits, Server};

/// The catalogue.
pub type Borrowed = Fixed<'static>;

/// Tight enough to be reached.
pub const LIMITS: Limits = Limits {
    message_bytes: 2000,
    depth: 16,
    batch: 4,
    in_flight: 3,
    subscriptions: 2,
    page_items: 2,
    page_bytes: 300,
    progress_rate: 100,
};

static TOOLS: [Entry<'static>; 3] = [
    Entry::new(
        "add",
        r#"{"name":"add","title":"Add","inputSchema":{"type":"object","properties":{"a":true}}}"#,
    ),
    Entry::new(
        "list",
        r##"{"name":"list","inputSchema":{"type":"object"},"outputSchema":{"$ref":"#/$defs/l","$defs":{"l":{"type":"array"}}}}"##,
    ),
    Entry::new(
        "route",
        r#"{"name":"route","inputSchema":{"type":"object","properties":{"to":{"type":"string","x-mcp-header":"To"}}},"icons":[]}"#,
    ),
];
static RESOURCES: [Entry<'static>; 1] = [Entry::new("test://a", r#"{"uri":"test://a","name":"a"}"#)];
static TEMPLATES: [Entry<'static>; 1] =
    [Entry::new("test://{n}", r#"{"uriTemplate":"test://{n}","name":"n"}"#)];
static PROMPTS: [Entry<'static>; 1] =
    [Entry::new("ask", r#"{"name":"ask","arguments":[{"name":"what","required":true}]}"#)];

/// The server.
pub fn served() -> Server<'static, Borrowed> {
    let profile = Profile {
        instructions: Some("be \"nice\""),
        tools: Offer::Catalog,
        resources: Offer::Catalog,
        prompts: Offer::Catalog,
        completions: true,
        logging: true,
        list_changed: true,
        subscribe: true,
        ttl_ms: 7,
        ..Profile::new(Raw::trusted(r#"{"name":"s","version":"1","title":"S"}"#))
    };
    let catalog = Fixed {
        tools: &TOOLS,
        resources: &RESOURCES,
        templates: &TEMPLATES,
        prompts: &PROMPTS,
        custom_methods: &["acme/own"],
    };
    Server { profile, limits: LIMITS, catalog }
}

/// The envelope of a stateless request.
pub const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/logLevel":"info","progressToken":"t"}"#;

/// Requests by method and parameters; `META` and `LEGACY` stand for the envelope.
const REQUESTS: [(&str, &str); 19] = [
    (
        "initialize",
        r#"{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#,
    ),
    (
        "initialize",
        r#"{"protocolVersion":"2025-03-26","capabilities":{},"clientInfo":{"name":"c","version":"1"}}"#,
    ),
    (
        "initialize",
        r#"{"protocolVersion":"2024-11-05","capabilities":{"roots":1},"clientInfo":{"name":"c","version":"1"}}"#,
    ),
    ("ping", "{}"),
    ("server/discover", "{META}"),
    ("tools/list", "{META}"),
    ("tools/list", "{}"),
    ("tools/call", r#"{"name":"add","arguments":{"a":1},META}"#),
    ("tools/call", r#"{"name":"add","arguments":{"a":1},"_meta":{"progressToken":0}}"#),
    ("tools/call", r#"{"name":"list"}"#),
    ("tools/call", r#"{"name":"route","arguments":{"to":"x"},"requestState":"s","inputResponses":{},META}"#),
    ("resources/read", r#"{"uri":"test://25",META}"#),
    ("resources/templates/list", "{}"),
    ("resources/subscribe", r#"{"uri":"test://a"}"#),
    ("resources/unsubscribe", r#"{"uri":"test://\u0061"}"#),
    ("prompts/get", r#"{"name":"ask","arguments":{"what":"w"}}"#),
    (
        "completion/complete",
        r#"{"ref":{"type":"ref/prompt","name":"ask"},"argument":{"name":"what","value":""}}"#,
    ),
    ("logging/setLevel", r#"{"level":"debug"}"#),
    ("acme/own", r#"{"deep":[[[]]],META}"#),
];

const NOTIFICATIONS: [&str; 5] = [
    r#""method":"notifications/initialized""#,
    r#""method":"notifications/cancelled","params":{"requestId":ID}"#,
    r#""method":"notifications/roots/list_changed""#,
    r#""method":"acme/happened","params":[1]"#,
    r#""id":ID,"result":{}"#,
];

/// The `at`-th message, with this number as its id.
pub fn message(at: usize, id: usize) -> String {
    let at = at % (REQUESTS.len() + NOTIFICATIONS.len() + 1);
    let id = if id.is_multiple_of(3) { format!("\"i{id}\"") } else { id.to_string() };
    if let Some((method, params)) = REQUESTS.get(at) {
        let params = params.replace("META", META);
        return format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#);
    }
    match NOTIFICATIONS.get(at - REQUESTS.len()) {
        Some(rest) => format!(r#"{{"jsonrpc":"2.0",{}}}"#, rest.replace("ID", &id)),
        None => {
            let call = r#""method":"tools/call","params":{"name":"add"}"#;
            format!(
                r#"[{{"jsonrpc":"2.0","id":{id},{call}}},{{"jsonrpc":"2.0","method":"x"}},1,{{"jsonrpc":"2.0","id":"b{}","method":"ping"}}]"#,
                id.trim_matches('"')
            )
        }
    }
}

/// The headers that a careful client sends with a message.
pub fn headers(message: &str) -> Vec<(String, Vec<u8>)> {
    let value = check(message.as_bytes(), 64).ok();
    let text = |path: &[&str]| {
        let text = value?.at(path)?.str()?;
        text.plain().map(|text| text.as_bytes().to_vec())
    };
    let fixed = [
        ("Host", Some(b"localhost:3000".to_vec())),
        ("Content-Type", Some(b"application/json".to_vec())),
        ("Accept", Some(b"application/json, text/event-stream".to_vec())),
        ("MCP-Protocol-Version", text(&["params", "_meta", "io.modelcontextprotocol/protocolVersion"])),
        ("Mcp-Method", text(&["method"])),
        ("Mcp-Name", text(&["params", "name"]).or_else(|| text(&["params", "uri"]))),
        ("Mcp-Param-To", text(&["params", "arguments", "to"])),
    ];
    fixed.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}
