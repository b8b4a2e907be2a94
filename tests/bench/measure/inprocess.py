"""From the bytes of a request to the bytes of its answer in one process: what ours and the peers in Python share.

Prints lines of JSON, as the load generator does. Needs no package, so that it runs in every environment.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

HANDSHAKE, STATELESS = "2025-11-25", "2026-07-28"
CLIENT = {"name": "inproc", "version": "1"}
HELLO = {"protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": CLIENT}
INITIALIZE = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": HELLO}).encode()
INITIALIZED = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
META = {
    "io.modelcontextprotocol/protocolVersion": STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": CLIENT,
}
REQUESTS: dict[str, dict[str, Any]] = {
    "add": {"method": "tools/call", "params": {"name": "add", "arguments": {"a": 1, "b": 2}}},
    "tools/list": {"method": "tools/list", "params": {}},
}
Exchange = Callable[[bytes], Awaitable[bytes]]
"""Sends the bytes of a request, gives the bytes of its answer."""


def message(name: str, era: str) -> bytes:
    """One request of the workload."""
    asked = REQUESTS[name]
    params = {**asked["params"], "_meta": META} if era == STATELESS else asked["params"]
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": asked["method"], "params": params}).encode()


def headers(name: str, era: str) -> list[tuple[bytes, bytes]]:
    """What a client says beside it over HTTP."""
    said = {
        "host": "127.0.0.1:8000",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": era,
    }
    if era == STATELESS:
        said["mcp-method"] = REQUESTS[name]["method"]
        if name == "add":
            said["mcp-name"] = "add"
    return [(key.encode(), value.encode()) for key, value in said.items()]


def say(way: str, era: str, name: str, cpu_us: float, answer: bytes) -> None:
    """Prints what one kind of request costs."""
    assert b'"result"' in answer, answer[:400]
    assert b'"isError":true' not in answer, answer[:400]
    line = {"way": way, "era": era, "request": name, "cpu_us": round(cpu_us, 3), "bytes": len(answer)}
    print(json.dumps(line), flush=True)


def best(run: Callable[[], object], seconds: float = 0.05, rounds: int = 7) -> float:
    """CPU time of one call in microseconds, the best of some rounds; as many calls a round as take some time."""
    times, took = 1, 0.0
    while took < seconds:
        times *= 2
        begin = time.process_time()
        for _ in range(times):
            run()
        took = time.process_time() - begin
    least = took
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(times):
            run()
        least = min(least, time.process_time() - begin)
    return least / times * 1e6


async def best_of(exchange: Exchange, asked: bytes, seconds: float = 0.05, rounds: int = 7) -> float:
    """The same of what has to be awaited."""
    times, took = 1, 0.0
    while took < seconds:
        times *= 2
        begin = time.process_time()
        for _ in range(times):
            await exchange(asked)
        took = time.process_time() - begin
    least = took
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(times):
            await exchange(asked)
        least = min(least, time.process_time() - begin)
    return least / times * 1e6


def asgi_exchange(app: Callable[..., Awaitable[None]], name: str, era: str) -> Exchange:
    """Calls an ASGI application as a server does, with requests of one kind."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/mcp",
        "raw_path": b"/mcp",
        "root_path": "",
        "query_string": b"",
        "headers": headers(name, era),
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }

    async def exchange(asked: bytes) -> bytes:
        sent: list[bytes] = []
        read = False

        async def receive() -> dict[str, Any]:
            nonlocal read
            if read:  # until the client hangs up, which this one does not
                await asyncio.Event().wait()
            read = True
            return {"type": "http.request", "body": asked, "more_body": False}

        async def send(part: Any) -> None:
            sent.append(part.get("body", b""))

        await app(dict(scope), receive, send)
        return b"".join(sent)

    return exchange


async def over_asgi(app: Callable[..., Awaitable[None]]) -> None:
    """What requests cost through an ASGI application; its lifespan is its caller's."""
    for era in (HANDSHAKE, STATELESS):
        for name in REQUESTS:
            exchange, asked = asgi_exchange(app, name, era), message(name, era)
            answer = await exchange(asked)
            say("HTTP", era, name, await best_of(exchange, asked), answer)


def say_tools(count: int, register_us: float, list_us: float, answer: bytes) -> None:
    """Prints what a catalogue of so many tools costs: to register one, and to list all."""
    assert b'"result"' in answer, answer[:400]
    # Pages would make a long list look cheap.
    assert answer.count(b'"inputSchema"') == count, f"{answer.count(b'inputSchema')} tools in one answer"
    line = {"tools": count, "register_us": round(register_us, 2), "cpu_us": round(list_us, 3), "bytes": len(answer)}
    print(json.dumps(line), flush=True)


def register(put: Callable[[Callable[..., str], str, str], object], count: int) -> float:
    """CPU time of registering one of so many tools, in microseconds; `put` gets function, name and description.

    Each is a function of its own, as in a program that has so many.
    """

    def one() -> Callable[..., str]:
        def tool(name: str, count: int = 1, tags: list[str] | None = None) -> str:
            return f"{name} {count} {tags}"

        return tool

    tools = [(one(), f"tool_{number:04}", f"Does nothing much, number {number}.") for number in range(count)]
    begin = time.process_time()
    for fn, name, description in tools:
        put(fn, name, description)
    return (time.process_time() - begin) / count * 1e6
