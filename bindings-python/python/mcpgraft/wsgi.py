"""MCP as a WSGI application (PEP 3333), for any framework and any server.

    from mcpgraft.wsgi import App
    application = App(server)                      # the endpoint itself: it looks at no path
    application = App(server, fallback=other_app, path="/mcp")   # one path in front of an application

Sync tools run in the thread of their request. A handler that reports progress to a peer that asked for it turns the
response into an event stream, written with the `write` callable that `start_response` gives. A client that listens for
changes keeps a response open, and with it a thread: `Server(listen_streams=...)` says how many may.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ._native import Reply
from .hangup import hung_up
from .http import Answer, Complete, HeaderList, Listening, Pending, ReadBody, Verdict, begin
from .request import Request

if TYPE_CHECKING:
    from .server import Server

__all__ = ["App", "Response", "metadata_answer", "read_body", "request_of"]

Environ = dict[str, Any]
StartResponse = Callable[..., Any]

LISTEN_STREAMS = 8
"""How many responses a threaded process keeps open for clients that listen, if the server does not say otherwise."""


class App:
    """A WSGI callable. Without `path` every request is for the endpoint."""

    def __init__(
        self,
        server: Server,
        *,
        auth: object = None,
        path: str | None = None,
        sse: str | None = None,
        fallback: Callable[[Environ, StartResponse], Iterable[bytes]] | None = None,
    ) -> None:
        """Serve `server`.

        Args:
            server: What to serve.
            auth: Overrides the server's own.
            path: Serve only this path, in both slash spellings; other requests go to `fallback`, or get 404.
            sse: Serve the transport of 2024-11-05 at this path; see `mcpgraft.sse`.
            fallback: The WSGI application behind it.
        """
        self._server = server
        self._auth = server.auth if auth is None else auth
        self._path = None if path is None else "/" + path.strip("/")
        self._sse = None if sse is None else "/" + sse.strip("/")
        self._fallback = fallback

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = str(environ.get("PATH_INFO", ""))
        document = metadata_answer(self._auth, url_of(environ), self._path) if self._auth else None
        if document is not None:
            return send(document, start_response)
        if self._sse is not None and path.rstrip("/") == self._sse:
            from .sse import begin as begin_sse

            begun = begin_sse(self._server, request_of(environ), self._auth, read_body(environ))
            return finish(begun, start_response, gone=hung_up(environ))
        if self._path is None or (path.rstrip("/") or "/") == self._path:
            return Response(self._server, environ, auth=self._auth)(environ, start_response)
        if self._fallback is not None:
            return self._fallback(environ, start_response)
        return send(Answer(404, [("Content-Type", "text/plain; charset=utf-8")], b"not found\n"), start_response)


class Response:
    """The answer to one request, itself a WSGI application: call it with the environ and `start_response`."""

    def __init__(self, server: Server, environ: Environ, *, auth: object = None) -> None:
        self._begun = begin(server, request_of(environ), auth, read_body(environ))

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        return finish(self._begun, start_response, gone=hung_up(environ))


def finish(
    begun: Verdict,
    start_response: StartResponse,
    extra: HeaderList | None = None,
    gone: Callable[[], bool] | None = None,
) -> Iterable[bytes]:
    """Run what is pending and send it.

    Args:
        begun: What to send.
        start_response: The server's.
        extra: Headers that go with every form of response.
        gone: Says whether the client hung up, if the host can tell.
    """
    more = extra or []
    if isinstance(begun, Answer | Reply):
        return send(begun, start_response, more)
    if isinstance(begun, Listening):
        start_response(status_line(begun.status), begun.headers + more)
        return begun.stream.pieces(gone)

    if begun.may_close and begun.may_stream:
        return _apart(begun, start_response, more)

    def start(status: int, headers: HeaderList) -> Callable[[bytes], object]:
        write: Callable[[bytes], object] = start_response(status_line(status), headers + more)
        return write

    answer = begun.finish(start if begun.may_stream else None)
    return [] if answer is None else send(answer, start_response, more)


def _apart(pending: Pending, start_response: StartResponse, more: HeaderList) -> Iterable[bytes]:
    from .apart import pieces, started

    events = started(pending)
    first = events.get()
    if isinstance(first, BaseException):
        raise first
    if isinstance(first, Answer):
        return send(first, start_response, more)
    if not isinstance(first, tuple):
        return []
    start_response(status_line(first[0]), first[1] + more)
    return pieces(events)


def send(answer: Complete, start_response: StartResponse, extra: HeaderList | None = None) -> Iterable[bytes]:
    """Send a complete response."""
    start_response(status_line(answer.status), answer.sized() + (extra or []))
    return [answer.body] if answer.body else []


@lru_cache(maxsize=64)
def status_line(status: int) -> str:
    """`200 OK`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Status"


def request_of(environ: Environ, native: object = None) -> Request:
    """The request an environ describes."""
    return Request(
        environ.get("REQUEST_METHOD", "GET"),
        environ,
        peer=environ.get("REMOTE_ADDR") or None,
        url=lambda: url_of(environ),
        native=environ if native is None else native,
        # A process with one thread would do nothing else any more.
        listen_streams=LISTEN_STREAMS if environ.get("wsgi.multithread") else 0,
        query=environ.get("QUERY_STRING", ""),
    )


def url_of(environ: Environ) -> str:
    """Absolute URL of the request, without query (PEP 3333, URL Reconstruction)."""
    scheme = environ.get("wsgi.url_scheme", "http")
    host = environ.get("HTTP_HOST")
    if not host:
        host, port = environ.get("SERVER_NAME", "localhost"), str(environ.get("SERVER_PORT", ""))
        if port and port != {"http": "80", "https": "443"}.get(scheme):
            host = f"{host}:{port}"
    path = str(environ.get("SCRIPT_NAME", "")) + str(environ.get("PATH_INFO", ""))
    return f"{scheme}://{host}{quote(path, safe='/:@!$&()*+,;=~', encoding='latin-1')}"


def read_body(environ: Environ) -> ReadBody:
    """A function that reads the body up to a limit, honouring Content-Length."""

    def read(limit: int) -> bytes:
        stream = environ.get("wsgi.input")
        if stream is None:
            return b""
        length = str(environ.get("CONTENT_LENGTH") or "")
        if length.isdecimal():
            limit = min(limit, int(length))
        elif not environ.get("wsgi.input_terminated") and not environ.get("HTTP_TRANSFER_ENCODING"):
            return b""  # no length and no end mark: there is no body, and reading on could block forever
        return read_all(stream.read, limit)

    return read


def read_all(read: Callable[[int], bytes], limit: int) -> bytes:
    """Read until the limit or the end; a stream may give less than asked."""
    parts: list[bytes] = []
    while limit > 0 and (part := read(min(limit, 65_536))):
        if len(part) == limit and not parts:
            return part
        parts.append(part)
        limit -= len(part)
    return b"".join(parts)


def metadata_answer(auth: object, url: str, endpoint_path: str | None = None) -> Answer | None:
    """The metadata document, if that is what `url` asks for (given a path: the one of that endpoint)."""
    if not auth or "/.well-known/" not in url:  # most requests end here, before the auth module is needed
        return None
    from .auth import METADATA_HEADERS, WELL_KNOWN, metadata_path, publishes, resource_of

    bearer = publishes(auth)
    if bearer is None or WELL_KNOWN not in url:
        return None
    if endpoint_path is not None and not url.rstrip("/").endswith(metadata_path(endpoint_path)):
        return None
    return Answer(200, METADATA_HEADERS, bearer.document(resource_of(url)))
