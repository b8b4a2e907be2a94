"""The context object a handler asks for by annotation: who is calling, progress, logs, cancellation, questions."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ._native import LocalError
from ._typing.encode import clean, dumps
from ._typing.late import Protocol
from .asking import Asking
from .errors import Cancelled
from .request import Headers, Request

if TYPE_CHECKING:
    from ._native import Call, Pace, Task
    from ._native import _Ask as NativeAsk
    from ._native import _Unable as Unable
    from .replay import Replay
    from .server import Server
    from .task_run import CurrentTask

__all__ = ["Cancelled", "Channel", "Context", "Level", "Waiting"]

Level = Literal["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
"""Severity of a log message, least first (RFC 5424)."""


class Waiting(Protocol):
    """Waits for the answer to one question."""

    def wait(self, timeout: float) -> tuple[bool, bytes] | None:
        """The result (True) or error object (False); None if it did not come within that many seconds."""

    async def wait_async(self, timeout: float) -> tuple[bool, bytes] | None:
        """The same on an event loop."""

    def close(self) -> None:
        """Nobody waits any more."""


class Channel(Protocol):
    """Where a running call speaks to its peer. All methods may be called from any thread and never block for long."""

    @property
    def takes_text(self) -> bool:
        """Whether an outcome may be the text of a tool's result instead of the result."""

    def progress(self, key: int, progress: float, total: float | None, message: str | None) -> None: ...
    def log(self, key: int, level: str, data: bytes, logger: str | None) -> None: ...

    def can_ask(self, key: int, ask: NativeAsk) -> Unable | None:
        """Why this client cannot be asked that; None if it can."""

    def no_way(self, call: Call) -> str | None:
        """Why no question reaches the client of a handshake-era call; None if one would."""

    def ask(self, key: int, ask: NativeAsk) -> Waiting:
        """Ask the client of a handshake-era call. Raises `LocalError` if it cannot be asked after all."""

    @property
    def client(self) -> str | None:
        """Names the client of the handshake era where no principal does: its session; `""` on a connection of its own;
        None: it cannot be told from others."""

    @property
    def room(self) -> int:
        """How many calls of one process may wait for what is not run for them; 0: none."""

    def begin_stream(self, key: int) -> None:
        """The call waits: begin its event stream, if it can have one, so that it can be kept alive."""

    def is_left(self) -> bool:
        """Whether nobody is there any more to hear the answer of a call that waits."""

    def task_progress(self, key: int, task: Task, progress: float, total: float | None, message: str | None) -> None:
        """Tell how far a task has come, on a call that waits for it."""

    def keep_alive(self) -> None:
        """Something is waited for: keep the connection from looking dead."""

    def elicitation_complete(self, key: int, id: str) -> None: ...
    def close_stream(self, key: int, retry_ms: int) -> bool:
        """End the response before the answer; False if the client could not come back for it."""


