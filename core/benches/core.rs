//! `cargo bench -p mcpgraft`: what the core costs, in time and in allocations.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing
)]

mod workload;

use divan::counter::BytesCount;
use divan::{AllocProfiler, Bencher, black_box};
use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::frame::sse;
use mcpgraft::json::{self, Raw, Writer};
use mcpgraft::model::typed::{CallToolResult, to_json};
use workload::{LABELS, Speaks, catalog, request, server, session};

#[global_allocator]
static ALLOCATOR: AllocProfiler = AllocProfiler::system();

fn main() {
    divan::main();
}

/// From the bytes of a request to the bytes of its answer; the result itself is there already.
mod accept_and_reply {
    use super::*;

    fn duplex(bencher: Bencher<'_, '_>, label: &str, speaks: Speaks) {
        let catalog = catalog();
        let server = server(&catalog);
        let mut session = session(&server);
        let exchanged = request(label, speaks);
        let mut out = Vec::new();
        bencher.bench_local(|| {
            workload::duplex(&mut session, &server, black_box(&exchanged), black_box(&mut out))
        });
    }

    #[divan::bench(args = LABELS)]
    fn duplex_handshake(bencher: Bencher<'_, '_>, label: &str) {
        duplex(bencher, label, Speaks::Handshake);
    }

    #[divan::bench(args = LABELS)]
    fn duplex_stateless(bencher: Bencher<'_, '_>, label: &str) {
        duplex(bencher, label, Speaks::Stateless);
    }

    fn http(bencher: Bencher<'_, '_>, label: &str, speaks: Speaks) {
        let catalog = catalog();
        let server = server(&catalog);
        let exchanged = request(label, speaks);
        let mut out = Vec::new();
        bencher.bench_local(|| workload::http(&server, black_box(&exchanged), speaks, black_box(&mut out)));
    }

    #[divan::bench(args = LABELS)]
    fn http_handshake(bencher: Bencher<'_, '_>, label: &str) {
        http(bencher, label, Speaks::Handshake);
    }

    #[divan::bench(args = LABELS)]
    fn http_stateless(bencher: Bencher<'_, '_>, label: &str) {
        http(bencher, label, Speaks::Stateless);
    }

    /// The same two messages of `add` through trees of values: what any implementation over `serde_json::Value` pays.
    #[divan::bench(args = [Speaks::Handshake, Speaks::Stateless])]
    fn serde_json_value_add(bencher: Bencher<'_, '_>, speaks: Speaks) {
        let exchanged = request("add", speaks);
        bencher.bench_local(|| {
            let message: serde_json::Value = serde_json::from_slice(black_box(&exchanged.message)).unwrap();
            let arguments = &message["params"]["arguments"];
            let sum = arguments["a"].as_i64().unwrap() + arguments["b"].as_i64().unwrap();
            let content = serde_json::json!([{"type": "text", "text": sum.to_string()}]);
            let answer =
                serde_json::json!({"jsonrpc": "2.0", "id": message["id"], "result": {"content": content}});
            serde_json::to_vec(&answer).unwrap()
        });
    }
}

/// Bytes a second: one string of 1 MiB, a list of many small values, and text with an escape in every line.
mod json_scan {
    use super::*;

    fn text(kind: &str) -> String {
        match kind {
            "one string" => String::from_utf8(request("echo 1 MiB", Speaks::Handshake).message).unwrap(),
            "small values" => {
                let one = r#"{"id":12345,"title":"The record","tags":["a","b"],"score":0.25,"open":true},"#;
                format!("[{}null]", one.repeat((1 << 20) / one.len()))
            }
            "source code" => {
                let line = r#"    let found = records.iter().find(|one| one.id == id); // \"the first\"\n"#;
                format!("[\"{}\"]", line.repeat((1 << 20) / line.len()))
            }
            _ => format!("[\"{}\"]", "Grüße, häufig müßig – и по-русски. ".repeat((1 << 20) / 48)),
        }
    }

    const KINDS: [&str; 4] = ["one string", "small values", "source code", "not ASCII"];

    #[divan::bench(args = KINDS)]
    fn check(bencher: Bencher<'_, '_>, kind: &str) {
        let text = text(kind);
        bencher
            .counter(BytesCount::of_str(&text))
            .bench(|| json::check(black_box(text.as_bytes()), 128).is_ok());
    }

    #[divan::bench(args = KINDS)]
    fn serde_json_value(bencher: Bencher<'_, '_>, kind: &str) {
        let text = text(kind);
        bencher
            .counter(BytesCount::of_str(&text))
            .bench(|| serde_json::from_slice::<serde_json::Value>(black_box(text.as_bytes())).unwrap());
    }

    #[divan::bench(args = KINDS)]
    fn serde_json_ignored(bencher: Bencher<'_, '_>, kind: &str) {
        let text = text(kind);
        bencher
            .counter(BytesCount::of_str(&text))
            .bench(|| serde_json::from_slice::<serde::de::IgnoredAny>(black_box(text.as_bytes())).is_ok());
    }

    #[divan::bench]
    fn utf8_only(bencher: Bencher<'_, '_>) {
        let text = text("one string");
        bencher
            .counter(BytesCount::of_str(&text))
            .bench(|| core::str::from_utf8(black_box(text.as_bytes())).is_ok());
    }

