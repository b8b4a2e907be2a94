"""Rules of the protocol that no transcript can show: what is open at once, what the host may not do, who
hangs up."""

from __future__ import annotations

import asyncio
import io
import json
from typing import Any

import pytest

from mcpgraft import Context, Server, _native
from mcpgraft.asgi import App as AsgiApp
from mcpgraft.auth import Bearer
from mcpgraft.testing import Client
from mcpgraft.wsgi import App

MODERN = "2026-07-28"
KEY = "io.modelcontextprotocol/"
ENVELOPE = {KEY + "protocolVersion": MODERN, KEY + "clientCapabilities": {"elicitation": {}, "roots": {}}}
FORM: Any = ("form", "Who?", b'{"type":"object","properties":{"name":{"type":"string"}}}')
TOOL = b'{"name":"t","inputSchema":{"type":"object"}}'
DONE = b'{"content":[]}'


def core(**options: object) -> _native.Core:
    made = _native.Core(b'{"name":"s","version":"1"}', options={"logging": True, "completions": True, **options})
    made.put("tool", TOOL)
    made.put("prompt", b'{"name":"p"}')
    return made


def message(method: str, id: object = 1, *, modern: bool, token: object = None, **params: Any) -> bytes:
    meta = dict(ENVELOPE) if modern else {}
    if token is not None:
        meta["progressToken"] = token
    if meta:
        params["_meta"] = meta
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()


def exchange(made: _native.Core, *, modern: bool, token: object = None) -> tuple[_native.Exchange, _native.Call]:
    """A tools/call over HTTP, in work."""
    headers = [("Host", "localhost"), ("Content-Type", "application/json"), ("Accept", "text/event-stream")]
    mirrored = [("MCP-Protocol-Version", MODERN), ("Mcp-Method", "tools/call"), ("Mcp-Name", "t")]
    one = made.exchange("POST", headers + (mirrored if modern else []))
    assert one.gate() is None
    call = one.accept(message("tools/call", modern=modern, token=token, name="t")).call
    assert call is not None
    return one, call


def opened(made: _native.Core, revision: str = "2025-11-25", capabilities: Any = None) -> _native.Session:
    """A session that is ready."""
    session = made.session()
    params = {
        "protocolVersion": revision,
        "capabilities": capabilities or {},
        "clientInfo": {"name": "c", "version": "1"},
    }
    session.accept(message("initialize", 0, modern=False, **params))
    session.accept(b'{"jsonrpc":"2.0","method":"notifications/initialized"}')
    return session


# proves: S-113, S-115, T-082
def test_a_lost_connection_takes_a_stateless_call_back() -> None:
    one, call = exchange(core(), modern=True, token=1)
    assert one.close() is True
    assert call.cancelled
    assert one.progress(call.key, 1) is None
    emit = one.reply(call.key, DONE)
    assert (emit.head, emit.body) == (None, b"")


# proves: S-160, T-082
def test_a_lost_connection_takes_nothing_back_in_the_handshake_era() -> None:
    one, call = exchange(core(), modern=False)
    assert one.close() is False
    assert not call.cancelled
    assert one.reply(call.key, DONE).body


# proves: S-154, S-155, S-110, S-153
@pytest.mark.parametrize("modern", [True, False])
def test_a_stream_ends_with_the_answer_and_not_before(modern: bool) -> None:
    one, call = exchange(core(), modern=modern, token="p")
    for step in range(1, 4):
        emit = one.progress(call.key, step)
        assert emit is not None
        assert emit.end is False
    assert one.reply(call.key, DONE).end is True
    with pytest.raises(_native.LocalError):
        one.progress(call.key, 9)


