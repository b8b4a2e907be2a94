"""Forms of an elicitation: a flat JSON Schema made of a class, and a look at what came back for a given one.

The protocol allows an object of strings, numbers, booleans and choices (client/elicitation, "Requested Schema"), so
nothing here knows more of JSON Schema than that.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from .adapter import Adapter, adapt
from .schema import finish

__all__ = ["adapter_of", "form_of", "misfit"]

Schema = dict[str, Any]
_KINDS: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: _number(value) and float(value).is_integer(),
    "number": lambda value: _number(value),
}


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def adapter_of(kind: Any) -> Adapter:
    """Decoder and schema of a dataclass, TypedDict, Struct or model; kept, because handlers ask many times."""
    try:
        return _cached(kind)
    except TypeError:  # not hashable
        return adapt(kind)


_cached = lru_cache(maxsize=512)(adapt)


def form_of(kind: Any) -> Schema:
    """The schema of a form for a class.

    Raises:
        TypeError: A field is no string, number, boolean or choice.
    """
    adapter = adapter_of(kind)
    whole = finish(adapter.schema, adapter.defs, collapse_null=True)
    if whole.get("type") != "object" or not isinstance(whole.get("properties"), dict):
        raise TypeError(f"a form is a class with fields, not {getattr(kind, '__name__', kind)}")
    form: Schema = {"type": "object", "properties": {name: _field(one) for name, one in whole["properties"].items()}}
    if whole.get("required"):
        form["required"] = list(whole["required"])
    return form


def _field(field: Schema) -> Schema:
    # A single choice is said with `enum`; some generators say `const`. `default: null` is none at all.
    out = {key: value for key, value in field.items() if not (key == "default" and value is None)}
    if "const" in out:
        out["enum"] = [out.pop("const")]
    if out.get("uniqueItems"):
        del out["uniqueItems"]
    return out


def misfit(schema: Mapping[str, Any], content: Mapping[str, Any]) -> str | None:
    """What is wrong with the content of a form; None: nothing."""
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in content:
            return f"{name} is missing"
    for name, value in content.items():
        field = properties.get(name)
        if isinstance(field, Mapping) and (wrong := _wrong(field, value)):
            return f"{name} {wrong}"
    return None


def _wrong(field: Mapping[str, Any], value: Any) -> str | None:
    kind = field.get("type")
    if kind == "array":
        if not isinstance(value, list):
            return "is not a list"
        if not field.get("minItems", 0) <= len(value) <= field.get("maxItems", len(value)):
            return "has too few or too many choices"
        items = field.get("items", {})
        return "has something that is no choice" if any(not _chosen(items, one) for one in value) else None
    if kind in _KINDS and not _KINDS[kind](value):
        return f"is not a {kind}"
    if not _chosen(field, value):
        return "is none of the choices"
    if isinstance(value, str):
        return _wrong_text(field, value)
    if _number(value) and not field.get("minimum", value) <= value <= field.get("maximum", value):
        return "is out of range"
    return None


def _chosen(field: Mapping[str, Any], value: Any) -> bool:
    choices = field.get("enum")
    if choices is None:
        titled = field.get("oneOf", field.get("anyOf"))
        choices = None if titled is None else [one.get("const") for one in titled]
    return choices is None or value in choices


def _wrong_text(field: Mapping[str, Any], value: str) -> str | None:
    if not field.get("minLength", 0) <= len(value) <= field.get("maxLength", len(value)):
        return "is too short or too long"
    pattern = field.get("pattern")
    if pattern is not None:
        try:
            if re.search(pattern, value) is None:
                return "does not match the pattern"
        except re.error:
            pass  # a pattern of another dialect is the client's to judge
    check = _FORMATS.get(field.get("format", ""))
    return None if check is None else check(value)


def _email(value: str) -> str | None:
    return None if re.fullmatch(r"[^@\s]+@[^@\s]+", value) else "is not an e-mail address"


def _uri(value: str) -> str | None:
    return None if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) else "is not a URI"


def _of_type(kind: Any, name: str) -> Callable[[str], str | None]:
    def check(value: str) -> str | None:
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            return f"is not a {name}"
        return None

    return check


def _formats() -> dict[str, Callable[[str], str | None]]:
    import datetime

    return {
        "email": _email,
        "uri": _uri,
        "date": _of_type(datetime.date, "date"),
        "date-time": _of_type(datetime.datetime, "date and time"),
    }


_FORMATS = _formats()
