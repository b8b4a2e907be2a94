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

from .workers import hop_of

if TYPE_CHECKING:
    from .listening import Source
    from .server import Server

__all__ = ["Outlet"]

STUCK_SECONDS = 1.0
"""How long a stream that is closed waits for a reader that takes nothing."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Outlet:
    """Writes a stream to its client, in the task that made this. Called from any thread when there is more to write."""

    __slots__ = (
        "_again",
        "_busy",
        "_ending",
        "_error",
        "_loop",
        "_over",
        "_send",
        "_server",
        "_silent",
        "_start",
        "_stream",
        "_task",
        "_ticks",
        "_writing",
    )

    def __init__(self, server: Server, stream: Source, send: Send, start: MutableMapping[str, Any]) -> None:
        """`send` is the host's; `start` is its first message."""
        self._server = server
        self._stream = stream
        self._send = send
        self._start: MutableMapping[str, Any] | None = start
        self._loop = loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(loop)
        self._ticks = _ticks(loop, stream.keep_alive)
        self._writing: asyncio.Task[None] | None = None
        self._busy = True
        self._again = False
        self._silent = False
        self._ending = False
        self._over = False
        self._error: BaseException | None = None

    async def run(self, receive: Receive) -> None:
        """Begin the response and write what comes until the stream ends or the client is gone.

        Raises what the host's `send` raised.
        """
        stream = self._stream
        stream.wakes(self)
        try:
            if stream.is_closed:
                self._hurry()
            start, self._start = self._start, None
            assert start is not None
            await self._send(start)
            first = stream.take_first()
            if first:
                await self._send({"type": "http.response.body", "body": first, "more_body": True})
            # Nothing is kept for as long as the client listens but what is needed.
            start, first = None, b""
            if stream.is_quiet():
                self._rest()
            else:
                await self._write()
            # Not a coroutine of its own: what waits here is kept a thousand times.
            while not self._over and (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if not self._over:
                raise
            if self._task is not None and hasattr(self._task, "uncancel"):  # Python 3.11 counts them
                self._task.uncancel()
        finally:
            self._over, self._task = True, None
            stream.wakes(None)
            stream.close()
            self._ticks.leave(self)
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

    def __call__(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed, and with it the connection
            self._loop.call_soon_threadsafe(self._turn)

    # On the loop.

    def _turn(self) -> None:
        self._again = True
        if self._over:
            return
        if self._stream.is_closed:
            self._hurry()
        if not self._busy:
            self._busy = True
            self._writing = self._loop.create_task(self._write_on())

    def _hurry(self) -> None:
        # The stream is closed: its last bytes have so long.
        if not self._ending:
            self._ending = True
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
        hop = hop_of(self._server)
        self._again = True
        while self._again:
            self._again = False
            while piece := await self._stream.next(hop, self._wait):
                await self._send({"type": "http.response.body", "body": piece, "more_body": True})
                self._silent = False
            if piece is None:
                await self._send({"type": "http.response.body", "body": b""})
                self._over = True
                return
        self._rest()

    def _rest(self) -> None:
        self._busy = False
        if not self._over:
            self._ticks.come(self)

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
