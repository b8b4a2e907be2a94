//! Lists through outputs of every size: a page ends where the output does, and every entry arrives once.
//!
//! `cargo test -p mcpgraft --no-default-features` runs it without a heap in the library.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use mcpgraft::catalog::{Entry, Fixed};
use mcpgraft::json::{Raw, Sink, SliceSink, Stream};
use mcpgraft::server::{Offer, Profile, Step};
use mcpgraft::{Limits, LocalError, Server, Session};
use serde_json::{Value, json};

const TOOLS: usize = 200;

fn definitions() -> Vec<(String, String)> {
    let tool = |n: usize| {
        let description = "d".repeat(n % 97);
        let definition = json!({"name": format!("tool{n}"), "title": "T", "description": description,
            "inputSchema": {"type": "object", "properties": {"x": true}}});
        (format!("tool{n}"), definition.to_string())
    };
    (0..TOOLS).map(tool).collect()
}

fn server<'a>(tools: &'a [Entry<'a>], limits: Limits) -> Server<'a, Fixed<'a>> {
    let info = Raw::trusted(r#"{"name":"many","version":"1"}"#);
    let profile = Profile { tools: Offer::Catalog, ..Profile::new(info) };
    Server { profile, limits, catalog: Fixed { tools, ..Fixed::default() } }
}

fn request(id: usize, era: &str, cursor: Option<&Value>) -> String {
    let mut params = json!({});
    if let Some(cursor) = cursor {
        params["cursor"] = cursor.clone();
    }
    if era == "stateless" {
        params["_meta"] = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {}});
    }
    json!({"jsonrpc": "2.0", "id": id, "method": "tools/list", "params": params}).to_string()
}

fn session(server: &Server<'_, Fixed<'_>>, era: &str) -> Session<2, 2> {
    let mut session = Session::new(1);
    if era != "stateless" {
        let open = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": era,
            "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}});
        session.accept(server, open.to_string().as_bytes(), &mut SliceSink::new(&mut [0; 1024])).unwrap();
    }
    session
}

/// Lists to the end; `send` gives what a request is answered with. Gives the names, and the sizes of the pages.
fn list(era: &str, mut send: impl FnMut(&str) -> Vec<u8>) -> (Vec<String>, Vec<usize>) {
    let (mut names, mut sizes, mut cursor) = (Vec::new(), Vec::new(), None);
    loop {
        let answer = send(&request(sizes.len() + 1, era, cursor.as_ref()));
        let value: Value = serde_json::from_slice(&answer).unwrap();
        let page = value["result"]["tools"].as_array().unwrap();
        names.extend(page.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()));
        sizes.push(answer.len());
        match value["result"].get("nextCursor") {
            Some(next) => cursor = Some(next.clone()),
            None => return (names, sizes),
        }
    }
}

fn every(tools: &[(String, String)]) -> Vec<String> {
    tools.iter().map(|(name, _)| name.clone()).collect()
}

#[test]
fn a_list_goes_through_a_buffer_of_any_size() {
    let tools = definitions();
    let entries: Vec<_> = tools.iter().map(|(name, text)| Entry::new(name, text)).collect();
    let server = server(&entries, Limits::DEFAULT);
    for era in ["stateless", "2025-11-25", "2025-03-26"] {
        for size in [600, 1024, 1025, 4096] {
            let mut session = session(&server, era);
            let (names, sizes) = list(era, |message| {
                let mut memory = vec![0; size];
                let mut out = SliceSink::new(&mut memory);
                let step = session.accept(&server, message.as_bytes(), &mut out);
                assert!(matches!(step, Ok(Step::Send)), "{era} {size}: {step:?}");
                out.written().to_vec()
            });
            assert_eq!(names, every(&tools), "{era} {size}");
            // No page but the last could have held another entry of the longest kind.
            let longest = tools.iter().map(|(_, text)| text.len()).max().unwrap() + 64;
            for page in &sizes[..sizes.len() - 1] {
                assert!(page + longest > size, "{era} {size}: a page of {page}");
            }
        }
    }
}

#[test]
fn what_never_fits_is_told() {
    let tools = definitions();
    let entries: Vec<_> = tools.iter().map(|(name, text)| Entry::new(name, text)).collect();
    let server = server(&entries, Limits::DEFAULT);
    for size in [0, 60, 200] {
        let mut session = session(&server, "stateless");
        let mut memory = vec![0; size];
        let mut out = SliceSink::new(&mut memory);
        let message = request(1, "stateless", None);
        let step = session.accept(&server, message.as_bytes(), &mut out);
        assert!(matches!(step, Err(LocalError::OutputFull)), "{size}: {step:?}");
        assert!(out.is_empty());
    }
}

#[test]
fn a_drained_output_needs_no_room() {
    let tools = definitions();
    let entries: Vec<_> = tools.iter().map(|(name, text)| Entry::new(name, text)).collect();
    for (page_bytes, pages) in [(1 << 20, 1..2), (2000, 10..40), (1, TOOLS..TOOLS + 1)] {
        let server = server(&entries, Limits { page_bytes, ..Limits::DEFAULT });
        for era in ["stateless", "2025-11-25", "2025-03-26"] {
            // What a growing output says is what has to come out of every other.
            let wanted = {
                let mut session = session(&server, era);
                list(era, |message| {
                    let mut memory = vec![0; 1 << 17];
                    let mut out = SliceSink::new(&mut memory);
                    session.accept(&server, message.as_bytes(), &mut out).unwrap();
                    out.written().to_vec()
                })
            };
            assert!(pages.contains(&wanted.1.len()), "{} pages of {page_bytes}", wanted.1.len());
            assert_eq!(wanted.0, every(&tools));
            for size in [0, 1, 64, 1024] {
                let mut session = session(&server, era);
                let seen = list(era, |message| {
                    let (mut sent, mut memory) = (Vec::new(), vec![0; size]);
                    let mut out = Stream::new(&mut memory, |bytes| {
                        sent.extend_from_slice(bytes);
                        true
                    });
                    session.accept(&server, message.as_bytes(), &mut out).unwrap();
                    out.end_line().unwrap();
                    assert_eq!(sent.pop(), Some(b'\n'));
                    sent
                });
                assert_eq!(seen, wanted, "{era} {size} {page_bytes}");
            }
        }
    }
}
