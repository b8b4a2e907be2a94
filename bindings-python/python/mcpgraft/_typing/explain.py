"""Why arguments were refused: msgspec's and pydantic's errors as a path, what was expected, and what came."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from .late import pattern
from .schema import describe, step

__all__ = [
    "MISSING",
    "REFUSED",
    "Path",
    "Problem",
    "msgspec_problem",
    "path_text",
    "pydantic_problem",
    "short",
    "value_at",
]

Path = tuple[str | int, ...]

REFUSED = (ValueError, msgspec.MsgspecError)
"""What decoders raise; msgspec's errors are `ValueError`s in its newer releases only."""

MISSING: Any = object()
"""What `value_at` gives where nothing is."""


class Problem(msgspec.Struct, frozen=True):
    """One reason why a value does not fit."""

    path: Path | None
    """Where, below the parameter; None when the library does not say exactly."""
    where: str
    """The same as text, e.g. `.tags[0]`; empty at the parameter itself."""
    expected: str
    """What would fit, e.g. `int >= 1`."""
    forbids_string: bool = False
    """A string came where none is accepted."""
    wants_integer: bool = False
    """A float came where only integers are accepted."""
    got: Any = MISSING
    """The value that came, when the library gives it itself."""


_WHERE = pattern(r"^(?P<what>.*?)(?: - at (?:`(?P<key>key)` in )?`\$(?P<path>.*)`)?$", re.DOTALL)
_EXPECTED = pattern(r"^Expected (?P<expected>.*?)(?:, got `(?P<got>[^`]*)`)?$", re.DOTALL)
_MISSING = pattern(r"^Object missing required field `(?P<field>.*)`$", re.DOTALL)
_INVALID = pattern(r"^Invalid (?P<what>[A-Za-z0-9 -]+?)(?: .?'.*'| value.*)?$", re.DOTALL)
_TOKEN = pattern(r"\.([^.\[\]]+)|\[(\d+)\]")


def msgspec_problem(error: Exception, schema: dict[str, Any]) -> Problem:
    """Read a `msgspec.ValidationError`.

    Args:
        error: The error of decoding one parameter.
        schema: That parameter's schema, which knows enum values that the message does not say.
    """
    match = _WHERE.match(str(error))
    what, where = (match["what"], match["path"] or "") if match else (str(error), "")
    path = _path(where)
    if missing := _MISSING.match(what):
        field = missing["field"]
        inner = step(schema, (*path, field)) if path is not None else {}
        return Problem(None if path is None else (*path, field), f"{where}.{field}", describe(inner) or "a value")
    here = describe(step(schema, path)) if path is not None else ""
    if match and match["key"]:
        return Problem(None, where, f"other keys ({what.replace('`', '')})")
    if expected := _EXPECTED.match(what):
        got = expected["got"]
        text = expected["expected"].replace("`", "")
        integer = got == "float" and re.search(r"\bint\b", text) is not None
        return Problem(path, where, text, got == "str", integer)
    if what.startswith("Invalid enum value") and here:
        return Problem(path, where, here, forbids_string=_no_strings(step(schema, path or ())))
    if invalid := _INVALID.match(what):
        noun = invalid["what"].strip()
        return Problem(path, where, f"a valid {noun}")
    return Problem(path, where, what.replace("`", ""))


def _no_strings(schema: dict[str, Any]) -> bool:
    values = schema.get("enum")
    return isinstance(values, list) and not any(isinstance(value, str) for value in values)


def pydantic_problem(error: Exception) -> Problem:
    """Read the first error of a `pydantic.ValidationError`."""
    errors = getattr(error, "errors", None)
    found: list[dict[str, Any]] = errors(include_url=False) if errors else []
    if not found:
        return Problem(None, "", str(error))
    first = found[0]
    path: Path = tuple(first.get("loc", ()))
    kind = str(first.get("type", ""))
    message = str(first.get("msg", "")).removeprefix("Input should be ").removeprefix("Value error, ")
    got = first.get("input", MISSING)
    if kind == "missing":
        return Problem(path, path_text(("", *path)), "a value")
    return Problem(
        path,
        path_text(("", *path)),
        message,
        forbids_string=isinstance(got, str)
        and (kind.endswith(("_type", "_parsing")) or kind in ("model_attributes_type", "json_invalid")),
        got=got,
    )


def _path(text: str) -> Path | None:
    steps: list[str | int] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:  # `[...]`: some key of a mapping, or some member of a set
            return None
        steps.append(int(token[2]) if token[2] else token[1])
        at = token.end()
    return tuple(steps)


def path_text(path: Path) -> str:
    """A path as people write it: `filters.tags[0]`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def value_at(tree: Any, path: Path) -> Any:
    """The value at a path of a decoded JSON tree, or `MISSING`."""
    for part in path:
        if isinstance(tree, dict):
            tree = tree.get(part, MISSING)
        elif isinstance(tree, list) and isinstance(part, int) and 0 <= part < len(tree):
            tree = tree[part]
        else:
            return MISSING
    return tree


_show = msgspec.json.Encoder(enc_hook=str, decimal_format="number").encode


def short(value: Any, limit: int = 60) -> str:
    """A value as JSON in one line of at most `limit` characters; `nothing` for `MISSING`."""
    if value is MISSING:
        return "nothing"
    if isinstance(value, str) and len(value) > limit:
        value = value[: limit + 1]
    try:
        text = _show(value).decode()
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
