"""Responses that stay open: subscriptions/listen, and the GET stream of a session, without waiting for any clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from mcpgraft import Server
from mcpgraft.asgi import App as AsgiApp
from mcpgraft.wsgi import App

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def make(**options: Any) -> Server:
    server = Server("s", version="1", **options)
    server.add_tool(lambda: "x", "first", description="one")
    server.add_resource(lambda: "text", "test://a", name="a")
    return server


def listen(filter: dict[str, Any], id: Any = 7) -> bytes:
    params = {"notifications": filter, "_meta": META}
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": "subscriptions/listen", "params": params}).encode()


def environ(body: bytes, *, multithread: bool = True, **more: str) -> dict[str, Any]:
    from io import BytesIO

    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/mcp",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost",
        "HTTP_ACCEPT": "application/json, text/event-stream",
        "HTTP_MCP_PROTOCOL_VERSION": "2026-07-28",
        "HTTP_MCP_METHOD": "subscriptions/listen",
        "wsgi.input": BytesIO(body),
        "wsgi.url_scheme": "http",
        "wsgi.multithread": multithread,
        **more,
    }


def start(app: App, env: dict[str, Any]) -> tuple[int, dict[str, str], Iterator[bytes]]:
    begun: list[Any] = []
    body = app(env, lambda status, headers: begun.extend([int(status[:3]), dict(headers)]))
    return begun[0], begun[1], iter(body)


def events(part: bytes) -> list[Any]:
    return [json.loads(line[6:]) for line in part.decode().splitlines() if line.startswith("data: ")]


def test_changes_are_told_to_those_who_asked_and_come_together() -> None:
    server = make()
    app = App(server)
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["test://a"]}
    status, headers, body = start(app, environ(listen(wanted)))
    assert (status, headers["Content-Type"]) == (200, "text/event-stream")
    (ack,) = events(next(body))
    assert ack["method"] == "notifications/subscriptions/acknowledged"
    assert ack["params"]["notifications"] == wanted
    tag = {"io.modelcontextprotocol/subscriptionId": 7}
    assert ack["params"]["_meta"] == tag
    for n in range(3):
        server.add_tool(lambda: "x", f"more{n}")
    server.resource_updated("test://a")
    server.resource_updated("test://b")
    server.add_prompt(lambda: "x", "nobody asked for this one")
    heard = events(next(body))
    assert [one["method"] for one in heard] == [
        "notifications/tools/list_changed",
        "notifications/resources/updated",
    ]
    assert all(one["params"]["_meta"] == tag for one in heard)
    server.close()
    (last,) = events(next(body))
    assert last["id"] == 7
    assert last["result"]["resultType"] == "complete"
    assert list(body) == []
    assert server.hub.streams == 0


def test_a_client_that_goes_frees_its_place_and_there_are_only_so_many() -> None:
    server = make(listen_streams=2)
    app = App(server)
    bodies = [start(app, environ(listen({"toolsListChanged": True}, n)))[2] for n in range(2)]
    for body in bodies:
        next(body)
    refused, headers, _ = start(app, environ(listen({})))
    assert (refused, headers["Retry-After"]) == (503, "60")
    bodies[0].close()  # type: ignore[attr-defined]
    status, _, body = start(app, environ(listen({})))
    assert status == 200
    assert server.hub.streams == 2


@pytest.mark.parametrize(("multithread", "options"), [(False, {}), (True, {"listen_streams": 0})])
def test_where_nothing_can_be_kept_open_nothing_is_promised(multithread: bool, options: dict[str, Any]) -> None:
    app = App(make(**options))
    status, _, body = start(app, environ(listen({"toolsListChanged": True}), multithread=multithread))
    assert status == 404
    assert json.loads(b"".join(body))["error"]["code"] == -32601
    ask = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": META}}).encode()
    env = environ(ask, multithread=multithread, HTTP_MCP_METHOD="server/discover")
    _, _, body = start(app, env)
    assert json.loads(b"".join(body))["result"]["capabilities"]["tools"] == {}


def test_the_get_stream_of_a_session() -> None:
    server = make(sessions="memory")
    app = App(server)
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    message = {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": client}
    plain = {"HTTP_MCP_PROTOCOL_VERSION": "2025-11-25", "HTTP_MCP_METHOD": ""}
    _, headers, body = start(app, environ(json.dumps(message).encode(), **plain))
    capabilities = json.loads(b"".join(body))["result"]["capabilities"]
    assert capabilities["resources"] == {"subscribe": True, "listChanged": True}
    session = {**plain, "HTTP_MCP_SESSION_ID": headers["Mcp-Session-Id"]}
    status, _, stream = start(app, environ(b"", REQUEST_METHOD="GET", **session))
    assert status == 200
    assert events(next(stream)) == []  # at once, so that the head of the response is sent
    server.resource_updated("test://a")
    server.add_tool(lambda: "x", "second")
    assert [one["method"] for one in events(next(stream))] == ["notifications/tools/list_changed"]
    subscribe = {"jsonrpc": "2.0", "id": 1, "method": "resources/subscribe", "params": {"uri": "test://a"}}
    start(app, environ(json.dumps(subscribe).encode(), **session))
    server.resource_updated("test://a")
    (heard,) = events(next(stream))
    assert heard == {
        "jsonrpc": "2.0",
        "method": "notifications/resources/updated",
        "params": {"uri": "test://a"},
    }
    assert start(app, environ(b"", REQUEST_METHOD="GET", **plain))[0] == 400


def test_under_asgi() -> None:
    server = make()

    async def talk() -> list[Any]:
        sent: asyncio.Queue[Any] = asyncio.Queue()
        gone = asyncio.Event()
        body = listen({"toolsListChanged": True}, "L")
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": body}
            await gone.wait()
            return {"type": "http.disconnect"}

        headers = [
            (b"host", b"localhost"),
            (b"content-type", b"application/json"),
            (b"accept", b"application/json, text/event-stream"),
            (b"mcp-protocol-version", b"2026-07-28"),
            (b"mcp-method", b"subscriptions/listen"),
        ]
        scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers, "scheme": "http"}
        running = asyncio.ensure_future(AsgiApp(server)(scope, receive, sent.put))
        heard = [await sent.get(), await sent.get()]
        server.add_tool(lambda: "x", "second")
        heard.append(await sent.get())
        gone.set()
        await running
        return heard

    begun, ack, changed = asyncio.run(talk())
    assert begun["status"] == 200
    assert events(ack["body"])[0]["params"]["_meta"] == {"io.modelcontextprotocol/subscriptionId": "L"}
    assert events(changed["body"])[0]["method"] == "notifications/tools/list_changed"
    assert server.hub.streams == 0
