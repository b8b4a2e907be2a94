"""Where tasks are kept. In memory unless a store is given; a store that several workers share lets each of them answer
for the tasks of all. `examples/sqlite_tasks.py` is one.

A store knows nothing of what it keeps: it adds records, gives them, and swaps one for its next version.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from typing import NamedTuple, Protocol

__all__ = ["ListingStore", "MemoryTasks", "TaskRecord", "TaskStore"]


class TaskRecord(NamedTuple):
    """A task as it is stored."""

    id: str
    """ASCII, at most 128 characters."""
    task: bytes
    """Its state: UTF-8 JSON."""
    job: bytes
    """What it takes to go on with it, on any worker: UTF-8 JSON."""
    version: int
    """1 at first, one more with every change."""
    expires: int | None
    """When it may be forgotten, in ms since the Unix epoch; None: never. Never earlier."""
    group: str | None = None
    """Tasks of one group are listed together; of None, never."""


class TaskStore(Protocol):
    """What `Tasks` needs. Methods may block, and are called from any thread; `now` is in ms since the Unix epoch."""

    def add(self, record: TaskRecord, now: int) -> bool:
        """Keep a new record: when this returns, every worker finds it. False: there is no room."""
        ...

    def get(self, id: str, now: int) -> TaskRecord | None:
        """The record of that id, unless it has expired."""
        ...

    def swap(self, record: TaskRecord, now: int) -> bool:
        """Put it in the place of the version before it. False: that is not what is there, or nothing is."""
        ...


class ListingStore(TaskStore, Protocol):
    """What it needs for `tasks/list` (2025-11-25)."""

    def list(self, group: str, after: str, limit: int, now: int) -> list[TaskRecord]:
        """The records of a group whose ids sort after `after`, by id, so many at most; none that has expired."""
        ...


class MemoryTasks:
    """Keeps tasks in this process: they end with it, and other workers do not know them.

    Args:
        limit: Most tasks at once, finished ones until they expire among them; more are refused.
    """

    def __init__(self, limit: int = 10_000) -> None:
        if limit < 1:
            raise ValueError("limit must be at least 1")
        self._limit = limit
        self._lock = threading.Lock()
        self._records: dict[str, TaskRecord] = {}
        self._expiring: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._records)

    def add(self, record: TaskRecord, now: int) -> bool:
        with self._lock:
            while self._expiring and self._expiring[0][0] <= now:
                self._records.pop(heapq.heappop(self._expiring)[1], None)
            if len(self._records) >= self._limit or record.id in self._records:
                return False
            self._records[record.id] = record
            if record.expires is not None:
                heapq.heappush(self._expiring, (record.expires, record.id))
            return True

    def get(self, id: str, now: int) -> TaskRecord | None:
        with self._lock:
            return self._alive(id, now)

    def swap(self, record: TaskRecord, now: int) -> bool:
        with self._lock:
            before = self._alive(record.id, now)
            if before is None or before.version != record.version - 1:
                return False
            self._records[record.id] = record
            return True

    def list(self, group: str, after: str, limit: int, now: int) -> list[TaskRecord]:
        with self._lock:
            ids = (one.id for one in self._records.values() if one.group == group and one.id > after)
            alive = (one for id_ in sorted(ids) if (one := self._alive(id_, now)) is not None)
            return [*itertools.islice(alive, limit)]

    def _alive(self, id: str, now: int) -> TaskRecord | None:
        found = self._records.get(id)
        return None if found is None or (found.expires is not None and found.expires <= now) else found
