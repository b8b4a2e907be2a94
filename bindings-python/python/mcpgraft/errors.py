"""Exceptions a handler may raise, and those this package raises at registration.

What the peer sees: `McpError`, `NotFound` and `InvalidParams` are JSON-RPC protocol errors (a tool's `NotFound` becomes
an `isError` result); `ToolError` and `ArgumentError` are tool results with `isError`, which the model can read and act
on; `Forbidden` and `Unauthorized` take the form the host's transport has for a refusal. `AskError` and its kinds say
why a question to the client has no answer: for a tool an `isError` result, else an internal error with that text.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "AskError",
    "Cancelled",
    "Declined",
    "Dismissed",
    "Forbidden",
    "InvalidAnswer",
    "InvalidParams",
    "InvalidResult",
    "McpError",
    "MissingClientCapability",
    "NoChannel",
    "NotFound",
    "Refused",
    "RegistrationError",
    "TimedOut",
    "TooManyRounds",
    "ToolError",
    "Unaskable",
    "Unauthorized",
    "UrlElicitationRequired",
]


class McpError(Exception):
    """A JSON-RPC error, sent to the peer as it is.

    Args:
        message: One sentence for the peer.
        code: JSON-RPC error code; -32603 (internal error) unless given.
        data: Any JSON value with details, or None to send none.
    """

    code: int = -32603
    data: object

    def __init__(self, message: str = "", code: int | None = None, data: object = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code
        self.data = data


class NotFound(McpError):
    """There is no such thing. The core picks the code that the peer's revision has for it.

    Args:
        what: A URI or name ("config://app"), or a whole sentence ("there is no customer 5").
        data: Details; the URI is sent as `{"uri": ...}` when `what` is one and this is None.
    """

    code = -32002

    def __init__(self, what: str = "", data: object = None) -> None:
        sentence = what if " " in what else f"not found: {what}" if what else "not found"
        if data is None and "://" in what and " " not in what:
            data = {"uri": what}
        super().__init__(sentence, data=data)
        self.what = what


class InvalidParams(McpError):
    """The request's parameters are wrong: code -32602.

    Args:
        message: What is wrong and what would be right.
        field: The parameter it is about, if one; also sent as `{"field": ...}` when `data` is None.
        data: Details.
    """

    code = -32602

    def __init__(self, message: str = "", field: str | None = None, data: object = None) -> None:
        if data is None and field is not None:
            data = {"field": field}
        super().__init__(message, data=data)
        self.field = field


class ToolError(Exception):
    """A tool could not do what was asked: an `isError` result whose text the model reads.

    Args:
        message: The text, or content values (`Text`, `Image`, ... or a list of them) to send instead of a text.
    """

    content: object

    def __init__(self, message: object = "") -> None:
        super().__init__(message if isinstance(message, str) else "the tool failed")
        self.content = None if isinstance(message, str) else message


class ArgumentError(ToolError):
    """Arguments do not fit the function's parameters.

    Args:
        field: Path of the first wrong argument, e.g. `filters.tags[0]`.
        expected: What is accepted there.
        got: What came, as JSON, shortened.
        message: The whole text; made of the other three unless given.
    """

    def __init__(self, field: str, expected: str, got: str, message: str | None = None) -> None:
        super().__init__(message if message is not None else f"{field}: expected {expected}, got {got}")
        self.field = field
        self.expected = expected
        self.got = got


class InvalidResult(Exception):
    """A tool's structured result does not fit its `outputSchema`: logged, and an internal error (-32603) to the peer.

    Not an `isError` result: a model cannot do better, and only the server's author can mend it.
    """


class Forbidden(Exception):
    """The caller is known and may not do this."""

    def __init__(self, message: str = "forbidden") -> None:
        super().__init__(message)


class Unauthorized(Exception):
    """The caller did not show who it is, or not convincingly."""

    def __init__(self, message: str = "unauthorized") -> None:
        super().__init__(message)


class RegistrationError(TypeError, ValueError):
    """The host's mistake, found when a handler is registered. Names the function and the parameter."""


class Cancelled(Exception):
    """Raised by `Context.check_cancelled` when the peer no longer wants the result. Nothing is sent for it."""


class AskError(Exception):
    """A question to the client has no answer. Base of all that may go wrong with one; `key` is the question's."""

    def __init__(self, message: str, key: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.key = key


class Declined(AskError):
    """The user said no to an elicitation (action `decline`); raised by `Elicited.data`."""


class Dismissed(AskError):
    """The user closed an elicitation without an answer (action `cancel`); raised by `Elicited.data`."""


class Refused(AskError):
    """The client answered with an error: `code` (-1: the user refused) and the client's own words.

    Handshake era only; a client of the stateless era that refuses does not come back.
    """

    def __init__(self, message: str, key: str = "", code: int | None = None) -> None:
        super().__init__(message, key)
        self.code = code


class TimedOut(AskError):
    """No answer came within `Server(ask_timeout=...)`. Handshake era only."""


class InvalidAnswer(AskError):
    """The answer does not fit what was asked for (`again=False`; else the question is asked again)."""


class NoChannel(AskError):
    """There is no way to ask this client: no session or no event stream over HTTP, or a method that may not ask."""


class Unaskable(AskError):
    """The client's revision has no form for the question, or the question is wrong in itself."""


class TooManyRounds(AskError):
    """A call asked again and again and is given up."""


class MissingClientCapability(AskError):
    """The call needs something that the client did not declare (-32021 from 2026-07-28 on).

    Args:
        needed: A `ClientCapabilities` object with what is missing, e.g. `{"sampling": {}}`.
        message: For people.
        key: The question, if there was one.
    """

    def __init__(self, needed: object, message: str | None = None, key: str = "") -> None:
        super().__init__(message or "the client did not declare the capability that is needed", key)
        self.needed = needed


class UrlElicitationRequired(Exception):
    """The call cannot go on before the user has been to some addresses (server/tools of 2025-11-25, code -32042).

    A client of the stateless era is asked for the same by `input_required`, and the handler runs again afterwards.

    Args:
        elicitations: `ElicitUrl` values; their `id` is made up unless given.
        message: For people.
    """

    def __init__(self, *elicitations: object, message: str = "the user has to open an address first") -> None:
        super().__init__(message)
        self.message = message
        self.elicitations = elicitations
