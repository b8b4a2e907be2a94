"""The HTTP+SSE transport of 2024-11-05: through every host, with questions, until its end."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from mcpgraft import ApiKey, Context, Server
from mcpgraft.asgi import App as AsgiApp
from mcpgraft.sse import Peer
from mcpgraft.wsgi import App

from .test_asgi import Wire as AsgiWire
from .test_listening_hosts import grow
from .test_wsgi import Wire, environ
from .wire import HEADERS, events, request

INITIALIZE = {
    "protocolVersion": "2024-11-05",
    "capabilities": {"roots": {}},
    "clientInfo": {"name": "t", "version": "0"},
}
MORE: dict[str, Any] = {"wsgi.multithread": True, "PATH_INFO": "/sse"}


class Old:
    """A client over WSGI."""

    def __init__(self, server: Server, **headers: str) -> None:
        self.app = App(server, path="/mcp", sse="/sse")
        self.headers = headers
        self.wire = Wire()
        self.stream: Any = iter(self.app(environ(REQUEST_METHOD="GET", **MORE, **headers), self.wire))
        if self.wire.status == "200 OK":
            first = next(self.stream).decode()
            assert first.startswith("event: endpoint\ndata: ?sessionId=")
            assert first.endswith("\n\n")
            self.query = first.split("?")[1].strip()

    def post(self, body: bytes, query: str | None = None, **headers: str) -> str:
        wire = Wire()
        sent = {**self.headers, **headers, "QUERY_STRING": self.query if query is None else query}
        wire.run(self.app, environ(body, **MORE, **sent))
        return wire.status.split()[0]

    def next(self) -> Any:
        piece = next(self.stream)
        assert piece.startswith(b"event: message\ndata: ")
        (message,) = events(piece)
        return message


@pytest.fixture
def client(server: Server) -> Old:
    return Old(server)


# proves: S-180, S-181, S-182, T-107
def test_a_conversation(server: Server, client: Old) -> None:
    assert client.wire.headers["Content-Type"] == "text/event-stream"
    assert client.post(request("initialize", INITIALIZE)) == "202"
    assert client.next()["result"]["protocolVersion"] == "2024-11-05"
    assert client.post(b'{"jsonrpc":"2.0","method":"notifications/initialized"}') == "202"
    assert client.post(request("tools/call", {"name": "add", "arguments": {"a": 1}}, id=2)) == "202"
    assert client.next()["result"]["content"][0]["text"] == "2"
    grow(server)
    assert client.next()["method"] == "notifications/tools/list_changed"
    server.close()
    assert list(client.stream) == []
    assert client.post(request("ping")) == "404"


def test_a_question_on_the_way(server: Server, client: Old) -> None:
    @server.tool
    def roots(ctx: Context) -> str:
        assert ctx.headers["X-Who"] == "me"  # those of the request that called
        return next(iter(ctx.roots())).uri

    client.post(request("initialize", INITIALIZE))
    client.next()
    client.post(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    client.post(request("tools/call", {"name": "roots", "arguments": {}}, id=2), HTTP_X_WHO="me")
    asked = client.next()
    assert asked["method"] == "roots/list"
    answer = {"jsonrpc": "2.0", "id": asked["id"], "result": {"roots": [{"uri": "file:///a"}]}}
    assert client.post(json.dumps(answer).encode()) == "202"
    assert client.next()["result"]["content"][0]["text"] == "file:///a"


def test_the_end_of_the_stream_is_the_end_of_the_session(server: Server, client: Old) -> None:
    stopped = threading.Event()
    running = threading.Semaphore(0)
    go, cancelled = threading.Event(), threading.Event()

    @server.tool
    def look(ctx: Context) -> str:
        running.release()
        assert go.wait(5)
        if ctx.cancelled:
            cancelled.set()
        return ""

    @server.tool
    async def wait() -> str:
        running.release()
        try:
            await asyncio.Event().wait()
        finally:
            stopped.set()
        return ""

    client.post(request("initialize", INITIALIZE))
    client.post(request("tools/call", {"name": "wait", "arguments": {}}, id=2))
    client.post(request("tools/call", {"name": "look", "arguments": {}}, id=3))
    assert running.acquire(timeout=5)
    assert running.acquire(timeout=5)
    client.stream.close()
    go.set()
    assert stopped.wait(5)
    assert cancelled.wait(5)
    assert client.post(request("ping")) == "404"
    assert server.hub.streams == 0


# proves: S-183, S-184
def test_what_is_refused(server: Server, client: Old) -> None:
    assert client.post(request("ping"), query="") == "400"
    assert client.post(request("ping"), query="sessionId=x") == "404"
    assert client.post(request("ping"), query=client.query + "&" + client.query) == "400"
    assert client.post(b"{") == "400"
    assert client.post(request("ping"), CONTENT_TYPE="text/plain") == "415"
    assert client.post(request("ping"), HTTP_ORIGIN="https://evil.example") == "403"
    assert client.post(b"", REQUEST_METHOD="DELETE") == "405"
    assert Old(server, HTTP_ORIGIN="https://evil.example").wire.status.startswith("403")
    server.listen_streams = 1
    assert Old(server).wire.status.startswith("503")


def test_a_session_is_its_principals_own() -> None:
    server = Server("x", auth=ApiKey({"k1": "ada", "k2": "eve"}))
    assert Old(server).wire.status.startswith("401")
    ada = Old(server, HTTP_X_API_KEY="k1")
    assert ada.post(request("ping"), HTTP_X_API_KEY="k2") == "404"
    assert ada.post(request("ping"), HTTP_X_API_KEY="") == "401"
    assert ada.post(request("ping")) == "202"


def test_a_slow_reader_is_cut_off(server: Server, client: Old, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Peer, "BACKLOG", 3)
    client.post(request("initialize", INITIALIZE))
    assert [client.post(request("ping", id=id)) for id in range(2, 7)] == ["202", "202", "202", "404", "404"]
    assert list(client.stream) == []


def test_no_old_transport_unless_asked_for(server: Server) -> None:
    wire = Wire()
    wire.run(App(server, path="/mcp"), environ(REQUEST_METHOD="GET", **MORE))
    assert wire.status.startswith("404")


def test_asgi(server: Server) -> None:
    async def main() -> None:
        app = AsgiApp(server, sse="/sse")
        wire = AsgiWire(b"", path="/sse", method="GET")
        came = asyncio.Event()
        wire.on_piece = came.set
        running = asyncio.ensure_future(wire.run(app))
        await came.wait()
        query = wire.pieces[0].decode().split("?")[1].strip()
        for body in (
            request("initialize", INITIALIZE),
            request("tools/call", {"name": "async-add", "arguments": {"a": 1}}),
        ):
            came.clear()
            post = AsgiWire(body, path="/sse")
            post.scope["query_string"] = query.encode()
            assert await post.run(app) == b"Accepted"
            await came.wait()
        assert events(wire.pieces[2])[0]["result"]["content"][0]["text"] == "2"
        wire.left.set()
        await running
        assert server.hub.streams == 0

    asyncio.run(main())


def test_flask_and_blueprints(server: Server) -> None:
    flask = pytest.importorskip("flask")
    from mcpgraft.flask import mount

    app, blueprint = flask.Flask("app"), flask.Blueprint("api", "api", url_prefix="/api")
    mount(blueprint, server, "/mcp", sse="/sse")
    app.register_blueprint(blueprint)
    browser = app.test_client()
    answer = browser.get("/api/sse", environ_overrides={"wsgi.multithread": True}, buffered=False)
    stream = iter(answer.response)
    query = next(stream).decode().split("?")[1].strip()
    posted = browser.post("/api/sse?" + query, data=request("initialize", INITIALIZE), headers=HEADERS)
    assert posted.status_code == 202
    assert events(next(stream))[0]["result"]["serverInfo"]["name"] == "everything"
    answer.close()
    assert server.hub.streams == 0


def test_django(server: Server) -> None:
    pytest.importorskip("django")
    from django.test import RequestFactory

    from mcpgraft.django import sse_view

    from . import test_django

    test_django.settings.__wrapped__()  # type: ignore[attr-defined]
    view = sse_view(server)
    stream = iter(view(RequestFactory().get("/sse", **{"wsgi.multithread": True})))
    query = next(stream).decode().split("?")[1].strip()
    posted = view(RequestFactory().post("/sse?" + query, request("initialize", INITIALIZE), "application/json"))
    assert posted.status_code == 202
    assert events(next(stream))[0]["result"]["protocolVersion"] == "2024-11-05"
    server.close()
