"""One run of a task's handler, after its request was answered: the call it sees, and how it learns that it is not
wanted any more."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ._native import Task
from .context import Context
from .errors import Refused
from .replay import Replay
from .state import Kept, Known

if TYPE_CHECKING:
    from ._native import Call
    from ._native import _Ask as NativeAsk
    from ._native import _Unable as Unable
    from .context import Waiting
    from .request import Request
    from .server import Server

__all__ = ["Begin", "CurrentTask", "Job", "Run", "begins", "context_of"]

LOOK = 1.0
"""Seconds between two looks into the store: another worker may have taken the task back, or it has expired."""


class Job(msgspec.Struct, omit_defaults=True):
    """What it takes to go on with a task, on any worker. What the client sent is JSON text."""

    tool: str
    arguments: str
    revision: str
    meta: str | None = None
    client_info: str | None = None
    client_capabilities: str | None = None
    # What the runs before have left.
    round: int = 0
    answers: dict[str, Known] = {}
    memo: dict[str, Any] = {}
    open: dict[str, Any] = {}
    ids: dict[str, str] = {}
    steps: bool = False
    state: Any = None
    wires: dict[str, str] = {}
    """Every question the client was asked, and under which key of the handler's; the client never sees one twice."""
    refused: dict[str, tuple[str, list[str] | None, str, int | None]] = {}
    """Questions the client refused (2025-11-25): digest and spec, its words and its code."""
    begun: bool = False
    """There was a run before."""

    @classmethod
    def of(cls, call: Call) -> Job:
        """The job of a tool call."""

        def text(given: bytes | None) -> str | None:
            return None if given is None else given.decode()

        return cls(
            call.entry or call.name,
            call.arguments.decode(),
            call.revision,
            text(call.meta),
            text(call.client_info),
            text(call.client_capabilities),
        )

    def keep(self, kept: Kept) -> None:
        """Take what a run leaves for the next one."""
        self.round, self.memo, self.open = kept.round, kept.memo, kept.open
        self.answers = {key: known for key, known in kept.answers.items() if known.error is None}
        self.refused = {
            key: (known.digest, known.spec, str(known.error), getattr(known.error, "code", None))
            for key, known in kept.answers.items()
            if known.error is not None
        }
        self.ids, self.steps, self.state, self.begun = kept.ids, kept.steps, kept.state, True

    def kept(self) -> Kept | None:
        """What the run before has left."""
        if not self.begun:
            return None
        answers = dict(self.answers)
        for key, (digest, spec, words, code) in self.refused.items():
            answers[key] = Known(digest, None, spec, Refused(words, key, code))
        return Kept(self.round, answers, self.memo, self.open, self.ids, self.steps, self.state)

    def wire(self, key: str) -> str:
        """A key for the client that it has not seen before, for a question of the handler's."""
        wire, number = key, 1
        while wire in self.wires:
            number += 1
            wire = f"{key}.{number}"
        self.wires[wire] = key
        return wire


class Run:
    """One run in this process."""

    def __init__(self, id: str, look: Callable[[], bool]) -> None:
        self.id = id
        self.stop: Callable[[], object] = lambda: None
        """Ends what can be ended from outside: an async handler, or a run that has not begun."""
        self._taken_back = threading.Event()
        self._look = look
        self._looked = time.monotonic()

    def take_back(self) -> None:
        """Nobody wants the result any more."""
        self._taken_back.set()
        self.stop()

    def wait(self, seconds: float) -> bool:
        """Wait, unless the task is taken back: then True, at once."""
        return self._taken_back.wait(seconds)

    @property
    def taken_back(self) -> bool:
        """True once nobody wants the result."""
        if not self._taken_back.is_set() and time.monotonic() - self._looked > LOOK:
            self._looked = time.monotonic()
            if self._look():
                self._taken_back.set()
        return self._taken_back.is_set()


class Begin(BaseException):
    """Leaves a handler that goes on as a task. Not an `Exception`: a handler must not take it for a failure."""


def begins(exc: BaseException) -> bool:
    """Whether an exception is `Begin`, also as all of a group's members."""
    if isinstance(exc, Begin):
        return True
    members: tuple[BaseException, ...] = getattr(exc, "exceptions", ())
    return bool(members) and all(map(begins, members))


