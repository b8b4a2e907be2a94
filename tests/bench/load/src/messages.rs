//! The bytes that every server gets: the requests of the workload, in both eras.

/// How a client says which revision it speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Era {
    /// `2025-11-25`: by `initialize`, once.
    Handshake,
    /// `2026-07-28`: in each request.
    Stateless,
}

impl Era {
    /// The era of that revision.
    pub fn of(revision: &str) -> Option<Era> {
        match revision {
            "2025-11-25" => Some(Era::Handshake),
            "2026-07-28" => Some(Era::Stateless),
            _ => None,
        }
    }

    /// Its revision.
    pub fn revision(self) -> &'static str {
        match self {
            Era::Handshake => "2025-11-25",
            Era::Stateless => "2026-07-28",
        }
    }
}

const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"load","version":"1.0.0"}}"#;

/// What a client of the handshake era sends first; the id is 0.
pub const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"load","version":"1.0.0"}}}"#;

/// What it sends second.
pub const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// One kind of request, in which only the id changes.
#[derive(Clone, Debug)]
pub struct Request {
    /// As the tables of the benchmark call it.
    pub kind: String,
    pub method: &'static str,
    /// What the header `Mcp-Name` repeats.
    pub name: Option<&'static str>,
    era: Era,
    before: String,
    after: String,
}

impl Request {
    /// A request of the workload by its name, as the tables of the benchmark show it.
    pub fn new(name: &str, era: Era) -> Option<Request> {
        let (method, target, params) = match name {
            "tools/list" => ("tools/list", None, String::new()),
            "add" | "constant" => {
                ("tools/call", Some("add"), r#""name":"add","arguments":{"a":1,"b":2}"#.into())
            }
            "search" => {
                ("tools/call", Some("search"), r#""name":"search","arguments":{"query":"record"}"#.into())
            }
            "echo 64 KiB" => ("tools/call", Some("echo"), echo(64 << 10)),
            "echo 1 MiB" => ("tools/call", Some("echo"), echo(1 << 20)),
            "resources/read" => ("resources/read", Some("note://3"), r#""uri":"note://3""#.into()),
            "prompts/get" => {
                ("prompts/get", Some("brief"), r#""name":"brief","arguments":{"topic":"speed"}"#.into())
            }
            "listen" if era == Era::Stateless => {
                ("subscriptions/listen", None, r#""notifications":{"toolsListChanged":true}"#.into())
            }
            _ => return None,
        };
        let meta = if era == Era::Stateless { META } else { "" };
        let comma = if params.is_empty() || meta.is_empty() { "" } else { "," };
        Some(Request {
            kind: name.into(),
            method,
            name: target,
            era,
            before: r#"{"jsonrpc":"2.0","id":"#.into(),
            after: format!(r#","method":"{method}","params":{{{params}{comma}{meta}}}}}"#),
        })
    }

    /// Whether it goes to the route that answers everything with the same bytes: `add`, and a fixed answer to it.
    pub fn is_constant(&self) -> bool {
        self.kind == "constant"
    }

    /// How many times longer than others it is measured: of a request of a megabyte there is time for a few only.
    pub fn weight(&self) -> u32 {
        if self.after.len() > 1 << 19 { 3 } else { 1 }
    }

    /// Appends the request with that id.
    pub fn put(&self, id: u64, out: &mut Vec<u8>) {
        out.extend_from_slice(self.before.as_bytes());
        out.extend_from_slice(id.to_string().as_bytes());
        out.extend_from_slice(self.after.as_bytes());
    }

    /// Appends it as an HTTP request on a connection that is kept.
    pub fn put_http(&self, port: u16, id: u64, out: &mut Vec<u8>) {
        let length = self.before.len() + id.to_string().len() + self.after.len();
        let revision = self.era.revision();
        let path = if self.is_constant() { "/constant" } else { "/mcp" };
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: load/1.0\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {revision}\r\nContent-Length: {length}\r\n"
        );
        out.extend_from_slice(head.as_bytes());
        if self.era == Era::Stateless {
            out.extend_from_slice(format!("Mcp-Method: {}\r\n", self.method).as_bytes());
            if let Some(name) = self.name {
                out.extend_from_slice(format!("Mcp-Name: {name}\r\n").as_bytes());
            }
        }
        out.extend_from_slice(b"\r\n");
        self.put(id, out);
    }
}

fn echo(bytes: usize) -> String {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(bytes / 45 + 1);
    format!(r#""name":"echo","arguments":{{"text":"{}"}}"#, &text[..bytes])
}

/// The id of an answer that is a result; why it is none otherwise.
pub fn answered(message: &[u8]) -> Result<u64, String> {
    let shown = || String::from_utf8_lossy(&message[..message.len().min(400)]).into_owned();
    // Servers put the id before the result, or after it: look at both ends, not through a megabyte.
    let ends = [&message[..message.len().min(300)], &message[message.len().saturating_sub(300)..]];
    let [front, back] = ends;
    let id = number_after(front, b"\"id\":").or_else(|| number_after(back, b"\"id\":"));
    let id = id.ok_or_else(|| format!("no id: {}", shown()))?;
    let result = ends.iter().any(|part| find(part, b"\"result\":").is_some());
    let failed = ends.iter().any(|part| find(part, b"\"isError\":true").is_some());
    if result && !failed { Ok(id) } else { Err(format!("no result: {}", shown())) }
}

/// The last number that stands after `mark`; what else has that name is a text of the result.
fn number_after(text: &[u8], mark: &[u8]) -> Option<u64> {
    let mut numbers =
        text.windows(mark.len()).enumerate().filter(|(_, window)| *window == mark).filter_map(|(at, _)| {
            let rest = text.get(at + mark.len()..)?.iter().skip_while(|b| **b == b' ');
            let digits: Vec<u8> = rest.take_while(|b| b.is_ascii_digit()).copied().collect();
            String::from_utf8(digits).ok()?.parse().ok()
        });
    numbers.next_back()
}

/// Where `part` first stands.
pub fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}
