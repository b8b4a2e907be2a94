"""Which return annotations promise structured content, and with what schema."""

from __future__ import annotations

import collections.abc
import typing
from functools import lru_cache
from typing import Any, get_args, get_origin

from . import content
from .adapter import UnsupportedError, adapt
from .annotations import is_simple, members, unwrapped
from .schema import finish

__all__ = ["Interim", "output_schema"]

_TEXT = (str, bytes, bytearray, memoryview)
_WRAPPERS = (
    collections.abc.Coroutine,
    collections.abc.Awaitable,
)
_STREAMS = (
    collections.abc.Generator,
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.Iterator,
)


class Interim:
    """Base of what a handler may return that is no result: annotations may name it beside the result's type."""


def output_schema(annotation: Any) -> dict[str, Any] | None:
    """Schema of the structured content a function's results always have; None when it promises none.

    A promise must be kept by every result, so a union that contains text or content promises nothing. An annotation
    without JSON Schema promises nothing either: what is returned may still be encodable.
    """
    return _known(annotation) if is_simple(annotation) else _output_schema(annotation)


def _output_schema(annotation: Any) -> dict[str, Any] | None:
    bare = unwrapped(annotation)
    if get_origin(bare) in _WRAPPERS:
        return output_schema(get_args(bare)[-1])
    parts = members(annotation)
    left = tuple(part for part in parts if not (isinstance(part, type) and issubclass(part, Interim)))
    if len(left) < len(parts):
        return output_schema(typing.Union[left]) if left else None  # noqa: UP007 - made at run time
    if _plain(annotation):
        return None
    try:
        adapter = adapt(annotation, arguments=False)
    except UnsupportedError:
        return None
    made = finish(adapter.schema, adapter.defs, collapse_null=False)
    return made if made.keys() - {"description", "title", "examples"} else None


_known = lru_cache(maxsize=512)(_output_schema)


def _plain(annotation: Any) -> bool:
    # Whether some value of this type is sent as content only.
    bare = unwrapped(annotation)
    if bare in (None, type(None), Any, object, typing.NoReturn) or isinstance(bare, (str, typing.TypeVar)):
        return True
    origin, args = get_origin(bare), get_args(bare)
    if len(parts := members(bare)) > 1:
        return any(_plain(part) for part in parts if part is not type(None))
    if origin is typing.Literal:
        return any(isinstance(value, str) for value in args)
    kind = origin or bare
    if not isinstance(kind, type):
        return True
    if kind in _STREAMS or (issubclass(kind, _TEXT) and not hasattr(kind, "__members__")):
        return True
    if issubclass(kind, content.CONTENT):
        return True
    if issubclass(kind, (list, tuple, set, frozenset)) or kind in (collections.abc.Sequence, collections.abc.Iterable):
        # A list of anything may hold content, and is then not sent as data.
        return not args or any(_holds_content(one) for one in args)
    return False


def _holds_content(annotation: Any) -> bool:
    for part in members(annotation):
        kind = get_origin(unwrapped(part)) or unwrapped(part)
        if kind in (Any, object) or (isinstance(kind, type) and issubclass(kind, content.CONTENT)):
            return True
    return False
