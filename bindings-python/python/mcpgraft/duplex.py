"""What calls say on a duplex channel: their questions, handing the answers to who waits for them, and the rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._native import Call, Session, Step, Task
    from ._native import _Ask as NativeAsk
    from ._native import _Unable as Unable

__all__ = ["DuplexChannel", "Questions"]

Say = Callable[[Callable[[], bytes | None]], None]
"""Makes a message and writes it, both under the channel's lock: what is made first must leave first."""


class Questions:
    """The open questions of one connection. A connection gives it what comes in and lets it write."""

    def __init__(self, session: Session, say: Say) -> None:
        self._session = session
        self._say = say
        self._lock = threading.Lock()
        self._open: dict[int, _Waiting] = {}
        self._over = False

    def can_ask(self, key: int, ask: NativeAsk) -> Unable | None:
        return self._session.can_ask(key, ask)

    def no_way(self, call: Call) -> str | None:
        return "this client cannot be asked: its connection has ended" if self._over else None

    def ask(self, key: int, ask: NativeAsk) -> _Waiting:
        """Send a question of a call. Raises `LocalError`."""
        waiting = _Waiting(self, key)

        def make() -> bytes:
            message, waiting.number = self._session.ask(key, ask)
            # Before it is written: the answer is read by another thread.
            with self._lock:
                self._open[waiting.number] = waiting
            return message

        self._say(make)
        if self._over:
            waiting.put(None)
        return waiting

    def answered(self, step: Step) -> None:
        """A step `answer` came in."""
        with self._lock:
            waiting = self._open.pop(step.ask if step.ask is not None else -1, None)
        if waiting is not None:
            waiting.put((step.ok, step.params or b"null"))

    def withdrawn(self, key: int | None) -> None:
        """A call was taken back, and its questions with it: nobody needs to wait for the next look."""
        with self._lock:
            waiting = [one for one in self._open.values() if one.key == key]
        for one in waiting:
            one.wake()

    def end(self) -> None:
        """Nothing comes in any more."""
        with self._lock:
            self._over = True
            waiting, self._open = list(self._open.values()), {}
        for one in waiting:
            one.put(None)

    def forget(self, waiting: _Waiting) -> None:
        """Nobody waits for it any more; the client is told, unless it has answered or taken the call back."""
        with self._lock:
            was = self._open.pop(waiting.number, None)
        if was is not None:
            self._say(lambda: self._session.give_up(waiting.number))


class DuplexChannel:
    """The `Channel` of the calls of one connection."""

    takes_text = True
    client = ""
    room = 1_000_000  # the limit of calls in work is a lower one

    def __init__(self, session: Session, questions: Questions, say: Say) -> None:
        self._session = session
        self._say = say
        self.can_ask = questions.can_ask
        self.no_way = questions.no_way
        self.ask = questions.ask

    def progress(self, key: int, progress: float, total: float | None, message: str | None) -> None:
        self._say(lambda: self._session.progress(key, progress, total, message))

    def log(self, key: int, level: str, data: bytes, logger: str | None) -> None:
        self._say(lambda: self._session.log(key, level, data, logger))

    def task_progress(self, key: int, task: Task, progress: float, total: float | None, message: str | None) -> None:
        pass  # the connection is told itself

    def elicitation_complete(self, key: int, id: str) -> None:
        self._say(lambda: self._session.elicitation_complete(id))

    def begin_stream(self, key: int) -> None:
        pass

    def keep_alive(self) -> None:
        pass  # a pipe does not die of silence

    def close_stream(self, key: int, retry_ms: int) -> bool:
        return False

    def is_left(self) -> bool:
        return False  # a connection that ends ends its questions; nothing else hangs on who reads


class _Waiting:
    def __init__(self, questions: Questions, key: int) -> None:
        self._questions = questions
        self._changed = threading.Condition()
        self._answer: tuple[bool, bytes] | None = None
        self._lost = self._woken = False
        self.key = key
        self.number = -1

    def put(self, answer: tuple[bool, bytes] | None) -> None:
        with self._changed:
            self._answer, self._lost = answer, answer is None
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._woken = True
            self._changed.notify_all()

    def wait(self, timeout: float) -> tuple[bool, bytes] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._answer is not None or self._lost or self._woken, timeout)
            self._woken = False
            if self._lost:
                raise ConnectionError("the connection ended before the client answered")
            return self._answer

    async def wait_async(self, timeout: float) -> tuple[bool, bytes] | None:
        import asyncio

        # Duplex channels run handlers in threads; on a loop somebody only tests. So a look now and then is enough.
        deadline = time.monotonic() + timeout
        while (answer := self.wait(0)) is None and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        return answer

    def close(self) -> None:
        self._questions.forget(self)
