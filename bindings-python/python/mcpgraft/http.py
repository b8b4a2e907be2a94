"""One HTTP request, whatever the host: gate, auth, body, calls, answer.

A host makes a `Request`, calls `begin` (or `begin_async`), and gets an `Answer` or a `Pending`: something is to be run.
`Pending.finish` runs it. If the host gives it a way to start a stream, the response is decided late: one JSON body,
unless the handler reports progress first, which makes it an event stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .bridge import Hop, Inline, call, drive
from .channel import Answer, HeaderList, HttpChannel, ReadBody, StartStream
from .context import Context
from .dispatch import run_call

if TYPE_CHECKING:
    from ._native import Exchange, HttpStep, Reply
    from .auth import Refusal
    from .request import Request
    from .server import Server

__all__ = ["Answer", "HeaderList", "Pending", "ReadBody", "StartStream", "begin", "begin_async"]


def begin(server: Server, request: Request, auth: object, read: ReadBody) -> Answer | Pending:
    """Decide as much as can be decided before a handler runs. Blocks on the body and on the auth verifier."""
    return drive(begin_async(server, request, auth, read, Inline()))


async def begin_async(server: Server, request: Request, auth: object, read: ReadBody, hop: Hop) -> Answer | Pending:
    """The same for an async host; `hop` says how to get to sync and async functions from there."""
    core, headers = server.core, request.headers.raw
    exchange = core.exchange(request.method, headers, peer=request.peer)
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
    step = exchange.accept(body)
    if step.reply is not None:
        return _answer(step.reply)
    return Pending(server, request, exchange, step)


@dataclass
class Pending:
    """A request whose calls have yet to run."""

    server: Server
    request: Request
    exchange: Exchange
    step: HttpStep

    @property
    def asked_to_stream(self) -> bool:
        """True if moreover the peer asked for it in this very request; in the handshake era logs come unasked."""
        call = self.step.call
        return call is not None and (call.progress_wanted or call.stateless) and self.may_stream

    @property
    def may_stream(self) -> bool:
        """True if the handler could say something before its result and the peer would hear it."""
        call = self.step.call
        if call is None or not self.exchange.can_stream or not (call.progress_wanted or call.log_level is not None):
            return False
        entry = self.server.entry_of(call)
        return entry is not None and entry.wants_context

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
        # The answers of a batch leave together as one array, so there is nothing to stream into.
        channel = HttpChannel(self.exchange, None if step.batch else start, full)
        while True:
            if step.reply is not None:
                return _answer(step.reply)
            if step.call is not None:
                ctx = Context(step.call, channel, self.server, self.request)
                channel.settle(step.call, await run_call(ctx, hop))
            if not step.batch:
                return channel.answer
            step = self.exchange.next()


def _answer(reply: Reply) -> Answer:
    return Answer(reply.status, list(reply.headers), reply.body)


def _refusal(denied: Refusal) -> Answer:
    return Answer(denied.status, denied.headers(), denied.body())
