"""Several workers: changes, answers, cancellations and ends that come in at another one. Fakes, then a real Redis."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mcpgraft import Context, Server, Tasks
from mcpgraft.fanout import LocalFanout, RedisFanout
from mcpgraft.hub import Hub
from mcpgraft.session_stores import RedisStore
from mcpgraft.testing import Client, Heard
from mcpgraft.testing_answers import NO_ANSWER, Replies

from .examples import load
from .test_sessions import Table

SECRET = b"0123456789abcdef0123456789abcdef"
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}}


class Noted(LocalFanout):
    """Knows when a message went through, and all that did."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[bytes] = []
        self.through = threading.Semaphore(0)

    def publish(self, message: bytes) -> None:
        super().publish(message)
        self.said.append(message)
        self.through.release()

    def wait(self, count: int = 1) -> None:
        for _ in range(count):
            assert self.through.acquire(timeout=5)


def worker(fanout: Any, sessions: Any = "sealed") -> Server:
    server = Server("many", sessions=sessions, secrets=[SECRET], fanout=fanout)

    @server.tool
    def one() -> str:
        return "1"

    @server.tool
    def name(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", SCHEMA).data["name"])

    @server.resource("note://one")
    def note() -> str:
        return "one"

    return server


def ready(*servers: Server) -> None:
    for server in servers:
        link = server.hub._linked()
        assert link is not None
        link.wait_ready()


def test_changes_reach_every_worker() -> None:
    fanout = Noted()
    here, there = worker(fanout), worker(fanout)
    assert fanout.said == []  # a worker that starts is no news
    heard = [Client(server).listen(tools=True, uris=["note://one"]) for server in (here, there)]
    for one in heard:
        one.messages()
    ready(here, there)
    here.add_tool(lambda: "2", "two")
    here.resource_updated("note://one")
    fanout.wait(2)
    assert [one.changes() for one in heard] == [["tools", "note://one"]] * 2


# proves: S-339
def test_a_client_hears_that_it_listens_when_other_workers_are_heard() -> None:
    started, go = threading.Event(), threading.Event()

    class Slow(LocalFanout):
        def subscribe(self, callback: Callable[[bytes], object]) -> Callable[[], None]:
            started.set()
            assert go.wait(5)
            return super().subscribe(callback)

    fanout = Slow()
    here = worker(fanout)
    opened: list[Heard] = []
    thread = threading.Thread(target=lambda: opened.append(Client(here).listen(tools=True)))
    thread.start()
    assert started.wait(5)
    assert not opened
    go.set()
    thread.join(5)
    there = worker(fanout)
    Client(there).call("one")  # before, its list is no news
    there.add_tool(lambda: "2", "two")
    ready(there)
    there.hub.close()  # when what it published is through
    (heard,) = opened
    assert heard.changes() == ["tools"]


def test_an_answer_reaches_the_worker_that_asked() -> None:
    fanout = Noted()
    here, there = worker(fanout), worker(fanout)
    elsewhere = Client(there)
    posted: list[int] = []

    def reply(request: Any) -> Any:
        elsewhere.session_id = client.session_id
        body = {"jsonrpc": "2.0", "id": request["id"], "result": {"action": "accept", "content": {"name": "Ada"}}}
        head = {**client._head("", {}), "Mcp-Session-Id": client.session_id or ""}
        posted.append(elsewhere.raw(json.dumps(body).encode(), headers=head).status)
        return NO_ANSWER

    class Elsewhere(Replies):
        def response(self, request: Any) -> bytes | None:
            reply(request)
            return None

    client = Client(here, era="legacy", answers=Elsewhere(elicit=lambda _: None))
    assert client.call("name")["content"][0]["text"] == "Ada"
    assert posted == [202]
    assert client.session_id is not None
    assert all(client.session_id.encode() not in one for one in fanout.said)


def test_cancellations_and_ends_reach_the_worker_that_runs() -> None:
    fanout = Noted()
    table = Table()
    here, there = worker(fanout, table), worker(fanout, table)
    running, stop = threading.Event(), threading.Event()
    seen: list[bool] = []

    @here.tool
    def wait(ctx: Context) -> str:
        running.set()
        assert stop.wait(5)
        seen.append(ctx.cancelled)
        return "late"

    client = Client(here, era="legacy")
    other = Client(there, era="legacy")
    other.session_id = client.session_id
    heard = client.listen()
    fanout.wait()  # the stream was told of
    for take_back in (lambda: other.notify("notifications/cancelled", {"requestId": 5}), other.end):
        running.clear()
        stop.clear()
        body = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "wait", "arguments": {}}}
        thread = threading.Thread(target=client.raw, args=(json.dumps(body).encode(),))
        thread.start()
        assert running.wait(5)
        ready(there)
        take_back()
        fanout.wait()
        stop.set()
        thread.join()
    assert seen == [True, True]
    assert heard.messages() == []
    assert heard.ended


