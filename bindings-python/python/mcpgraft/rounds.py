"""The rounds of a call whose handler may ask: run it, ask the client what it needs, run it again.

In the stateless era a round ends with `input_required`, and the next one begins with the client's retry, maybe on
another worker. In the handshake era the questions are requests of the server's own, and this call waits for the
answers: in its thread on sync hosts, on the event loop on async ones.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

import msgspec

from ._native import LocalError
from .ask import ElicitUrl, NeedInput
from .bridge import Hop, Inline
from .dispatch import Failure, Outcome, Requirement
from .errors import AskError, Cancelled, NoChannel, TimedOut, TooManyRounds, UrlElicitationRequired
from .middleware import Begun, through
from .replay import Replay, Suspended, only_suspended
from .state import MAX_ROUNDS, open_state, seal_state

if TYPE_CHECKING:
    from .context import Context, Waiting
    from .registry import Entry, OnRepair
    from .replay import Need

__all__ = ["play", "rounds"]

LOOK = 0.25
"""Seconds between two looks at whether the call was taken back."""
SIGN = 15.0
"""Seconds between two signs of life on a connection that waits."""


async def rounds(ctx: Context, entry: Entry, hop: Hop, report: OnRepair | None, begun: Begun | None = None) -> Outcome:
    """Run a call to its result, or as far as it gets without its client. `begun` is its first run, if that is over.

    Raises:
        Exception: What the handler raised, or an `AskError`.
    """
    if ctx.call.request_state is not None or ctx.call.input_responses is not None:
        ctx._replay = Replay(ctx, await open_state(ctx, hop))
    while isinstance(replay := await play(ctx, entry, hop, report, begun), Replay):
        begun = None
        if ctx.call.stateless:
            asks = replay.asked()
            return Requirement(asks, seal_state(ctx, replay.kept))
        replay.take(await _ask(ctx, list(replay.needs.values()), replay.kept.round, hop))
        replay.restart()
        report = None  # what was repaired once is not news
    return replay


async def play(
    ctx: Context, entry: Entry, hop: Hop, report: OnRepair | None, begun: Begun | None = None
) -> Outcome | Replay:
    """One round: the call's outcome, or what it needs from its client.

    Raises:
        Exception: As `rounds`.
    """
    # A handler in steps is not called before all its answers are there.
    replay = ctx._replay
    if begun is not None or replay is None or not replay.resume():
        result, replay = await _run(ctx, entry, hop, report, begun)
        if replay is None:
            return result
    if replay.kept.round >= MAX_ROUNDS:
        raise TooManyRounds(f"the client was asked {MAX_ROUNDS} times for one call")
    return replay


async def _run(
    ctx: Context, entry: Entry, hop: Hop, report: OnRepair | None, begun: Begun | None
) -> tuple[Outcome, Replay | None]:
    # Runs the handler: its result, or what it needs.
    while True:
        try:
            run, begun = begun, None
            if run is None:
                value = await through(ctx.server.middlewares, ctx, entry, hop, report)
            else:
                value = await run.result(hop)
            replay = ctx._replay
            if not isinstance(value, NeedInput):
                if replay is None or not replay.needs:
                    return entry.encode(value, ctx.call), None
                return b"", replay  # it caught what was to leave the run
            replay = ctx._replaying()
            if replay.require(value):
                return b"", replay
            replay.restart()
        except UrlElicitationRequired as required:
            if not ctx.call.stateless:
                return _required(ctx, required), None
            return b"", _as_questions(ctx, required)
        except BaseException as exc:
            if ctx._replay is None or not only_suspended(exc):
                raise
            return b"", ctx._replay


async def _ask(ctx: Context, needs: list[Need], round_: int, hop: Hop) -> dict[str, tuple[bool, bytes] | AskError]:
    # Asks the client of a handshake-era call, and waits.
    answered: dict[str, tuple[bool, bytes] | AskError] = {}
    waiting: dict[str, Waiting] = {}
    asked = time.monotonic()
    patience = {need.key: need.question.timeout or ctx.server.ask_timeout for need in needs}
    try:
        for need in needs:
            try:
                waiting[need.key] = ctx._channel.ask(ctx.call.key, need.native)
            except LocalError as wrong:
                if ctx.cancelled:
                    raise Cancelled(ctx.name) from None
                answered[need.key] = NoChannel(str(wrong), need.key)
        # Whose time is over first is given up first.
        for key in sorted(waiting, key=lambda key: patience[key]):
            answer = await _wait(ctx, waiting[key], asked + patience[key], hop)
            if answer is None:
                answer = TimedOut(f"no answer came within {patience[key]:g} seconds: {key}", key)
                waiting.pop(key).close()  # the client hears it now, not when the others have answered
            answered[key] = answer
        if not needs:  # the handler wants to be called again later
            await _wait(ctx, _Nothing(), asked + LOOK * 2**round_, hop)
    finally:
        for one in waiting.values():
            one.close()
    return answered


async def _wait(ctx: Context, one: Waiting, deadline: float, hop: Hop) -> tuple[bool, bytes] | AskError | None:
    sign = time.monotonic() + SIGN
    while True:
        ctx.check_cancelled()
        now = time.monotonic()
        left = max(0.0, min(LOOK, deadline - now))
        try:
            # Sync hosts have a thread to wait in; on a loop nothing may block.
            answer = one.wait(left) if isinstance(hop, Inline) else await one.wait_async(left)
        except ConnectionError as gone:
            return NoChannel(str(gone))
        if answer is not None or now >= deadline:
            return answer
        if now >= sign:
            ctx._channel.keep_alive()
            sign = now + SIGN


class _Nothing:
    def wait(self, timeout: float) -> None:
        time.sleep(timeout)

    async def wait_async(self, timeout: float) -> None:
        import asyncio

        await asyncio.sleep(timeout)

    def close(self) -> None:
        pass


def _as_questions(ctx: Context, required: UrlElicitationRequired) -> Replay:
    replay = ctx._replaying()
    questions = {f"elicitation_{at}": one for at, one in enumerate(_urls(required))}
    try:
        for answer in replay.ask(questions).values():
            _ = answer.data  # a no of the user ends the call
    except Suspended:
        return replay
    # All addresses were opened, but the user is not done there: the same question once more.
    for key in questions:
        del replay.kept.answers[key]
    replay.restart()
    with contextlib.suppress(Suspended):
        replay.ask(questions)
    return replay


def _required(ctx: Context, required: UrlElicitationRequired) -> Outcome:
    # Not asked but told: the client comes back by itself when the user is done.
    replay = ctx._replaying()
    elicitations = []
    for at, one in enumerate(_urls(required)):
        need = replay.need(f"elicitation_{at}", one)
        replay.check_client(need)
        elicitations.append({"mode": "url", "message": one.message, "url": one.url, "elicitationId": need.native[-1]})
    return Failure("custom", required.message, -32042, msgspec.json.encode({"elicitations": elicitations}))


def _urls(required: UrlElicitationRequired) -> list[ElicitUrl]:
    urls = list(required.elicitations)
    if not urls or not all(isinstance(one, ElicitUrl) for one in urls):
        raise TypeError("UrlElicitationRequired takes ElicitUrl values")
    return [one for one in urls if isinstance(one, ElicitUrl)]
