"""What the experimental tasks of 2025-11-25 have beside those of the extension: `tasks/result`, a call that waits until
a task is over, and `tasks/list`.

While it waits it asks the client what the task needs, by requests on its own stream, and passes the answers on. On an
event loop and on stdio a call that waits holds no thread. Under WSGI it does, so there it waits for `Tasks(wait=...)`
seconds at most, as many calls at once as the host keeps streams open (see `Server(listen_streams=...)`), and none on a
host with one thread; who is turned away gets an error that says so, and asks `tasks/get` meanwhile.

A client is known by its principal; without one by its session, and on stdio by its connection. Where it has none of
these (HTTP without auth and sessions) whoever knows the id of a task may ask for it, and there is no `tasks/list`.
"""

from __future__ import annotations

import contextlib
import hashlib
import math
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from ._native import LocalError, Task, task_page
from .bridge import Hop, Inline
from .dispatch import Failure, Outcome
from .errors import InvalidParams, McpError, NoChannel
from .state import principal_text
from .task_run import refusal

if TYPE_CHECKING:
    import asyncio

    from .context import Context, Waiting
    from .tasks import Tasks

__all__ = ["Watches", "group_of", "listed", "owner_of", "result"]

LOOK = 1.0
"""Seconds between two looks at a task that is waited for: another worker may have changed it."""
ASKING = 0.25
"""The same while its client is being asked."""
SIGN = 15.0
"""Seconds between two signs of life on a connection that waits."""
GRACE = 30.0
"""Seconds that an answer is waited for when the client has left the stream it was asked on."""
PAGE = 50
"""Most tasks in one answer to `tasks/list`."""


def owner_of(ctx: Context) -> str | None:
    """Whose a task is that this call makes; None: whose knows its id."""
    principal = principal_text(ctx.principal)
    return principal if principal is not None or ctx.call.stateless else ctx._channel.client or None


def group_of(ctx: Context) -> str | None:
    """Which tasks the client of a handshake-era call may list; None: it is not known well enough for that."""
    principal = principal_text(ctx.principal)
    return ctx._channel.client if principal is None else principal


def listed(tasks: Tasks, ctx: Context) -> bytes:
    """Answer `tasks/list`."""
    group, store = group_of(ctx), tasks.store
    after = "" if ctx.call.cursor is None else _after(ctx.call.cursor, group)
    find = getattr(store, "list", None)
    found = [] if group is None or find is None else find(group, after, PAGE + 1, tasks.clock())
    page = [task for one in found[:PAGE] if (task := Task.restore(one.task)) is not None]
    return task_page(page, _cursor(found[PAGE - 1].id, group) if len(found) > PAGE else None)


def _cursor(id: str, group: str | None) -> str:
    # It is no secret and guards nothing; but one of somebody else's, or a wrong one, is to be found out.
    return f"{id}.{hashlib.blake2b(f'{group} {id}'.encode(), digest_size=6).hexdigest()}"


def _after(cursor: str, group: str | None) -> str:
    id_ = cursor.rpartition(".")[0]
    if cursor != _cursor(id_, group):
        raise InvalidParams("cursor was not issued by this server; list again from the start", field="cursor")
    return id_


async def result(tasks: Tasks, ctx: Context, hop: Hop) -> Outcome:
    """Answer `tasks/result`: wait until the task is over, and give what its call would have been answered."""
    task: Task = await hop.sync(lambda _: tasks.find(ctx))
    if not task.over:
        with tasks.watches.add(ctx) as watch:
            task = await _Wait(tasks, ctx, hop, watch).over()
    ended = task.outcome()
    assert ended is not None  # it is over
    found, error = ended
    if found is not None:
        return found
    assert error is not None
    code, message, data = error
    return Failure("custom", message, code, data)