    #[divan::bench]
    fn memcpy(bencher: Bencher<'_, '_>) {
        let text = text("one string");
        let mut out = Vec::with_capacity(text.len());
        bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
            out.clear();
            out.extend_from_slice(black_box(text.as_bytes()));
            black_box(&mut out);
        });
    }

    /// From the raw message to its method and parameters.
    #[divan::bench(args = ["add", "echo 1 MiB"])]
    fn envelope(bencher: Bencher<'_, '_>, label: &str) {
        let message = request(label, Speaks::Stateless).message;
        bencher.counter(BytesCount::of_slice(&message)).bench(|| {
            let value = json::check(black_box(&message), 128).unwrap();
            mcpgraft::jsonrpc::read(value).is_ok()
        });
    }
}

mod json_write {
    use super::*;

    #[divan::bench(args = ["plain", "a quote in each line"])]
    fn string(bencher: Bencher<'_, '_>, kind: &str) {
        let line = if kind == "plain" {
            "a plain line of some text, about "
        } else {
            "say \"it\" in a line, about\n"
        };
        let text = line.repeat((1 << 20) / line.len());
        let mut out = Vec::with_capacity(2 << 20);
        bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
            out.clear();
            Writer::new(&mut out).string(black_box(&text)).unwrap();
        });
    }

    #[divan::bench(args = ["plain", "a quote in each line"])]
    fn serde_json_string(bencher: Bencher<'_, '_>, kind: &str) {
        let line = if kind == "plain" {
            "a plain line of some text, about "
        } else {
            "say \"it\" in a line, about\n"
        };
        let text = line.repeat((1 << 20) / line.len());
        let mut out = Vec::with_capacity(2 << 20);
        bencher.counter(BytesCount::of_str(&text)).bench_local(|| {
            out.clear();
            serde_json::to_writer(&mut out, black_box(&text)).unwrap();
        });
    }

    #[divan::bench]
    fn typed_result(bencher: Bencher<'_, '_>) {
        bencher.bench(|| to_json(&CallToolResult::text(black_box("3"))).unwrap());
    }
}

mod frames {
    use super::*;

    #[divan::bench(args = ["add", "echo 1 MiB"])]
    fn lines_in_pieces_of_64_kib(bencher: Bencher<'_, '_>, label: &str) {
        let mut stream = Vec::new();
        while stream.len() < 1 << 20 {
            stream.extend_from_slice(&request(label, Speaks::Stateless).message);
            stream.push(b'\n');
        }
        let mut lines = LineBuffer::with_limit(4 << 20);
        bencher.counter(BytesCount::of_slice(&stream)).bench_local(|| {
            let mut count = 0;
            for piece in black_box(&stream).chunks(1 << 16) {
                let mut input = piece;
                while let Some(Frame::Line(line)) = lines.next(&mut input) {
                    count += line.len();
                }
            }
            count
        });
    }

    #[divan::bench(args = ["add", "search", "echo 1 MiB"])]
    fn server_sent_event(bencher: Bencher<'_, '_>, label: &str) {
        let message = request(label, Speaks::Stateless).message;
        let mut out = Vec::with_capacity(2 << 20);
        bencher.counter(BytesCount::of_slice(&message)).bench_local(|| {
            out.clear();
            sse::event(black_box(&message), &mut out).unwrap();
        });
    }
}

/// Definitions going in and lists coming out.
mod lists {
    use super::*;
    use mcpgraft::catalog::{Kind, Owned};
    use mcpgraft::server::Step;

    fn tools(count: usize) -> Owned {
        let mut catalog = Owned::new();
        for number in 0..count {
            let tool = format!(
                r#"{{"name":"tool_{number}","title":"Tool","description":"A tool.","inputSchema":{{"type":"object","properties":{{"text":{{"type":"string"}}}}}}}}"#
            );
            catalog.put(Kind::Tool, &tool).unwrap();
        }
        catalog
    }

    #[divan::bench(args = [20, 1000])]
    fn registration(count: usize) -> Owned {
        tools(count)
    }

    #[divan::bench(args = [20, 1000])]
    fn tools_list(bencher: Bencher<'_, '_>, count: usize) {
        let catalog = tools(count);
        let server = server(&catalog);
        let mut session = session(&server);
        let exchanged = request("tools/list", Speaks::Handshake);
        let mut out = Vec::new();
        workload::duplex(&mut session, &server, &exchanged, &mut out);
        let bytes = out.len();
        bencher.counter(BytesCount::new(bytes)).bench_local(|| {
            out.clear();
            assert!(matches!(session.accept(&server, &exchanged.message, &mut out), Ok(Step::Send)));
        });
    }
}

/// The arguments of `search` against its schema, as bindings do it that take raw schemas.
mod schema {
    use super::*;

    #[divan::bench]
    fn validate(bencher: Bencher<'_, '_>) {
        let catalog = catalog();
        let definition = catalog.get(mcpgraft::catalog::Kind::Tool, "search").unwrap();
        let schema: serde_json::Value =
            serde_json::from_str(definition.get("inputSchema").map(Raw::text).unwrap()).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        bencher.bench(|| {
            let arguments = serde_json::from_str(black_box(r#"{"query":"record","limit":10}"#)).unwrap();
            validator.is_valid(&arguments)
        });
    }
}
