"""Tasks in a SQLite file: every worker on the machine answers for the tasks of all, and they outlive the workers.

    from sqlite_tasks import SqliteTasks

    server = Server("reports", tasks=Tasks(SqliteTasks("tasks.db")))

A task whose worker dies while its handler runs is not run again: it stays `working` until it expires.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from mcpgraft import TaskRecord

TABLE = """
CREATE TABLE IF NOT EXISTS task (
    id TEXT PRIMARY KEY, task BLOB NOT NULL, job BLOB NOT NULL, version INTEGER NOT NULL, expires INTEGER,
    "group" TEXT
) WITHOUT ROWID
"""
INDEX = "CREATE INDEX IF NOT EXISTS task_expires ON task (expires)"
GROUPS = 'CREATE INDEX IF NOT EXISTS task_group ON task ("group", id)'
COLUMNS = 'id, task, job, version, expires, "group"'
ALIVE = "(expires IS NULL OR expires > :now)"


class SqliteTasks:
    """A `TaskStore` on the standard library's sqlite3.

    Args:
        path: The file; made if it is not there.
        limit: Most tasks at once.
    """

    def __init__(self, path: str | Path, limit: int = 100_000) -> None:
        self._path = path
        self._limit = limit
        self._local = threading.local()
        with closing(self._open()) as db:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute(TABLE)
            db.execute(INDEX)
            db.execute(GROUPS)

    def add(self, record: TaskRecord, now: int) -> bool:
        with self._db as db:
            db.execute("DELETE FROM task WHERE expires <= ?", (now,))
            added = db.execute(
                "INSERT OR IGNORE INTO task SELECT :id, :task, :job, :version, :expires, :group"
                " WHERE (SELECT count(*) FROM task) < :limit",
                {**record._asdict(), "limit": self._limit},
            )
            return added.rowcount == 1

    def get(self, id: str, now: int) -> TaskRecord | None:
        sql = f"SELECT {COLUMNS} FROM task WHERE id = :id AND {ALIVE}"
        found = self._db.execute(sql, {"id": id, "now": now}).fetchone()
        return None if found is None else TaskRecord(*found)

    def swap(self, record: TaskRecord, now: int) -> bool:
        sql = (
            "UPDATE task SET task = :task, job = :job, version = :version "
            f"WHERE id = :id AND version = :version - 1 AND {ALIVE}"
        )
        with self._db as db:
            return db.execute(sql, {**record._asdict(), "now": now}).rowcount == 1

    def list(self, group: str, after: str, limit: int, now: int) -> list[TaskRecord]:
        sql = f'SELECT {COLUMNS} FROM task WHERE "group" = :group AND id > :after AND {ALIVE} ORDER BY id LIMIT :limit'
        found = self._db.execute(sql, {"group": group, "after": after, "limit": limit, "now": now})
        return [TaskRecord(*row) for row in found]

    @property
    def _db(self) -> sqlite3.Connection:
        # A connection belongs to the thread that made it.
        found: sqlite3.Connection | None = getattr(self._local, "db", None)
        if found is None:
            found = self._local.db = self._open()
        return found

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10.0)
