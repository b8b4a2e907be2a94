"""What a call remembers between two runs of its handler, and how it travels through a stateless client.

The state is sealed (encrypted, because it may hold what the client must not read; see `mcpgraft.keys`) and bound to
method, target, arguments and principal: what comes back is untrusted (basic/patterns/mrtr of 2026-07-28).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ._native import BadSeal
from ._typing.encode import dumps
from .bridge import Hop, call
from .errors import InvalidParams
from .keys import nonce, now_ms

if TYPE_CHECKING:
    from .context import Context

__all__ = [
    "MAX_ROUNDS",
    "MAX_STATE_BYTES",
    "Kept",
    "Known",
    "open_state",
    "principal_text",
    "seal_state",
    "session_owner",
]

MAX_ROUNDS = 10
"""Most times that one call may ask its client."""
MAX_STATE_BYTES = 32_768
"""Longest sealed state, in bytes."""
INVALID_STATE = "requestState is not valid for this request; send the request again without it"


class Known(msgspec.Struct, array_like=True):
    """An answer, or why there is none, and the question it belongs to."""

    digest: str
    value: Any = None
    spec: list[str] | None = None
    """The whole question, for a handler in steps."""
    error: Any = None
    """An `AskError`; handshake era only, where nothing is sealed."""


class _Sealed(
    msgspec.Struct, rename={"answers": "a", "memo": "m", "open": "o", "ids": "i", "steps": "s", "state": "v"}
):
    answers: dict[str, Known] = {}
    memo: dict[str, Any] = {}
    open: dict[str, Any] = {}
    ids: dict[str, str] = {}
    steps: bool = False
    state: Any = None


class Kept:
    """What is remembered."""

    __slots__ = ("answers", "ids", "memo", "open", "round", "state", "steps")

    def __init__(
        self,
        round: int = 0,
        answers: dict[str, Known] | None = None,
        memo: dict[str, Any] | None = None,
        open: dict[str, Any] | None = None,
        ids: dict[str, str] | None = None,
        steps: bool = False,
        state: Any = None,
    ) -> None:
        self.round = round
        """How many times the client has been asked."""
        self.answers: dict[str, Known] = {} if answers is None else answers
        self.memo: dict[str, Any] = {} if memo is None else memo
        self.open: dict[str, Any] = {} if open is None else open
        """Questions that were asked last: key to digest; to the whole question, for a handler in steps."""
        self.ids: dict[str, str] = {} if ids is None else ids
        """Ids of elicitations by URL."""
        self.steps = steps
        """The handler works in steps (`NeedInput`)."""
        self.state = state
        """The handler's own, in steps."""


def seal_state(ctx: Context, kept: Kept) -> str:
    """The state for the client to bring back.

    Raises:
        RuntimeError: It is too long.
    """
    call = ctx.call
    plain = dumps(_Sealed(kept.answers, kept.memo, kept.open, kept.ids, kept.steps, kept.state))
    try:
        sealed = ctx.server.keys().seal_state(
            call.method,
            call.name,
            call.arguments,
            principal_text(ctx.principal),
            round=kept.round,
            kept=plain,
            now=now_ms(),
            ttl=int(ctx.server.state_ttl * 1000),
            nonce=nonce(),
        )
    except BadSeal:
        sealed = ""
    if not sealed or len(sealed) > MAX_STATE_BYTES:
        raise RuntimeError(
            f"{ctx.kind} {ctx.name!r} remembers {len(plain)} bytes between two questions, too much for a client to "
            f"carry (sealed at most {MAX_STATE_BYTES} bytes): keep less in memo, answers and NeedInput.state"
        )
    return sealed


async def open_state(ctx: Context, hop: Hop) -> Kept | None:
    """What came back with a call; None if it is a first one.

    Raises:
        InvalidParams: The state is tampered with, expired, used up, or of another request; which of these is not told.
    """
    request = ctx.call
    if request.request_state is None:
        return None
    bad = InvalidParams(INVALID_STATE)
    try:
        round_, plain, used = ctx.server.keys().open_state(
            request.method,
            request.name,
            request.arguments,
            principal_text(ctx.principal),
            request.request_state,
            now=now_ms(),
        )
        sealed = msgspec.json.decode(plain, type=_Sealed)
    except (BadSeal, msgspec.MsgspecError):
        raise bad from None
    hook = ctx.server.on_state_use
    if hook is not None and not await call(hop, hook, used.hex()):
        raise bad
    return Kept(round_, sealed.answers, sealed.memo, sealed.open, sealed.ids, sealed.steps, sealed.state)


def session_owner(session: str) -> str:
    """What names the client of a session as long as it lasts, and is no principal's name."""
    from hashlib import sha256  # brings in OpenSSL

    return f"session\0{sha256(session.encode()).hexdigest()}"


def principal_text(principal: Any) -> str | None:
    """Who calls, as a text that is the same whenever the same one calls, on any worker."""
    if principal is None or isinstance(principal, str):
        return principal
    for name in ("subject", "sub", "pk", "id", "username"):
        value = principal.get(name) if isinstance(principal, dict) else getattr(principal, name, None)
        if isinstance(value, str | int) or (value is not None and type(value).__name__ == "UUID"):
            return f"{name}:{value}"
    try:
        return dumps(principal).decode()
    except TypeError as wrong:
        raise TypeError(
            f"a principal of type {type(principal).__qualname__} needs an attribute subject, pk or id, "
            "so that an answer can be told to come from the one who was asked"
        ) from wrong


def known_as(principal: Any) -> str | None:
    """The same; None also for a principal that has no such text."""
    try:
        return principal_text(principal)
    except TypeError:
        return None
