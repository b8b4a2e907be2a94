//! What is served: 20 tools, 10 resources, 2 templates, 3 prompts.

use std::sync::LazyLock;

use mcpgraft::LocalError;
use mcpgraft::catalog::{Kind, Owned};
use mcpgraft::json::{Raw, Writer};
use mcpgraft::model::typed::{
    CallToolResult, ContentBlock, GetPromptResult, Prompt, PromptArgument, PromptMessage, ReadResourceResult,
    Resource, ResourceTemplate, Role, Tool, payload, to_json, to_payload,
};
use mcpgraft::server::{Call, Failure, Offer, Profile, Target};
use mcpgraft::{Limits, Server};
use serde::Serialize;

#[derive(Serialize)]
struct Record {
    id: String,
    title: String,
    score: f64,
}

static RECORDS: LazyLock<Vec<Record>> = LazyLock::new(|| {
    let record = |number: u32| Record {
        id: format!("record-{number}"),
        title: format!("The record number {number}"),
        score: f64::from(number) / 10.0,
    };
    (0..10).map(record).collect()
});

fn put_tool(catalog: &mut Owned, name: &str, description: &str, schema: &str) -> Result<(), LocalError> {
    let tool = Tool { description: Some(description.into()), ..Tool::new(name, payload(schema)?) };
    catalog.put(Kind::Tool, &to_json(&tool)?)?;
    Ok(())
}

/// Puts in so many tools that do nothing much; their names end in a number of at least so many digits.
///
/// # Errors
/// What the catalogue does not take.
pub fn fill(catalog: &mut Owned, name: &str, digits: usize, count: u32) -> Result<(), LocalError> {
    for number in 1..=count {
        put_tool(
            catalog,
            &format!("{name}{number:0digits$}"),
            &format!("Does nothing much, number {number}."),
            r#"{"type":"object","properties":{"name":{"type":"string"},"count":{"type":"integer","default":1},"tags":{"type":"array","items":{"type":"string"}}},"required":["name"]}"#,
        )?;
    }
    Ok(())
}

/// The catalogue.
pub fn catalog() -> Result<Owned, LocalError> {
    let mut catalog = Owned::new();
    put_tool(
        &mut catalog,
        "add",
        "Add two numbers.",
        r#"{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"integer"}},"required":["a","b"]}"#,
    )?;
    put_tool(
        &mut catalog,
        "echo",
        "Give a text back.",
        r#"{"type":"object","properties":{"text":{"type":"string"}},"required":["text"]}"#,
    )?;
    put_tool(
        &mut catalog,
        "search",
        "Search the records by keyword.",
        r#"{"type":"object","properties":{"query":{"type":"string"},"limit":{"type":"integer","default":10}},"required":["query"]}"#,
    )?;
    fill(&mut catalog, "filler_", 2, 17)?;
    for number in 0..10 {
        let resource = Resource::new(format!("note://{number}"), format!("note {number}"));
        catalog.put(Kind::Resource, &to_json(&resource)?)?;
    }
    for (uri, name) in [("row://{number}", "row"), ("page://{book}/{number}", "page")] {
        catalog.put(Kind::Template, &to_json(&ResourceTemplate::new(uri, name))?)?;
    }
    for (name, argument) in [("brief", "topic"), ("review", "title"), ("plan", "goal")] {
        let argument = PromptArgument::required(argument);
        catalog.put(Kind::Prompt, &to_json(&Prompt { arguments: vec![argument], ..Prompt::new(name) })?)?;
    }
    Ok(catalog)
}

