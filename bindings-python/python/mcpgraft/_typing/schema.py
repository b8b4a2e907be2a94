"""JSON Schema 2020-12 in the form every client takes: plain root, few references, no labels nobody reads.

Generators differ in what they emit; `finish` brings their output to one form. `describe` and `step` read it back for
error texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from . import docstring

__all__ = ["PREFIX", "Defs", "accepts_string", "describe", "finish", "merge", "step"]

Schema = dict[str, Any]
Defs = dict[str, Schema]

PREFIX = "#/$defs/"
_INLINE_BYTES = 400
"""A definition used more than once is inlined up to this many bytes of JSON."""

_SUBSCHEMAS = frozenset({"items", "additionalProperties", "propertyNames", "contains", "not", "if", "then", "else"})
_SUBSCHEMA_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_SUBSCHEMA_MAPS = frozenset({"properties", "patternProperties", "$defs", "dependentSchemas"})


def _children(schema: Schema) -> Iterator[Schema]:
    for key, value in schema.items():
        if isinstance(value, dict):
            if key in _SUBSCHEMAS:
                yield value
            elif key in _SUBSCHEMA_MAPS:
                yield from (child for child in value.values() if isinstance(child, dict))
        elif isinstance(value, list) and key in _SUBSCHEMA_LISTS:
            yield from (child for child in value if isinstance(child, dict))


def _mapped(schema: Schema, change: Any) -> Schema:
    # A copy of which every direct subschema is `change`d.
    def each(child: Any) -> Any:
        return change(child) if isinstance(child, dict) else child

    out = dict(schema)
    for key, value in schema.items():
        if isinstance(value, dict):
            if key in _SUBSCHEMAS:
                out[key] = change(value)
            elif key in _SUBSCHEMA_MAPS:
                out[key] = {name: each(child) for name, child in value.items()}
        elif isinstance(value, list) and key in _SUBSCHEMA_LISTS:
            out[key] = [each(child) for child in value]
    return out


def merge(schema: Schema, defs: Defs, into: Defs) -> Schema:
    """Put a schema's definitions among others, renaming those whose name is taken by something else."""
    names: dict[str, str] = {}
    for name, definition in defs.items():
        free, count = name, 2
        while free in into and into[free] != definition:
            free, count = f"{name}{count}", count + 1
        names[name] = free

    def renamed(one: Schema) -> Schema:
        out = _mapped(one, renamed)
        target = _target(out)
        if target in names:
            out["$ref"] = PREFIX + names[target]
        return out

    if all(old == new for old, new in names.items()):
        into.update(defs)
        return schema
    for name, definition in defs.items():
        into[names[name]] = renamed(definition)
    return renamed(schema)


def _target(schema: Schema) -> str | None:
    ref = schema.get("$ref")
    return ref[len(PREFIX) :] if isinstance(ref, str) and ref.startswith(PREFIX) else None


def finish(schema: Schema, defs: Defs, *, collapse_null: bool) -> Schema:
    """One schema of a root and its definitions.

    Args:
        schema: The root; its refs are all `#/$defs/...`.
        defs: What they point to.
        collapse_null: Leave `null` out of properties that may be absent and are null then. For arguments: clients that
            know no union with null then understand them. Not for results, which do contain the null.
    """
    if not defs:
        return _clean(schema, collapse_null)
    cleaned = {name: _clean(_documented(name, definition), collapse_null) for name, definition in defs.items()}
    root = _clean(schema, collapse_null)
    kept = _kept(root, cleaned)
    done: Defs = {}

    def inlined(one: Schema) -> Schema:
        out = _mapped(one, inlined)
        target = _target(out)
        if target is None or target not in cleaned or target in kept:
            return out
        if target not in done:
            done[target] = inlined(cleaned[target])
        siblings = {key: value for key, value in out.items() if key != "$ref"}
        return {**done[target], **siblings}

    root = inlined(root)
    left = {name: inlined(cleaned[name]) for name in cleaned if name in kept}
    target = _target(root)
    if target in left:  # clients want to see the root's type
        root = {**left[target], **{key: value for key, value in root.items() if key != "$ref"}}
    if used := _reachable(root, left):
        root["$defs"] = {name: left[name] for name in left if name in used}
    return root


def _documented(name: str, definition: Schema) -> Schema:
    # Generators give a class its name as title and its docstring as description.
    out = dict(definition)
    title = str(out.get("title", ""))
    if title and (title == name or name.endswith("." + title) or title.split("[")[0] == name.split("_")[0]):
        del out["title"]
    text = out.get("description")
    if isinstance(text, str):
        read = docstring.parse(text)
        properties = out.get("properties")
        if read.params and isinstance(properties, dict):
            out["properties"] = {
                key: {"description": read.params[key], **one} if key in read.params and isinstance(one, dict) else one
                for key, one in properties.items()
            }
        out["description"] = read.description
        if not read.description:
            del out["description"]
    return out


_JSON_TYPES = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"), (type(None), "null"))


