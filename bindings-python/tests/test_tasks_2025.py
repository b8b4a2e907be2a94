"""The experimental tasks of 2025-11-25: who is offered them, what their clients see, `tasks/result`, whose they are."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import pytest

from mcpgraft import (
    AskError,
    Context,
    Elicit,
    Forbidden,
    McpError,
    MemoryTasks,
    Refused,
    Server,
    Tasks,
    ToolError,
)
from mcpgraft.auth import ApiKey
from mcpgraft.testing import Client, ProtocolError
from mcpgraft.testing_answers import NO_ANSWER, Refuse, Replies

RELATED = "io.modelcontextprotocol/related-task"
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
LONG = 20.0  # more than any test takes
SECRET = "a secret that is long enough"
Json = dict[str, Any]


class Clock:
    """A time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_785_196_800_000

    def __call__(self) -> int:
        return self.now


@dataclass
class World:
    transport: str
    clock: Clock = field(default_factory=Clock)
    go: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.server = self.make()

    def make(self, store: Any = None, **options: Any) -> Server:
        """A server with tools for everybody."""
        self.tasks = Tasks(
            MemoryTasks(limit=200) if store is None else store,
            ttl=60,
            poll=0.5,
            workers=2,
            clock=self.clock,
            experimental=True,
            wait=LONG,
            **options,
        )
        server = Server("tasks", secrets=[SECRET], tasks=self.tasks, sessions="memory")

        @server.tool(task="optional")
        def work(n: int, ctx: Context) -> Json:
            assert self.go.wait(LONG)
            ctx.progress(n)
            return {"n": n, "task": bool(ctx.task)}

        @server.tool(task="required")
        def long() -> list[int]:
            return [1, 2]

        @server.tool(task="deferred")
        def later(ctx: Context) -> str:
            ctx.task.begin()
            return f"{bool(ctx.task)}"

        @server.tool
        def plain() -> str:
            return "plain"

        return server

    def client(self, **options: Any) -> Client:
        transport: Any = self.transport
        return Client(self.server, **{"era": "legacy", "transport": transport, **options})

    def start(self, client: Client, name: str, ttl: Any = 5000, **arguments: Any) -> Json:
        created = client.request("tools/call", {"name": name, "arguments": arguments, "task": {"ttl": ttl}})
        task: Json = created["task"]
        assert created["_meta"][RELATED] == {"taskId": task["taskId"]}
        return task

    def get(self, client: Client, task: Json) -> Json:
        return client.request("tasks/get", {"taskId": task["taskId"]})

    def result(self, client: Client, task: Json) -> Json:
        return client.request("tasks/result", {"taskId": task["taskId"]})

    def settled(self, client: Client, task: Json) -> Json:
        assert self.tasks.idle(LONG)
        return self.get(client, task)


