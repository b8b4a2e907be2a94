"""Responses that stay open: `subscriptions/listen` of the stateless era, and the GET stream of a session.

A stream holds no queue of messages, only which lists and resources have changed since it was read last, and how the
tasks of its client stand: however fast they change and however slowly the client reads, one notification is sent for
each. How many streams a process gives
away is limited (`Server(listen_streams=...)`), because under WSGI each one keeps a thread.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from ._native import KEEP_ALIVE

if TYPE_CHECKING:
    from ._native import Listener, Task

__all__ = ["KEEP_ALIVE_SECONDS", "WATCHED", "Stream", "Streams"]

KEEP_ALIVE_SECONDS = 15.0
"""How often a comment is written to a stream on which nothing else happens; that is when a lost client is noticed."""
WATCHED = 1024
"""Most changed resources, and most tasks, that wait for one slow client; it misses what comes beyond."""


class Stream:
    """One open response. It is told of changes by any thread and read by one."""

    def __init__(
        self, listener: Listener, session: Callable[[], bytes | None], first: bytes, principal: str | None = None
    ) -> None:
        """Give `first` before everything else. `session` loads the stream's session as it is at that time; `principal`
        is whose tasks may be told of."""
        self._listener = listener
        self._session = session
        self._first = first
        self._principal = principal
        self._changed = threading.Condition()
        self._lists: dict[str, None] = {}
        self._uris: dict[str, None] = {}
        self._tasks: dict[str, bytes] = {}
        self._over = False
        self.wake: Callable[[], object] = lambda: None
        """Called after every change, for a reader that cannot block."""

    def list_changed(self, kind: str) -> None:
        """A list is another one now."""
        with self._changed:
            self._lists[kind] = None
            self._changed.notify()
        self.wake()

    def resource_updated(self, uri: str) -> None:
        """A resource has changed."""
        with self._changed:
            if len(self._uris) < WATCHED:
                self._uris[uri] = None
            self._changed.notify()
        self.wake()

    def task_changed(self, task: Task) -> None:
        """A task stands otherwise now."""
        told = self._listener.task_changed(task, self._principal)
        if told is None:
            return
        with self._changed:
            if len(self._tasks) < WATCHED or task.id in self._tasks:
                self._tasks[task.id] = told
            self._changed.notify()
        self.wake()

    def finish(self) -> None:
        """End it in good order: what has changed is told, then the client hears that this was all."""
        with self._changed:
            self._over = True
            self._changed.notify()
        self.wake()

    def take(self) -> tuple[bytes, bool]:
        """What is to be written now, and whether that was all."""
        with self._changed:
            lists, self._lists = self._lists, {}
            uris, self._uris = self._uris, {}
            tasks, self._tasks = self._tasks, {}
            first, self._first = self._first, b""
            over = self._over
        parts = [first, *(self._listener.list_changed(kind) or b"" for kind in lists)]
        if uris:
            session = self._session()
            parts += [self._listener.resource_updated(uri, session) or b"" for uri in uris]
        parts += tasks.values()
        if over:
            parts.append(self._listener.end() or b"")
        return b"".join(parts), over

    def __iter__(self) -> Iterator[bytes]:
        """The pieces of the response, for a thread that may wait."""
        while True:
            data, over = self.take()
            if data:
                yield data
            if over:
                return
            with self._changed:
                idle = not (self._lists or self._uris or self._tasks or self._over)
                if idle and not self._changed.wait(KEEP_ALIVE_SECONDS):
                    data = KEEP_ALIVE
                else:
                    continue
            yield data


class Streams:
    """The open streams of one server in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[Stream] = set()
        self._closed = False

    def __len__(self) -> int:
        with self._lock:
            return len(self._open)

    def add(self, stream: Stream, limit: int) -> bool:
        """Take a stream in; False if there are as many as there may be, or the server is closing."""
        with self._lock:
            if self._closed or len(self._open) >= limit:
                return False
            self._open.add(stream)
            return True

    def discard(self, stream: Stream) -> None:
        """It is over."""
        with self._lock:
            self._open.discard(stream)

    def all(self) -> list[Stream]:
        """Those that are open now."""
        with self._lock:
            return list(self._open)

    def close(self) -> None:
        """End all of them in good order; no new ones are taken in."""
        with self._lock:
            self._closed = True
            streams = list(self._open)
        for stream in streams:
            stream.finish()
