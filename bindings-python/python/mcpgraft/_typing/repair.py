"""Repair of arguments that models send in the wrong JSON type, where only one reading exists.

A string is read as JSON only where no string is accepted, and only if what it says is accepted; an integral float is
read as an integer where only integers are; a null is dropped where the parameter has a default and takes no null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from .explain import REFUSED, Path, Problem, path_text, value_at
from .late import pattern

__all__ = ["OnRepair", "Repair", "lossless", "repaired"]


class Repair(msgspec.Struct, frozen=True):
    """One argument that was taken differently from how it was sent."""

    param: str
    """Path of the argument, e.g. `limit` or `filters.tags`."""
    sent: Any
    """The JSON value that came."""
    used: Any
    """The JSON value that was used."""


OnRepair = Callable[[Repair], None]

_ROUNDS = 64  # repairs in one parameter before giving up: bounds the work a peer can cause
_NOTHING: Any = object()

# Numbers keep their digits between the two: a price must not change because a neighbour was repaired.
lossless = msgspec.json.Decoder(float_hook=Decimal)
_lossless_encode = msgspec.json.Encoder(decimal_format="number").encode
_STARTS_JSON = pattern(r"\s*(?:[\[{\-0-9]|true|false|null)", re.IGNORECASE)


def repaired(
    name: str, raw: bytes, decode: Callable[[bytes], Any], problem: Callable[[Exception], Problem], first: Exception
) -> tuple[Any, list[Repair]] | Exception:
    """Decode a parameter's JSON after repairing what can be. If that is not enough: the error about what came.

    Args:
        name: Parameter name, for the report.
        raw: The JSON as sent, which `decode` refused with `first`.
        decode: The parameter's decoder.
        problem: Says where and why `decode` refused.
        first: The error `decode` raised for `raw`.
    """
    tree = lossless.decode(raw)
    done: dict[Path, tuple[Any, Any]] = {}
    causes: dict[Path, Exception] = {}
    error = first
    for _ in range(_ROUNDS):
        what = problem(error)
        path = what.path
        # What is wrong inside of something that was read from a string is the string's fault.
        cause = next((causes[at] for at in causes if path is not None and path[: len(at)] == at), error)
        if path is None or path in done:
            return cause
        sent = value_at(tree, path)
        used = _reading(sent, what)
        if used is _NOTHING:
            return cause
        tree = _replaced(tree, path, used)
        done[path] = (sent, used)
        causes.setdefault(path, cause)
        try:
            value = decode(_lossless_encode(tree))
        except REFUSED as wrong:
            error = wrong
            continue
        return value, [Repair(path_text((name, *at)), _plain(was), _plain(now)) for at, (was, now) in done.items()]
    return error


def _plain(value: Any) -> Any:
    try:
        return msgspec.json.decode(_lossless_encode(value))
    except REFUSED:  # a number that only Decimal can hold
        return value


def _reading(sent: Any, problem: Problem) -> Any:
    if isinstance(sent, str) and problem.forbids_string:
        return read_json(sent)
    if isinstance(sent, Decimal) and problem.wants_integer and sent.is_finite() and abs(sent) < Decimal(1 << 63):
        return int(sent) if sent == int(sent) else _NOTHING
    return _NOTHING


def read_json(text: str) -> Any:
    """The JSON value a string spells, or a marker that equals nothing. `True`, `False` and `None` are read too."""
    if not _STARTS_JSON.match(text) and text != "None":
        return _NOTHING
    word = text.strip().lower()
    if word in ("true", "false", "none", "null"):
        return {"true": True, "false": False}.get(word)
    try:
        return lossless.decode(text)
    except (*REFUSED, ArithmeticError, RecursionError):
        return _NOTHING


def _replaced(tree: Any, path: Path, value: Any) -> Any:
    if not path:
        return value
    parent = value_at(tree, path[:-1])
    parent[path[-1]] = value
    return tree
