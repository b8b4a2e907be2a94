"""The stdio runner as a real process: descriptors, concurrency, cancellation, the end of input."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mcpgraft import Context, Server
from mcpgraft.request import Request
from mcpgraft.stdio import Reader

PROGRAM = """
print("an import prints")
import os, subprocess, sys, time, asyncio
from mcpgraft import Context, Server

server = Server("noisy", version="1", workers=4)

@server.tool
def noisy() -> str:
    print("a print")
    sys.stdout.write("half a line")
    os.write(1, b"from C\\n")
    subprocess.run([sys.executable, "-c", "print('a child', flush=True); import sys; sys.stdin.read()"], check=True)
    return "fine"

@server.tool
def sleep(seconds: str, ctx: Context) -> str:
    ctx.progress(1)
    end = time.monotonic() + float(seconds)
    while time.monotonic() < end and not ctx.cancelled:
        time.sleep(0.01)
    return "slept"

@server.tool
async def sleep_async(seconds: str, ctx: Context) -> str:
    try:
        ctx.progress(1)
        await asyncio.sleep(float(seconds))
    finally:
        print("async over", file=sys.stderr, flush=True)
    return "slept"

@server.tool
def grow() -> str:
    server.add_tool(noisy, "late")
    return "grown"

if __name__ == "__main__":
    server.run()
