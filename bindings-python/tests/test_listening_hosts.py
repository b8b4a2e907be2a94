"""Streams and sessions through every host: what is open, what it costs, and how it ends."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import select
import signal
import socket
import threading
from typing import Any

import pytest

from mcpgraft import ApiKey, Server
from mcpgraft.asgi import App as AsgiApp
from mcpgraft.run import make_http
from mcpgraft.signals import close_on_signals
from mcpgraft.stdio import run_stdio
from mcpgraft.wsgi import App

from .test_asgi import Wire as AsgiWire
from .test_wsgi import Wire, environ
from .wire import HEADERS, events, request

LISTEN = {
    "jsonrpc": "2.0",
    "id": "s",
    "method": "subscriptions/listen",
    "params": {
        "notifications": {"toolsListChanged": True},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    },
}
BODY = json.dumps(LISTEN).encode()
HEAD = {**HEADERS, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "subscriptions/listen"}
META = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in HEAD.items() if name != "Content-Type"}
INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "t", "version": "0"},
}


def grow(server: Server) -> None:
    server.add_tool(lambda: "new", "new")


def methods(pieces: bytes) -> list[Any]:
    return [one.get("method", "result") for one in events(pieces)]


MANY: Any = {"wsgi.multithread": True}
DJANGO: Any = {"content_type": "application/json", "headers": {k: v for k, v in HEAD.items() if k != "Content-Type"}}
TOLD = ["notifications/subscriptions/acknowledged", "notifications/tools/list_changed", "result"]


def test_wsgi(server: Server) -> None:
    wire = Wire()
    body = App(server)(environ(BODY, **META, **{"wsgi.multithread": True}), wire)
    assert wire.headers["Content-Type"].startswith("text/event-stream")
    assert server.hub.streams == 1
    grow(server)
    server.close()
    assert methods(b"".join(body)) == TOLD
    assert server.hub.streams == 0


def test_wsgi_closes_what_it_does_not_read(server: Server) -> None:
    body: Any = App(server)(environ(BODY, **META, **{"wsgi.multithread": True}), Wire())
    body.close()
    assert server.hub.streams == 0


def test_one_thread_is_never_given_away(server: Server) -> None:
    wire = Wire()
    wire.run(App(server), environ(BODY, **META, **{"wsgi.multithread": False}))
    assert wire.status.startswith("404")


@pytest.mark.skipif(not hasattr(select, "POLLRDHUP"), reason="only Linux tells of it")
@pytest.mark.parametrize("key", ["gunicorn.socket", "werkzeug.socket", "waitress.client_disconnected"])
def test_who_hung_up_leaves_its_place_to_the_next(key: str) -> None:
    server = Server("few", listen_streams=1)
    app = App(server)
    server.add_tool(lambda: "x", "old")

    def listen() -> tuple[str, Any, socket.socket]:
        ours, theirs = socket.socketpair()
        hidden = {"waitress.client_disconnected": lambda: ours.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""}
        wire = Wire()
        body: Any = app(environ(BODY, **META, **MANY, **{key: hidden.get(key, ours)}), wire)
        return wire.status, body, theirs

    status, first, peer = listen()
    assert status.startswith("200")
    assert next(first)
    peer.close()
    status, second, peer = listen()
    assert status.startswith("200")
    assert server.hub.streams == 1
    assert list(first) == []
    second.close()
    peer.close()


def test_a_real_server_tells_a_real_client(server: Server) -> None:
    server.keep_alive = 0.05
    httpd = make_http(server, port=0)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
    thread.start()
    connection = http.client.HTTPConnection("127.0.0.1", httpd.server_address[1], timeout=10)
    try:
        connection.request("POST", "/mcp", BODY, HEAD)
        answer = connection.getresponse()
        assert answer.readline().startswith((b"event:", b"data:"))
        while answer.readline() != b":\n":
            pass  # silence is broken by a comment
        grow(server)
        server.close()
        assert methods(answer.read())[-2:] == TOLD[1:]
    finally:
        connection.close()
        httpd.shutdown()
        thread.join()
        httpd.server_close()


def test_asgi(server: Server) -> None:
    async def main() -> None:
        wire = AsgiWire(BODY, **HEAD)
        first = asyncio.Event()
        wire.on_piece = first.set
        running = asyncio.ensure_future(wire.run(AsgiApp(server)))
        await first.wait()
        await asyncio.to_thread(grow, server)
        await asyncio.to_thread(server.close)
        assert methods(await running) == TOLD
        assert server.hub.streams == 0

    asyncio.run(main())


def test_asgi_notices_who_hangs_up(server: Server) -> None:
    async def main() -> None:
        wire = AsgiWire(BODY, **HEAD)
        wire.on_piece = wire.left.set
        await wire.run(AsgiApp(server))
        assert server.hub.streams == 0

    asyncio.run(main())


def test_asgi_leaves_a_reader_that_takes_nothing(server: Server) -> None:
    class Stuck(AsgiWire):
        async def send(self, message: Any) -> None:
            await super().send(message)
            if message["type"] == "http.response.body":
                await asyncio.Event().wait()

    async def main() -> None:
        wire = Stuck(BODY, **HEAD)
        first = asyncio.Event()
        wire.on_piece = first.set
        running = asyncio.ensure_future(wire.run(AsgiApp(server)))
        await first.wait()
        (stream,) = server.hub._streams
        stream.close()  # as a stream does that has too much unread
        await running
        assert server.hub.streams == 0

    asyncio.run(main())


def test_flask(server: Server) -> None:
    flask = pytest.importorskip("flask")
    from mcpgraft.flask import mount

    app = flask.Flask("app")
    mount(app, server, "/mcp")
    base = {"wsgi.multithread": True}
    answer = app.test_client().post("/mcp", data=BODY, headers=HEAD, environ_overrides=base, buffered=False)
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert "Content-Length" not in answer.headers
    grow(server)
    server.close()
    assert methods(b"".join(answer.response)) == TOLD
    server.hub.closed = False
    answer = app.test_client().post("/mcp", data=BODY, headers=HEAD, environ_overrides=base, buffered=False)
    assert server.hub.streams == 1
    answer.close()
    assert server.hub.streams == 0


class TestDjango:
    @pytest.fixture(autouse=True)
    def site(self, server: Server) -> Any:
        pytest.importorskip("django")
        from . import test_django

        test_django.settings.__wrapped__()  # type: ignore[attr-defined]
        yield from test_django.site.__wrapped__(server)  # type: ignore[attr-defined]

    def test_under_wsgi(self, server: Server) -> None:
        from django.test import Client

        more = {**META, "wsgi.multithread": True}
        answer = Client().generic("POST", "/mcp", BODY, "application/json", **more)
        assert answer["Content-Type"].startswith("text/event-stream")
        grow(server)
        server.close()
        assert methods(b"".join(answer.streaming_content)) == TOLD

    @pytest.mark.parametrize("path", ["/mcp", "/later"])
    def test_under_asgi(self, server: Server, path: str) -> None:
        from django.test import AsyncClient

        async def main() -> None:
            answer = await AsyncClient().generic("POST", path, BODY, **DJANGO)
            assert answer["Content-Type"].startswith("text/event-stream")
            pieces = [await anext(answer.streaming_content)]
            await asyncio.to_thread(grow, server)
            await asyncio.to_thread(server.close)
            assert methods(b"".join(pieces + [piece async for piece in answer.streaming_content])) == TOLD
            assert server.hub.streams == 0

        asyncio.run(main())


# --- sessions through a host -----------------------------------------------------------------------------------------


def test_a_session_over_wsgi() -> None:
    server = Server("kept", sessions="memory")
    app = App(server)
    wire = Wire()
    wire.run(app, environ(request("initialize", INITIALIZE), **META_LEGACY))
    id = wire.headers["Mcp-Session-Id"]
    listening = Wire()
    env = environ(**{**META_LEGACY, "HTTP_MCP_SESSION_ID": id, "REQUEST_METHOD": "GET", "wsgi.multithread": True})
    body = app(env, listening)
    assert listening.status == "200 OK"
    grow(server)
    ended = Wire()
    ended.run(app, environ(**{**META_LEGACY, "HTTP_MCP_SESSION_ID": id, "REQUEST_METHOD": "DELETE"}))
    assert ended.status == "200 OK"
    assert list(body) == []
    gone = Wire()
    gone.run(app, environ(request("ping"), **{**META_LEGACY, "HTTP_MCP_SESSION_ID": id}))
    assert gone.status.startswith("404")


META_LEGACY = {"HTTP_ACCEPT": HEADERS["Accept"]}


def test_a_cancelled_async_tool_stops_and_its_request_ends() -> None:
    server = Server("kept", sessions="memory")
    running, stopped = threading.Event(), threading.Event()

    @server.tool
    async def wait() -> str:
        running.set()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    async def main() -> None:
        app = AsgiApp(server)
        opened = AsgiWire(request("initialize", INITIALIZE))
        await opened.run(app)
        session = {"mcp-session-id": opened.headers["mcp-session-id"]}
        wire = AsgiWire(request("tools/call", {"name": "wait", "arguments": {}}, id=7), **session)
        call = asyncio.ensure_future(wire.run(app))
        await asyncio.to_thread(running.wait, 5)
        cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
        told = AsgiWire(json.dumps(cancelled).encode(), **session)
        await told.run(app)
        assert told.status == 202
        assert await call == b""
        assert wire.status == 202
        assert stopped.is_set()

    asyncio.run(main())


def test_a_cancelled_async_tool_stops_in_a_sync_host() -> None:
    server = Server("kept", sessions="memory")
    running = threading.Event()

    @server.tool
    async def wait() -> str:
        running.set()
        await asyncio.Event().wait()
        return ""

    app = App(server)
    wire = Wire()
    wire.run(app, environ(request("initialize", INITIALIZE), **META_LEGACY))
    meta = {**META_LEGACY, "HTTP_MCP_SESSION_ID": wire.headers["Mcp-Session-Id"]}
    called = Wire()
    body = request("tools/call", {"name": "wait", "arguments": {}}, id=7)
    thread = threading.Thread(target=lambda: called.run(app, environ(body, **meta)))
    thread.start()
    assert running.wait(5)
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    Wire().run(app, environ(json.dumps(cancelled).encode(), **meta))
    thread.join(5)
    assert not thread.is_alive()
    assert called.status.startswith("202")


# --- what browsers see, and the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "streams", "status"), [("wrong", 1, "401"), ("k", 0, "404"), ("k", 1, "503")])
def test_refusals_can_be_read_by_pages(key: str, streams: int, status: str) -> None:
    server = Server("x", auth=ApiKey("k"), allowed_origins=["https://page.example"], listen_streams=streams)
    server.hub.closed = True
    wire = Wire()
    wire.run(App(server), environ(BODY, **META, HTTP_ORIGIN="https://page.example", HTTP_X_API_KEY=key, **MANY))
    assert wire.status.startswith(status)
    assert wire.headers["Access-Control-Allow-Origin"] == "https://page.example"
    assert "WWW-Authenticate" in wire.headers["Access-Control-Expose-Headers"]


def test_stdio_ends_subscriptions(server: Server) -> None:
    inside, to = os.pipe()
    out, outside = os.pipe()
    thread = threading.Thread(target=run_stdio, args=(server,), kwargs={"descriptors": (inside, outside)})
    thread.start()
    with os.fdopen(out, "rb") as reader:
        second = {**LISTEN, "id": "t"}
        os.write(to, BODY + b"\n" + json.dumps(second).encode() + b"\n")
        seen = [json.loads(reader.readline()) for _ in range(2)]
        grow(server)
        seen += [json.loads(reader.readline()) for _ in range(2)]
        os.close(to)
        seen += [json.loads(reader.readline()) for _ in range(4)]
        thread.join(5)
    assert [one.get("method", one.get("id")) for one in seen] == [
        *TOLD[:1] * 2,
        *TOLD[1:2] * 2,
        *("s", "notifications/cancelled", "t", "notifications/cancelled"),
    ]
    os.close(inside)
    os.close(outside)


def test_signals_close_first_and_go_on(server: Server) -> None:
    closed, seen = threading.Event(), threading.Event()
    server.close = closed.set  # type: ignore[method-assign]
    before = signal.signal(signal.SIGTERM, lambda *_: seen.set())
    interrupt = signal.getsignal(signal.SIGINT)
    try:
        assert close_on_signals(server)
        assert close_on_signals(server)  # once is enough
        os.kill(os.getpid(), signal.SIGTERM)
        assert closed.wait(5)
        assert seen.wait(5)
        refused: list[bool] = []
        thread = threading.Thread(target=lambda: refused.append(close_on_signals(server)))
        thread.start()
        thread.join()
        assert refused == [False]
    finally:
        signal.signal(signal.SIGTERM, before)
        signal.signal(signal.SIGINT, interrupt)
