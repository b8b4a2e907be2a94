"""Running one call: find its entry, go through middlewares and guards to the handler, turn the outcome into bytes.

There is one path, a coroutine. Sync hosts drive it inline (`run`), async hosts await it with their own hop.
Nothing a handler raises gets past it, except what ends the process or cancels the task. A handler that asks the client
is run again when the answers are there (see `mcpgraft.rounds`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

import msgspec

from ._native import LocalError
from ._typing.encode import clean
from ._typing.late import Protocol
from ._typing.result import error_result, tool_result
from .bridge import Hop, Inline, Loop, drive
from .errors import (
    ArgumentError,
    AskError,
    Cancelled,
    Forbidden,
    InvalidParams,
    InvalidResult,
    McpError,
    MissingClientCapability,
    NotFound,
    ToolError,
    Unauthorized,
    UrlElicitationRequired,
)
from .logs import log
from .middleware import Begun

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from ._native import Call
    from ._native import _Ask as NativeAsk
    from .context import Context
    from .registry import Entry
    from .server import Server

__all__ = [
    "PLAIN",
    "Failure",
    "Outcome",
    "Requirement",
    "for_head",
    "plain_entry",
    "quick_entry",
    "reporter",
    "run",
    "run_call",
    "run_plain",
    "run_quick",
    "run_rest",
    "settle",
]

HIDDEN = "the server could not do this; its log has the details"


class Failure(msgspec.Struct, frozen=True):
    """A call that has no result: arguments of the native `fail`, and what an HTTP host adds to its head."""

    failure: str
    message: str
    code: int | None = None
    data: bytes | None = None
    status: int | None = None
    headers: tuple[tuple[str, str], ...] = ()


E = TypeVar("E", covariant=True)


class Requirement(msgspec.Struct, frozen=True):
    """A stateless call that needs answers first: the questions, and the sealed state for the client to bring back."""

    asks: list[tuple[str, NativeAsk]]
    state: str


Outcome = bytes | str | Failure | Requirement
"""A result object, the text of a tool's result (where the channel takes that), why there is none, or what is needed."""


def run(ctx: Context) -> Outcome:
    """Run a call in this thread and wait for it."""
    entry = quick_entry(ctx.server, ctx.call)
    if entry is None:
        return drive(run_call(ctx, Inline()))
    return run_quick(ctx.server, ctx.call, entry, lambda _: ctx, lambda _: Inline(), takes_text=ctx._channel.takes_text)


def plain_entry(server: Server, call: Call) -> Entry | None:
    """The entry of a call that nothing stands before: a function without middlewares, guards or tasks."""
    if server.middlewares or not call.fresh:
        return None
    entry = server.entry_of(call)
    return entry if entry is not None and entry.is_plain else None


def quick_entry(server: Server, call: Call) -> Entry | None:
    """The same, if its function is a sync one."""
    entry = plain_entry(server, call)
    return None if entry is None or entry.is_async else entry


def run_quick(
    server: Server,
    call: Call,
    entry: Entry,
    context: Callable[[Call], Context],
    hop: Callable[[Call], Hop],
    *,
    takes_text: bool = False,
) -> Outcome:
    """Run a call that `quick_entry` has an entry for, in this thread: what `run_call` does, on the shortest way.

    Args:
        server: The server.
        call: The call.
        entry: Its entry.
        context: Makes the context of the call, if something wants it.
        hop: Makes the hop for a call that needs more after all: one that asks its client, or gives an awaitable.
        takes_text: Whether the outcome may be the text of a tool's result.
    """
    ctx: Context | None = None
    try:
        if entry.wants_context or server.repair_hooks:
            ctx = context(call)
            args, kwargs = entry.arguments(call, ctx, reporter(server, ctx))
        else:
            args, kwargs = entry.arguments(call, None, None)
        value = entry.fn(*args, **kwargs)
        if type(value) in PLAIN and (ctx is None or ctx._replay is None):
            if takes_text and entry.gives_text and type(value) is str:
                return value
            return entry.encode(value, call)
    except BaseException as exc:
        ctx = ctx or context(call)
        return _explained(ctx, exc) or drive(_run_on(ctx, entry, hop(call), Begun(error=exc)))
    return drive(_run_on(ctx or context(call), entry, hop(call), Begun(value)))


