"""The native module: bytes in, bytes out. Every object locks for itself and is usable from any thread."""

from collections.abc import Coroutine, Iterable
from typing import Any, Literal, TypeAlias, final

from typing_extensions import Self

__all__ = [
    "KEEP_ALIVE",
    "LIMITS",
    "NONCE_BYTES",
    "REVISIONS",
    "SESSION_HEADER",
    "VERSION",
    "BadSeal",
    "Batch",
    "Call",
    "Core",
    "Emit",
    "Exchange",
    "Framer",
    "HttpStep",
    "Keys",
    "Listener",
    "LocalError",
    "Reply",
    "Session",
    "Step",
    "Task",
    "Validator",
    "accepts",
    "begin",
]

_Ask: TypeAlias = (
    tuple[Literal["form"], str, bytes]
    | tuple[Literal["url"], str, str, str]
    | tuple[Literal["sample"], bytes]
    | tuple[Literal["task"], str, bytes]
    | tuple[Literal["roots"]]
)
"""A question to the client: a form (message, schema), a URL (message, url, id), sampling (params), or roots."""
_Unable: TypeAlias = tuple[str, str, bytes | None]
"""Why a client cannot be asked: `capability`, `revision` or `wrong`; for people; the capabilities that are needed."""

VERSION: str
REVISIONS: tuple[str, ...]
"""Served protocol revisions, newest first."""
LIMITS: dict[str, int]
"""Names and defaults of every limit that `Core(limits=...)` takes."""
SESSION_HEADER: str
"""The header that names a session."""
KEEP_ALIVE: bytes
"""The comment that keeps an idle event stream open."""
NONCE_BYTES: int
"""How many random bytes a nonce of `Keys` has."""

class LocalError(ValueError):
    """The host's mistake; nothing changed."""

    code: int
    """A stable number shared by all bindings."""
    name: str
    """For example `unknown_call`."""

@final
class Core:
    """What a server offers: identity, capabilities, limits, catalogue. Shared by all sessions and exchanges."""

    def __new__(
        cls,
        info: bytes,
        *,
        instructions: str | None = None,
        limits: dict[str, int] | None = None,
        options: dict[str, object] | None = None,
    ) -> Self: ...
    def put(self, kind: str, definition: bytes) -> bool: ...
    def remove(self, kind: str, key: str) -> bool: ...
    def keys(self, kind: str) -> list[str]: ...
    def get(self, kind: str, key: str) -> bytes | None: ...
    def pace(self) -> Pace:
        """For one call, by the limits."""
    def session(self) -> Session: ...
    def framer(self) -> Framer: ...
    def exchange(
        self,
        method: str,
        headers: Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]] | dict[str, Any],
        *,
        peer: str | None = None,
        stream: bool = True,
        listen: bool = False,
        events: str | None = None,
    ) -> Exchange: ...
    def enter(
        self,
        method: str,
        headers: Iterable[tuple[str, str]] | Iterable[tuple[bytes, bytes]] | dict[str, Any],
        peer: str | None,
        listen: bool,
    ) -> Exchange | Reply:
        """`exchange` and `gate` in one: the answer if the request is refused. No events, and it can stream."""

