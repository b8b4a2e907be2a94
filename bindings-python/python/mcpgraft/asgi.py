"""MCP as an ASGI application, for Starlette, FastAPI, Quart, or a server directly. No lifespan is needed.

    from mcpgraft.asgi import App, mount
    app = App(server)                    # the endpoint itself: it looks at no path
    mount(fastapi_app, server, "/mcp")   # both slash spellings, no redirect

Async tools run on the loop, sync ones in worker threads, so neither blocks it. When the peer goes away, the call is
cancelled where its protocol revision says so.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .bridge import Loop
from .http import Answer, HeaderList, Open, Pending, begin_async
from .request import Request
from .wsgi import metadata_answer

if TYPE_CHECKING:
    from .server import Server

__all__ = ["App", "handle", "mount"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

KEEP_ALIVE = 15.0
"""Seconds of silence in a stream after which an empty comment goes out, so that proxies keep it open."""
STREAMS = 1000
"""How many responses a process keeps open, unless the server says otherwise."""
BACKLOG = 1000
"""Most unsent notifications of one call; more are dropped, for they are only ever best effort."""

_pools: WeakKeyDictionary[Server, ThreadPoolExecutor] = WeakKeyDictionary()


class App:
    """An ASGI callable for HTTP; without `path` every request is for the endpoint."""

    def __init__(self, server: Server, *, auth: object = None, path: str | None = None) -> None:
        """Serve `server`; `auth` overrides its own; with `path`, other paths get 404."""
        self._server = server
        self._auth = server.auth if auth is None else auth
        self._path = None if path is None else "/" + path.strip("/")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1000})
            return
        document = metadata_answer(self._auth, url_of(scope), self._path)
        if document is not None:
            await _send(document, send)
        elif self._path is not None and (scope["path"].rstrip("/") or "/") != self._path:
            await _send(Answer(404, [("Content-Type", "text/plain; charset=utf-8")], b"not found\n"), send)
        else:
            await handle(self._server, scope, receive, send, auth=self._auth)


def mount(app: Any, server: Server, path: str = "/mcp", *, auth: object = None) -> None:
    """Add the endpoint to a Starlette or FastAPI application: both slash spellings, and its metadata document."""
    from starlette.routing import Route

    from .auth import metadata_path, publishes

    endpoint = App(server, auth=auth)
    rule = "/" + path.strip("/")
    paths = [rule, *([rule + "/"] if rule != "/" else [])]
    if publishes(server.auth if auth is None else auth) is not None:
        paths.append(metadata_path(rule))
    for one in paths:
        # A Route whose endpoint is an application, not a function, takes every method and redirects nothing.
        app.router.routes.append(Route(one, endpoint, include_in_schema=False))


async def handle(
    server: Server, scope: Scope, receive: Receive, send: Send, *, auth: object = None, body: bytes | None = None
) -> None:
    """Answer one HTTP request; `body` if somebody read it already."""
    hop = Loop(_offload(server))

    async def read(limit: int) -> bytes:
        return body[:limit] if body is not None else await _read(receive, limit)

    try:
        begun = await begin_async(server, request_of(scope), auth, read, hop, STREAMS)
    except ConnectionAbortedError:
        return
    if isinstance(begun, Open):
        await _keep_open(begun, receive, send)
    elif isinstance(begun, Answer):
        await _send(begun, send)
    else:
        await _run(begun, hop, receive, send)


async def _keep_open(opened: Open, receive: Receive, send: Send) -> None:
    loop, changed = asyncio.get_running_loop(), asyncio.Event()
    opened.stream.wake = lambda: loop.call_soon_threadsafe(changed.set)
    watch = asyncio.ensure_future(_gone(receive))
    try:
        await send({"type": "http.response.start", "status": opened.status, "headers": _encoded(opened.headers)})
        over = False
        while not over:
            data, over = opened.stream.take()
            if data or over:
                await send({"type": "http.response.body", "body": data, "more_body": not over})
            if over:
                return
            turn = asyncio.ensure_future(changed.wait())
            done, _ = await asyncio.wait({turn, watch}, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            turn.cancel()
            if watch in done:
                return
            changed.clear()
            if not done:
                await send({"type": "http.response.body", "body": b":\n\n", "more_body": True})
    finally:
        opened.close()
        watch.cancel()


async def _run(pending: Pending, hop: Loop, receive: Receive, send: Send) -> None:
    loop = asyncio.get_running_loop()
    events: asyncio.Queue[tuple[int, HeaderList] | bytes] = asyncio.Queue()

    def start(status: int, headers: HeaderList) -> Callable[[bytes], object]:
        loop.call_soon_threadsafe(events.put_nowait, (status, headers))
        return lambda piece: loop.call_soon_threadsafe(events.put_nowait, piece)

    work = asyncio.ensure_future(
        pending.finish_async(hop, start if pending.may_stream else None, lambda: events.qsize() >= BACKLOG)
    )
    watch = asyncio.ensure_future(_gone(receive))
    turn: asyncio.Task[Any] = asyncio.ensure_future(events.get())
    try:
        started = False
        while not work.done():
            waiting = {work, turn} if watch.done() else {work, turn, watch}
            done, _ = await asyncio.wait(waiting, timeout=KEEP_ALIVE, return_when=asyncio.FIRST_COMPLETED)
            if watch in done and pending.exchange.close():
                return  # the call is taken back; nobody hears its answer
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
        for task in (work, watch, turn):
            task.cancel()
        await asyncio.gather(work, watch, turn, return_exceptions=True)


async def _forward(event: tuple[int, HeaderList] | bytes, started: bool, send: Send) -> bool:
    if isinstance(event, tuple):
        await send({"type": "http.response.start", "status": event[0], "headers": _encoded(event[1])})
    else:
        await send({"type": "http.response.body", "body": event, "more_body": True})
    return True


async def _send(answer: Answer, send: Send) -> None:
    await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(answer.sized())})
    await send({"type": "http.response.body", "body": answer.body})


async def _read(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    while limit > 0:
        message = await receive()
        if message["type"] != "http.request":
            raise ConnectionAbortedError("the peer went away before its request was complete")
        part = bytes(message.get("body", b""))
        parts.append(part[:limit])
        limit -= len(part)
        if not message.get("more_body", False):
            break
    return b"".join(parts)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return


def request_of(scope: Scope) -> Request:
    """The request an ASGI scope describes."""
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    client = scope.get("client")
    return Request(scope["method"], headers, peer=client[0] if client else None, url=url_of(scope), native=scope)


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


def _offload(server: Server) -> Callable[[Callable[[], Any]], Awaitable[Any]]:
    def offload(fn: Callable[[], Any]) -> Awaitable[Any]:
        pool = _pools.get(server)
        if pool is None:
            pool = _pools[server] = ThreadPoolExecutor(server.workers, thread_name_prefix="mcpgraft")
        return asyncio.get_running_loop().run_in_executor(pool, contextvars.copy_context().run, fn)

    return offload