def _clean(schema: Schema, collapse_null: bool) -> Schema:
    out = _mapped(schema, lambda child: _clean(child, collapse_null))
    out.pop("discriminator", None)  # OpenAPI's, not JSON Schema's; its mapping would point at inlined definitions
    if out.get("required") == []:
        del out["required"]
    if out.get("items") is False and out.get("maxItems") == len(out.get("prefixItems", ())):
        del out["items"]
    if "const" in out and "type" not in out:
        out = {"type": _type_of([out["const"]]), **out}
    values = out.get("enum")
    if isinstance(values, list) and "type" not in out and (kind := _type_of(values)):
        out = {"type": kind, **out}
    if collapse_null and isinstance(out.get("properties"), dict):
        required = out.get("required", ())
        out["properties"] = {
            name: _without_null(one) if name not in required and isinstance(one, dict) else one
            for name, one in out["properties"].items()
        }
    return out


def _type_of(values: list[Any]) -> str | list[str] | None:
    kinds = list(
        dict.fromkeys(next((name for kind, name in _JSON_TYPES if isinstance(one, kind)), "") for one in values)
    )
    if "" in kinds or not kinds:
        return None
    return kinds[0] if len(kinds) == 1 else kinds


def _without_null(schema: Schema) -> Schema:
    if schema.get("default", 0) is not None:
        return schema
    out = {key: value for key, value in schema.items() if key != "default"}
    if isinstance(members := out.get("anyOf"), list):
        members = [member for member in members if member != {"type": "null"}]
        if len(members) == 1:
            del out["anyOf"]
            out = {**members[0], **out}
        else:
            out["anyOf"] = members
    if isinstance(values := out.get("enum"), list) and None in values:
        out["enum"] = values = [value for value in values if value is not None]
        out["type"] = _type_of(values)
        if not values or out["type"] is None:
            return schema
    return out


def _reachable(root: Schema, defs: Defs) -> set[str]:
    found: set[str] = set()
    todo = [root]
    while todo:
        one = todo.pop()
        target = _target(one)
        if target is not None and target in defs and target not in found:
            found.add(target)
            todo.append(defs[target])
        todo.extend(_children(one))
    return found


def _kept(root: Schema, defs: Defs) -> set[str]:
    # What stays a definition: the recursive, and the large that are used more than once.
    recursive = {name for name, definition in defs.items() if name in _reachable(definition, defs)}
    uses: dict[str, int] = {}
    todo = [root, *(defs[name] for name in _reachable(root, defs))]
    while todo:
        one = todo.pop()
        if (target := _target(one)) is not None:
            uses[target] = uses.get(target, 0) + 1
        todo.extend(_children(one))
    large = {
        name
        for name, definition in defs.items()
        if uses.get(name, 0) > 1 and len(msgspec.json.encode(definition, enc_hook=str)) > _INLINE_BYTES
    }
    return recursive | large


def accepts_string(schema: Schema, root: Schema | None = None, depth: int = 0) -> bool:
    """Whether some JSON string may be valid at the top of a finished schema."""
    root = schema if root is None else root
    schema = _resolved(schema, root)
    if depth > 20:
        return True
    if isinstance(values := schema.get("enum"), list):
        return any(isinstance(value, str) for value in values)
    if "const" in schema:
        return isinstance(schema["const"], str)
    for key in ("anyOf", "oneOf"):
        if isinstance(members := schema.get(key), list):
            return any(accepts_string(member, root, depth + 1) for member in members)
    kind = schema.get("type")
    return kind is None or kind == "string" or (isinstance(kind, list) and "string" in kind)


def _resolved(schema: Schema, root: Schema) -> Schema:
    for _ in range(20):
        target = _target(schema)
        if target is None:
            break
        schema = root.get("$defs", {}).get(target, {})
    return schema


def step(schema: Schema, path: tuple[str | int, ...]) -> Schema:
    """The subschema at a path of the data, as far as there is one; `{}` where there is not."""
    root = here = schema
    for part in path:
        here = _child(_resolved(here, root), part, root)
    return _resolved(here, root)


def _child(schema: Schema, part: str | int, root: Schema) -> Schema:
    found: Any = None
    if isinstance(part, int):
        prefix = schema.get("prefixItems", ())
        found = prefix[part] if part < len(prefix) else schema.get("items")
    else:
        found = schema.get("properties", {}).get(part) or schema.get("additionalProperties")
    if isinstance(found, dict):
        return found
    for key in ("anyOf", "oneOf"):
        for member in schema.get(key, ()):
            if inner := _child(_resolved(member, root), part, root):
                return inner
    return {}


_NAMES = {"integer": "int", "string": "str", "number": "float", "boolean": "bool"}


def describe(schema: Schema) -> str:
    """A finished schema in a few words for an error text: `int`, `one of "a", "b"`, `array | null`; may be empty."""
    if isinstance(values := schema.get("enum"), list):
        listed = ", ".join(msgspec.json.encode(value).decode() for value in values[:20])
        return listed if len(values) == 1 else f"one of {listed}" + (", ..." if len(values) > 20 else "")
    if "const" in schema:
        return msgspec.json.encode(schema["const"]).decode()
    for key in ("anyOf", "oneOf"):
        if isinstance(members := schema.get(key), list):
            return " | ".join(dict.fromkeys(one for one in map(describe, members) if one))
    kind = schema.get("type")
    if isinstance(kind, list):
        return " | ".join(_NAMES.get(str(one), str(one)) for one in kind)
    if kind is None:
        return "object" if "$ref" in schema else ""
    text = _NAMES.get(kind, str(kind))
    return f"{text} ({schema['format']})" if "format" in schema else text
