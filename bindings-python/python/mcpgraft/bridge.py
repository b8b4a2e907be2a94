"""Calling sync and async functions from either world.

All of the package's flow is written once, as coroutines. A sync host *drives* such a coroutine with `drive`: it never
suspends, because its `Inline` hop calls sync functions in the same thread and waits for async ones. An async host
awaits the same coroutine with a `Loop` hop, which awaits async functions and sends sync ones to a worker thread.
Context variables follow everywhere. asyncio is imported only when an async function is really met.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
import types
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, TypeVar

from ._typing.late import Protocol
from .errors import Cancelled

if TYPE_CHECKING:
    import asyncio

__all__ = [
    "Hop",
    "Inline",
    "Loop",
    "canceller",
    "drive",
    "go_on",
    "is_async",
    "is_awaitable",
    "portable",
    "run_on",
    "shared_loop",
]

T = TypeVar("T")


class Hop(Protocol):
    """How the code that runs now gets to a sync or an async function."""

    async def sync(self, make: Callable[[Hop], T]) -> T:
        """Run `make` where blocking is allowed; it gets the hop that is right in there."""

    async def asynchronous(self, make: Callable[[Hop], Awaitable[T]]) -> T:
        """Await what `make` returns on an event loop; it gets the hop that is right in there."""


_COROUTINE = 0x80  # inspect.CO_COROUTINE; the module costs more to import than this whole package


def is_async(fn: Callable[..., Any]) -> bool:
    """True if calling `fn` gives a coroutine: also for partials, methods and objects with an async `__call__`."""
    while isinstance(fn, functools.partial):
        fn = fn.func
    if type(fn) is types.FunctionType and not fn.__dict__:
        return bool(fn.__code__.co_flags & _COROUTINE)
    import inspect

    if inspect.iscoroutinefunction(fn):
        return True
    # The class's own __call__: a plain function's is a slot wrapper and never a coroutine function.
    return inspect.iscoroutinefunction(getattr(type(fn), "__call__", None))  # noqa: B004


async def call(hop: Hop, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `fn` from wherever we are and give its result, awaited if need be."""
    if is_async(fn):
        return await hop.asynchronous(lambda _: fn(*args, **kwargs))
    result = await hop.sync(lambda _: fn(*args, **kwargs))
    if is_awaitable(result):  # a sync wrapper around an async function
        awaitable = result
        result = await hop.asynchronous(lambda _: awaitable)
    return result


def is_awaitable(value: object) -> bool:
    """Whether a value can be awaited."""
    if isinstance(value, types.GeneratorType):  # one of `types.coroutine`
        return bool(value.gi_code.co_flags & 0x100)  # inspect.CO_ITERABLE_COROUTINE
    return isinstance(value, Awaitable)


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends (its hop is `Inline`) to its end, in this thread, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: T = stop.value
        return result
    coroutine.close()
    raise RuntimeError("internal error: a coroutine suspended in a synchronous host")


@types.coroutine
def go_on(coroutine: Coroutine[Any, Any, T], waits: Any) -> Generator[Any, Any, T]:
    """Await the rest of a coroutine that was begun with `send(None)`, which gave `waits`, in the same task."""
    while True:
        step: Callable[[], Any]
        try:
            step = functools.partial(coroutine.send, (yield waits))
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as exc:
            step = functools.partial(coroutine.throw, exc)
        try:
            waits = step()
        except StopIteration as stop:
            result: T = stop.value
            return result


class Inline:
    """The hop of synchronous code: sync functions run here and now; async ones run on `loop()`, and we wait."""

    __slots__ = ("loop", "on_start")

    def __init__(
        self,
        loop: Callable[[], asyncio.AbstractEventLoop] | None = None,
        on_start: Callable[[Callable[[], object]], None] | None = None,
    ) -> None:
        self.loop = loop or shared_loop
        """Gives the loop that async functions run on."""
        self.on_start = on_start
        """Given a function that cancels the async work just started."""

    async def sync(self, make: Callable[[Hop], T]) -> T:
        return make(self)

    async def asynchronous(self, make: Callable[[Hop], Awaitable[T]]) -> T:
        return run_on(self.loop(), make, self.on_start)


