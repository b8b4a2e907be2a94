//! The official Rust crate as a server of the workload: `bench-rmcp (stdio | http PORT)`. It implements the handler itself,
//! and over HTTP keeps no sessions and answers as JSON: its fastest settings.

use std::error::Error;
use std::sync::Arc;

use rmcp::handler::server::ServerHandler;
use rmcp::model::*;
use rmcp::service::RequestContext;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService, stdio};
use rmcp::{ErrorData, RoleServer, ServiceExt};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Clone)]
struct Bench {
    tools: Arc<Vec<Tool>>,
    records: Arc<Vec<Value>>,
}

#[derive(Deserialize)]
struct Add {
    a: i64,
    b: i64,
}

#[derive(Deserialize)]
struct Echo {
    text: String,
}

#[derive(Deserialize)]
struct Search {
    query: String,
    limit: Option<usize>,
}

impl Bench {
    fn new() -> Self {
        let tool = |name: String, description: &'static str, schema: Value| {
            let schema = schema.as_object().cloned().unwrap_or_default();
            Tool::new(name, description, schema)
        };
        let mut tools = vec![
            tool(
                "add".into(),
                "Add two numbers.",
                json!({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]}),
            ),
            tool(
                "echo".into(),
                "Give a text back.",
                json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}),
            ),
            tool(
                "search".into(),
                "Search the records by keyword.",
                json!({"type": "object", "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}}, "required": ["query"]}),
            ),
        ];
        tools.extend((1..=17).map(|number| {
            tool(
                format!("filler_{number:02}"),
                "Does nothing much.",
                json!({"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}, "tags": {"type": "array"}}, "required": ["name"]}),
            )
        }));
        let record = |n: u32| json!({"id": format!("record-{n}"), "title": format!("The record number {n}"), "score": f64::from(n) / 10.0});
        Bench { tools: Arc::new(tools), records: Arc::new((0..10).map(record).collect()) }
    }
}

fn read<T: for<'de> Deserialize<'de>>(arguments: Option<JsonObject>) -> Result<T, ErrorData> {
    serde_json::from_value(Value::Object(arguments.unwrap_or_default()))
        .map_err(|error| ErrorData::invalid_params(error.to_string(), None))
}

impl ServerHandler for Bench {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(
            ServerCapabilities::builder().enable_tools().enable_resources().enable_prompts().build(),
        )
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(self.tools.to_vec()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let text = |text: String| CallToolResult::success(vec![ContentBlock::text(text)]);
        Ok(match request.name.as_ref() {
            "add" => {
                let Add { a, b } = read(request.arguments)?;
                text((a + b).to_string())
            }
            "echo" => text(read::<Echo>(request.arguments)?.text),
            "search" => {
                let Search { query, limit } = read(request.arguments)?;
                let found = self
                    .records
                    .iter()
                    .filter(|one| one["title"].as_str().is_some_and(|t| t.contains(&query)));
                let found: Vec<&Value> = found.take(limit.unwrap_or(10)).collect();
                CallToolResult::structured(json!({"result": found}))
            }
            _ => text("nothing much".into()),
        }
        .into())
    }

    async fn list_resources(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListResourcesResult, ErrorData> {
        let note = |number: u32| Resource::new(format!("note://{number}"), format!("note {number}"));
        Ok(ListResourcesResult::with_all_items((0..10).map(note).collect()))
    }

    async fn read_resource(
        &self,
        request: ReadResourceRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<ReadResourceResponse, ErrorData> {
        let text = format!("The text of {}.", request.uri);
        Ok(ReadResourceResult::new(vec![ResourceContents::text(text, request.uri)]).into())
    }

    async fn get_prompt(
        &self,
        request: GetPromptRequestParams,
        _: RequestContext<RoleServer>,
    ) -> Result<GetPromptResponse, ErrorData> {
        let topic = request.arguments.unwrap_or_default().get("topic").cloned().unwrap_or_default();
        let message = PromptMessage::new_text(Role::User, format!("Write a brief about {topic}."));
        Ok(GetPromptResult::new(vec![message]).into())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [_, port] = arguments.as_slice() {
        let config =
            StreamableHttpServerConfig::default().with_legacy_session_mode(false).with_json_response(true);
        let server = Bench::new();
        let service = StreamableHttpService::new(
            move || Ok(server.clone()),
            Arc::new(LocalSessionManager::default()),
            config,
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port.parse::<u16>()?)).await?;
        axum::serve(listener, axum::Router::new().nest_service("/mcp", service)).await?;
    } else {
        Bench::new().serve(stdio()).await?.waiting().await?;
    }
    Ok(())
}
