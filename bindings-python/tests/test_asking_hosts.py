"""Waiting for answers where it is done: threads of a real connection, an event loop, a call that is taken back."""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from mcpgraft import AskError, Context, Elicit, Sample, Server
from mcpgraft.bridge import Inline, Loop, drive
from mcpgraft.channel import HttpChannel
from mcpgraft.dispatch import run_call
from mcpgraft.request import Request
from mcpgraft.stdio import run_stdio
from mcpgraft.testing import HttpError
from mcpgraft.testing_answers import NO_ANSWER, Replies

from .sessions import SessionClient
from .test_asking import NAME, SECRET, named, text

INITIALIZE = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"elicitation": {}, "sampling": {}},
    "clientInfo": {"name": "t", "version": "0"},
}
ACCEPT = {"action": "accept", "content": {"name": "Ada"}}


class Pipe:
    """A client on real pipes; the server runs in a thread."""

    def __init__(self, server: Server) -> None:
        inside, self.to = os.pipe()
        out, outside = os.pipe()
        self.reader = os.fdopen(out, "rb")
        self.thread = threading.Thread(
            target=run_stdio, args=(server,), kwargs={"descriptors": (inside, outside), "drain_seconds": 2}, daemon=True
        )
        self.thread.start()
        self.send({"id": 0, "method": "initialize", "params": INITIALIZE})
        self.receive()
        self.send({"method": "notifications/initialized"})

    def send(self, message: dict[str, Any]) -> None:
        os.write(self.to, json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def call(self, id: int, name: str) -> None:
        self.send({"id": id, "method": "tools/call", "params": {"name": name, "arguments": {}}})

    def receive(self) -> Any:
        return json.loads(self.reader.readline())

    def end(self) -> None:
        if self.to >= 0:
            os.close(self.to)
            self.to = -1
        self.thread.join(5)
        assert not self.thread.is_alive()


@pytest.fixture
def server() -> Server:
    server = Server("hosts", secrets=[SECRET], ask_timeout=5)

    @server.tool
    def sync(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    @server.tool
    async def later(ctx: Context) -> str:
        return str((await ctx.elicit("who", "Who?", NAME)).data["name"])

    @server.tool
    def both(ctx: Context) -> str:
        found = ctx.ask_all({"who": Elicit("Who?", NAME), "poem": Sample("Hi")})
        return f"{found['who'].data['name']} {found['poem'].text}"

    @server.tool
    def reason(ctx: Context) -> str:
        try:
            return str(ctx.elicit("who", "Who?", NAME))
        except AskError as error:
            return type(error).__name__

    return server


@pytest.fixture
def pipe(server: Server) -> Iterator[Pipe]:
    pipe = Pipe(server)
    yield pipe
    pipe.end()
    pipe.reader.close()


# proves: S-051
@pytest.mark.parametrize("name", ["sync", "later"])
def test_threads_wait_while_others_are_served(pipe: Pipe, name: str) -> None:
    pipe.call(1, name)
    asked = pipe.receive()
    assert asked["method"] == "elicitation/create"
    pipe.send({"id": 2, "method": "ping"})
    assert pipe.receive() == {"jsonrpc": "2.0", "id": 2, "result": {}}
    pipe.send({"id": asked["id"], "result": ACCEPT})
    assert text(pipe.receive()["result"]) == "Ada"


# proves: T-116
def test_several_questions_are_open_at_once(pipe: Pipe) -> None:
    pipe.call(1, "both")
    asked = {one["method"]: one["id"] for one in (pipe.receive(), pipe.receive())}
    sampled = {"role": "assistant", "content": {"type": "text", "text": "Roses"}, "model": "m"}
    pipe.send({"id": asked["sampling/createMessage"], "result": sampled})
    pipe.send({"id": asked["elicitation/create"], "result": ACCEPT})
    assert text(pipe.receive()["result"]) == "Ada Roses"


# proves: T-124, S-200, S-204
def test_a_call_taken_back_takes_its_questions_back(pipe: Pipe) -> None:
    pipe.call(1, "sync")
    asked = pipe.receive()
    pipe.send({"method": "notifications/cancelled", "params": {"requestId": 1}})
    assert pipe.receive() == {
        "jsonrpc": "2.0",
        "method": "notifications/cancelled",
        "params": {"requestId": asked["id"]},
    }
    pipe.send({"id": asked["id"], "result": ACCEPT})  # too late, and ignored
    pipe.send({"id": 2, "method": "ping"})
    assert pipe.receive()["id"] == 2  # and no answer to 1


# proves: S-053, S-055, S-203
def test_giving_up_is_told(server: Server, pipe: Pipe) -> None:
    server.ask_timeout = 0.1
    pipe.call(1, "reason")
    asked = pipe.receive()
    gone = pipe.receive()
    assert (gone["method"], gone["params"]) == ("notifications/cancelled", {"requestId": asked["id"]})
    assert text(pipe.receive()["result"]) == "TimedOut"


def test_the_end_of_input_ends_the_waiting(pipe: Pipe) -> None:
    pipe.call(1, "reason")
    pipe.receive()
    before = time.monotonic()
    os.close(pipe.to)
    pipe.to = -1
    assert text(pipe.receive()["result"]) == "NoChannel"
    pipe.end()
    assert time.monotonic() - before < 2


class LoopClient(SessionClient):
    """Runs calls on an event loop."""

    def run(self, ctx: Context) -> Any:
        async def main() -> Any:
            loop = asyncio.get_running_loop()
            return await run_call(ctx, Loop(lambda fn: loop.run_in_executor(None, fn)))

        return asyncio.run(main())


@pytest.mark.parametrize("name", ["sync", "later"])
def test_a_loop_awaits(server: Server, name: str) -> None:
    client = LoopClient(server, answers=Replies(elicit=named))
    assert text(client.call(name)) == "Ada"
    assert [answer.status for answer in client.posted] == [202]


# proves: S-005
def test_ids_over_http_cannot_be_guessed(server: Server) -> None:
    answers = Replies(elicit=named)
    client = SessionClient(server, answers=answers)
    for _ in range(3):
        client.call("sync")
    ids = [one["id"] for one in answers.asked]
    assert len(set(ids)) == 3
    assert all(isinstance(one, str) and len(one) >= 22 for one in ids)


# proves: S-053, S-203
def test_giving_up_is_told_over_http(server: Server) -> None:
    server.ask_timeout = 0.1
    answers = Replies(elicit=lambda _: NO_ANSWER)
    client = SessionClient(server, answers=answers)
    assert text(client.call("reason")) == "TimedOut"
    (gone,) = client.notifications
    assert gone["params"] == {"requestId": answers.asked[0]["id"]}


def test_a_client_that_goes_away_is_not_waited_for_for_ever(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpgraft.channel.GRACE", 0.1)

    class Gone(Replies):
        def response(self, request: Any) -> bytes | None:
            raise OSError("broken pipe")

    client = SessionClient(server, answers=Gone(elicit=named))
    before = time.monotonic()
    seen: list[str] = []

    @server.middleware
    def watch(ctx: Context, call_next: Any) -> Any:
        seen.append(call_next())
        return seen[-1]

    with pytest.raises(HttpError):  # nobody is there to hear the result
        client.call("reason")
    assert seen == ["NoChannel"]
    assert time.monotonic() - before < 3


def test_a_closed_stateless_request_gives_no_state(server: Server) -> None:
    # The peer went away while the handler ran: nothing is issued, nothing is left behind.
    body = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "tools/call",
        "params": {
            "name": "sync",
            "arguments": {},
            "_meta": {
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
            },
        },
    }
    head = {
        "Host": "localhost",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
        "MCP-Protocol-Version": "2026-07-28",
        "Mcp-Method": "tools/call",
        "Mcp-Name": "sync",
    }
    exchange = server.core.exchange("POST", list(head.items()), peer="127.0.0.1")
    assert exchange.gate() is None
    call = exchange.accept(json.dumps(body).encode()).call
    assert call is not None
    channel = HttpChannel(exchange, None)
    outcome = drive(run_call(Context(call, channel, server, Request()), Inline()))
    exchange.close()
    channel.settle(call, outcome)
    assert channel.answer is None