async def run_plain(ctx: Context, entry: Entry, hop: Callable[[], Loop], work: Awaitable[Any] | None) -> Outcome:
    """Run a call that `plain_entry` has an entry for, from an event loop, on the shortest way.

    Args:
        ctx: Its context.
        entry: Its entry.
        hop: As in `run_quick`.
        work: What the function gave, if it was called already.
    """
    try:
        if work is not None:
            value = await work
        elif entry.is_async:
            args, kwargs = entry.arguments(ctx.call, ctx, reporter(ctx.server, ctx))
            value = await entry.fn(*args, **kwargs)
        else:
            value = await hop().sync(lambda _: _called(ctx, entry))
        if ctx._replay is None and type(value) in PLAIN:
            return entry.encode(value, ctx.call)
    except BaseException as exc:
        return await run_rest(ctx, entry, hop, Begun(error=exc))
    return await run_rest(ctx, entry, hop, Begun(value))


async def run_rest(ctx: Context, entry: Entry, hop: Callable[[], Loop], begun: Begun) -> Outcome:
    """What is left of such a call when its function has raised, or gave what is no result yet."""
    explained = None if begun.error is None else _explained(ctx, begun.error)
    return explained or await _run_on(ctx, entry, hop(), begun)


def _called(ctx: Context, entry: Entry) -> Any:
    args, kwargs = entry.arguments(ctx.call, ctx, reporter(ctx.server, ctx))
    return entry.fn(*args, **kwargs)


def _explained(ctx: Context, exc: BaseException) -> Outcome | None:
    # None: it is not only an error.
    if ctx._replay is None and isinstance(exc, Exception) and not isinstance(exc, UrlElicitationRequired):
        return explain(ctx, exc)
    return None


PLAIN = frozenset({str, int, float, bool, type(None), dict, list, tuple, bytes})
"""Types of results that are neither awaited nor questions."""


async def _run_on(ctx: Context, entry: Entry, hop: Hop, begun: Begun) -> Outcome:
    from .rounds import rounds

    try:
        return await rounds(ctx, entry, hop, reporter(ctx.server, ctx), begun)
    except (Exception, SystemExit) as exc:
        return explain(ctx, exc)


async def run_call(ctx: Context, hop: Hop) -> Outcome:
    """Run a call from wherever `hop` is at home. Raises nothing that is an `Exception`."""
    server = ctx.server
    try:
        if ctx.kind == "task" and server.tasks is not None:
            return await server.tasks.answer(ctx, hop)
        entry = server.entry_of(ctx.call)
        if entry is None:
            return _nothing_there(ctx.call)
        if entry.task != "never" and server.tasks is not None:
            return await server.tasks.call(ctx, entry, hop, reporter(server, ctx))
        from .rounds import rounds

        return await rounds(ctx, entry, hop, reporter(server, ctx))
    except (Exception, SystemExit) as exc:
        # sys.exit() in a handler must fail that call, not leave its caller waiting.
        return explain(ctx, exc)


class Target(Protocol[E]):
    """What an outcome is given to: a native session or exchange."""

    def reply(self, key: int, result: bytes) -> E: ...
    def fail(
        self, key: int, failure: str, message: str, *, code: int | None = None, data: bytes | None = None
    ) -> E: ...
    def require_input(self, key: int, asks: list[tuple[str, NativeAsk]], state: str | None = None) -> E: ...


class TextTarget(Protocol[E]):
    """A native session: it makes the result of a text itself."""

    def reply_text(self, key: int, text: str) -> E: ...


def settle(target: Target[E], call: Call, outcome: Outcome) -> E | None:
    """Answer a call. None if there is no one to answer any more."""
    try:
        if isinstance(outcome, str):
            try:
                return cast("TextTarget[E]", target).reply_text(call.key, outcome)
            except UnicodeEncodeError:  # a lone surrogate
                outcome = tool_result(outcome)
        if not isinstance(outcome, Failure):
            try:
                if isinstance(outcome, Requirement):
                    return target.require_input(call.key, outcome.asks, outcome.state)
                return target.reply(call.key, outcome)
            except ValueError as wrong:
                if getattr(wrong, "name", "") in ("unknown_call", "over"):
                    raise
                # A result the core will not send; its caller must not wait for ever because of that.
                log.exception("the result of %s %r cannot be sent", call.kind, call.name)
                outcome = Failure("internal", f"the result cannot be sent: {wrong}")
        return target.fail(call.key, outcome.failure, outcome.message, code=outcome.code, data=outcome.data)
    except LocalError:
        log.exception("%s %r was not answered", call.kind, call.name)
        return None