# proves: S-143, T-033, T-132
def test_two_clients_with_the_same_id_at_once() -> None:
    made = core()
    (first, a), (second, b) = exchange(made, modern=True), exchange(made, modern=True)
    with pytest.raises(_native.LocalError):
        first.reply(b.key, DONE)
    assert b'"second"' in second.reply(b.key, b'{"content":[{"type":"text","text":"second"}]}').body
    assert b'"first"' in first.reply(a.key, b'{"content":[{"type":"text","text":"first"}]}').body


# proves: S-351
def test_only_calls_prompts_and_resources_may_ask() -> None:
    session = core().session()
    params = {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {"name": "a", "value": ""}}
    call = session.accept(message("completion/complete", modern=True, **params)).call
    assert call is not None
    with pytest.raises(_native.LocalError, match="may not ask"):
        session.require_input(call.key, [("k", FORM)])


# proves: T-112, S-353
def test_two_questions_with_one_key_are_the_hosts_mistake() -> None:
    session = core().session()
    call = session.accept(message("tools/call", modern=True, name="t")).call
    assert call is not None
    with pytest.raises(_native.LocalError, match="same key"):
        session.require_input(call.key, [("k", FORM), ("k", ("roots",))])
    with pytest.raises(_native.LocalError, match="questions or a state"):
        session.require_input(call.key, [])
    assert session.require_input(call.key, [("k", FORM)])


# proves: T-127
@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
def test_input_required_never_reaches_an_old_peer(revision: str) -> None:
    session = opened(core(), revision, {"elicitation": {}, "roots": {}})
    call = session.accept(message("tools/call", modern=False, name="t")).call
    assert call is not None
    with pytest.raises(_native.LocalError, match="handshake"):
        session.require_input(call.key, [("k", ("roots",))], "state")
    with pytest.raises(_native.LocalError):
        session.reply(call.key, b'{"resultType":"input_required","requestState":"x"}')


# proves: S-050, S-077
def test_no_request_reaches_a_stateless_peer() -> None:
    session = core().session()
    call = session.accept(message("tools/call", modern=True, name="t")).call
    assert call is not None
    with pytest.raises(_native.LocalError, match="require_input"):
        session.ask(call.key, FORM)


# proves: T-026, S-046
def test_a_log_of_the_session_waits_for_initialize() -> None:
    made = core()
    assert made.session().log(None, "emergency", b'"x"') is None
    assert opened(made).log(None, "emergency", b'"x"') is not None


# proves: S-080
@pytest.mark.parametrize("name", ["tasks", "/tasks", "1acme/x", "acme/x/y"])
def test_extensions_need_a_prefix(name: str) -> None:
    with pytest.raises(ValueError, match=f"extensions must be named with a prefix.*, not {name}$"):
        core(extensions=json.dumps({"com.example/x": {}, name: {}}).encode())
    with pytest.raises(ValueError, match="extensions must be an object of objects, not true"):
        core(extensions=b'{"com.example/x":true}')


# proves: T-073
def test_extensions_are_told_in_the_stateless_era_only() -> None:
    made = core(extensions=b'{"com.example/x":{}}')
    session = made.session()
    discovered = json.loads(session.accept(message("server/discover", modern=True)).send or b"")
    assert discovered["result"]["capabilities"]["extensions"] == {"com.example/x": {}}
    params = {"protocolVersion": "2025-11-25", "capabilities": {"extensions": {"com.example/x": {}}}}
    greeted = message("initialize", 2, modern=False, **params, clientInfo={"name": "c", "version": "1"})
    answer = json.loads(session.accept(greeted).send or b"")
    assert "extensions" not in answer["result"]["capabilities"]


# proves: S-233, S-232, S-284, S-261
def test_lists_keep_the_order_of_registration() -> None:
    server = Server("s")
    names = [f"t{number}" for number in (5, 3, 9, 1, 7)]
    for name in names:
        server.add_tool(lambda: "x", name)
        server.add_prompt(lambda: "x", name)
        server.add_resource(lambda: "x", f"x://{name}")
    for era in ("modern", "legacy"):
        for transport in ("http", "stdio"):
            client = Client(server, era=era, transport=transport)  # type: ignore[arg-type]
            assert [tool["name"] for tool in client.list_tools()] == names
            assert [prompt["name"] for prompt in client.list_prompts()] == names
            assert [one["uri"] for one in client.list_resources()] == [f"x://{name}" for name in names]


