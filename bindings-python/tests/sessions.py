"""A client with a session over HTTP, and the least of a host for it: enough to answer questions in another request."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from typing import Any

from mcpgraft import Context, Server
from mcpgraft.bridge import Inline, drive
from mcpgraft.channel import HttpChannel
from mcpgraft.dispatch import Outcome, run_call
from mcpgraft.request import Request
from mcpgraft.testing import Client, HeaderList, RawAnswer
from mcpgraft.testing_answers import Replies


class Expected:
    """Waits for one answer."""

    def __init__(self) -> None:
        self.came = threading.Event()
        self.answer: tuple[bool, bytes] | None = None
        self.closed = False

    def wait(self, timeout: float) -> tuple[bool, bytes] | None:
        self.came.wait(timeout)
        return self.answer

    async def wait_async(self, timeout: float) -> tuple[bool, bytes] | None:
        import asyncio

        return await asyncio.to_thread(self.wait, timeout)

    def close(self) -> None:
        self.closed = True


class Waiters:
    """Answers by session and question, in this process."""

    def __init__(self) -> None:
        self.expected: dict[tuple[str, str], Expected] = {}

    def expect(self, session: str, ask: str) -> Expected:
        return self.expected.setdefault((session, ask), Expected())

    def answer(self, session: str, ask: str, ok: bool, payload: bytes) -> None:
        waiting = self.expected.get((session, ask))
        if waiting is not None and not waiting.closed:
            waiting.answer = (ok, payload)
            waiting.came.set()


class SessionClient(Client):
    """Shakes hands over HTTP and keeps the session's saved form, as a store would."""

    def __init__(self, server: Server, *, answers: Replies | None = None, **options: Any) -> None:
        if not server._served:
            server._declare("sessions", "kept")
        self.hub = Waiters()
        self.saved: bytes | None = None
        self.posted: list[RawAnswer] = []
        super().__init__(server, era="legacy", answers=answers, **options)

    def raw(
        self, body: bytes, *, method: str = "POST", headers: Mapping[str, str] | HeaderList | None = None
    ) -> RawAnswer:
        given = dict(self._head("", {}) if headers is None else headers)
        if self.saved is not None:
            given["Mcp-Session-Id"] = "s1"
        exchange = self.server.core.exchange(method, list(given.items()), peer="127.0.0.1")
        assert exchange.gate() is None
        step = exchange.accept(body, self.saved)
        self.saved = step.session or self.saved
        if step.event == "response" and step.text is not None:
            self.hub.answer("s1", json.loads(step.text), step.ok, step.params or b"null")
        if step.call is None:
            assert step.reply is not None
            return RawAnswer(step.reply.status, list(step.reply.headers), step.reply.body)
        pieces = bytearray()
        sent: HeaderList = []

        def start(status: int, head: HeaderList) -> Any:
            sent.extend(head)
            return hear

        def hear(piece: bytes) -> None:
            pieces.extend(piece)
            for message in RawAnswer(200, sent, piece).messages:
                if self.answers is not None and "method" in message and "id" in message:
                    response = self.answers.response(message)
                    if response is not None:
                        self.posted.append(self.raw(response))

        channel = HttpChannel(exchange, start, session="s1", hub=self.hub)
        ctx = Context(step.call, channel, self.server, Request())
        channel.settle(step.call, self.run(ctx))
        return RawAnswer(*channel.answer) if channel.answer else RawAnswer(200, sent, bytes(pieces))

    def run(self, ctx: Context) -> Outcome:
        """Run a call in this thread."""
        return drive(run_call(ctx, Inline()))
