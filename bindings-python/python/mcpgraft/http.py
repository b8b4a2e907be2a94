"""One HTTP request, whatever the host: gate, auth, body, calls, answer.

A host makes a `Request`, calls `begin` (or `begin_async`), and gets an `Answer` or a `Pending`: something is to be run.
`Pending.finish` runs it. If the host gives it a way to start a stream, the response is decided late: one JSON body,
unless the handler reports progress first, which makes it an event stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from ._native import SESSION_HEADER
from .bridge import Hop, Inline, call, drive
from .channel import Answer, HeaderList, HttpChannel, ReadBody, StartStream
from .context import Context
from .dispatch import run_call
from .state import principal_text
from .streams import Stream

if TYPE_CHECKING:
    from ._native import Exchange, HttpStep, Reply
    from .auth import Refusal
    from .request import Request
    from .server import Server
    from .sessions import Sessions

__all__ = ["Answer", "HeaderList", "Open", "Pending", "ReadBody", "StartStream", "begin", "begin_async"]


class Open(Answer):
    """A response that stays open: its body is what the stream gives. Close it when the client is gone."""

    stream: Stream
    server: Server

    def close(self) -> None:
        """Nobody reads it any more."""
        self.server.streams.discard(self.stream)


def begin(server: Server, request: Request, auth: object, read: ReadBody, streams: int = 0) -> Answer | Pending:
    """Decide as much as can be decided before a handler runs. Blocks on the body and on the auth verifier.

    `streams` is how many responses this host can keep open in this process; with 0 an answer is never an `Open`.
    """
    return drive(begin_async(server, request, auth, read, Inline(), streams))


async def begin_async(
    server: Server, request: Request, auth: object, read: ReadBody, hop: Hop, streams: int = 0
) -> Answer | Pending:
    """The same for an async host; `hop` says how to get to sync and async functions from there."""
    core, headers = server.core, request.headers.raw
    # A host that can keep none open has the last word.
    limit = streams if server.listen_streams is None or streams == 0 else server.listen_streams
    exchange = core.exchange(request.method, headers, peer=request.peer, listen=limit > 0)
    refused = exchange.gate()
    # A hostile page or host must not learn anything, not even whether its key is right; who is merely
    # unauthenticated hears that first, whatever else is wrong with the request. A preflight carries no credentials.
    if refused is not None and (refused.status in (403, 421) or refused.status < 400):
        return _answer(refused)
    auth = server.auth if auth is None else auth
    if auth:
        from .auth import authenticate

        denied = await authenticate(auth, request, hop)
        if denied is not None:
            return _refusal(denied)
    if refused is not None:
        return _answer(refused)
    body = await call(hop, read, exchange.max_body + 1)
    sessions = server.sessions
    if sessions is not None:
        return await _in_session(server, sessions, request, exchange, body, hop, limit)
    step = exchange.accept(body)
    if step.listener is not None:
        return _open(server, exchange, step, limit, lambda: None, principal_text(request.principal))
    return Pending(server, request, exchange, step) if step.reply is None else _answer(step.reply)


def _open(
    server: Server,
    exchange: Exchange,
    step: HttpStep,
    limit: int,
    session: Callable[[], bytes | None],
    principal: str | None,
) -> Answer:
    """Keep a response open, if there may be one more."""
    assert step.listener is not None
    assert step.reply is not None
    stream = Stream(step.listener, session, step.reply.body, principal)
    if not server.streams.add(stream, limit):
        return _answer(exchange.refuse(503, [("Retry-After", "60")], b""))
    opened = Open(step.reply.status, list(step.reply.headers), b"")
    opened.stream, opened.server = stream, server
    return opened


async def _in_session(
    server: Server, sessions: Sessions, request: Request, exchange: Exchange, body: bytes, hop: Hop, limit: int
) -> Answer | Pending:
    """The same where sessions are kept. A store may block."""
    from .sessions import of_owner, owned

    principal = principal_text(request.principal)
    id_ = exchange.session_id
    saved = None if id_ is None else of_owner(await call(hop, sessions.load, id_), principal)
    step = exchange.accept(body, saved)
    more: HeaderList = []
    if step.event == "opened" and step.session is not None:
        more = [(SESSION_HEADER, await call(hop, sessions.open, owned(step.session, principal)))]
    elif id_ is not None and saved is not None:
        if step.session is not None:
            await call(hop, sessions.save, id_, owned(step.session, principal))
        if step.event == "ended" and not await call(hop, sessions.end, id_):
            return _answer(exchange.refuse(405, [("Allow", "GET, POST")], b""))
        _route(server, id_, step)
    if step.listener is not None:
        return _open(
            server,
            exchange,
            step,
            limit,
            lambda: None if id_ is None else of_owner(sessions.load(id_), principal),
            principal,
        )
    if step.reply is not None:
        answer = _answer(step.reply)
        return answer._replace(headers=[*answer.headers, *more])
    return Pending(server, request, exchange, step, None if saved is None else id_)


@dataclass
class Pending:
    """A request whose calls have yet to run."""

    server: Server
    request: Request
    exchange: Exchange
    step: HttpStep
    session: str | None = None
    """The session it belongs to, if it names a good one."""

    @property
    def asked_to_stream(self) -> bool:
        """True if moreover the peer asked for it in this very request; in the handshake era logs come unasked."""
        call = self.step.call
        asked = call is not None and (call.progress_wanted or call.stateless or self._may_ask)
        return asked and self.may_stream

    @property
    def may_stream(self) -> bool:
        """True if the handler could say something before its result and the peer would hear it."""
        call = self.step.call
        if call is None or not self.exchange.can_stream:
            return False
        if not (call.progress_wanted or call.log_level is not None or self._may_ask):
            return False
        entry = self.server.entry_of(call)
        return entry is not None and entry.wants_context

    @property
    def _may_ask(self) -> bool:
        # In the stateless era questions are a result; before, they are requests on the call's own stream.
        call = self.step.call
        return call is not None and not call.stateless and self.session is not None

    def finish(self, start: StartStream | None = None, hop: Hop | None = None) -> Answer | None:
        """Run the handler in this thread. None if `start` was used: then everything is written."""
        return drive(self.finish_async(hop or Inline(), start))

    async def finish_async(
        self, hop: Hop, start: StartStream | None = None, full: Callable[[], bool] | None = None
    ) -> Answer | None:
        """The same for an async host. `start` and the writer it gives may be called from any thread.

        While `full()` is true notifications are dropped; the result is not.
        """
        step = self.step
        batch = step.batch
        # The answers of a batch leave together as one array, so there is nothing to stream into.
        hub = self.server.hub
        channel = HttpChannel(self.exchange, None if batch else start, full, session=self.session, hub=hub)
        with hub.working(self.session, self.exchange):
            while True:
                if step.reply is not None:
                    return _answer(step.reply)
                if step.call is not None:
                    ctx = Context(step.call, channel, self.server, self.request)
                    channel.settle(step.call, await run_call(ctx, hop))
                if not batch:
                    return channel.answer
                step = self.exchange.next()
                if self.session is not None:
                    _route(self.server, self.session, step)


def _route(server: Server, session: str, step: HttpStep) -> None:
    """An answer goes to the call that asked, a cancellation to its call, wherever in this process they are."""
    if step.event == "response" and step.text is not None and step.params is not None:
        server.hub.answer(session, str(msgspec.json.decode(step.text)), step.ok, step.params)
    elif step.event == "cancelled" and step.text is not None:
        server.hub.cancel(session, step.text)


def _answer(reply: Reply) -> Answer:
    return Answer(reply.status, list(reply.headers), reply.body)


def _refusal(denied: Refusal) -> Answer:
    return Answer(denied.status, denied.headers(), denied.body())
