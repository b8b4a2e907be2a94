"""Responses that stay open: `subscriptions/listen` of the stateless era, and the GET stream of a session.

A stream holds no queue of messages but the set of what has changed: a list that changes a hundred times while the
reader is busy is told of once, and so is a resource, or a task (as it stands then). So its size is bounded by the
number of different things; a reader that leaves more than `backlog` of them unread is too slow, and its stream is cut.
It then connects again, as after any broken connection. Nobody else ever waits for it.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING

from ._native import KEEP_ALIVE
from .bridge import Hop, Inline, drive
from .hub import digest
from .logs import log

if TYPE_CHECKING:
    from ._native import Listener, Reply, Task
    from .channel import HeaderList
    from .server import Server

__all__ = ["Listening", "Source", "Stream", "listening"]

GONE_SECONDS = 1.0
"""How often a thread that waits looks whether its client is still there."""

Key = tuple[str, str]
"""What has changed: a list, a resource or a task, and which."""
Load = Callable[[Hop], Awaitable[bytes | None]]
Wait = Callable[[], Awaitable["bool | None"]]
"""Waits for a change. False: nothing was told for so long that a comment is due; None: it does not wait."""


class Source:
    """The body of a response that stays open: filled from any thread, read by one."""

    __slots__ = (
        "_at_close",
        "_bell",
        "_changed",
        "_closed",
        "_gone",
        "_over",
        "_wake",
        "keep_alive",
        "session",
    )

    def __init__(self, keep_alive: float) -> None:
        self.session: str | None = None
        """Digest of the id of the session whose only stream this is."""
        self.keep_alive = keep_alive
        """Seconds of silence after which a comment is due."""
        self._changed = threading.RLock()
        self._bell: threading.Condition | None = None
        self._wake: Callable[[], object] | None = None
        self._over = False
        self._closed = False
        self._at_close: list[Callable[[], object]] = []
        self._gone: Callable[[], bool] | None = None

    async def next(self, hop: Hop, wait: Wait) -> bytes | None:
        """The next bytes to write; None at the end, empty where `wait` does not wait and there is nothing."""
        raise NotImplementedError

    def clear(self) -> None:
        """Forget what is unread."""
        raise NotImplementedError

    def is_empty(self) -> bool:
        """Whether there is nothing to read."""
        raise NotImplementedError

    def take_first(self) -> bytes:
        """What is to be written before anything else, at once; empty if there is no such thing, or it was taken."""
        return b""

    def task_progress(self, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """A task has come so far. A stream of its own says nothing of it."""

    def close(self) -> None:
        """The reader is gone, or has no right to more: nothing more is written."""
        with self._changed:
            self._over = True
            self.clear()
            callbacks, self._at_close = ([], self._at_close) if self._closed else (self._at_close, [])
            self._closed = True
        for callback in callbacks:
            callback()
        self._notify()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call it once when the stream is over."""
        with self._changed:
            if not self._closed:
                self._at_close.append(callback)
                return
        callback()

    def drop_if_gone(self) -> bool:
        """Close the stream if its client hung up, as far as the host can tell."""
        if self._gone is None or not self._gone():
            return False
        self.close()
        return True

    def pieces(self, gone: Callable[[], bool] | None = None) -> Pieces:
        """The bytes to write, for a host with threads: an iterable that blocks, with a `close`.

        `gone` says whether the client hung up, if the host can tell; see `mcpgraft.hangup`.
        """
        self._gone = gone
        return Pieces(self)

    def pieces_async(self, hop: Hop) -> AsyncPieces:
        """The same on an event loop."""
        return AsyncPieces(self, hop)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def _notify(self) -> None:
        with self._changed:
            if self._bell is not None:
                self._bell.notify_all()
            wake = self._wake
        if wake is not None:
            wake()

    def wakes(self, wake: Callable[[], object] | None) -> None:
        """Call it, in whatever thread, whenever there may be something to read; None: nobody is to be called."""
        with self._changed:
            self._wake = wake

    def is_quiet(self) -> bool:
        """Whether there is nothing to read, and more may come."""
        return self.is_empty() and not self._over

    async def _wait_here(self) -> bool:
        deadline = time.monotonic() + self.keep_alive
        while (left := deadline - time.monotonic()) > 0:
            with self._changed:
                if self._bell is None:
                    self._bell = threading.Condition(self._changed)
                if self._bell.wait_for(lambda: not self.is_quiet(), min(left, GONE_SECONDS)):
                    return True
            self.drop_if_gone()
        return False