"""

INITIALIZE = {
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}},
}


class Peer:
    """A client on the pipes of a server process."""

    def __init__(self, *command: str, **env: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **env},
        )
        self.seen: list[Any] = []
        self.request(0, **INITIALIZE)
        self.answer(0)
        self.send({"jsonrpc": "2.0", "method": "notifications/initialized"})

    def send(self, message: Any) -> None:
        assert self.process.stdin
        self.process.stdin.write(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, id: int, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "id": id, "method": method, "params": params or {}})

    def call(self, id: int, name: str, **arguments: Any) -> None:
        self.request(id, "tools/call", {"name": name, "arguments": arguments})

    def read(self) -> Any:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, "the server ended its output"
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def answer(self, id: int) -> Any:
        while True:
            message = self.read()
            if message.get("id") == id and "method" not in message:
                return message

    def end(self) -> tuple[list[Any], str, float]:
        assert self.process.stdin
        start = time.monotonic()
        self.process.stdin.close()
        self.process.stdin = None
        out, err = self.process.communicate(timeout=20)
        assert self.process.returncode == 0, err
        return [json.loads(line) for line in out.splitlines()], err.decode(), time.monotonic() - start


@pytest.fixture
def program(tmp_path: Path) -> str:
    path = tmp_path / "program.py"
    path.write_text(textwrap.dedent(PROGRAM))
    return str(path)


@pytest.fixture
def peer(program: str) -> Any:
    # By the command line: it claims the descriptors before the file is imported, and the file prints at once.
    peer = Peer("-m", "mcpgraft", "run", program)
    yield peer
    if peer.process.poll() is None:
        peer.process.kill()
        peer.process.communicate()


# proves: S-190, S-191
def test_nothing_but_messages_reaches_the_output(peer: Peer) -> None:
    peer.call(1, "noisy")
    assert peer.answer(1)["result"]["content"][0]["text"] == "fine"
    rest, err, _ = peer.end()
    assert rest == []
    for words in ("an import prints", "a print", "half a line", "from C", "a child"):
        assert words in err


# proves: S-051
def test_ping_is_answered_while_tools_run(peer: Peer) -> None:
    for id in range(1, 9):  # twice as many as workers
        peer.call(id, "sleep", seconds="0.5")
    start = time.monotonic()
    peer.request(100, "ping")
    peer.request(101, "tools/list")
    assert peer.read()["id"] == 100
    assert peer.read()["id"] == 101
    assert time.monotonic() - start < 0.4
    assert {peer.read()["id"] for _ in range(8)} == set(range(1, 9))
    assert time.monotonic() - start < 1.9


# proves: S-114, S-200, S-194
@pytest.mark.parametrize("tool", ["sleep", "sleep_async"])
def test_cancelled_calls_end_early_and_say_nothing(peer: Peer, tool: str) -> None:
    params = {"name": tool, "arguments": {"seconds": "30"}, "_meta": {"progressToken": 1}}
    peer.request(1, "tools/call", params)
    assert peer.read()["method"] == "notifications/progress"  # it runs
    peer.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}})
    rest, err, seconds = peer.end()
    assert rest == []
    assert seconds < 4
    assert ("async over" in err) == (tool == "sleep_async")
    assert "Traceback" not in err


# proves: S-193
def test_end_of_input_drains(peer: Peer) -> None:
    peer.call(1, "sleep", seconds="0.4")
    peer.send(b'{"jsonrpc":"2.0","id":2,"method":"ping"}')  # the last line has no end
    rest, _, _ = peer.end()
    assert {message["id"] for message in rest} == {1, 2}


# proves: S-195
def test_garbage_between_messages(peer: Peer) -> None:
    peer.send(b"\n  \nnot json\n\xff\xfe\n")
    peer.request(5, "ping")
    assert peer.answer(5)["result"] == {}
    assert sum("error" in message for message in peer.seen) >= 1


# proves: S-234
def test_lists_that_change_are_announced(peer: Peer) -> None:
    peer.call(1, "grow")
    peer.answer(1)
    assert "notifications/tools/list_changed" in [message.get("method") for message in peer.seen]
    peer.call(2, "late")
    assert "result" in peer.answer(2)


def test_server_run_by_the_file_itself(tmp_path: Path) -> None:
    path = tmp_path / "quiet.py"
    path.write_text(textwrap.dedent(PROGRAM).replace('print("an import prints")\n', ""))
    peer = Peer(str(path), MCP_TRANSPORT="stdio")
    peer.call(1, "noisy")
    assert peer.answer(1)["result"]["content"][0]["text"] == "fine"
    assert peer.end()[0] == []


# proves: S-193
def test_drain_has_a_deadline() -> None:
    server = Server("s")
    started, stop = threading.Event(), threading.Event()

    @server.tool
    def stuck(ctx: Context) -> None:
        started.set()
        stop.wait(20)

    source, feed = os.pipe()
    drop, output = os.pipe()
    try:
        connection = Reader(server, output, 2, Request())
        reader = threading.Thread(target=connection.read, args=(source,))
        reader.start()
        for message in (
            {"jsonrpc": "2.0", "id": 0, **INITIALIZE},
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "stuck", "arguments": {}}},
        ):
            os.write(feed, json.dumps(message).encode() + b"\n")
        assert started.wait(5)
        os.close(feed)
        reader.join(5)
        assert not reader.is_alive()
        start = time.monotonic()
        connection.drain(0.2)
        assert 0.1 < time.monotonic() - start < 2
    finally:
        stop.set()
        connection.drain(5)
        for descriptor in (source, drop, output):
            os.close(descriptor)


@contextmanager
def connected(server: Server, workers: int) -> Iterator[tuple[Callable[..., None], Callable[[], Any]]]:
    """A connection in this process: a function that sends calls, and one that gives the next answer."""
    (source, to), (back, out) = os.pipe(), os.pipe()
    connection = Reader(server, out, workers, Request())
    reader = threading.Thread(target=connection.read, args=(source,), daemon=True)
    reader.start()
    lines = os.fdopen(back, "rb")

    def send(*messages: dict[str, Any]) -> None:
        os.write(to, b"".join(json.dumps({"jsonrpc": "2.0", **one}).encode() + b"\n" for one in messages))

    try:
        send({"id": 0, **INITIALIZE})
        assert json.loads(lines.readline())["id"] == 0
        yield send, lambda: json.loads(lines.readline())
    finally:
        os.close(to)
        reader.join(10)
        connection.drain(5)
        os.close(source)
        os.close(out)
        lines.close()


def call(id: int, name: str) -> dict[str, Any]:
    return {"id": id, "method": "tools/call", "params": {"name": name, "arguments": {}}}


def test_a_call_that_lasts_does_not_hold_up_what_comes_with_it() -> None:
    server, go = Server("t", version="1"), threading.Event()
    threads: list[str] = []

    @server.tool
    def quick() -> str:
        threads.append(threading.current_thread().name)
        return "quick"

    @server.tool
    def lasting() -> str:
        threads.append(threading.current_thread().name)
        return str(go.wait(30))

    with connected(server, 4) as (send, receive):
        # In one write: what was answered before the long call leaves before it ends, and so does what came after it.
        send(call(1, "quick"), call(2, "lasting"), call(3, "quick"), {"id": 4, "method": "ping"}, call(5, "lasting"))
        assert [receive()["id"] for _ in range(3)] == [1, 3, 4]
        go.set()
        assert sorted(receive()["id"] for _ in range(2)) == [2, 5]
        # Once is enough: since then it goes to the pool.
        send(call(6, "lasting"), call(7, "quick"))
        assert sorted(receive()["id"] for _ in range(2)) == [6, 7]
    assert [name.split("-")[1] for name in threads[:2]] == ["read", "read"]
    assert "mcpgraft-call" in threads


def test_one_worker_runs_one_call_at_a_time_wherever_it_runs() -> None:
    server, lock = Server("t", version="1"), threading.Lock()
    overlaps: list[bool] = []

    def alone(seconds: float) -> str:
        free = lock.acquire(blocking=False)
        overlaps.append(not free)
        time.sleep(seconds)
        if free:
            lock.release()
        return "done"

    @server.tool
    def quick() -> str:
        return alone(0)

    @server.tool
    def lasting() -> str:
        return alone(0.05)

    with connected(server, 1) as (send, receive):
        send(*(call(id, "lasting" if id % 4 == 0 else "quick") for id in range(1, 25)))
        assert sorted(receive()["id"] for _ in range(24)) == list(range(1, 25))
    assert len(overlaps) == 24
    assert not any(overlaps)
