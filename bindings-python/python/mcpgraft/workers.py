"""The threads in which an async host runs what may block.

An executor would do, but each of its calls costs two futures, a semaphore and several callbacks. Here a call costs a
queue, and what several threads have done meanwhile goes back to the loop at one wake-up.
"""

from __future__ import annotations

import asyncio
import contextvars
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from weakref import WeakKeyDictionary

from .bridge import Loop, portable

if TYPE_CHECKING:
    from .server import Server

__all__ = ["Workers", "hop_of"]

T = TypeVar("T")


class _Job(NamedTuple):
    run: Callable[[], Any]
    waiter: asyncio.Future[Any]
    way_back: _WayBack


class Workers:
    """At most so many daemon threads, started when they are needed. They do not keep a process from ending."""

    def __init__(self, size: int) -> None:
        """At most `size` functions run at once; more wait for their turn."""
        self._size = size
        self._jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._open = 0
        self._ways: WeakKeyDictionary[asyncio.AbstractEventLoop, _WayBack] = WeakKeyDictionary()

    async def run(self, fn: Callable[[], T]) -> T:
        """Run `fn` in a thread, with the context variables of the caller, and give what it gives."""
        loop = asyncio.get_running_loop()
        way_back = self._ways.get(loop)
        if way_back is None:
            way_back = self._ways[loop] = _WayBack(loop)
        waiter: asyncio.Future[T] = loop.create_future()
        context = contextvars.copy_context()
        with self._lock:
            self._open += 1
            start = self._open > self._threads and self._threads < self._size
            if start:
                self._threads += 1
        self._jobs.put(_Job(lambda: context.run(fn), waiter, way_back))
        if start:
            threading.Thread(target=self._work, name=f"mcpgraft_{self._threads}", daemon=True).start()
        return await waiter

    def _work(self) -> None:
        while True:
            job = self._jobs.get()
            # Nobody waits for it any more: its turn came too late.
            if not job.waiter.cancelled():
                try:
                    result, error = job.run(), None
                except BaseException as exc:
                    result, error = None, portable(exc)
            with self._lock:
                self._open -= 1
            if not job.waiter.cancelled():
                job.way_back.put(job.waiter, result, error)
            # Not to be kept alive until the next one comes.
            result = error = job = None  # type: ignore[assignment]


class _WayBack:
    """What the threads have for one event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._wake = loop.call_soon_threadsafe
        self._done: deque[tuple[asyncio.Future[Any], Any, BaseException | None]] = deque()
        self._woken = False

    def put(self, waiter: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
        self._done.append((waiter, result, error))
        if not self._woken:
            self._woken = True
            try:
                self._wake(self._deliver)
            except RuntimeError:  # the loop is closed: nobody waits there any more
                self._done.clear()

    def _deliver(self) -> None:
        self._woken = False  # before the look: what comes after it wakes the loop again
        while self._done:
            waiter, result, error = self._done.popleft()
            if waiter.done():
                continue
            if error is None:
                waiter.set_result(result)
            else:
                waiter.set_exception(error)


_hops: WeakKeyDictionary[Server, Loop] = WeakKeyDictionary()


def hop_of(server: Server) -> Loop:
    """The hop of a server in an async host: its sync functions run in `Server(workers=...)` threads."""
    found = _hops.get(server)
    if found is None:
        found = _hops[server] = Loop(Workers(server.workers).run)
    return found


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork: the child starts its own.
    os.register_at_fork(after_in_child=_hops.clear)
