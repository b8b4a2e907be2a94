"""Docstrings to descriptions: Google, NumPy and reST styles, told apart by what stands in them."""

from __future__ import annotations

import re

import msgspec

from .late import pattern

__all__ = ["Docstring", "parse"]


class Docstring(msgspec.Struct, frozen=True):
    """A docstring without its parameter sections, and what those said."""

    description: str
    """Summary and body; empty if there is none."""
    params: dict[str, str]
    """Description by parameter (or attribute) name, each one paragraph or more."""


_PARAM_SECTIONS = frozenset(
    {
        "arg",
        "args",
        "argument",
        "arguments",
        "attributes",
        "keyword args",
        "keyword arguments",
        "other parameters",
        "parameter",
        "parameters",
        "params",
    }
)
_GOOGLE_HEADER = pattern(r"^([A-Z][A-Za-z]*(?: [A-Za-z]+)?):$")
_GOOGLE_ENTRY = pattern(r"^\*{0,2}(\w+)[ \t]*(?:\((?:[^()]|\([^()]*\))*\))?[ \t]*:(?:[ \t]+|$)(.*)$")
_NUMPY_ENTRY = pattern(r"^\*{0,2}(\w+(?:[ \t]*,[ \t]*\*{0,2}\w+)*)[ \t]*(?::.*)?$")
_REST_FIELD = pattern(r"^:(\w+)(?:[ \t]+([^:]*))?:(?:[ \t]+|$)(.*)$")
_REST_PARAM = frozenset({"param", "parameter", "arg", "argument", "key", "keyword", "ivar", "var", "cvar"})
_REST_RETURNS = frozenset({"return", "returns"})
_REST_FIELDS = (
    _REST_PARAM
    | _REST_RETURNS
    | frozenset({"type", "rtype", "vartype", "raise", "raises", "except", "exception", "meta", "yield", "yields"})
)


def parse(text: str | None) -> Docstring:
    """Read a docstring. Never fails: what is not understood stays in the description."""
    if not text or not text.strip():
        return Docstring("", {})
    if "\n" not in text and not text.lstrip().startswith(":"):
        return Docstring(text.strip(), {})
    from inspect import cleandoc

    lines = cleandoc(text).splitlines()
    params: dict[str, str] = {}
    kept: list[str] = []
    at = 0
    while at < len(lines):
        used = _numpy(lines, at, params) or _google(lines, at, params) or _rest(lines, at, params, kept)
        if used:
            at += used
        else:
            kept.append(lines[at].rstrip())
            at += 1
    body = re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()
    return Docstring(body, params)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _join(parts: list[str]) -> str:
    # A paragraph's lines are one text; blank lines between paragraphs stay.
    paragraphs = "\n".join(part.strip() for part in parts).strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs if paragraph.strip())


def _block(lines: list[str], start: int, deeper_than: int) -> int:
    # Index after the last line that belongs to an indented block.
    end = start
    for at in range(start, len(lines)):
        if lines[at].strip():
            if _indent(lines[at]) <= deeper_than:
                break
            end = at + 1
    return end


def _entries(lines: list[str], entry: re.Pattern[str], params: dict[str, str]) -> bool:
    # Lines at the block's own indentation open entries; deeper ones continue them.
    base = min((_indent(line) for line in lines if line.strip()), default=0)
    found: list[tuple[list[str], list[str]]] = []
    for line in lines:
        match = entry.match(line.strip()) if line.strip() and _indent(line) == base else None
        if match:
            names = [name.strip().lstrip("*") for name in match[1].split(",")]
            found.append((names, [match[2]] if entry.groups > 1 else []))
        elif found:
            found[-1][1].append(line)
        elif line.strip():
            return False
    for names, parts in found:
        for name in names:
            if described := _join(parts):
                params.setdefault(name, described)
    return bool(found)


def _google(lines: list[str], at: int, params: dict[str, str]) -> int:
    header = _GOOGLE_HEADER.match(lines[at].strip())
    if not header or header[1].lower() not in _PARAM_SECTIONS:
        return 0
    start = at + 1
    while start < len(lines) and not lines[start].strip():
        start += 1
    end = _block(lines, start, _indent(lines[at]))
    if end == start or not _entries(lines[start:end], _GOOGLE_ENTRY, params):
        return 0
    return end - at


def _underline(lines: list[str], at: int) -> bool:
    title = lines[at].strip()
    if not title or at + 1 >= len(lines):
        return False
    rule = lines[at + 1].strip()
    return len(rule) >= 3 and set(rule) <= {"-", "="} and _indent(lines[at]) == _indent(lines[at + 1])


def _numpy(lines: list[str], at: int, params: dict[str, str]) -> int:
    if lines[at].strip().lower() not in _PARAM_SECTIONS or not _underline(lines, at):
        return 0
    start, base = at + 2, _indent(lines[at])
    end = start
    while end < len(lines) and not (_underline(lines, end) and _indent(lines[end]) == base):
        # Prose after the section: an unindented line after a blank one that is no entry.
        line = lines[end]
        if (
            line.strip()
            and not lines[end - 1].strip()
            and _indent(line) <= base
            and not (_NUMPY_ENTRY.match(line.strip()) and " " not in line.strip().split(":", 1)[0].strip(", "))
        ):
            break
        end += 1
    return end - at if _entries(lines[start:end], _NUMPY_ENTRY, params) else 0


def _rest(lines: list[str], at: int, params: dict[str, str], kept: list[str]) -> int:
    field = _REST_FIELD.match(lines[at].strip())
    if not field or field[1] not in _REST_FIELDS:
        return 0
    end = _block(lines, at + 1, _indent(lines[at]))
    text = _join([field[3], *lines[at + 1 : end]])
    name = (field[2] or "").split()
    if field[1] in _REST_PARAM and name:
        if text:
            params.setdefault(name[-1].lstrip("*\\"), text)
    elif field[1] in _REST_RETURNS and text:
        kept.append(f"Returns: {text}")
    return end - at
