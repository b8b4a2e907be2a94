"""Threads for what runs after its request was answered: a few, started when they are needed, gone when they are not.

They are daemons: a process that ends does not wait for a task of an hour.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable

__all__ = ["Pool"]

IDLE = 30.0
"""Seconds that a thread without work stays."""


class Pool:
    """At most `workers` threads; what is more waits in the order it came. The caller bounds how much that can be."""

    def __init__(self, workers: int, name: str) -> None:
        if workers < 1:
            raise ValueError("workers must be at least 1")
        self._workers = workers
        self._name = name
        self._start_over()

    def submit(self, job: Callable[[], object]) -> None:
        """Run it soon. What it raises goes to `threading.excepthook`."""
        if self._process != os.getpid():  # a fork takes the table along, but not the threads
            self._start_over()
        with self._changed:
            self._jobs.append(job)
            if self._idle >= len(self._jobs) or self._threads >= self._workers:
                self._changed.notify()
                return
            self._threads += 1
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    def withdraw(self, job: Callable[[], object]) -> bool:
        """Take back what has not begun. False: it has."""
        with self._changed, contextlib.suppress(ValueError):
            self._jobs.remove(job)
            return True
        return False

    def _start_over(self) -> None:
        self._process = os.getpid()
        self._changed = threading.Condition()
        self._jobs: deque[Callable[[], object]] = deque()
        self._threads = self._idle = 0

    def _run(self) -> None:
        while (job := self._next()) is not None:
            try:
                job()
            except BaseException as exc:
                threading.excepthook(
                    threading.ExceptHookArgs((type(exc), exc, exc.__traceback__, threading.current_thread()))
                )
            del job

    def _next(self) -> Callable[[], object] | None:
        with self._changed:
            self._idle += 1
            there = self._changed.wait_for(lambda: bool(self._jobs), IDLE)
            self._idle -= 1
            if there:
                return self._jobs.popleft()
            self._threads -= 1
            return None
