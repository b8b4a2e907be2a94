"""One HTTP request, whatever the host: gate, auth, body, session, calls, answer.

A host makes a `Request`, calls `begin` (or `begin_async`), and gets an `Answer`, a `Pending`: something is to be run,
or a `Listening`: the response stays open. `Pending.finish` runs it. If the host gives it a way to start a stream, the
response is decided late: one JSON body, unless the handler says something first, which makes it an event stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ._native import SESSION_HEADER, Call, Reply
from .bridge import Hop, Inline, Loop, call, canceller, drive
from .channel import Answer, Complete, HeaderList, HttpChannel, ReadBody, StartStream, late_channel
from .context import Context
from .dispatch import Outcome, plain_entry, run_call, run_plain, run_quick, run_rest
from .listening import Listening, Stream, listening
from .logs import log
from .sessions import OWNER_BYTES, TooManySessions, owner_of
from .state import known_as, session_owner

if TYPE_CHECKING:
    from ._native import Exchange, HttpStep
    from .events import Record
    from .hub import Hub
    from .middleware import Begun
    from .registry import Entry
    from .request import Request
    from .server import Server
    from .sessions import Sessions

__all__ = [
    "Answer",
    "Complete",
    "HeaderList",
    "Listening",
    "Pending",
    "ReadBody",
    "StartStream",
    "Verdict",
    "act",
    "asks_others",
    "begin",
    "begin_async",
    "listen",
    "places",
]

T = TypeVar("T")


def begin(server: Server, request: Request, auth: object, read: ReadBody) -> Verdict:
    """Decide as much as can be decided before a handler runs. Blocks on the body and on the auth verifier."""
    if asks_others(server, auth):
        return drive(begin_async(server, request, auth, read, Inline()))
    streams = places(server, request.listen_streams)
    exchange = server.core.enter(request.method, request.sent, request.peer, streams > 0)
    if isinstance(exchange, Reply):
        return exchange
    taken = exchange.take(read(exchange.max_body + 1))
    if isinstance(taken, Reply):
        return taken
    if isinstance(taken, Call):
        return Pending(server, request, exchange, taken, None, streams)
    return drive(act(server, request, exchange, taken, Inline(), streams))


async def begin_async(server: Server, request: Request, auth: object, read: ReadBody, hop: Hop) -> Verdict:
    """The same for an async host; `hop` says how to get to sync and async functions from there."""
    streams = places(server, request.listen_streams)
    events = None if server.events is None else stream_name(server, request)
    exchange = server.core.exchange(request.method, request.sent, peer=request.peer, listen=streams > 0, events=events)
    refused = exchange.gate()
    # A hostile page or host must not learn anything, not even whether its key is right; who is merely
    # unauthenticated hears that first, whatever else is wrong with the request. A preflight carries no credentials.
    if refused is not None and (refused.status in (403, 421) or refused.status < 400):
        return whole(refused)
    denied = await allowed(server, request, auth, exchange, hop)
    if denied is not None:
        return denied
    if refused is not None:
        return whole(refused)
    body = await call(hop, read, exchange.max_body + 1)
    visit = _Visit(server, request, exchange, hop)
    try:
        step = await visit.accept(body)
        return await visit.act(step, streams)
    except TooManySessions:
        return unavailable(exchange, "too many sessions are in use", 60)
    except _StoreFailed:
        return unavailable(exchange, "sessions cannot be reached now", 5)


# --- the same step by step, where nobody is to be asked -----------------------------------------------------------


def asks_others(server: Server, auth: object) -> bool:
    """Whether an auth or sessions have a say in what becomes of a request.

    If not, `Core.enter`, the body and `Exchange.take` are all there is, and what these give decides.
    """
    return server.sessions is not None or bool(server.auth if auth is None else auth)


async def listen(
    server: Server, exchange: Exchange, step: HttpStep, hop: Hop, streams: int, owner: str | None = None
) -> Answer | Listening:
    """`act` for a client of the stateless era that listens, whose step has the event `listening`."""
    assert step.reply is not None
    assert step.listener is not None
    stream = Stream(step.listener, step.reply.body, owner=owner, keep_alive=server.keep_alive)
    if not server.hub.open(stream, streams):
        return _full(exchange)
    return await listening(server, hop, step.reply, stream)


async def act(server: Server, request: Request, exchange: Exchange, step: HttpStep, hop: Hop, streams: int) -> Verdict:
    """Do what a step of `Exchange.take` asks for."""
    return await _Visit(server, request, exchange, hop).act(step, streams)


def places(server: Server, host: int) -> int:
    """How many responses may be kept open in this process. A host that can keep none open has the last word."""
    chosen = server.listen_streams
    return host if chosen is None or host == 0 else chosen


def stream_name(server: Server, request: Request) -> str | None:
    """What the stream of this request is called, if what is said on it is kept; None if not.

    A session's own stream is not.
    """
    if server.events is None or (request.method == "GET" and "last-event-id" not in request.headers):
        return None
    from secrets import token_urlsafe

    return token_urlsafe(16)


async def allowed(server: Server, request: Request, auth: object, exchange: Exchange, hop: Hop) -> Answer | None:
    """Find out who calls; an answer if they may not."""
    auth = server.auth if auth is None else auth
    if not auth:
        return None
    from .auth import authenticate

    denied = await authenticate(auth, request, hop)
    return None if denied is None else whole(exchange.refuse(denied.status, denied.headers(), denied.body()))


class _StoreFailed(Exception):
    """The host's store raised; the log has it."""


