"""Tasks: who gets one, what a client sees of it, questions inside, cancellation, whose it is."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest

from mcpgraft import (
    Context,
    Elicit,
    Forbidden,
    McpError,
    MemoryTasks,
    NeedInput,
    RegistrationError,
    Server,
    Tasks,
    ToolError,
)
from mcpgraft.testing import Client, ProtocolError
from mcpgraft.testing_answers import Replies
from mcpgraft.wsgi import App

from .test_streams import META, environ, events, start

EXTENSION = "io.modelcontextprotocol/tasks"
TAKES = {"extensions": {EXTENSION: {}}, "elicitation": {}}
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
LONG = 20.0  # more than any test takes


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_785_196_800_000

    def __call__(self) -> int:
        return self.now


@dataclass
class World:
    server: Server
    tasks: Tasks
    clock: Clock
    go: threading.Event

    def client(self, **options: Any) -> Client:
        return Client(self.server, capabilities=TAKES, **options)

    def get(self, task: dict[str, Any], client: Client | None = None) -> dict[str, Any]:
        return (client or self.client()).request("tasks/get", {"taskId": task["taskId"]})

    def settled(self, task: dict[str, Any], client: Client | None = None) -> dict[str, Any]:
        """The task when nothing runs any more."""
        assert self.tasks.idle(LONG)
        return self.get(task, client)


@pytest.fixture
def world() -> Iterator[World]:
    clock, go = Clock(), threading.Event()
    tasks = Tasks(MemoryTasks(limit=3), ttl=60, poll=0.5, workers=2, clock=clock)
    server = Server("tasks", secrets=["a secret that is long enough"], tasks=tasks)
    yield World(server, tasks, clock, go)
    go.set()
    assert tasks.idle(LONG)


def text(result: dict[str, Any]) -> str:
    content: list[dict[str, str]] = result["content"]
    return content[0]["text"]


# --- who gets a task


# proves: S-392, S-393, T-076
def test_a_declaring_client_gets_a_task_and_then_its_result(world: World) -> None:
    @world.server.tool(task="optional")
    def work(n: int, ctx: Context) -> dict[str, int]:
        assert ctx.task
        assert world.go.wait(LONG)
        return {"n": n + 1}

    created = world.client().call("work", n=1)
    assert created.pop("_meta")
    assert {key: created[key] for key in ("resultType", "status", "ttlMs", "pollIntervalMs")} == {
        "resultType": "task",
        "status": "working",
        "ttlMs": 60_000,
        "pollIntervalMs": 500,
    }
    assert created["createdAt"] == created["lastUpdatedAt"] == "2026-07-28T00:00:00.000Z"
    assert len(created["taskId"]) >= 32
    working = world.get(created)
    assert (working["resultType"], working["status"]) == ("complete", "working")
    assert "result" not in working
    world.clock.now += 1000
    world.go.set()
    done = world.settled(created)
    assert (done["status"], done["lastUpdatedAt"]) == ("completed", "2026-07-28T00:00:01.000Z")
    assert done["result"]["structuredContent"] == {"n": 2}
    assert text(done["result"]) == '{"n":2}'


# proves: S-081, S-390, S-391, S-396
@pytest.mark.parametrize(
    "options",
    [
        {"capabilities": {}},
        {"capabilities": {"extensions": {EXTENSION: True}}},
        {"era": "legacy", "capabilities": TAKES},
        {"era": "legacy", "transport": "stdio", "capabilities": TAKES},
        {"revision": "2024-11-05", "era": "legacy"},
    ],
)
def test_others_wait_for_the_result(world: World, options: dict[str, Any]) -> None:
    @world.server.tool(task="optional")
    def work(ctx: Context) -> str:
        ctx.task.status("heard by nobody")
        ctx.task.begin()
        return f"{bool(ctx.task)} {ctx.task.id}"

    @world.server.tool(task="required")
    def long() -> str:
        raise AssertionError("it must not run")

    client = Client(world.server, **options)
    assert text(client.call("work")) == "False None"
    if client.era == "legacy":
        refused = client.call("long")
        assert refused["isError"]
        assert EXTENSION in text(refused)
        with pytest.raises(ProtocolError, match="-32601"):
            client.request("tasks/get", {"taskId": "x"})
    else:
        with pytest.raises(ProtocolError) as error:
            client.call("long")
        assert error.value.code == -32021
        assert error.value.data == {"requiredCapabilities": {"extensions": {EXTENSION: {}}}}
        with pytest.raises(ProtocolError, match="-32021"):
            client.request("tasks/get", {"taskId": "x"})


def test_the_extension_is_declared_when_a_tool_needs_it() -> None:
    server = Server("s", extensions={"acme/own": {"a": 1}})
    server.add_tool(lambda: "x", "plain")
    with pytest.raises(RegistrationError, match="optional"):
        server.add_tool(lambda: "x", "odd", task="sometimes")  # type: ignore[arg-type]
    assert server.tasks is None
    server.add_tool_raw("raw", {"type": "object"}, lambda name, arguments: "raw", task="required")
    client = Client(server, capabilities=TAKES)
    declared = client.request("server/discover")["capabilities"]["extensions"]
    assert declared == {"acme/own": {"a": 1}, EXTENSION: {}}
    assert {tool["name"] for tool in client.list_tools()} == {"plain", "raw"}
    task = client.call("raw")
    assert server.tasks is not None
    assert server.tasks.idle(LONG)
    assert text(client.request("tasks/get", {"taskId": task["taskId"]})["result"]) == "raw"
    late = Server("late")
    Client(late).request("server/discover")
    with pytest.raises(RegistrationError, match="before the server"):
        late.add_tool(lambda: "x", "raw", task="optional")


def test_wrong_calls_are_refused_at_once(world: World) -> None:
    def guard(ctx: Context) -> None:
        if ctx.arguments.get("n") == 13:
            raise Forbidden("not this")

    @world.server.tool(task="required", guard=guard)
    def work(n: int) -> str:
        return str(n)

    client = world.client()
    assert client.call("work", n="many")["isError"]
    assert text(client.call("work", n=13)) == "not this"
    assert client.call("work", n=1)["resultType"] == "task"


# --- how it ends


# proves: S-394, T-074
def test_failures_of_the_tool_and_of_the_protocol(world: World) -> None:
    @world.server.tool(task="optional")
    def broken(how: str) -> Any:
        if how == "tool":
            raise ToolError("as planned")
        if how == "error":
            raise McpError("no more", code=1001, data=[1])
        if how == "exit":
            raise SystemExit("bye")
        return {"resultType": "task", "content": 5}

    client = world.client()
    tool = world.settled(client.call("broken", how="tool"))
    assert (tool["status"], tool["result"]["isError"], text(tool["result"])) == ("completed", True, "as planned")
    error = world.settled(client.call("broken", how="error"))
    assert (error["status"], error["statusMessage"]) == ("failed", "no more")
    assert error["error"] == {"code": 1001, "message": "no more", "data": [1]}
    assert "result" not in error
    assert world.settled(client.call("broken", how="exit"))["result"]["isError"]


def test_a_task_ends_once(world: World) -> None:
    @world.server.tool(task="optional")
    def work(ctx: Context) -> str:
        started.set()
        assert world.go.wait(LONG)
        seen.append(ctx.cancelled)
        ctx.task.status("too late")
        ctx.check_cancelled()
        raise AssertionError("it was taken back")

    started, seen = threading.Event(), list[bool]()
    client = world.client()
    task = client.call("work")
    assert started.wait(LONG)
    ack = client.request("tasks/cancel", {"taskId": task["taskId"]})
    assert set(ack) == {"resultType", "_meta"}
    assert world.get(task)["status"] == "cancelled"
    world.go.set()
    after = world.settled(task)
    assert (after["status"], seen) == ("cancelled", [True])
    assert "statusMessage" not in after
    assert client.request("tasks/cancel", {"taskId": task["taskId"]})["resultType"] == "complete"


def test_what_has_not_begun_is_not_begun(world: World) -> None:
    @world.server.tool(task="optional")
    def work(n: int) -> str:
        ran.append(n)
        assert world.go.wait(LONG)
        return "x"

    ran: list[int] = []
    client = world.client()
    first, second, third = (client.call("work", n=n) for n in range(3))  # of two workers
    client.request("tasks/cancel", {"taskId": third["taskId"]})
    world.go.set()
    assert world.settled(third)["status"] == "cancelled"
    assert world.settled(first)["status"] == world.settled(second)["status"] == "completed"
    assert sorted(ran) == [0, 1]


def test_async_handlers_run_on_a_loop_and_are_cancelled_there(world: World) -> None:
    @world.server.tool(task="optional")
    async def quick(ctx: Context) -> str:
        await asyncio.sleep(0)
        ctx.task.status("nearly")
        return "done"

    @world.server.tool(task="optional")
    async def slow() -> str:
        try:
            started.set()
            await asyncio.sleep(LONG)
        finally:
            ended.set()
        return "never"

    started, ended = threading.Event(), threading.Event()
    client = world.client()
    done = world.settled(client.call("quick"))
    assert (text(done["result"]), done["statusMessage"]) == ("done", "nearly")
    task = client.call("slow")
    assert started.wait(LONG)
    client.request("tasks/cancel", {"taskId": task["taskId"]})
    assert ended.wait(LONG)
    assert world.settled(task)["status"] == "cancelled"


# --- questions


# proves: S-395, S-398
def test_questions_show_in_the_task(world: World) -> None:
    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        runs.append(ctx.memo("price", lambda: len(runs) + 7))
        answers = ctx.ask_all({"who": Elicit("Who?", NAME), "sure": Elicit("Sure?", NAME)})
        more = ctx.elicit("more", "More?", NAME)
        return f"{answers['who'].data['name']} {answers['sure'].action} {more.action} {runs}"

    runs: list[int] = []
    client = world.client()
    task = client.call("book")
    assert task["status"] == "working"
    asked = world.settled(task)
    assert (asked["status"], set(asked["inputRequests"])) == ("input_required", {"who", "sure"})
    assert asked["inputRequests"]["who"]["params"]["message"] == "Who?"

    def update(**responses: Any) -> dict[str, Any]:
        ack = client.request("tasks/update", {"taskId": task["taskId"], "inputResponses": responses})
        assert set(ack) == {"resultType", "_meta"}
        return world.settled(task)

    assert set(update(nobody={"action": "accept"}, sure="nonsense")["inputRequests"]) == {"who", "sure"}
    half = update(sure={"action": "decline"}, who=None)
    assert (half["status"], set(half["inputRequests"]), runs) == ("input_required", {"who"}, [7])
    # An answer that does not fit is asked for again, under a key the client has not seen.
    again = update(who={"action": "accept", "content": {"name": 5}})
    assert set(again["inputRequests"]) == {"who.2"}
    assert set(update(who={"action": "accept", "content": {"name": "Eve"}})["inputRequests"]) == {"who.2"}
    more = update(**{"who.2": {"action": "accept", "content": {"name": "Ada"}}})
    assert set(more["inputRequests"]) == {"more"}
    done = update(more={"action": "cancel"})
    assert text(done["result"]) == "Ada decline cancel [7, 7, 7, 7]"
    assert update(more={"action": "accept"}) == done


def test_handlers_in_steps(world: World) -> None:
    @world.server.tool(task="required")
    def steps(ctx: Context) -> Any:
        if ctx.state is None:
            return NeedInput({"name": Elicit("Name?", NAME)}, state=1)
        if ctx.state == 1:
            return NeedInput({"name": Elicit("And the other name?", NAME)}, state=[ctx.answers["name"].data["name"]])
        return f"{ctx.state[0]} {ctx.answers['name'].data['name']}"

    client = world.client()
    task = client.call("steps")
    for key, name in (("name", "Ada"), ("name.2", "Lovelace")):
        assert list(world.settled(task)["inputRequests"]) == [key]
        answer = {key: {"action": "accept", "content": {"name": name}}}
        client.request("tasks/update", {"taskId": task["taskId"], "inputResponses": answer})
    assert text(world.settled(task)["result"]) == "Ada Lovelace"


def test_what_the_client_cannot_be_asked_fails_the_task(world: World) -> None:
    @world.server.tool(task="optional")
    def ask(ctx: Context) -> str:
        return ctx.sample("s", "?").text

    task = world.settled(world.client().call("ask"))
    assert (task["status"], task["error"]["code"]) == ("failed", -32021)
    assert task["error"]["data"] == {"requiredCapabilities": {"sampling": {}}}


def test_a_guard_may_ask_within_the_task(world: World) -> None:
    def sure(ctx: Context) -> bool:
        return bool(ctx.elicit("sure", "Sure?", NAME))

    @world.server.tool(task="optional", guard=sure)
    def work() -> str:
        return "done"

    client = world.client()
    task = client.call("work")
    assert list(world.settled(task)["inputRequests"]) == ["sure"]
    client.request("tasks/update", {"taskId": task["taskId"], "inputResponses": {"sure": {"action": "decline"}}})
    assert text(world.settled(task)["result"]).startswith("not allowed")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_deferred_tool_asks_first(world: World, asynchronous: bool) -> None:
    def greet(loud: bool, ctx: Context) -> str:
        number = ctx.memo("n", lambda: ran.append("memo") or len(ran))
        name = ctx.elicit("name", "Name?", NAME).data["name"]
        if not loud:
            return f"hello {name}"
        ctx.task.begin()
        ran.append("work")
        return f"HELLO {name} {bool(ctx.task)} {number}"

    async def later(loud: bool, ctx: Context) -> str:
        return greet(loud, ctx)

    world.server.add_tool(later if asynchronous else greet, "greet", task="deferred")
    ran: list[str] = []
    client = world.client()
    first = client.call("greet", loud=True)
    assert first["resultType"] == "input_required"
    assert "taskId" not in first
    answer = {"name": {"action": "accept", "content": {"name": "Ada"}}}
    retry = {
        "name": "greet",
        "arguments": {"loud": True},
        "inputResponses": answer,
        "requestState": first["requestState"],
    }
    task = client.request("tools/call", retry)
    assert task["resultType"] == "task"
    assert "requestState" not in task
    assert text(world.settled(task)["result"]) == "HELLO Ada True 1"
    assert ran == ["memo", "work"]
    answering = world.client(answers=Replies(elicit=lambda *_: {"name": "Ada"}))
    assert text(answering.call("greet", loud=False)) == "hello Ada"


# --- whose it is, and how long


# proves: S-397, S-400
def test_a_task_belongs_to_its_principal(world: World) -> None:
    @world.server.tool(task="optional")
    def work() -> str:
        return "secret"

    def verify(request: Any) -> str:
        return str(request.headers["X-User"])

    ann, bob = (world.client(auth=verify, headers={"X-User": user}) for user in ("ann", "bob"))
    task = ann.call("work")
    assert text(world.settled(task, ann)["result"]) == "secret"
    params = {"taskId": task["taskId"], "inputResponses": {}}
    for method in ("tasks/get", "tasks/update", "tasks/cancel"):
        with pytest.raises(ProtocolError) as foreign:
            bob.request(method, params)
        with pytest.raises(ProtocolError) as unknown:
            bob.request(method, {**params, "taskId": "nonsense"})
        assert (foreign.value.code, foreign.value.message) == (unknown.value.code, unknown.value.message)
        assert foreign.value.code == -32602


def test_tasks_expire_and_are_bounded(world: World) -> None:
    @world.server.tool(task="optional")
    def work() -> str:
        return "x"

    client = world.client()
    tasks = [client.call("work") for _ in range(3)]
    assert len({task["taskId"] for task in tasks}) == 3
    with pytest.raises(ProtocolError, match="too many tasks"):
        client.call("work")
    assert world.settled(tasks[0])["status"] == "completed"
    world.clock.now += 59_999
    assert world.get(tasks[0])["status"] == "completed"
    world.clock.now += 1
    with pytest.raises(ProtocolError, match="-32602"):
        world.get(tasks[0])
    assert client.call("work")["resultType"] == "task"
    assert len(world.tasks.store) == 1  # type: ignore[arg-type]


# --- who listens


# proves: S-399
def test_listeners_hear_of_their_tasks(world: World) -> None:
    @world.server.tool(task="optional")
    def work(ctx: Context) -> str:
        assert world.go.wait(LONG)
        ctx.task.status("half way")
        return "done"

    client = world.client(transport="stdio")
    task = client.call("work")
    other = client.call("work")
    envelope = {"_meta": client._enveloped({})["_meta"]}
    listen = {"notifications": {"taskIds": [task["taskId"]]}, **envelope}
    ack = client.raw(
        msgspec.json.encode({"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": listen})
    )
    assert ack.messages[0]["params"]["notifications"] == {"taskIds": [task["taskId"]]}
    world.go.set()
    assert world.tasks.idle(LONG)
    client.request("tasks/get", {"taskId": other["taskId"]})
    told = [one["params"] for one in client.notifications if one["method"] == "notifications/tasks"]
    assert {one["taskId"] for one in told} == {task["taskId"]}
    assert [one["status"] for one in told] == ["working", "completed"]
    assert told[0]["statusMessage"] == "half way"
    assert text(told[1]["result"]) == "done"
    assert told[1]["_meta"]["io.modelcontextprotocol/subscriptionId"] == "L"
    assert "resultType" not in told[1]


def test_listeners_over_http_hear_how_their_tasks_stand_now(world: World) -> None:
    @world.server.tool(task="optional")
    def work(ctx: Context) -> str:
        assert world.go.wait(LONG)
        ctx.task.status("half way")
        return "done"

    def verify(request: Any) -> str:
        return str(request.headers["X-User"])

    task = world.client(auth=verify, headers={"X-User": "ann"}).call("work")
    host = App(world.server, auth=verify)
    meta = {**META, "io.modelcontextprotocol/clientCapabilities": TAKES}
    params = {"notifications": {"taskIds": [task["taskId"]]}, "_meta": meta}
    body = msgspec.json.encode({"jsonrpc": "2.0", "id": 7, "method": "subscriptions/listen", "params": params})
    told: dict[str, list[Any]] = {}
    streams = {user: start(host, environ(body, HTTP_X_USER=user)) for user in ("ann", "bob")}
    for user, (status, _, pieces) in streams.items():
        assert status == 200
        told[user] = events(next(pieces))
    world.go.set()
    assert world.tasks.idle(LONG)
    world.server.close()
    for user, (_, _, pieces) in streams.items():
        told[user] += [message for piece in pieces for message in events(piece)]
    methods = {user: [message.get("method", "end") for message in messages] for user, messages in told.items()}
    acknowledged = "notifications/subscriptions/acknowledged"
    # Both changes came before the stream was read: how it stands now is what counts.
    assert methods == {"ann": [acknowledged, "notifications/tasks", "end"], "bob": [acknowledged, "end"]}
    assert told["ann"][1]["params"]["status"] == "completed"


# --- stores


def _memory(_: Any) -> Any:
    return MemoryTasks(limit=2)


def _sqlite(path: Any) -> Any:
    from .examples import load

    return load("sqlite_tasks").SqliteTasks(path / "tasks.db", limit=2)


@pytest.mark.parametrize("make", [_memory, _sqlite])
def test_what_a_store_promises(make: Callable[[Any], Any], tmp_path: Any) -> None:
    from mcpgraft import TaskRecord

    store = make(tmp_path)
    one = TaskRecord("a", b"{}", b"1", 1, 100)
    assert store.add(one, 0)
    assert not store.add(one, 0)
    assert store.get("a", 99) == one
    assert store.get("a", 100) is None
    assert store.get("b", 0) is None
    two = one._replace(task=b"[]", version=2)
    assert not store.swap(two, 100)
    assert not store.swap(two._replace(version=3), 0)
    assert store.swap(two, 0)
    assert not store.swap(two, 0)
    assert store.get("a", 0) == two
    ever = TaskRecord("e", b"{}", b"1", 1, None)
    assert store.add(ever, 0)
    assert not store.add(ever._replace(id="f"), 99)
    assert store.add(ever._replace(id="f"), 100)
    assert store.get("e", 10**15) == ever


def test_another_worker_goes_on(tmp_path: Any) -> None:
    def worker() -> Server:
        server = Server("w", tasks=Tasks(_sqlite(tmp_path)))

        @server.tool(task="required")
        def ask(ctx: Context) -> str:
            here = ctx.memo("first", lambda: "memo")
            return f"{here} {ctx.elicit('name', 'Name?', NAME).data['name']} {ctx.client_info['name']}"

        return server

    first, second = worker(), worker()
    assert first.tasks is not None
    assert second.tasks is not None
    task = Client(first, capabilities=TAKES).call("ask")
    assert first.tasks.idle(LONG)
    client = Client(second, capabilities=TAKES)
    params = {"taskId": task["taskId"]}
    assert list(client.request("tasks/get", params)["inputRequests"]) == ["name"]
    answer = {"name": {"action": "accept", "content": {"name": "Ada"}}}
    client.request("tasks/update", {**params, "inputResponses": answer})
    assert second.tasks.idle(LONG)
    done = Client(first, capabilities=TAKES).request("tasks/get", params)
    assert text(done["result"]) == "memo Ada mcpgraft-test-client"
