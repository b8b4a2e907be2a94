"""Annotations inside the user's classes, which msgspec reads by itself: descriptions it passes over, constraints it
would not check.
"""

from __future__ import annotations

import typing
from typing import Annotated, Any, ClassVar, get_args, get_origin

import msgspec

from .annotations import NeedsPydanticError, constraints_of, field_of, unwrapped
from .schema import Defs

__all__ = ["describe_fields"]


def describe_fields(annotation: Any, defs: Defs) -> None:
    """Put the plain strings of `Annotated` fields into the schemas of their classes.

    Args:
        annotation: What the schemas were made of.
        defs: Definitions as generated, titled with their classes' names; changed in place.

    Raises:
        NeedsPydanticError: A field has a constraint of `annotated_types` or pydantic, which msgspec would ignore.
    """
    by_title = {definition.get("title"): definition for definition in defs.values()}
    todo, seen = [annotation], set[int]()
    while todo:
        bare = unwrapped(todo.pop())
        if id(bare) in seen:
            continue
        seen.add(id(bare))
        todo.extend(get_args(bare))
        kind = get_origin(bare) or bare
        if not isinstance(kind, type) or not _has_fields(kind):
            continue
        try:
            hints = typing.get_type_hints(kind, include_extras=True)
        except Exception:  # what msgspec could resolve and typing cannot is left as it is
            continue
        names = dict(
            zip(getattr(kind, "__struct_fields__", ()), getattr(kind, "__struct_encode_fields__", ()), strict=True)
        )
        properties = by_title.get(kind.__name__, {}).get("properties", {})
        for name, hint in hints.items():
            if get_origin(hint) is ClassVar:
                continue
            todo.append(hint)
            text = _description(hint)
            one = properties.get(names.get(name, name))
            if text and isinstance(one, dict):
                one.setdefault("description", text)


def _has_fields(kind: type) -> bool:
    return (
        hasattr(kind, "__dataclass_fields__")
        or issubclass(kind, msgspec.Struct)
        or any(hasattr(kind, name) for name in ("__total__", "_fields", "__attrs_attrs__"))
    )


def _description(hint: Any) -> str | None:
    found: str | None = None
    while get_origin(hint) in (typing.Final, *_QUALIFIERS):
        hint = get_args(hint)[0]
    if get_origin(hint) is not Annotated:
        return None
    for one in get_args(hint)[1:]:
        if isinstance(one, str):
            found = one
        elif isinstance(one, msgspec.Meta):
            continue
        elif (field := field_of(one)) is not None:
            if field.constraints:
                raise NeedsPydanticError
            found = field.meta.get("description", found)
        elif isinstance(text := getattr(one, "documentation", None), str):
            found = text
        elif constraints_of(one):
            raise NeedsPydanticError
    return found


_QUALIFIERS = tuple(getattr(typing, name) for name in ("Required", "NotRequired", "ReadOnly") if hasattr(typing, name))
