"""`tasks/result` of 2025-11-25 where it waits: pipes, an event loop, a host with one thread; and after a restart."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mcpgraft import Context, Server, Tasks
from mcpgraft.asgi import App as AsgiApp
from mcpgraft.testing import Client
from mcpgraft.testing_answers import Replies
from mcpgraft.wsgi import App

from .examples import load
from .test_asking_hosts import ACCEPT, INITIALIZE, Pipe
from .test_streams import environ, events
from .test_tasks_2025 import LONG, NAME, RELATED, SECRET, Json, text

TASK = {"ttl": 60_000}


def make(**options: Any) -> tuple[Server, threading.Event]:
    go = threading.Event()
    server = Server("s", secrets=[SECRET], tasks=Tasks(experimental=True, wait=0.2), **options)

    @server.tool(task="optional")
    def work() -> str:
        assert go.wait(LONG)
        return "done"

    @server.tool(task="required")
    async def ask(ctx: Context) -> str:
        await asyncio.sleep(0)
        return str((await ctx.elicit("who", "Who?", NAME)).data["name"])

    return server, go


def call(name: str) -> Json:
    return {"name": name, "arguments": {}, "task": TASK}


def test_no_thread_of_a_connection_waits() -> None:
    server, go = make(workers=1)
    pipe = Pipe(server)
    pipe.send({"id": 1, "method": "tools/call", "params": call("work")})
    task = pipe.receive()["result"]["task"]["taskId"]
    for id_ in (2, 3, 4):
        pipe.send({"id": id_, "method": "tasks/result", "params": {"taskId": task}})
    pipe.send({"id": 5, "method": "tasks/get", "params": {"taskId": task}})
    assert pipe.receive()["result"]["status"] == "working", "the only thread is free"
    pipe.send({"method": "notifications/cancelled", "params": {"requestId": 4}})
    pipe.send({"id": 6, "method": "ping"})
    assert pipe.receive() == {"jsonrpc": "2.0", "id": 6, "result": {}}
    go.set()
    heard = [pipe.receive() for _ in range(3)]
    results = {one["id"]: text(one["result"]) for one in heard if "id" in one}
    assert results == {2: "done", 3: "done"}
    assert [one["params"]["status"] for one in heard if "id" not in one] == ["completed"]
    pipe.end()


def test_questions_and_answers_on_pipes() -> None:
    server, _ = make(workers=1)
    pipe = Pipe(server)
    pipe.send({"id": 1, "method": "tools/call", "params": call("ask")})
    while (made := pipe.receive()).get("id") != 1:
        pass
    task = made["result"]["task"]["taskId"]
    pipe.send({"id": 2, "method": "tasks/result", "params": {"taskId": task}})
    while (asked := pipe.receive()).get("method") != "elicitation/create":
        pass
    assert asked["params"]["_meta"] == {RELATED: {"taskId": task}}
    pipe.send({"id": asked["id"], "result": ACCEPT})
    while (done := pipe.receive()).get("id") != 2:
        assert done["method"] == "notifications/tasks/status"
    assert text(done["result"]) == "Ada"
    pipe.end()


class Asgi:
    """A client of an ASGI application, with a session."""

    def __init__(self, server: Server) -> None:
        self.app = AsgiApp(server)
        self.headers: dict[str, str] = {}

    async def open(self) -> None:
        _, headers, body = await self(0, "initialize", INITIALIZE)
        self.headers = {name.decode(): value.decode() for name, value in headers if name == b"mcp-session-id"}
        assert json.loads(body)["result"]["capabilities"]["tasks"]["list"] == {}

    async def __call__(
        self,
        id: Any,
        method: str | None,
        payload: Json,
        seen: Callable[[bytes], Any] = lambda piece: None,
        gone: asyncio.Event | None = None,
    ) -> tuple[int, Any, bytes]:
        message: Json = {"jsonrpc": "2.0", "id": id}
        message |= {"result": payload} if method is None else {"method": method, "params": payload}
        sent = [{"type": "http.request", "body": json.dumps(message).encode()}]
        answer: list[Any] = [0, [], b""]

        async def receive() -> Any:
            if sent:
                return sent.pop()
            await (gone or asyncio.Event()).wait()
            return {"type": "http.disconnect"}

        async def send(event: Any) -> None:
            if event["type"] == "http.response.start":
                answer[:2] = event["status"], event["headers"]
            else:
                answer[2] += event["body"]
                seen(event["body"])

        headers = {
            "host": "localhost",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            **({"mcp-protocol-version": "2025-11-25"} if self.headers else {}),
            **self.headers,
        }
        scope = {
            "type": "http",
            "method": "POST",
            "path": "/mcp",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "scheme": "http",
        }
        await asyncio.wait_for(self.app(scope, receive, send), LONG)
        return answer[0], answer[1], answer[2]


# proves: S-436, S-447
def test_no_thread_of_an_event_loop_waits() -> None:
    server, go = make(workers=1, sessions="memory")

    async def talk() -> None:
        client = Asgi(server)
        await client.open()
        _, _, body = await client(1, "tools/call", call("work"))
        task = json.loads(body)["result"]["task"]["taskId"]
        begun = asyncio.Event()
        waiting = [
            asyncio.ensure_future(client(n, "tasks/result", {"taskId": task}, lambda piece: begun.set()))
            for n in (2, 3)
        ]
        await begun.wait()  # the stream is there before there is anything to say
        _, headers, body = await client(4, "tasks/get", {"taskId": task})
        assert dict(headers)[b"content-type"] == b"application/json"
        assert json.loads(body)["result"]["status"] == "working", "the only thread is free"
        gone = asyncio.Event()
        left = asyncio.ensure_future(client(5, "tasks/result", {"taskId": task}, lambda piece: gone.set(), gone))
        await left  # who went away is not waited for
        assert server.tasks is not None
        go.set()
        for n, one in zip((2, 3), waiting, strict=True):
            _, headers, body = await one
            assert dict(headers)[b"content-type"] == b"text/event-stream"
            (done,) = events(body)
            assert (done["id"], text(done["result"])) == (n, "done")

    asyncio.run(talk())
    assert server.tasks is not None
    assert server.tasks.watches._count == 0


def test_questions_and_answers_on_an_event_loop() -> None:
    server, _ = make(sessions="sealed")

    async def talk() -> None:
        client = Asgi(server)
        await client.open()
        _, _, body = await client(1, "tools/call", call("ask"))
        task = json.loads(body)["result"]["task"]["taskId"]
        answers: list[Any] = []

        def seen(piece: bytes) -> None:
            for one in events(piece):
                if "method" in one:
                    assert one["params"]["_meta"] == {RELATED: {"taskId": task}}
                    answers.append(asyncio.ensure_future(client(one["id"], None, ACCEPT)))

        _, _, body = await client(2, "tasks/result", {"taskId": task}, seen)
        assert text(events(body)[-1]["result"]) == "Ada"
        assert [(await one)[0] for one in answers] == [202]

    asyncio.run(talk())


@pytest.mark.parametrize("threads", [True, False])
def test_a_host_with_threads_waits_for_a_while_and_one_without_does_not(threads: bool) -> None:
    server, go = make()
    app, plain = App(server), {"HTTP_MCP_PROTOCOL_VERSION": "2025-11-25", "HTTP_MCP_METHOD": ""}

    def post(id: int, method: str, params: Json) -> list[Any]:
        body = json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()
        parts: list[bytes] = []
        env = environ(body, multithread=threads, **plain)
        rest = app(env, lambda status, headers: parts.append)
        whole = b"".join([*parts, *rest])
        return events(whole) or [json.loads(whole)]

    (made,) = post(1, "tools/call", call("work"))
    params = {"taskId": made["result"]["task"]["taskId"]}
    (error,) = post(2, "tasks/result", params)
    wanted = "the task is not over yet" if threads else "the task is not over, and no more calls can wait here"
    assert error["error"]["message"].startswith(wanted)
    go.set()
    assert server.tasks is not None
    assert server.tasks.idle(LONG)
    (done,) = post(3, "tasks/result", params)
    assert text(done["result"]) == "done"


def test_a_restart_loses_nothing(tmp_path: Path) -> None:
    def worker() -> Server:
        store = load("sqlite_tasks").SqliteTasks(tmp_path / "tasks.db")
        server = Server("w", secrets=[SECRET], sessions="sealed", tasks=Tasks(store, experimental=True))

        @server.tool(task="required")
        def ask(ctx: Context) -> str:
            return f"{ctx.elicit('name', 'Name?', NAME).data['name']} {ctx.client_info.get('name')}"

        return server

    first = worker()
    replies = Replies(elicit=lambda params: {"name": "Ada"})
    client = Client(first, era="legacy", answers=replies)
    made = client.request("tools/call", call("ask"))["task"]
    assert first.tasks is not None
    assert first.tasks.idle(LONG)
    client.server = worker()  # the session is in its id, the task in the file
    (listed,) = client.request("tasks/list")["tasks"]
    assert (listed["taskId"], listed["status"]) == (made["taskId"], "input_required")
    assert text(client.request("tasks/result", {"taskId": made["taskId"]})) == "Ada None"
