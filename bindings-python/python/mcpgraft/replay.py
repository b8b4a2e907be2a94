"""Running a handler again with what the client answered.

A handler that asks is run from its start until it needs an answer that is not there yet; then the run is left (by an
exception that `except Exception` does not catch), the client is asked, and the handler runs again. Questions that are
answered give their answers at once, `memo` gives what it gave before, and what was said before (progress, logs) is not
said again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ._typing.encode import dumps
from .answers import Answers
from .ask import ElicitUrl, NeedInput, Question, from_spec
from .errors import AskError, InvalidAnswer, MissingClientCapability, NoChannel, Refused, Unaskable
from .state import Kept, Known

if TYPE_CHECKING:
    from ._native import _Ask as NativeAsk
    from .context import Context

__all__ = ["Need", "Replay", "Suspended", "only_suspended"]

MAY_ASK = frozenset({"tool", "prompt", "resource"})


class Suspended(BaseException):
    """Leaves a run that needs an answer. Not an `Exception`: a handler must not take it for a failure."""


class Need(NamedTuple):
    """A question without an answer."""

    key: str
    question: Question
    native: NativeAsk
    digest: str


class Replay:
    """The questions and answers of one call."""

    def __init__(self, ctx: Context, kept: Kept | None = None) -> None:
        self._ctx = ctx
        self.kept = kept or Kept()
        self.needs: dict[str, Need] = {}
        """What this run needs."""
        self._bound = kept is not None
        self._given: dict[str, bytes] = _members(ctx.call.input_responses)
        self._asked_now: dict[str, str] = {}
        self.muted = bool(kept and kept.open and not kept.steps)

    # --- one run of the handler --------------------------------------------------------------------------------------

    def restart(self) -> None:
        """Before the handler runs once more in the same call."""
        self._asked_now.clear()
        self.needs.clear()
        self.muted = bool(self.kept.open) and not self.kept.steps

    def ask(self, questions: Mapping[str, Question], *, errors: bool = False) -> Answers:
        """The answers, in the order of the questions.

        Args:
            questions: What is asked, by key.
            errors: Put an `AskError` in the place of an answer instead of raising it.

        Raises:
            AskError: One of the questions cannot be asked, or has no answer and never will have.
            Suspended: Answers are not there yet.
        """
        if any(key in self.kept.open for key in questions):
            self.muted = False  # from here on the handler does what it has not done before
        found: dict[str, Any] = {}
        needs: list[Need] = []
        for key, question in questions.items():
            try:
                need = self.need(key, question)
                known = self._known(need)
                if known is not None:
                    found[key] = _read(need, known)
                else:
                    self._check(need)
                    needs.append(need)
            except AskError as error:
                if not errors:
                    raise
                found[key] = error
        if needs:
            self.needs.update((need.key, need) for need in needs)
            raise Suspended
        return Answers((key, found[key]) for key in questions)

    def require(self, step: NeedInput) -> bool:
        """Take what a handler in steps returned. False: all answers are there already, so it can be called again."""
        kept = self.kept
        kept.steps, kept.state = True, msgspec.json.decode(dumps(step.state))
        self._asked_now.clear()  # a later step may ask something else under the same key
        needs = [self.need(key, question) for key, question in step.asks.items()]
        for need in needs:
            kept.answers.pop(need.key, None)  # of an earlier step
        self.needs = {need.key: need for need in needs if self._known(need) is None}
        for need in self.needs.values():
            self._check(need)
        return not step.asks or bool(self.needs)

    def resume(self) -> bool:
        """Take the answers for a handler in steps. True: some are missing, which is what is needed again."""
        needs = [self.need(key, from_spec(spec)) for key, spec in self.kept.open.items()] if self.kept.steps else []
        self.needs = {need.key: need for need in needs if self._known(need) is None}
        for need in self.needs.values():
            self._check(need)
        return bool(self.needs)

    def answers(self) -> Answers:
        """All answers so far, for a handler in steps: what has none, because the client refused, has an `AskError`."""
        out = Answers()
        for key, known in self.kept.answers.items():
            if known.spec is not None:
                try:
                    out[key] = known.error or from_spec(known.spec).read(known.value, key)
                except InvalidAnswer as wrong:
                    out[key] = wrong
        return out

    # --- between two runs --------------------------------------------------------------------------------------------

    def asked(self) -> list[tuple[str, NativeAsk]]:
        """The questions of this round, for a stateless client; they are open from now on."""
        self._open()
        return [(need.key, need.native) for need in self.needs.values()]

    def take(self, answered: Mapping[str, tuple[bool, bytes] | AskError]) -> None:
        """Take what a client of the handshake era answered to `needs`: a result, an error object, or a failure."""
        self._open()
        self._bound = True
        for key, outcome in answered.items():
            need = self.needs[key]
            if isinstance(outcome, AskError):
                self._keep(need, error=outcome)
            elif outcome[0]:
                self._given[key] = outcome[1]
            else:
                self._keep(need, error=_refusal(key, outcome[1]))

    def refuse(self, key: str, error: bytes) -> None:
        """Take an error object for the answer to a question of the round before, which a task kept."""
        was = self.kept.open.get(key)
        if was is not None:
            spec = was if self.kept.steps else None
            digest = from_spec(spec).digest() if spec is not None else was
            self.kept.answers[key] = Known(digest, None, spec, _refusal(key, error))

    def _open(self) -> None:
        self.kept.round += 1
        self.kept.open = {
            need.key: need.question.spec() if self.kept.steps else need.digest for need in self.needs.values()
        }

    def need(self, key: str, question: Question) -> Need:
        """A question of this run, under its key."""
        if not isinstance(question, Question):
            raise TypeError(f"question {key!r} must be Elicit, ElicitUrl, Sample or AskRoots, not {question!r}")
        if question.timeout is not None and question.timeout <= 0:
            raise ValueError(f"question {key!r}: timeout must be more than 0 seconds, not {question.timeout!r}")
        if isinstance(question, ElicitUrl):
            question = self._named(key, question)
        digest = question.digest()
        if self._asked_now.setdefault(key, digest) != digest:
            raise ValueError(f"two different questions of one call have the key {key!r}")
        return Need(key, question, question.native(), digest)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _named(self, key: str, question: ElicitUrl) -> ElicitUrl:
        from secrets import token_urlsafe

        # Before the client is told the id, and then always the same.
        id_ = question.id or self.kept.ids.get(key) or token_urlsafe(18)
        self.kept.ids[key] = id_
        return replace(question, id=id_)

    def _known(self, need: Need) -> Known | None:
        known = self.kept.answers.get(need.key)
        if known is not None and known.digest == need.digest:
            return known
        given = self._given.pop(need.key, None)
        if given is None or (self._bound and not self._is_open(need)) or not need.question.fits(given):
            return None
        value = msgspec.json.decode(given)
        if need.question.again:
            try:
                need.question.read(value, need.key)
            except InvalidAnswer:
                return None
        return self._keep(need, value=value)

    def _is_open(self, need: Need) -> bool:
        # With a state we know what was asked: an answer to anything else is an old one, or made up.
        was = self.kept.open.get(need.key)
        return was == (need.question.spec() if self.kept.steps else need.digest)

    def _keep(self, need: Need, value: Any = None, error: AskError | None = None) -> Known:
        spec = need.question.spec() if self.kept.steps else None
        known = self.kept.answers[need.key] = Known(need.digest, value, spec, error)
        return known

    def _check(self, need: Need) -> None:
        # Whether this client can be asked that, here and now.
        ctx = self._ctx
        if ctx.call.stateless:
            if ctx.kind not in MAY_ASK:
                raise NoChannel(f"a {ctx.kind} request may not ask the client", need.key)
        elif (why := ctx._channel.no_way(ctx.call)) is not None:
            raise NoChannel(why, need.key)
        self.check_client(need)

    def check_client(self, need: Need) -> None:
        """Raise if the client's capabilities or revision do not allow the question."""
        ctx = self._ctx
        unable = ctx._channel.can_ask(ctx.call.key, need.native)
        if unable is None:
            return
        reason, text, needed = unable
        if reason == "capability":
            raise MissingClientCapability(msgspec.json.decode(needed or b"{}"), text, need.key)
        if reason == "wrong":
            raise TypeError(f"question {need.key!r}: {text}")
        raise Unaskable(text, need.key)


def _read(need: Need, known: Known) -> Any:
    if known.error is not None:
        raise known.error
    return need.question.read(known.value, need.key)


def _members(text: bytes | None) -> dict[str, bytes]:
    if text is None:
        return {}
    return {key: bytes(raw) for key, raw in msgspec.json.decode(text, type=dict[str, msgspec.Raw]).items()}


def _refusal(key: str, error: bytes) -> Refused:
    try:
        found = msgspec.json.decode(error)
    except msgspec.DecodeError:
        found = {}
    found = found if isinstance(found, dict) else {}
    code, message = found.get("code"), found.get("message")
    words = message if isinstance(message, str) and message else "the client refused"
    return Refused(words, key, code if isinstance(code, int) else None)


def only_suspended(exc: BaseException) -> bool:
    """Whether an exception is `Suspended`, also as all of a group's members (a TaskGroup that asked)."""
    if isinstance(exc, Suspended):
        return True
    members: tuple[BaseException, ...] = getattr(exc, "exceptions", ())
    return bool(members) and all(map(only_suspended, members))
