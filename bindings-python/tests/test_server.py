"""Registration, dispatch, context, middleware and hooks, through real bytes in both eras and over both channels."""

from __future__ import annotations

import functools
import logging
import threading
from typing import Any, Literal

import pytest

from mcpgraft import Cancelled, Context, Icon, McpError, RegistrationError, Server
from mcpgraft.testing import Client, ProtocolError

CHANNELS: list[tuple[Literal["modern", "legacy"], Literal["http", "stdio"]]] = [
    ("modern", "http"),
    ("modern", "stdio"),
    ("legacy", "http"),
    ("legacy", "stdio"),
]


def text(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


@pytest.mark.parametrize(("era", "transport"), CHANNELS)
class TestEveryChannel:
    @pytest.fixture
    def client(self, server: Server, era: Any, transport: Any) -> Client:
        return Client(server, era=era, transport=transport)

    def test_tools(self, client: Client) -> None:
        tools = {tool["name"]: tool for tool in client.list_tools()}
        assert set(tools) == {"add", "async-add", "slow", "slow_async", "fail", "who"}
        assert tools["add"]["description"] == "Add two numbers."
        assert tools["add"]["inputSchema"]["required"] == ["a"]
        assert set(tools["slow"]["inputSchema"]["properties"]) == {"steps"}  # no Context
        assert tools["slow"]["description"] == "Reports progress"
        assert text(client.call("add", a=2)) == "3"
        assert text(client.call("async-add", {"a": 2}, b=5)) == "7"

    # proves: S-240, T-065
    def test_wrong_arguments_are_told_to_the_model(self, client: Client) -> None:
        result = client.call("add", a="many")
        assert result["isError"] is True
        assert "a" in text(result)

    # proves: S-239
    def test_unknown_tool_is_a_protocol_error(self, client: Client) -> None:
        with pytest.raises(ProtocolError) as caught:
            client.call("nope")
        assert caught.value.code == -32602

    # proves: S-250
    def test_exceptions(self, client: Client, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.ERROR, "mcpgraft")
        for how, shown in (("tool", "as planned"), ("forbidden", "not yours")):
            result = client.call("fail", how=how)
            assert result["isError"] is True
            assert shown in text(result)
        assert not caplog.records  # part of the conversation, nothing for the log
        result = client.call("fail", how="exit")
        assert result["isError"] is True
        caplog.clear()
        result = client.call("fail", how="other")
        assert result["isError"] is True
        assert "secret detail" in text(result)
        assert caplog.records[0].exc_info is not None

    def test_resources(self, client: Client) -> None:
        assert [one["uri"] for one in client.list_resources()] == ["config://app"]
        assert [one["uriTemplate"] for one in client.list_templates()] == ["note://{day}/page/{number}"]
        assert client.read("config://app")["contents"][0]["text"] == "on"
        assert client.read("note://mon/page/4")["contents"][0]["text"] == "mon:5"
        for uri in ("note://mon/page/404", "other://x"):
            with pytest.raises(ProtocolError):
                client.read(uri)
        with pytest.raises(ProtocolError) as caught:
            client.read("note://mon/page/x")
        assert "number" in caught.value.message

    def test_prompts_and_completion(self, client: Client) -> None:
        (prompt,) = client.list_prompts()
        assert [(one["name"], one["required"]) for one in prompt["arguments"]] == [("name", True), ("style", False)]
        assert client.get("greet", name="Ada")["messages"][0]["content"]["text"] == "kind Ada"
        with pytest.raises(ProtocolError) as caught:
            client.get("greet")
        assert "name" in caught.value.message
        assert client.complete("greet", "name", "a")["values"] == ["ada", "alan"]
        assert client.complete("greet", "style", "a")["values"] == []

    # proves: S-212, S-213
    def test_progress_comes_before_the_result(self, server: Server, era: Any, transport: Any) -> None:
        client = Client(server, era=era, transport=transport, progress=True)
        for tool in ("slow", "slow_async"):
            client.notifications.clear()
            assert text(client.call(tool, steps=3)) == "done"
            told = [one["params"] for one in client.notifications if one["method"] == "notifications/progress"]
            assert [one["progress"] for one in told] == [1, 2, 3]
            assert told[0]["total"] == 3

    def test_no_progress_unless_wanted(self, client: Client) -> None:
        assert text(client.call("slow", steps=2)) == "done"
        assert not [one for one in client.notifications if one["method"] == "notifications/progress"]


def test_log_reaches_a_client_that_asked(server: Server) -> None:
    client = Client(server, log_level="info")
    client.call("slow", steps=1)
    (message,) = client.notifications
    assert message["params"]["data"] == "at 1"
    assert message["params"]["level"] == "info"


def test_functions_stay_plain() -> None:
    server = Server("s")

    @server.tool
    def one(x: int) -> int:
        return x

    @server.tool("other", title="T", annotations={"readOnlyHint": True}, meta={"a/b": 1})
    def two(x: int) -> int:
        return x

    assert one(1) == two(1) == 1
    shown = Client(server).list_tools()[1]
    assert (shown["name"], shown["title"], shown["annotations"]) == ("other", "T", {"readOnlyHint": True})
    assert shown["_meta"] == {"a/b": 1}


def test_methods_partials_and_callables() -> None:
    class Box:
        def get(self, key: str) -> str:
            return f"got {key}"

        async def __call__(self, key: str) -> str:
            return f"called {key}"

    def both(a: str, b: str) -> str:
        return a + b

    server = Server("s")
    server.add_tool(Box().get)
    server.add_tool(Box(), "box")
    server.add_tool(functools.partial(both, b="!"), "partial")
    client = Client(server)
    assert text(client.call("get", key="x")) == "got x"
    assert text(client.call("box", key="x")) == "called x"
    assert text(client.call("partial", a="x")) == "x!"


def test_raw_tools() -> None:
    server = Server("s")
    schema = {"type": "object", "properties": {"x": {"type": "integer"}}, "additionalProperties": False}
    server.add_tool_raw("raw", schema, lambda name, arguments: f"{name} {arguments}", description="As it is")
    server.add_tool_raw("bytes", b'{"type":"object"}', lambda name, arguments, ctx: ctx.revision)
    client = Client(server)
    assert client.list_tools()[0]["inputSchema"] == schema
    assert text(client.call("raw", x=5)) == "raw {'x': 5}"
    assert text(client.call("bytes")) == client.revision


def test_registration_mistakes() -> None:
    server = Server("s")

    @server.tool
    def one() -> None: ...

    with pytest.raises(RegistrationError, match="already registered"):

        @server.tool("one")
        def another() -> None: ...

    with pytest.raises(RegistrationError, match="rows"):

        @server.resource("data://{rows}")
        def data() -> str:
            return ""

    with pytest.raises(RegistrationError, match="day"):

        @server.resource("data://x")
        def data2(day: str) -> str:
            return day

    with pytest.raises(RegistrationError):
        server.tool(5)  # type: ignore[call-overload]
    with pytest.raises(RegistrationError, match="async"):

        @server.on_error
        async def hook(ctx: Context, exc: BaseException) -> None: ...

    with pytest.raises(RegistrationError):

        @server.completion
        def nothing() -> list[str]:
            return []

    assert [tool["name"] for tool in Client(server).list_tools()] == ["one"]


def test_capabilities_are_fixed_once_seen(server: Server) -> None:
    Client(server).list_tools()
    server.add_completion(lambda value: [value], "greet", "style")  # declared already: fine
    with pytest.raises(RegistrationError, match="before"):
        server.add_method("acme/x", lambda: None)


# proves: S-234
def test_list_changed_reaches_open_connections(server: Server) -> None:
    client = Client(server, era="legacy", transport="stdio")
    server.add_tool(lambda: "x", "late")
    assert server.remove_tool("add") is True
    assert server.remove_tool("add") is False
    names = {tool["name"] for tool in client.list_tools()}
    assert "late" in names
    assert "add" not in names
    assert [one["method"] for one in client.notifications] == ["notifications/tools/list_changed"] * 2
    assert text(client.call("late")) == "x"


def test_middleware_order_and_mixture(server: Server) -> None:
    seen: list[str] = []

    @server.middleware
    def outer(ctx: Context, call_next: Any) -> Any:
        seen.append(f"outer {ctx.name} {ctx.arguments}")
        return call_next() + "!"

    @server.middleware
    async def inner(ctx: Context, call_next: Any) -> Any:
        seen.append("inner")
        return await call_next() + "?"

    @server.middleware
    def innermost(ctx: Context, call_next: Any) -> Any:
        seen.append(threading.current_thread().name)
        return call_next()

    client = Client(server)
    assert text(client.call("add", a=1)) == "2?!"
    assert text(client.call("async-add", a=1)) == "2?!"
    # Sync code stays in the thread of its request, also behind an async middleware.
    assert seen == ["outer add {'a': 1}", "inner", "MainThread", "outer async-add {'a': 1}", "inner", "MainThread"]
    assert "MainThread" in text(client.call("who"))


def test_middleware_sees_exceptions_and_may_answer_itself(server: Server) -> None:
    seen: list[type] = []

    @server.middleware
    def watch(ctx: Context, call_next: Any) -> Any:
        if ctx.name == "who":
            return "cached"
        try:
            return call_next()
        except Exception as exc:
            seen.append(type(exc))
            raise

    client = Client(server)
    assert text(client.call("who")) == "cached"
    assert client.call("add")["isError"] is True
    assert client.call("fail", how="x")["isError"] is True
    assert [kind.__name__ for kind in seen] == ["ArgumentError", "ValueError"]


# proves: S-269
def test_guards() -> None:
    server = Server("s")
    order: list[str] = []

    def first(ctx: Context) -> bool:
        order.append("first")
        return ctx.name != "no"

    async def second(ctx: Context) -> None:
        order.append("second")

    server.add_tool(lambda: "in", "yes", guard=[first, second])
    server.add_tool(lambda: "in", "no", guard=[first, second])
    client = Client(server)
    assert text(client.call("yes")) == "in"
    refused = client.call("no")
    assert refused["isError"] is True
    assert text(refused) != "in"
    assert order == ["first", "second", "first"]


# proves: S-023, S-266
def test_hidden_errors_and_hooks(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "mcpgraft")
    server = Server("s", hide_errors=True)
    errors: list[str] = []

    @server.on_error
    def note(ctx: Context, exc: BaseException) -> None:
        errors.append(f"{ctx.name}: {exc}")
        raise RuntimeError("a hook may fail")

    @server.tool
    def fail() -> str:
        raise ValueError("secret")

    @server.resource("x://y")
    def broken() -> str:
        raise ValueError("secret")

    client = Client(server)
    assert "secret" not in str(client.call("fail"))
    with pytest.raises(ProtocolError) as caught:
        client.read("x://y")
    assert caught.value.code == -32603
    assert "secret" not in str(caught.value)
    assert errors == ["fail: secret", "x://y: secret"]


def test_custom_method_and_protocol_error() -> None:
    server = Server("s")

    def double(x: int) -> dict[str, int]:
        if x < 0:
            raise McpError("too small", code=4711, data={"least": 0})
        return {"x": 2 * x}

    server.add_method("acme/double", double)
    client = Client(server)
    assert client.request("acme/double", {"x": 4})["x"] == 8
    with pytest.raises(ProtocolError) as caught:
        client.request("acme/double", {"x": -4})
    assert (caught.value.code, caught.value.data) == (4711, {"least": 0})
    with pytest.raises(ProtocolError) as caught:
        client.request("acme/double", {"x": "a"})
    assert caught.value.code == -32602


def test_context_tells_about_the_request(server: Server) -> None:
    seen: list[Any] = []

    @server.tool
    def look(ctx: Context | None = None) -> str:
        assert ctx is not None
        seen.append((ctx.traceparent, ctx.meta.get("a/b"), ctx.headers["x-tenant"], ctx.revision, ctx.kind))
        seen.append(ctx.client_info.get("name"))
        return repr(ctx.headers)

    client = Client(server, headers={"X-Tenant": "t1", "traceparent": "from-header"})
    result = client.request("tools/call", {"name": "look", "_meta": {"a/b": 1, "traceparent": "from-meta"}})
    client.call("look")
    assert seen[0] == ("from-meta", 1, "t1", client.revision, "tool")
    assert seen[2][0] == "from-header"
    assert "t1" not in text(result)  # values of headers stay out of texts


def test_cancelled_handler_says_nothing(server: Server) -> None:
    def check(ctx: Context) -> str:
        raise Cancelled("check")

    server.add_tool(check)
    with pytest.raises(ProtocolError):
        Client(server).call("check")


def test_texts_that_utf8_cannot_carry(server: Server) -> None:
    def odd(ctx: Context, fail: bool) -> str:
        ctx.progress(1, message="a\ud800b")
        ctx.info({"text": "a\ud800b", "object": object})
        if fail:
            raise ValueError("a\ud800b")
        return "a\ud800b"

    server.add_tool(odd)
    server.add_resource(lambda: odd.missing, "odd://x\u00e9")  # type: ignore[attr-defined]
    client = Client(server, progress=True, log_level="debug")
    for fail in (False, True):
        assert text(client.call("odd", fail=fail)).startswith("a")
    assert len(client.notifications) == 4
    with pytest.raises(ProtocolError):
        client.read("odd://x\u00e9")


# proves: S-023
def test_result_that_cannot_be_sent_is_an_error_not_a_silence() -> None:
    import msgspec

    server = Server("s")
    server.add_tool(lambda: {"x": msgspec.Raw(b"{broken")}, "broken")
    server.add_tool(lambda: object(), "unknown")
    for transport in ("http", "stdio"):
        client = Client(server, transport=transport)  # type: ignore[arg-type]
        with pytest.raises(ProtocolError) as caught:
            client.call("broken")
        assert caught.value.code == -32603
        assert client.call("unknown")["isError"] is True


# proves: S-213
def test_what_is_said_after_the_end_is_dropped() -> None:
    server = Server("s")
    kept: list[Context] = []

    @server.tool
    def leak(ctx: Context) -> None:
        kept.append(ctx)

    for transport in ("http", "stdio"):
        Client(server, transport=transport, progress=True, log_level="debug").call("leak")  # type: ignore[arg-type]
        kept[-1].progress(1)
        kept[-1].info("late")


def test_typed_definitions() -> None:
    icon = Icon("https://x.org/i.png", mime_type="image/png")
    server = Server("s", title="S", icons=[icon], page_items=1)

    @server.tool(icons=[icon])
    def pair() -> tuple[int, str]:
        return 1, "a"

    server.add_tool_raw("raw", {"type": "object"}, lambda name, args: "x", output_schema={"type": "string"})
    client = Client(server)
    tools = client.list_tools()  # two pages
    assert [tool["name"] for tool in tools] == ["pair", "raw"]
    assert tools[0]["icons"] == [{"src": "https://x.org/i.png", "mimeType": "image/png"}]
    assert client.call("pair")["structuredContent"] == [1, "a"]
    assert client.call("raw")["structuredContent"] == "x"
    assert client.request("server/discover")["_meta"]


def test_repairs_are_reported(server: Server) -> None:
    seen: list[Any] = []

    @server.on_repair
    def note(ctx: Context, repair: Any) -> None:
        seen.append((ctx.name, repair.param, repair.sent, repair.used))

    client = Client(server)
    assert text(client.call("add", a="41")) == "42"
    assert text(client.call("add", a=41)) == "42"
    assert seen == [("add", "a", "41", 41)]
