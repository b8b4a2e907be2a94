"""What a running call says to its peer over HTTP: notifications first, if the peer can hear them, then the result."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .dispatch import Outcome, settle

if TYPE_CHECKING:
    from ._native import Call, Emit, Exchange

__all__ = ["Answer", "HeaderList", "HttpChannel", "ReadBody", "StartStream", "Write"]

HeaderList = list[tuple[str, str]]
ReadBody = Callable[[int], Any]
"""Reads at most that many bytes of the body, fewer only at its end; sync or async."""
Write = Callable[[bytes], object]
StartStream = Callable[[int, HeaderList], Write]
"""Starts the response with a status and headers and gives the function that writes the body."""


class Answer(NamedTuple):
    """A complete response."""

    status: int
    headers: HeaderList
    body: bytes

    def sized(self) -> HeaderList:
        """The headers, with a Content-Length where a body is possible."""
        if self.status in (204, 304) or any(name.lower() == "content-length" for name, _ in self.headers):
            return self.headers
        return [*self.headers, ("Content-Length", str(len(self.body)))]


class HttpChannel:
    """What a running call says on its way: notifications first, if the peer can hear them, then the result."""

    def __init__(self, exchange: Exchange, start: StartStream | None, full: Callable[[], bool] | None = None) -> None:
        self._exchange = exchange
        self._start = start
        self._full = full or (lambda: False)
        self._write: Write | None = None
        self._lock = threading.Lock()
        self.answer: Answer | None = None
        """The whole response, if nothing was streamed."""

    def progress(self, key: int, progress: float, total: float | None, message: str | None) -> None:
        if self._start is not None and not self._full():
            with self._lock:
                self._emit(self._exchange.progress(key, progress, total, message))

    def log(self, key: int, level: str, data: bytes, logger: str | None) -> None:
        if self._start is not None and not self._full():
            with self._lock:
                self._emit(self._exchange.log(key, level, data, logger))

    def settle(self, call: Call, outcome: Outcome) -> None:
        """Answer the call."""
        with self._lock:
            emit = settle(self._exchange, call, outcome)
            if isinstance(outcome, bytes):
                self._emit(emit)
            else:
                self._emit(emit, outcome.status, outcome.headers)

    def _emit(self, emit: Emit | None, status: int | None = None, extra: tuple[tuple[str, str], ...] = ()) -> None:
        if emit is None:
            return
        if emit.head is not None:
            headers = [*emit.head.headers, *extra]
            if emit.end:
                self.answer = Answer(status or emit.head.status, headers, emit.body or emit.head.body)
                return
            if self._start is not None:
                self._write = self._start(emit.head.status, headers)
        if emit.body and self._write is not None:
            try:
                self._write(emit.body)
            except Exception:
                # The peer is gone: each server has its own exception for that. The handler learns it by `cancelled`.
                self._write = None
                self._exchange.close()
