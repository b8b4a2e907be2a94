"""Responses of an ASGI host that stay open.

A process may hold a thousand of them, and nearly always nothing happens on any. So none has a task of its own beside
that of its request, which waits for the client to go, nor a timer: when something is to be told, a task begins and
writes it, and one timer for all of an event loop looks whose silence has lasted.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from .watchman import gone

if TYPE_CHECKING:
    from .bridge import Loop
    from .listening import Source

__all__ = ["Outlet"]

STUCK_SECONDS = 1.0
"""How long a stream that is closed waits for a reader that takes nothing."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Outlet:
    """Writes a stream to its client, in the task that made this."""

    __slots__ = (
        "_again",
        "_busy",
        "_error",
        "_hop",
        "_loop",
        "_over",
        "_send",
        "_silent",
        "_stream",
        "_task",
        "_writing",
    )

    def __init__(self, stream: Source, hop: Loop, send: Send) -> None:
        """`hop` is for what the stream has to look up; `send` is the host's, its response begun."""
        self._stream = stream
        self._hop = hop
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task()
        self._writing: asyncio.Task[None] | None = None
        self._busy = True
        self._again = False
        self._silent = False
        self._over = False
        self._error: BaseException | None = None

    async def run(self, receive: Receive) -> None:
        """Write what comes until the stream ends or the client is gone. Raises what the host's `send` raised."""
        stream = self._stream
        stream.wakes(self._wake)
        stream.on_close(self._wake_closed)
        try:
            await self._write()
            if not self._over:
                await gone(receive)
        except asyncio.CancelledError:
            if not self._over:
                raise
            if self._task is not None and hasattr(self._task, "uncancel"):  # Python 3.11 counts them
                self._task.uncancel()
        finally:
            self._over, self._task = True, None
            stream.wakes(None)
            stream.close()
            _ticks(self._loop, stream.keep_alive).leave(self)
            if self._writing is not None:
                self._writing.cancel()
                await asyncio.wait({self._writing})
        if self._error is not None:
            raise self._error

    def silent(self) -> None:
        """Nothing was written for so long that something has to be."""
        self._silent = True
        self._turn()

    # From any thread.

    def _wake(self) -> None:
        self._soon(self._turn)

    def _wake_closed(self) -> None:
        self._soon(self._closed)

    def _soon(self, callback: Callable[[], object]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the connection
            self._loop.call_soon_threadsafe(callback)

    # On the loop.

    def _turn(self) -> None:
        self._again = True
        if not self._busy and not self._over:
            self._busy = True
            self._writing = self._loop.create_task(self._write_on())

    def _closed(self) -> None:
        if not self._over:
            self._loop.call_later(STUCK_SECONDS, self._give_up)

    def _give_up(self) -> None:
        if not self._over:
            self._end()

    def _end(self) -> None:
        self._over = True
        if self._task is not None:
            self._task.cancel()

    async def _write_on(self) -> None:
        try:
            await self._write()
        except BaseException as error:
            if not isinstance(error, asyncio.CancelledError):
                self._error = error
            self._over = True
        self._writing = None
        if self._over:
            self._end()

    async def _write(self) -> None:
        # What is there now; the end, too.
        self._again = True
        while self._again:
            self._again = False
            while piece := await self._stream.next(self._hop, self._wait):
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                self._silent = False
            if piece is None:
                await self._send({"type": "http.response.body", "body": b""})
                self._over = True
                return
        self._busy = False
        if not self._over:
            _ticks(self._loop, self._stream.keep_alive).come(self)

    async def _wait(self) -> bool | None:
        if not self._stream.is_quiet():
            return True
        silent, self._silent = self._silent, False
        return False if silent else None


class _Ticks:
    """The outlets of one event loop that have the same patience, by who was silent longest."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._due: dict[Outlet, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def come(self, outlet: Outlet) -> None:
        """It has just written, or has nothing to write."""
        self._due.pop(outlet, None)
        self._due[outlet] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._look)

    def leave(self, outlet: Outlet) -> None:
        """It is over."""
        self._due.pop(outlet, None)
        if not self._due and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        # Half a millisecond: clocks are not that exact.
        now = self._loop.time() + 0.0005
        due = []
        for outlet, at in self._due.items():
            if at > now:
                break
            due.append(outlet)
        for outlet in due:
            del self._due[outlet]
            outlet.silent()  # comes back when it has written
        first = next(iter(self._due.values()), None)
        if first is not None:
            self._timer = self._loop.call_at(first, self._look)


_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[float, _Ticks]] = WeakKeyDictionary()


def _ticks(loop: asyncio.AbstractEventLoop, seconds: float) -> _Ticks:
    by_seconds = _loops.get(loop)
    if by_seconds is None:
        by_seconds = _loops[loop] = {}
    found = by_seconds.get(seconds)
    if found is None:
        found = by_seconds[seconds] = _Ticks(loop, seconds)
    return found
