"""The threads that the calls of one connection run in."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from queue import SimpleQueue

__all__ = ["Pool"]


class Pool:
    """A few daemon threads and a queue: unlike an executor's, they do not keep the process alive after the drain."""

    def __init__(self, size: int) -> None:
        """At most `size` jobs run at once."""
        self._size = size
        self._jobs: SimpleQueue[Callable[[], Any] | None] | None = None
        self._idle = 0
        self._threads = 0
        self._open = 0
        self._changed = threading.Condition()

    def submit(self, job: Callable[[], Any]) -> None:
        """Run a job as soon as a thread is free."""
        with self._changed:
            self._open += 1
            start = self._idle < self._open and self._threads < self._size
            if start:
                self._threads += 1
        self._queue().put(job)
        if start:
            threading.Thread(target=self._work, name="mcpgraft-call", daemon=True).start()

    @property
    def is_full(self) -> bool:
        """Whether a job would have to wait."""
        return self._open >= self._size

    def adopt(self) -> None:
        """Count a job that runs in a thread of somebody else, until `release`."""
        with self._changed:
            self._open += 1
            self._size -= 1

    def release(self) -> None:
        """The adopted job is over."""
        with self._changed:
            self._open -= 1
            self._size += 1
            # What had to wait for it may need a thread that was not started then.
            start = self._open > self._threads and self._threads < self._size
            if start:
                self._threads += 1
            self._changed.notify_all()
        if start:
            threading.Thread(target=self._work, name="mcpgraft-call", daemon=True).start()

    def close(self) -> None:
        """Let the threads end when they have nothing to do. Jobs may still come; there is a thread for each then."""
        with self._changed:
            for _ in range(self._threads):
                self._queue().put(None)
            self._threads = 0

    def join(self, deadline: float) -> None:
        """Wait until nothing runs, but no longer than `deadline` (of `time.monotonic`)."""
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, max(0.0, deadline - time.monotonic()))

    def _queue(self) -> SimpleQueue[Callable[[], Any] | None]:
        with self._changed:
            if self._jobs is None:
                # Not before: most servers on stdio never need a thread.
                from queue import SimpleQueue

                self._jobs = SimpleQueue()
            return self._jobs

    def _work(self) -> None:
        jobs = self._queue()
        while True:
            with self._changed:
                self._idle += 1
            job = jobs.get()
            with self._changed:
                self._idle -= 1
            if job is None:
                return
            try:
                job()
            finally:
                with self._changed:
                    self._open -= 1
                    self._changed.notify_all()
