"""One peer on a duplex channel: takes its messages, runs handlers in a bounded pool of threads, writes lines."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from .bridge import Inline, Loop, drive, shared_loop
from .context import Context
from .dispatch import Failure, Outcome, run_call, settle
from .duplex import DuplexChannel, Questions
from .pool import Pool
from .request import Request
from .state import known_as

if TYPE_CHECKING:
    from ._native import Batch, Call, Session, Step, Task
    from .server import Server

__all__ = ["Connection"]


class Connection:
    """One peer. What comes in is given to `take`; what is to be written goes to `put`, one message a line."""

    def __init__(self, server: Server, put: Callable[[bytes], object], workers: int, request: Request) -> None:
        """Open a session.

        Args:
            server: What to serve.
            put: Writes lines, without the last line end. `OSError`: nobody reads any more.
            workers: Most handlers at once. More calls wait (how many, the limits say).
            request: What handlers see as `Context.request`, for messages that bring none of their own.
        """
        self._server = server
        self._session: Session = server.core.session()
        self._put = put
        self._request = request
        self._principal = known_as(request.principal)
        # One lock for making and writing a message: what is made first must leave first.
        self._write_lock = threading.Lock()
        self.broken = False
        """True if nobody reads what is written."""
        self._pool = Pool(workers)
        self.questions = Questions(self._session, self._say)
        self._channel = DuplexChannel(self._session, self.questions, self._say)
        self._cancels: dict[int, Callable[[], object]] = {}

    def take(self, message: bytes | None, request: Request | None = None) -> None:
        """A message came in, with `request` over HTTP; None: one that was too long."""
        if message is None:
            self._say(self._session.too_long)
            return
        with self._write_lock:
            step = self._session.accept(message)
            self._write(step.send)
        self._act(step, request or self._request)

    def drain(self, seconds: float) -> None:
        """Nothing comes in any more: wait for running handlers, but no longer than that."""
        self.questions.end()
        self._pool.join(time.monotonic() + seconds)

    def hang_up(self) -> None:
        """The peer is gone: take back what runs for it and let the threads go."""
        self.broken = True
        self._session.abandon()
        self.questions.end()
        for cancel in list(self._cancels.values()):
            cancel()
        self._pool.close()

    def list_changed(self, kind: str) -> None:
        """Tell the peer that a list is another one now, if it wants to know."""
        self._say(lambda: self._session.list_changed(kind))

    def resource_updated(self, uri: str) -> None:
        """Tell the peer that a resource changed, if it subscribed."""
        self._say(lambda: self._session.resource_updated(uri))

    def task_changed(self, task: Task) -> None:
        """Tell the peer how a task stands now, if it listens."""
        self._say(lambda: self._session.task_changed(task, self._principal))

    def task_progress(self, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """Tell the peer how far a task has come, if it was its call (2025-11-25)."""
        self._say(lambda: self._session.task_progress(task, progress, total, message))

    def end(self) -> None:
        """End the peer's subscriptions in good order. Afterwards it hears of no change any more."""
        self._say(self._session.end_listening)

    def _act(self, step: Step, request: Request) -> None:
        if step.call is not None:
            call = step.call
            if call.waits:
                self._wait_for(call, request)
            else:
                self._pool.submit(lambda: self._run(call, request))
        elif step.batch is not None:
            batch = step.batch
            self._pool.submit(lambda: self._walk(batch, request))
        elif step.event == "answer":
            self.questions.answered(step)
        elif step.event == "cancelled" and step.key is not None:
            self.questions.withdrawn(step.key)
            cancel = self._cancels.pop(step.key, None)
            if cancel is not None:
                cancel()

    def _walk(self, batch: Batch, request: Request) -> None:
        while True:
            with self._write_lock:
                step = batch.next()
                if step is None:
                    return
                self._write(step.send)
            if step.call is not None:
                self._run(step.call, request)
            elif step.batch is None:
                self._act(step, request)

    def _wait_for(self, call: Call, request: Request) -> None:
        # On a loop, so that no thread waits with it.
        import asyncio

        running = asyncio.run_coroutine_threadsafe(self._await(call, request), shared_loop())
        self._cancels[call.key] = running.cancel
        if self.broken:
            running.cancel()

    async def _await(self, call: Call, request: Request) -> None:
        outcome: Outcome = Failure("internal", "cancelled")
        try:
            outcome = await run_call(Context(call, self._channel, self._server, request), Loop(self._offload))
        finally:
            self._cancels.pop(call.key, None)
            self._say(lambda: settle(self._session, call, outcome))

    def _offload(self, fn: Callable[[], Any]) -> Awaitable[Any]:
        import asyncio
        from concurrent.futures import Future

        done: Future[Any] = Future()
        context = contextvars.copy_context()

        def job() -> None:
            if not done.set_running_or_notify_cancel():
                return  # nobody waits for it any more
            try:
                done.set_result(context.run(fn))
            except BaseException as exc:
                done.set_exception(exc)

        self._pool.submit(job)
        return asyncio.wrap_future(done)

    def _run(self, call: Call, request: Request) -> None:
        ctx = Context(call, self._channel, self._server, request)
        try:
            outcome = drive(run_call(ctx, self._hop(call)))
        finally:
            self._cancels.pop(call.key, None)
        self._say(lambda: settle(self._session, call, outcome))

    def _hop(self, call: Call) -> Inline:
        def on_start(cancel: Callable[[], object]) -> None:
            self._cancels[call.key] = cancel
            if call.cancelled or self.broken:  # before there was anything to cancel
                cancel()

        return Inline(on_start=on_start)

    def _say(self, make: Callable[[], bytes | None]) -> None:
        with self._write_lock:
            self._write(make())

    def _write(self, message: bytes | None) -> None:
        if message is None or self.broken:
            return
        try:
            self._put(message)
        except OSError:
            self.broken = True  # nobody reads any more; the end of input follows