async def _stored(work: Awaitable[T]) -> T:
    try:
        return await work
    except TooManySessions:
        raise
    except Exception as exc:
        log.exception("the session store failed")
        raise _StoreFailed from exc


class _Visit:
    """One request at the sessions of its server."""

    def __init__(self, server: Server, request: Request, exchange: Exchange, hop: Hop) -> None:
        self._server = server
        self._request = request
        self._exchange = exchange
        self._hop = hop
        self._sessions: Sessions | None = server.sessions
        self._id = exchange.session_id if server.sessions is not None else None
        self._owner = b""
        self._saved: _Saved | None = None
        self._known = False

    async def accept(self, body: bytes) -> HttpStep:
        """Read the body, with what is known of the session; save what that changed."""
        sessions, id = self._sessions, self._id
        if sessions is None:
            return self._exchange.accept(body)
        self._owner = owner_of(self._request.principal)
        if id is None:
            return self._exchange.accept(body)
        # Where there is a lock, loading and saving do not suspend.
        self._saved = _Saved(sessions, id, self._owner)
        with nullcontext() if sessions.guard is None else sessions.guard(id):
            saved = await _stored(self._saved(self._hop))
            self._known = saved is not None
            step = self._exchange.accept(body, saved)
            if step.session is not None and self._known:
                await _stored(sessions.save(self._hop, id, self._owner + step.session))
        return step

    async def act(self, step: HttpStep, streams: int) -> Verdict:
        """Do what the step asks for."""
        session = self._id if self._known else None
        if step.event == "listening":
            return await self._listen(step, streams)
        if step.resume is not None:
            return await self._resume(step, streams)
        if step.reply is None:
            own = None if step.call is not None and step.call.stateless else session
            call = None if step.batch else step.call
            return Pending(self._server, self._request, self._exchange, call or step, own, streams)
        if self._sessions is not None and step.event == "opened" and step.session is not None:
            id = await _stored(self._sessions.open(self._hop, self._owner + step.session))
            return whole(step.reply, (SESSION_HEADER, id))
        if self._sessions is not None and session is not None:
            if step.event == "ended":
                if not await _stored(self._sessions.end(self._hop, session)):
                    return whole(self._exchange.refuse(405, [("Allow", "GET, POST")], b""))
                self._server.hub.end(session)
            else:
                _route(self._server.hub, session, step)
        return whole(step.reply)

    async def _listen(self, step: HttpStep, streams: int) -> Answer | Listening:
        server, sessions, id = self._server, self._sessions, self._id
        owner = known_as(self._request.principal)
        if self._request.method != "GET" or sessions is None or id is None:
            return await listen(server, self._exchange, step, self._hop, streams, owner)
        assert step.reply is not None
        assert step.listener is not None
        stream = Stream(
            step.listener,
            step.reply.body,
            session=id,
            load=self._saved,
            owner=owner or partial(session_owner, id),
            watches=sessions.kind == "kept",
            keep_alive=server.keep_alive,
        )
        if not server.hub.open(stream, streams):
            return _full(self._exchange)
        stream.on_close(sessions.hold(id))
        return await listening(server, self._hop, step.reply, stream)

    async def _resume(self, step: HttpStep, streams: int) -> Answer | Listening:
        events, id, reply = self._server.events, self._id, step.reply
        assert events is not None
        assert id is not None
        assert step.resume is not None
        assert reply is not None
        resumed = await _stored(events.resume(self._hop, id, *step.resume, self._server.keep_alive))
        if resumed is None:
            return whole(self._exchange.refuse_resume())
        # Without a place to wait in the client gets what is there, and comes again.
        if resumed.is_whole or not self._server.hub.open(resumed, streams):
            return Answer(reply.status, list(reply.headers), resumed.whole())
        resumed.open()
        if self._sessions is not None:
            resumed.on_close(self._sessions.hold(id))
        return await listening(self._server, self._hop, reply, resumed)


