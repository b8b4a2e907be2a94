"""Questions that only the client can answer (client/elicitation, client/sampling, client/roots).

A question knows how it is written for the native core, whether it is still the same one when the handler runs again,
and how its answer is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from ._native import accepts
from ._typing.encode import clean, dumps
from ._typing.forms import adapter_of, form_of, misfit
from ._typing.result import sampling_messages
from ._typing.returns import Interim
from .answers import Elicited, Root, Roots, Sampled
from .errors import InvalidAnswer

if TYPE_CHECKING:
    from ._native import _Ask as NativeAsk

__all__ = ["AskRoots", "Elicit", "ElicitUrl", "NeedInput", "Question", "Sample", "from_spec"]


class Question:
    """Base of the four kinds."""

    again: bool = True
    """Ask again when the answer does not fit, instead of raising `InvalidAnswer`."""
    timeout: float | None = None
    """How many seconds its answer is waited for, where waiting is how the client is asked (handshake era); then it is
    `TimedOut`, and the client is told that nobody waits any more. None: the server's `ask_timeout`."""

    def native(self) -> NativeAsk:
        """As the core takes it."""
        raise NotImplementedError

    def digest(self) -> str:
        """The same for the same question: an answer to another one of that key is not taken for its answer."""
        from hashlib import sha256  # brings in OpenSSL, which servers that ask nothing do not need

        return sha256(msgspec.json.encode(self.spec())).hexdigest()[:24]

    def spec(self) -> list[str]:
        """The question as JSON, for a state that outlives this process."""
        return [part.decode() if isinstance(part, bytes) else part for part in self.native()]

    def fits(self, answer: bytes) -> bool:
        """Whether an answer is of the kind that was asked for."""
        return accepts(self.native(), answer)

    def read(self, answer: Any, key: str) -> Any:
        """A decoded answer that `fits`, as the handler sees it.

        Raises:
            InvalidAnswer: It does not fit what was asked for.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Elicit(Question):
    """The user fills in a form.

    Args:
        message: For the user: what is needed, and why.
        schema: A dataclass, TypedDict, Struct or pydantic model, or a flat JSON Schema object.
        again: Ask again when what was filled in does not fit; False: raise `InvalidAnswer`.
        timeout: See `Question`.
    """

    message: str
    schema: Any
    again: bool = True
    timeout: float | None = None

    def native(self) -> NativeAsk:
        schema = dict(self.schema) if isinstance(self.schema, Mapping) else form_of(self.schema)
        return ("form", clean(self.message), dumps(schema))

    def read(self, answer: Any, key: str) -> Elicited[Any]:
        action, content = answer["action"], answer.get("content")
        if action != "accept":
            return Elicited(action, key=key)
        content = {} if content is None else content
        if isinstance(self.schema, Mapping):
            if (wrong := misfit(self.schema, content)) is not None:
                raise InvalidAnswer(f"the answer to {key!r} does not fit: {wrong}", key)
            return Elicited(action, content, content, key=key)
        adapter = adapter_of(self.schema)
        try:
            return Elicited(action, adapter.decode(msgspec.json.encode(content)), content, key=key)
        except ValueError as error:  # msgspec's and pydantic's are both
            problem = adapter.problem(error)
            where = f"{problem.where.lstrip('.')}: " if problem.where else ""
            raise InvalidAnswer(
                f"the answer to {key!r} does not fit: {where}expected {problem.expected}", key
            ) from error


@dataclass(frozen=True)
class ElicitUrl(Question):
    """The user opens an address: for what must not pass through the client, such as a password or a consent.

    Args:
        message: For the user.
        url: Where to go. No secrets in it: it is the user who opens it, not the client.
        id: Names this elicitation in `Context.elicitation_complete`; made up unless given.
        timeout: See `Question`.
    """

    message: str
    url: str
    id: str | None = None
    timeout: float | None = None

    def native(self) -> NativeAsk:
        return ("url", clean(self.message), self.url, self.id or "")

    def spec(self) -> list[str]:
        return ["url", clean(self.message), self.url]  # the id is made up anew where nothing is remembered

    def read(self, answer: Any, key: str) -> Elicited[None]:
        return Elicited(answer["action"], key=key, id=self.id)


@dataclass(frozen=True)
class Sample(Question):
    """The client's model writes.

    Args:
        messages: A text or block (one message of the user), a `Message`, a dict with `role` and `content`, or a list.
        max_tokens: The most it may write.
        system: System prompt.
        temperature: Passed on as it is.
        stop_sequences: Texts that end the writing.
        model_preferences: A `ModelPreferences` object.
        include_context: `none`, `thisServer` or `allServers`.
        tools: `Tool` objects the model may use (needs the client's `sampling.tools`).
        tool_choice: A `ToolChoice` object.
        metadata: For the provider of the model.
        timeout: See `Question`.
    """

    messages: Any
    max_tokens: int = 1024
    system: str | None = None
    temperature: float | None = None
    stop_sequences: Sequence[str] | None = None
    model_preferences: Mapping[str, Any] | None = None
    include_context: str | None = None
    tools: Sequence[Mapping[str, Any]] | None = None
    tool_choice: Mapping[str, Any] | None = None
    metadata: Mapping[str, Any] | None = None
    timeout: float | None = None

    def native(self) -> NativeAsk:
        params = {
            "messages": sampling_messages(self.messages),
            "systemPrompt": self.system,
            "includeContext": self.include_context,
            "modelPreferences": self.model_preferences,
            "temperature": self.temperature,
            "maxTokens": self.max_tokens,
            "stopSequences": self.stop_sequences,
            "metadata": self.metadata,
            "tools": self.tools,
            "toolChoice": self.tool_choice,
        }
        return ("sample", dumps({name: value for name, value in params.items() if value is not None}))

    def read(self, answer: Any, key: str) -> Sampled:
        return Sampled(answer)


@dataclass(frozen=True)
class AskRoots(Question):
    """Which folders the client works in.

    Args:
        timeout: See `Question`.
    """

    timeout: float | None = None

    def native(self) -> NativeAsk:
        return ("roots",)

    def read(self, answer: Any, key: str) -> Roots:
        roots = answer["roots"]
        if not all(isinstance(one, dict) and isinstance(one.get("uri"), str) for one in roots):
            raise InvalidAnswer(f"the answer to {key!r} does not fit: a root has no uri", key)
        return Roots(Root(one["uri"], one.get("name"), one) for one in roots)


@dataclass(frozen=True)
class NeedInput(Interim):
    """What a handler in steps returns when it needs answers: it is called again with `ctx.answers` and `ctx.state`.

    What does not fit a question is asked again before the handler is called.

    Args:
        asks: Questions by key. None at all: the client is told to try again later.
        state: Any JSON value to come back with the answers; sealed, when it travels through the client.
    """

    asks: Mapping[str, Question] = field(default_factory=dict)
    state: Any = None


def from_spec(spec: Sequence[str]) -> Question:
    """The question that `Question.spec` wrote down."""
    kind, *rest = spec
    if kind == "form":
        return Elicit(rest[0], msgspec.json.decode(rest[1]))
    if kind == "url":
        return ElicitUrl(rest[0], rest[1])
    if kind == "sample":
        return _Written(rest[0])
    return AskRoots()


@dataclass(frozen=True)
class _Written(Question):
    # Sampling whose parameters were written down before.
    params: str

    def native(self) -> NativeAsk:
        return ("sample", self.params.encode())

    def read(self, answer: Any, key: str) -> Sampled:
        return Sampled(answer)