class Watch:
    """Waits for a task to change. Made by `Watches.add`."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._waiter: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def clear(self) -> None:
        """What has changed so far is known."""
        self._changed.clear()

    def wake(self) -> None:
        """It has changed."""
        with self._lock:
            self._changed.set()
            if self._waiter is not None:
                loop, event = self._waiter
                with contextlib.suppress(RuntimeError):  # the loop is closed
                    loop.call_soon_threadsafe(event.set)

    async def wait(self, hop: Hop, timeout: float) -> None:
        """Until it changes, but not longer than that."""
        if isinstance(hop, Inline):
            self._changed.wait(timeout)
            return
        import asyncio

        event = asyncio.Event()
        with self._lock:
            if self._changed.is_set():
                return
            self._waiter = (asyncio.get_running_loop(), event)
        try:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(event.wait(), timeout)
        finally:
            with self._lock:
                self._waiter = None


class Watches:
    """The calls of this process that wait for tasks, and what they ask."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # reentrant as the hub's, for the same reason
        self._waiting: dict[str, list[Watch]] = {}
        self._count = 0
        self._asking: set[tuple[str, str]] = set()

    @contextlib.contextmanager
    def add(self, ctx: Context) -> Iterator[Watch]:
        """While the block runs, the call waits for the task it names.

        Raises:
            McpError: as many calls wait as there may be.
        """
        watch, id_ = Watch(ctx), ctx.name
        with self._lock:
            if self._count >= ctx._channel.room:
                raise McpError("the task is not over, and no more calls can wait here: ask tasks/get, and come again")
            self._count += 1
            self._waiting.setdefault(id_, []).append(watch)
        try:
            yield watch
        finally:
            with self._lock:
                self._count -= 1
                mine = self._waiting[id_]
                mine.remove(watch)
                if not mine:
                    del self._waiting[id_]

    def wake(self, id: str) -> None:
        """A task has changed."""
        for watch in self._of(id):
            watch.wake()

    def progress(self, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """A task has come so far."""
        for watch in self._of(task.id):
            with contextlib.suppress(LocalError):  # its call has just been answered
                watch.ctx._channel.task_progress(watch.ctx.call.key, task, progress, total, message)

    def claim(self, id: str, key: str) -> bool:
        """Whether a question of a task is to be asked by this caller, who lets go of it by `release`."""
        with self._lock:
            if (id, key) in self._asking:
                return False
            self._asking.add((id, key))
            return True

    def release(self, id: str, key: str) -> None:
        """The question is not asked any more."""
        with self._lock:
            self._asking.discard((id, key))
        self.wake(id)  # another call may ask it

    def _of(self, id: str) -> list[Watch]:
        with self._lock:
            return list(self._waiting.get(id, ()))


class _Wait:
    # One call that waits: looks at the task, asks what it needs, passes the answers on.

    def __init__(self, tasks: Tasks, ctx: Context, hop: Hop, watch: Watch) -> None:
        self._tasks = tasks
        self._ctx = ctx
        self._hop = hop
        self._watch = watch
        self._asked: dict[str, Waiting] = {}
        self._answered: set[str] = set()
        self._left: float | None = None

    async def over(self) -> Task:
        channel, now = self._ctx._channel, time.monotonic()
        # On a loop nothing is held meanwhile, so there is no end but the task's own.
        end = now + self._tasks.wait if isinstance(self._hop, Inline) else math.inf
        sign = now + SIGN
        channel.begin_stream(self._ctx.call.key)
        try:
            while True:
                self._watch.clear()
                task = await self._hop.sync(lambda _: self._tasks.find(self._ctx))
                if task.over:
                    return task
                await self._ask(task)
                now = time.monotonic()
                if now >= end:
                    raise McpError("the task is not over yet: ask tasks/get, and come again")
                if now >= sign:
                    channel.keep_alive()
                    sign = now + SIGN
                await self._look(min(LOOK, end - now))
                self._ctx.check_cancelled()
                self._check_left()
        finally:
            for key in list(self._asked):
                self._drop(key)

    async def _ask(self, task: Task) -> None:
        ctx, channel = self._ctx, self._ctx._channel
        questions = dict(task.questions())
        for key in self._asked.keys() - questions.keys():
            self._drop(key)  # answered by another way
        for key, question in questions.items():
            if key in self._asked or key in self._answered:
                continue
            why = channel.no_way(ctx.call)
            if why is None and (unable := channel.can_ask(ctx.call.key, question)) is not None:
                why = unable[1]
            if why is not None:
                raise NoChannel(f"the task needs input, but {why}", key)
            if self._tasks.watches.claim(task.id, key):
                try:
                    # Who had claimed it before may have passed on the answer since the task was read.
                    now = await self._hop.sync(lambda _: self._tasks.find(ctx))
                    if now.over or key not in dict(now.questions()):
                        self._tasks.watches.release(task.id, key)
                        continue
                    self._asked[key] = channel.ask(ctx.call.key, question)
                except BaseException:
                    self._tasks.watches.release(task.id, key)
                    raise

    async def _look(self, seconds: float) -> None:
        if not self._asked:
            await self._watch.wait(self._hop, seconds)
            return
        inline, first = isinstance(self._hop, Inline), next(iter(self._asked.values()))
        seconds = min(seconds, ASKING)
        try:
            if inline:
                first.wait(seconds)
            else:
                await first.wait_async(seconds)
            came = {key: answer for key, one in self._asked.items() if (answer := one.wait(0)) is not None}
        except ConnectionError as gone:
            raise NoChannel(str(gone)) from None
        for key in came:
            self._answered.add(key)
        if came:
            answers = {key: _kept(*answer) for key, answer in came.items()}
            await self._hop.sync(lambda inner: self._tasks.take(self._ctx, msgspec.json.encode(answers), inner))
            for key in came:
                self._drop(key)

    def _drop(self, key: str) -> None:
        self._asked.pop(key).close()
        self._tasks.watches.release(self._ctx.name, key)

    def _check_left(self) -> None:
        if not self._ctx._channel.is_left():
            return
        now = time.monotonic()
        self._left = self._left or now
        if not self._asked or now - self._left > GRACE:
            raise NoChannel("the client went away")


def _kept(ok: bool, said: bytes) -> msgspec.Raw:
    if not ok:
        return refusal(said)
    # What is no object answers nothing, whatever was asked.
    return msgspec.Raw(said) if said.lstrip().startswith(b"{") else refusal(b'{"message":"the answer is no object"}')
