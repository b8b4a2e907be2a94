"""Calls in an ASGI host that say nothing on their way: they run in the task of their request."""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from typing import Any

import pytest

from mcpgraft import Context, Server
from mcpgraft.asgi import App
from mcpgraft.watchman import PATIENCE

from .test_asgi import Wire
from .wire import call, text_of

REVISION = "2026-07-28"


def stateless(name: str, **arguments: Any) -> Wire:
    """A call of the stateless era, which is taken back when its client goes."""
    prefix = "io.modelcontextprotocol/"
    meta = {prefix + "protocolVersion": REVISION, prefix + "clientCapabilities": {}}
    params = {"name": name, "arguments": arguments, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    more = {"MCP-Protocol-Version": REVISION, "Mcp-Method": "tools/call", "Mcp-Name": name}
    return Wire(body, **more)


def test_a_call_is_taken_back_when_its_client_goes() -> None:
    server, begun, ended = Server("s"), asyncio.Event(), []

    @server.tool
    async def wait() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ended.append("cancelled")
            raise
        return "never"

    async def main() -> None:
        wire = stateless("wait")
        running = asyncio.ensure_future(wire.run(App(server)))
        await begun.wait()
        wire.left.set()
        assert await asyncio.wait_for(running, 10) == b""
        assert ended == ["cancelled"]
        assert wire.status == 0
        if hasattr(running, "cancelling"):  # for the host nothing was cancelled
            assert running.cancelling() == 0

    asyncio.run(main())


def test_a_handler_that_does_not_mind_ends_in_peace() -> None:
    server, begun = Server("s"), asyncio.Event()

    @server.tool
    async def stubborn() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "anyway"
        return "never"

    async def main() -> None:
        wire = stateless("stubborn")
        running = asyncio.ensure_future(wire.run(App(server)))
        await begun.wait()
        wire.left.set()
        await asyncio.wait_for(running, 10)

    asyncio.run(main())


def test_in_the_handshake_era_a_call_goes_on() -> None:
    server, begun, go = Server("s"), asyncio.Event(), asyncio.Event()

    @server.tool
    async def wait() -> str:
        begun.set()
        await go.wait()
        return "done"

    async def main() -> None:
        wire = Wire(call("wait"))
        running = asyncio.ensure_future(wire.run(App(server)))
        await begun.wait()
        wire.left.set()
        await asyncio.sleep(4 * PATIENCE)  # time to notice it
        assert not running.done()
        go.set()
        assert text_of(await running) == "done"

    asyncio.run(main())


def test_what_the_host_cancels_stays_cancelled() -> None:
    server, begun = Server("s"), asyncio.Event()

    @server.tool
    async def wait() -> str:
        begun.set()
        await asyncio.Event().wait()
        return "never"

    async def main() -> None:
        running = asyncio.ensure_future(stateless("wait").run(App(server)))
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())


def test_an_async_handler_stays_in_one_task() -> None:
    server, seen = Server("s"), []

    @server.tool
    async def tasks() -> str:
        seen.append(asyncio.current_task())
        await asyncio.sleep(0)
        seen.append(asyncio.current_task())
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.01)
        try:
            await asyncio.gather(asyncio.sleep(0), _fails())
        except ValueError as wrong:
            seen.append(asyncio.current_task())
            return str(wrong)
        return "no"

    async def main() -> None:
        assert text_of(await stateless("tasks").run(App(server))) == "as planned"
        assert len(set(seen)) == 1

    asyncio.run(main())


async def _fails() -> None:
    await asyncio.sleep(0)
    raise ValueError("as planned")


def test_sync_tools_share_a_bounded_number_of_threads() -> None:
    server = Server("s", workers=2)
    both, most, lock = threading.Barrier(2, timeout=10), [0, 0], threading.Lock()
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name")

    @server.tool
    def work(number: int) -> str:
        with lock:
            most[0] += 1
            most[1] = max(most)
        both.wait()  # so two do run at once
        with lock:
            most[0] -= 1
        return f"{name.get()} {number}"

    @server.tool
    def broken() -> str:
        raise StopIteration

    async def main() -> None:
        name.set("ada")
        app = App(server)
        bodies = await asyncio.gather(*(stateless("work", number=number).run(app) for number in range(8)))
        assert [text_of(body) for body in bodies] == [f"ada {number}" for number in range(8)]
        assert most == [0, 2]
        assert json.loads(await stateless("broken").run(app))["result"]["isError"]

    asyncio.run(main())


def test_a_sync_tool_may_give_an_awaitable() -> None:
    server = Server("s")

    async def later() -> str:
        await asyncio.sleep(0)
        return "later"

    server.add_tool(lambda: later(), name="later")

    async def main() -> None:
        assert text_of(await stateless("later").run(App(server))) == "later"

    asyncio.run(main())


def test_hooks_may_speak_though_nobody_hears() -> None:
    server, told = Server("s"), []

    @server.on_error
    def hook(ctx: Context, error: BaseException) -> None:
        ctx.log("error", "it broke")
        ctx.progress(1)
        told.append(str(error))

    @server.tool
    async def breaks() -> str:
        raise ValueError("broken")

    async def main() -> None:
        assert text_of(await stateless("breaks").run(App(server))) == "broken"
        assert told == ["broken"]

    asyncio.run(main())
