"""What handlers return, as result objects of revision 2026-07-28. The core translates for older peers.

Structured content is any JSON value here, unwrapped. A result is one encoding of the value; its text copy is that
encoding quoted.
"""

from __future__ import annotations

import collections.abc
import enum
import functools
from collections.abc import Hashable
from typing import Any

import msgspec

from ..errors import NotFound
from .content import (
    BLOCKS,
    CONTENT,
    Audio,
    Completion,
    EmbeddedResource,
    Image,
    Message,
    ResourceContents,
    Text,
    ToolResult,
    sniff,
)
from .encode import dumps
from .late import Protocol

__all__ = [
    "completion_result",
    "error_result",
    "prompt_result",
    "resource_result",
    "sampling_messages",
    "text_result",
    "tool_result",
]

_BINARY = (bytes, bytearray, memoryview)
_MAX_COMPLETIONS = 100  # the protocol's limit
_TEXT_OPEN, _TEXT_CLOSE = b'{"content":[{"type":"text","text":', b"}]}"
_STRUCTURED = b'}],"structuredContent":'
_EMPTY = b'{"content":[]}'


def text_result(text: str) -> bytes:
    """The result of a tool that is a text."""
    return b"%b%b%b" % (_TEXT_OPEN, dumps(text), _TEXT_CLOSE)


class _Output(Protocol):
    @property
    def output_schema(self) -> object: ...


def tool_result(value: Any, signature: _Output | None = None) -> bytes:
    """The result of a tool.

    Args:
        value: str: a text block. None: nothing. Content values (`Text`, `Image`, bytes, ...) or a list in which there
            is one: content. `ToolResult`: as it says. Anything else: its JSON as text and as structured content.
        signature: Of the function; if it promises structured content, None and str are sent as that, too.

    Raises:
        TypeError: The value has no JSON form.
    """
    kind = type(value)
    if kind is str:
        if signature is None or signature.output_schema is None:
            return text_result(value)
        text = dumps(value)
        return b"%b%b%b%b}" % (_TEXT_OPEN, text, _STRUCTURED, text)
    if isinstance(value, str) and not isinstance(value, enum.Enum):
        return tool_result(str.__str__(value), signature)
    if value is None and (signature is None or signature.output_schema is None):
        return _EMPTY
    if kind is ToolResult:
        return _ready(value)
    if _is_content(value):
        return b'{"content":%b}' % dumps(_blocks(value))
    data = dumps(value)
    return b"%b%b%b%b}" % (_TEXT_OPEN, _quoted(data), _STRUCTURED, data)


def error_result(reason: Any) -> bytes:
    """A tool result with `isError`.

    Args:
        reason: The text, or content as for `tool_result`. Never becomes structured content: clients would check it
            against the schema of good results.
    """
    blocks = _blocks("the tool failed" if reason is None or reason == "" else reason)
    return b'{"content":%b,"isError":true}' % dumps(blocks)


def _ready(result: ToolResult) -> bytes:
    out: dict[str, Any] = {}
    structured = result.structured is not msgspec.UNSET
    data = dumps(result.structured) if structured else b"null"
    if result.content is not msgspec.UNSET:
        out["content"] = _blocks(result.content)
    else:
        out["content"] = [Text(_text_of(data))] if structured else []
    if structured:
        out["structuredContent"] = msgspec.Raw(data)
    if result.is_error:
        out["isError"] = True
    if result.meta is not None:
        out["_meta"] = result.meta
    return dumps(out)


def _quoted(data: bytes) -> bytes:
    # JSON that is a string already reads best as that string.
    if data.startswith(b'"'):
        return data
    if b"\n" in data or b"\r" in data or b"\t" in data:  # a handler's own `msgspec.Raw`
        return dumps(data.decode())
    # What is JSON already holds no other control characters; a general encoder would look at every byte again.
    return b'"%b"' % data.replace(b"\\", b"\\\\").replace(b'"', b'\\"')


def _text_of(data: bytes) -> str:
    return str(msgspec.json.decode(data)) if data.startswith(b'"') else data.decode()


def _is_content(value: Any) -> bool:
    if isinstance(value, (list, tuple)):
        return any(map(_is_content_type, set(map(type, value))))
    kind: Any = type(value)  # mypy: a class is hashable for itself only
    return _is_content_type(kind)


@functools.lru_cache(maxsize=1024)
def _is_content_type(kind: Hashable) -> bool:
    return isinstance(kind, type) and issubclass(kind, (*CONTENT, *_BINARY))


