"""Tasks: tool calls whose result comes later (extension `io.modelcontextprotocol/tasks` of 2026-07-28, and the
experimental tasks of 2025-11-25).

    @server.tool(task="optional")
    def render(scene: str, ctx: Context) -> str:
        for frame in range(100):
            ctx.check_cancelled()
            ctx.task.status(f"frame {frame}")
            ...

A client that declared the extension gets a task at once and asks for it (`tasks/get`); the handler runs in a thread of
its own, or on the event loop if it is async. Any other client gets the result of the same call, when it is there:

- `never` (the default): the tool is never a task;
- `optional`: a task where the client takes one, within the request elsewhere;
- `required`: clients that take no task are refused (-32021; older ones read why in an `isError` result);
- `deferred`: the call begins within its request, where questions are asked before there is a task, and becomes one when
  the handler calls `ctx.task.begin()`.

Questions inside a task (`ctx.elicit` and the rest) show in `tasks/get` and are answered by `tasks/update`; while they
are open no thread waits: the handler is run again when the answers are there, with the request that brought them as its
`ctx.request`. A task belongs to the principal that made it. What a task says of itself goes to listeners in the process
it runs in, and with a store that all workers share and `Server(fanout=...)` to those of the others.

`Tasks(experimental=True)` offers the form that 2025-11-25 had, too: there it is the client that asks for a task, with
each call, and collects the result by `tasks/result`; see `mcpgraft.task_result`. `required` tools then refuse calls
that ask for none (-32601), and a `deferred` tool is a task from its start. It is off unless asked for: an
experiment that the next revision took back, without which 2025-11-25 can call all tools but `required` ones.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ._native import Task
from .bridge import Hop, Inline, Loop, call, drive, is_async
from .dispatch import Failure, Outcome, explain, for_head, reporter
from .errors import InvalidParams, McpError, MissingClientCapability
from .keys import now_ms
from .logs import log
from .middleware import admit
from .replay import Replay, only_suspended
from .rounds import play, rounds
from .task_pool import Pool
from .task_result import Watches, group_of, listed, owner_of, result
from .task_run import CurrentTask, Job, Run, begins, context_of
from .task_store import MemoryTasks, TaskRecord, TaskStore

if TYPE_CHECKING:
    import asyncio

    from .context import Context
    from .registry import Entry, OnRepair
    from .request import Request
    from .server import Server

__all__ = ["EXTENSION", "Tasks"]

EXTENSION = "io.modelcontextprotocol/tasks"
RETRIES = 20
"""How often a change is tried again when another one came first."""


class Tasks:
    """Runs and remembers the tasks of a server; given as `Server(tasks=...)`, or made when a tool needs it.

    Args:
        store: Where tasks are kept; in this process (`MemoryTasks`) unless given.
        ttl: How long a task is kept after it was made, in seconds; None: for ever. A task that still runs then is lost.
        poll: How often clients should ask for a task, in seconds.
        workers: Most sync handlers that run at once as tasks; more wait for their turn.
        clock: The time, in ms since the Unix epoch.
        experimental: Offer the experimental tasks of 2025-11-25, too; with `tasks/list` if the store has `list`.
        wait: How many seconds `tasks/result` (2025-11-25) keeps a request waiting where that takes a thread, as under
            WSGI; then the client is told to come again. On an event loop and on stdio it takes none, and waits until
            the task is over.
    """

    def __init__(
        self,
        store: TaskStore | None = None,
        *,
        ttl: float | None = 3600.0,
        poll: float = 1.0,
        workers: int = 8,
        clock: Callable[[], int] = now_ms,
        experimental: bool = False,
        wait: float = 25.0,
    ) -> None:
        if (ttl is not None and ttl < 0.001) or poll < 0.001:
            raise ValueError("ttl and poll must be at least a millisecond")
        self.store: TaskStore = MemoryTasks() if store is None else store
        self.clock = clock
        self.experimental = experimental
        self.wait = wait
        self.watches = Watches()
        self._ttl_ms = None if ttl is None else int(ttl * 1000)
        self._poll_ms = int(poll * 1000)
        self._pool = Pool(workers, "mcpgraft-task")
        self._running: dict[str, Run] = {}
        self._changed = threading.Condition()
        self._telling = threading.RLock()
        self._process = os.getpid()

    def idle(self, timeout: float | None = None) -> bool:
        """Wait until no task runs in this process, for so many seconds at most; tasks that wait for a client do not
        run. False: some still do."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout)

    # --- requests ----------------------------------------------------------------------------------------------------

    async def call(self, ctx: Context, entry: Entry, hop: Hop, report: OnRepair | None) -> Outcome:
        """Answer a call of a tool that may be a task."""
        if not ctx.call.tasks:
            if entry.task == "required":
                text = f"tool {ctx.name!r} takes long: only clients that take tasks ({EXTENSION}) may call it"
                raise MissingClientCapability({"extensions": {EXTENSION: {}}}, text)
            return await rounds(ctx, entry, hop, report)
        job = Job.of(ctx.call)
        if entry.task == "deferred" and not ctx.call.wants_task:
            ctx._task = CurrentTask(begin=True)
            try:
                return await rounds(ctx, entry, hop, report)
            except BaseException as exc:
                if not begins(exc):
                    raise
        else:
            try:
                # Who may not call hears it now, and so who calls wrongly.
                await admit(ctx, entry, hop)
            except BaseException as exc:
                # A guard that asks does so within the task. Who asked for a task reads a failure as its outcome; what
                # is for the head of an HTTP response cannot wait.
                told_later = ctx.call.wants_task and isinstance(exc, Exception) and not for_head(ctx, exc)
                if not told_later and not only_suspended(exc):
                    raise
        if ctx._replay is not None:
            job.keep(ctx._replay.kept)
        return await hop.sync(lambda inner: self._start(ctx, entry, job, inner))

    async def answer(self, ctx: Context, hop: Hop) -> Outcome:
        """Answer a method of tasks."""
        if ctx.call.waits:
            return await result(self, ctx, hop)
        acts: dict[str, Callable[[Context, Hop], bytes]] = {
            "tasks/get": self._get,
            "tasks/update": self._update,
            "tasks/cancel": self._cancel,
            "tasks/list": lambda ctx, _: listed(self, ctx),
        }
        act = acts[ctx.call.method]
        return await hop.sync(lambda inner: act(ctx, inner))

    def _start(self, ctx: Context, entry: Entry, job: Job, hop: Hop) -> bytes:
        from secrets import token_urlsafe

        now = self.clock()
        wanted = [ms for ms in (self._ttl_ms, ctx.call.task_ttl_ms) if ms is not None]
        task = ctx.call.new_task(
            token_urlsafe(24),
            owner=owner_of(ctx),
            now=now,
            ttl_ms=min(wanted, default=None),
            poll_ms=self._poll_ms,
        )
        group = group_of(ctx) if task.experimental else None
        record = TaskRecord(task.id, task.save(), msgspec.json.encode(job), 1, task.expires, group)
        if not self.store.add(record, now):
            raise McpError("too many tasks are kept here; try again later")
        self._launch(task, entry, job, ctx.server, ctx.request, hop)
        return task.created()

    def _get(self, ctx: Context, hop: Hop) -> bytes:
        return self.find(ctx).detailed()

    def _cancel(self, ctx: Context, hop: Hop) -> bytes:
        task = self.find(ctx)
        changed = self._change(task.id, ctx.server, lambda task, _: task.cancel(now=self.clock()))
        if changed is None and task.experimental:
            raise InvalidParams("the task is over already", field="taskId")
        run = self._running.get(task.id)
        if run is not None:
            run.take_back()
        return (task if changed is None else changed[1]).acknowledged()

    def _update(self, ctx: Context, hop: Hop) -> bytes:
        task = self.find(ctx)
        self.take(ctx, ctx.call.arguments, hop)
        return task.acknowledged()

    def take(self, ctx: Context, answers: bytes, hop: Hop) -> None:
        """Take the client's answers to questions of the task the call names, a JSON object by key; run the handler
        again if none is missing."""
        changed = self._change(ctx.name, ctx.server, lambda task, _: task.update(answers, now=self.clock()))
        if changed is not None:
            record, task = changed
            if task.status == "working":
                job = msgspec.json.decode(record.job, type=Job)
                self._launch(task, ctx.server.tool_entry(job.tool), job, ctx.server, ctx.request, hop)

    def find(self, ctx: Context) -> Task:
        """The task that a call names.

        Raises:
            InvalidParams: there is none, or it is not this caller's: the one is not told from the other.
        """
        record = self.store.get(ctx.name, self.clock())
        task = None if record is None else Task.restore(record.task)
        if task is None or not task.is_of(ctx.revision) or not task.belongs_to(owner_of(ctx)):
            raise InvalidParams("there is no task of that id, or it has expired", field="taskId")
        return task

    # --- running -----------------------------------------------------------------------------------------------------

    def _launch(self, task: Task, entry: Entry | None, job: Job, server: Server, request: Request, hop: Hop) -> None:
        id_ = task.id
        run = Run(id_, lambda: self._gone(id_))
        ctx = context_of(
            job,
            run,
            task,
            server,
            request,
            lambda message: self._say(id_, server, message),
            lambda *progress: self._progress(run, task, server, *progress),
        )
        with self._changed:
            if self._process != os.getpid():  # what ran before a fork runs in the other process
                self._process, self._running = os.getpid(), {}
            self._running[id_] = run
        functions: list[Callable[..., Any]] = [*server.middlewares]
        functions += [entry.fn, *entry.guards] if entry is not None else []
        if entry is None:
            self._end(run, ctx, Failure("not_found", f"tool {job.tool!r} is gone"))
            self._forget(run)
        elif any(is_async(fn) for fn in functions):
            self._launch_on(_loop_of(hop)(), run, ctx, entry, job)
        else:
            context, inline = contextvars.copy_context(), Inline(_loop_of(hop))

            def work() -> None:
                context.run(drive, self._work(run, ctx, entry, job, inline))

            run.stop = lambda: self._forget(run) if self._pool.withdraw(work) else None
            self._pool.submit(work)

    def _launch_on(self, loop: asyncio.AbstractEventLoop, run: Run, ctx: Context, entry: Entry, job: Job) -> None:
        import asyncio

        def offload(fn: Callable[[], Any]) -> Any:
            return loop.run_in_executor(None, contextvars.copy_context().run, fn)

        running = asyncio.run_coroutine_threadsafe(self._work(run, ctx, entry, job, Loop(offload)), loop)
        run.stop = running.cancel
        if run.taken_back:
            running.cancel()

    async def _work(self, run: Run, ctx: Context, entry: Entry, job: Job, hop: Hop) -> None:
        try:
            outcome = await self._play(run, ctx, entry, job, hop)
            if outcome is not None:
                await call(hop, self._end, run, ctx, outcome)
        except BaseException:
            # The loop ends, or the store fails: whoever asks for the task should know.
            self._end(run, ctx, Failure("internal", "the server stopped working on it"))
            raise
        finally:
            self._forget(run)

    async def _play(self, run: Run, ctx: Context, entry: Entry, job: Job, hop: Hop) -> Outcome | None:
        # Runs the handler to its end; None: it waits for its client.
        report = reporter(ctx.server, ctx)
        try:
            while isinstance(played := await play(ctx, entry, hop, report), Replay):
                if played.needs:
                    await call(hop, self._park, run, ctx, job, played)
                    return None
                # A step that asks nothing wants to be called again, a little later.
                played.asked()
                await call(hop, run.wait, 0.25 * 2**played.kept.round)
                played.restart()
                report = None
            return played
        except (Exception, SystemExit) as exc:
            return explain(ctx, exc)

    def _end(self, run: Run, ctx: Context, outcome: Outcome) -> None:
        def finish(task: Task, _: TaskRecord) -> Task:
            now = self.clock()
            if isinstance(outcome, bytes):
                try:
                    return task.complete(outcome, now=now)
                except ValueError as wrong:
                    log.exception("the result of tool %r cannot be kept", ctx.name)
                    return task.fail("internal", f"the result cannot be sent: {wrong}", now=now)
            if isinstance(outcome, Failure):
                return task.fail(outcome.failure, outcome.message, now=now, code=outcome.code, data=outcome.data)
            raise AssertionError("a task does not end in a question")

        self._change(run.id, ctx.server, finish)

    def _park(self, run: Run, ctx: Context, job: Job, replay: Replay) -> None:
        asks = [(job.wire(key), ask) for key, ask in replay.asked()]
        job.keep(replay.kept)
        saved = msgspec.json.encode(job)
        self._change(run.id, ctx.server, lambda task, _: task.require_input(asks, now=self.clock()), saved)

    def _say(self, id_: str, server: Server, message: str) -> None:
        self._change(id_, server, lambda task, _: task.say(message, now=self.clock()))

    def _progress(
        self, run: Run, task: Task, server: Server, progress: float, total: float | None, message: str | None
    ) -> None:
        if self._running.get(run.id) is run and not run.taken_back:
            server.hub.task_progress(task, progress, total, message)
            self.watches.progress(task, progress, total, message)

    def _change(
        self,
        id_: str,
        server: Server,
        change: Callable[[Task, TaskRecord], Task | None],
        job: bytes | None = None,
    ) -> tuple[TaskRecord, Task] | None:
        # The changed task; None if it is over, or gone, or the change is none.
        for _ in range(RETRIES):
            now = self.clock()
            record = self.store.get(id_, now)
            task = None if record is None else Task.restore(record.task)
            if record is None or task is None or task.over:
                return None
            changed = change(task, record)
            if changed is None:
                return None
            after = record._replace(
                task=changed.save(), job=record.job if job is None else job, version=record.version + 1
            )
            if self.store.swap(after, now):
                self._tell(id_, server)
                self.watches.wake(id_)
                return after, changed
        raise RuntimeError(f"task {id_!r} was changed by others again and again")

    def tell_here(self, id_: str, server: Server) -> None:
        """Tell those who listen in this process how a task of another one stands now, if the store is shared."""
        self._tell(id_, server, everywhere=False)

    def _tell(self, id_: str, server: Server, *, everywhere: bool = True) -> None:
        # What is told is how it stands now: of two changes at once the later one must not be told first.
        if server.is_listened_to():
            with self._telling:
                record = self.store.get(id_, self.clock())
                task = None if record is None else Task.restore(record.task)
                if task is not None:
                    server.hub.task_changed(task, everywhere=everywhere)

    def _gone(self, id_: str) -> bool:
        record = self.store.get(id_, self.clock())
        task = None if record is None else Task.restore(record.task)
        return task is None or task.over

    def _forget(self, run: Run) -> None:
        with self._changed:
            if self._running.get(run.id) is run:
                del self._running[run.id]
            self._changed.notify_all()


def _loop_of(hop: Hop) -> Callable[[], asyncio.AbstractEventLoop]:
    # Requests hand over from where blocking is allowed.
    assert isinstance(hop, Inline)
    return hop.loop
