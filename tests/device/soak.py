"""Thousands of messages for a board, with garbage and over-long lines in between: every well-formed one is answered."""

from __future__ import annotations

import json
import random
import threading
from typing import Any

from emulator import Board

MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {},
}
HELLO = {
    "protocolVersion": "2025-03-26",
    "capabilities": {},
    "clientInfo": {"name": "soak", "version": "1"},
}
INPUT = 1024


class Traffic:
    """What is said, and which answers are due."""

    def __init__(self, seed: int, full: bool) -> None:
        self.random = random.Random(seed)
        self.full = full
        self.due: set[Any] = set()
        self.refused = 0
        self.id = 0

    def request(self, method: str, params: dict[str, Any] | None = None, modern: bool = False) -> dict[str, Any]:
        self.id += 1
        id: Any = f"s{self.id}" if self.id % 3 == 0 else self.id
        self.due.add(id)
        params = dict(params or {})
        if modern:
            params["_meta"] = MODERN
        return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}

    def sensible(self) -> dict[str, Any]:
        modern = self.random.random() < 0.25
        tool = {"name": "temperature", "arguments": {"x" * self.random.randrange(12): self.random.random()}}
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("tools/list", {}),
            ("tools/call", tool),
            ("tools/call", {"name": "led", "arguments": {"on": self.random.random() < 0.5}}),
            ("tools/call", {"name": "nothing"}),
            ("tools/list", {"cursor": "t0000000000000000"}),
            ("no/such/method", {}),
            ("server/discover", {}) if modern else ("ping", {}),
        ]
        if self.full:
            kinds += [
                ("resources/list", {}),
                ("resources/templates/list", {}),
                ("resources/read", {"uri": "dev://log"}),
                ("resources/read", {"uri": "dev://pin/0"}),
                ("resources/read", {"uri": "dev://p\u00efn/" + "9" * self.random.randrange(20)}),
                ("prompts/list", {}),
                ("prompts/get", {"name": "check", "arguments": {"depth": "full"}}),
                ("tools/call", {"name": "status"}),
                (
                    "completion/complete",
                    {"ref": {"type": "ref/prompt", "name": "check"}, "argument": {"name": "depth", "value": ""}},
                ),
            ]
        return self.request(*self.random.choice(kinds), modern=modern)

    def line(self) -> bytes:
        """One line: mostly a request, sometimes a batch, a notification, garbage or more than the board can keep."""
        dice = self.random.random()
        if dice < 0.8:
            return json.dumps(self.sensible(), ensure_ascii=self.random.random() < 0.5).encode()
        if dice < 0.84:
            batch = [self.request("ping") for _ in range(self.random.randrange(1, 5))]
            return json.dumps([*batch, {"jsonrpc": "2.0", "method": "notifications/x"}]).encode()
        if dice < 0.88:
            return b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"none"}}'
        self.refused += 1
        if dice < 0.90:
            return b'{"jsonrpc":"2.0","id":1,"method":"' + b"x" * self.random.randrange(INPUT, 2 * INPUT) + b'"}'
        # No line feeds and nothing that is blank: each of these is one message to refuse.
        noise = bytes(self.random.choice(b'\x00\x01\xff\xfe{}[]":,a\\u1') for _ in range(self.random.randrange(1, 40)))
        return b"!" + noise


class Soak:
    """One board, and what is said to it. The peer shakes hands first, in the revision that has batches."""

    def __init__(self, board: Board, full: bool, seed: int = 7) -> None:
        self.board, self.traffic = board, Traffic(seed, full)
        board.ask({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO})
        board.send(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')

    def run(self, messages: int) -> str:
        """Sends that many lines without waiting for answers, and compares what comes back."""
        board, traffic = self.board, self.traffic
        traffic.due.clear()
        traffic.refused = 0
        lines = [traffic.line() for _ in range(messages)]
        due, unaddressed = set(traffic.due), 0

        def send() -> None:
            for line in lines:
                board.send(line)

        sender = threading.Thread(target=send)
        sender.start()
        while due or unaddressed < traffic.refused:
            said = json.loads(board.line())
            for answer in said if isinstance(said, list) else [said]:
                if answer.get("id") is None and "error" in answer:
                    unaddressed += 1
                elif "method" not in answer:
                    due.remove(answer["id"])
        sender.join()
        # And nothing more: the next answer is that of a new question.
        last = traffic.request("ping")
        wanted = {"jsonrpc": "2.0", "id": last["id"], "result": {}}
        said = board.ask(last)
        if said != wanted:
            raise AssertionError(f"something more was said: {said}")
        return f"{messages} lines, {len(traffic.due) - 1} requests answered, {unaddressed} lines refused"
