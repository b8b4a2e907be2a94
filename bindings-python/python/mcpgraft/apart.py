"""For hosts with threads: a handler in a thread of its own, so that its response can end before it does.

Where a handler may close its stream (`Context.close_stream`), the thread of its request only hands on what it says.
Context variables follow, but what a framework tears down with its request is torn down when the response ends.
"""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .channel import Answer, HeaderList

if TYPE_CHECKING:
    from .http import Pending

__all__ = ["Event", "Said", "pieces", "started"]

Event = tuple[int, HeaderList] | bytes | Answer | BaseException | None
"""What a call says to its response: its head, a piece (empty: the response ends), all of it, a failure, the end."""


class Said:
    """What a handler has said and its response has not yet taken."""

    def __init__(self, pending: Pending) -> None:
        self._pending = pending
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._lost = False
        self.put = self._events.put
        self.get = self._events.get

    def write(self, piece: bytes) -> None:
        """Say a piece of the response. Raises once nobody takes it any more."""
        if self._lost:
            raise ConnectionError("the client hung up")
        self.put(piece)

    def lose(self) -> None:
        """The client hung up."""
        self._lost = True
        self._pending.exchange.close()


def started(pending: Pending, at_end: Callable[[], object] | None = None) -> Said:
    """Run the handler in a thread; gives what it says. `at_end` is called in that thread."""
    events = Said(pending)

    def start(status: int, headers: HeaderList) -> Callable[[bytes], object]:
        events.put((status, headers))
        return events.write

    def work() -> None:
        try:
            answer = pending.finish(start if pending.may_stream else None)
            if answer is not None:
                events.put(Answer(answer.status, answer.headers, answer.body))
        except BaseException as exc:
            events.put(exc)
        finally:
            events.put(None)
            if at_end is not None:
                at_end()

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), name="mcpgraft-call", daemon=True).start()
    return events


def pieces(events: Said) -> Iterator[bytes]:
    """The body of a response that has begun."""
    try:
        while (event := events.get()) is not None and event != b"":
            if isinstance(event, BaseException):
                raise event
            if isinstance(event, bytes):
                yield event
    except GeneratorExit:  # the server gave up on the peer
        events.lose()
        raise
