"""Where things meet that belong to one client but come in on different requests, threads or workers.

A call that waits for an answer of its client and the request that brings the answer; a call that runs and the request
that takes it back; a change and the streams that are to tell of it. One `Hub` per server and process. With a
`fanout` (see `mcpgraft.fanout`) it reaches the hubs of the other processes; without one it ends at its own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ._native import Exchange

__all__ = ["Hub", "Live", "Waiting"]

Response = tuple[bool, bytes]
"""What a client answered: whether it is a result, and the JSON text of the result or error."""


class Live(Protocol):
    """A connection that stays open and can be told that something changed. Must not block for long, nor raise."""

    def list_changed(self, kind: str) -> None: ...
    def resource_updated(self, uri: str) -> None: ...


class Waiting:
    """A question that is on its way: gives the answer once it is there. Close it when it is no longer wanted."""

    def __init__(self, close: Callable[[], None]) -> None:
        self._close = close
        self._lock = threading.Lock()
        self._response: Response | None = None
        self._told: list[Callable[[], object]] = []

    def wait(self, timeout: float) -> Response | None:
        """Block until the answer is there: whether it is a result, and its JSON text. None: not within `timeout` seconds."""
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

    def __enter__(self) -> Waiting:
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

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[tuple[str, str], Waiting] = {}
        self._running: dict[str, set[Exchange]] = {}

    # --- questions -----------------------------------------------------------------------------------------------

    def expect(self, session: str, ask: str) -> Waiting:
        """Get ready for the answer to a question, before the question is sent.

        Args:
            session: The session the client answers in.
            ask: Id of the question, as given to `Exchange.ask`: unlike any other of the session, on any worker.
        """
        key = session, ask
        waiting = Waiting(lambda: self._forget(key))
        with self._lock:
            self._waiting[key] = waiting
        return waiting

    def answer(self, session: str, ask: str, ok: bool, payload: bytes) -> None:
        """A client has answered: `payload` is the JSON text of the result (`ok`) or of the error object."""
        with self._lock:
            waiting = self._waiting.pop((session, ask), None)
        if waiting is not None:
            waiting.put((ok, payload))

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._waiting.pop(key, None)

    # --- calls in work -------------------------------------------------------------------------------------------

    @contextmanager
    def working(self, session: str, exchange: Exchange) -> Iterator[None]:
        """While the block runs, a cancellation that another request brings finds `exchange`."""
        with self._lock:
            self._running.setdefault(session, set()).add(exchange)
        try:
            yield
        finally:
            with self._lock:
                left = self._running.get(session, set())
                left.discard(exchange)
                if not left:
                    self._running.pop(session, None)

    def cancel(self, session: str, request_id: str) -> None:
        """A client took a call back. `request_id` is the JSON text of the id of its request."""
        with self._lock:
            running = list(self._running.get(session, ()))
        for exchange in running:
            exchange.cancel(request_id)

    # --- changes -------------------------------------------------------------------------------------------------

    def changed(self, kind: str) -> None:
        """A list is another one now: `tools`, `resources` or `prompts`."""

    def updated(self, uri: str) -> None:
        """The content of a resource is another one now."""
