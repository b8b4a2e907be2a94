"""MCP as an ASGI application, for Starlette, FastAPI, Quart, or a server directly. No lifespan is needed.

    from mcpgraft.asgi import App, mount
    app = App(server)                    # the endpoint itself: it looks at no path
    mount(fastapi_app, server, "/mcp")   # both slash spellings, no redirect

Async tools run on the loop, sync ones in worker threads, so neither blocks it. When the peer goes away, the call is
cancelled where its protocol revision says so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from types import CoroutineType
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from ._native import Call, Reply, begin
from .bridge import Loop, go_on
from .dispatch import PLAIN, plain_entry
from .http import (
    Answer,
    Complete,
    HeaderList,
    Listening,
    Pending,
    Verdict,
    act,
    asks_others,
    begin_async,
    listen,
    places,
)
from .logs import log
from .middleware import Begun
from .outlet import Outlet
from .request import Request
from .watchman import Visitor, gone
from .workers import hop_of
from .wsgi import metadata_answer

if TYPE_CHECKING:
    from ._native import Exchange
    from .registry import Entry
    from .server import Server

__all__ = ["App", "handle", "mount"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

KEEP_ALIVE = 15.0
"""Seconds of silence in a stream after which an empty comment goes out, so that proxies keep it open."""
BACKLOG = 1000
"""Most unsent notifications of one call; more are dropped, for they are only ever best effort."""

LISTEN_STREAMS = 1000
"""How many responses a process keeps open for clients that listen, if the server does not say otherwise."""

_closing: WeakSet[Server] = WeakSet()
"""Servers that had clients that listen: they close at signals."""
_alone: set[asyncio.Future[Any]] = set()
"""Calls that go on after their response was ended (`Context.close_stream`)."""


class App:
    """An ASGI callable for HTTP; without `path` every request is for the endpoint."""

    def __init__(self, server: Server, *, auth: object = None, path: str | None = None, sse: str | None = None) -> None:
        """Serve `server`; `auth` overrides its own; with `path`, other paths get 404.

        `sse` is a path for the transport of 2024-11-05; see `mcpgraft.sse`.
        """
        self._server = server
        self._auth = server.auth if auth is None else auth
        self._path = None if path is None else "/" + path.strip("/")
        self._sse = None if sse is None else "/" + sse.strip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(self._server, receive, send)
            return
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        if self._sse is not None and scope["path"].rstrip("/") == self._sse:
            await handle(self._server, scope, receive, send, auth=self._auth, sse=True)
            return
        document = metadata_answer(self._auth, url_of(scope), self._path) if self._auth else None
        if document is not None:
            await _send(document, send)
        elif self._path is not None and (scope["path"].rstrip("/") or "/") != self._path:
            await _send(Answer(404, [("Content-Type", "text/plain; charset=utf-8")], b"not found\n"), send)
        else:
            await handle(self._server, scope, receive, send, auth=self._auth)


def mount(app: Any, server: Server, path: str = "/mcp", *, auth: object = None, sse: str | None = None) -> None:
    """Add the endpoint to a Starlette or FastAPI application: both slash spellings, and its metadata document.

    `sse` is a path for the transport of 2024-11-05; see `mcpgraft.sse`.
    """
    from starlette.routing import Route

    from .auth import metadata_path, publishes

    endpoint = App(server, auth=auth, sse=sse)
    rule = "/" + path.strip("/")
    paths = [rule, *([rule + "/"] if rule != "/" else [])]
    if sse is not None:
        paths.append("/" + sse.strip("/"))
    if publishes(server.auth if auth is None else auth) is not None:
        paths.append(metadata_path(rule))
    for one in paths:
        # A Route whose endpoint is an application, not a function, takes every method and redirects nothing.
        app.router.routes.append(Route(one, endpoint, include_in_schema=False))


async def handle(
    server: Server,
    scope: Scope,
    receive: Receive,
    send: Send,
    *,
    auth: object = None,
    body: bytes | None = None,
    sse: bool = False,
) -> None:
    """Answer one HTTP request; `body` if somebody read it already, `sse` if it is of the transport of 2024-11-05."""
    verdict: Any
    if sse or asks_others(server, auth):
        verdict = await _ask_others(server, scope, receive, auth, body, sse)
        body = None
    else:
        client, streams = scope.get("client"), places(server, LISTEN_STREAMS)
        exchange: Any = server.core.enter(scope["method"], scope["headers"], client[0] if client else None, streams > 0)
        if type(exchange) is Reply:
            await _send(exchange, send)
            return
        if body is None:
            message: Any = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                body = bytes(message.get("body", b""))
            else:
                try:
                    body = await _read(receive, exchange.max_body + 1, message)
                except ConnectionAbortedError:
                    return
        taken: Any = exchange.take(body)
        if type(taken) is Call:
            entry = plain_entry(server, taken)
            if entry is None or not entry.is_async or entry.wants_context or server.repair_hooks:
                await _run_pending(Pending(server, request_of(scope), exchange, taken, None, streams), receive, send)
                return
            # An async function that says nothing on its way: nearly every call. Until it waits for something, nobody
            # could take it back, and nothing is set up for that; nor for anything else that a call may need but not
            # this one.
            begun = _begun(exchange, taken, entry)
            if type(begun) is not Reply:
                await _run_on(Pending(server, request_of(scope), exchange, taken), entry, begun, receive, send)
                return
            taken = begun
        if type(taken) is Reply:
            # As in `_send`, without a coroutine of its own.
            status, headers, content = taken.encoded()
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": content})
            return
        if taken.event == "listening":
            verdict = await listen(server, exchange, taken, hop_of(server), streams)
        else:
            verdict = await act(server, request_of(scope), exchange, taken, hop_of(server), streams)
        exchange = taken = body = message = None
    if type(verdict) is Listening:
        outlet = _outlet(server, verdict, send)
        # Nothing of the request is kept for as long as the client listens.
        verdict = None
        await outlet.run(receive)
    elif isinstance(verdict, Pending):
        await _run_pending(verdict, receive, send)
    elif verdict is not None:
        await _send(verdict, send)


async def _ask_others(
    server: Server, scope: Scope, receive: Receive, auth: object, body: bytes | None, sse: bool
) -> Verdict | None:
    # Where others have a say: an auth, sessions. None: the client went away before its request was complete.
    async def read(limit: int) -> bytes:
        return body[:limit] if body is not None else await _read(receive, limit)

    decide: Any = begin_async
    if sse:
        from .sse import begin_async as decide
    try:
        verdict: Verdict = await decide(server, request_of(scope), auth, read, hop_of(server))
    except ConnectionAbortedError:
        return None
    return verdict


def _begun(exchange: Exchange, call: Call, entry: Entry) -> Reply | Begun | Coroutine[Any, Any, Any]:
    # The answer; else what came of the function, or the rest of it, which waits for something.
    try:
        args, kwargs = entry.arguments(call, None, None)
        value = entry.fn(*args, **kwargs)
        if type(value) is CoroutineType:
            done, came = begin(value)
            if not done:
                return go_on(value, came)
            value = came
    except BaseException as exc:
        return Begun(error=exc)
    if type(value) not in PLAIN:
        return Begun(value)
    try:
        if type(value) is str and entry.gives_text:
            answer = exchange.answer_text(call.key, value)
        else:
            answer = exchange.answer(call.key, entry.encode(value, call))
    except UnicodeEncodeError:  # a lone surrogate
        answer = None
    except Exception as exc:
        return Begun(error=exc)
    return Begun(value) if answer is None else answer


async def _run_on(
    pending: Pending, entry: Entry, begun: Begun | Coroutine[Any, Any, Any], receive: Receive, send: Send
) -> None:
    server = pending.server
    if isinstance(begun, Begun):
        rest = await pending.finish_rest(entry, lambda: hop_of(server), begun)
        if rest is not None:
            await _send(rest, send)
    else:
        work = pending.finish_plainly(entry, lambda: hop_of(server), begun)
        await _run_quietly(pending, work, receive, send)


async def _run_pending(pending: Pending, receive: Receive, send: Send) -> None:
    server, entry = pending.server, pending.plain_entry()
    if entry is not None and not entry.wants_context:
        await _run_quietly(pending, pending.finish_plainly(entry, lambda: hop_of(server)), receive, send)
    elif pending.may_stream or pending.session is not None:
        await _run(pending, hop_of(server), receive, send)
    else:
        await _run_quietly(pending, pending.finish_async(hop_of(server)), receive, send)


async def _run_quietly(
    pending: Pending, work: Coroutine[Any, Any, Complete | None], receive: Receive, send: Send
) -> None:
    # A call that says nothing on its way runs in the task of its request.
    try:
        waits = work.send(None)
    except StopIteration as stop:
        answer: Complete | None = stop.value
    else:
        visitor = Visitor(pending, receive)
        try:
            answer = await go_on(work, waits)
        except asyncio.CancelledError:
            if not visitor.left:
                raise
            visitor.forgive()
            return  # nobody hears its answer
        finally:
            await visitor.end()
    if answer is not None:
        await _send(answer, send)


def _outlet(server: Server, begun: Listening, send: Send) -> Outlet:
    if server.hub.streams == 1 or server not in _closing:
        _closing.add(server)
        server.close_on_signals()  # servers wait for responses to end; these would not
    status, headers = begun.reply.opened()
    start = {"type": "http.response.start", "status": status, "headers": headers}
    return Outlet(server, begun.stream, send, start)


async def _run(pending: Pending, hop: Loop, receive: Receive, send: Send) -> None:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[int, HeaderList] | bytes] = asyncio.Queue()

    def start(status: int, headers: HeaderList) -> Callable[[bytes], object]:
        loop.call_soon_threadsafe(events.put_nowait, (status, headers))
        return lambda piece: loop.call_soon_threadsafe(events.put_nowait, piece)

    work = asyncio.ensure_future(
        pending.finish_async(hop, start if pending.may_stream else None, lambda: events.qsize() >= BACKLOG)
    )
    watch = asyncio.ensure_future(gone(receive))
    turn: asyncio.Task[Any] = asyncio.ensure_future(events.get())
    try:
        started = False
        while not work.done():
            waiting = {work, turn} if watch.done() else {work, turn, watch}
            done, _ = await asyncio.wait(waiting, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if watch in done:
                pending.left = True
                if pending.exchange.close():
                    return  # the call is taken back; nobody hears its answer
            if turn in done and turn.result() == b"":
                await send({"type": "http.response.body", "body": b""})
                _leave_alone(work)
                return
            if turn in done:
                started = await _forward(turn.result(), started, send)
                turn = asyncio.ensure_future(events.get())
            elif started and not done:
                await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
        answer = work.result()
        await asyncio.sleep(0)  # what other threads handed over last is put by callbacks of this turn
        if turn.done():
            started = await _forward(turn.result(), started, send)
        while not events.empty():
            started = await _forward(events.get_nowait(), started, send)
        if answer is not None:
            await _send(answer, send)
        elif started:
            await send({"type": "http.response.body", "body": b""})
    finally:
        for task in {work, watch, turn} - _alone:
            task.cancel()
        await asyncio.gather(*({work, watch, turn} - _alone), return_exceptions=True)


def _leave_alone(work: asyncio.Future[Any]) -> None:
    def over(work: asyncio.Future[Any]) -> None:
        _alone.discard(work)
        if not work.cancelled() and work.exception() is not None:
            log.error("a call failed after its response was ended", exc_info=work.exception())

    _alone.add(work)
    work.add_done_callback(over)


async def _forward(event: tuple[int, HeaderList] | bytes, started: bool, send: Send) -> bool:
    if isinstance(event, tuple):
        await send({"type": "http.response.start", "status": event[0], "headers": _encoded(event[1])})
    else:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    return True


async def _send(answer: Complete, send: Send) -> None:
    if isinstance(answer, Answer):
        status, headers, body = answer.status, _encoded(answer.sized()), answer.body
    else:
        status, headers, body = answer.encoded()
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _read(receive: Receive, limit: int, first: MutableMapping[str, Any] | None = None) -> bytes:
    # At most so many bytes, the first piece being here already, if it is.
    parts: list[bytes] = []
    while limit > 0:
        message, first = (await receive() if first is None else first), None
        if message["type"] != "http.request":
            raise ConnectionAbortedError("the peer went away before its request was complete")
        part = bytes(message.get("body", b""))
        if not parts and not message.get("more_body", False):
            return part[:limit]
        parts.append(part[:limit])
        limit -= len(part)
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def _lifespan(server: Server, receive: Receive, send: Send) -> None:
    while True:
        message: Any = await receive()
        if message["type"] == "lifespan.shutdown":
            server.close()
        else:
            server.hub.closed = False  # an application may be started again
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def request_of(scope: Scope) -> Request:
    """The request an ASGI scope describes."""
    client = scope.get("client")
    return Request(
        scope["method"],
        scope["headers"],
        peer=client[0] if client else None,
        url=lambda: url_of(scope),
        native=scope,
        listen_streams=LISTEN_STREAMS,
        query=bytes(scope.get("query_string", b"")).decode("latin-1"),
    )


def url_of(scope: Scope) -> str:
    """Absolute URL of the request, without query."""
    path, root = scope.get("path", ""), scope.get("root_path", "")
    if root and not path.startswith(root):  # servers before ASGI 3.0.4 leave the mount path out
        path = root + path
    host = next((value.decode("latin-1") for name, value in scope.get("headers", ()) if name.lower() == b"host"), "")
    if not host:
        name, port = scope.get("server") or ("localhost", None)
        host = f"{name}:{port}" if port else str(name)
    return f"{scope.get('scheme', 'http')}://{host}{path}"


def _encoded(headers: HeaderList) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