class _Saved:
    """A session as it is saved, for its owner. Called, it looks."""

    __slots__ = ("_id", "_owner", "_sessions")

    def __init__(self, sessions: Sessions, id: str, owner: bytes) -> None:
        self._sessions = sessions
        self._id = id
        self._owner = owner

    async def __call__(self, hop: Hop) -> bytes | None:
        found = await self._sessions.load(hop, self._id)
        # Somebody else's session is as good as none.
        return found[OWNER_BYTES:] if found is not None and found[:OWNER_BYTES] == self._owner else None


@dataclass(slots=True)
class Pending:
    """A request whose calls have yet to run."""

    server: Server
    request: Request
    exchange: Exchange
    step: Call | HttpStep
    """The call, or the first step of a batch."""
    session: str | None = None
    """The session it belongs to."""
    room: int = 0
    """How many calls of this process may wait for what is not run for them."""
    left: bool = False
    """Set by a host that notices that the client is gone."""

    @property
    def call(self) -> Call | None:
        """What is to be run, first of all; None if a batch begins with something else."""
        return self.step if isinstance(self.step, Call) else self.step.call

    @property
    def asked_to_stream(self) -> bool:
        """True if moreover the peer asked for it in this very request, or can be asked something on the way.

        In the handshake era logs come unasked: they alone are no reason.
        """
        call = self.call
        wanted = call is not None and (
            call.progress_wanted or call.stateless or call.waits or self.may_close or self._can_be_asked(call.key)
        )
        return wanted and self.may_stream

    @property
    def may_stream(self) -> bool:
        """True if the handler could say something before its result and the peer would hear it."""
        call = self.call
        if call is None or not self.exchange.can_stream:
            return False
        if call.waits:
            return True
        says = call.progress_wanted or call.log_level is not None or self._can_be_asked(call.key)
        if not says and not self.may_close:
            return False
        entry = self.server.entry_of(call)
        return entry is not None and entry.wants_context

    @property
    def may_close(self) -> bool:
        """True if the handler could end the response and go on: a host with threads runs it in one of its own."""
        return self.server.events is not None and self.exchange.stream is not None

    def _can_be_asked(self, key: int) -> bool:
        if self.session is None:
            return False
        can_ask = self.exchange.can_ask
        return (
            can_ask(key, ("form", "", b'{"type":"object","properties":{}}')) is None
            or can_ask(key, ("sample", b'{"messages":[],"maxTokens":1}')) is None
            or can_ask(key, ("roots",)) is None
        )

    def finish(self, start: StartStream | None = None, hop: Hop | None = None) -> Complete | None:
        """Run the handler in this thread. None if `start` was used: then everything is written."""
        entry = self.plain_entry() if start is None and hop is None else None
        if entry is None or entry.is_async:
            return drive(self.finish_async(hop or Inline(), start))
        outcome = run_quick(self.server, self._only, entry, self._context, lambda _: Inline())
        return self._reply(self._only, outcome) if type(outcome) is bytes else self._answer(self._only, outcome)

    async def finish_plainly(
        self, entry: Entry, hop: Callable[[], Loop], work: Awaitable[Any] | None = None
    ) -> Complete | None:
        """`finish_async` for what `plain_entry` gave, of which nothing is to be streamed; `work`: it is under way."""
        call = self._only
        outcome = await run_plain(self._context(call), entry, hop, work)
        return self._reply(call, outcome) if type(outcome) is bytes else self._answer(call, outcome)

    async def finish_rest(self, entry: Entry, hop: Callable[[], Loop], begun: Begun) -> Complete | None:
        """The same when the function was called, and its result is not all there is to it."""
        call = self._only
        return self._answer(call, await run_rest(self._context(call), entry, hop, begun))

    def plain_entry(self) -> Entry | None:
        """The entry of the call, if it is one alone and nothing stands before the function."""
        if self.session is not None or not isinstance(self.step, Call):
            return None
        return plain_entry(self.server, self.step)

    @property
    def _only(self) -> Call:
        assert isinstance(self.step, Call)
        return self.step

    def _context(self, call: Call) -> Context:
        return Context(call, late_channel(self._silent), self.server, self.request)

    def _reply(self, call: Call, result: bytes) -> Complete | None:
        try:
            return self.exchange.answer(call.key, result) or self._nothing()
        except ValueError:  # the core will not send it; the log hears why
            return self._answer(call, result)

    def _silent(self) -> HttpChannel:
        return self._channel(None, None)

    def _answer(self, call: Call, outcome: Outcome) -> Complete | None:
        channel = self._channel(None, None)
        channel.settle(call, outcome)
        return channel.answer or self._nothing()

    async def finish_async(
        self, hop: Hop, start: StartStream | None = None, full: Callable[[], bool] | None = None
    ) -> Answer | None:
        """The same for an async host. `start` and the writer it gives may be called from any thread.

        While `full()` is true notifications are dropped; the result is not.
        """
        channel = self._channel(start, full)
        sessions = self.server.sessions
        if self.session is None or sessions is None:
            return await self._run(hop, channel)
        hop, cancel, was_cancelled = canceller(hop)
        release = sessions.hold(self.session)
        try:
            with self.server.hub.working(self.session, self.exchange, cancel):
                return await self._run(hop, channel)
        except BaseException as exc:
            if not was_cancelled():
                raise
            import asyncio

            if not isinstance(exc, asyncio.CancelledError):
                raise
            return self._nothing(channel)
        finally:
            release()

    def _channel(self, start: StartStream | None, full: Callable[[], bool] | None) -> HttpChannel:
        return HttpChannel(
            self.exchange,
            # The answers of a batch leave together as one array, so there is nothing to stream into.
            start if isinstance(self.step, Call) else None,
            full,
            self.session,
            self.server.hub,
            None if self.server.events is None else self._record(),
            self.room,
            self.is_left,
        )

    def is_left(self) -> bool:
        """Whether the client is gone, as far as the host knows."""
        return self.left

    def _record(self) -> Record | None:
        events, stream = self.server.events, self.exchange.stream
        return None if events is None or stream is None or self.session is None else events.record(self.session, stream)

    async def _run(self, hop: Hop, channel: HttpChannel) -> Answer | None:
        step = self.step
        while not isinstance(step, Call):
            if step.reply is not None:
                return whole(step.reply)
            if step.call is not None:
                await self._settle(step.call, hop, channel)
            step = self.exchange.next()
            if self.session is not None:
                _route(self.server.hub, self.session, step)
        await self._settle(step, hop, channel)
        return channel.answer or self._nothing(channel)

    async def _settle(self, call: Call, hop: Hop, channel: HttpChannel) -> None:
        channel.settle(call, await run_call(Context(call, channel, self.server, self.request), hop))

    def _nothing(self, channel: HttpChannel | None = None) -> Answer | None:
        # A call that was taken back has no answer, but its HTTP request must get one.
        return None if channel is not None and channel.started else whole(self.exchange.refuse(202, [], b""))


Verdict = Complete | Pending | Listening
"""What a request comes to before a handler runs."""


def _route(hub: Hub, session: str, step: HttpStep) -> None:
    # An answer goes to the call that asked, a cancellation to its call, wherever they are.
    if step.event == "cancelled" and step.text is not None:
        hub.cancel(session, step.text)
    elif step.event == "response" and step.text is not None:
        ask = msgspec.json.decode(step.text)
        if isinstance(ask, str):  # ours are
            hub.answer(session, ask, step.ok, step.params or b"null")


def _full(exchange: Exchange) -> Answer:
    return unavailable(exchange, "no more clients can listen here now", 60)


def unavailable(exchange: Exchange, message: str, seconds: int) -> Answer:
    """503: not now, but perhaps after so many seconds."""
    error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32603, "message": message}}
    head = [("Content-Type", "application/json"), ("Retry-After", str(seconds))]
    return whole(exchange.refuse(503, head, msgspec.json.encode(error)))


def whole(reply: Reply, *more: tuple[str, str]) -> Answer:
    """A reply of the core's as a complete response."""
    return Answer(reply.status, [*reply.headers, *more], reply.body)
