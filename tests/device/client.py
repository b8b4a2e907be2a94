"""The official Python client at a device: does what the plan on standard input says, and prints what it saw."""

import asyncio
import json
import sys
from typing import Any

import anyio
from mcp import Client, StdioServerParameters


def text(result: Any) -> str:
    return "".join(getattr(block, "text", "") for block in result.content)


async def drive(plan: dict[str, Any]) -> dict[str, Any]:
    server = StdioServerParameters(command=plan["command"][0], args=plan["command"][1:])
    async with Client(server, mode=plan["era"], read_timeout_seconds=60) as client:
        seen: dict[str, Any] = {"protocol": client.protocol_version}
        seen["tools"] = [tool.name for tool in (await client.list_tools()).tools]
        seen["hot"] = text(await client.call_tool("led", {"on": True}))
        seen["temperature"] = text(await client.call_tool("temperature"))
        seen["cold"] = text(await client.call_tool("led", {"on": False}))
        wrong = await client.call_tool("led", {})
        seen["wrong"] = [wrong.is_error, text(wrong)]
        progress: list[Any] = []

        async def note(done: float, total: float | None, _message: str | None) -> None:
            progress.append([done, total])

        seen["calibrated"] = text(await client.call_tool("calibrate", progress_callback=note))
        seen["progress"] = progress

        # Taken back as soon as it has shown that it works.
        with anyio.CancelScope() as scope:

            async def take_back(_done: float, _total: float | None, _message: str | None) -> None:
                scope.cancel()

            # So long that the cancellation comes in time on a busy machine, too.
            await client.call_tool("calibrate", {"samples": 6000}, progress_callback=take_back)
        seen["cancelled"] = scope.cancelled_caught
        if plan["full"]:
            seen["resources"] = [str(one.uri) for one in (await client.list_resources()).resources]
            seen["templates"] = [
                one.uri_template for one in (await client.list_resource_templates()).resource_templates
            ]
            seen["prompts"] = [one.name for one in (await client.list_prompts()).prompts]
            seen["read"] = (await client.read_resource("dev://temperature")).contents[0].text
            seen["pin"] = (await client.read_resource("dev://pin/0")).contents[0].text
            prompt = await client.get_prompt("check", {"depth": "full"})
            seen["prompt"] = prompt.messages[0].content.text
            status = await client.call_tool("status")
            seen["status"] = status.structured_content
            # What the board has noted shows that the cancellation has reached it.
            seen["log"] = ""
            with anyio.fail_after(60):
                while "calibration cancelled" not in seen["log"]:
                    seen["log"] = (await client.read_resource("dev://log")).contents[0].text
        seen["again"] = text(await client.call_tool("calibrate"))
        return seen


print(json.dumps(asyncio.run(drive(json.load(sys.stdin)))))
