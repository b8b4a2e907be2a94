"""Handlers that ask the client: what they get, in both eras, from every kind of client."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import msgspec
import pytest

from mcpgraft import (
    AskError,
    AskRoots,
    Context,
    Elicit,
    MissingClientCapability,
    Refused,
    Sample,
    Server,
    TimedOut,
    UserMessage,
)
from mcpgraft.testing import Client, ProtocolError
from mcpgraft.testing_answers import NO_ANSWER, Refuse, Replies

from .sessions import SessionClient

SECRET = "a secret that is long enough"
NAME = {"type": "object", "properties": {"name": {"type": "string", "minLength": 2}}, "required": ["name"]}


@dataclass
class Person:
    name: str
    age: int = 30
    size: Literal["S", "M"] = "M"


class Model(msgspec.Struct):
    name: str


class Typed(TypedDict):
    name: str


Make = Callable[..., Client]


def modern(server: Server, **options: Any) -> Client:
    return Client(server, **options)


def modern_stdio(server: Server, **options: Any) -> Client:
    return Client(server, transport="stdio", **options)


def legacy_stdio(server: Server, **options: Any) -> Client:
    return Client(server, era="legacy", transport="stdio", **options)


def legacy_http(server: Server, **options: Any) -> Client:
    return SessionClient(server, **options)


EVERYWHERE = pytest.mark.parametrize("make", [modern, modern_stdio, legacy_stdio, legacy_http])
HANDSHAKE = pytest.mark.parametrize("make", [legacy_stdio, legacy_http])
STATELESS = pytest.mark.parametrize("make", [modern, modern_stdio])


@pytest.fixture
def server() -> Server:
    return Server("asks", secrets=[SECRET], ask_timeout=0.3)


def text(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


def named(params: dict[str, Any]) -> dict[str, Any]:
    return {"name": "Ada"}


# --- questions and answers


# proves: S-350, S-353, S-379
@EVERYWHERE
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_all_kinds_of_questions(server: Server, make: Make, kind: str) -> None:
    def body(ctx: Context) -> str:
        person = ctx.elicit("who", "Who are you?", Person)
        opened = ctx.elicit_url("login", "Log in", "https://example.org/login")
        written = ctx.sample("poem", [UserMessage(f"A poem for {person.data.name}")], max_tokens=50, system="Be kind")
        roots = ctx.roots()
        return f"{person.data!r} {opened.action} {opened.data} {written.text} {written.model} {roots[0].uri}"

    if kind == "sync":
        server.add_tool(body, "all")
    else:

        async def later(ctx: Context) -> str:
            person = await ctx.elicit("who", "Who are you?", Person)
            opened = await ctx.elicit_url("login", "Log in", "https://example.org/login")
            written = await ctx.sample("poem", f"A poem for {person.data.name}", max_tokens=50, system="Be kind")
            roots = await ctx.roots()
            return f"{person.data!r} {opened.action} {opened.data} {written.text} {written.model} {roots[0].uri}"

        server.add_tool(later, "all")

    def elicit(params: dict[str, Any]) -> Any:
        return "accept" if params.get("mode") == "url" else {"name": "Ada", "age": 36}

    answers = Replies(elicit=elicit, sample=lambda _: "Roses", roots=lambda _: ["file:///home"])
    client = make(server, answers=answers)
    assert text(client.call("all")) == "Person(name='Ada', age=36, size='M') accept None Roses test file:///home"
    form, url, sample, roots = answers.asked
    assert form["params"]["requestedSchema"]["properties"]["age"] == {"type": "integer", "default": 30}
    assert form["params"]["requestedSchema"]["required"] == ["name"]
    assert url["params"]["url"] == "https://example.org/login"
    assert ("elicitationId" in url["params"]) == (client.era == "legacy")
    assert sample["params"] == {
        "messages": [{"role": "user", "content": {"type": "text", "text": "A poem for Ada"}}],
        "systemPrompt": "Be kind",
        "maxTokens": 50,
    }
    assert roots["method"] == "roots/list"


# proves: S-370, T-054
@EVERYWHERE
@pytest.mark.parametrize("kind", [Person, Model, Typed, NAME])
def test_typed_answers(server: Server, make: Make, kind: Any) -> None:
    got: list[Any] = []

    @server.tool
    def greet(ctx: Context) -> str:
        got.append(ctx.elicit("who", "Who?", kind).data)
        return "ok"

    make(server, answers=Replies(elicit=named)).call("greet")
    expected: dict[Any, Any] = {Person: Person("Ada"), Model: Model("Ada")}
    assert got == [expected.get(kind if isinstance(kind, type) else None, {"name": "Ada"})]


def test_a_pydantic_model(server: Server) -> None:
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Who", name=(str, pydantic.Field(min_length=2)))

    @server.tool
    def greet(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", model).data.name)

    said = iter(["A", "Ada"])
    answers = Replies(elicit=lambda _: {"name": next(said)})
    assert text(Client(server, answers=answers).call("greet")) == "Ada"
    assert answers.asked[0]["params"]["requestedSchema"]["properties"]["name"]["minLength"] == 2


# proves: T-116
@EVERYWHERE
def test_several_at_once_are_one_round(server: Server, make: Make) -> None:
    runs = []

    @server.tool
    def both(ctx: Context) -> str:
        runs.append(1)
        answers = ctx.ask_all({"who": Elicit("Who?", NAME), "poem": Sample("Hi"), "where": AskRoots()})
        return f"{list(answers)} {answers['who'].data} {answers['poem'].text} {[one.uri for one in answers['where']]}"

    answers = Replies(elicit=named, sample=lambda _: "Roses", roots=lambda _: ["file:///a"])
    found = text(make(server, answers=answers).call("both"))
    assert found == "['who', 'poem', 'where'] {'name': 'Ada'} Roses ['file:///a']"
    assert len(runs) == 2


# proves: S-369, T-128
@EVERYWHERE
@pytest.mark.parametrize(("said", "expected"), [("decline", "declined: who"), ("cancel", "did not answer: who")])
def test_a_no_is_not_an_error_unless_data_is_needed(server: Server, make: Make, said: str, expected: str) -> None:
    @server.tool
    def ask(ctx: Context) -> str:
        answer = ctx.elicit("who", "Who?", NAME)
        assert not answer
        return answer.action

    @server.tool
    def insist(ctx: Context) -> str:
        return ctx.elicit("who", "Who?", NAME).data["name"]

    client = make(server, answers=Replies(elicit=lambda _: said))
    assert text(client.call("ask")) == said
    result = client.call("insist")
    assert result["isError"]
    assert expected in text(result)


# proves: S-370, S-361
@EVERYWHERE
@pytest.mark.parametrize("bad", [{}, {"name": 5}, {"name": "x"}])
@pytest.mark.parametrize("schema", [NAME, Model])
def test_what_does_not_fit_is_asked_again(server: Server, make: Make, bad: Any, schema: Any) -> None:
    if schema is Model and bad == {"name": "x"}:
        pytest.skip("the struct has no shortest length")

    @server.tool
    def greet(ctx: Context) -> str:
        answer = ctx.elicit("who", "Who?", schema).data
        return str(answer["name"] if isinstance(answer, dict) else answer.name)

    @server.tool
    def strict(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", schema, again=False).data)

    said = iter([bad, {"name": "Ada"}, bad])
    client = make(server, answers=Replies(elicit=lambda _: next(said)))
    assert text(client.call("greet")) == "Ada"
    result = client.call("strict")
    assert result["isError"]
    assert "the answer to 'who' does not fit: name" in text(result)


# proves: T-121, T-113, S-361
@EVERYWHERE
@pytest.mark.parametrize("odd", [12345, None, [], {"action": "maybe"}, {"method": "x", "result": {"action": "accept"}}])
def test_answers_of_the_wrong_kind_are_asked_again(server: Server, make: Make, odd: Any) -> None:
    @server.tool
    def greet(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    said = iter([{"action": None, **odd} if isinstance(odd, dict) else odd, {"name": "Ada"}])
    answers = Replies(elicit=lambda _: next(said))
    assert text(make(server, answers=answers).call("greet")) == "Ada"
    assert len(answers.asked) == 2


# proves: T-128
@EVERYWHERE
def test_ten_rounds_are_enough(server: Server, make: Make) -> None:
    @server.tool
    def greet(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    answers = Replies(elicit=lambda _: {"name": 1})
    client = make(server, answers=answers)
    if client.era == "legacy":
        result = client.call("greet")
        assert result["isError"]
        assert "asked 10 times" in text(result)
        assert len(answers.asked) == 10
        return
    # A client that goes on for ever is told so: the tenth state is the last one.
    client = make(server, capabilities=answers.capabilities)
    result = client.call("greet")
    for _ in range(9):
        retry = {"name": "greet", "requestState": result["requestState"], "inputResponses": {}}
        result = client.request("tools/call", retry)
    assert result["resultType"] == "input_required"
    result = client.request("tools/call", {**retry, "requestState": result["requestState"]})
    assert result["isError"]
    assert "asked 10 times" in text(result)


# --- no answer


# proves: S-369, T-119
@HANDSHAKE
def test_refused(server: Server, make: Make) -> None:
    @server.tool
    def caught(ctx: Context) -> str:
        try:
            return ctx.sample("poem", "Hi").text
        except Refused as no:
            return f"{no.code} {no.message} {no.key}"

    @server.tool
    def told(ctx: Context) -> str:
        return ctx.sample("poem", "Hi").text

    @server.tool
    def gathered(ctx: Context) -> str:
        found = ctx.ask_all({"who": Elicit("Who?", NAME), "poem": Sample("Hi")}, errors=True)
        return f"{found['who'].data} {type(found['poem']).__name__}"

    def refuse(params: dict[str, Any]) -> Any:
        raise Refuse("not now", -1)

    client = make(server, answers=Replies(elicit=named, sample=refuse))
    assert text(client.call("caught")) == "-1 not now poem"
    result = client.call("told")
    assert result["isError"]
    assert text(result) == "not now"
    assert text(client.call("gathered")) == "{'name': 'Ada'} Refused"


# proves: S-053
@HANDSHAKE
def test_timed_out(server: Server, make: Make) -> None:
    @server.tool
    def ask(ctx: Context) -> str:
        try:
            return ctx.sample("poem", "Hi").text
        except TimedOut as late:
            return str(late)

    client = make(server, answers=Replies(sample=lambda _: NO_ANSWER))
    assert text(client.call("ask")) == "no answer came within 0.3 seconds: poem"


# proves: S-054
@HANDSHAKE
def test_each_question_has_its_own_time(server: Server, make: Make) -> None:
    server.ask_timeout = 600

    @server.tool
    def both(ctx: Context) -> str:
        questions = {"who": Elicit("Who?", NAME), "poem": Sample("Hi", timeout=0.05)}
        found = ctx.ask_all(questions, errors=True)
        return f"{found['who'].data} {found['poem']}"

    @server.tool
    def alone(ctx: Context) -> str:
        try:
            return ctx.roots(timeout=0.05)[0].uri
        except TimedOut as late:
            return str(late)

    @server.tool
    def never(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME, timeout=0))

    replies = Replies(elicit=named, sample=lambda _: NO_ANSWER, roots=lambda _: NO_ANSWER)
    client = make(server, answers=replies)
    assert text(client.call("both")) == "{'name': 'Ada'} no answer came within 0.05 seconds: poem"
    assert text(client.call("alone")) == "no answer came within 0.05 seconds: roots"
    given_up = [one["params"]["requestId"] for one in client.notifications if "cancelled" in one["method"]]
    unanswered = [one["id"] for one in replies.asked if one["method"] != "elicitation/create"]
    assert given_up == unanswered
    assert "more than 0 seconds" in text(client.call("never"))


# proves: S-354, S-072, T-115, T-125
@EVERYWHERE
def test_a_missing_capability(server: Server, make: Make) -> None:
    @server.tool
    def ask(ctx: Context) -> str:
        return ctx.sample("poem", "Hi").text

    @server.tool
    def needs(ctx: Context) -> str:
        raise MissingClientCapability({"roots": {}}, "roots are needed")

    @server.tool
    def polite(ctx: Context) -> str:
        try:
            ctx.roots()
        except AskError as error:
            return type(error).__name__
        return "?"

    client = make(server, answers=Replies(elicit=named))
    assert text(client.call("polite")) == "MissingClientCapability"
    for name, needed in (("ask", {"sampling": {}}), ("needs", {"roots": {}})):
        if client.era == "legacy":
            assert client.call(name)["isError"]
        else:
            with pytest.raises(ProtocolError) as refused:
                client.call(name)
            assert (refused.value.code, refused.value.data) == (-32021, {"requiredCapabilities": needed})


# proves: S-176, T-117
def test_without_a_session_there_is_no_way(server: Server) -> None:
    @server.tool
    def ask(ctx: Context) -> str:
        return f"{ctx.can_elicit}" if not ctx.can_elicit else "?"

    @server.tool
    def insist(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME))

    @server.prompt
    def topic(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME))

    client = Client(server, era="legacy", answers=Replies(elicit=named))
    assert text(client.call("ask")) == "False"
    result = client.call("insist")
    assert result["isError"]
    assert "no session" in text(result)
    with pytest.raises(ProtocolError) as refused:
        client.get("topic")
    assert refused.value.code == -32603


@EVERYWHERE
def test_what_can_be_asked(server: Server, make: Make) -> None:
    @server.tool
    def can(ctx: Context) -> list[bool]:
        return [ctx.can_elicit, ctx.can_elicit_url, ctx.can_sample, ctx.can_sample_tools, ctx.can_list_roots]

    def of(capabilities: dict[str, Any]) -> Any:
        return make(server, capabilities=capabilities).call("can")["structuredContent"]

    def listed(found: Any) -> Any:
        return found["result"] if isinstance(found, dict) else found

    assert listed(of({})) == [False] * 5
    assert listed(of({"elicitation": {}})) == [True, False, False, False, False]
    assert listed(of({"elicitation": {"url": {}}, "sampling": {"tools": {}}})) == [False, True, True, True, False]
    assert listed(of({"roots": {}, "sampling": {}})) == [False, False, True, False, True]


@EVERYWHERE
def test_tasks_of_a_group_ask_together(server: Server, make: Make) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("no TaskGroup")

    @server.tool
    async def group(ctx: Context) -> str:
        async def name(key: str) -> str:
            return str(ctx.elicit(key, key, NAME).data["name"])

        async with asyncio.TaskGroup() as tasks:
            both = [tasks.create_task(name(key)) for key in ("a", "b")]
        return " ".join(task.result() for task in both)

    answers = Replies(elicit=named)
    assert text(make(server, answers=answers).call("group")) == "Ada Ada"
    assert len(answers.asked) == 2
