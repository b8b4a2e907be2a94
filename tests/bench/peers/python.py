"""The official Python package and FastMCP as servers of the workload:

    python.py (lowlevel | mcpserver | fastmcp) (stdio | http PORT | sessions PORT | inproc | tools COUNT)

Over HTTP each runs in its fastest settings: no sessions, answers as JSON, uvicorn with uvloop and httptools.
`sessions` is the same with sessions in memory.
"""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

logging.disable(logging.INFO)
RECORDS: list[dict[str, str | float]] = [
    {"id": f"record-{number}", "title": f"The record number {number}", "score": number / 10} for number in range(10)
]


def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


def echo(text: str) -> str:
    """Give a text back."""
    return text


def search(query: str, limit: int = 10) -> list[dict[str, str | float]]:
    """Search the records by keyword."""
    return [record for record in RECORDS if query in str(record["title"])][:limit]


def filler(name: str, count: int = 1, tags: list[str] | None = None) -> str:
    """Does nothing much."""
    return f"{name} {count} {tags}"


def brief(topic: str) -> str:
    """Ask for a brief."""
    return f"Write a brief about {topic}."


FILLERS = [f"filler_{number:02}" for number in range(1, 18)]


def lowlevel() -> Any:
    import mcp_types as t
    from mcp.server.lowlevel import Server
    from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler

    def schema(required: list[str], **properties: str) -> dict[str, Any]:
        return {"type": "object", "properties": {k: {"type": v} for k, v in properties.items()}, "required": required}

    tools = [
        t.Tool(name="add", description="Add two numbers.", input_schema=schema(["a", "b"], a="integer", b="integer")),
        t.Tool(name="echo", description="Give a text back.", input_schema=schema(["text"], text="string")),
        t.Tool(
            name="search",
            description="Search the records.",
            input_schema=schema(["query"], query="string", limit="integer"),
        ),
    ]
    tools += [
        t.Tool(
            name=name,
            description="Does nothing much.",
            input_schema=schema(["name"], name="string", count="integer", tags="array"),
        )
        for name in FILLERS
    ]
    notes = [t.Resource(uri=f"note://{number}", name=f"note {number}") for number in range(10)]

    async def list_tools(ctx: Any, params: Any) -> t.ListToolsResult:
        return t.ListToolsResult(tools=tools)

    async def call_tool(ctx: Any, params: t.CallToolRequestParams) -> t.CallToolResult:
        given = params.arguments or {}
        if params.name == "search":
            found = search(given["query"], given.get("limit", 10))
            return t.CallToolResult(
                content=[t.TextContent(type="text", text=json.dumps(found))], structured_content={"result": found}
            )
        text = add(given["a"], given["b"]) if params.name == "add" else echo(given["text"])
        return t.CallToolResult(content=[t.TextContent(type="text", text=text)])

    async def list_resources(ctx: Any, params: Any) -> t.ListResourcesResult:
        return t.ListResourcesResult(resources=notes)

    async def read_resource(ctx: Any, params: Any) -> t.ReadResourceResult:
        text = f"The text of {params.uri}."
        return t.ReadResourceResult(contents=[t.TextResourceContents(uri=params.uri, text=text)])

    async def get_prompt(ctx: Any, params: Any) -> t.GetPromptResult:
        text = brief((params.arguments or {})["topic"])
        return t.GetPromptResult(messages=[t.PromptMessage(role="user", content=t.TextContent(type="text", text=text))])

    async def list_prompts(ctx: Any, params: Any) -> t.ListPromptsResult:
        return t.ListPromptsResult(
            prompts=[t.Prompt(name="brief", arguments=[t.PromptArgument(name="topic", required=True)])]
        )

    return Server(
        "bench",
        version="1.0.0",
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_subscriptions_listen=ListenHandler(InMemorySubscriptionBus()),
    )


def typed(server: Any) -> Any:
    """The same functions, registered by decorator."""
    for fn in (add, echo, search):
        server.tool()(fn)
    for name in FILLERS:
        server.tool(name=name)(filler)
    for number in range(10):
        server.resource(f"note://{number}", name=f"note {number}")(_note(number))
    server.prompt()(brief)
    return server


def _note(number: int) -> Any:
    def note() -> str:
        return f"The text of note {number}."

    return note


def stdio(peer: str, server: Any) -> None:
    if peer == "lowlevel":
        import anyio
        from mcp.server.stdio import stdio_server

        async def serve() -> None:
            async with stdio_server() as (read, write):
                await server.run(read, write, server.create_initialization_options())

        anyio.run(serve)
    elif peer == "mcpserver":
        server.run("stdio")
    else:
        server.run("stdio", show_banner=False)


def application(peer: str, server: Any, sessions: bool) -> Any:
    """Answers as JSON; sessions only if asked for."""
    settings = {"json_response": True, "stateless_http": not sessions}
    if peer == "fastmcp":
        return server.http_app(path="/mcp", **settings)
    return server.streamable_http_app(**settings)


def http(app: Any, port: int) -> None:
    import ctypes
    import gc

    import uvicorn

    async def beside(scope: Any, receive: Any, send: Any) -> None:
        path = scope.get("path")
        if path == "/constant":
            while (await receive()).get("more_body"):
                pass
        elif path == "/gc":
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)
        else:
            await app(scope, receive, send)
            return
        head = [(b"content-length", b"2"), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": b"{}"})

    uvicorn.run(
        beside,
        host="127.0.0.1",
        port=port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        timeout_keep_alive=120,
    )


def made(peer: str) -> Any:
    if peer == "lowlevel":
        return lowlevel()
    if peer == "mcpserver":
        from mcp.server.mcpserver import MCPServer

        return typed(MCPServer("bench", log_level="ERROR"))
    from fastmcp import FastMCP

    return typed(FastMCP("bench"))


def main() -> None:
    peer, transport, *rest = sys.argv[1:]
    if transport == "stdio":
        stdio(peer, made(peer))
    elif transport in ("http", "sessions"):
        http(application(peer, made(peer), transport == "sessions"), int(rest[0]))
    else:
        import python_inproc

        python_inproc.main(peer, transport, *rest)


if __name__ == "__main__":
    main()
