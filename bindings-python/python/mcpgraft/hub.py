"""Where the requests of one server find each other: an answer finds the call that asked, a cancellation its call.

A hub lives in one process. With several workers, a question can only be answered in the process that asked it, so a
client's requests must then reach the same worker while it is being asked.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from ._native import Exchange

__all__ = ["Hub", "Waiting"]


class Waiting:
    """Waits for the answer to one question. Made by `Hub.expect`."""

    def __init__(self, hub: Hub, name: tuple[str, str]) -> None:
        self._hub = hub
        self._name = name
        self._lock = threading.Lock()
        self._came = threading.Event()
        self._answer: tuple[bool, bytes] | None = None
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Future[Any]] | None = None

    def wait(self, timeout: float) -> tuple[bool, bytes] | None:
        """The result (True) or error object (False); None if it did not come within that many seconds."""
        return self._answer if self._came.wait(timeout) else None

    async def wait_async(self, timeout: float) -> tuple[bool, bytes] | None:
        """The same on an event loop."""
        import asyncio

        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        with self._lock:
            if self._came.is_set():
                return self._answer
            self._waiter = (loop, future)
        try:
            await asyncio.wait([future], timeout=timeout)
            return self._answer
        finally:
            with self._lock:
                self._waiter = None

    def close(self) -> None:
        """Nobody waits any more; an answer that comes late is dropped."""
        self._hub.forget(self._name, self)

    def put(self, answer: tuple[bool, bytes]) -> None:
        """The answer is here; the first one counts."""
        with self._lock:
            if self._came.is_set():
                return
            self._answer = answer
            self._came.set()
            if self._waiter is not None:
                loop, future = self._waiter
                loop.call_soon_threadsafe(_wake, future)


def _wake(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(None)


class Hub:
    """One per server. Usable from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._expected: dict[tuple[str, str], Waiting] = {}
        self._working: dict[str, list[Exchange]] = {}

    def expect(self, session: str, ask: str) -> Waiting:
        """Wait for the answer to a question of a session, from now on; `ask` is the question's id."""
        waiting = Waiting(self, (session, ask))
        with self._lock:
            self._expected[session, ask] = waiting
        return waiting

    def forget(self, name: tuple[str, str], waiting: Waiting) -> None:
        """Stop waiting."""
        with self._lock:
            if self._expected.get(name) is waiting:
                del self._expected[name]

    def answer(self, session: str, ask: str, ok: bool, payload: bytes) -> bool:
        """An answer came in. False if nobody waits for it: late, forged, or another process's."""
        with self._lock:
            waiting = self._expected.pop((session, ask), None)
        if waiting is None:
            return False
        waiting.put((ok, payload))
        return True

    @contextmanager
    def working(self, session: str | None, exchange: Exchange) -> Iterator[None]:
        """While the block runs, a cancellation in another request of the session finds this one."""
        if session is None:
            yield
            return
        with self._lock:
            self._working.setdefault(session, []).append(exchange)
        try:
            yield
        finally:
            with self._lock:
                mine = self._working[session]
                mine.remove(exchange)
                if not mine:
                    del self._working[session]

    def cancel(self, session: str, request: str) -> bool:
        """The client takes a request back; `request` is its id as JSON text. False if it is not in work here."""
        with self._lock:
            working = list(self._working.get(session, ()))
        return any(exchange.cancel(request) for exchange in working)