/// The server of that catalogue.
pub fn server(catalog: &Owned) -> Server<'_, &Owned> {
    let profile = Profile {
        tools: Offer::Catalog,
        resources: Offer::Catalog,
        prompts: Offer::Catalog,
        ..Profile::new(Raw::trusted(r#"{"name":"bench","version":"1.0.0"}"#))
    };
    Server { profile, limits: Limits::DEFAULT, catalog }
}

/// Runs one call.
///
/// # Errors
/// What cannot be written as JSON.
pub fn answer<'m>(call: &Call<'m>) -> Result<Result<String, Failure<'m>>, LocalError> {
    match call.target {
        Target::Tool { name, arguments, .. } => tool(name.plain().unwrap_or_default(), arguments),
        Target::Resource { uri, .. } => {
            let uri = uri.to_cow();
            let text = match uri.split_once("://") {
                Some(("note", number)) => format!("The text of note {number}."),
                Some(("row", number)) => format!("Row {number}."),
                Some(("page", rest)) => format!("Page {rest}."),
                _ => return Ok(Err(Failure::Internal("no such resource"))),
            };
            to_json(&ReadResourceResult::text(&*uri, text)).map(Ok)
        }
        Target::Prompt { name, arguments, .. } => {
            let Some((_, value)) = arguments.members().next() else {
                return Ok(Err(Failure::InvalidParams("the prompt needs its argument")));
            };
            let text =
                format!("{}: {}", name.to_cow(), value.str().map(|text| text.to_cow()).unwrap_or_default());
            let message = PromptMessage::new(Role::User, ContentBlock::text(text));
            to_json(&GetPromptResult { messages: vec![message], ..Default::default() }).map(Ok)
        }
        _ => Ok(Err(Failure::NoMethod("only tools, resources and prompts are served"))),
    }
}

fn tool<'m>(name: &str, arguments: Raw<'m>) -> Result<Result<String, Failure<'m>>, LocalError> {
    match name {
        "add" => {
            let number = |name| arguments.get(name).and_then(Raw::i64);
            match (number("a"), number("b")) {
                (Some(a), Some(b)) => match a.checked_add(b) {
                    Some(sum) => Ok(Ok(format!(r#"{{"content":[{{"type":"text","text":"{sum}"}}]}}"#))),
                    None => Ok(Err(Failure::Tool("the sum is out of range"))),
                },
                _ => Ok(Err(Failure::Tool("\"a\" and \"b\" must be integers"))),
            }
        }
        "echo" => {
            let Some(text) = arguments.get("text").and_then(Raw::str) else {
                return Ok(Err(Failure::Tool("\"text\" must be a string")));
            };
            // The text goes back as it came, escapes and all.
            let mut out = Vec::with_capacity(text.raw().len() + 64);
            let mut w = Writer::new(&mut out);
            let full = |_| LocalError::OutputFull;
            w.begin_object().map_err(full)?;
            w.key("content").map_err(full)?;
            w.begin_array().map_err(full)?;
            w.begin_object().map_err(full)?;
            w.field_str("type", "text").map_err(full)?;
            w.field("text", Raw::trusted(text.raw())).map_err(full)?;
            w.end_object().map_err(full)?;
            w.end_array().map_err(full)?;
            w.end_object().map_err(full)?;
            Ok(String::from_utf8(out).map_err(|_| Failure::Internal("the text is no UTF-8")))
        }
        "search" => {
            let Some(query) = arguments.get("query").and_then(Raw::str) else {
                return Ok(Err(Failure::Tool("\"query\" must be a string: what to search for")));
            };
            let limit = match arguments.get("limit") {
                None => 10,
                Some(limit) => match limit.u64() {
                    Some(limit) => limit as usize,
                    None => return Ok(Err(Failure::Tool("\"limit\" must be a whole number"))),
                },
            };
            let query = query.to_cow();
            let found: Vec<&Record> =
                RECORDS.iter().filter(|record| record.title.contains(&*query)).take(limit).collect();
            to_json(&CallToolResult::structured(to_payload(&found)?)).map(Ok)
        }
        _ => match arguments.get("name").and_then(Raw::str) {
            Some(name) => to_json(&CallToolResult::text(name.to_cow())).map(Ok),
            None => Ok(Err(Failure::Tool("\"name\" must be a string"))),
        },
    }
}