class Done:
    """Already finished; can be awaited, so `await ctx.progress(...)` works as well as `ctx.progress(...)`."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, None]:
        # One bare turn of the event loop: what was just emitted gets its chance to leave.
        yield


_DONE = Done()


class Context(Asking):
    """What a handler can know and say about the call it answers. Valid until the handler returns."""

    __slots__ = ("_channel", "_decoded", "_pace", "_replay", "_task", "call", "request", "server")

    def __init__(self, call: Call, channel: Channel, server: Server, request: Request) -> None:
        self.call = call
        """The raw native call."""
        self.request = request
        """The HTTP request it came in, or an empty one on stdio."""
        self.server = server
        self._channel = channel
        self._decoded: dict[str, Any] = {}
        self._replay: Replay | None = None
        self._task: CurrentTask | None = None
        self._pace: Pace | None = None

    # --- what is asked -------------------------------------------------------------------------------------------

    @property
    def kind(self) -> str:
        """`tool`, `resource`, `prompt`, `completion` or `custom`."""
        return self.call.kind

    @property
    def name(self) -> str:
        """Name of the tool or prompt, the URI of the resource, or the custom method."""
        return self.call.name

    @property
    def arguments(self) -> dict[str, Any]:
        """The arguments as the peer sent them, decoded but neither validated nor converted."""
        return self._object("arguments", self.call.arguments)

    @property
    def meta(self) -> dict[str, Any]:
        """The request's `_meta` object; empty if there was none."""
        return self._object("meta", self.call.meta)

    @property
    def revision(self) -> str:
        """The protocol revision spoken for this call."""
        return self.call.revision

    @property
    def client_info(self) -> dict[str, Any]:
        """Name and version of the client, when known."""
        return self._object("client_info", self.call.client_info)

    @property
    def capabilities(self) -> dict[str, Any]:
        """What the client declared it can do, when known."""
        return self._object("capabilities", self.call.client_capabilities)

    # --- who asks ------------------------------------------------------------------------------------------------

    @property
    def headers(self) -> Headers:
        """HTTP headers of the request, by case-insensitive name; empty on stdio."""
        return self.request.headers

    @property
    def principal(self) -> Any:
        """Who calls, as the server's `auth` found out; None without auth."""
        return self.request.principal

    @property
    def traceparent(self) -> str | None:
        """W3C trace context of the caller: from `_meta`, else from the HTTP header."""
        return self._trace("traceparent")

    @property
    def tracestate(self) -> str | None:
        """W3C vendor trace state that belongs to `traceparent`."""
        return self._trace("tracestate")

    @property
    def baggage(self) -> str | None:
        """W3C baggage of the caller."""
        return self._trace("baggage")

    # --- saying something while running --------------------------------------------------------------------------

    def progress(self, progress: float, total: float | None = None, message: str | None = None) -> Done:
        """Tell the peer how far the work is. `progress` must grow from one call to the next; `total` may be unknown.

        Best effort: without a peer that asked for progress, or on a channel that cannot carry it, nothing is sent. Of
        what comes faster than `Server(limits={"progress_rate": ...})` a second (100), a burst of as many passes, and
        the last one.
        """
        if self.call.progress_wanted and not self._muted and self._in_pace(progress, total):
            said = None if message is None else clean(message)
            self._tell(lambda: self._channel.progress(self.call.key, progress, total, said))
        return _DONE

    def log(self, level: Level, data: object, *, logger: str | None = None) -> Done:
        """Send a log message to the peer: any JSON value, usually a text. Best effort, as `progress`."""
        if self.call.log_level is not None and not self._muted:
            text = _json(data)
            self._tell(lambda: self._channel.log(self.call.key, level, text, logger))
        return _DONE

    def debug(self, data: object, *, logger: str | None = None) -> Done:
        """`log` at level debug."""
        return self.log("debug", data, logger=logger)

    def info(self, data: object, *, logger: str | None = None) -> Done:
        """`log` at level info."""
        return self.log("info", data, logger=logger)

    def warning(self, data: object, *, logger: str | None = None) -> Done:
        """`log` at level warning."""
        return self.log("warning", data, logger=logger)

    def error(self, data: object, *, logger: str | None = None) -> Done:
        """`log` at level error."""
        return self.log("error", data, logger=logger)

    def close_stream(self, retry_ms: int = 1000) -> bool:
        """End the response of a long call now: the client comes back for the answer after `retry_ms` milliseconds.

        So no proxy has to keep a silent connection open. Returns False, and nothing happens, where the client could not
        come back: it has to be in a session of `2025-11-25`, take event streams, and the server to keep events
        (`Server(events=...)`).
        """
        return not self._muted and self._channel.close_stream(self.call.key, retry_ms)

    @property
    def task(self) -> CurrentTask:
        """The task this handler runs as; false if it runs within its request. See `mcpgraft.tasks`."""
        if self._task is None:
            from .task_run import CurrentTask

            self._task = CurrentTask()
        return self._task

    # --- being taken back ----------------------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        """True once the peer took the call back (a cancellation, or a disconnect where that counts as one)."""
        return self.call.cancelled

    def check_cancelled(self) -> None:
        """Raise `Cancelled` if the peer took the call back. Call it between the steps of long work."""
        if self.call.cancelled:
            raise Cancelled(self.call.name)

    @property
    def _muted(self) -> bool:
        # What the handler says before the question it comes back for was said in the run before.
        return self._replay is not None and self._replay.muted

    def _in_pace(self, progress: float, total: float | None) -> bool:
        if self._pace is None:
            self._pace = self.server.core.pace()
        return self._pace.admits(progress, total, now=int(self.server.clock() * 1000))

    @staticmethod
    def _tell(say: Callable[[], None]) -> None:
        try:
            say()
        except LocalError as wrong:
            # Said by a thread that outlived the call, or after the peer left: nobody is there to hear it.
            if wrong.name not in ("unknown_call", "over"):
                raise

    def _object(self, field: str, text: bytes | None) -> dict[str, Any]:
        found = self._decoded.get(field)
        if found is None:
            value = msgspec.json.decode(text) if text else {}
            found = self._decoded[field] = value if isinstance(value, dict) else {}
        return typing.cast("dict[str, Any]", found)

    def _trace(self, field: str) -> str | None:
        value = self.meta.get(field)
        return value if isinstance(value, str) else self.headers.get(field)


def _json(data: object) -> bytes:
    try:
        return dumps(data)
    except TypeError:
        return dumps(str(data))


def inject(annotation: object) -> str | None:
    """Tell the signature compiler which parameters the host provides: `Context` and `Context | None`."""
    if annotation is Context:
        return "context"
    if typing.get_origin(annotation) in (typing.Union, types.UnionType) and Context in typing.get_args(annotation):
        return "context"
    return None
