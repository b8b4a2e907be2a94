"""ASGI: the bare application, Starlette, disconnects, and a loop that is never blocked."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from mcpgraft import Bearer, Context, Server
from mcpgraft.asgi import App

from .wire import HEADERS, call, events, text_of


class Wire:
    """An ASGI server for one request."""

    def __init__(self, body: bytes, *, path: str = "/mcp", method: str = "POST", **headers: str) -> None:
        sent = {**HEADERS, "host": "localhost", **headers}
        self.scope = {
            "type": "http",
            "method": method,
            "path": path,
            "scheme": "http",
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
        }
        self.body = body
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.left = asyncio.Event()
        self.on_piece: Callable[[], None] = lambda: None
        self._asked = 0

    async def receive(self) -> Any:
        self._asked += 1
        half = len(self.body) // 2
        if self._asked == 1:
            return {"type": "http.request", "body": self.body[:half], "more_body": True}
        if self._asked == 2:
            return {"type": "http.request", "body": self.body[half:]}
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            assert not self.status
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.pieces.append(message.get("body", b""))
            self.on_piece()

    async def run(self, app: Any) -> bytes:
        await app(self.scope, self.receive, self.send)
        return b"".join(self.pieces)


def test_calls_sync_and_async(server: Server) -> None:
    async def main() -> None:
        app = App(server)
        assert text_of(await Wire(call("add", a=1)).run(app)) == "2"
        assert text_of(await Wire(call("async-add", a=1)).run(app)) == "2"
        here = threading.current_thread().name
        assert here not in text_of(await Wire(call("who")).run(app))

    asyncio.run(main())


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_a_body_in_one_piece(server: Server, kind: Callable[[bytes], object]) -> None:
    async def main() -> None:
        wire = Wire(call("async-add", a=1))

        async def receive() -> Any:
            return {"type": "http.request", "body": kind(wire.body)}

        await App(server)(wire.scope, receive, wire.send)
        assert text_of(b"".join(wire.pieces)) == "2"

    asyncio.run(main())


def test_sync_tools_do_not_block_the_loop(server: Server) -> None:
    @server.tool
    def sleep() -> str:
        time.sleep(0.3)
        return "slept"

    async def main() -> None:
        app = App(server)
        slow = asyncio.ensure_future(Wire(call("sleep")).run(app))
        await asyncio.sleep(0.05)
        start = time.monotonic()
        assert text_of(await Wire(call("async-add", a=1)).run(app)) == "2"
        assert time.monotonic() - start < 0.2
        assert text_of(await slow) == "slept"

    asyncio.run(main())


@pytest.mark.parametrize("tool", ["slow", "slow_async"])
def test_stream(server: Server, tool: str) -> None:
    async def main() -> None:
        wire = Wire(call(tool, True, steps=3))
        messages = events(await wire.run(App(server)))
        assert wire.headers["content-type"].startswith("text/event-stream")
        assert [one["params"]["progress"] for one in messages[:-1] if "progress" in one["method"]] == [1, 2, 3]
        assert "result" in messages[-1]
        quiet = Wire(call(tool, True, steps=0))
        assert text_of(await quiet.run(App(server))) == "done"
        assert quiet.headers["content-type"].startswith("application/json")

    asyncio.run(main())


def test_progress_leaves_while_the_tool_runs() -> None:
    server = Server("s")
    go = threading.Event()

    @server.tool
    def wait(ctx: Context) -> str:
        ctx.progress(1)
        return "went on" if go.wait(5) else "stuck"

    async def main() -> None:
        wire = Wire(call("wait", True))
        wire.on_piece = go.set
        assert events(await wire.run(App(server)))[-1]["result"]["content"][0]["text"] == "went on"

    asyncio.run(main())


def test_middlewares_of_both_kinds(server: Server) -> None:
    seen: list[Any] = []

    @server.middleware
    def sync(ctx: Context, call_next: Any) -> Any:
        seen.append(threading.current_thread())
        return call_next()

    @server.middleware
    async def later(ctx: Context, call_next: Any) -> Any:
        seen.append(threading.current_thread())
        return await call_next()

    async def main() -> None:
        app = App(server)
        for tool in ("add", "async-add"):
            assert text_of(await Wire(call(tool, a=1)).run(app)) == "2"

    asyncio.run(main())
    here = threading.current_thread()
    assert [thread is here for thread in seen] == [False, True, False, True]


def test_paths_lifespan_and_websocket(server: Server) -> None:
    async def main() -> None:
        app = App(server, path="/mcp")
        wire = Wire(b"", path="/other")
        await wire.run(app)
        assert wire.status == 404
        assert text_of(await Wire(call("add", a=1), path="/mcp/").run(app)) == "2"
        sent: list[str] = []
        asked = iter(["lifespan.startup", "lifespan.shutdown"])

        async def receive() -> Any:
            return {"type": next(asked)}

        async def send(message: Any) -> None:
            sent.append(message["type"])

        await app({"type": "lifespan"}, receive, send)
        await app({"type": "websocket"}, receive, send)
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete", "websocket.close"]

    asyncio.run(main())


def test_async_verifier_and_metadata(server: Server) -> None:
    async def verify(token: str) -> str | None:
        await asyncio.sleep(0)
        return "ada" if token == "t" else None

    async def main() -> None:
        app = App(server, auth=Bearer(verify, authorization_servers=["https://login"]))
        wire = Wire(call("who"))
        await wire.run(app)
        assert wire.status == 401
        assert "resource_metadata=" in wire.headers["www-authenticate"]
        assert text_of(await Wire(call("who"), authorization="Bearer t").run(app)).startswith("ada|")
        document = await Wire(b"", method="GET", path="/.well-known/oauth-protected-resource/mcp").run(app)
        assert json.loads(document)["resource"] == "http://localhost/mcp"

    asyncio.run(main())


def test_starlette(server: Server) -> None:
    pytest.importorskip("starlette")
    httpx = pytest.importorskip("httpx")
    from starlette.applications import Starlette
    from starlette.routing import Mount, Route

    from mcpgraft.asgi import mount

    async def view(request: Any) -> Any:
        await request.body()
        return server.respond(request)

    app = Starlette(routes=[Route("/view", view, methods=["POST"]), Mount("/sub", App(server))])
    mount(app, server, "/mcp")

    async def main() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=HEADERS) as client:
            for path in ("/mcp", "/mcp/", "/view", "/sub/", "/sub/mcp"):
                answer = await client.post(path, content=call("add", a=1))
                assert answer.status_code == 200, path
                assert text_of(answer.content) == "2"
            assert (await client.get("/mcp")).status_code == 405
            answer = await client.post("/view", content=call("slow", True, steps=1))
            assert "result" in events(answer.content)[-1]

    asyncio.run(main())
