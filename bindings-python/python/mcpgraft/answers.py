"""What clients answer. Every answer can be awaited, so `await ctx.elicit(...)` works as well as `ctx.elicit(...)`."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any, Generic, Literal, NamedTuple, TypeVar

from .errors import Declined, Dismissed

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Answers", "Elicited", "Root", "Roots", "Sampled"]

T = TypeVar("T")
U = TypeVar("U")
Action = Literal["accept", "decline", "cancel"]


class _Ready:
    """Already there; awaiting it gives itself."""

    __slots__ = ()

    def __await__(self) -> Generator[None, None, Self]:
        return self
        yield


class Elicited(_Ready, Generic[T]):
    """How the user answered an elicitation. True if accepted."""

    __slots__ = ("_data", "action", "content", "id", "key")

    def __init__(
        self,
        action: Action,
        data: T | None = None,
        content: dict[str, Any] | None = None,
        *,
        key: str = "",
        id: str | None = None,
    ) -> None:
        self.action = action
        """`accept`, `decline` (the user said no) or `cancel` (the user closed it without an answer)."""
        self._data = data
        self.content = content
        """The form as it came; None unless accepted, and for a URL."""
        self.key = key
        self.id = id
        """The elicitation's id, for a URL."""

    @property
    def data(self) -> T:
        """What the user filled in, as the type that was asked for; None for a URL.

        Raises:
            Declined: The user said no.
            Dismissed: The user closed the form.
        """
        if self.action == "decline":
            raise Declined(f"the user declined: {self.key}", self.key)
        if self.action == "cancel":
            raise Dismissed(f"the user did not answer: {self.key}", self.key)
        return self._data  # type: ignore[return-value]

    def to(self, kind: type[U]) -> U:
        """The form as a type, for answers that were asked for with a schema or in another step. Raises as `data` does.

        Raises:
            InvalidAnswer: It does not fit.
        """
        from .ask import Elicit

        _ = self.data
        found: U = Elicit("", kind).read({"action": "accept", "content": self.content}, self.key).data
        return found

    def __bool__(self) -> bool:
        return self.action == "accept"

    def __repr__(self) -> str:
        return f"Elicited({self.action!r}, {self._data!r})"


class Sampled(_Ready):
    """What the client's model wrote."""

    __slots__ = ("raw",)

    def __init__(self, raw: dict[str, Any]) -> None:
        self.raw = raw
        """The `CreateMessageResult` as it came."""

    @property
    def content(self) -> list[dict[str, Any]]:
        """Its content blocks; clients may send one alone."""
        content = self.raw["content"]
        return content if isinstance(content, list) else [content]

    @property
    def text(self) -> str:
        """Its texts, joined."""
        return "".join(str(one.get("text", "")) for one in self.content if one.get("type") == "text")

    @property
    def role(self) -> str:
        """`assistant`, as a rule."""
        return str(self.raw["role"])

    @property
    def model(self) -> str:
        """The model's name."""
        return str(self.raw["model"])

    @property
    def stop_reason(self) -> str | None:
        """Why it ended, if the client says so: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, ..."""
        reason = self.raw.get("stopReason")
        return reason if isinstance(reason, str) else None

    def __repr__(self) -> str:
        return f"Sampled({self.text!r})"


class Root(NamedTuple):
    """A folder, file or other place the client works in."""

    uri: str
    name: str | None = None
    raw: dict[str, Any] | None = None
    """As it came."""


class Roots(list[Root], _Ready):
    """The client's roots."""


class Answers(dict[str, Any], _Ready):
    """Answers by key: `Elicited`, `Sampled` or `Roots` each, or the `AskError` that stands for one."""
