"""Exceptions a handler may raise, and those this package raises at registration.

What the peer sees: `McpError`, `NotFound` and `InvalidParams` are JSON-RPC protocol errors (a tool's `NotFound` becomes
an `isError` result); `ToolError` and `ArgumentError` are tool results with `isError`, which the model can read and act
on; `Forbidden` and `Unauthorized` take the form the host's transport has for a refusal.
"""

from __future__ import annotations

__all__ = [
    "ArgumentError",
    "Forbidden",
    "InvalidParams",
    "McpError",
    "NotFound",
    "RegistrationError",
    "ToolError",
    "Unauthorized",
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
