//! A whole server on stdin and stdout: policies that an assistant can search and read.
//!
//! Try it: `cargo run --example stdio`, then type
//! `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"me","version":"1"}}}`

use std::error::Error;
use std::io::{Read, Write, stdin, stdout};

use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::frame::line::{Frame, LineBuffer};
use mcpgraft::json::Raw;
use mcpgraft::model::typed::{
    CallToolResult, Implementation, ReadResourceResult, ResourceTemplate, Tool, payload, to_json, to_payload,
};
use mcpgraft::server::{Batch, Call, Failure, Offer, Profile, Step, Target};
use mcpgraft::{Limits, LocalError, Server, Session};

const POLICIES: [(&str, &str); 3] = [
    ("remote-work", "You may work from anywhere in the country for two days a week."),
    ("travel", "Book trains before flights. Anything above 500 needs approval."),
    ("security", "Lock your screen. Report a lost laptop within the hour."),
];

fn main() -> Result<(), Box<dyn Error>> {
    let schema = r#"{"type":"object","properties":{"query":{"type":"string"}},"required":["query"]}"#;
    let search = Tool {
        description: Some("Search company policies by keyword".into()),
        ..Tool::new("search_policies", payload(schema)?)
    };
    let mut catalog = Owned::new();
    catalog.put(Kind::Tool, &to_json(&search)?)?;
    catalog.put(Kind::Template, &to_json(&ResourceTemplate::new("policy://{name}", "policy"))?)?;
    let info = to_json(&Implementation::new("policies", "1.0.0"))?;
    let profile =
        Profile { tools: Offer::Catalog, resources: Offer::Catalog, ..Profile::new(Raw::trusted(&info)) };
    let server = Server { profile, limits: Limits::DEFAULT, catalog: &catalog };

    let mut channel = Channel { server, session: Session::new(0), out: Vec::new() };
    let mut lines = LineBuffer::with_limit(server.limits.message_bytes);
    let mut bytes = [0; 8192];
    loop {
        let count = stdin().read(&mut bytes)?;
        let mut input = bytes.get(..count).unwrap_or_default();
        while let Some(frame) = lines.next(&mut input) {
            channel.frame(frame)?;
        }
        if count == 0 {
            return lines.finish().map_or(Ok(()), |frame| channel.frame(frame));
        }
    }
}

struct Channel<'a> {
    server: Server<'a, &'a Owned>,
    session: Session,
    out: Vec<u8>,
}

impl Channel<'_> {
    /// Takes one line and writes what is to be said to it.
    fn frame(&mut self, frame: Frame<'_>) -> Result<(), Box<dyn Error>> {
        match frame {
            Frame::TooLong => self.session.too_long(&self.server, &mut self.out)?,
            Frame::Line(message) => match self.session.accept(&self.server, message, &mut self.out)? {
                Step::Call(call) => self.run(&call)?,
                Step::Batch(batch) => self.batch(batch, message)?,
                Step::Send | Step::Notice(_) | Step::Nothing => {}
            },
        }
        if !self.out.is_empty() {
            self.out.push(b'\n');
            stdout().write_all(&self.out)?;
            stdout().flush()?;
            self.out.clear();
        }
        Ok(())
    }

    fn batch(&mut self, mut batch: Batch, message: &[u8]) -> Result<(), LocalError> {
        while let Some(step) = self.session.next(&self.server, &mut batch, message, &mut self.out)? {
            if let Step::Call(call) = step {
                self.run(&call)?;
            }
        }
        Ok(())
    }

    fn run(&mut self, call: &Call<'_>) -> Result<(), LocalError> {
        match answer(call)? {
            Ok(result) => self.session.reply(&self.server, call.key, &result, &mut self.out)?,
            Err(failure) => self.session.fail(&self.server, call.key, &failure, &mut self.out)?,
        };
        Ok(())
    }
}

/// What the tools and resources do.
fn answer<'m>(call: &Call<'m>) -> Result<Result<String, Failure<'m>>, LocalError> {
    match call.target {
        Target::Tool { arguments, .. } => {
            let Some(query) = arguments.get("query").and_then(Raw::str) else {
                return Ok(Err(Failure::Tool("\"query\" must be a string: what to search for")));
            };
            let query = query.to_cow().to_lowercase();
            let found =
                |(name, text): &&(&str, &str)| name.contains(&query) || text.to_lowercase().contains(&query);
            let names: Vec<&str> = POLICIES.iter().filter(found).map(|(name, _)| *name).collect();
            to_json(&CallToolResult::structured(to_payload(&names)?)).map(Ok)
        }
        Target::Resource { uri, .. } => {
            // No policy's name needs an escape.
            let uri = uri.plain().unwrap_or_default();
            let policy = POLICIES.iter().find(|(name, _)| uri.strip_prefix("policy://") == Some(*name));
            let Some((_, text)) = policy else { return Ok(Err(Failure::NotFound(uri))) };
            to_json(&ReadResourceResult::text(uri, *text)).map(Ok)
        }
        _ => Ok(Err(Failure::NoMethod("only tools and resources are served"))),
    }
}
