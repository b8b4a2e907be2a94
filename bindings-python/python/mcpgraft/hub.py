"""Where things meet that belong to one client but come in on different requests, threads or workers.

A call that waits for an answer of its client and the request that brings the answer; a call that runs and the request
that takes it back; a change and the streams that are to tell of it. One `Hub` per server and process. With a
`fanout` (see `mcpgraft.fanout`) it reaches the hubs of the other processes; without one it ends at its own.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ._typing.late import Protocol
from .bridge import Hop, call

if TYPE_CHECKING:
    from typing_extensions import Self

    from ._native import Exchange, Task
    from .fanout import Fanout, Link

__all__ = ["Hub", "Live", "Waiting", "digest"]

_FORM = 1
"""Which form published messages have: workers of two releases may share a fan-out for a while."""

Response = tuple[bool, bytes]
"""What a client answered: whether it is a result, and the JSON text of the result or error."""


class Live(Protocol):
    """A connection that stays open and can be told that something changed. Must not block for long, nor raise."""

    def list_changed(self, kind: str) -> None: ...
    def resource_updated(self, uri: str) -> None: ...
    def task_changed(self, task: Task) -> None: ...
    def task_progress(self, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """A task that a call on this very connection became has come so far (2025-11-25)."""

    def end(self) -> None:
        """The server closes: say goodbye to who listens."""


class Open(Live, Protocol):
    """A response that stays open and is such a connection: a `listening.Source`."""

    session: str | None

    def close(self) -> None: ...
    def drop_if_gone(self) -> bool: ...
    def on_close(self, callback: Callable[[], object]) -> None: ...


class Waiting:
    """A question that is on its way: gives the answer once it is there. Close it when it is no longer wanted."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._lock = threading.Lock()
        self._response: Response | None = None
        self._told: list[Callable[[], object]] = []

    def wait(self, timeout: float) -> Response | None:
        """Block until the answer is there: whether it is a result, and its JSON text. None: not in time (seconds)."""
        there = threading.Event()
        self._tell(there.set)
        there.wait(timeout)
        return self._response

    async def wait_async(self, timeout: float) -> Response | None:
        """The same on an event loop, without a thread."""
        import asyncio

        loop = asyncio.get_running_loop()
        there = asyncio.Event()
        self._tell(lambda: loop.call_soon_threadsafe(there.set))
        try:
            await asyncio.wait_for(there.wait(), timeout)
        except asyncio.TimeoutError:
            return self._response
        return self._response

    def close(self) -> None:
        """Forget the question: an answer that comes now is dropped."""
        self._close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def put(self, response: Response) -> None:
        """The answer is there. Only the first one counts."""
        with self._lock:
            if self._response is not None:
                return
            self._response = response
            told, self._told = self._told, []
        for tell in told:
            tell()

    def _tell(self, tell: Callable[[], object]) -> None:
        with self._lock:
            if self._response is None:
                self._told.append(tell)
                return
        tell()


