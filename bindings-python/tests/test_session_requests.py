"""Sessions of the handshake era over HTTP: what a client sees of them, in real WSGI requests."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mcpgraft import Context, Server
from mcpgraft.sessions import SealedSessions
from mcpgraft.wsgi import App

HEADER = "Mcp-Session-Id"
SECRET = "a secret of enough bytes"


class Response:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status = status
        self.headers = dict(headers)
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def events(self) -> list[Any]:
        return [json.loads(line[6:]) for line in self.body.decode().splitlines() if line.startswith("data: ")]


class Web:
    """A WSGI client that can watch a response while it is being written."""

    def __init__(self, server: Server) -> None:
        self.app = App(server)

    def __call__(
        self,
        message: object = None,
        session: str | None = None,
        method: str = "POST",
        seen: Callable[[bytes], object] = lambda _: None,
    ) -> Response:
        from io import BytesIO

        body = b"" if message is None else json.dumps(message).encode()
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": "/mcp",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "localhost",
            "HTTP_ACCEPT": "application/json, text/event-stream",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": True,
        }
        if session is not None:
            environ["HTTP_MCP_SESSION_ID"] = session
        begun: list[Any] = []
        parts: list[bytes] = []

        def write(part: bytes) -> None:
            parts.append(part)
            seen(part)

        def start(status: str, headers: list[tuple[str, str]], _: object = None) -> Callable[[bytes], None]:
            begun[:] = [int(status[:3]), headers]
            return write

        parts.extend(self.app(environ, start))
        return Response(begun[0], begun[1], b"".join(parts))

    def open(self, revision: str = "2025-11-25", **capabilities: object) -> str:
        params = {
            "protocolVersion": revision,
            "capabilities": capabilities,
            "clientInfo": {"name": "c", "version": "1"},
        }
        answer = self({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
        assert answer.status == 200
        assert answer.json["result"]["protocolVersion"] == revision
        return answer.headers[HEADER]


class Store:
    def __init__(self) -> None:
        self.rows: dict[str, bytes] = {}

    def load(self, id: str) -> bytes | None:
        return self.rows.get(id)

    def save(self, id: str, saved: bytes | None, ttl: float) -> None:
        if saved is None:
            self.rows.pop(id, None)
        else:
            assert ttl > 0
            self.rows[id] = saved


def make(sessions: object, **options: Any) -> Server:
    server = Server("s", version="1", sessions=sessions, secrets=[SECRET], **options)

    @server.tool
    def pay(amount: int, ctx: Context) -> str:
        """Pays when told so."""
        answer = ctx.elicit(
            "sure", "Sure?", {"type": "object", "properties": {"yes": {"type": "boolean"}}, "required": ["yes"]}
        )
        return f"{amount}: {answer.action} {answer.content}"

    @server.tool
    def level(ctx: Context) -> str | None:
        """The least level of logs that is heard."""
        return ctx.call.log_level

    return server


LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@pytest.fixture(params=["memory", "sealed", "store"])
def web(request: pytest.FixtureRequest) -> Web:
    return Web(make(Store() if request.param == "store" else request.param))


# proves: S-167, S-168
def test_a_session_is_opened_used_and_needed(web: Web) -> None:
    session = web.open()
    assert all("!" <= c <= "~" for c in session)
    assert web({"jsonrpc": "2.0", "method": "notifications/initialized"}, session).status == 202
    assert web(LIST, session).json["result"]["tools"]
    missing = web(LIST)
    assert (missing.status, missing.json["error"]["code"]) == (400, -32600)
    for other in ["unknown", session[:-2] + ("AA" if session[-2:] != "AA" else "BB"), "v1.", "é"]:
        assert web(LIST, other).status == 404, other
    again = {"jsonrpc": "2.0", "id": 2, "method": "initialize", "params": {}}
    assert web(again, session).status == 400
    assert web(again, "unknown").status == 404


def test_the_revision_of_the_handshake_stands(web: Web) -> None:
    old, new = web.open("2024-11-05"), web.open("2025-06-18")
    tools = {session: web(LIST, session).json["result"]["tools"] for session in (old, new)}
    assert all("outputSchema" not in tool for tool in tools[old])
    assert any("outputSchema" in tool for tool in tools[new]) or tools[old] == tools[new]


def test_it_ends(web: Web) -> None:
    session = web.open()
    sealed = isinstance(web.app._server.sessions, SealedSessions)
    assert web(None, session, "DELETE").status == (405 if sealed else 200)
    assert web(LIST, session).status == (200 if sealed else 404)
    assert web(None, None, "DELETE").status == 400
    assert web(None, "unknown", "DELETE").status == 404


def test_an_answer_in_another_request_reaches_the_call(web: Web) -> None:
    session = web.open(elicitation={})

    def answer(part: bytes) -> None:
        for line in part.decode().splitlines():
            if line.startswith("data: ") and (asked := json.loads(line[6:])).get("method") == "elicitation/create":
                result = {"action": "accept", "content": {"yes": True}}
                reply = {"jsonrpc": "2.0", "id": asked["id"], "result": result}
                threading.Thread(target=lambda said: statuses.append(web(said, session).status), args=[reply]).start()

    statuses: list[int] = []
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pay", "arguments": {"amount": 3}}}
    answered = web(call, session, seen=answer)
    assert answered.status == 200
    events = answered.events()
    assert events[0]["method"] == "elicitation/create"
    assert events[-1]["id"] == 7
    assert events[-1]["result"]["content"][0]["text"] == "3: accept {'yes': True}"
    assert statuses == [202]


def test_without_the_capability_or_without_a_session_nobody_is_asked(web: Web) -> None:
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "pay", "arguments": {"amount": 3}}}
    assert web(call, web.open()).json["result"]["isError"] is True
    off = Web(make("off"))
    assert off(call).json["result"]["isError"] is True


def test_a_stateless_request_needs_no_session_and_ignores_the_header(web: Web) -> None:
    server = web.app._server
    exchange = server.core.exchange(
        "POST",
        [
            ("Host", "localhost"),
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("MCP-Protocol-Version", "2026-07-28"),
            ("Mcp-Method", "tools/list"),
            ("Mcp-Session-Id", "unknown"),
        ],
    )
    assert exchange.gate() is None
    meta = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}
    body = json.dumps({**LIST, "params": {"_meta": meta}}).encode()
    step = exchange.accept(body, None)
    assert step.reply is not None
    assert step.reply.status == 200


def test_a_log_level_is_kept_where_sessions_can_change() -> None:
    web = Web(make("memory"))
    session, other = web.open(), web.open()
    set_level = {"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "error"}}
    assert web(set_level, session).json["result"] == {}
    call = {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "level", "arguments": {}}}
    heard = [web(call, one).json["result"]["content"][0]["text"] for one in (session, other)]
    assert heard == ["error", "info"]


def test_another_principal_has_no_part_in_it() -> None:
    who = ["ada"]
    web = Web(make("memory", auth=lambda request: who[0]))
    session = web.open()
    assert web(LIST, session).status == 200
    who[0] = "bob"
    assert web(LIST, session).status == 404


def test_another_worker_with_the_same_secret_reads_a_sealed_session() -> None:
    one, other = Web(make("sealed")), Web(make("sealed"))
    assert other(LIST, one.open()).status == 200
    stranger = Server("s", version="1", sessions="sealed", secrets=["another secret of some length"])
    assert Web(stranger)(LIST, one.open()).status == 404
