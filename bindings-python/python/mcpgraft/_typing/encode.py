"""Python values to JSON, with what handlers return besides the builtins: models, numpy values, paths, views."""

from __future__ import annotations

import collections.abc
from typing import Any

import msgspec

__all__ = ["clean", "dumps", "hook"]

STRING_MODULES = ("pathlib", "ipaddress")
"""Modules whose classes are strings in JSON and are made from one: `Path`, `IPv4Address`, ..."""


def hook(value: Any) -> Any:
    """What msgspec encodes instead of a value it does not know.

    Raises:
        TypeError: Nobody knows how to write it as JSON.
    """
    serializer = getattr(type(value), "__pydantic_serializer__", None)
    if serializer is not None:
        return msgspec.Raw(serializer.to_json(value, by_alias=True))
    if type(value).__module__.startswith(STRING_MODULES):
        return str(value)
    if isinstance(value, str):  # a subclass
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, (tuple, list, dict, set, frozenset)):  # msgspec knows these, but not as keys
        raise TypeError(f"the keys of a JSON object are strings, not {type(value).__qualname__}")
    if isinstance(value, collections.abc.Mapping):
        return dict(value)
    if callable(tolist := getattr(value, "tolist", None)):  # numpy arrays and scalars
        return tolist()
    if isinstance(value, (collections.abc.Set, collections.abc.Sequence, collections.abc.ValuesView)):
        return list(value)
    if isinstance(value, collections.abc.Iterator):
        return list(value)
    raise TypeError(
        f"a value of type {type(value).__qualname__} has no JSON form; return a dict, list, dataclass or model"
    )


_encode = msgspec.json.Encoder(enc_hook=hook).encode


def dumps(value: Any) -> bytes:
    """A value as JSON. Lone surrogates, which JSON texts cannot carry, become U+FFFD."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(_scrubbed(msgspec.to_builtins(value, enc_hook=hook, str_keys=True)))


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_scrubbed(key): _scrubbed(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_scrubbed(one) for one in value]
    return value


def clean(text: str) -> str:
    """A text as UTF-8 can carry it: lone surrogates become `?`."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
