"""Reading is passed on: a thread that reads may run a call itself, because another one takes over when that lasts.

Whoever holds the baton reads. Before it runs a call it says so (`begin`); a watchman looks every few milliseconds, and
when he finds the same call twice, the baton goes to a new thread. The old one finishes its call and sees that it holds
nothing any more (`end`). A call that is quick costs two assignments; nobody is woken for it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .registry import Entry

__all__ = ["PATIENCE", "Baton"]

PATIENCE = 0.005
"""Seconds between two looks of the watchman."""
QUIET = 20
"""Looks without a call after which he sleeps until the next one."""


class Baton:
    """Who reads, and who watches over it."""

    def __init__(self, lock: threading.Lock, lost: Callable[[Entry], None]) -> None:
        """`lost` is called, with `lock` held, when a call of that entry takes too long."""
        self._lock = lock
        self._lost = lost
        self._turn = 0
        self._running: Entry | None = None
        self._asleep = True
        self._wake = threading.Event()
        self._over = threading.Event()
        self._watching = False
        self._read: Callable[[], bool] = bool
        self._error: BaseException | None = None

    def read(self, read: Callable[[], bool]) -> None:
        """Run `read` in a thread, and in the next one when that lost the baton; wait until one came to the end.

        It ends with True at the end of the input, or with False without the baton. Raises what it raised. This thread
        runs no call itself, so that no call can keep it from ending.
        """
        self._read = read
        self._pass_on()
        self._over.wait()
        if self._error is not None:
            raise self._error

    def begin(self, entry: Entry) -> int:
        """The holder runs a call from now on; gives what `end` wants."""
        self._running = entry
        if self._asleep:
            self._asleep = False
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="mcpgraft-watch", daemon=True).start()
            self._wake.set()
        return self._turn

    def end(self, turn: int) -> bool:
        """The call is over; to be said with the lock held. False: another thread reads now."""
        if turn != self._turn:
            return False
        self._running = None
        self._turn = turn + 1
        return True

    def _pass_on(self) -> None:
        threading.Thread(target=self._hold, name="mcpgraft-read", daemon=True).start()

    def _hold(self) -> None:
        try:
            if not self._read():
                return
        except BaseException as error:
            self._error = error
        self._over.set()

    def _watch(self) -> None:
        seen, quiet = -1, 0
        while not self._over.wait(PATIENCE):
            if self._running is None:
                seen, quiet = -1, quiet + 1
                if quiet > QUIET:
                    self._wake.clear()
                    self._asleep = True
                    # A call that began in between did not wake him.
                    if self._running is None:
                        self._wake.wait()
                    quiet = 0
                continue
            quiet = 0
            if seen != self._turn:
                seen = self._turn
                continue
            with self._lock:
                entry = self._running
                if entry is None or seen != self._turn:
                    continue
                self._running = None
                self._turn += 1
                self._lost(entry)
            seen = -1
            self._pass_on()
