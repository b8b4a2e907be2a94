"""Streams that stay open: what is told to whom, once or coalesced, until which end."""

from __future__ import annotations

import asyncio
import queue
import threading
from typing import Any

import pytest

from mcpgraft import Server
from mcpgraft._native import KEEP_ALIVE
from mcpgraft.bridge import Inline, Loop, drive
from mcpgraft.listening import Stream
from mcpgraft.testing import Client, ProtocolError

HOP = Inline()


def make(**options: Any) -> Server:
    server = Server("told", secrets=[b"0123456789abcdef"], **options)

    @server.tool
    def one() -> str:
        return "1"

    @server.resource("note://one")
    def note() -> str:
        return "one"

    @server.prompt
    def ask() -> str:
        return "?"

    return server


def grow(server: Server, name: str = "two") -> None:
    server.add_tool(lambda: "2", name)


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_a_subscription_hears_what_it_asked_for(transport: Any) -> None:
    server = make()
    client = Client(server, transport=transport)
    heard = client.listen(tools=True, uris=["note://one"])
    (acknowledged,) = heard.messages()
    assert acknowledged["method"] == "notifications/subscriptions/acknowledged"
    assert acknowledged["params"]["notifications"] == {
        "toolsListChanged": True,
        "resourceSubscriptions": ["note://one"],
    }
    grow(server)
    server.add_prompt(lambda: "!", "other")
    server.resource_updated("note://one")
    server.resource_updated("note://two")
    assert heard.changes() == ["tools", "note://one"]
    assert heard.changes() == []
    server.close()
    heard.messages()
    assert heard.ended
    assert heard.result["resultType"] == "complete"


def test_every_message_names_its_subscription() -> None:
    server = make()
    client = Client(server)
    heard = [client.listen(tools=True), client.listen(tools=True)]
    grow(server)
    server.close()
    key = "io.modelcontextprotocol/subscriptionId"
    for index, one in enumerate(heard):
        acknowledged, changed, result = one.messages()
        assert [acknowledged["params"]["_meta"][key], changed["params"]["_meta"][key]] == [index + 1] * 2
        assert result["id"] == result["result"]["_meta"][key] == index + 1


@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_a_change_that_comes_before_the_acknowledgement_was_read_is_told(transport: Any) -> None:
    # proves: S-339
    server = make()
    heard = Client(server, transport=transport).listen(tools=True, uris=["note://one"])
    grow(server)
    server.resource_updated("note://one")
    methods = [message["method"] for message in heard.messages()]
    assert methods == [
        "notifications/subscriptions/acknowledged",
        "notifications/tools/list_changed",
        "notifications/resources/updated",
    ]


def test_changes_coalesce() -> None:
    server = make()
    heard = Client(server).listen(tools=True, resources=True, uris=["note://one"])
    heard.messages()
    for index in range(50):
        grow(server, f"tool{index}")
        server.resource_updated("note://one")
    assert heard.changes() == ["tools", "note://one"]


@pytest.mark.parametrize("sessions", ["memory", "sealed"])
def test_the_stream_of_a_session(sessions: str) -> None:
    server = make(sessions=sessions)
    client = Client(server, era="legacy")
    heard = client.listen(uris=["note://one"] if sessions == "memory" else [])
    grow(server)
    server.resource_updated("note://one")
    server.resource_updated("note://two")
    assert heard.changes() == (["tools", "note://one"] if sessions == "memory" else ["tools"])
    server.close()
    assert heard.messages() == []
    assert heard.ended


def test_what_a_session_watches_may_change_while_it_listens() -> None:
    server = make(sessions="memory")
    client = Client(server, era="legacy")
    heard = client.listen()
    server.resource_updated("note://one")
    assert heard.changes() == []
    client.request("resources/subscribe", {"uri": "note://one"})
    server.resource_updated("note://one")
    assert heard.changes() == ["note://one"]
    client.request("resources/unsubscribe", {"uri": "note://one"})
    server.resource_updated("note://one")
    assert heard.changes() == []


def test_the_end_of_a_session_ends_its_stream() -> None:
    server = make(sessions="memory")
    client, other = Client(server, era="legacy"), Client(server, era="legacy")
    heard, others = client.listen(), other.listen()
    client.end()
    assert heard.messages() == []
    assert heard.ended
    grow(server)
    assert others.changes() == ["tools"]
    assert server.hub.streams == 1


# proves: T-092, T-093
def test_one_stream_per_session_the_newer_one() -> None:
    server = make(sessions="memory")
    client = Client(server, era="legacy")
    first, second = client.listen(), client.listen()
    grow(server)
    assert (first.changes(), first.ended) == ([], True)
    assert second.changes() == ["tools"]


def test_streams_are_limited_and_places_come_back() -> None:
    server = make(listen_streams=2)
    client = Client(server)
    first, _ = client.listen(tools=True), client.listen(tools=True)
    with pytest.raises(ProtocolError) as full:
        client.listen(tools=True)
    assert full.value.status == 503
    first.close()
    client.listen(tools=True)
    assert server.hub.streams == 2


def test_a_host_that_gives_no_streams_says_so() -> None:
    server = make(sessions="memory")
    modern = Client(server, listen_streams=0)
    assert "listChanged" not in modern.request("server/discover")["capabilities"]["tools"]
    with pytest.raises(ProtocolError) as refused:
        modern.listen(tools=True)
    assert refused.value.status == 404
    legacy = Client(server, era="legacy", listen_streams=0)
    assert "listChanged" not in legacy.server_info["capabilities"]["tools"]
    assert legacy.raw(b"", method="GET").status == 405
    with pytest.raises(ProtocolError):  # what the host cannot do nobody can promise for it
        Client(make(listen_streams=5), listen_streams=0).listen(tools=True)