def test_a_task_is_heard_of_on_every_worker(tmp_path: Path) -> None:
    fanout = Noted()
    takes = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    go = threading.Event()

    def host() -> Server:
        tasks = Tasks(load("sqlite_tasks").SqliteTasks(tmp_path / "tasks.db"))
        server = Server("many", secrets=[SECRET], fanout=fanout, tasks=tasks)

        @server.tool(task="required")
        def work() -> str:
            assert go.wait(5)
            return "done"

        return server

    here, there = host(), host()
    ready(here, there)
    task = Client(here, capabilities=takes).call("work")
    heard = Client(there, capabilities=takes).listen(tasks=[task["taskId"]])
    assert len(heard.messages()) == 1
    go.set()
    assert here.tasks is not None
    assert here.tasks.idle(5)
    fanout.wait()
    (told,) = heard.messages()
    assert told["method"] == "notifications/tasks"
    assert (told["params"]["taskId"], told["params"]["status"]) == (task["taskId"], "completed")


def test_a_newer_stream_elsewhere_replaces_the_older() -> None:
    fanout = Noted()
    here, there = worker(fanout), worker(fanout)
    client = Client(here, era="legacy")
    first = client.listen()
    ready(here)
    fanout.wait()
    client.server = there
    client.listen()
    fanout.wait()
    assert (first.messages(), first.ended) == ([], True)


def test_other_servers_and_other_forms_are_left_alone() -> None:
    hub = Hub("mine", LocalFanout())
    seen: list[str] = []

    class Live:
        def list_changed(self, kind: str) -> None:
            seen.append(kind)

        def resource_updated(self, uri: str) -> None:
            seen.append(uri)

        def end(self) -> None:
            seen.append("end")

    live = Live()
    with hub.attach(live):
        hub._heard(b'[1,"other","x","changed","tools"]')
        hub._heard(b'[2,"mine","x","changed","tools"]')
        hub._heard(b'[1,"mine","x","what is this"]')
        hub._heard(b'[1,"mine","x","changed","prompts"]')
    hub.close()
    assert seen == ["prompts"]


def test_a_broken_fanout_breaks_nothing_here(caplog: pytest.LogCaptureFixture) -> None:
    class Broken:
        def publish(self, message: bytes) -> None:
            raise OSError("no route")

        def subscribe(self, callback: Callable[[bytes], object]) -> Callable[[], object]:
            raise OSError("no route")

    server = worker(Broken())
    heard = Client(server).listen(tools=True)
    heard.messages()
    with caplog.at_level(logging.WARNING, "mcpgraft"):
        server.add_tool(lambda: "2", "two")
        server.close()
    assert heard.changes() == ["tools"]
    assert "no route" in caplog.text