class Hub:
    """The meeting place of one server. Every method may be called from any thread and returns at once."""

    def __init__(
        self, name: str = "", fanout: Fanout | None = None, on_task: Callable[[str], object] | None = None
    ) -> None:
        """Meet in this process; with `fanout` in all processes whose server has the same name.

        `on_task` hears the id of a task that changed in another process, if somebody listens here.
        """
        self._name = name
        self._fanout = fanout
        self._on_task = on_task or _nothing
        # Reentrant: what a thrown away coroutine gives back is given back wherever garbage is collected, here, too.
        self._lock = threading.RLock()
        self._waiting: dict[tuple[str, str], Waiting] = {}
        self._running: dict[str, dict[Exchange, Callable[[], object]]] = {}
        self._lives: weakref.WeakValueDictionary[int, Live] = weakref.WeakValueDictionary()
        self._streams: set[Open] = set()
        self._by_session: dict[str, Open] = {}
        self._link: Link | None = None
        self._process = 0
        self._origin = ""
        self.closed = False
        """True after `close`: no stream is given away any more."""

    # --- questions -----------------------------------------------------------------------------------------------

    def expect(self, session: str, ask: str) -> Waiting:
        """Get ready for the answer to a question, before the question is sent.

        Args:
            session: The session the client answers in.
            ask: Id of the question, as given to `Exchange.ask`: unlike any other of the session, on any worker.
        """
        key = digest(session), ask
        waiting = Waiting(lambda: self._forget(key))
        with self._lock:
            self._waiting[key] = waiting
        link = self._linked()
        if link is not None:
            link.wait_ready()
        return waiting

    def answer(self, session: str, ask: str, ok: bool, payload: bytes) -> None:
        """A client has answered: `payload` is the JSON text of the result (`ok`) or of the error object."""
        secret = digest(session)
        if not self._answer(secret, ask, ok, payload):
            self._publish("answer", secret, ask, ok, payload.decode())

    def _answer(self, secret: str, ask: str, ok: bool, payload: bytes) -> bool:
        with self._lock:
            waiting = self._waiting.pop((secret, ask), None)
        if waiting is None:
            return False
        waiting.put((ok, payload))
        return True

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._waiting.pop(key, None)

    # --- calls in work -------------------------------------------------------------------------------------------

    @contextmanager
    def working(self, session: str, exchange: Exchange, cancel: Callable[[], object] | None = None) -> Iterator[None]:
        """While the block runs, a cancellation that another request brings finds `exchange` (and calls `cancel`)."""
        secret = digest(session)
        self._linked()
        with self._lock:
            self._running.setdefault(secret, {})[exchange] = cancel or _nothing
        try:
            yield
        finally:
            with self._lock:
                left = self._running.get(secret, {})
                left.pop(exchange, None)
                if not left:
                    self._running.pop(secret, None)

    def cancel(self, session: str, request_id: str) -> None:
        """A client took a call back. `request_id` is the JSON text of the id of its request."""
        secret = digest(session)
        if not self._cancel(secret, request_id):
            self._publish("cancel", secret, request_id)

    def _cancel(self, secret: str, request_id: str) -> bool:
        with self._lock:
            running = self._running.get(secret, {}).copy()
        for exchange, cancel in running.items():
            if exchange.cancel(request_id):
                cancel()
                return True
        return False

    def end(self, session: str) -> None:
        """A session is over: its calls are taken back and its streams are closed."""
        secret = digest(session)
        self._end(secret)
        self._publish("end", secret)

    def _end(self, secret: str) -> None:
        with self._lock:
            running = self._running.get(secret, {}).copy()
        for exchange, cancel in running.items():
            exchange.abandon()
            cancel()
        self._supersede(secret)

    # --- changes -------------------------------------------------------------------------------------------------

    @contextmanager
    def attach(self, live: Live) -> Iterator[None]:
        """While the block runs, tell `live` about changes."""
        self._linked()
        with self._lock:
            self._lives[id(live)] = live
        try:
            yield
        finally:
            with self._lock:
                self._lives.pop(id(live), None)

    def changed(self, kind: str, *, everywhere: bool = True) -> None:
        """A list is another one now: `tools`, `resources` or `prompts`."""
        self._changed(kind)
        if everywhere:
            self._publish("changed", kind)

    def updated(self, uri: str) -> None:
        """The content of a resource is another one now."""
        self._updated(uri)
        self._publish("updated", uri)

    def task_changed(self, task: Task, *, everywhere: bool = True) -> None:
        """A task stands otherwise now. Other processes get its id only, and look into the store they share."""
        for live in self._listening():
            live.task_changed(task)
        if everywhere:
            self._publish("task", task.id)

    def task_progress(self, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """A task of 2025-11-25 has come so far: its client hears it on the connection of its call, if it keeps one."""
        for live in self._listening():
            live.task_progress(task, progress, total, message)

    def is_listened_to(self) -> bool:
        """Whether anybody could hear of a change."""
        return self._fanout is not None or bool(self._listening())

    def _changed(self, kind: str) -> None:
        for live in self._listening():
            live.list_changed(kind)

    def _updated(self, uri: str) -> None:
        for live in self._listening():
            live.resource_updated(uri)

    def _listening(self) -> list[Live]:
        with self._lock:
            return self._all()

    def _all(self) -> list[Live]:
        # Copied in one step each: what is collected meanwhile may take itself out.
        streams: list[Live] = [*self._streams.copy()]
        if not self._lives:  # most often, and at every tool that is registered
            return streams
        return streams + [live for ref in self._lives.valuerefs() if (live := ref()) is not None]

    # --- streams -------------------------------------------------------------------------------------------------

    def open(self, stream: Open, limit: int) -> bool:
        """Give away a stream. False if `limit` of them are open in this process, or the server is closed.

        Where all places are taken, those whose clients hung up are freed first.

        A session has one stream, for no message may be sent on two (basic/transports, "Multiple Connections"): an older
        one is closed. It is most often one whose reader is gone and was not yet missed.
        """
        if stream.session is not None:
            self._supersede(stream.session)
            self._publish("opened", stream.session)
        self._linked()
        if not self._add(stream, limit) and not (self._drop_gone() and self._add(stream, limit)):
            return False
        stream.on_close(partial(self._gone, stream))
        return True

    async def ready(self, hop: Hop) -> None:
        """Wait until changes in other processes are heard here; no longer than two seconds, if they cannot be reached.

        Before a client is told that it hears of everything from now on.
        """
        link = self._linked()
        if link is not None and not link.is_ready:
            await call(hop, link.wait_ready)

    def _add(self, stream: Open, limit: int) -> bool:
        with self._lock:
            if self.closed or len(self._streams) >= limit:
                return False
            self._streams.add(stream)
            older = None
            if stream.session is not None:
                older, self._by_session[stream.session] = self._by_session.get(stream.session), stream
        if older is not None:  # of the same moment, in another thread
            older.close()
        return True

    def _drop_gone(self) -> bool:
        with self._lock:
            streams = self._streams.copy()
        gone = [stream for stream in streams if stream.drop_if_gone()]
        return bool(gone)

    def _supersede(self, secret: str) -> None:
        with self._lock:
            older = self._by_session.get(secret)
        if older is not None:
            older.close()

    @property
    def streams(self) -> int:
        """How many streams are open in this process."""
        return len(self._streams)

    def _gone(self, stream: Open) -> None:
        with self._lock:
            self._streams.discard(stream)
            if stream.session is not None and self._by_session.get(stream.session) is stream:
                del self._by_session[stream.session]

    def close(self) -> None:
        """End all streams in good order, and the connection to other processes."""
        with self._lock:
            self.closed = True
            ending = self._all()
            link, self._link = self._link, None
        for live in ending:
            live.end()
        if link is not None:
            link.close()

    # --- other processes -----------------------------------------------------------------------------------------

    def _linked(self) -> Link | None:
        if self._fanout is None or self.closed:
            return None
        with self._lock:
            # Threads do not survive a fork: each worker has a link of its own.
            if self._fanout is not None and (self._link is None or self._process != os.getpid()):
                self._process = os.getpid()
                self._origin = os.urandom(12).hex()
                from .fanout import Link

                self._link = Link(self._fanout, self._heard)
            return self._link

    def _publish(self, what: str, *values: str | bool) -> None:
        link = self._linked()
        if link is not None:
            link.publish(msgspec.json.encode([_FORM, self._name, self._origin, what, *values]))

    def _heard(self, message: bytes) -> None:
        form, name, origin, what, *values = msgspec.json.decode(message, type=list[Any])
        if form != _FORM or name != self._name or origin == self._origin:
            return
        if what == "changed":
            self._changed(*values)
        elif what == "updated":
            self._updated(*values)
        elif what == "task":
            if self._listening():
                self._on_task(*values)
        elif what == "answer":
            secret, ask, ok, payload = values
            self._answer(secret, ask, ok, payload.encode())
        elif what == "cancel":
            self._cancel(*values)
        elif what == "end":
            self._end(*values)
        elif what == "opened":
            self._supersede(*values)


def digest(session: str) -> str:
    """Stands for a session's id in everything that is published or logged: who has the id has the session."""
    from hashlib import blake2b  # brings in OpenSSL, which a server on stdio never needs

    return blake2b(session.encode(), digest_size=16).hexdigest()


def _nothing(*_: object) -> None:
    pass