@final
class Call:
    """One thing to run. Frozen, except `cancelled`, which is live."""

    @property
    def key(self) -> int: ...
    @property
    def kind(self) -> str: ...
    @property
    def method(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def entry(self) -> str | None: ...
    @property
    def arguments(self) -> bytes: ...
    @property
    def variables(self) -> dict[str, str]: ...
    @property
    def cursor(self) -> str | None: ...
    @property
    def meta(self) -> bytes | None: ...
    @property
    def revision(self) -> str: ...
    @property
    def stateless(self) -> bool: ...
    @property
    def client_info(self) -> bytes | None: ...
    @property
    def client_capabilities(self) -> bytes | None: ...
    @property
    def input_responses(self) -> bytes | None: ...
    @property
    def request_state(self) -> str | None: ...
    @property
    def progress_wanted(self) -> bool: ...
    @property
    def log_level(self) -> str | None: ...
    @property
    def batched(self) -> bool: ...
    @property
    def cancelled(self) -> bool: ...
    @property
    def fresh(self) -> bool:
        """Whether it is a request of its own, with nothing from a round before."""
    @property
    def wants_task(self) -> bool:
        """The client asks for a task with this very call (2025-11-25): nothing else answers it."""
    @property
    def task_ttl_ms(self) -> int | None:
        """How long it wants it kept, in ms."""
    @property
    def waits(self) -> bool:
        """Its answer waits for something that is not run for it, maybe for long (`tasks/result`)."""
    @property
    def tasks(self) -> bool:
        """The client takes a task for an answer to this call (of a server that offers them)."""
    def new_task(self, id: str, *, owner: str | None, now: int, ttl_ms: int | None, poll_ms: int | None) -> Task:
        """A task for this call, as it begins. `now` in ms since the epoch; durations in ms, more than 0."""

@final
class Step:
    """What a message on a duplex channel led to; `send` must be written whatever `event` is."""

    @property
    def send(self) -> bytes | None: ...
    @property
    def event(self) -> str: ...
    @property
    def call(self) -> Call | None: ...
    @property
    def batch(self) -> Batch | None: ...
    @property
    def key(self) -> int | None: ...
    @property
    def method(self) -> str | None: ...
    @property
    def params(self) -> bytes | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def ask(self) -> int | None: ...
    @property
    def ok(self) -> bool: ...
    @property
    def left(self) -> int: ...

@final
class Batch:
    """A JSON-RPC batch: answer each call before asking for the next."""

    def next(self) -> Step | None: ...

@final
class Session:
    """One duplex channel."""

    def accept(self, message: bytes) -> Step: ...
    def too_long(self) -> bytes | None: ...
    def reply(self, key: int, result: bytes) -> bytes | None: ...
    def reply_text(self, key: int, text: str) -> bytes | None:
        """Answers a tool call with a text. `UnicodeEncodeError` for lone surrogates; then nothing is answered."""
    def fail(
        self, key: int, failure: str, message: str, *, code: int | None = None, data: bytes | None = None
    ) -> bytes | None: ...
    def progress(
        self, key: int, progress: float, total: float | None = None, message: str | None = None
    ) -> bytes | None: ...
    def log(self, key: int | None, level: str, data: bytes, logger: str | None = None) -> bytes | None: ...
    def list_changed(self, kind: str) -> bytes | None: ...
    def resource_updated(self, uri: str) -> bytes | None: ...
    def task_changed(self, task: Task, principal: str | None = None) -> bytes | None: ...
    def task_progress(
        self, task: Task, progress: float, total: float | None = None, message: str | None = None
    ) -> bytes | None: ...
    def notify(self, method: str, params: bytes | None = None) -> bytes | None: ...
    def can_ask(self, key: int, ask: _Ask) -> _Unable | None: ...
    def ask(self, key: int, ask: _Ask) -> tuple[bytes, int]: ...
    def give_up(self, ask: int) -> bytes | None: ...
    def require_input(self, key: int, asks: list[tuple[str, _Ask]], state: str | None = None) -> bytes | None: ...
    def elicitation_complete(self, id: str) -> bytes | None: ...
    def end_listening(self) -> bytes | None: ...
    def abandon(self) -> None: ...
    def is_cancelled(self, key: int) -> bool: ...
    @property
    def in_flight(self) -> int: ...
    @property
    def revision(self) -> str | None: ...
    @property
    def client_info(self) -> bytes | None: ...
    @property
    def client_capabilities(self) -> bytes | None: ...

@final
class Framer:
    """Newline framing. `None` in a result stands for a line that was too long and skipped."""

    def __new__(cls, limit: int = ...) -> Self: ...
    def feed(self, data: bytes) -> list[bytes | None]: ...
    def finish(self) -> list[bytes | None]: ...

@final
class Reply:
    """A complete HTTP response, or the head of one."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> list[tuple[str, str]]: ...
    @property
    def body(self) -> bytes: ...
    def sized(self) -> list[tuple[str, str]]:
        """The headers of a complete response, with a Content-Length where a body is possible."""

    def encoded(self) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Status, these headers as ASGI wants them (bytes, names in lower case), and body."""

    def opened(self) -> tuple[int, list[tuple[bytes, bytes]]]:
        """Status and headers as ASGI wants them, of a response that stays open."""

@final
class HttpStep:
    """What a request body led to: a reply, a call to run, or a batch to walk with `Exchange.next`."""

    @property
    def reply(self) -> Reply | None: ...
    @property
    def call(self) -> Call | None: ...
    @property
    def batch(self) -> bool: ...
    @property
    def event(self) -> str | None: ...
    @property
    def method(self) -> str | None: ...
    @property
    def params(self) -> bytes | None: ...
    @property
    def text(self) -> str | None: ...
    @property
    def ok(self) -> bool: ...
    @property
    def client_info(self) -> bytes | None: ...
    @property
    def client_capabilities(self) -> bytes | None: ...
    @property
    def session(self) -> bytes | None: ...
    @property
    def listener(self) -> Listener | None: ...
    @property
    def resume(self) -> tuple[str, int] | None: ...

@final
class Listener:
    """A response that stays open: told what has changed, it gives the bytes to write, or None."""

    def list_changed(self, kind: str) -> bytes | None: ...
    def resource_updated(self, uri: str, session: bytes | None = None) -> bytes | None: ...
    def task_changed(self, task: Task, principal: str | None = None) -> bytes | None: ...
    def end(self) -> bytes | None: ...
    @property
    def stream(self) -> str | None: ...
    @property
    def event(self) -> int | None: ...

@final
class Pace:
    """Limits how often one call tells its progress."""

    def admits(self, progress: float, total: float | None, *, now: int) -> bool:
        """Whether to tell it now; `now` in ms by a clock that does not go back."""

@final
class Task:
    """One state of a task. What changes it gives the next one, or raises `LocalError` (`not_allowed`) if it is over."""

    @staticmethod
    def restore(saved: bytes) -> Task | None: ...
    def save(self) -> bytes: ...
    @property
    def id(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def over(self) -> bool: ...
    @property
    def message(self) -> str | None: ...
    @property
    def expires(self) -> int | None: ...
    @property
    def answers(self) -> bytes: ...
    @property
    def open(self) -> list[str]: ...
    def belongs_to(self, principal: str | None) -> bool: ...
    @property
    def experimental(self) -> bool:
        """It was made by the experimental tasks of 2025-11-25."""
    @property
    def progress_wanted(self) -> bool: ...
    def is_of(self, revision: str) -> bool:
        """Whether a client of that revision can know it."""
    def created(self) -> bytes: ...
    def detailed(self) -> bytes: ...
    def acknowledged(self) -> bytes: ...
    def outcome(self) -> tuple[bytes | None, tuple[int, str, bytes | None] | None] | None:
        """For `tasks/result`: `(result, None)` or `(None, (code, message, data))`; None if it is not over."""
    def questions(self) -> list[tuple[str, _Ask]]:
        """The open questions, to be asked on `tasks/result`."""
    def can_ask(self, ask: _Ask) -> _Unable | None: ...
    def say(self, message: str, *, now: int) -> Task: ...
    def require_input(self, asks: list[tuple[str, _Ask]], *, now: int) -> Task: ...
    def update(self, responses: bytes, *, now: int) -> Task | None: ...
    def complete(self, result: bytes, *, now: int) -> Task: ...
    def fail(
        self, failure: str, message: str, *, now: int, code: int | None = None, data: bytes | None = None
    ) -> Task: ...
    def cancel(self, *, now: int) -> Task: ...

@final
class Emit:
    """Something to write: `head` starts the response (once), `end` completes it. `event` (number, bytes) is kept.

    A response that is complete at once is moreover `whole`.
    """

    @property
    def head(self) -> Reply | None: ...
    @property
    def whole(self) -> Reply | None: ...
    @property
    def body(self) -> bytes: ...
    @property
    def end(self) -> bool: ...
    @property
    def event(self) -> tuple[int, bytes] | None: ...

@final
class Exchange:
    """One HTTP request."""

    def gate(self) -> Reply | None: ...
    @property
    def max_body(self) -> int: ...
    @property
    def can_stream(self) -> bool: ...
    @property
    def dropped(self) -> int: ...
    @property
    def session_id(self) -> str | None: ...
    def accept(self, body: bytes, session: bytes | None = None) -> HttpStep: ...
    def take(self, body: bytes) -> Call | Reply | HttpStep:
        """`accept` where no session is kept: a call that stands alone and has nothing from a round before, an answer
        that is all there is to the request, or a step."""
    def next(self) -> HttpStep: ...
    def answer(self, key: int, result: bytes) -> Reply | None:
        """`reply` for a call of `take` of which nothing was streamed; None if nobody is there any more."""
    def answer_text(self, key: int, text: str) -> Reply | None:
        """`answer` for a tool call, with a text. `UnicodeEncodeError` for lone surrogates; then nothing is answered."""
    def reply(self, key: int, result: bytes) -> Emit: ...
    def fail(
        self, key: int, failure: str, message: str, *, code: int | None = None, data: bytes | None = None
    ) -> Emit: ...
    def progress(
        self, key: int, progress: float, total: float | None = None, message: str | None = None
    ) -> Emit | None: ...
    def task_progress(
        self, key: int, task: Task, progress: float, total: float | None = None, message: str | None = None
    ) -> Emit | None: ...
    def begin_stream(self, key: int) -> Emit | None: ...
    def log(self, key: int, level: str, data: bytes, logger: str | None = None) -> Emit | None: ...
    def can_ask(self, key: int, ask: _Ask) -> _Unable | None: ...
    def ask(self, key: int, id: str, ask: _Ask) -> Emit | None: ...
    def give_up(self, key: int, id: str) -> Emit | None: ...
    def elicitation_complete(self, key: int, id: str) -> Emit | None: ...
    def require_input(self, key: int, asks: list[tuple[str, _Ask]], state: str | None = None) -> Emit: ...
    @property
    def stream(self) -> str | None: ...
    def open_stream(self, key: int) -> Emit | None: ...
    def close_stream(self, key: int, retry_ms: int) -> Emit | None: ...
    def refuse_resume(self) -> Reply: ...
    def resume_listening(self, last: int) -> Listener: ...
    def cancel(self, id: str) -> bool: ...
    def abandon(self) -> None: ...
    def refuse(self, status: int, headers: list[tuple[str, str]], body: bytes) -> Reply: ...
    def close(self) -> bool: ...
    def is_cancelled(self, key: int) -> bool: ...

@final
class Keys:
    """A ring of keys: the first secret seals, all of them open. Nonces are `NONCE_BYTES` random bytes."""

    def __new__(cls, secrets: list[bytes]) -> Self: ...
    def seal(self, purpose: str, plain: bytes, nonce: bytes) -> str: ...
    def open(self, purpose: str, sealed: str) -> bytes: ...
    def seal_state(
        self,
        method: str,
        target: str,
        arguments: bytes,
        principal: str | None,
        *,
        round: int,
        kept: bytes,
        now: int,
        ttl: int,
        nonce: bytes,
    ) -> str: ...
    def open_state(
        self, method: str, target: str, arguments: bytes, principal: str | None, sealed: str, *, now: int
    ) -> tuple[int, bytes, bytes]: ...

class BadSeal(ValueError):
    """A sealed text is not valid here; why is not told."""

def task_page(tasks: list[Task], next: str | None = None) -> bytes:
    """The result of `tasks/list`."""

def begin(coroutine: Coroutine[Any, Any, Any]) -> tuple[bool, Any]:
    """Run a coroutine until it waits for something: `(False, what)`, or until its end: `(True, value)`."""

def environ_headers(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The headers in an environ of WSGI: names in lower case, `content-type` and `content-length` among them."""

def accepts(ask: _Ask, answer: bytes) -> bool:
    """Whether an answer of the client is of the kind that was asked for."""

@final
class Validator:
    """A JSON Schema, compiled once. Not there in builds without the cargo feature `schema`."""

    def __new__(cls, schema: bytes) -> Self:
        """Compile a schema of at most 1 MiB and 100 levels: 2020-12, or the draft its `$schema` names.

        Nothing is ever fetched. `format` is checked as its draft says: not at all from 2019-09 on.

        Raises:
            ValueError: It is no schema of that draft, its draft is unknown, or a reference leads nowhere inside it.
        """

    def check(self, instance: bytes) -> list[tuple[str, str, str]]:
        """What is wrong with a JSON value, three problems at most: path, what would fit, what came. Empty: it fits.

        The path is as in `filters.tags[0]`, and empty for the value itself. Values are cut to 60 characters.
        """
