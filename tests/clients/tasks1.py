"""The official Python client 1.x and the experimental tasks of 2025-11-25: uses them, and prints what it saw.

It is given `{"url": ...}` or `{"command": [...], "env": {...}}` on standard input.
"""

import asyncio
import json
import sys
import warnings
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import httpx
from mcp import ClientSession, McpError, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult, ElicitResult

warnings.simplefilter("ignore")  # the client calls its own tasks deprecated


def plain(value: Any) -> Any:
    """A protocol object as the JSON value it travels as."""
    return value.model_dump(mode="json", by_alias=True, exclude_none=True)


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    asked: list[Any] = []

    async def answer(_: Any, params: Any) -> ElicitResult:
        asked.append(plain(params))
        return ElicitResult(action="accept", content={"name": "Ada"})

    async with AsyncExitStack() as stack:
        if "url" in plan:
            http = await stack.enter_async_context(httpx.AsyncClient(timeout=20))
            read, write, _ = await stack.enter_async_context(streamable_http_client(plan["url"], http_client=http))
        else:
            server = StdioServerParameters(command=plan["command"][0], args=plan["command"][1:], env=plan.get("env"))
            read, write = await stack.enter_async_context(stdio_client(server))
        session = ClientSession(read, write, read_timeout_seconds=timedelta(seconds=20), elicitation_callback=answer)
        client = await stack.enter_async_context(session)
        tasks = client.experimental
        seen: dict[str, Any] = {"capabilities": plain((await client.initialize()).capabilities)}
        listed = (await client.list_tools()).tools
        seen["support"] = {tool.name: tool.execution and tool.execution.taskSupport for tool in listed}

        async def error(call: Any) -> Any:
            try:
                return plain(await call)
            except McpError as wrong:
                return wrong.error.code

        seen["inline"] = plain(await client.call_tool("add", {"a": 1, "b": 2}))
        seen["needed"] = await error(client.call_tool("greet", {}))

        made = await tasks.call_tool_as_task("add", {"a": 20, "b": 22}, ttl=60_000)
        seen["made"] = plain(made)
        seen["polled"] = [plain(one)["status"] async for one in tasks.poll_task(made.task.taskId)]
        seen["added"] = plain(await tasks.get_task_result(made.task.taskId, CallToolResult))

        # The client is asked on the stream of the call that waits.
        made = await tasks.call_tool_as_task("greet", {})
        seen["greeted"] = plain(await tasks.get_task_result(made.task.taskId, CallToolResult))
        seen["asked"] = asked
        seen["greet id"] = made.task.taskId

        made = await tasks.call_tool_as_task("broken", {})
        seen["broken"] = plain(await tasks.get_task_result(made.task.taskId, CallToolResult))
        seen["broken task"] = plain(await tasks.get_task(made.task.taskId))

        made = await tasks.call_tool_as_task("forever", {})
        waiting = asyncio.ensure_future(error(tasks.get_task_result(made.task.taskId, CallToolResult)))
        await asyncio.sleep(0.2)  # so that it waits already; nothing hangs on it
        seen["running"] = plain(await tasks.get_task(made.task.taskId))["status"]
        seen["cancelled"] = plain(await tasks.cancel_task(made.task.taskId))
        seen["waited"] = await waiting
        seen["again"] = await error(tasks.cancel_task(made.task.taskId))
        seen["unknown"] = await error(tasks.get_task("nothing"))
        seen["list"] = [plain(task)["status"] for task in (await tasks.list_tasks()).tasks]
        return seen


print(json.dumps(asyncio.run(drive(json.load(sys.stdin)))))