@pytest.fixture(params=["stdio", "http"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    world = World(request.param)
    yield world
    world.go.set()
    assert world.tasks.idle(LONG)


def until(there: Callable[[], bool]) -> None:
    """Wait for what another thread does."""
    end = time.monotonic() + LONG
    while not there():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.001)


def text(result: Json) -> str:
    content: list[dict[str, str]] = result["content"]
    return content[0]["text"]


# --- who is offered them


# proves: S-430, S-402, S-058
def test_what_is_declared(world: World) -> None:
    client = world.client()
    assert client.server_info["capabilities"]["tasks"] == {
        "list": {},
        "cancel": {},
        "requests": {"tools": {"call": {}}},
    }
    support = {tool["name"]: tool.get("execution") for tool in client.list_tools()}
    assert support == {
        "work": {"taskSupport": "optional"},
        "long": {"taskSupport": "required"},
        "later": {"taskSupport": "optional"},
        "plain": None,
    }
    with pytest.raises(ProtocolError, match=r'-32601: the tool "long" is called as a task only'):
        client.call("long")
    with pytest.raises(ProtocolError, match=r'-32601: the tool "plain" cannot be called as a task'):
        world.start(client, "plain")
    for wrong in (0, -1, "1000", [1]):
        with pytest.raises(ProtocolError, match=r"-32602: params\.task\.ttl"):
            world.start(client, "work", ttl=wrong, n=1)
    with pytest.raises(ProtocolError, match="-32601"):
        client.request("tasks/update", {"taskId": "x", "inputResponses": {}})
    assert text(client.call("later")) == "False"
    world.go.set()
    assert client.call("work", n=1)["structuredContent"] == {"n": 1, "task": False}


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-06-18", "2026-07-28"])
def test_other_revisions_have_none_of_it(world: World, revision: str) -> None:
    era = "modern" if revision == "2026-07-28" else "legacy"
    client = world.client(era=era, revision=revision)
    about = client.server_info or client.request("server/discover")
    assert "tasks" not in about["capabilities"]
    assert not any("execution" in tool for tool in client.list_tools())
    world.go.set()
    called = client.request("tools/call", {"name": "work", "arguments": {"n": 1}, "task": {"ttl": 1}})
    assert "task" not in called
    for method in ("tasks/list", "tasks/result"):
        with pytest.raises(ProtocolError, match="-32601"):
            client.request(method, {"taskId": "x"})


def test_it_is_off_unless_asked_for() -> None:
    server = Server("s", tasks=Tasks())
    server.add_tool(lambda: "x", "x", task="optional")
    client = Client(server, era="legacy")
    assert "tasks" not in client.server_info["capabilities"]
    assert "execution" not in client.list_tools()[0]
    assert text(client.request("tools/call", {"name": "x", "arguments": {}, "task": {}})) == "x"


# --- how a task lives


# proves: S-401, S-431, S-432, S-433, S-434, S-435, S-437, S-439, T-075
def test_a_task_and_its_result(world: World) -> None:
    client = world.client(progress=False)
    task = world.start(client, "work", n=1)
    assert len(task["taskId"]) >= 32
    begun = {
        "status": "working",
        "ttl": 5000,
        "pollInterval": 500,
        "createdAt": "2026-07-28T00:00:00.000Z",
        "lastUpdatedAt": "2026-07-28T00:00:00.000Z",
    }
    assert {**begun, "taskId": task["taskId"]} == task
    # What `_meta` says of a task does not count.
    marked = {"taskId": task["taskId"], "_meta": {RELATED: {"taskId": "another"}}}
    assert client.request("tasks/get", marked) == task
    world.clock.now += 1500
    world.go.set()
    result = world.result(client, task)
    assert result["structuredContent"] == {"n": 1, "task": True}
    assert result["_meta"] == {RELATED: {"taskId": task["taskId"]}}
    done = world.get(client, task)
    assert (done["status"], done["lastUpdatedAt"]) == ("completed", "2026-07-28T00:00:01.500Z")
    assert set(done) == set(task)
    assert world.result(client, task) == result, "it can be asked for again"
    same = client.call("work", n=1)
    assert set(result) == {*same, "_meta"}
    assert world.start(client, "work", ttl=10**9, n=2)["ttl"] == 60_000, "the server decides"
    assert world.start(client, "work", ttl=None, n=2)["ttl"] == 60_000
    assert world.start(client, "work", ttl=1500.7, n=2)["ttl"] == 1500


def test_results_are_those_of_the_revision(world: World) -> None:
    client = world.client()
    assert world.result(client, world.start(client, "long"))["structuredContent"] == {"result": [1, 2]}
    assert text(world.result(client, world.start(client, "later"))) == "True"


# proves: S-436
def test_the_result_is_waited_for(world: World) -> None:
    client = world.client()
    task = world.start(client, "work", n=1)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(world.result, client, task)
        until(lambda: bool(world.tasks.watches._waiting) or waiting.done())
        assert not waiting.done()
        world.go.set()
        assert waiting.result(LONG)["structuredContent"]["n"] == 1


# proves: S-435, S-446, T-074
def test_failures(world: World) -> None:
    def guard(ctx: Context) -> None:
        if ctx.arguments.get("how") == "guard":
            raise Forbidden("not this")

    @world.server.tool(task="optional", guard=guard)
    def broken(how: str) -> str:
        if how == "tool":
            raise ToolError("as planned " + "x" * 500)
        raise McpError("no more", code=1001, data=[1])

    client = world.client()
    for how, said in (("tool", "as planned"), ("guard", "not this")):
        task = world.start(client, "broken", how=how)
        assert task["status"] == "working"
        failed = world.settled(client, task)
        assert failed["status"] == "failed"
        assert failed["statusMessage"].startswith(said)
        assert len(failed["statusMessage"]) <= 200
        result = world.result(client, task)
        assert result["isError"]
        assert text(result).startswith(said)
        assert result["_meta"][RELATED] == {"taskId": task["taskId"]}
    task = world.start(client, "broken")
    assert world.result(client, task)["isError"], "the arguments were wrong"
    task = world.start(client, "broken", how="error")
    failed = world.settled(client, task)
    assert (failed["status"], failed["statusMessage"]) == ("failed", "no more")
    with pytest.raises(ProtocolError) as error:
        world.result(client, task)
    assert (error.value.code, error.value.message, error.value.data) == (1001, "no more", [1])


# proves: S-441, S-442
def test_cancelling(world: World) -> None:
    client = world.client()
    task = world.start(client, "work", n=1)
    cancelled = client.request("tasks/cancel", {"taskId": task["taskId"]})
    assert cancelled["status"] == "cancelled"
    assert set(cancelled) == set(task)
    world.go.set()
    assert world.settled(client, task)["status"] == "cancelled"
    with pytest.raises(ProtocolError, match="-32602"):
        client.request("tasks/cancel", {"taskId": task["taskId"]})
    with pytest.raises(ProtocolError, match="-32603: the task was cancelled"):
        world.result(client, task)
    for method in ("tasks/get", "tasks/result", "tasks/cancel"):
        with pytest.raises(ProtocolError, match="-32602: there is no task of that id"):
            client.request(method, {"taskId": "nothing"})
        with pytest.raises(ProtocolError, match=r"-32602: params\.taskId"):
            client.request(method)
    world.clock.now += 5000
    with pytest.raises(ProtocolError, match="-32602: there is no task of that id, or it has expired"):
        world.get(client, task)


# proves: S-443
def test_lists_have_pages(world: World) -> None:
    client = world.client()
    world.go.set()
    made = {world.start(client, "work", n=n)["taskId"] for n in range(120)}
    assert world.tasks.idle(LONG)
    pages: list[list[Json]] = []
    cursor: Json = {}
    while True:
        page = client.request("tasks/list", cursor)
        assert "_meta" not in page
        pages.append(page["tasks"])
        if "nextCursor" not in page:
            break
        cursor = {"cursor": page["nextCursor"]}
    assert [len(page) for page in pages] == [50, 50, 20]
    assert {task["taskId"] for page in pages for task in page} == made
    assert all(world.get(client, task) == task for task in pages[2])
    for wrong in ("x", "x.y", str(cursor["cursor"])[:-1], str(cursor["cursor"]).replace(".", "x.")):
        with pytest.raises(ProtocolError, match="-32602: cursor"):
            client.request("tasks/list", {"cursor": wrong})


# --- questions


# proves: S-438, S-440
def test_questions_are_asked_on_the_result(world: World) -> None:
    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        answers = ctx.ask_all({"who": Elicit("Who?", NAME), "sure": Elicit("Sure?", NAME)})
        try:
            said = ctx.elicit("more", "More?", NAME).action
        except Refused as no:
            said = f"{no} {no.code}"
        last = ctx.elicit("last", "Last?", NAME).data["name"]
        return f"{answers['who'].data['name']} {answers['sure'].action} {said} {last}"

    def reply(params: Json) -> Any:
        if params["message"] == "More?":
            raise Refuse("rather not", -1)
        return "decline" if params["message"] == "Sure?" else {"name": "Ada"}

    replies = Replies(elicit=reply)
    client = world.client(answers=replies)
    task = world.start(client, "book")
    asked = world.settled(client, task)
    assert asked["status"] == "input_required"
    assert "inputRequests" not in asked
    assert replies.asked == []
    assert text(world.result(client, task)) == "Ada decline rather not -1 Ada"
    assert [one["params"]["message"] for one in replies.asked] == ["Who?", "Sure?", "More?", "Last?"]
    for one in replies.asked:
        assert one["method"] == "elicitation/create"
        assert one["params"]["_meta"] == {RELATED: {"taskId": task["taskId"]}}
    assert world.get(client, task)["status"] == "completed"


def test_answers_that_do_not_fit_are_asked_for_again(world: World) -> None:
    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    given: list[Any] = [{"name": 5}, {"name": "Ada"}]
    client = world.client(answers=Replies(elicit=lambda params: given.pop(0)))
    assert text(world.result(client, world.start(client, "book"))) == "Ada"
    assert given == []


def test_who_cannot_be_asked_is_not(world: World) -> None:
    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        try:
            return str(ctx.elicit("who", "Who?", NAME).action)
        except AskError as no:
            return f"no: {type(no).__name__}"

    client = world.client()
    assert text(world.result(client, world.start(client, "book"))).startswith("no: ")


# --- progress and status


# proves: S-216, S-449, S-438
def test_progress_and_status_are_told(world: World) -> None:
    @world.server.tool(task="optional")
    def step(ctx: Context) -> str:
        assert world.go.wait(LONG)
        ctx.progress(1, 3, "first")
        ctx.progress(1, 3, "not further")
        ctx.progress(2, 3)
        ctx.elicit("who", "Who?", NAME)
        ctx.progress(3, 3)
        contexts.append(ctx)
        return "x"

    contexts: list[Context] = []
    client = world.client(progress=True, answers=Replies(elicit=lambda params: {"name": "Ada"}))
    task = world.start(client, "step")
    token = client._ids
    world.go.set() if world.transport == "stdio" else threading.Timer(0.05, world.go.set).start()
    world.result(client, task)
    contexts[0].progress(4, 4, "too late")
    client.request("ping")
    told = [one["params"] for one in client.notifications if one["method"] == "notifications/progress"]
    assert [(one["progress"], one.get("message")) for one in told] == [(1, "first"), (2, None), (3, None)]
    assert all(one["progressToken"] == token and one["_meta"] == {RELATED: {"taskId": task["taskId"]}} for one in told)
    status = [one["params"] for one in client.notifications if one["method"] == "notifications/tasks/status"]
    if world.transport == "stdio":
        assert [one["status"] for one in status] == ["input_required", "working", "completed"]
        assert all(set(one) == set(task) for one in status)


# --- whose it is


# proves: S-444, S-445
def test_a_task_belongs_to_its_session(world: World) -> None:
    if world.transport == "stdio":
        pytest.skip("a connection is its own session")
    one, other = world.client(), world.client()
    task = world.start(one, "work", n=1)
    assert other.request("tasks/list") == {"tasks": []}
    for method in ("tasks/get", "tasks/result", "tasks/cancel"):
        with pytest.raises(ProtocolError, match="-32602: there is no task of that id"):
            other.request(method, {"taskId": task["taskId"]})
    assert [found["taskId"] for found in one.request("tasks/list")["tasks"]] == [task["taskId"]]


# proves: S-444
def test_a_task_belongs_to_its_principal() -> None:
    world = World("http")
    world.server.auth = ApiKey({"a" * 20: "ada", "b" * 20: "bob"})
    world.go.set()

    def client(letter: str, **options: Any) -> Client:
        return world.client(headers={"x-api-key": letter * 20}, **options)

    task = world.start(client("a"), "work", n=1)
    again = client("a")
    assert world.result(again, task)["structuredContent"]["n"] == 1, "in another session, too"
    assert len(again.request("tasks/list")["tasks"]) == 1
    assert client("b").request("tasks/list") == {"tasks": []}
    with pytest.raises(ProtocolError, match="-32602"):
        world.get(client("b"), task)
    takes = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
    with pytest.raises(ProtocolError, match="-32602"):  # it is not of that revision
        world.get(client("a", era="modern", capabilities=takes), task)


# proves: S-445
def test_without_sessions_there_is_no_list() -> None:
    server = Server("s", tasks=Tasks(experimental=True))
    server.add_tool(lambda: "x", "x", task="optional")
    client = Client(server, era="legacy")
    assert client.server_info["capabilities"]["tasks"] == {"cancel": {}, "requests": {"tools": {"call": {}}}}
    with pytest.raises(ProtocolError, match="-32601"):
        client.request("tasks/list")
    created = client.request("tools/call", {"name": "x", "arguments": {}, "task": {}})
    assert text(client.request("tasks/result", {"taskId": created["task"]["taskId"]})) == "x"


def test_a_store_without_lists_is_a_store() -> None:
    class Store:
        def __init__(self) -> None:
            inner = MemoryTasks()
            self.add, self.get, self.swap = inner.add, inner.get, inner.swap

    server = Server("s", tasks=Tasks(Store(), experimental=True))
    server.add_tool(lambda: "x", "x", task="optional")
    client = Client(server, era="legacy", transport="stdio")
    assert "list" not in client.server_info["capabilities"]["tasks"]


# --- bounds, and other workers


# proves: S-448
def test_how_many_wait_and_how_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    client = world.client()
    task = world.start(client, "work", n=1)
    world.tasks.wait = 0.01
    with pytest.raises(ProtocolError, match="-32603: the task is not over yet"):
        world.result(client, task)
    if world.transport == "http":
        monkeypatch.setattr("mcpgraft.testing.WAITING", 0)
        with pytest.raises(ProtocolError, match="-32603: the task is not over, and no more calls can wait"):
            world.result(client, task)
    full = world.make(MemoryTasks(limit=1))
    world.server, world.tasks = full, full.tasks or world.tasks
    client = world.client()
    world.start(client, "work", n=1)
    with pytest.raises(ProtocolError, match="-32603: too many tasks"):
        world.start(client, "work", n=1)


def test_another_worker_answers_for_it(world: World) -> None:
    store = MemoryTasks()
    one = world.make(store)
    two = world.make(store)
    for server in (one, two):

        @server.tool(task="optional")
        def book(ctx: Context) -> str:
            return str(ctx.elicit("who", "Who?", NAME).data["name"])

        server.auth = ApiKey({"a" * 20: "ada"})

    assert one.tasks is not None
    assert two.tasks is not None
    options: Json = {"headers": {"x-api-key": "a" * 20}}
    if world.transport == "stdio":
        options = {"principal": "ada"}
    replies = Replies(elicit=lambda params: {"name": "Ada"})
    world.server = one
    first = world.client(answers=replies, **options)
    task = world.start(first, "book")
    assert one.tasks.idle(LONG)
    world.server = two  # the first worker is gone
    second = world.client(answers=replies, **options)
    assert world.get(second, task)["status"] == "input_required"
    assert text(world.result(second, task)) == "Ada"
    assert len(second.request("tasks/list")["tasks"]) == 1
    assert world.get(first, task)["status"] == "completed"


def test_one_question_is_asked_once() -> None:
    """Two calls wait for one task: one of them asks."""
    world = World("http")
    world.server.auth = ApiKey({"a" * 20: "ada"})

    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    def reply(params: Json) -> Any:
        asked.append(params["message"])
        until(lambda: len(world.tasks.watches._of(task["taskId"])) == 2)
        return {"name": "Ada"}

    asked: list[str] = []
    clients = [world.client(answers=Replies(elicit=reply), headers={"x-api-key": "a" * 20}) for _ in range(2)]
    task = world.start(clients[0], "book")
    with ThreadPoolExecutor() as pool:
        results = [pool.submit(world.result, client, task) for client in clients]
        assert [text(one.result(LONG)) for one in results] == ["Ada", "Ada"]
    assert asked == ["Who?"]


def test_a_question_that_was_just_answered_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call has read the task, and another passes on the answer before the first claims the question."""
    world = World("http")
    world.server.auth = ApiKey({"a" * 20: "ada"})

    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    def reply(params: Json) -> Any:
        asked.append(params["message"])
        return {"name": "Ada"}

    asked: list[str] = []
    first, second = (world.client(answers=Replies(elicit=reply), headers={"x-api-key": "a" * 20}) for _ in range(2))
    task = world.start(first, "book")
    assert world.tasks.idle(LONG)
    watches = world.tasks.watches
    claim = watches.claim

    def late(id: str, key: str) -> bool:
        monkeypatch.setattr(watches, "claim", claim)
        assert text(world.result(second, task)) == "Ada"
        return claim(id, key)

    monkeypatch.setattr(watches, "claim", late)
    assert text(world.result(first, task)) == "Ada"
    assert asked == ["Who?"]


def test_an_answer_that_does_not_come_is_given_up(world: World) -> None:
    @world.server.tool(task="optional")
    def book(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    silent = Replies(elicit=lambda params: NO_ANSWER)
    client = world.client(answers=silent)
    task = world.start(client, "book")
    world.tasks.wait = 0.01
    with pytest.raises(ProtocolError, match="-32603: the task is not over yet"):
        world.result(client, task)
    gone = [one for one in client.notifications if one["method"] == "notifications/cancelled"]
    assert [one["params"]["requestId"] for one in gone] == [silent.asked[0]["id"]]
    assert world.get(client, task)["status"] == "input_required", "it is asked again when somebody waits again"
