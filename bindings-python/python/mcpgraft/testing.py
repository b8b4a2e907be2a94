"""A client for tests. No socket and no event loop, but real bytes: what it sends and gets is what goes over a wire.

In a test:

    client = Client(server)                            # newest revision, over HTTP
    client = Client(server, era="legacy")              # with the handshake
    client = Client(server, transport="stdio")
    assert client.call("search_policies", query="leave")["structuredContent"] == [...]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

import msgspec

from ._native import REVISIONS, SESSION_HEADER, Reply
from .context import Context
from .dispatch import run, settle
from .duplex import DuplexChannel, Questions
from .http import Answer, HeaderList, Listening, begin
from .request import Request
from .server import Server
from .state import principal_text
from .testing_answers import Replies
from .testing_listening import Heard, over_http

__all__ = ["Client", "Heard", "HttpError", "ProtocolError", "RawAnswer"]

Json = dict[str, Any]

WAITING = 8
"""How many calls may wait for tasks at once (`tasks/result`)."""
_META = "io.modelcontextprotocol/"
_LISTEN = "subscriptions/listen"
_NAMED = {
    "tools/call": "name", "prompts/get": "name", "resources/read": "uri",
    "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId",
}  # fmt: skip


class ProtocolError(Exception):
    """The server answered with a JSON-RPC error."""

    def __init__(self, error: Json, status: int | None = None) -> None:
        super().__init__(f"{error.get('code')}: {error.get('message')}")
        self.code: int = error.get("code", 0)
        self.message: str = error.get("message", "")
        self.data: Any = error.get("data")
        self.status = status
        """HTTP status; None on stdio."""


class HttpError(Exception):
    """The server answered with an HTTP error that holds no JSON-RPC message, such as 401."""

    def __init__(self, answer: RawAnswer) -> None:
        super().__init__(f"HTTP {answer.status}: {answer.body[:200].decode('utf-8', 'replace')}")
        self.status = answer.status
        self.headers = dict(answer.headers)
        self.body = answer.body


class RawAnswer(NamedTuple):
    """A response as it went over the wire."""

    status: int
    headers: HeaderList
    body: bytes

    @property
    def messages(self) -> list[Any]:
        """The JSON-RPC messages in it: of one JSON body, or of an event stream."""
        if not self.body:
            return []
        kind = next((value for name, value in self.headers if name.lower() == "content-type"), "")
        if kind.startswith("text/event-stream"):
            return [
                msgspec.json.decode(b"\n".join(data))
                for event in self.body.replace(b"\r\n", b"\n").split(b"\n\n")
                if (data := [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")])
                and any(data)
            ]
        return [msgspec.json.decode(self.body)] if "json" in kind else []


def _raw(answer: Answer | Reply) -> RawAnswer:
    return RawAnswer(answer.status, answer.headers, answer.body)


class Client:
    """Speaks to a server object. Answers are plain dicts; protocol errors are raised."""

    def __init__(
        self,
        server: Server,
        *,
        era: Literal["modern", "legacy"] = "modern",
        revision: str | None = None,
        transport: Literal["http", "stdio"] = "http",
        headers: Mapping[str, str] | None = None,
        auth: object = None,
        url: str = "http://localhost/mcp",
        peer: str | None = "127.0.0.1",
        capabilities: Mapping[str, object] | None = None,
        progress: bool = False,
        log_level: str | None = None,
        principal: object = None,
        answers: Replies | None = None,
        listen_streams: int = 1000,
    ) -> None:
        """Connect.

        Args:
            server: The server under test.
            era: `modern` sends the envelope with every request; `legacy` shakes hands first.
            revision: Default: the newest one of the era.
            transport: `http` goes through the gate, auth and exchange; `stdio` through a session.
            headers: Sent with every HTTP request, for example an API key.
            auth: As a mount's `auth`: overrides the server's own.
            url: What the server takes for its URL.
            peer: Address the requests come from.
            capabilities: The client's declared capabilities.
            progress: Ask for progress with every request; see `notifications`.
            log_level: Ask for log messages from this level on.
            principal: On stdio: what handlers see as `Context.principal`.
            answers: Answers what the server asks, and declares that it can be asked; see `testing_answers`.
            listen_streams: How many responses the host would keep open, if the server does not say otherwise.
        """
        self.server = server
        self.answers = answers
        self.era = era
        self.revision = revision or (REVISIONS[0] if era == "modern" else REVISIONS[1])
        self.notifications: list[Json] = []
        """All notifications that came so far, oldest first."""
        self.server_info: Json = {}
        """Result of the handshake (legacy)."""
        self.session_id: str | None = None
        """The session the server has opened over HTTP, if it keeps any; sent with every further request."""
        self._listen_streams = listen_streams
        self._headers = dict(headers or {})
        self._auth = auth
        self._url = url
        self._peer = peer
        given = answers.capabilities if capabilities is None and answers is not None else capabilities
        self._capabilities = dict(given or {})
        self._progress = progress
        self._log_level = log_level
        self._ids = 0
        self._session: _Session | None = _Session(server, principal, answers) if transport == "stdio" else None
        if era == "legacy":
            self._handshake()

    # --- what a server has -----------------------------------------------------------------------------------------

    def list_tools(self) -> list[Json]:
        """All tools, over all pages."""
        return self._all("tools/list", "tools")

    def list_resources(self) -> list[Json]:
        """All resources, over all pages."""
        return self._all("resources/list", "resources")

    def list_templates(self) -> list[Json]:
        """All resource templates, over all pages."""
        return self._all("resources/templates/list", "resourceTemplates")

    def list_prompts(self) -> list[Json]:
        """All prompts, over all pages."""
        return self._all("prompts/list", "prompts")

    def call(self, name: str, arguments: Mapping[str, Any] | None = None, /, **kwargs: Any) -> Json:
        """Call a tool; the result may have `isError`. Arguments as a mapping, as keywords, or both."""
        return self.request("tools/call", {"name": name, "arguments": {**(arguments or {}), **kwargs}})

    def read(self, uri: str) -> Json:
        """Read a resource."""
        return self.request("resources/read", {"uri": uri})

    def get(self, name: str, arguments: Mapping[str, str] | None = None, /, **kwargs: str) -> Json:
        """Get a prompt."""
        return self.request("prompts/get", {"name": name, "arguments": {**(arguments or {}), **kwargs}})

    def complete(self, ref: str, argument: str, value: str = "", resolved: Mapping[str, str] | None = None) -> Json:
        """Ask for values of an argument of a prompt, or of a resource template (`ref` has `://`)."""
        kind = {"type": "ref/resource", "uri": ref} if "://" in ref else {"type": "ref/prompt", "name": ref}
        params: Json = {"ref": kind, "argument": {"name": argument, "value": value}}
        if resolved:
            params["context"] = {"arguments": dict(resolved)}
        found = self.request("completion/complete", params)["completion"]
        return dict(found)

    # --- one message -------------------------------------------------------------------------------------------------

    def request(self, method: str, params: Mapping[str, Any] | None = None) -> Json:
        """Send a request and give its result. Raises `ProtocolError`, or `HttpError`.

        With `answers` the server's questions are answered on the way; without, `input_required` is a result.
        """
        if self.era == "modern" and self.answers is not None:
            return self.answers.complete(lambda full: self._request(method, full), params or {})
        return self._request(method, params)

    def _request(self, method: str, params: Mapping[str, Any] | None) -> Json:
        self._ids += 1
        message = {"jsonrpc": "2.0", "id": self._ids, "method": method, "params": self._enveloped(params)}
        if self.era == "legacy" and not message["params"]:
            del message["params"]
        answer = self.raw(msgspec.json.encode(message), headers=self._head(method, params or {}))
        result: Json | None = None
        for one in answer.messages:
            if not isinstance(one, dict) or "jsonrpc" not in one:
                continue  # JSON, but not the protocol's: the body of a 401, say
            if "method" in one:
                if "id" not in one:  # else a question, which was answered already
                    self.notifications.append(one)
            elif "error" in one:
                raise ProtocolError(one["error"], None if self._session else answer.status)
            elif one.get("id") == self._ids:
                result = one["result"]
        if result is None:
            raise HttpError(answer)
        return result

    def notify(self, method: str, params: Mapping[str, Any] | None = None) -> None:
        """Send a notification."""
        message: Json = {"jsonrpc": "2.0", "method": method}
        if params:
            message["params"] = dict(params)
        self.raw(msgspec.json.encode(message), headers=self._head(method, {}))

    def raw(
        self,
        body: bytes,
        *,
        method: str = "POST",
        headers: Mapping[str, str] | HeaderList | None = None,
    ) -> RawAnswer:
        """Send bytes as they are and give what came back as it is. `headers` replace the ones the client would send."""
        if self._session is not None:
            return self._session.send(body)
        given = self._head("", {}) if headers is None else headers
        pairs = list(given.items()) if isinstance(given, Mapping) else list(given)
        if not any(name.lower() == "content-length" for name, _ in pairs):
            pairs.append(("content-length", str(len(body))))
        begun = self._begin(method, pairs, body)
        if isinstance(begun, Listening):
            begun.stream.close()
            raise ValueError("this opens a stream; use Client.listen()")
        if isinstance(begun, Answer | Reply):
            opened = {name.lower(): value for name, value in begun.headers}.get(SESSION_HEADER.lower())
            self.session_id = opened or self.session_id
            return _raw(begun)
        begun.room = WAITING
        status, pieces = 0, bytearray()
        sent: HeaderList = []

        def start(code: int, head: HeaderList) -> Any:
            nonlocal status
            status = code
            sent.extend(head)
            return hear

        def hear(piece: bytes) -> None:
            pieces.extend(piece)
            for message in RawAnswer(status, sent, piece).messages:
                if self.answers is not None and "method" in message and "id" in message:
                    response = self.answers.response(message)
                    if response is not None:
                        self.raw(response)

        answer = begun.finish(start if begun.may_stream else None)
        if answer is None:
            return RawAnswer(status, sent, bytes(pieces))
        return RawAnswer(answer.status, answer.headers, answer.body)

    # --- changes, and the end ----------------------------------------------------------------------------------------

    def listen(
        self,
        *,
        tools: bool = False,
        prompts: bool = False,
        resources: bool = False,
        uris: Sequence[str] = (),
        tasks: Sequence[str] = (),
    ) -> Heard:
        """Hear of changes: of lists, of the resources `uris`, and (stateless era) of the tasks of these ids.

        Raises `ProtocolError`, or `HttpError`.

        In the handshake era over HTTP this opens the stream of the session, which tells of all lists, and of the
        resources that were subscribed to; on stdio nothing needs to be opened then.
        """
        if self.era == "legacy":
            for uri in uris:
                self.request("resources/subscribe", {"uri": uri})
            return self._open(b"") if self._session is None else Heard(self._session.heard, lambda: None)
        wanted = {"toolsListChanged": tools, "promptsListChanged": prompts, "resourcesListChanged": resources}
        named = {"resourceSubscriptions": list(uris), **({"taskIds": list(tasks)} if tasks else {})}
        params: Json = {"notifications": {**wanted, **named}}
        self._ids += 1
        message = {"jsonrpc": "2.0", "id": self._ids, "method": _LISTEN, "params": self._enveloped(params)}
        body = msgspec.json.encode(message)
        if self._session is None:
            return self._open(body)
        self._session.keep(self._session.send(body))
        return Heard(self._session.heard, lambda: None)

    def end(self) -> int:
        """End the session (DELETE); gives the status."""
        return self.raw(b"", method="DELETE").status

    # --- inside ------------------------------------------------------------------------------------------------------

    def _open(self, body: bytes) -> Heard:
        head = self._head(_LISTEN if body else "", {})
        begun = self._begin("POST" if body else "GET", list(head.items()), body)
        if isinstance(begun, Listening):
            return over_http(begun.stream)
        assert isinstance(begun, Answer | Reply)
        answer = _raw(begun)
        for message in answer.messages:
            if isinstance(message, dict) and isinstance(message.get("error"), dict):
                raise ProtocolError(message["error"], answer.status)
        raise HttpError(answer)

    def _begin(self, method: str, headers: HeaderList, body: bytes) -> Any:
        request = Request(method, headers, peer=self._peer, url=self._url, listen_streams=self._listen_streams)
        return begin(self.server, request, self._auth, lambda limit: body[:limit])

    def _handshake(self) -> None:
        self.server_info = self.request(
            "initialize",
            {
                "protocolVersion": self.revision,
                "capabilities": self._capabilities,
                "clientInfo": {"name": "mcpgraft-test-client", "version": "0"},
            },
        )
        self.revision = self.server_info["protocolVersion"]
        self.notify("notifications/initialized")
        if self._log_level is not None:
            self.request("logging/setLevel", {"level": self._log_level})

    def _enveloped(self, params: Mapping[str, Any] | None) -> Json:
        full = dict(params or {})
        meta = dict(full.get("_meta") or {})
        if self.era == "modern":
            meta.setdefault(_META + "protocolVersion", self.revision)
            meta.setdefault(_META + "clientInfo", {"name": "mcpgraft-test-client", "version": "0"})
            meta.setdefault(_META + "clientCapabilities", self._capabilities)
            if self._log_level is not None:
                meta.setdefault(_META + "logLevel", self._log_level)
        if self._progress:
            meta.setdefault("progressToken", self._ids)
        return {**full, "_meta": meta} if meta else full

    def _head(self, method: str, params: Mapping[str, Any]) -> dict[str, str]:
        head = {
            "Host": self._url.split("/")[2],
            "Content-Type": "application/json",
            "Accept": "application/json, text/event-stream",
        }
        if method != "initialize":
            head["MCP-Protocol-Version"] = self.revision
        if self.session_id is not None:
            head[SESSION_HEADER] = self.session_id
        if self.era == "modern" and method:
            head["Mcp-Method"] = method
            if (field := _NAMED.get(method)) and isinstance(params.get(field), str):
                head["Mcp-Name"] = _header_text(params[field])
        return {**head, **self._headers}

    def _all(self, method: str, field: str) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = self.request(method, {} if cursor is None else {"cursor": cursor})
            found.extend(page[field])
            cursor = page.get("nextCursor")
            if cursor is None:
                return found


class _Session:
    """The other end of a duplex channel: gives what a message led to, handlers run inline."""

    def __init__(self, server: Server, principal: object, answers: Replies | None) -> None:
        self._server = server
        self._session = server.core.session()
        self._answers = answers
        self._questions = Questions(self._session, self._say)
        self._channel = _InlineChannel(self)
        self._request = Request(principal=principal)
        self._lines: list[bytes] = []
        self._attached = server.attach(self)
        self._attached.__enter__()

    def send(self, message: bytes) -> RawAnswer:
        step = self._session.accept(message)
        self._add(step.send)
        if step.call is not None:
            self._run(step.call)
        while step.batch is not None and (one := step.batch.next()) is not None:
            self._add(one.send)
            if one.call is not None:
                self._run(one.call)
        lines, self._lines = self._lines, []
        text = b"".join(b"data: " + line + b"\n\n" for line in lines)
        return RawAnswer(0, [("content-type", "text/event-stream")], text)

    def answer_last(self) -> None:
        """Answer the question that was just sent."""
        response = None if self._answers is None else self._answers.response(msgspec.json.decode(self._lines[-1]))
        if response is not None:
            step = self._session.accept(response)
            self._add(step.send)
            if step.event == "answer":
                self._questions.answered(step)

    def list_changed(self, kind: str) -> None:
        self._add(self._session.list_changed(kind))

    def resource_updated(self, uri: str) -> None:
        self._add(self._session.resource_updated(uri))

    def task_changed(self, task: Any) -> None:
        self._add(self._session.task_changed(task, principal_text(self._request.principal)))

    def task_progress(self, task: Any, progress: float, total: float | None, message: str | None) -> None:
        self._add(self._session.task_progress(task, progress, total, message))

    def end(self) -> None:
        self._add(self._session.end_listening())

    def keep(self, answer: RawAnswer) -> None:
        """Put messages back for `heard`."""
        self._lines[:0] = [msgspec.json.encode(one) for one in answer.messages]

    def heard(self) -> list[Any]:
        """The messages that came by themselves."""
        lines, self._lines = self._lines, []
        return [msgspec.json.decode(line) for line in lines]

    def _run(self, call: Any) -> None:
        outcome = run(Context(call, self._channel, self._server, self._request))
        self._add(settle(self._session, call, outcome))

    def _say(self, make: Any) -> None:
        self._add(make())

    def _add(self, message: bytes | None) -> None:
        if message is not None:
            self._lines += message.split(b"\n")  # one message may go to several subscriptions


class _InlineChannel(DuplexChannel):
    def __init__(self, session: _Session) -> None:
        super().__init__(session._session, session._questions, session._say)
        self.ask = self._ask_and_answer
        self._end = session

    def _ask_and_answer(self, key: int, ask: Any) -> Any:
        waiting = self._end._questions.ask(key, ask)
        self._end.answer_last()
        return waiting


def _header_text(text: str) -> str:
    """A header value; what a header cannot hold goes as Base64."""
    if text.isascii() and text.isprintable() and text == text.strip() and not text.startswith("=?base64?"):
        return text
    from base64 import b64encode

    return f"=?base64?{b64encode(text.encode()).decode()}?="
