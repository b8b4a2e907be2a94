"""MCP (Model Context Protocol) for the server you already have.

    from mcpgraft import Server

    server = Server("policies", version="1.0.0")

    @server.tool
    def search_policies(query: str, limit: int = 10) -> list[dict]:
        "Search company policies by keyword."
        ...

Then mount it in Flask, Django, WSGI or ASGI (`mcpgraft.flask`, `.django`, `.wsgi`, `.asgi`), or `server.run()`.
Importing this imports no web framework and no asyncio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._native import REVISIONS, VERSION
from ._typing.content import (
    Annotations,
    AssistantMessage,
    Audio,
    Completion,
    EmbeddedResource,
    Icon,
    Image,
    Message,
    ResourceContents,
    ResourceLink,
    Text,
    ToolResult,
    UserMessage,
)
from ._typing.repair import Repair
from .answers import Answers, Elicited, Root, Roots, Sampled
from .context import Cancelled, Context
from .errors import (
    ArgumentError,
    AskError,
    Declined,
    Dismissed,
    Forbidden,
    InvalidAnswer,
    InvalidParams,
    InvalidResult,
    McpError,
    MissingClientCapability,
    NoChannel,
    NotFound,
    Refused,
    RegistrationError,
    TimedOut,
    ToolError,
    TooManyRounds,
    Unaskable,
    Unauthorized,
    UrlElicitationRequired,
)
from .server import Server

if TYPE_CHECKING:
    from .ask import AskRoots, Elicit, ElicitUrl, NeedInput, Sample
    from .auth import ApiKey, Bearer, InsufficientScope, Principal, requires
    from .task_store import ListingStore, MemoryTasks, TaskRecord, TaskStore
    from .tasks import Tasks

__version__ = VERSION

__all__ = [
    "REVISIONS",
    "Annotations",
    "Answers",
    "ApiKey",
    "ArgumentError",
    "AskError",
    "AskRoots",
    "AssistantMessage",
    "Audio",
    "Bearer",
    "Cancelled",
    "Completion",
    "Context",
    "Declined",
    "Dismissed",
    "Elicit",
    "ElicitUrl",
    "Elicited",
    "EmbeddedResource",
    "Forbidden",
    "Icon",
    "Image",
    "InsufficientScope",
    "InvalidAnswer",
    "InvalidParams",
    "InvalidResult",
    "ListingStore",
    "McpError",
    "MemoryTasks",
    "Message",
    "MissingClientCapability",
    "NeedInput",
    "NoChannel",
    "NotFound",
    "Principal",
    "Refused",
    "RegistrationError",
    "Repair",
    "ResourceContents",
    "ResourceLink",
    "Root",
    "Roots",
    "Sample",
    "Sampled",
    "Server",
    "TaskRecord",
    "TaskStore",
    "Tasks",
    "Text",
    "TimedOut",
    "TooManyRounds",
    "ToolError",
    "ToolResult",
    "Unaskable",
    "Unauthorized",
    "UrlElicitationRequired",
    "UserMessage",
    "__version__",
    "requires",
]

_LATER = {
    "AskRoots": "ask", "Elicit": "ask", "ElicitUrl": "ask", "NeedInput": "ask", "Sample": "ask",
    # hmac brings in OpenSSL, which a server on stdio never needs.
    "ApiKey": "auth", "Bearer": "auth", "InsufficientScope": "auth", "Principal": "auth", "requires": "auth",
    "ListingStore": "task_store",
    "MemoryTasks": "task_store", "TaskRecord": "task_store", "TaskStore": "task_store", "Tasks": "tasks",
}  # fmt: skip


def __getattr__(name: str) -> object:
    if (module := _LATER.get(name)) is not None:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