class FakeRedis:
    """Loses its connection once."""

    def __init__(self) -> None:
        self.attempts = 0
        self.messages: list[Any] = []
        self.more = threading.Semaphore(0)

    def publish(self, channel: str, message: bytes) -> None:
        self.put({"type": "message", "data": message})

    def put(self, message: Any) -> None:
        self.messages.append(message)
        self.more.release()

    def pubsub(self) -> FakeRedis:
        self.attempts += 1
        return self

    def subscribe(self, channel: str) -> None:
        self.put({"type": "subscribe", "data": 1})

    def get_message(self, timeout: float) -> Any:
        if not self.more.acquire(timeout=timeout):
            return None
        found = self.messages.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def close(self) -> None:
        pass


def test_a_lost_connection_is_made_again() -> None:
    redis, heard, came = FakeRedis(), [], threading.Semaphore(0)

    def callback(message: bytes) -> None:
        heard.append(message)
        came.release()
        if message == b"bad":
            raise ValueError("cannot use this")

    fanout = RedisFanout(redis, retry_seconds=0.01)
    end = fanout.subscribe(callback)
    for message in (b"one", b"bad", b"two"):
        fanout.publish(message)
        assert came.acquire(timeout=5)
    redis.put(OSError("gone"))
    fanout.publish(b"three")
    assert came.acquire(timeout=5)
    end()
    assert heard == [b"one", b"bad", b"two", b"three"]
    assert redis.attempts == 2


# --- a real Redis -----------------------------------------------------------------------------------------------------


WORKER = """
import sys
from mcpgraft import Server
from mcpgraft.fanout import RedisFanout
from mcpgraft.session_stores import RedisStore
from mcpgraft.testing import Client, Heard

url = sys.argv[1]
server = Server("many", sessions=RedisStore(url), secrets=[b"0123456789abcdef0123456789abcdef"],
                fanout=RedisFanout(url))

@server.tool
def one() -> str:
    return "1"

@server.resource("note://one")
def note() -> str:
    return "one"

client = Client(server, era="legacy")
for line in sys.stdin:
    what, _, rest = line.strip().partition(" ")
    if what == "grow":
        server.add_tool(lambda: "2", "two")
    elif what == "update":
        server.resource_updated(rest)
    elif what == "post":
        client.session_id, _, body = rest.partition(" ")
        print(client.raw(body.encode()).status, flush=True)
        continue
    print("ok", flush=True)
server.close()
"""


@pytest.fixture
def other_process(redis_url: str) -> Iterator[Callable[[str], str]]:
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, redis_url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    to, out = process.stdin, process.stdout

    def say(line: str) -> str:
        to.write(line + "\n")
        to.flush()
        return out.readline().strip()

    yield say
    to.close()
    process.wait(10)
    out.close()


def test_two_processes_share_sessions_changes_and_answers(redis_url: str, other_process: Callable[[str], str]) -> None:
    server = worker(RedisFanout(redis_url), RedisStore(redis_url))

    class Elsewhere(Replies):
        def response(self, request: Any) -> bytes | None:
            accepted = {"action": "accept", "content": {"name": "Ada"}}
            body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": accepted})
            assert other_process(f"post {client.session_id} {body}") == "202"
            return None

    client = Client(server, era="legacy", answers=Elsewhere(elicit=lambda _: None))
    assert client.call("name")["content"][0]["text"] == "Ada"

    # A subscription made at the other process holds for the stream here.
    body = json.dumps({"jsonrpc": "2.0", "id": 9, "method": "resources/subscribe", "params": {"uri": "note://one"}})
    assert other_process(f"post {client.session_id} {body}") == "200"
    came = threading.Semaphore(0)

    class Live:
        def list_changed(self, kind: str) -> None:
            came.release()

        def resource_updated(self, uri: str) -> None:
            came.release()

        def end(self) -> None:
            pass

    live = Live()
    heard = client.listen()
    with server.attach(live):
        other_process("grow")
        other_process("update note://one")
        assert came.acquire(timeout=5)
        assert came.acquire(timeout=5)
    assert heard.changes() == ["tools", "note://one"]
    assert client.end() == 200
    assert other_process(f"post {client.session_id} {body}") == "404"
    server.close()
