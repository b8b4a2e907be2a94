"""MCP as a Django view, for WSGI and ASGI projects.

    # urls.py
    from mcpgraft.django import urls
    urlpatterns = [*urls(server, "mcp"), ...]

The view is exempt from the CSRF check: it takes JSON only, which no cross-site form can send, and checks the Origin
header itself. Tools run in the thread of their request, with its database connection. Only when a handler could report
progress to a peer that asked for it, or end its response early, does it run in a thread of its own (WSGI has no other
way to start a stream late).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound, StreamingHttpResponse
from django.urls import re_path

from ._native import Reply
from .apart import Event, Said, pieces, started
from .auth import WELL_KNOWN, publishes
from .hangup import hung_up
from .http import Answer, Complete, HeaderList, Listening, Pending, begin, begin_async
from .wsgi import metadata_answer, read_all, request_of

if TYPE_CHECKING:
    from .http import ReadBody
    from .server import Server

__all__ = ["async_view", "metadata_view", "respond", "sse_view", "urls", "view"]


def urls(
    server: Server,
    path: str = "mcp",
    *,
    auth: object = None,
    asynchronous: bool = False,
    sse: str | None = None,
) -> list[Any]:
    """URL patterns of the endpoint (with and without a slash at its end) and of its metadata document, if it has one.

    Put them into the root URLconf: the document's place is at the root of the host. `sse` is a path for the transport
    of 2024-11-05; see `mcpgraft.sse`.
    """
    path = path.strip("/")
    chosen = async_view(server, auth=auth) if asynchronous else view(server, auth=auth)
    patterns: list[Any] = [re_path(rf"^{path}/?$", chosen)]
    if sse is not None:
        patterns.append(re_path(rf"^{sse.strip('/')}/?$", sse_view(server, auth=auth)))
    if publishes(server.auth if auth is None else auth) is not None:
        patterns.append(re_path(rf"^{WELL_KNOWN.strip('/')}/{path}/?$", metadata_view(server, auth=auth)))
    return patterns


def view(server: Server, *, auth: object = None) -> Callable[..., HttpResponseBase]:
    """A sync view. Right for WSGI; under ASGI Django runs it in its thread for sync code."""

    def mcp(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return respond(server, request, auth=auth)

    mcp.csrf_exempt = True  # type: ignore[attr-defined]
    return mcp


def sse_view(server: Server, *, auth: object = None) -> Callable[..., HttpResponseBase]:
    """A view for the transport of 2024-11-05; see `mcpgraft.sse`."""

    def mcp(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        from .sse import begin as begin_sse

        begun = begin_sse(server, _request(request), auth, _reader(request))
        if isinstance(begun, Answer | Reply):
            return _response(begun)
        return _stream((begun.status, begun.headers), _open(begun, request))

    mcp.csrf_exempt = True  # type: ignore[attr-defined]
    return mcp


def async_view(server: Server, *, auth: object = None) -> Callable[..., Any]:
    """An async view for ASGI: async tools run on the loop, sync ones in Django's thread for sync code."""

    async def mcp(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        from asgiref.sync import sync_to_async

        from .bridge import Loop

        hop = Loop(lambda fn: sync_to_async(fn)())
        begun = await begin_async(server, _request(request), auth, _reader(request), hop)
        if isinstance(begun, Answer | Reply):
            return _response(begun)
        if isinstance(begun, Listening):
            return _stream((begun.status, begun.headers), begun.stream.pieces_async(hop))
        return await _answer_async(begun, hop)

    mcp.csrf_exempt = True  # type: ignore[attr-defined]
    return mcp


def metadata_view(server: Server, *, auth: object = None) -> Callable[..., HttpResponseBase]:
    """A view for the protected resource metadata document (RFC 9728)."""
    chosen = server.auth if auth is None else auth

    def document(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = metadata_answer(chosen, request.build_absolute_uri(request.path))
        return _response(answer) if answer else HttpResponseNotFound()

    return document


def respond(server: Server, request: HttpRequest, *, auth: object = None) -> HttpResponseBase:
    """Answer a request inside a sync view."""
    begun = begin(server, _request(request), auth, _reader(request))
    if isinstance(begun, Answer | Reply):
        return _response(begun)
    if isinstance(begun, Listening):
        return _stream((begun.status, begun.headers), _open(begun, request))
    if not begun.asked_to_stream:  # a stream costs the handler the thread of its request
        return _response(begun.finish() or Answer(500, [], b""))
    from django.db import connections

    events = started(begun, connections.close_all)  # the thread's own; nobody else would
    first = events.get()
    if isinstance(first, BaseException):
        raise first
    if isinstance(first, Answer):
        return _response(first)
    assert isinstance(first, tuple)
    # Under ASGI Django would collect a sync iterator before sending it.
    body = _later(events) if hasattr(request, "scope") else pieces(events)
    return _stream(first, body)


def _open(begun: Listening, request: HttpRequest) -> Any:
    if not hasattr(request, "scope"):
        return begun.stream.pieces(hung_up(request.META))
    from asgiref.sync import sync_to_async

    from .bridge import Loop

    return begun.stream.pieces_async(Loop(lambda fn: sync_to_async(fn)()))


async def _later(events: Said) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    try:
        while (event := await loop.run_in_executor(None, events.get)) is not None and event != b"":
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, bytes):
                yield event
    except (GeneratorExit, asyncio.CancelledError):
        events.lose()
        raise


async def _answer_async(pending: Pending, hop: Any) -> HttpResponseBase:
    events: asyncio.Queue[Event] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def put(event: Event) -> None:
        loop.call_soon_threadsafe(events.put_nowait, event)

    def start(status: int, headers: HeaderList) -> Callable[[bytes], object]:
        put((status, headers))
        return put

    async def work() -> None:
        try:
            answer = await pending.finish_async(hop, start if pending.may_stream else None)
            if answer is not None:
                put(answer)
        except Exception as exc:
            put(exc)
        finally:
            put(None)

    task = asyncio.ensure_future(work())

    async def said() -> AsyncIterator[bytes]:
        try:
            while (event := await events.get()) is not None and event != b"":
                if isinstance(event, BaseException):
                    raise event
                if isinstance(event, bytes):
                    yield event
        finally:
            _abandon(pending, task)

    try:
        first = await events.get()
    except asyncio.CancelledError:  # Django's word for: the peer is gone
        _abandon(pending, task)
        raise
    if isinstance(first, BaseException):
        raise first
    if isinstance(first, Answer):
        return _response(first)
    assert isinstance(first, tuple)
    return _stream(first, said())


def _abandon(pending: Pending, task: asyncio.Task[None]) -> None:
    if not task.done() and pending.exchange.close():
        task.cancel()


def _stream(head: tuple[int, HeaderList], body: Any) -> HttpResponseBase:
    response = StreamingHttpResponse(body, status=head[0])
    del response.headers["Content-Type"]
    for name, value in head[1]:
        response.headers[name] = value
    return response


def _response(answer: Complete) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status)
    del response.headers["Content-Type"]
    for name, value in answer.sized():
        response.headers[name] = value
    return response


def _request(request: HttpRequest) -> Any:
    made = request_of(request.META, request)
    made.url = f"{request.scheme}://{request.META.get('HTTP_HOST', 'localhost')}{request.path}"
    made.method = request.method or made.method
    if hasattr(request, "scope"):
        from .asgi import LISTEN_STREAMS

        made.listen_streams = LISTEN_STREAMS
    return made


def _reader(request: HttpRequest) -> ReadBody:
    def read(limit: int) -> bytes:
        # Read directly, so that not Django's upload limit but the server's own decides; unless somebody read it before.
        if hasattr(request, "_body"):
            return bytes(request.body)[:limit]
        return read_all(request.read, limit)

    return read
