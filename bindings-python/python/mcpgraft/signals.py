"""Streams that end when the process is asked to stop, so that a host that waits for its responses can stop at all."""

from __future__ import annotations

import signal
import threading
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

if TYPE_CHECKING:
    from .server import Server

__all__ = ["close_on_signals"]

_closing: WeakSet[Server] = WeakSet()


def close_on_signals(server: Server) -> bool:
    """Close `server` at SIGTERM and SIGINT, and let happen what would have happened without us.

    Only where somebody has a handler already: without one the process just ends. False, and nothing done, outside the
    main thread, where Python sets no handlers. May be called again when a host has set its own handlers since.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    _closing.add(server)
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before) and not isinstance(before, _Chained):
            signal.signal(number, _Chained(before))
    return True


class _Chained:
    def __init__(self, before: Any) -> None:
        self._before = before

    def __call__(self, number: int, frame: Any) -> None:
        # In a thread: the one that was interrupted may hold any lock.
        for server in list(_closing):
            threading.Thread(target=server.close, name="mcpgraft-close").start()
        self._before(number, frame)
