"""The official Python client 2.x: does what the plan on standard input says, and prints what it saw.

The plan names the era: "auto" (probe, then fall back), "legacy" (the handshake) or a stateless revision to pin.
"""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client


def plain(value: Any) -> Any:
    """A protocol object as the JSON value it travels as."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    async with AsyncExitStack() as stack:
        server: Any
        if "url" in plan:
            http = await stack.enter_async_context(create_mcp_http_client(headers=plan.get("headers", {})))
            server = streamable_http_client(plan["url"], http_client=http)
        else:
            server = StdioServerParameters(command=plan["command"][0], args=plan["command"][1:], env=plan.get("env"))
        client = await stack.enter_async_context(Client(server, mode=plan["era"], read_timeout_seconds=20))
        seen: dict[str, Any] = {"protocol": client.protocol_version}
        seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        seen["calls"] = [
            plain(await client.call_tool(call["name"], call["arguments"])) for call in plan.get("calls", [])
        ]
        if "read" in plan:
            seen["templates"] = [t.uri_template for t in (await client.list_resource_templates()).resource_templates]
            seen["read"] = plain(await client.read_resource(plan["read"]))
        if "prompt" in plan:
            seen["prompts"] = [prompt.name for prompt in (await client.list_prompts()).prompts]
            seen["prompt"] = plain(await client.get_prompt(plan["prompt"]["name"], plan["prompt"]["arguments"]))
        return seen


print(json.dumps(asyncio.run(drive(json.load(sys.stdin)))))
