"""The HTTP+SSE transport of revision 2024-11-05, for clients that know nothing newer. Off unless a mount has a path.

    mount(app, server, "/mcp", sse="/sse")

GET opens an event stream whose first event says where messages are to be posted (the same path, with an unguessable
session id); every answer comes on the stream. Each client has a session in this process, so several workers need a
proxy that sends a client to the same one; and each takes one of the streams that `Server(listen_streams=...)` allows.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING
from urllib.parse import parse_qs
from weakref import WeakKeyDictionary

import msgspec

from ._native import KEEP_ALIVE
from .bridge import Hop, Inline, call, drive
from .channel import Answer, ReadBody
from .connection import Connection
from .http import allowed, places, unavailable, whole
from .listening import Listening, Source, Wait, listening
from .request import Request
from .sessions import owner_of

if TYPE_CHECKING:
    from ._native import Exchange, Task
    from .server import Server

__all__ = ["begin", "begin_async"]

EVENTS = [
    ("Content-Type", "text/event-stream"),
    ("Cache-Control", "no-cache, no-transform"),
    ("X-Accel-Buffering", "no"),
]
WORKERS = 4
"""Most handlers at once for one client."""

_peers: WeakKeyDictionary[Server, dict[str, Peer]] = WeakKeyDictionary()
_lock = threading.Lock()


def begin(server: Server, request: Request, auth: object, read: ReadBody) -> Answer | Listening:
    """Answer one request of this transport. Blocks on the body and on the auth verifier."""
    return drive(begin_async(server, request, auth, read, Inline()))


async def begin_async(server: Server, request: Request, auth: object, read: ReadBody, hop: Hop) -> Answer | Listening:
    """The same for an async host."""
    exchange = server.core.exchange(request.method, request.sent, peer=request.peer)
    refused = exchange.gate()
    wrong_method = request.method not in ("GET", "POST")
    if refused is not None and request.method == "GET" and refused.status == 405:
        refused = None  # said of the newer transport, on whose path a GET is something else
    if refused is not None and (refused.status in (403, 421) or refused.status < 400):
        return whole(refused)
    denied = await allowed(server, request, auth, exchange, hop)
    if denied is not None:
        return denied
    if refused is not None and not wrong_method:
        return whole(refused)
    if request.method == "GET":
        return await _open(server, request, exchange, hop)
    if wrong_method:
        return _say(exchange, 405, "only GET and POST are possible here", ("Allow", "GET, POST"))
    ids = parse_qs(request.query).get("sessionId", [])
    if len(ids) != 1:
        return _say(exchange, 400, "the parameter sessionId is missing: post to where the event `endpoint` says")
    peer = _table(server).get(ids[0])
    if peer is None or peer.owner != owner_of(request.principal):
        return _say(exchange, 404, "this session is over, or at another worker")
    body = await call(hop, read, exchange.max_body + 1)
    if len(body) > exchange.max_body:
        return _say(exchange, 413, f"the body is longer than {exchange.max_body} bytes")
    try:
        msgspec.json.decode(body)
    except msgspec.DecodeError:
        return _say(exchange, 400, "the body is not JSON")
    peer.connection.take(body, request)
    return _say(exchange, 202, "Accepted")


class Peer(Source):
    """One client: the body of its event stream, and the connection behind it."""

    BACKLOG = 1000
    """Most unread messages; a reader that leaves more is cut off, and its session with it."""

    def __init__(self, server: Server, request: Request, id: str) -> None:
        super().__init__(server.keep_alive)
        self.owner = owner_of(request.principal)
        # Relative to the URL the client knows, whatever a proxy has made of the path (RFC 3986 section 5.2).
        self._unread = deque([b"event: endpoint\ndata: ?sessionId=" + id.encode() + b"\n\n"])
        self.connection = Connection(server, self._put, WORKERS, request)
        self.on_close(self.connection.hang_up)

    def list_changed(self, kind: str) -> None:
        """A list changed."""
        self.connection.list_changed(kind)

    def resource_updated(self, uri: str) -> None:
        """A resource changed."""
        self.connection.resource_updated(uri)

    def task_changed(self, task: Task) -> None:
        """A task changed."""
        self.connection.task_changed(task)

    def task_progress(self, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """A task has come so far."""
        self.connection.task_progress(task, progress, total, message)

    def end(self) -> None:
        """The server closes."""
        with self._changed:
            self._over = True
        self._notify()

    def clear(self) -> None:
        self._unread.clear()

    def is_empty(self) -> bool:
        return not self._unread

    async def next(self, hop: Hop, wait: Wait) -> bytes | None:
        while True:
            with self._changed:
                if self._unread:
                    return self._unread.popleft()
                if self._over:
                    break
            woken = await wait()
            if not woken:
                return b"" if woken is None else KEEP_ALIVE
        self.close()
        return None

    def _put(self, lines: bytes) -> None:
        with self._changed:
            if self._over:
                raise BrokenPipeError("the event stream is closed")
            full = len(self._unread) >= self.BACKLOG
            if not full:
                self._unread += [b"event: message\ndata: " + line + b"\n\n" for line in lines.split(b"\n")]
        if full:
            self.close()
            raise BrokenPipeError("the reader of the event stream is too slow")
        self._notify()


async def _open(server: Server, request: Request, exchange: Exchange, hop: Hop) -> Answer | Listening:
    from secrets import token_urlsafe

    id = token_urlsafe(24)
    peer = Peer(server, request, id)
    if not server.hub.open(peer, places(server, request.listen_streams)):
        return unavailable(exchange, "no more clients can be served here now", 60)
    table = _table(server)
    with _lock:
        table[id] = peer
    peer.on_close(lambda: table.pop(id, None))
    return await listening(server, hop, exchange.refuse(200, EVENTS, b""), peer)


def _table(server: Server) -> dict[str, Peer]:
    with _lock:
        return _peers.setdefault(server, {})


def _say(exchange: Exchange, status: int, text: str, *headers: tuple[str, str]) -> Answer:
    head = [("Content-Type", "text/plain; charset=utf-8"), *headers]
    return whole(exchange.refuse(status, head, text.encode()))
