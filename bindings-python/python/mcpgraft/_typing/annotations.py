"""Annotations as users write them, rewritten to what msgspec knows.

Constraints of `annotated_types` and of pydantic's `Field` become `msgspec.Meta`, a plain string in `Annotated` becomes
a description, `object` is any value. Neither library is imported: their objects are known by their modules' names.
"""

from __future__ import annotations

import collections.abc
import datetime
import re
import types
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Union, get_args, get_origin

import msgspec

__all__ = [
    "Field",
    "NeedsPydanticError",
    "UnsupportedError",
    "constraints_of",
    "field_of",
    "is_field",
    "is_optional",
    "is_simple",
    "members",
    "rewrite",
    "unwrapped",
]


class UnsupportedError(Exception):
    """This annotation has no JSON Schema; the text says why."""


class NeedsPydanticError(Exception):
    """Only pydantic can check this annotation."""


class Field(msgspec.Struct, frozen=True):
    """What a pydantic `Field(...)` says, as far as msgspec can do it."""

    meta: dict[str, Any]
    constraints: dict[str, Any]


_UNIONS = (Union, types.UnionType)
_ITERABLES = (collections.abc.Iterable, collections.abc.Container)
_NUMERIC = frozenset({"ge", "gt", "le", "lt", "multiple_of"})
_SIZED = frozenset({"min_length", "max_length"})
_DEPTH = 50


def members(annotation: Any) -> tuple[Any, ...]:
    """Members of a union; the annotation itself when it is none."""
    bare = unwrapped(annotation)
    return get_args(bare) if get_origin(bare) in _UNIONS else (annotation,)


def is_optional(annotation: Any) -> bool:
    """Whether None is among what the annotation allows."""
    bare = unwrapped(annotation)
    if bare in (None, type(None), Any, object):
        return True
    if get_origin(bare) is typing.Literal:
        return None in get_args(bare)
    return get_origin(bare) in _UNIONS and any(is_optional(one) for one in get_args(bare))


def unwrapped(annotation: Any) -> Any:
    """Without `Annotated`, `NewType` and `type X = ...` around it."""
    for _ in range(_DEPTH):
        if get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif type(annotation).__name__ == "TypeAliasType" and hasattr(annotation, "__value__"):
            annotation = annotation.__value__
        elif isinstance(annotation, typing.NewType):
            annotation = annotation.__supertype__
        else:
            break
    return annotation


_SIMPLE: set[Any] = {str, int, float, bool, bytes, type(None), None, Any, list, dict, tuple, set}
_KNOWN = 512


def is_simple(annotation: Any) -> bool:
    """Whether it is made of builtin types alone: what was found out about it holds wherever it stands again."""
    try:
        if annotation in _SIMPLE:
            return True
    except TypeError:  # not hashable
        return False
    origin = get_origin(annotation)
    if origin is None or (origin not in _SIMPLE and origin not in _UNIONS):
        return False
    if not all(map(is_simple, get_args(annotation))):
        return False
    if len(_SIMPLE) < _KNOWN:
        _SIMPLE.add(annotation)
    return True


def rewrite(annotation: Any, *, arguments: bool, depth: int = 0) -> Any:
    """The annotation for msgspec.

    Args:
        annotation: Any type expression, resolved.
        arguments: Whether it is for decoding; a result's schema must also fit datetimes without time zone.
        depth: Recursion so far.

    Raises:
        NeedsPydanticError: Metadata that only pydantic can enforce.
        UnsupportedError: Metadata that nobody here can enforce, or a type alias that contains itself.
    """
    if depth > _DEPTH:
        raise UnsupportedError("a type alias that contains itself is not supported; use a dataclass or TypedDict")

    def again(one: Any) -> Any:
        return rewrite(one, arguments=arguments, depth=depth + 1)

    if annotation is object or isinstance(annotation, typing.TypeVar):
        return Any
    if annotation is None:
        return type(None)
    if annotation is datetime.datetime and arguments:
        return Annotated[annotation, msgspec.Meta(extra_json_schema={"format": "date-time"})]
    origin, args = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _annotated(again(args[0]), args[1:])
    if type(annotation).__name__ == "TypeAliasType" and hasattr(annotation, "__value__"):
        return again(annotation.__value__)
    if annotation in _ITERABLES or origin in _ITERABLES:
        return list[again(args[0])] if args else list  # type: ignore[misc]
    if origin in _UNIONS:
        return Union[tuple(again(one) for one in args)]  # noqa: UP007 - made at run time
    if origin is typing.Literal and None in args and len(args) > 1:  # older msgspec cannot sort it among others
        return Union[typing.Literal[tuple(one for one in args if one is not None)], None]  # noqa: UP007
    if origin is typing.Literal or origin is None or not args or origin is collections.abc.Callable:
        return annotation
    if isinstance(origin, type) and issubclass(origin, collections.abc.Mapping) and len(args) == 2:
        key = get_origin(unwrapped(args[0])) or unwrapped(args[0])
        if isinstance(key, type) and issubclass(key, (tuple, list, dict, set, frozenset)):
            raise UnsupportedError(f"the keys of a JSON object are strings, not {key.__name__}")
    changed = tuple(one if one is Ellipsis else again(one) for one in args)
    return annotation if changed == args else origin[changed]


