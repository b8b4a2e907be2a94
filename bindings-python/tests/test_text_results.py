"""Results that are one text take a shorter way on a channel of their own; what arrives is the same."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from mcpgraft import Context, Server
from mcpgraft.asgi import App
from mcpgraft.dispatch import run, settle
from mcpgraft.duplex import DuplexChannel, Questions
from mcpgraft.request import Request

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
TEXTS = ["", "3", 'a "quoted"\n\ttext\\', "\x00\x1f\x7f", "é€😀", "lone \ud800 surrogate", "x" * 300_000]


def asked(server: Server, *messages: tuple[str, dict[str, Any]]) -> list[Any]:
    """What a client of the handshake era is answered."""
    session = server.core.session()

    def nowhere(make: Any) -> None:
        make()

    channel, answers = DuplexChannel(session, Questions(session, nowhere), nowhere), []
    for id, (method, params) in enumerate([("initialize", HELLO), *messages]):
        message = {"jsonrpc": "2.0", "id": id, "method": method, "params": params}
        step = session.accept(json.dumps(message).encode())
        if step.call is None:
            answers.append(step.send)
        else:
            answers.append(settle(session, step.call, run(Context(step.call, channel, server, Request()))))
    return [json.loads(answer) for answer in answers if answer is not None][1:]


@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_texts(text: str) -> None:
    server = Server("s")
    server.add_tool(lambda: text, name="say")

    @server.tool
    def guarded() -> str:
        return text

    @server.middleware
    def slow_way(ctx: Context, call_next: Any) -> Any:
        return call_next()

    (slow,) = asked(server, ("tools/call", {"name": "guarded", "arguments": {}}))
    server.middlewares.clear()
    (quick,) = asked(server, ("tools/call", {"name": "say", "arguments": {}}))
    assert quick == slow
    assert quick["result"]["content"] == [{"type": "text", "text": text.replace("\ud800", "\ufffd")}]


def test_a_long_answer_is_followed_by_a_short_one() -> None:
    server = Server("s")
    server.add_tool(lambda long: ("y" * 500_000) if long else "short", name="say")
    calls = [("tools/call", {"name": "say", "arguments": {"long": long}}) for long in (True, False, True, False)]
    texts = [answer["result"]["content"][0]["text"] for answer in asked(server, *calls)]
    assert [len(text) for text in texts] == [500_000, 5, 500_000, 5]


@pytest.mark.parametrize("waits", [False, True])
@pytest.mark.parametrize("text", TEXTS, ids=len)
def test_texts_over_asgi(text: str, waits: bool) -> None:
    server, sent = Server("s"), []

    @server.tool
    async def say() -> str:
        if waits:
            await asyncio.sleep(0)
        return text

    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "say", "arguments": {}}}
    names = {"host": "127.0.0.1", "content-type": "application/json", "accept": "application/json, text/event-stream"}
    headers = [(name.encode(), value.encode()) for name, value in names.items()]

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(call).encode()}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(App(server)({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send))
    start, body = sent
    assert start["status"] == 200
    assert (b"content-length", str(len(body["body"])).encode()) in start["headers"]
    content = json.loads(body["body"])["result"]["content"]
    assert content == [{"type": "text", "text": text.replace("\ud800", "\ufffd")}]