class CurrentTask:
    """What a handler knows of the task it runs as (`Context.task`). False if it runs within its request."""

    __slots__ = ("_begin", "_run", "_say")

    def __init__(
        self, run: Run | None = None, say: Callable[[str], object] | None = None, *, begin: bool = False
    ) -> None:
        self._run = run
        self._say = say
        self._begin = begin

    def __bool__(self) -> bool:
        return self._run is not None

    @property
    def id(self) -> str | None:
        """The task's id; None without a task."""
        return None if self._run is None else self._run.id

    def status(self, message: str) -> None:
        """Say for people what it is doing: `statusMessage` of the task. Without a task nothing is said."""
        if self._say is not None:
            self._say(message)

    def begin(self) -> None:
        """In a tool with `task="deferred"`: from here on run as a task, if the client takes one.

        The call is answered, and the handler is run again from its start, in the background: what it asked the client
        before is answered, `memo` gives what it gave, and this does nothing.
        """
        if self._begin:
            raise Begin


class _Detached:
    # A call whose request was answered: nothing can be said on it.
    key = -1
    kind = "tool"
    method = "tools/call"
    cursor = None
    stateless = True
    request_state = None
    log_level = None
    batched = False
    tasks = wants_task = waits = False
    task_ttl_ms = None

    def __init__(self, job: Job, run: Run, task: Task, input_responses: bytes | None) -> None:
        def given(text: str | None) -> bytes | None:
            return None if text is None else text.encode()

        self.name = self.entry = job.tool
        self.arguments = job.arguments.encode()
        self.variables: dict[str, str] = {}
        self.meta = given(job.meta)
        self.revision = job.revision
        self.progress_wanted = task.progress_wanted
        self.client_info = given(job.client_info)
        self.client_capabilities = given(job.client_capabilities)
        self.input_responses = input_responses
        self._run = run

    @property
    def cancelled(self) -> bool:
        return self._run.taken_back


Tell = Callable[[float, float | None, str | None], object]
"""Passes on progress, total and message."""


class _Apart:
    # Tasks have no logs, and progress in 2025-11-25 only; what they ask, their client collects by requests of its own.
    takes_text = False
    client = None
    room = 0

    def __init__(self, task: Task, tell: Tell) -> None:
        self._task = task
        self._tell = tell
        self._told: float | None = None

    def progress(self, key: int, progress: float, total: float | None, message: str | None) -> None:
        if self._told is None or progress > self._told:
            self._told = progress
            self._tell(progress, total, message)

    def log(self, key: int, level: str, data: bytes, logger: str | None) -> None:
        pass

    def can_ask(self, key: int, ask: NativeAsk) -> Unable | None:
        return self._task.can_ask(ask)

    def no_way(self, call: Call) -> str | None:
        return None

    def ask(self, key: int, ask: NativeAsk) -> Waiting:
        raise AssertionError("a task is no call of the handshake era")

    def begin_stream(self, key: int) -> None:
        pass

    def keep_alive(self) -> None:
        pass

    def is_left(self) -> bool:
        return False

    def task_progress(self, key: int, task: Task, progress: float, total: float | None, message: str | None) -> None:
        pass

    def close_stream(self, key: int, retry_ms: int) -> bool:
        return False

    def elicitation_complete(self, key: int, id: str) -> None:
        pass


def refusal(error: bytes) -> msgspec.Raw:
    """What is kept in the place of an answer when the client refused to give one."""
    return msgspec.Raw(b'{"refused":' + error + b"}")


def refusal_in(kept: msgspec.Raw) -> bytes | None:
    """The error in what `refusal` gave; None in a real answer."""
    found = msgspec.json.decode(kept, type=dict[str, msgspec.Raw])
    return bytes(found["refused"]) if "refused" in found else None


def context_of(
    job: Job, run: Run, task: Task, server: Server, request: Request, say: Callable[[str], object], tell: Tell
) -> Context:
    """The context of one run of a task's handler, with the answers that came since the one before."""
    given = msgspec.json.decode(task.answers, type=dict[str, msgspec.Raw])
    # Of questions asked twice the last one counts: they stand in the order they were asked.
    answers = {key: given[wire] for wire, key in job.wires.items() if wire in given}
    refused = {key: error for key, raw in answers.items() if task.experimental and (error := refusal_in(raw))}
    answers = {key: raw for key, raw in answers.items() if key not in refused}
    responses = msgspec.json.encode(answers) if job.begun else None
    call = cast("Call", _Detached(job, run, task, responses))
    ctx = Context(call, _Apart(task, tell), server, request)
    ctx._task = CurrentTask(run, say)
    kept = job.kept()
    if kept is not None:
        ctx._replay = Replay(ctx, kept)
        for key, error in refused.items():
            ctx._replay.refuse(key, error)
    return ctx
