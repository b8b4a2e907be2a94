"""From the bytes of a request to the bytes of its answer, in this process, as a host does it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from mcpgraft import Context, Server
from mcpgraft.dispatch import run as run_call
from mcpgraft.dispatch import settle
from mcpgraft.duplex import DuplexChannel, Questions
from mcpgraft.request import Request

TIMES = 20_000
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "inproc", "version": "1"}}


def best(run: Callable[[], object]) -> float:
    """CPU time of one run in microseconds, the best of five rounds."""
    times = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(TIMES):
            run()
        times.append((time.process_time() - begin) / TIMES * 1e6)
    return min(times)


def run(server: Server) -> None:
    """Prints what `add` and `tools/list` cost, as JSON."""
    session, request = server.core.session(), Request()

    def say(make: Callable[[], bytes | None]) -> None:
        make()  # what handlers say meanwhile; these say nothing

    channel = DuplexChannel(session, Questions(session, say), say)

    def take(message: bytes) -> bytes | None:
        step = session.accept(message)
        if step.call is None:
            return step.send
        return settle(session, step.call, run_call(Context(step.call, channel, server, request)))

    def send(message: dict[str, object]) -> bytes:
        return json.dumps({"jsonrpc": "2.0", "id": 1, **message}).encode()

    take(send({"method": "initialize", "params": HELLO}))
    add = send({"method": "tools/call", "params": {"name": "add", "arguments": {"a": 1, "b": 2}}})
    tools = send({"method": "tools/list"})
    print(json.dumps({"add_us": best(lambda: take(add)), "tools_list_us": best(lambda: take(tools))}))
