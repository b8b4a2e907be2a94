//! From the bytes of a request to the bytes of its answer, in this process.

use std::error::Error;
use std::time::Instant;

use mcpgraft::catalog::Owned;
use mcpgraft::frame::line::Frame;

use crate::{stdio, workload};

const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"inproc","version":"1"}}}"#;
const META: &str = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"inproc","version":"1"}}"#;
const ADD: &str = r#""name":"add","arguments":{"a":1,"b":2}"#;

/// Time of one request in microseconds, the best of five rounds, and the bytes of its answer.
fn best(catalog: &Owned, handshake: bool, message: &str, times: u32) -> Result<(f64, usize), Box<dyn Error>> {
    let mut channel = stdio::Channel::new(catalog);
    if handshake {
        channel.frame(Frame::Line(INITIALIZE.as_bytes()))?;
    }
    let mut best = f64::INFINITY;
    for _ in 0..5 {
        let begin = Instant::now();
        for _ in 0..times {
            channel.lines.clear();
            channel.frame(Frame::Line(message.as_bytes()))?;
        }
        best = best.min(begin.elapsed().as_secs_f64() * 1e6 / f64::from(times));
    }
    Ok((best, channel.lines.len()))
}

fn request(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}}}}}"#)
}

/// Prints what `add` and `tools/list` cost, a line of JSON each.
pub fn run() -> Result<(), Box<dyn Error>> {
    let catalog = workload::catalog()?;
    for (era, name, message) in [
        ("2025-11-25", "add", request("tools/call", ADD)),
        ("2025-11-25", "tools/list", request("tools/list", "")),
        ("2026-07-28", "add", request("tools/call", &format!("{ADD},{META}"))),
        ("2026-07-28", "tools/list", request("tools/list", META)),
    ] {
        let (us, bytes) = best(&catalog, era == "2025-11-25", &message, 100_000)?;
        println!(r#"{{"way":"messages","era":"{era}","request":"{name}","cpu_us":{us:.3},"bytes":{bytes}}}"#);
    }
    Ok(())
}

/// Prints what a catalogue of so many tools costs: to put one in, and to list all.
pub fn tools(count: u32) -> Result<(), Box<dyn Error>> {
    let begin = Instant::now();
    let mut catalog = Owned::new();
    workload::fill(&mut catalog, "tool_", 4, count)?;
    let put = begin.elapsed().as_secs_f64() * 1e6 / f64::from(count);
    let (us, bytes) = best(&catalog, true, &request("tools/list", ""), 1000)?;
    println!(r#"{{"tools":{count},"register_us":{put:.2},"cpu_us":{us:.3},"bytes":{bytes}}}"#);
    Ok(())
}
