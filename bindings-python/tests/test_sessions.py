"""Sessions of the handshake era: every way of keeping them, over the same requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcpgraft import ApiKey, Context, RegistrationError, Server
from mcpgraft.bridge import Inline, drive
from mcpgraft.keys import KeyRing
from mcpgraft.sessions import (
    MemorySessions,
    SealedSessions,
    StoredSessions,
    TooManySessions,
)
from mcpgraft.testing import Client, HttpError, ProtocolError
from mcpgraft.testing_answers import Replies

SECRET = b"0123456789abcdef0123456789abcdef"
HOP = Inline()


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Table:
    """A store: two functions."""

    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}
        self.saves = 0
        self.ttl = 0.0

    def load(self, id: str, /) -> bytes | None:
        return self.rows.get(id)

    def save(self, id: str, saved: bytes | None, ttl: float, /) -> None:
        self.saves += 1
        self.ttl = ttl
        if saved is None:
            self.rows.pop(id, None)
        else:
            self.rows[id] = saved


class AsyncTable(Table):
    async def load(self, id: str, /) -> bytes | None:  # type: ignore[override]
        return super().load(id)

    async def save(self, id: str, saved: bytes | None, ttl: float, /) -> None:  # type: ignore[override]
        super().save(id, saved, ttl)


def make(sessions: Any, **options: Any) -> Server:
    server = Server("kept", sessions=sessions, secrets=[SECRET], **options)

    @server.tool
    def hello(ctx: Context) -> str:
        ctx.debug("deep inside")
        return "hello"

    @server.resource("note://one")
    def note() -> str:
        return "one"

    return server


WAYS: dict[str, Callable[[], Any]] = {
    "memory": lambda: "memory",
    "sealed": lambda: "sealed",
    "store": Table,
    "async store": AsyncTable,
}


@pytest.mark.parametrize("way", WAYS)
def test_a_session_lives_and_ends(way: str) -> None:
    server = make(WAYS[way]())
    client = Client(server, era="legacy")
    assert client.session_id is not None
    assert all(0x21 <= ord(char) <= 0x7E for char in client.session_id)
    assert client.call("hello")["content"][0]["text"] == "hello"
    other = Client(server, era="legacy")
    assert other.session_id != client.session_id
    assert client.end() == (405 if way == "sealed" else 200)
    if way != "sealed":  # an id that carries everything cannot be taken back
        with pytest.raises(ProtocolError) as gone:
            client.call("hello")
        assert gone.value.status == 404
        assert client.end() == 404
    assert other.call("hello")["content"][0]["text"] == "hello"


@pytest.mark.parametrize("way", WAYS)
def test_without_an_id_or_with_a_wrong_one(way: str) -> None:
    client = Client(make(WAYS[way]()), era="legacy")
    assert client.session_id is not None
    for id, status in ((None, 400), ("", 404), ("x", 404), (client.session_id[:-1], 404), ("é", 404)):
        client.session_id = id
        with pytest.raises((ProtocolError, HttpError)) as wrong:
            client.call("hello")
        assert wrong.value.status in (status, 400), id


def test_off_opens_none(server: Server) -> None:
    client = Client(server, era="legacy")
    assert client.session_id is None
    assert client.end() == 405


@pytest.mark.parametrize("way", ["memory", "store"])
def test_a_level_is_kept(way: str) -> None:
    client = Client(make(WAYS[way]()), era="legacy", log_level="debug")
    client.call("hello")
    assert [one["params"]["data"] for one in client.notifications] == ["deep inside"]


@pytest.mark.parametrize("way", WAYS)
def test_a_session_is_its_principals_own(way: str) -> None:
    server = make(WAYS[way](), auth=ApiKey({"k1": "ada", "k2": "eve"}))
    ada = Client(server, era="legacy", headers={"x-api-key": "k1"})
    eve = Client(server, era="legacy", headers={"x-api-key": "k2"})
    eve.session_id = ada.session_id
    with pytest.raises(ProtocolError) as wrong:
        eve.call("hello")
    assert wrong.value.status == 404
    assert eve.end() == 404
    ada.call("hello")


def test_modern_clients_need_none() -> None:
    client = Client(make("memory"), headers={"Mcp-Session-Id": "whatever"})
    assert client.call("hello")["content"][0]["text"] == "hello"


def test_several_workers_share_what_is_sealed_or_stored() -> None:
    table = Table()
    for way in ("sealed", table):
        client = Client(make(way), era="legacy")
        client.server = make(way)
        client.call("hello")


def test_other_secrets_open_nothing() -> None:
    client = Client(make("sealed"), era="legacy")
    client.server = Server("other", sessions="sealed", secrets=[b"another secret, long enough"])
    with pytest.raises(ProtocolError) as wrong:
        client.request("ping")
    assert wrong.value.status == 404


# --- memory ----------------------------------------------------------------------------------------------------------


def opened(sessions: Any, saved: bytes = b"saved") -> str:
    return str(drive(sessions.open(HOP, saved)))


def loaded(sessions: Any, id: str) -> bytes | None:
    found: bytes | None = drive(sessions.load(HOP, id))
    return found


def test_idle_sessions_end() -> None:
    clock = Clock()
    table = MemorySessions(10, idle=60, clock=clock)
    id = opened(table)
    for _ in range(5):
        clock.now += 59
        assert loaded(table, id) == b"saved"  # a look is a use
    clock.now += 60
    assert loaded(table, id) is None
    assert len(table) == 0


def test_a_session_in_use_is_not_idle() -> None:
    clock = Clock()
    table = MemorySessions(10, idle=60, clock=clock)
    id = opened(table)
    release = table.hold(id)
    clock.now += 1000
    assert loaded(table, id) == b"saved"
    clock.now += 1000
    release()
    assert loaded(table, id) == b"saved"
    clock.now += 61
    assert loaded(table, id) is None


def test_the_table_is_bounded() -> None:
    table = MemorySessions(3, clock=Clock())
    first, second, third = (opened(table) for _ in range(3))
    loaded(table, first)
    fourth = opened(table)
    assert len(table) == 3
    assert loaded(table, second) is None  # idle longest
    assert None not in (loaded(table, first), loaded(table, third), loaded(table, fourth))


def test_sessions_in_use_keep_their_place() -> None:
    table = MemorySessions(2, clock=Clock())
    first, second = opened(table), opened(table)
    release = table.hold(first)
    table.hold(second)
    with pytest.raises(TooManySessions):
        opened(table)
    release()
    third = opened(table)
    assert loaded(table, first) is None
    assert None not in (loaded(table, second), loaded(table, third))


def test_a_full_table_answers_503() -> None:
    server = make(MemorySessions(1))
    client = Client(server, era="legacy")
    heard = client.listen()
    with pytest.raises(ProtocolError) as full:
        Client(server, era="legacy")
    assert full.value.status == 503
    heard.close()
    Client(server, era="legacy")


def test_abandoned_sessions_leave_the_table() -> None:
    clock = Clock()
    table = MemorySessions(10_000, idle=60, clock=clock)
    for _ in range(1000):
        opened(table)
    clock.now += 61
    for _ in range(600):
        opened(table)
    assert len(table) == 600


def test_an_ended_session_is_not_saved_again() -> None:
    table = MemorySessions()
    id = opened(table)
    drive(table.end(HOP, id))
    drive(table.save(HOP, id, b"late"))
    assert loaded(table, id) is None


def test_changes_of_one_session_do_not_overwrite_each_other() -> None:
    server = make("memory", limits={"subscriptions": 100})
    client = Client(server, era="legacy", listen_streams=10)
    uris = [f"note://{index}" for index in range(40)]

    def subscribe(part: list[str]) -> None:
        for uri in part:
            body = {"jsonrpc": "2.0", "id": uri, "method": "resources/subscribe", "params": {"uri": uri}}
            assert client.raw(json.dumps(body).encode()).status == 200

    threads = [threading.Thread(target=subscribe, args=(uris[start::4],)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    heard = client.listen()
    for uri in uris:
        server.resource_updated(uri)
    assert heard.changes() == uris


# --- sealed, stored --------------------------------------------------------------------------------------------------


def test_sealed_sessions_expire() -> None:
    clock = Clock()
    sealed = SealedSessions(60, keys=KeyRing([SECRET]), clock=clock)
    id = opened(sealed)
    clock.now += 59
    assert loaded(sealed, id) == b"saved"
    clock.now += 2
    assert loaded(sealed, id) is None


def test_sealed_sessions_can_be_revoked() -> None:
    table = Table()
    server = make(SealedSessions(60, revoked=table))
    client = Client(server, era="legacy")
    assert client.end() == 200
    assert 0 < table.ttl <= 60
    assert client.session_id not in table.rows  # a digest of it
    with pytest.raises(ProtocolError) as gone:
        client.call("hello")
    assert gone.value.status == 404


def test_a_sealed_session_promises_no_subscriptions() -> None:
    for way, watches in (("sealed", False), ("memory", True)):
        capabilities = Client(make(way), era="legacy").server_info["capabilities"]
        assert capabilities["resources"].get("subscribe", False) is watches
        assert capabilities["tools"]["listChanged"] is True


def test_stores_are_not_written_for_every_request() -> None:
    clock, table = Clock(), Table()
    stored = StoredSessions(table, idle=80, clock=clock)
    id = opened(stored)
    for _ in range(9):
        clock.now += 1
        assert loaded(stored, id) == b"saved"
    assert table.saves == 1
    clock.now += 1
    assert loaded(stored, id) == b"saved"
    assert table.saves == 2
    clock.now += 80
    assert loaded(stored, id) is None


def test_a_store_is_not_asked_for_what_strangers_make_up() -> None:
    class Strict(Table):
        def load(self, id: str, /) -> bytes | None:
            assert len(id) == 32
            return super().load(id)

    stored = StoredSessions(Strict())
    assert loaded(stored, "../../etc") is None
    assert loaded(stored, opened(stored)) == b"saved"


def test_a_store_that_fails_is_not_the_clients_fault(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    server = make(table)
    client = Client(server, era="legacy")
    heard = client.listen(uris=["note://one"])

    def broken(*args: Any) -> Any:
        raise OSError("no route")

    table.load = broken  # type: ignore[method-assign]
    with pytest.raises(ProtocolError) as failed:
        client.call("hello")
    assert failed.value.status == 503
    assert "no route" in caplog.text
    server.resource_updated("note://one")
    assert heard.messages() == []
    assert heard.ended
    assert server.hub.streams == 0
    assert Client(server).call("hello")["content"][0]["text"] == "hello"  # needs no session


@pytest.mark.parametrize("wrong", ["redis", 3, object(), MemorySessions])
def test_what_is_no_way_of_keeping_sessions(wrong: Any) -> None:
    with pytest.raises(RegistrationError):
        Server("x", sessions=wrong)


# --- requests that meet ----------------------------------------------------------------------------------------------


def test_a_cancellation_reaches_the_running_call() -> None:
    server = make("memory")
    running, stop = threading.Event(), threading.Event()
    seen: list[bool] = []

    @server.tool
    def wait(ctx: Context) -> str:
        running.set()
        assert stop.wait(5)
        seen.append(ctx.cancelled)
        return "late"

    client = Client(server, era="legacy")
    answers: list[Any] = []

    def call() -> None:
        body = {"jsonrpc": "2.0", "id": "c1", "method": "tools/call", "params": {"name": "wait", "arguments": {}}}
        answers.append(client.raw(json.dumps(body).encode()))

    thread = threading.Thread(target=call)
    thread.start()
    assert running.wait(5)
    client.notify("notifications/cancelled", {"requestId": "other"})
    client.notify("notifications/cancelled", {"requestId": "c1"})
    stop.set()
    thread.join()
    assert seen == [True]
    assert (answers[0].status, answers[0].messages) == (202, [])


def test_the_end_of_a_session_takes_its_calls_back() -> None:
    server = make("memory")
    running, stop = threading.Event(), threading.Event()
    seen: list[bool] = []

    @server.tool
    def wait(ctx: Context) -> str:
        running.set()
        assert stop.wait(5)
        seen.append(ctx.cancelled)
        return "late"

    client = Client(server, era="legacy")
    other = Client(server, era="legacy")

    def call() -> None:
        with pytest.raises(HttpError):
            client.call("wait")

    thread = threading.Thread(target=call)
    thread.start()
    assert running.wait(5)
    other.end()
    client.end()
    stop.set()
    thread.join()
    assert seen == [True]


def test_an_answer_reaches_the_waiting_call() -> None:
    server = make("memory")

    @server.tool
    def name(ctx: Context) -> str:
        schema = {"type": "object", "properties": {"name": {"type": "string"}}}
        return str(ctx.elicit("who", "Who?", schema).data["name"])

    client = Client(server, era="legacy", answers=Replies(elicit=lambda _: {"name": "Ada"}))
    assert client.call("name")["content"][0]["text"] == "Ada"