class Loop:
    """The hop of code on an event loop: async functions are awaited, sync ones go to `offload`."""

    __slots__ = ("_offload",)

    def __init__(self, offload: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._offload = offload

    async def sync(self, make: Callable[[Hop], T]) -> T:
        import asyncio

        loop = asyncio.get_running_loop()
        result: T = await self._offload(lambda: make(Inline(lambda: loop)))
        return result

    async def asynchronous(self, make: Callable[[Hop], Awaitable[T]]) -> T:
        return await make(self)


def canceller(hop: Hop) -> tuple[Hop, Callable[[], object], Callable[[], bool]]:
    """For work that somebody else may take back: the hop to do it with, what takes it back, and whether that was done.

    On a loop it cancels the current task; in a thread, the async work that is waited for. Sync code is not interrupted.
    """
    asked: list[bool] = []
    if isinstance(hop, Inline):
        started: list[Callable[[], object]] = []
        before = hop.on_start

        def on_start(cancel: Callable[[], object]) -> None:
            started.append(cancel)
            if before is not None:
                before(cancel)
            if asked:  # before there was anything to cancel
                cancel()

        def stop() -> None:
            asked.append(True)
            for cancel in list(started):
                cancel()

        return Inline(hop.loop, on_start), stop, lambda: False
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()

    def cancel_task() -> None:
        asked.append(True)
        if task is not None:
            loop.call_soon_threadsafe(task.cancel)

    return hop, cancel_task, lambda: bool(asked)


def run_on(
    loop: asyncio.AbstractEventLoop,
    make: Callable[[Hop], Awaitable[T]],
    on_start: Callable[[Callable[[], object]], None] | None = None,
) -> T:
    """Run `make` on another thread's loop and wait. Sync work it needs comes back to *this* thread while we wait.

    So a sync tool behind an async middleware still runs in the thread of its request, with that thread's database
    connection and everything else that is bound to a thread.
    """
    import asyncio
    import queue

    jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()

    async def offload(fn: Callable[[], Any]) -> Any:
        here = asyncio.get_running_loop()
        waiter: asyncio.Future[Any] = here.create_future()
        context = contextvars.copy_context()

        def job() -> None:
            try:
                result = context.run(fn)
            except BaseException as exc:
                settle(waiter.set_exception, portable(exc))
            else:
                settle(waiter.set_result, result)

        def settle(put: Callable[[Any], None], value: Any) -> None:
            here.call_soon_threadsafe(lambda: None if waiter.done() else put(value))

        jobs.put(job)
        return await waiter

    async def main() -> T:
        return await make(Loop(offload))

    tasks: list[asyncio.Task[T]] = []

    def start() -> None:
        task = loop.create_task(main())
        tasks.append(task)
        # Not before the task is really over: after a cancellation its clean-up still runs.
        task.add_done_callback(lambda _: jobs.put(None))

    def cancel() -> None:
        loop.call_soon_threadsafe(lambda: [task.cancel() for task in tasks])

    # The task takes over this thread's context variables: call_soon_threadsafe copies the caller's context.
    loop.call_soon_threadsafe(start)
    if on_start is not None:
        on_start(cancel)
    try:
        while (job := jobs.get()) is not None:
            job()
    except BaseException:
        cancel()
        raise
    (task,) = tasks
    if task.cancelled():
        raise Cancelled("the peer took the call back")
    return task.result()


def portable(exc: BaseException) -> BaseException:
    # A future cannot carry StopIteration.
    return RuntimeError(f"handler raised {exc!r}") if isinstance(exc, StopIteration) else exc


_lock = threading.Lock()
_shared: asyncio.AbstractEventLoop | None = None
_shared_thread: threading.Thread | None = None


def shared_loop() -> asyncio.AbstractEventLoop:
    """The event loop on which async functions of sync hosts run: one per process, started when first needed.

    One loop, not one per call, so that async clients and connection pools can be kept between calls.
    """
    global _shared, _shared_thread
    import asyncio

    with _lock:
        if threading.current_thread() is _shared_thread:
            raise RuntimeError("an async handler called a synchronous host, which would wait for this very event loop")
        if _shared is None:
            _shared = asyncio.new_event_loop()
            _shared_thread = threading.Thread(target=_shared.run_forever, name="mcpgraft-async", daemon=True)
            _shared_thread.start()
        return _shared


def _forget_after_fork() -> None:
    # Threads do not survive a fork: the child starts its own loop.
    global _shared, _shared_thread, _lock
    _shared, _shared_thread, _lock = None, None, threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)
