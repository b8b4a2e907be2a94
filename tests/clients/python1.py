"""The official Python client 1.x: does what the plan on standard input says, and prints what it saw."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from pydantic import AnyUrl


def plain(value: Any) -> Any:
    """A protocol object as the JSON value it travels as."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        if "url" in plan:
            http = await stack.enter_async_context(httpx.AsyncClient(headers=plan.get("headers", {}), timeout=20))
            read, write, _ = await stack.enter_async_context(streamable_http_client(plan["url"], http_client=http))
        else:
            server = StdioServerParameters(command=plan["command"][0], args=plan["command"][1:], env=plan.get("env"))
            read, write = await stack.enter_async_context(stdio_client(server))
        limit = timedelta(seconds=20)
        client = await stack.enter_async_context(ClientSession(read, write, read_timeout_seconds=limit))
        seen: dict[str, Any] = {"protocol": (await client.initialize()).protocolVersion}
        await client.send_ping()
        seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        seen["calls"] = [
            plain(await client.call_tool(call["name"], call["arguments"])) for call in plan.get("calls", [])
        ]
        if "read" in plan:
            seen["templates"] = [t.uriTemplate for t in (await client.list_resource_templates()).resourceTemplates]
            seen["read"] = plain(await client.read_resource(AnyUrl(plan["read"])))
        if "prompt" in plan:
            seen["prompts"] = [prompt.name for prompt in (await client.list_prompts()).prompts]
            seen["prompt"] = plain(await client.get_prompt(plan["prompt"]["name"], plan["prompt"]["arguments"]))
        return seen


print(json.dumps(asyncio.run(drive(json.load(sys.stdin)))))
