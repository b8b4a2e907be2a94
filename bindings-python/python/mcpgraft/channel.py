"""What a running call says to its peer over HTTP: notifications first, if the peer can hear them, then the result."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._native import KEEP_ALIVE, Reply
from .dispatch import Failure, Outcome, settle
from .state import session_owner

if TYPE_CHECKING:
    from ._native import Call, Emit, Exchange, Task
    from ._native import _Ask as NativeAsk
    from ._native import _Unable as Unable
    from .context import Waiting
    from .events import Record

__all__ = ["Answer", "Complete", "HeaderList", "HttpChannel", "ReadBody", "StartStream", "Write", "late_channel"]

HeaderList = list[tuple[str, str]]
ReadBody = Callable[[int], Any]
"""Reads at most that many bytes of the body, fewer only at its end; sync or async."""
Write = Callable[[bytes], object]
"""Writes to the response. Nothing, `b""`, ends it while the call goes on (`close_stream`)."""
StartStream = Callable[[int, HeaderList], Write]
"""Starts the response with a status and headers and gives the function that writes the body."""


GRACE = 30.0
"""Seconds that an answer is waited for when the stream of its question broke; in the handshake era that takes no call
back, and the answer comes in a request of its own."""


class Answer(NamedTuple):
    """A complete response."""

    status: int
    headers: HeaderList
    body: bytes

    def sized(self) -> HeaderList:
        """The headers, with a Content-Length where a body is possible."""
        if self.status in (204, 304) or any(name.lower() == "content-length" for name, _ in self.headers):
            return self.headers
        return [*self.headers, ("Content-Length", str(len(self.body)))]


Complete = Answer | Reply
"""A complete response: one made here, or one as the core gives it."""


class Answering(Protocol):
    """Where answers that come in other requests are waited for: `mcpgraft.hub.Hub`."""

    def expect(self, session: str, ask: str) -> Waiting:
        """Wait for the answer to a question of a session, from now on; `ask` is the question's id."""
        ...