def explain(ctx: Context, exc: BaseException) -> Outcome:
    """What the peer is told about an exception."""
    server, tool = ctx.server, ctx.kind == "tool"
    text = clean(str(exc) or type(exc).__name__)
    if isinstance(exc, Cancelled):
        return Failure("internal", "cancelled")
    outcome = _expected(ctx, exc, text)
    if outcome is not None:
        return _with_head(ctx, outcome, exc)
    log.error("%s %r failed", ctx.kind, ctx.name, exc_info=exc)
    for hook in server.error_hooks:
        try:
            hook(ctx, exc)
        except Exception:
            log.exception("the on_error hook failed")
    shown = HIDDEN if server.hide_errors else text
    return error_result(shown) if tool and not isinstance(exc, InvalidResult) else Failure("internal", shown)


def _expected(ctx: Context, exc: BaseException, text: str) -> Outcome | None:
    # Exceptions that are part of the conversation: no traceback, never hidden.
    tool = ctx.kind == "tool"
    if isinstance(exc, ToolError):
        if tool:
            content = getattr(exc, "content", None)
            return error_result(text if content is None else content)
        failure = "invalid_params" if isinstance(exc, ArgumentError) else "internal"
        return Failure(failure, text)
    if isinstance(exc, NotFound | Forbidden | Unauthorized) and tool:
        return error_result(text)
    if isinstance(exc, NotFound):
        # Of a resource the peer hears the URI it asked for, whatever the exception says.
        return Failure("not_found", ctx.name if ctx.kind == "resource" else text, data=_data(exc))
    if isinstance(exc, InvalidParams):
        return Failure("invalid_params", text, data=_data(exc))
    if isinstance(exc, MissingClientCapability):
        return Failure("missing_capability", text, data=msgspec.json.encode(exc.needed))
    if isinstance(exc, AskError):
        return error_result(text) if tool else Failure("internal", text)
    if isinstance(exc, McpError):
        return Failure("custom", text, exc.code, _data(exc))
    if isinstance(exc, Forbidden | Unauthorized):
        return Failure("internal", text)
    return None


def for_head(ctx: Context, exc: BaseException) -> tuple[int, tuple[tuple[str, str], ...]] | None:
    """Status and headers, if an exception is one that HTTP has its own words for (see `auth.InsufficientScope`)."""
    status, headers = getattr(exc, "http_status", None), getattr(exc, "http_headers", ())
    challenge = getattr(ctx.request.auth, "challenge", None)
    if isinstance(exc, Unauthorized) and challenge is not None:
        return 401, (("WWW-Authenticate", challenge(ctx.request)),)
    return None if status is None else (status, tuple(headers))


def _with_head(ctx: Context, outcome: Outcome, exc: BaseException) -> Outcome:
    # Such a refusal needs a head, and so a protocol error.
    head = for_head(ctx, exc)
    if head is None:
        return outcome
    status, headers = head
    failure = outcome if isinstance(outcome, Failure) else Failure("invalid_params", str(exc))
    return msgspec.structs.replace(failure, status=status, headers=headers)


def _nothing_there(call: Call) -> Outcome:
    if call.kind == "completion":
        return b'{"completion":{"values":[]}}'
    if call.kind == "custom":
        return Failure("method_not_found", f"method {call.name!r} has no handler")
    return Failure("not_found", f"{call.kind} {call.name!r} is gone")


def _data(exc: BaseException) -> bytes | None:
    data: Any = getattr(exc, "data", None)
    return None if data is None else msgspec.json.encode(data, enc_hook=str)


def reporter(server: Server, ctx: Context) -> Any:
    """What is told of repaired arguments: the server's hooks; None if there are none."""
    if not server.repair_hooks:
        return None

    def report(repair: Any) -> None:
        for hook in server.repair_hooks:
            try:
                hook(ctx, repair)
            except Exception:
                log.exception("the on_repair hook failed")

    return report