def test_a_closed_server_gives_no_streams_but_answers() -> None:
    server = make()
    client = Client(server)
    server.close()
    with pytest.raises(ProtocolError) as refused:
        client.listen(tools=True)
    assert refused.value.status == 503
    assert client.call("one")["content"][0]["text"] == "1"


def test_a_session_has_one_stream_whoever_opens_another_at_the_same_moment() -> None:
    hub = make().hub
    first, second, other = stream(session="a"), stream(session="a"), stream(session="b")
    # As when both have looked for an older one before either had its place.
    assert hub._add(first, 9)
    assert hub._add(second, 9)
    assert hub.open(other, 9)
    assert [one.is_closed for one in (first, second, other)] == [True, False, False]
    hub.end("b")
    assert [one.is_closed for one in (second, other)] == [False, True]
    assert hub.open(stream(session="a"), 9)
    assert second.is_closed


# --- the reader ------------------------------------------------------------------------------------------------------


class Told:
    """A native listener that wants everything."""

    def list_changed(self, kind: str) -> bytes | None:
        return f"list {kind}".encode()

    def resource_updated(self, uri: str, session: bytes | None = None) -> bytes | None:
        return f"{uri} {session!r}".encode()

    def task_changed(self, task: Any, principal: str | None = None) -> bytes | None:
        return f"task {task.id} {principal}".encode()

    def end(self) -> bytes | None:
        return b"bye"


def stream(**options: Any) -> Stream:
    return Stream(Told(), b"hello", **options)  # type: ignore[arg-type]


def test_silence_is_broken_by_a_comment() -> None:
    one = stream(keep_alive=0.01)
    pieces = one.pieces()
    assert [next(pieces), next(pieces), next(pieces)] == [b"hello", KEEP_ALIVE, KEEP_ALIVE]
    one.list_changed("tools")
    assert next(pieces) == b"list tools"


def test_a_waiting_thread_is_woken() -> None:
    one = stream(keep_alive=60)
    heard: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for piece in one.pieces():
            heard.put(piece)

    thread = threading.Thread(target=read)
    thread.start()
    assert heard.get(timeout=5) == b"hello"
    one.list_changed("tools")
    assert heard.get(timeout=5) == b"list tools"
    one.end()
    assert heard.get(timeout=5) == b"bye"
    thread.join(5)
    assert not thread.is_alive()


def test_a_waiting_loop_is_woken() -> None:
    async def main() -> list[bytes]:
        one = stream(keep_alive=60)
        pieces = one.pieces_async(Loop(asyncio.to_thread))
        heard = [await anext(pieces)]
        waiting = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        await asyncio.to_thread(one.list_changed, "tools")
        heard.append(await waiting)
        await asyncio.to_thread(one.end)
        return heard + [piece async for piece in pieces]

    assert asyncio.run(main()) == [b"hello", b"list tools", b"bye"]


def test_silence_on_a_loop() -> None:
    async def main() -> bytes:
        pieces = stream(keep_alive=0.01).pieces_async(Loop(asyncio.to_thread))
        await anext(pieces)
        return await anext(pieces)

    assert asyncio.run(main()) == KEEP_ALIVE


def test_a_slow_reader_is_cut_and_nobody_waits_for_it() -> None:
    one = stream(backlog=3)
    closed: list[str] = []
    one.on_close(lambda: closed.append("closed"))
    pieces = one.pieces()
    assert next(pieces) == b"hello"
    for _ in range(10):
        for uri in ("a", "b", "c"):
            one.resource_updated(uri)
    assert not one.dropped
    one.resource_updated("d")
    assert one.dropped
    assert closed == ["closed"]
    assert list(pieces) == []
    one.list_changed("tools")
    one.end()
    assert closed == ["closed"]


def test_a_stream_that_nobody_read_is_closed_too() -> None:
    one = stream()
    closed: list[str] = []
    one.on_close(lambda: closed.append("closed"))
    one.pieces().close()
    assert closed == ["closed"]
    one.on_close(lambda: closed.append("late"))
    assert closed == ["closed", "late"]


def test_what_comes_first_is_given_once() -> None:
    one = stream()
    assert [one.take_first(), one.take_first()] == [b"hello", b""]
    one.list_changed("tools")
    assert next(one.pieces()) == b"list tools"
    other = stream()
    other.close()
    assert other.take_first() == b""
    assert other.is_closed


def test_whose_tasks_are_told_of_is_asked_when_there_is_one() -> None:
    class Task:
        id = "7"

    asked: list[str] = []

    def owner() -> str:
        asked.append("asked")
        return "me"

    one = stream(owner=owner)
    pieces = one.pieces()
    assert next(pieces) == b"hello"
    assert asked == []
    told = []
    for _ in range(2):
        one.task_changed(Task())  # type: ignore[arg-type]
        told.append(next(pieces))
    assert told == [b"task 7 me"] * 2
    assert asked == ["asked"]


def test_who_hangs_up_is_missed_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpgraft.listening.GONE_SECONDS", 0.01)
    there = [True, True, False]
    pieces = stream(keep_alive=60).pieces(lambda: not there.pop(0))
    assert list(pieces) == [b"hello"]
    assert there == []


def test_a_session_that_ended_elsewhere_ends_its_stream_at_the_next_silence() -> None:
    saved: list[bytes | None] = [b"s", b"s", None]

    async def load(hop: Any) -> bytes | None:
        return saved.pop(0)

    one = stream(session="id", load=load, keep_alive=0.01)
    one.resource_updated("a")
    assert list(one.pieces()) == [b"hello", b"a b's'", KEEP_ALIVE]
    assert drive(one.next(HOP, one._wait_here)) is None