# proves: S-034
@pytest.mark.parametrize("modern", [True, False])
def test_codes_of_an_application_stay_out_of_the_reserved_range(modern: bool) -> None:
    made = core()
    session = made.session() if modern else opened(made)
    for id, (given, sent) in enumerate([(4711, 4711), (-1, -1), (-32099, -32603), (-32000, -32603)], 10):
        call = session.accept(message("tools/call", id, modern=modern, name="t")).call
        assert call is not None
        answer = session.fail(call.key, "custom", "no", code=given)
        assert json.loads(answer or b"")["error"]["code"] == sent


# proves: S-415
def test_a_token_in_the_query_is_none() -> None:
    server = Server("s", auth=Bearer(lambda token: "me" if token == "good" else None))
    body = message("tools/list", modern=False)
    seen: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/mcp",
        "QUERY_STRING": "access_token=good",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    b"".join(App(server)(environ, lambda status, headers, *more: seen.append(status)))
    assert seen[0].startswith("401")


# proves: S-112
def test_comments_keep_a_quiet_stream_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mcpgraft.asgi.KEEP_ALIVE", 0.02)
    server = Server("s")

    @server.tool
    async def slow(ctx: Context) -> str:
        ctx.progress(1)
        await asyncio.sleep(0.2)
        return "done"

    sent: list[bytes] = []
    body = message("tools/call", modern=False, token="p", name="slow")
    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"accept", b"text/event-stream")]
    scope = {"type": "http", "method": "POST", "path": "/mcp", "headers": headers, "query_string": b""}
    scope |= {"scheme": "http", "server": ("127.0.0.1", 80), "client": ("127.0.0.1", 1)}
    asked = iter([{"type": "http.request", "body": body}])

    async def receive() -> Any:
        part = next(asked, None)
        return part if part is not None else await asyncio.Event().wait()

    async def send(part: Any) -> None:
        sent.append(part.get("body", b""))

    asyncio.run(asyncio.wait_for(AsgiApp(server)(scope, receive, send), 5))
    assert sum(part.startswith(b":") for part in sent) >= 3
    assert b'"done"' in b"".join(sent[-2:])


# proves: S-015, S-175
@pytest.mark.parametrize("count", [1, 3])
def test_every_call_of_a_batch_is_answered_over_http(count: int) -> None:
    server = Server("s")
    server.add_tool(lambda text: text, "echo")
    calls = [message("tools/call", id, modern=False, name="echo", arguments={"text": f"{id}"}) for id in range(count)]
    batch = [json.loads(call) for call in calls]
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    answer = Client(server, era="legacy").raw(json.dumps(batch).encode(), headers=headers)
    assert answer.status == 200
    said = [(one["id"], one["result"]["content"][0]["text"]) for one in json.loads(answer.body)]
    assert said == [(id, f"{id}") for id in range(count)]


# proves: S-214
@pytest.mark.parametrize("transport", ["http", "stdio"])
def test_progress_is_told_so_often_and_no_oftener(transport: Any) -> None:
    server, now = Server("s", limits={"progress_rate": 10}), [100.0]
    server.clock = lambda: now[0]

    @server.tool
    def work(ctx: Context) -> str:
        for step in range(1, 1001):
            if step == 500:
                now[0] += 0.25
            ctx.progress(step, 1000)
        return "done"

    client = Client(server, transport=transport, progress=True)
    client.call("work")
    told = [one["params"]["progress"] for one in client.notifications]
    assert told == [*range(1, 11), 500, 501, 1000]
    client.call("work")
    assert len(client.notifications) == 2 * len(told), "each call has its own"
