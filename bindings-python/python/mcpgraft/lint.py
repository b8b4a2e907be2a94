"""What known clients refuse or misread about a server's tools, named before their users find out.

All of it is legal in the protocol, and all of it has cost somebody a tool. Nothing here changes what is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import msgspec

__all__ = ["Problem", "Severity", "lint"]

Severity = Literal["error", "warning", "note"]
"""error: a known client refuses the tool, or with it every tool of the server. warning: one drops or misreads a part
of it, or a model does worse. note: good to know."""

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Problem:
    """One thing about one tool that some client does not take."""

    tool: str
    """Its name."""
    path: str
    """Where in the definition, as a JSON Pointer; empty for the tool as a whole."""
    rule: str
    """A short name for it that stays the same, e.g. `root-union`."""
    severity: Severity
    why: str
    """What happens, and what helps."""
    clients: tuple[str, ...]
    """Who is known for it, with the public issue that shows it where there is one; empty: no one in particular."""

    def __str__(self) -> str:
        where = f"{self.tool}{f' {self.path}' if self.path else ''}"
        known = f" ({', '.join(self.clients)})" if self.clients else ""
        return f"{self.severity}: {where}: {self.why} [{self.rule}]{known}"


class _Rule(NamedTuple):
    severity: Severity
    why: str
    clients: tuple[str, ...] = ()


NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
LONG_NAME = 64
"""Characters; names are longer still with the prefix that clients put before them."""
LONG_DESCRIPTION = 1024
"""Characters."""
HUGE = 8192
"""Bytes of one definition: some 2,000 tokens in each conversation."""
DEEP = 10
"""Objects and arrays inside each other."""
EXACT = 2**53
"""Integers beyond it are rounded by whoever reads JSON numbers as floats."""
FORMATS = frozenset({"date-time", "enum"})
"""Those of strings that every known client passes on."""

_RULES: dict[str, _Rule] = {
    "name": _Rule(
        "error",
        "the name should be 1 to 128 characters of A-Z, a-z, 0-9, '_', '-' and '.'; clients refuse or rewrite others",
        ("OpenAI API", "Anthropic API"),
    ),
    "name-dot": _Rule(
        "warning", "a '.' in the name is legal, but APIs of models know only '_' and '-'", ("OpenAI API",)
    ),
    "name-length": _Rule(
        "warning", f"the name is longer than {LONG_NAME} characters, the limit of some APIs", ("OpenAI API",)
    ),
    "description": _Rule("warning", "there is no description: a model can only guess what the tool does"),
    "description-length": _Rule(
        "warning", f"the description is longer than {LONG_DESCRIPTION} characters", ("OpenAI API",)
    ),
    "title": _Rule("warning", "another tool has the same title: people cannot tell them apart when asked to approve"),
    "size": _Rule(
        "warning",
        f"the definition is longer than {HUGE} bytes, which each conversation pays for",
        ("G-Core/gcore-mcp-server#14",),
    ),
    "draft": _Rule(
        "error",
        "clients that know only 2020-12 refuse the label of another draft; leave $schema out",
        ("Claude Code (anthropics/claude-code#90549)", "TypeScript SDK (modelcontextprotocol/typescript-sdk#2532)"),
    ),
    "label": _Rule(
        "warning",
        "a $schema label gains nothing, 2020-12 is the default; some clients refuse it; leave it out",
        ("openclaude (Gitlawb/openclaude#1740)",),
    ),
    "properties": _Rule(
        "error", 'an object without "properties" is refused; say "properties": {}', ("OpenAI API", "Azure OpenAI")
    ),
    "root-union": _Rule(
        "error",
        "anyOf, oneOf, allOf or not at the root of a tool's schema is refused, at worst with all tools of the server",
        (
            "Claude Code (anthropics/claude-code#88049)",
            "Bedrock, Vertex, Azure (DeusData/codebase-memory-mcp#1524)",
        ),
    ),
    "reference": _Rule(
        "warning",
        "references are not followed: the model sees no type here; write the definition in place",
        (
            "Gemini CLI (google-gemini/gemini-cli#13142)",
            "Copilot CLI (github/copilot-cli#1876)",
            "Kiro, opencode, Cursor",
            "Qwen-Agent (QwenLM/Qwen-Agent#873)",
        ),
    ),
    "nullable": _Rule(
        "warning",
        "a union with null hides the type; make the property optional instead",
        ("Cursor (cursor/cursor#3540)",),
    ),
    "type-list": _Rule("warning", "a list of types is not understood; name one type, or use anyOf", ("Gemini API",)),
    "boolean": _Rule("warning", "true or false as a schema breaks readers that want an object; use {}"),
    "array-items": _Rule("error", 'an array without "items" is refused', ("OpenAI API", "VS Code")),
    "required": _Rule("error", '"required" names something that "properties" does not have', ("Gemini API",)),
    "format": _Rule("warning", "this format is refused or ignored; say it in the description", ("Gemini API",)),
    "int64": _Rule(
        "warning",
        "integers beyond 2^53 are rounded on their way; make it a string",
        ("Claude Code (anthropics/claude-code#78762)",),
    ),
    "depth": _Rule("warning", f"more than {DEEP} levels of objects and arrays", ("OpenAI API",)),
    "output-root": _Rule(
        "note",
        'the root is not "type": "object", so clients of revisions before 2026-07-28 see it as {"result": ...}',
    ),
}


def lint(tools: Iterable[bytes | Schema]) -> list[Problem]:
    """Look at tools as clients will.

    Args:
        tools: Their definitions, decoded or as JSON.

    Returns:
        The problems, tool by tool.
    """
    titles: dict[str, str] = {}
    found: list[Problem] = []
    for tool in tools:
        size = len(tool if isinstance(tool, bytes) else msgspec.json.encode(tool))
        definition: Schema = msgspec.json.decode(tool) if isinstance(tool, bytes) else tool
        name = str(definition.get("name", ""))
        hits = [*_tool(definition, size), *_schemas(definition)]
        title = _title(definition)
        if title and titles.setdefault(title, name) != name:
            hits.append(("title", "/title"))
        found += [Problem(name, path, rule, *_RULES[rule]) for rule, path in dict.fromkeys(hits)]
    return found


Hits = Iterator[tuple[str, str]]
"""Names of rules, and where."""


def _title(tool: Schema) -> str:
    annotations = tool.get("annotations")
    inner = annotations.get("title") if isinstance(annotations, Mapping) else None
    return str(tool.get("title") or inner or "").strip().casefold()


def _tool(tool: Schema, size: int) -> Hits:
    name = str(tool.get("name", ""))
    if not NAME.fullmatch(name):
        yield "name", "/name"
    if "." in name:
        yield "name-dot", "/name"
    if len(name) > LONG_NAME:
        yield "name-length", "/name"
    description = str(tool.get("description") or "").strip()
    if not description:
        yield "description", ""
    if len(description) > LONG_DESCRIPTION:
        yield "description-length", "/description"
    if size > HUGE:
        yield "size", ""


def _schemas(tool: Schema) -> Hits:
    for side in ("inputSchema", "outputSchema"):
        root = tool.get(side)
        if not isinstance(root, Mapping):
            continue
        label = root.get("$schema")
        if isinstance(label, str):
            yield ("label" if "2020-12" in label else "draft"), f"/{side}/$schema"
        if side == "inputSchema":
            for key in sorted(root.keys() & {"anyOf", "oneOf", "allOf", "not"}):
                yield "root-union", f"/{side}/{key}"
        if side == "inputSchema" and not isinstance(root.get("properties"), Mapping):
            yield "properties", f"/{side}"
        if side == "outputSchema" and root.get("type") != "object":
            yield "output-root", f"/{side}"
        for schema, path, depth in _walk(root, f"/{side}"):
            if isinstance(schema, bool):
                # What every generator writes to close or open an object is understood.
                if not path.endswith(("/additionalProperties", "/unevaluatedProperties")):
                    yield "boolean", path
            elif isinstance(schema, Mapping):
                yield from _one(schema, path, depth)


def _one(schema: Schema, path: str, depth: int) -> Hits:
    kind = schema.get("type")
    kinds = kind if isinstance(kind, list) else [kind]
    if depth == DEEP + 1 and not {"object", "array"}.isdisjoint(kinds):
        yield "depth", path
    if "$ref" in schema or "$dynamicRef" in schema:
        yield "reference", path
    if isinstance(kind, list):
        yield "type-list", f"{path}/type"
    for key in ("anyOf", "oneOf"):
        options = schema.get(key)
        if isinstance(options, list) and {"type": "null"} in options:
            yield "nullable", f"{path}/{key}"
    if "array" in kinds and not schema.keys() & {"items", "prefixItems"}:
        yield "array-items", path
    properties = schema.get("properties")
    required = schema.get("required")
    if isinstance(required, list) and "object" in kinds:
        known = properties if isinstance(properties, Mapping) else {}
        if any(one not in known for one in required):
            yield "required", f"{path}/required"
    form = schema.get("format")
    if form in ("int64", "uint64") or any(_beyond(schema.get(key)) for key in ("minimum", "maximum", "default")):
        yield "int64", path
    elif isinstance(form, str) and "string" in kinds and form not in FORMATS:
        yield "format", f"{path}/format"


def _beyond(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) > EXACT


_ONE = ("items", "additionalProperties", "unevaluatedProperties", "propertyNames", "contains", "if", "then", "else")
_SAME = ("anyOf", "oneOf", "allOf", "prefixItems")
_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")


def _walk(root: object, at: str) -> Iterator[tuple[object, str, int]]:
    # Every schema inside a schema, with its path and how many objects and arrays it is inside of.
    left: list[tuple[object, str, int]] = [(root, at, 1)]
    while left:
        schema, path, depth = left.pop()
        yield schema, path, depth
        if not isinstance(schema, Mapping):
            continue
        inner: list[tuple[object, str, int]] = []
        for key in _NAMED:
            if isinstance(named := schema.get(key), Mapping):
                own = depth if key in ("$defs", "definitions") else depth + 1
                inner += [(one, f"{path}/{key}/{_escaped(name)}", own) for name, one in named.items()]
        for key in _SAME:
            if isinstance(several := schema.get(key), list):
                own = depth + 1 if key == "prefixItems" else depth
                inner += [(one, f"{path}/{key}/{index}", own) for index, one in enumerate(several)]
        inner += [(schema[key], f"{path}/{key}", depth + 1) for key in _ONE if key in schema]
        left += reversed(inner)


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