class Stream(Source):
    """What a client hears of changes."""

    __slots__ = ("_backlog", "_first", "_listener", "_load", "_owner", "_pending", "_watches", "dropped")

    def __init__(
        self,
        listener: Listener,
        first: bytes,
        *,
        session: str | None = None,
        load: Load | None = None,
        owner: str | Callable[[], str | None] | None = None,
        watches: bool = True,
        keep_alive: float = 15.0,
        backlog: int = 1000,
    ) -> None:
        """Wrap a native listener.

        Args:
            listener: What the client wants to hear of.
            first: The bytes that came with it.
            session: Id of the session, for a GET stream.
            load: Gives the session's saved form as it is now, for a GET stream; None when it is over.
            owner: Whose tasks may be told of; or what says it, and is asked once, when a task has changed.
            watches: False if no session of this server can watch resources.
            keep_alive: Seconds of silence after which a comment is sent, so that proxies keep the connection and a
                reader that went away is noticed.
            backlog: Most different things that wait to be told.
        """
        super().__init__(keep_alive)
        self.session = None if session is None else digest(session)
        self._listener = listener
        self._load = load
        self._owner = owner
        self._watches = watches
        self._backlog = backlog
        self._pending: dict[Key, bytes | None] = {}
        # Many servers send the head with the first bytes: a client must not wait for it until something changes.
        self._first = first or KEEP_ALIVE
        self.dropped = False
        """True if the reader was too slow."""

    # --- what has changed -------------------------------------------------------------------------------------------

    def list_changed(self, kind: str) -> None:
        """A list changed: `tools`, `resources` or `prompts`."""
        data = self._listener.list_changed(kind)
        if data is not None:
            self._put(("list", kind), data)

    def resource_updated(self, uri: str) -> None:
        """A resource changed."""
        if self._load is None:
            data = self._listener.resource_updated(uri)
            if data is not None:
                self._put(("uri", uri), data)
        elif self._watches:
            # What the session watches may be in a store: the reader looks, not who changes the resource.
            self._put(("uri", uri), None)

    def task_changed(self, task: Task) -> None:
        """A task stands otherwise now."""
        if callable(self._owner):
            self._owner = self._owner()
        data = self._listener.task_changed(task, self._owner)
        if data is not None:
            self._put(("task", task.id), data)

    def end(self) -> None:
        """End in good order: tell what is left, then say so, as the protocol has it."""
        last = self._listener.end()
        with self._changed:
            if not self._over:
                self._over = True
                self._pending["end", ""] = last or b""
        self._notify()

    def clear(self) -> None:
        self._pending.clear()
        self._first = b""

    def is_empty(self) -> bool:
        return not self._pending

    def take_first(self) -> bytes:
        with self._changed:
            first, self._first = self._first, b""
        return first

    def _put(self, key: Key, data: bytes | None) -> None:
        with self._changed:
            if self._over:
                return
            self._pending[key] = data
            self.dropped = len(self._pending) > self._backlog
        if self.dropped:
            log.warning("a listening client left more than %d changes unread and was disconnected", self._backlog)
            self.close()
        else:
            self._notify()

    async def next(self, hop: Hop, wait: Wait) -> bytes | None:
        try:
            return await self._next(hop, wait)
        except Exception:
            # The session store, most likely. The client will come again, and hear then that it is down.
            log.exception("a stream was ended")
            self.close()
            return None

    async def _next(self, hop: Hop, wait: Wait) -> bytes | None:
        while True:
            if self._first and (first := self.take_first()):
                return first  # alone, and at once: nothing that it waits for may hold it up
            with self._changed:
                pending, self._pending = self._pending, {}
                if not pending and self._over:
                    break
            if not pending:
                woken = await wait()
                if woken is None:
                    return b""
                if woken:
                    continue
                if self._load is not None and await self._load(hop) is None:
                    break  # the session is over, here or on another worker
                return KEEP_ALIVE
            saved = None
            if self._load is not None and None in pending.values():
                saved = await self._load(hop)
                if saved is None:
                    break
            parts = (
                self._listener.resource_updated(key[1], saved) if data is None else data
                for key, data in pending.items()
            )
            told = b"".join(part for part in parts if part)
            if told:
                return told
        self.close()
        return None


class Pieces:
    """Iterates over a stream by blocking. Closing it, even before its start, closes the stream."""

    def __init__(self, stream: Source) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = drive(self._stream.next(Inline(), self._stream._wait_here))
        if piece is None:
            raise StopIteration
        return piece

    def close(self) -> None:
        self._stream.close()


class AsyncPieces:
    """Iterates over a stream on an event loop. A stream that is closed meanwhile ends it."""

    def __init__(self, stream: Source, hop: Hop) -> None:
        self._stream = stream
        self._hop = hop

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await self._stream.next(self._hop, self._wait)
        if piece is None:
            raise StopAsyncIteration
        return piece

    def close(self) -> None:
        self._stream.close()

    async def _wait(self) -> bool:
        import asyncio

        stream, loop, changed = self._stream, asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the connection
                loop.call_soon_threadsafe(changed.set)

        stream.wakes(wake)
        if not stream.is_quiet():
            return True
        try:
            await asyncio.wait_for(changed.wait(), stream.keep_alive)
        except asyncio.TimeoutError:
            return False
        finally:
            stream.wakes(None)
        return True


class Listening:
    """A response that stays open: send the head, then what `stream` gives until it ends; close it in any case."""

    __slots__ = ("reply", "stream")

    def __init__(self, reply: Reply, stream: Source) -> None:
        self.reply = reply
        """The head; its body is part of the stream."""
        self.stream = stream

    @property
    def status(self) -> int:
        """The status of the response."""
        return self.reply.status

    @property
    def headers(self) -> HeaderList:
        """The headers of the response."""
        return list(self.reply.headers)


async def listening(server: Server, hop: Hop, reply: Reply, stream: Source) -> Listening:
    """Begin an open response, when no change can be missed any more."""
    try:
        await server.hub.ready(hop)
    except BaseException:
        stream.close()
        raise
    return Listening(reply, stream)
