"""Asking the client from inside a handler: the part of `Context` that elicits, samples, lists roots, and remembers.

    @server.tool
    def book(date: str, ctx: Context) -> str:
        quote = ctx.memo("quote", lambda: reserve(date))           # runs once, whatever happens below
        answer = ctx.elicit("confirm", f"Book for {quote['price']}?", Confirmation)
        if not answer:
            return "Not booked."
        return pay(quote, answer.data.card)

The function is run from its start until it needs an answer that is not there; the client is asked; then it is run
again, and the same question now has its answer. So what comes before a question happens more than once: keep it free of
side effects, or put them in `memo`. Each question of a call has a key of its own, the same in every run.

What may happen to a question: the user accepts, declines or closes it (`Elicited.action`); or it has no answer, which
is an `AskError` the handler may catch: `Refused`, `TimedOut`, `InvalidAnswer`, `MissingClientCapability`, `NoChannel`,
`Unaskable`. Not caught, it becomes the call's error, in words the model can read.

Sync and async handlers ask alike; `await` is allowed and does nothing.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from ._native import LocalError
from ._typing.encode import dumps
from .answers import Answers, Elicited, Roots, Sampled
from .bridge import is_async

if TYPE_CHECKING:
    from ._native import Call
    from ._native import _Ask as NativeAsk
    from .ask import Question
    from .context import Channel
    from .replay import Replay

__all__ = ["Asking"]

T = TypeVar("T")

_PROBES: dict[str, NativeAsk] = {
    "form": ("form", "", b'{"type":"object","properties":{}}'),
    "url": ("url", "", "https://example.invalid/", ""),
    "sample": ("sample", b'{"messages":[],"maxTokens":1}'),
    "tools": ("sample", b'{"messages":[],"maxTokens":1,"tools":[]}'),
    "roots": ("roots",),
}


class Asking:
    """Mixed into `Context`."""

    __slots__ = ()

    if TYPE_CHECKING:
        call: Call
        _channel: Channel
        _replay: Replay | None

    # --- questions -----------------------------------------------------------------------------------------------

    @overload
    def elicit(
        self, key: str, message: str, schema: type[T], *, again: bool = True, timeout: float | None = None
    ) -> Elicited[T]: ...
    @overload
    def elicit(
        self, key: str, message: str, schema: Mapping[str, Any], *, again: bool = True, timeout: float | None = None
    ) -> Elicited[dict[str, Any]]: ...
    def elicit(
        self, key: str, message: str, schema: Any, *, again: bool = True, timeout: float | None = None
    ) -> Elicited[Any]:
        """Have the user fill in a form.

        Args:
            key: Names the question in this call.
            message: For the user: what is needed, and why.
            schema: A dataclass, TypedDict, Struct or pydantic model, or a flat JSON Schema object, of strings, numbers,
                booleans and choices. Never ask for passwords or keys this way; see `elicit_url`.
            again: Ask again when what was filled in does not fit; False: raise `InvalidAnswer`.
            timeout: How many seconds to wait for the answer, where waiting is how this client is asked; see `Question`.

        Returns:
            True if accepted; `.data` is what was filled in (or raises `Declined` or `Dismissed`), `.action` says what
            the user did.
        """
        from .ask import Elicit

        found: Elicited[Any] = self._ask(key, Elicit(message, schema, again, timeout))
        return found

    def elicit_url(
        self, key: str, message: str, url: str, *, id: str | None = None, timeout: float | None = None
    ) -> Elicited[None]:
        """Have the user open an address; accepted means that it was opened, not that the user is done there.

        Args:
            key: Names the question in this call.
            message: For the user.
            url: Where to go. What happens there is the host's; it must check that the same user comes.
            id: Names the elicitation in `elicitation_complete`; made up unless given.
            timeout: As in `elicit`.
        """
        from .ask import ElicitUrl

        found: Elicited[None] = self._ask(key, ElicitUrl(message, url, id, timeout))
        return found

    def sample(
        self,
        key: str,
        messages: Any,
        *,
        max_tokens: int = 1024,
        system: str | None = None,
        temperature: float | None = None,
        stop_sequences: Sequence[str] | None = None,
        model_preferences: Mapping[str, Any] | None = None,
        include_context: str | None = None,
        tools: Sequence[Mapping[str, Any]] | None = None,
        tool_choice: Mapping[str, Any] | None = None,
        metadata: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> Sampled:
        """Have the client's model write; the arguments are those of `Sample`."""
        from .ask import Sample

        found: Sampled = self._ask(
            key,
            Sample(
                messages, max_tokens, system, temperature, stop_sequences, model_preferences, include_context,
                tools, tool_choice, metadata, timeout,
            ),
        )  # fmt: skip
        return found

    def roots(self, key: str = "roots", *, timeout: float | None = None) -> Roots:
        """Which folders the client works in. `timeout` as in `elicit`."""
        from .ask import AskRoots

        found: Roots = self._ask(key, AskRoots(timeout))
        return found

    def ask_all(self, questions: Mapping[str, Question], *, errors: bool = False) -> Answers:
        """Ask several questions at once: one round instead of many.

        Args:
            questions: `Elicit`, `ElicitUrl`, `Sample` and `AskRoots` values, by key.
            errors: Put an `AskError` in the place of its answer; else the first one is raised.
        """
        return self._replaying().ask(questions, errors=errors)

    # --- what can be asked ---------------------------------------------------------------------------------------

    @property
    def can_elicit(self) -> bool:
        """True if this client can be asked by a form, here and now."""
        return self._can("form")

    @property
    def can_elicit_url(self) -> bool:
        """True if this client can be sent to an address."""
        return self._can("url")

    @property
    def can_sample(self) -> bool:
        """True if this client can be asked to sample."""
        return self._can("sample")

    @property
    def can_sample_tools(self) -> bool:
        """True if this client can be asked to sample with tools."""
        return self._can("tools")

    @property
    def can_list_roots(self) -> bool:
        """True if this client can be asked for its roots."""
        return self._can("roots")

    # --- what is remembered --------------------------------------------------------------------------------------

    @overload
    def memo(self, key: str, fn: Callable[[], Awaitable[T]]) -> Awaitable[T]: ...
    @overload
    def memo(self, key: str, fn: Callable[[], T]) -> T: ...
    def memo(self, key: str, fn: Callable[[], Any]) -> Any:
        """What `fn` gave when it ran first: for side effects, and for what must be the same in every run.

        Args:
            key: Names it in this call; apart from the keys of questions.
            fn: Sync, or async (then await `memo`). It gives a JSON value: what comes back is made of dicts, lists,
                texts and numbers, in the first run too. It travels through stateless clients, encrypted.
        """
        kept = self._replaying().kept.memo
        if is_async(fn):

            async def later() -> Any:
                if key not in kept:
                    kept[key] = msgspec.json.decode(dumps(await fn()))
                return kept[key]

            return later()
        if key not in kept:
            kept[key] = msgspec.json.decode(dumps(fn()))
        return kept[key]

    @property
    def answers(self) -> Answers:
        """For a handler in steps: the answers so far, by key; empty in its first step. See `NeedInput`."""
        return Answers() if self._replay is None else self._replay.answers()

    @property
    def state(self) -> Any:
        """For a handler in steps: the `NeedInput.state` of the step before; None in its first step."""
        return None if self._replay is None else self._replay.kept.state

    # --- besides -------------------------------------------------------------------------------------------------

    def elicitation_complete(self, id: str) -> None:
        """Tell the client that the user is done at the address of an elicitation (2025-11-25; else nothing is sent)."""
        try:
            self._channel.elicitation_complete(self.call.key, id)
        except LocalError as wrong:
            if wrong.name not in ("unknown_call", "over"):
                raise

    def _ask(self, key: str, question: Question) -> Any:
        return self._replaying().ask({key: question})[key]

    def _can(self, kind: str) -> bool:
        from .replay import MAY_ASK

        if self.call.stateless:
            if self.call.kind not in MAY_ASK:
                return False
        elif self._channel.no_way(self.call) is not None:
            return False
        return self._channel.can_ask(self.call.key, _PROBES[kind]) is None

    def _replaying(self) -> Replay:
        if self._replay is None:
            from .replay import Replay

            self._replay = Replay(self)  # type: ignore[arg-type,misc]
        return self._replay