class HttpChannel:
    """What a running call says on its way: notifications first, if the peer can hear them, then the result."""

    takes_text = False
    __slots__ = (
        "_closed",
        "_exchange",
        "_full",
        "_hub",
        "_lock",
        "_lost",
        "_record",
        "_session",
        "_start",
        "_write",
        "answer",
        "client",
        "is_left",
        "room",
    )

    def __init__(
        self,
        exchange: Exchange,
        start: StartStream | None,
        full: Callable[[], bool] | None = None,
        session: str | None = None,
        hub: Answering | None = None,
        record: Record | None = None,
        room: int = 0,
        left: Callable[[], bool] = bool,
    ) -> None:
        self.client = None if session is None else session_owner(session)
        self.room = room
        self.is_left = left
        self._exchange = exchange
        self._record = record
        self._session = session
        self._hub = hub
        self._start = start
        self._full = full or bool
        self._write: Write | None = None
        self._lost: float | None = None
        self._closed = False
        self._lock = threading.Lock()
        self.answer: Answer | None = None
        """The whole response, if nothing was streamed."""

    @property
    def started(self) -> bool:
        """Whether the response has begun: then it is no longer a whole one."""
        return self._write is not None or self._lost is not None or self._closed

    def progress(self, key: int, progress: float, total: float | None, message: str | None) -> None:
        if self._start is not None and not self._full():
            with self._lock:
                self._emit(self._exchange.progress(key, progress, total, message))

    def log(self, key: int, level: str, data: bytes, logger: str | None) -> None:
        if self._start is not None and not self._full():
            with self._lock:
                self._emit(self._exchange.log(key, level, data, logger))

    def task_progress(self, key: int, task: Task, progress: float, total: float | None, message: str | None) -> None:
        if self._start is not None and not self._full():
            with self._lock:
                self._emit(self._exchange.task_progress(key, task, progress, total, message))

    def begin_stream(self, key: int) -> None:
        if self._start is not None:
            with self._lock:
                self._emit(self._exchange.begin_stream(key))

    def can_ask(self, key: int, ask: NativeAsk) -> Unable | None:
        return self._exchange.can_ask(key, ask)

    def no_way(self, call: Call) -> str | None:
        if self._session is None or self._hub is None:
            return "this client cannot be asked: the server keeps no session for it"
        if self._start is None or not self._exchange.can_stream or call.batched:
            return "this client cannot be asked: its request takes no event stream"
        return None

    def ask(self, key: int, ask: NativeAsk) -> Waiting:
        from secrets import token_urlsafe

        assert self._hub is not None  # `no_way` was asked before
        assert self._session is not None
        id_ = token_urlsafe(18)
        # The answer may be here before the question is written out.
        waiting = Asked(self, key, id_, self._hub.expect(self._session, id_))
        try:
            with self._lock:
                self._emit(self._exchange.ask(key, id_, ask))
        except BaseException:
            waiting.close()
            raise
        return waiting

    def give_up(self, key: int, id_: str) -> None:
        """Tell the client that nobody waits for an answer any more."""
        with self._lock:
            self._emit(self._exchange.give_up(key, id_))

    def peer_is_lost(self) -> bool:
        """True if the stream broke so long ago that no answer to anything on it will come."""
        if self._record is not None:  # the client may come back for the question
            return False
        return self._lost is not None and time.monotonic() - self._lost > GRACE

    def keep_alive(self) -> None:
        with self._lock:
            self._send(KEEP_ALIVE)

    def elicitation_complete(self, key: int, id: str) -> None:
        if self._start is not None:
            with self._lock:
                self._emit(self._exchange.elicitation_complete(key, id))

    def close_stream(self, key: int, retry_ms: int) -> bool:
        """End the response now; the client comes back for the rest. False: it cannot."""
        if self._start is None or self._record is None:
            return False
        with self._lock:
            emit = self._exchange.close_stream(key, retry_ms)
            if emit is None:
                return False
            self._emit(emit, closes=True)
            self._send(b"")
            self._write, self._closed = None, True
        return True

    def settle(self, call: Call, outcome: Outcome) -> None:
        """Answer the call."""
        with self._lock:
            emit = settle(self._exchange, call, outcome)
            if isinstance(outcome, Failure):
                self._emit(emit, outcome.status, outcome.headers)
            else:
                self._emit(emit)

    def _emit(
        self,
        emit: Emit | None,
        status: int | None = None,
        extra: tuple[tuple[str, str], ...] = (),
        *,
        closes: bool = False,
    ) -> None:
        if emit is None:
            return
        head = emit.head
        if head is not None:
            headers = [*head.headers, *extra]
            if emit.end and not closes:
                self.answer = Answer(status or head.status, headers, emit.body)
                return
            if self._start is not None:
                self._write = self._start(head.status, headers)
        if self._record is not None and emit.body:
            self._record.keep(emit)
        elif self._record is not None:
            self._record.end()
        if emit.body:
            self._send(emit.body)

    def _send(self, data: bytes) -> None:
        if self._write is not None:
            try:
                self._write(data)
            except Exception:
                # The peer is gone: each server has its own exception for that. The handler learns it by `cancelled`.
                self._write = None
                self._lost = time.monotonic()
                self._exchange.close()


class _Late:
    takes_text = False
    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], HttpChannel]) -> None:
        self._make = make
        self._made: HttpChannel | None = None

    def __getattr__(self, name: str) -> object:
        if self._made is None:
            self._made = self._make()
        return getattr(self._made, name)


def late_channel(make: Callable[[], HttpChannel]) -> HttpChannel:
    """A channel that is made when something is said or asked on it: functions that take no context never do."""
    late: Any = _Late(make)
    channel: HttpChannel = late
    return channel


class Asked:
    """Waits for the answer to a question, which comes in another request of the session."""

    def __init__(self, channel: HttpChannel, key: int, id_: str, expected: Waiting) -> None:
        self._channel = channel
        self._key = key
        self._id = id_
        self._expected = expected
        self._answered = False

    def wait(self, timeout: float) -> tuple[bool, bytes] | None:
        return self._note(self._expected.wait(timeout))

    async def wait_async(self, timeout: float) -> tuple[bool, bytes] | None:
        return self._note(await self._expected.wait_async(timeout))

    def close(self) -> None:
        self._expected.close()
        if not self._answered:
            self._answered = True
            self._channel.give_up(self._key, self._id)

    def _note(self, answer: tuple[bool, bytes] | None) -> tuple[bool, bytes] | None:
        self._answered = self._answered or answer is not None
        if answer is None and self._channel.peer_is_lost():
            raise ConnectionError("the client went away before it answered")
        return answer
