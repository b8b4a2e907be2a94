"""Content a handler may return: blocks, resources, messages. Field names on the wire are the protocol's.

Absent fields are never written. Binary data is given as bytes; a str is taken as base64 that is ready.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec

__all__ = [
    "CONTENT",
    "Annotations",
    "AssistantMessage",
    "Audio",
    "Completion",
    "Content",
    "EmbeddedResource",
    "Icon",
    "Image",
    "Message",
    "ResourceContents",
    "ResourceLink",
    "Text",
    "ToolAnnotations",
    "ToolResult",
    "UserMessage",
    "sniff",
]

Role: TypeAlias = Literal["user", "assistant"]


class _Wire(msgspec.Struct, omit_defaults=True, rename="camel"):
    """Base of everything that is written as a JSON object."""


class Annotations(_Wire):
    """Hints for whoever shows the content."""

    audience: Sequence[Role] | None = None
    priority: float | None = None
    """From 0 (optional) to 1 (required)."""
    last_modified: str | None = None
    """ISO 8601. Revisions before 2025-06-18 do not get it."""


class Icon(_Wire):
    """A picture for a server, tool, resource or prompt."""

    src: str
    """An `https:` or `data:` URL; clients refuse others."""
    mime_type: str | None = None
    sizes: Sequence[str] | None = None
    """E.g. `48x48`, or `any`."""
    theme: Literal["light", "dark"] | None = None


class ToolAnnotations(_Wire):
    """Hints about a tool. Clients do not rely on them."""

    title: str | None = None
    read_only_hint: bool | None = None
    """It changes nothing. Taken as False when absent."""
    destructive_hint: bool | None = None
    """It may destroy something; means something only if not read-only. Taken as True when absent."""
    idempotent_hint: bool | None = None
    """Calling it again with the same arguments changes nothing more. Taken as False when absent."""
    open_world_hint: bool | None = None
    """It deals with things outside of this server. Taken as True when absent."""


class Text(_Wire, tag_field="type", tag="text"):
    """A text block."""

    text: str
    annotations: Annotations | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")


class Image(_Wire, tag_field="type", tag="image"):
    """An image block. The MIME type is read from the data unless given.

    Raises:
        ValueError: No MIME type is given and the data is of no kind that is recognised.
    """

    data: bytes | str
    mime_type: str | None = None
    annotations: Annotations | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")

    def __post_init__(self) -> None:
        self.mime_type = self.mime_type or _mime_of(self.data, "image")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Image:
        """Read an image file, now."""
        return cls(*_read(path))


class Audio(_Wire, tag_field="type", tag="audio"):
    """An audio block. The MIME type is read from the data unless given.

    Raises:
        ValueError: No MIME type is given and the data is of no kind that is recognised.
    """

    data: bytes | str
    mime_type: str | None = None
    annotations: Annotations | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")

    def __post_init__(self) -> None:
        self.mime_type = self.mime_type or _mime_of(self.data, "audio")

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Audio:
        """Read an audio file, now."""
        return cls(*_read(path))


class ResourceContents(_Wire, kw_only=True):
    """What a resource holds: `text` or `blob`, one of them.

    Raises:
        ValueError: Both are given, or none.
    """

    uri: str | None = None
    """The resource's; None means the one that was asked for (only when a resource is read)."""
    mime_type: str | None = None
    text: str | None = None
    blob: bytes | str | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")

    def __post_init__(self) -> None:
        if (self.text is None) == (self.blob is None):
            raise ValueError("ResourceContents takes text or blob, one of them")


class EmbeddedResource(_Wire, tag_field="type", tag="resource"):
    """A block that holds a whole resource.

    Raises:
        ValueError: The resource has no URI.
    """

    resource: ResourceContents
    annotations: Annotations | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")

    def __post_init__(self) -> None:
        if self.resource.uri is None:
            raise ValueError("an embedded resource needs a uri")


class ResourceLink(_Wire, tag_field="type", tag="resource_link"):
    """A block that points to a resource, which clients may read."""

    uri: str
    name: str
    title: str | None = None
    description: str | None = None
    mime_type: str | None = None
    size: int | None = None
    """Bytes, before base64."""
    annotations: Annotations | None = None
    icons: Sequence[Icon] | None = None
    meta: dict[str, Any] | None = msgspec.field(default=None, name="_meta")


Content: TypeAlias = Text | Image | Audio | EmbeddedResource | ResourceLink
"""Any block."""


class Message(_Wire):
    """One message of a prompt. A str is a text block."""

    content: str | Content
    role: Role = msgspec.field(default="user")


class UserMessage(Message):
    """A message in the user's name."""


class AssistantMessage(Message):
    """A message in the model's name."""

    role: Role = msgspec.field(default="assistant")


class Completion(_Wire):
    """Suggestions for an argument's value."""

    values: Sequence[str]
    """At most 100 are sent."""
    total: int | None = None
    has_more: bool | None = None


class ToolResult(msgspec.Struct):
    """A whole tool result, for handlers that want to say every part of it."""

    content: Any = msgspec.UNSET
    """What a handler may return as content: a str, a block, a list. If left out, the JSON of `structured`."""
    structured: Any = msgspec.UNSET
    """Any JSON value; left out if not given. None is the JSON null."""
    is_error: bool = False
    meta: dict[str, Any] | None = None


BLOCKS = (Text, Image, Audio, EmbeddedResource, ResourceLink)
CONTENT = (*BLOCKS, ResourceContents, ToolResult)
"""Classes whose values are sent as content, never as structured data."""

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"fLaC", "audio/flac"),
    (b"OggS", "audio/ogg"),
)


def sniff(data: bytes) -> str | None:
    """MIME type of an image or of audio, by its first bytes; None if it is neither."""
    if data[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(data[8:12])
    return next((mime for magic, mime in _MAGIC if data.startswith(magic)), None)


def _mime_of(data: bytes | str, kind: str) -> str:
    mime = None if isinstance(data, str) else sniff(bytes(data[:16]))
    if mime is None:
        raise ValueError(f"mime_type is needed: the data is no {kind} of a kind that is recognised")
    return mime


def _read(path: str | os.PathLike[str]) -> tuple[bytes, str | None]:
    import mimetypes  # brings much in, for servers that read no files

    with open(path, "rb") as file:
        data = file.read()
    return data, sniff(data[:16]) or mimetypes.guess_type(os.fspath(path))[0]
