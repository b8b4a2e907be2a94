"""Middleware: functions around every call, for logging, rate limits, caching, transactions.

    @server.middleware
    def timed(ctx, call_next):
        start = time.perf_counter()
        try:
            return call_next()
        finally:
            log.info("%s took %.3f s", ctx.name, time.perf_counter() - start)

The first one registered is the outermost. `call_next()` gives what the handler returned (not yet encoded) or raises
what it raised; a middleware may return something else, raise, or not call it at all. An async middleware writes
`await call_next()`. Sync and async ones mix with sync and async handlers in every host.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from .bridge import Hop, call, drive, is_async, is_awaitable
from .errors import Forbidden

if TYPE_CHECKING:
    from .context import Context
    from .registry import Arguments, Entry, OnRepair

__all__ = ["Begun", "Middleware", "admit", "through"]

Middleware = Callable[["Context", Callable[[], Any]], Any]
"""`(ctx, call_next) -> value`; sync or async."""


class Begun:
    """What came of a handler that was called already."""

    __slots__ = ("error", "value")

    def __init__(self, value: Any = None, error: BaseException | None = None) -> None:
        self.value = value
        self.error = error

    async def result(self, hop: Hop) -> Any:
        """The handler's value, awaited if need be. Raises what the handler raised."""
        if self.error is not None:
            raise self.error
        value = self.value
        return await hop.asynchronous(lambda _: value) if is_awaitable(value) else value


async def through(chain: Sequence[Middleware], ctx: Context, entry: Entry, hop: Hop, on_repair: OnRepair | None) -> Any:
    """Run a call through the middlewares, its guards and its handler, and give the handler's value."""
    if not chain:
        return await _handle(ctx, entry, hop, on_repair)
    first, rest = chain[0], chain[1:]
    if is_async(first):

        def asynchronous(inner: Hop) -> Any:
            async def proceed() -> Any:
                return await through(rest, ctx, entry, inner, on_repair)

            return first(ctx, proceed)

        return await hop.asynchronous(asynchronous)

    def sync(inner: Hop) -> Any:
        return first(ctx, lambda: drive(through(rest, ctx, entry, inner, on_repair)))

    return await hop.sync(sync)


async def _handle(ctx: Context, entry: Entry, hop: Hop, on_repair: OnRepair | None) -> Any:
    args, kwargs = await admit(ctx, entry, hop, on_repair)
    return await call(hop, entry.fn, *args, **kwargs)


async def admit(ctx: Context, entry: Entry, hop: Hop, on_repair: OnRepair | None = None) -> Arguments:
    """The arguments for the handler, if the guards let the call pass.

    Raises:
        Exception: What a guard raised, `Forbidden`, or `ArgumentError`.
    """
    for guard in entry.guards:
        if await call(hop, guard, ctx) is False:
            raise Forbidden(f"not allowed: {ctx.name}")
    return entry.arguments(ctx.call, ctx, on_repair)