def _annotated(base: Any, metadata: tuple[Any, ...]) -> Any:
    meta: dict[str, Any] = {}
    constraints: dict[str, Any] = {}
    native: list[msgspec.Meta] = []
    for one in metadata:
        if isinstance(one, str):
            meta["description"] = one
        elif isinstance(one, msgspec.Meta):
            native.append(one)
        elif (field := field_of(one)) is not None:
            meta.update(field.meta)
            constraints.update(field.constraints)
        elif isinstance(text := getattr(one, "documentation", None), str):  # typing_extensions.Doc
            meta["description"] = text
        else:
            constraints.update(constraints_of(one))
    if constraints:
        base = _constrained(base, constraints)
    if meta:
        native.append(msgspec.Meta(**meta))
    for one in native:
        base = Annotated[base, one]
    return base


def is_field(value: object) -> bool:
    """Whether a value is what pydantic's `Field(...)` gives."""
    kind = type(value)
    return kind.__name__ == "FieldInfo" and kind.__module__.startswith("pydantic")


def field_of(value: object) -> Field | None:
    """Read a pydantic `Field(...)`; None when it is something else.

    Raises:
        NeedsPydanticError: It asks for more than descriptions and constraints.
    """
    if not is_field(value):
        return None
    info: Any = value
    if any(getattr(info, name, None) is not None for name in ("alias", "validation_alias")):
        raise UnsupportedError("an alias in Field(...) is not supported on a parameter; name the parameter so")
    if getattr(info, "discriminator", None) is not None:
        raise NeedsPydanticError
    meta = {
        name: given for name in ("title", "description", "examples") if (given := getattr(info, name, None)) is not None
    }
    extra = getattr(info, "json_schema_extra", None)
    if callable(extra):
        raise NeedsPydanticError
    if extra:
        meta["extra_json_schema"] = dict(extra)
    constraints: dict[str, Any] = {}
    for one in info.metadata:
        constraints.update(constraints_of(one))
    return Field(meta, constraints)


_ATTRIBUTES = ("ge", "gt", "le", "lt", "multiple_of", "min_length", "max_length", "pattern")
_HARMLESS = frozenset({"strict"})  # msgspec is strict already


def constraints_of(one: Any) -> dict[str, Any]:
    """Constraints of one piece of metadata; foreign metadata has none, as `Annotated` demands."""
    module = type(one).__module__
    if not module.startswith(("annotated_types", "pydantic")):
        return {}
    name = type(one).__name__
    if name == "Doc":
        return {}
    if isinstance(one, collections.abc.Iterable):  # Interval, Len, StringConstraints: groups of others
        out: dict[str, Any] = {}
        for inner in _parts(one):
            out.update(constraints_of(inner))
        return out
    given = dict(vars(one)) if hasattr(one, "__dict__") else {}
    for slot in _ATTRIBUTES:
        if hasattr(one, slot):
            given[slot] = getattr(one, slot)
    given = {key: value for key, value in given.items() if value is not None and key not in _HARMLESS}
    if not given and name in {"Strict", "_PydanticGeneralMetadata"}:
        return {}
    if not given or not given.keys() <= set(_ATTRIBUTES):
        raise NeedsPydanticError
    if isinstance(given.get("pattern"), re.Pattern):
        given["pattern"] = given["pattern"].pattern
    return given


def _parts(one: Any) -> Iterator[Any]:
    parts = list(one)
    if type(one).__name__ == "StringConstraints" and any(
        getattr(one, name, None) for name in ("strip_whitespace", "to_upper", "to_lower", "ascii_only")
    ):
        raise NeedsPydanticError
    yield from parts


def _kinds(bare: Any) -> frozenset[str]:
    # Which constraints a type can have.
    kind = get_origin(bare) or bare
    if kind is Any or not isinstance(kind, type) or kind is bool:
        return frozenset()
    if kind in (int, float):
        return _NUMERIC
    if issubclass(kind, str):
        return _SIZED | {"pattern"}
    if issubclass(kind, (bytes, bytearray, memoryview, collections.abc.Collection)):
        return _SIZED
    return frozenset()


def _constrained(base: Any, constraints: dict[str, Any]) -> Any:
    # msgspec wants a constraint at the member it is for, users write it at the union.
    bare = unwrapped(base)
    if get_origin(bare) in _UNIONS:
        parts = get_args(bare)
        fitting = [bool(constraints.keys() & _kinds(unwrapped(part))) for part in parts]
        if not any(fitting):
            raise NeedsPydanticError
        return Union[  # noqa: UP007 - made at run time
            tuple(_constrained(part, constraints) if fits else part for part, fits in zip(parts, fitting, strict=True))
        ]
    if not constraints.keys() <= _kinds(bare):
        raise NeedsPydanticError
    return Annotated[base, msgspec.Meta(**constraints)]
