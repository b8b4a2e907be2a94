"""Handlers that run more than once: what is repeated and what is not, handlers in steps, addresses."""

from __future__ import annotations

from typing import Any

import pytest

from mcpgraft import Context, Elicit, ElicitUrl, NeedInput, Sample, Server, UrlElicitationRequired
from mcpgraft.testing import Client, ProtocolError
from mcpgraft.testing_answers import Replies

from .test_asking import EVERYWHERE, HANDSHAKE, NAME, STATELESS, Make, Person, legacy_stdio, named, text


@pytest.fixture
def server() -> Server:
    return Server("replays", secrets=["a secret that is long enough"], ask_timeout=0.3)


# --- prompts, resources, guards


# proves: S-350
@EVERYWHERE
def test_prompts_resources_and_guards_ask_too(server: Server, make: Make) -> None:
    @server.prompt
    def topic(ctx: Context) -> str:
        return f"About {ctx.elicit('who', 'Who?', NAME).data['name']}"

    @server.resource("note://{day}")
    def note(day: str, ctx: Context) -> str:
        return f"{day} {ctx.elicit('who', 'Who?', NAME).data['name']}"

    def allowed(ctx: Context) -> bool:
        return ctx.elicit("sure", "Sure?", NAME).data["name"] == "Ada"

    @server.tool(guard=allowed)
    def plain() -> str:
        return "done"

    client = make(server, answers=Replies(elicit=named))
    assert client.get("topic")["messages"][0]["content"]["text"] == "About Ada"
    assert client.read("note://monday")["contents"][0]["text"] == "monday Ada"
    assert text(client.call("plain")) == "done"


# --- what is remembered, and what is not repeated


# proves: T-111
@EVERYWHERE
def test_memo_runs_once(server: Server, make: Make) -> None:
    ran: list[str] = []

    @server.tool
    def sync(ctx: Context) -> str:
        number = ctx.memo("n", lambda: ran.append("sync") or {"n": (len(ran), "x")})
        ctx.elicit("a", "A?", NAME)
        ctx.elicit("b", "B?", NAME)
        return str(number)

    @server.tool
    async def later(ctx: Context) -> str:
        async def effect() -> int:
            ran.append("later")
            return len(ran)

        number = await ctx.memo("n", effect)
        await ctx.elicit("a", "A?", NAME)
        return str(number)

    client = make(server, answers=Replies(elicit=named))
    assert text(client.call("sync")) == "{'n': [1, 'x']}"
    assert text(client.call("later")) == "2"
    assert ran == ["sync", "later"]


# proves: T-111
@EVERYWHERE
def test_what_was_said_is_not_said_again(server: Server, make: Make) -> None:
    @server.tool
    def talk(ctx: Context) -> str:
        ctx.info("start")
        name = ctx.elicit("a", "A?", NAME).data["name"]
        ctx.info(f"a {name}")
        ctx.elicit("b", "B?", NAME)
        ctx.info("b")
        return "done"

    client = make(server, answers=Replies(elicit=named), log_level="info")
    assert text(client.call("talk")) == "done"
    assert [one["params"]["data"] for one in client.notifications] == ["start", "a Ada", "b"]


# proves: T-112
@EVERYWHERE
def test_one_key_for_two_questions_is_a_mistake(server: Server, make: Make) -> None:
    @server.tool
    def wrong(ctx: Context) -> str:
        ctx.elicit("a", "A?", NAME)
        ctx.elicit("a", "B?", NAME)
        return "?"

    result = make(server, answers=Replies(elicit=named)).call("wrong")
    assert "two different questions of one call have the key 'a'" in text(result)


@EVERYWHERE
def test_except_exception_does_not_swallow_a_question(server: Server, make: Make) -> None:
    @server.tool
    def careful(ctx: Context) -> str:
        try:
            return str(ctx.elicit("a", "A?", NAME).data["name"])
        except Exception:
            return "swallowed"

    @server.tool
    def careless(ctx: Context) -> str:
        try:
            return str(ctx.elicit("a", "A?", NAME).data["name"])
        except BaseException:
            return "swallowed"

    client = make(server, answers=Replies(elicit=named))
    assert text(client.call("careful")) == "Ada"
    assert text(client.call("careless")) == "Ada"


@EVERYWHERE
def test_middleware_sees_every_run(server: Server, make: Make) -> None:
    seen: list[str] = []

    @server.middleware
    async def watch(ctx: Context, call_next: Any) -> Any:
        seen.append(ctx.name)
        return await call_next()

    @server.tool
    def ask(ctx: Context) -> str:
        return str(ctx.elicit("a", "A?", NAME).data["name"])

    assert text(make(server, answers=Replies(elicit=named)).call("ask")) == "Ada"
    assert seen == ["ask", "ask"]


