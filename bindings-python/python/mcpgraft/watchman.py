"""Clients of an ASGI host that go away while their call runs.

A host tells it by a message that somebody has to wait for, and to wait is a task of its own: more work than most calls
are. So nobody waits at first. While calls run, the watchman looks after them every few hundredths of a second, and only
for a call that he finds twice somebody waits.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from .http import Pending

__all__ = ["PATIENCE", "Visitor", "gone"]

PATIENCE = 0.05
"""Seconds between two looks."""

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


async def gone(receive: Receive) -> None:
    """Wait until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


class Visitor:
    """The client of a call that waits for something, in the task that made this; `end` it in any case."""

    __slots__ = ("_keeper", "_pending", "_receive", "_task", "_watch", "left", "seen")

    def __init__(self, pending: Pending, receive: Receive) -> None:
        self._pending = pending
        self._receive = receive
        self._task = asyncio.current_task()
        self._watch: asyncio.Task[None] | None = None
        self.seen = False
        self.left = False
        """The client is gone and the call taken back: its task was cancelled."""
        self._keeper = _watchman()
        self._keeper.come(self)

    def wait(self) -> None:
        """From now on notice when the client goes."""
        if self._watch is None:
            self._watch = asyncio.get_running_loop().create_task(gone(self._receive))
            self._watch.add_done_callback(self._gone)

    def _gone(self, watch: asyncio.Task[None]) -> None:
        if watch.cancelled():
            return
        watch.exception()  # a host that fails to say it has said it
        self._pending.left = True
        if self._pending.exchange.close() and self._task is not None:
            self.left = True
            self._task.cancel()

    def forgive(self) -> None:
        """The cancellation was ours, and is over: whoever called the application need not end for it."""
        if self._task is not None and hasattr(self._task, "uncancel"):  # Python 3.11 counts them
            self._task.uncancel()

    async def end(self) -> None:
        """The call is over."""
        self._keeper.visitors.discard(self)
        if self._watch is not None:
            self._watch.remove_done_callback(self._gone)
            self._watch.cancel()
            await asyncio.wait({self._watch})


class Watchman:
    """The calls that wait for something on one event loop."""

    def __init__(self) -> None:
        self.visitors: set[Visitor] = set()
        self._walks = False

    def come(self, visitor: Visitor) -> None:
        """A call waits; take it out of `visitors` when it is over."""
        self.visitors.add(visitor)
        if not self._walks:
            self._walks = True
            asyncio.get_running_loop().call_later(PATIENCE, self._look)

    def _look(self) -> None:
        if not self.visitors:
            self._walks = False
            return
        for visitor in self.visitors:
            if visitor.seen:
                visitor.wait()
            visitor.seen = True
        asyncio.get_running_loop().call_later(PATIENCE, self._look)


_watchmen: WeakKeyDictionary[asyncio.AbstractEventLoop, Watchman] = WeakKeyDictionary()


def _watchman() -> Watchman:
    loop = asyncio.get_running_loop()
    found = _watchmen.get(loop)
    if found is None:
        found = _watchmen[loop] = Watchman()
    return found
