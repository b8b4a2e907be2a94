"""Kept events: what a store holds, and clients that come back for the rest through every host."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from mcpgraft import Context, Server
from mcpgraft._native import KEEP_ALIVE
from mcpgraft.asgi import App as AsgiApp
from mcpgraft.errors import RegistrationError
from mcpgraft.events import EventStore, Kept, MemoryEvents, RedisEvents
from mcpgraft.wsgi import App

from .test_asgi import Wire as AsgiWire
from .test_wsgi import Wire, environ
from .wire import HEADERS, events, request

VERSION = "2025-11-25"
MANY: Any = {"wsgi.multithread": True}
HELLO = {"protocolVersion": VERSION, "capabilities": {"elicitation": {}}, "clientInfo": {"name": "t", "version": "0"}}


class Gate:
    """A tool that says something, ends its response, and waits."""

    def __init__(self) -> None:
        self.server = Server("long", sessions="memory", events=MemoryEvents(), keep_alive=5.0)
        self.open = threading.Event()
        self.waits = threading.Event()
        self.closed: list[bool] = []

        @self.server.tool
        def long(ctx: Context, steps: int = 0) -> str:
            for step in range(steps):
                ctx.progress(step + 1)
            self.closed.append(ctx.close_stream(retry_ms=50))
            self.waits.set()
            assert self.open.wait(10)
            return "done"

        @self.server.tool
        async def ask(ctx: Context) -> str:
            ctx.close_stream()
            return str(await ctx.elicit("name", "Who?", {"type": "object", "properties": {"n": {"type": "string"}}}))


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.open.set()
    gate.server.close()


Send = Callable[..., tuple[int, bytes, dict[str, str]]]


def through_wsgi(app: Any, **more: Any) -> Send:
    def send(method: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        wire = Wire()
        sent = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in headers.items()}
        env = environ(body, REQUEST_METHOD=method, HTTP_ACCEPT=HEADERS["Accept"], **MANY, **sent)
        answer = wire.run(app, {**env, **more})
        return int(wire.status[:3]), answer, {name.lower(): value for name, value in wire.headers.items()}

    return send


def through_flask(server: Server) -> Send:
    flask = pytest.importorskip("flask")
    from mcpgraft.flask import mount

    app = flask.Flask("app")
    mount(app, server, "/mcp")
    return through_wsgi(app)


class Asgi:
    """A loop in a thread, for hosts that need one that lasts."""

    def __init__(self, server: Server) -> None:
        self.app = AsgiApp(server)
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, daemon=True).start()

    def __call__(self, method: str, body: bytes = b"", **headers: str) -> tuple[int, bytes, dict[str, str]]:
        async def run() -> tuple[int, bytes, dict[str, str]]:
            wire = AsgiWire(body, method=method, **headers)
            answer = await wire.run(self.app)
            return wire.status, answer, wire.headers

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(20)


HOSTS: dict[str, Callable[[Server], Send]] = {
    "wsgi": lambda server: through_wsgi(App(server)),
    "flask": through_flask,
    "asgi": Asgi,
}


def opened(send: Send, version: str = VERSION) -> dict[str, str]:
    """The headers of a session."""
    status, _, headers = send("POST", request("initialize", {**HELLO, "protocolVersion": version}))
    assert status == 200
    return {"MCP-Protocol-Version": version, "Mcp-Session-Id": headers["mcp-session-id"]}


def call(name: str = "long", **arguments: Any) -> bytes:
    return request("tools/call", {"name": name, "arguments": arguments}, progress=True)


def last_id(body: bytes) -> str:
    return [line[4:].decode() for line in body.split(b"\n") if line.startswith(b"id: ")][-1]


# proves: S-153, S-158, S-160, S-164, S-166
@pytest.mark.parametrize("host", HOSTS)
def test_a_response_ends_before_its_answer_which_comes_later(host: str, gate: Gate) -> None:
    send = HOSTS[host](gate.server)
    session = opened(send)
    status, body, headers = send("POST", call(steps=2), **session)
    assert (status, headers["content-type"]) == (200, "text/event-stream")
    assert body.startswith(b"id: ")
    assert b"\nretry: 50\n" in body
    assert [one["params"]["progress"] for one in events(body)] == [1, 2]
    assert gate.waits.wait(10)
    assert gate.closed == [True]
    # It comes back before there is an answer, and waits.
    back: list[tuple[int, bytes, dict[str, str]]] = []
    resume = {**session, "Last-Event-ID": last_id(body)}
    waiting = threading.Thread(target=lambda: back.append(send("GET", **resume)))
    waiting.start()
    gate.open.set()
    waiting.join(20)
    assert back[0][0] == 200
    assert [one["result"]["content"][0]["text"] for one in events(back[0][1])] == ["done"]
    # And once more: from the first event on.
    name = resume["Last-Event-ID"].rsplit("-", 1)[0]
    again = send("GET", **{**session, "Last-Event-ID": f"{name}-1"})
    assert again[2]["content-length"] == str(len(again[1]))
    assert [one.get("method", "result") for one in events(again[1])] == ["notifications/progress", "result"]


@pytest.mark.parametrize("host", HOSTS)
def test_a_question_finds_its_client_when_it_comes_back(host: str, gate: Gate) -> None:
    send = HOSTS[host](gate.server)
    session = opened(send)
    _, body, _ = send("POST", call("ask"), **session)
    resume = {**session, "Last-Event-ID": last_id(body)}
    got: list[Any] = []

    def come_back() -> None:
        got.extend(events(send("GET", **resume)[1]))

    reader = threading.Thread(target=come_back)
    reader.start()
    store: Any = gate.server.events
    while not (kept := next(iter(store.store._streams.values())).events):
        assert reader.is_alive()
    question = events(kept[0][1])[0]
    answer = {"jsonrpc": "2.0", "id": question["id"], "result": {"action": "accept", "content": {"n": "Ada"}}}
    assert send("POST", json.dumps(answer).encode(), **session)[0] == 202
    reader.join(20)
    assert [one.get("method", "result") for one in got] == ["elicitation/create", "result"]
    assert "Ada" in got[1]["result"]["content"][0]["text"]


# proves: S-163, S-171, T-106
def test_nobody_gets_what_is_not_his(gate: Gate) -> None:
    send = through_wsgi(App(gate.server))
    session, other = opened(send), opened(send)
    _, body, _ = send("POST", call(), **session)
    id = last_id(body)
    name = id.rsplit("-", 1)[0]
    for headers in ({**other, "Last-Event-ID": id}, {**session, "Last-Event-ID": f"{name}-7"}):
        assert send("GET", **headers)[0] == 400
    for wrong in ("x", "", "x-0", "-0", f"{name}-00"):
        assert send("GET", **{**session, "Last-Event-ID": wrong})[0] == 400
    assert send("GET", **{**session, "Mcp-Session-Id": "gone", "Last-Event-ID": id})[0] == 404
    assert send("DELETE", **session)[0] == 200
    assert send("GET", **{**session, "Last-Event-ID": id})[0] == 404


def test_a_host_with_one_thread_lends_none(gate: Gate) -> None:
    send = through_wsgi(App(gate.server), **{"wsgi.multithread": False})
    session = opened(send)
    _, body, _ = send("POST", call(steps=1), **session)
    name = last_id(body).rsplit("-", 1)[0]
    status, body, _ = send("GET", **{**session, "Last-Event-ID": f"{name}-0"})
    assert status == 200
    assert [one["method"] for one in events(body)] == ["notifications/progress"]


def test_the_newest_connection_has_the_stream(gate: Gate) -> None:
    send = through_wsgi(App(gate.server))
    session = opened(send)
    _, body, _ = send("POST", call(), **session)
    sent = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in session.items()}
    env = environ(b"", REQUEST_METHOD="GET", HTTP_ACCEPT="text/event-stream", HTTP_LAST_EVENT_ID=last_id(body), **sent)
    first: Any = App(gate.server)({**env, **MANY}, Wire())
    second: Any = App(gate.server)({**env, **MANY}, Wire())
    assert list(first) == []
    assert next(second) == KEEP_ALIVE  # at once, so that the head of the response is sent
    gate.open.set()
    assert len(events(b"".join(second))) == 1
    assert gate.server.hub.streams == 0


def test_who_takes_a_call_back_hears_no_more_of_it(gate: Gate) -> None:
    send = through_wsgi(App(gate.server))
    session = opened(send)
    _, body, _ = send("POST", call(), **session)
    assert gate.waits.wait(10)
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert send("POST", json.dumps(cancel).encode(), **session)[0] == 202
    gate.open.set()
    status, rest, _ = send("GET", **{**session, "Last-Event-ID": last_id(body)})
    assert (status, events(rest)) == (200, [])


# proves: S-154, S-160
@pytest.mark.parametrize("version", ["2025-03-26", "2025-06-18"])
def test_an_older_client_keeps_its_stream_and_can_come_back_if_it_breaks(version: str, gate: Gate) -> None:
    gate.open.set()
    send = through_wsgi(App(gate.server))
    session = opened(send, version)
    _, body, _ = send("POST", call(steps=1), **session)
    assert gate.closed == [False]
    assert b"retry" not in body
    first = last_id(body).rsplit("-", 1)[0] + "-1"
    _, rest, _ = send("GET", **{**session, "Last-Event-ID": first})
    assert [one.get("method", "result") for one in events(rest)] == ["result"]
    # In the middle of the stream, too.
    env = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in session.items()}
    gate.open.clear()
    gate.waits.clear()
    broken: Any = App(gate.server)(environ(call(steps=1), HTTP_ACCEPT=HEADERS["Accept"], **MANY, **env), Wire())
    id = last_id(next(broken))
    assert gate.waits.wait(10)
    broken.close()
    gate.open.set()
    _, rest, _ = send("GET", **{**session, "Last-Event-ID": id})
    assert [one.get("method", "result") for one in events(rest)] == ["result"]


def test_without_a_store_nothing_is_kept() -> None:
    server = Server("plain", sessions="memory")

    @server.tool
    def tool(ctx: Context) -> str:
        ctx.progress(1)
        return str(ctx.close_stream())

    send = through_wsgi(App(server))
    _, body, _ = send("POST", call("tool"), **opened(send))
    assert b"id: " not in body
    assert events(body)[-1]["result"]["content"][0]["text"] == "False"


def test_a_store_that_fails_costs_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        poll = None

        def append(self, *_: object) -> None:
            raise OSError("down")

        def read(self, *_: object) -> None:
            raise OSError("down")

    server = Server("broken", sessions="memory", events=Broken())

    @server.tool
    def tool(ctx: Context) -> str:
        ctx.progress(1)
        return "done"

    send = through_wsgi(App(server))
    session = opened(send)
    _, body, _ = send("POST", call("tool"), **session)
    assert events(body)[-1]["result"]["content"][0]["text"] == "done"
    assert send("GET", **{**session, "Last-Event-ID": last_id(body)})[0] == 503
    assert "an event was not kept" in caplog.text


def test_what_a_server_takes_for_a_store() -> None:
    with pytest.raises(RegistrationError, match="sessions"):
        Server("x", events=MemoryEvents())
    for wrong in (object(), "memory"):
        with pytest.raises(RegistrationError, match="append"):
            Server("x", sessions="memory", events=wrong)  # type: ignore[arg-type]


# --- stores -----------------------------------------------------------------------------------------------------------


@pytest.fixture(params=["memory", "redis"])
def store(request: pytest.FixtureRequest) -> EventStore:
    if request.param == "memory":
        return MemoryEvents()
    return RedisEvents(request.getfixturevalue("redis_url"), prefix=f"t{id(request)}:")


def kept(store: Any, key: str, after: int) -> Kept | None:
    if isinstance(store, RedisEvents):
        store.flush()
    found: Kept | None = store.read(key, after)
    return found


def test_a_store_gives_back_what_it_got(store: EventStore) -> None:
    assert kept(store, "a", 0) is None
    store.append("a", 0, b"", False)
    assert kept(store, "a", 0) == Kept([], False)
    store.append("b", 0, b"", False)
    for number in (1, 2, 3):
        store.append("a", number, b"%d" % number, number == 3)
    assert kept(store, "a", 0) == Kept([(1, b"1"), (2, b"2"), (3, b"3")], True)
    assert kept(store, "a", 2) == Kept([(3, b"3")], True)
    assert kept(store, "b", 0) == Kept([], False)
    store.append("b", 1, b"x", False)
    store.append("b", 1, b"", True)
    assert kept(store, "b", 1) == Kept([], True)
    assert kept(store, "b", 0) == Kept([(1, b"x")], True)


def test_redis_forgets_the_first_events_of_a_long_stream(redis_url: str) -> None:
    store = RedisEvents(redis_url, ttl=0.2, max_events=3, prefix="long:")
    for number in range(9):
        store.append("a", number, b"x" if number else b"", False)
    assert kept(store, "a", 1) is None
    assert kept(store, "a", 5) == Kept([(6, b"x"), (7, b"x"), (8, b"x")], False)


def test_memory_stays_within_its_bounds() -> None:
    now = [0.0]
    store = MemoryEvents(max_bytes=100, ttl=10.0, max_streams=4, clock=lambda: now[0])
    for at in range(1000):
        key = f"s{at}"
        store.append(key, 0, b"", False)
        store.append(key, 1, b"x" * 30, False)
        assert store.bytes <= 100
        assert len(store) <= 4
    # A stream that has lost its beginning stays lost.
    store.append("s0", 2, b"late", True)
    assert store.read("s0", 0) is None
    assert store.read("s999", 0) == Kept([(1, b"x" * 30)], False)
    store.append("s999", 2, b"y" * 200, True)
    assert (store.bytes, len(store)) == (0, 0)
    store.append("t", 0, b"", False)
    now[0] = 9.0
    assert store.read("t", 0) == Kept([], False)
    now[0] = 18.0  # who asks keeps it alive
    assert store.read("t", 0) == Kept([], False)
    now[0] = 28.0
    assert store.read("t", 0) is None
    store.append("u", 0, b"", False)
    assert len(store) == 1


def test_two_workers_share_a_stream(redis_url: str) -> None:
    from mcpgraft.session_stores import RedisStore

    def worker() -> tuple[Server, threading.Event]:
        done = threading.Event()
        store = RedisEvents(redis_url, prefix="two:", poll=0.01)
        server = Server("two", sessions=RedisStore(redis_url), events=store)

        @server.tool
        def long(ctx: Context) -> str:
            ctx.close_stream(10)
            done.wait(10)
            return "done"

        return server, done

    (one, done), (two, _) = worker(), worker()
    there = through_wsgi(App(one))
    session = opened(there)
    _, body, _ = there("POST", call(), **session)
    assert isinstance(one.events.store, RedisEvents)  # type: ignore[union-attr]
    one.events.store.flush()  # type: ignore[union-attr]
    threading.Timer(0.05, done.set).start()
    _, rest, _ = through_wsgi(App(two))("GET", **{**session, "Last-Event-ID": last_id(body)})
    assert events(rest)[0]["result"]["content"][0]["text"] == "done"