# --- handlers in steps


@EVERYWHERE
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_steps(server: Server, make: Make, kind: str) -> None:
    calls: list[Any] = []

    def body(ctx: Context) -> str | NeedInput:
        calls.append(ctx.state)
        if ctx.state is None:
            assert ctx.answers == {}
            return NeedInput({"who": Elicit("Who?", Person), "poem": Sample("Hi")}, state={"at": 1})
        if ctx.state == {"at": 1}:
            person = ctx.answers["who"].to(Person)
            return NeedInput({"who": Elicit(f"Really {person.name}?", NAME)}, state=[person.name])
        return f"{ctx.state} {ctx.answers['who'].data} {ctx.answers['poem'].text}"

    if kind == "async":

        async def later(ctx: Context) -> str | NeedInput:
            return body(ctx)

        server.add_tool(later, "steps")
    else:
        server.add_tool(body, "steps")
    said = iter([{"name": 7}, {"name": "Ada"}, {"name": "Bob"}])
    client = make(server, answers=Replies(elicit=lambda _: next(said), sample=lambda _: "Roses"))
    assert text(client.call("steps")) == "['Ada'] {'name': 'Bob'} Roses"
    # What did not fit was asked again without the handler.
    assert calls == [None, {"at": 1}, ["Ada"]]


@EVERYWHERE
def test_a_step_may_wait(server: Server, make: Make) -> None:
    @server.tool
    def poll(ctx: Context) -> dict[str, int] | NeedInput:
        tries = (ctx.state or 0) + 1
        return {"tries": tries} if tries == 3 else NeedInput(state=tries)

    client = make(server, answers=Replies(elicit=named))
    assert client.call("poll")["structuredContent"] == {"tries": 3}


def test_need_input_is_not_in_the_output_schema(server: Server) -> None:
    @server.tool
    def poll(ctx: Context) -> dict[str, int] | NeedInput:
        return {}

    (tool,) = Client(server).list_tools()
    assert tool["outputSchema"] == {"type": "object", "additionalProperties": {"type": "integer"}}


# --- addresses


# proves: S-373, T-118
@HANDSHAKE
def test_the_client_hears_that_an_elicitation_is_done(server: Server, make: Make) -> None:
    @server.tool
    def login(ctx: Context) -> str:
        opened = ctx.elicit_url("login", "Log in", "https://example.org/login")
        assert opened.id is not None
        ctx.elicitation_complete(opened.id)
        return opened.id

    answers = Replies(elicit=lambda _: "accept")
    client = make(server, answers=answers)
    id_ = text(client.call("login"))
    assert answers.asked[0]["params"]["elicitationId"] == id_
    (done,) = client.notifications
    assert done["method"] == "notifications/elicitation/complete"
    assert done["params"] == {"elicitationId": id_}


# proves: S-372, T-118, S-033
@EVERYWHERE
def test_an_address_that_must_be_opened_first(server: Server, make: Make) -> None:
    allowed: list[int] = []

    @server.tool
    def pay() -> str:
        if not allowed:
            raise UrlElicitationRequired(ElicitUrl("Allow it", "https://example.org/allow", "e1"))
        return "paid"

    def elicit(params: dict[str, Any]) -> Any:
        allowed.append(1)
        return "accept"

    client = make(server, answers=Replies(elicit=elicit))
    if client.era == "modern":
        assert text(client.call("pay")) == "paid"
        return
    with pytest.raises(ProtocolError) as refused:
        client.call("pay")
    assert refused.value.code == -32042
    assert refused.value.data == {
        "elicitations": [
            {"mode": "url", "message": "Allow it", "url": "https://example.org/allow", "elicitationId": "e1"}
        ]
    }


# proves: S-369
@STATELESS
def test_a_declined_address_ends_the_call(server: Server, make: Make) -> None:
    @server.tool
    def pay() -> str:
        raise UrlElicitationRequired(ElicitUrl("Allow it", "https://example.org/allow"))

    result = make(server, answers=Replies(elicit=lambda _: "decline")).call("pay")
    assert result["isError"]
    assert "declined" in text(result)


def test_an_older_client_has_no_addresses(server: Server) -> None:
    @server.tool
    def login(ctx: Context) -> str:
        return f"{ctx.can_elicit} {ctx.can_elicit_url} {ctx.elicit_url('a', 'A', 'https://example.org')}"

    client = legacy_stdio(server, revision="2025-06-18", answers=Replies(elicit=named))
    result = client.call("login")
    assert result["isError"]
    assert "capability" in text(result)