def _blocks(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return [_block(one) for one in value]
    return [_block(value)]


def _block(value: Any) -> Any:
    if isinstance(value, str):
        return Text(str(value))
    if isinstance(value, BLOCKS):
        return value
    if isinstance(value, ResourceContents):
        return EmbeddedResource(value)
    if isinstance(value, _BINARY):
        return _binary(bytes(value))
    if isinstance(value, dict) and isinstance(value.get("type"), str) and value["type"] in _BLOCK_TYPES:
        return value
    return Text(_text_of(dumps(value)))


_BLOCK_TYPES = frozenset({"text", "image", "audio", "resource", "resource_link"})


def _binary(data: bytes) -> Any:
    mime = sniff(data[:16])
    if mime is None:  # an embedded resource must have some URI; this one says only that it can be read nowhere else
        return EmbeddedResource(
            ResourceContents(uri="mcp-content://result", blob=data, mime_type="application/octet-stream")
        )
    return Image(data, mime) if mime.startswith("image/") else Audio(data, mime)


def prompt_result(value: Any, description: str | None = None) -> bytes:
    """The result of a prompt.

    Args:
        value: A str or block (one message of the user), a `Message`, a dict with `role` and `content`, or a list
            of these. A dict with `messages` is taken as the whole result.
        description: Sent with it if not None.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(value, dict) and "messages" in value:
        inner = {key: one for key, one in value.items() if key != "messages"}
        description = inner.pop("description", description)
        value = value["messages"]
    else:
        inner = {}
    several = value if isinstance(value, (list, tuple)) else [value]
    messages = [message for one in several for message in _messages(one)]
    head = {} if description is None else {"description": description}
    return dumps({**head, "messages": messages, **inner})


def _messages(value: Any) -> list[dict[str, Any]]:
    role: Any = "user"
    if isinstance(value, Message):
        role, value = value.role, value.content
    elif isinstance(value, dict) and "content" in value and "role" in value:
        role, value = value["role"], value["content"]
    elif not isinstance(value, (str, *BLOCKS, ResourceContents, *_BINARY)):
        raise TypeError(f"a prompt returns text, messages or content blocks, not {type(value).__qualname__}")
    if role not in ("user", "assistant"):
        raise TypeError(f"a message's role is 'user' or 'assistant', not {role!r}")
    # A message holds one block in every revision: several become several messages.
    return [{"role": role, "content": block} for block in _blocks(value)]


def sampling_messages(value: Any) -> list[dict[str, Any]]:
    """The messages of a sampling request.

    Args:
        value: What a prompt may return; the content of a message may moreover be a list, which stays together.

    Raises:
        TypeError: It is none of these.
    """
    several = value if isinstance(value, (list, tuple)) else [value]
    out: list[dict[str, Any]] = []
    for one in several:
        if isinstance(one, dict) and isinstance(one.get("content"), (list, tuple)) and "role" in one:
            out.append({**one, "content": _blocks(one["content"])})
        else:
            out.extend(_messages(one))
    return out


def resource_result(value: Any, uri: str, mime: str | None = None) -> bytes:
    """The result of reading a resource.

    Args:
        value: A str (text), bytes (blob), `ResourceContents`, a block, a list of `ResourceContents`, or any other
            value (its JSON).
        uri: The URI that was asked for.
        mime: MIME type the resource was registered with; guessed from the value if None.

    Raises:
        NotFound: The value is None: there is nothing at this URI.
        TypeError: The value has no JSON form.
    """
    if value is None:
        raise NotFound(uri)
    if type(value) is str:
        return b'{"contents":[{"uri":%b,"mimeType":%b,"text":%b}]}' % (
            dumps(uri),
            dumps(mime or "text/plain"),
            dumps(value),
        )
    if isinstance(value, (list, tuple)) and _is_content(value):
        contents = [_contents(one, uri, mime) for one in value]
    else:
        contents = [_contents(value, uri, mime)]
    return dumps({"contents": contents})


def _contents(value: Any, uri: str, mime: str | None) -> ResourceContents:
    if isinstance(value, EmbeddedResource):
        value = value.resource
    if isinstance(value, ResourceContents):
        return ResourceContents(
            uri=value.uri or uri,
            mime_type=value.mime_type or mime or ("text/plain" if value.blob is None else "application/octet-stream"),
            text=value.text,
            blob=value.blob,
            meta=value.meta,
        )
    if isinstance(value, Text):
        value = value.text
    if isinstance(value, str):
        return ResourceContents(uri=uri, mime_type=mime or "text/plain", text=value)
    if isinstance(value, (Image, Audio)):
        return ResourceContents(uri=uri, mime_type=value.mime_type, blob=value.data)
    if isinstance(value, _BINARY):
        data = bytes(value)
        return ResourceContents(uri=uri, mime_type=mime or sniff(data[:16]) or "application/octet-stream", blob=data)
    return ResourceContents(uri=uri, mime_type=mime or "application/json", text=dumps(value).decode())


def completion_result(value: Any) -> bytes:
    """The result of a completion.

    Args:
        value: Strings, a `Completion`, or None for no suggestion. Of more than 100 the first 100 are sent, and that
            there are more.

    Raises:
        TypeError: It is none of these.
    """
    total: int | None = None
    more: bool | None = None
    if isinstance(value, Completion):
        total, more, value = value.total, value.has_more, value.values
    if value is None:
        value = ()
    if isinstance(value, (str, dict)) or not isinstance(value, collections.abc.Iterable):
        raise TypeError(f"a completion returns a list of strings, not {type(value).__qualname__}")
    values = [str(one) for one in value]
    if len(values) > _MAX_COMPLETIONS:
        total = len(values) if total is None else total
        more = True
    out: dict[str, Any] = {"values": values[:_MAX_COMPLETIONS]}
    if total is not None:
        out["total"] = total
    if more is not None:
        out["hasMore"] = more
    return dumps({"completion": out})
