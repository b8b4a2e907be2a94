# ruff: noqa: UP006, UP007, UP045, RUF013, PYI061 - the old spellings are tested too
"""Annotations to schemas: what clients see of each kind of type."""

from __future__ import annotations

import dataclasses
import datetime
import decimal
import enum
import ipaddress
import pathlib
import sys
import typing
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Optional, TypedDict, Union

import attrs
import jsonschema
import msgspec
import pytest

from mcpgraft._typing import schema as schema_module
from mcpgraft._typing.adapter import adapt
from mcpgraft._typing.signature import compile_signature
from mcpgraft.errors import RegistrationError

INT, STR, OBJ = {"type": "integer"}, {"type": "string"}, {"type": "object"}


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass
class Point:
    """A point.

    Args:
        x: Across.
    """

    x: int
    y: int = 0
    tags: list[str] = dataclasses.field(default_factory=list)


class Movie(TypedDict, total=False):
    year: int


class Pair(NamedTuple):
    a: int
    b: str = "x"


@attrs.define
class Box:
    size: float = 1.5


class Node(msgspec.Struct):
    value: int
    next: Node | None = None


class Renamed(msgspec.Struct, rename="camel"):
    long_name: int
    title: Annotated[str, msgspec.Meta(title="Shown")]


UserId = typing.NewType("UserId", int)

POINT = {
    "description": "A point.",
    "type": "object",
    "properties": {
        "x": {"description": "Across.", "type": "integer"},
        "y": {"type": "integer", "default": 0},
        "tags": {"type": "array", "items": STR},
    },
    "required": ["x"],
}

TABLE = [
    (int, INT),
    (str, STR),
    (float, {"type": "number"}),
    (bool, {"type": "boolean"}),
    (None, {"type": "null"}),
    (Any, {}),
    (object, {}),
    (bytes, {"type": "string", "contentEncoding": "base64"}),
    (list, {"type": "array"}),
    (dict, OBJ),
    (list[int], {"type": "array", "items": INT}),
    (typing.List[int], {"type": "array", "items": INT}),
    (Sequence[int], {"type": "array", "items": INT}),
    (Iterable[int], {"type": "array", "items": INT}),
    (set[int], {"type": "array", "items": INT, "uniqueItems": True}),
    (tuple[int, ...], {"type": "array", "items": INT}),
    (tuple[int, str], {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [INT, STR]}),
    (dict[str, int], {"type": "object", "additionalProperties": INT}),
    (Mapping[str, object], OBJ),
    (dict[str, Any], OBJ),
    (Optional[int], {"anyOf": [INT, {"type": "null"}]}),
    (Union[int, str], {"anyOf": [INT, STR]}),
    (int | str, {"anyOf": [INT, STR]}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Literal[1, 2], {"type": "integer", "enum": [1, 2]}),
    (Color, {"type": "string", "enum": ["blue", "red"]}),
    (Level, {"type": "integer", "enum": [1, 2]}),
    (UserId, INT),
    (datetime.datetime, {"type": "string", "format": "date-time"}),
    (datetime.date, {"type": "string", "format": "date"}),
    (datetime.timedelta, {"type": "string", "format": "duration"}),
    (uuid.UUID, {"type": "string", "format": "uuid"}),
    (decimal.Decimal, {"type": "string", "format": "decimal"}),
    (pathlib.Path, STR),
    (ipaddress.IPv4Address, {"type": "string", "format": "ipv4"}),
    (Point, POINT),
    (list[Point], {"type": "array", "items": POINT}),
    (Movie, {"type": "object", "properties": {"year": INT}}),
    (
        Pair,
        {"type": "array", "prefixItems": [INT, {"type": "string", "default": "x"}], "minItems": 1, "maxItems": 2},
    ),
    (Box, {"type": "object", "properties": {"size": {"type": "number", "default": 1.5}}}),
    (
        Renamed,
        {
            "type": "object",
            "properties": {"longName": INT, "title": {"type": "string", "title": "Shown"}},
            "required": ["longName", "title"],
        },
    ),
    (Annotated[int, "how many"], {"type": "integer", "description": "how many"}),
    (Annotated[int, msgspec.Meta(ge=1, le=5)], {"type": "integer", "minimum": 1, "maximum": 5}),
    (list[Annotated[str, "a tag"]], {"type": "array", "items": {"type": "string", "description": "a tag"}}),
    (Point | Box, {"anyOf": [POINT, {"type": "object", "properties": {"size": {"type": "number", "default": 1.5}}}]}),
    (pathlib.Path | int, {"anyOf": [STR, INT]}),
]


@pytest.mark.parametrize(("annotation", "expected"), TABLE, ids=lambda value: str(value)[:40])
def test_table(annotation: Any, expected: dict) -> None:
    made = adapt(annotation).finished
    made.pop("description", None) if "description" not in expected else None
    assert made == expected
    jsonschema.Draft202012Validator.check_schema(made)


def none(annotation: object) -> None:
    return None


def input_schema(fn: Callable) -> dict:
    return compile_signature(fn, inject=none).input_schema


def test_root_is_a_plain_object() -> None:
    def f() -> None: ...

    assert input_schema(f) == {"type": "object", "properties": {}}


def test_defaults_and_descriptions() -> None:
    def f(a: int, b: Annotated[str, "given"] = "x", c: Point | None = None, d: Color = Color.RED, e=object()) -> None:  # noqa: B008
        """Do.

        Args:
            a: First.
            b: Loses.
            c: Where.
        """

    point = {**POINT, "description": "Where."}
    assert input_schema(f) == {
        "type": "object",
        "properties": {
            "a": {"type": "integer", "description": "First."},
            "b": {"type": "string", "description": "given", "default": "x"},
            "c": point,
            "d": {"type": "string", "enum": ["blue", "red"], "default": "red"},
            "e": {},
        },
        "required": ["a"],
    }


def test_null_that_absence_says_is_collapsed() -> None:
    def f(
        a: int | None = None,
        b: int = None,
        c: Literal["x", None] = None,
        d: int | None = 3,
        e: int | str | None = None,
    ) -> None: ...

    assert input_schema(f)["properties"] == {
        "a": INT,
        "b": INT,
        "c": {"type": "string", "enum": ["x"]},
        "d": {"anyOf": [INT, {"type": "null"}], "default": 3},
        "e": {"anyOf": [INT, STR]},
    }


def test_recursion_stays_a_reference() -> None:
    def f(node: Node, other: Node) -> Node: ...

    signature = compile_signature(f, inject=none)
    made = signature.input_schema
    assert made["properties"]["node"] == {"$ref": "#/$defs/Node"}
    assert list(made["$defs"]) == ["Node"]
    assert made["$defs"]["Node"]["properties"]["next"] == {"$ref": "#/$defs/Node"}
    jsonschema.validate({"node": {"value": 1, "next": {"value": 2}}, "other": {"value": 1}}, made)
    assert signature.output_schema is not None
    assert signature.output_schema["type"] == "object"
    assert {"$ref": "#/$defs/Node"} in signature.output_schema["properties"]["next"]["anyOf"]


def test_large_shared_definitions_stay() -> None:
    big = {"type": "object", "properties": {f"field_number_{i}": {"type": "string"} for i in range(30)}}
    ref = {"$ref": "#/$defs/Big"}
    one = schema_module.finish({"type": "object", "properties": {"a": ref}}, {"Big": big}, collapse_null=True)
    assert "$defs" not in one
    two = schema_module.finish({"type": "object", "properties": {"a": ref, "b": ref}}, {"Big": big}, collapse_null=True)
    assert two["properties"] == {"a": ref, "b": ref}
    assert two["$defs"] == {"Big": big}


def test_names_of_different_classes_do_not_clash() -> None:
    def make(kind: type) -> type:
        return dataclasses.make_dataclass("Same", [("v", kind), ("next", "Same | None", None)], module=__name__)

    defs: dict = {}
    first = schema_module.merge({"$ref": "#/$defs/A"}, {"A": {"properties": {"n": {"$ref": "#/$defs/A"}}}}, defs)
    again = schema_module.merge({"$ref": "#/$defs/A"}, {"A": {"properties": {"n": {"$ref": "#/$defs/A"}}}}, defs)
    other = schema_module.merge({"$ref": "#/$defs/A"}, {"A": {"type": "array", "items": {"$ref": "#/$defs/A"}}}, defs)
    assert first == again == {"$ref": "#/$defs/A"}
    assert other == {"$ref": "#/$defs/A2"}
    assert defs["A2"] == {"type": "array", "items": {"$ref": "#/$defs/A2"}}


def test_a_property_named_title_stays() -> None:
    @dataclasses.dataclass
    class Book:
        title: str
        default: int
        required: bool

    made = adapt(Book).finished
    assert list(made["properties"]) == ["title", "default", "required"]
    assert "title" not in {key for key in made if key != "properties"}


def test_var_keywords() -> None:
    def f(a: int, **rest: int) -> None: ...
    def g(**rest: Any) -> None: ...

    assert input_schema(f)["additionalProperties"] == INT
    assert input_schema(g)["additionalProperties"] is True


class Strange:
    pass


@pytest.mark.parametrize(
    "annotation", [complex, Strange, Callable[[int], int], list[Strange], dict[tuple[int, int], int], Strange | int]
)
def test_unsupported_names_function_and_parameter(annotation: Any) -> None:
    def handler(fine: int, broken: Any) -> None: ...

    handler.__annotations__["broken"] = annotation
    with pytest.raises(RegistrationError, match=r"handler\(\): parameter 'broken'"):
        compile_signature(handler, inject=none)


def test_registration_error_is_both() -> None:
    assert issubclass(RegistrationError, TypeError)
    assert issubclass(RegistrationError, ValueError)


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        (int, INT),
        (list[dict], {"type": "array", "items": OBJ}),
        (dict, OBJ),
        (dict | None, {"anyOf": [OBJ, {"type": "null"}]}),
        (Color, {"type": "string", "enum": ["blue", "red"]}),
        (list[str], {"type": "array", "items": STR}),
        (datetime.datetime, STR),
        (str, None),
        (bytes, None),
        (None, None),
        (Any, None),
        (str | dict, None),
        (Optional[str], None),
        (Literal["a"], None),
        (Strange, None),
        (Annotated[str, "text"], None),
        (typing.Iterator[str], None),
        (typing.Awaitable[int], INT),
    ],
)
def test_output_schema(annotation: Any, expected: dict | None) -> None:
    def f() -> Any: ...

    f.__annotations__["return"] = annotation
    assert compile_signature(f, inject=none).output_schema == expected


def test_output_of_content_is_not_promised() -> None:
    from mcpgraft._typing.content import Image, ResourceLink, Text, ToolResult

    for annotation in (Image, list[Image], list[Text | Image], Image | None, ToolResult, tuple[str, ResourceLink]):

        def f() -> Any: ...

        f.__annotations__["return"] = annotation
        assert compile_signature(f, inject=none).output_schema is None, annotation


@pytest.mark.skipif(sys.version_info < (3, 12), reason="type statements are 3.12's")
def test_type_statement() -> None:
    names: dict = {}
    exec("type Ids = list[int]\ntype Tree = dict[str, Tree] | int", names)
    assert adapt(names["Ids"]).finished == {"type": "array", "items": INT}
    with pytest.raises(Exception, match="contains itself"):
        adapt(names["Tree"])


def test_output_of_anything_is_not_promised() -> None:
    for annotation in (list, list[Any], Sequence[object], tuple):

        def f() -> Any: ...

        f.__annotations__["return"] = annotation
        assert compile_signature(f, inject=none).output_schema is None, annotation


@dataclasses.dataclass
class Inner:
    a: Annotated[int, "an a"]
    b: Annotated[str, msgspec.Meta(description="a b")] = "x"


class Outer(msgspec.Struct, rename="camel"):
    the_inner: Annotated[list[Inner], "many"]
    plain: Annotated[Optional[int], "own"] = None


def test_descriptions_inside_classes() -> None:
    def f(outer: Outer) -> None: ...

    outer = input_schema(f)["properties"]["outer"]["properties"]
    assert outer["theInner"]["description"] == "many"
    assert outer["plain"] == {"type": "integer", "description": "own"}
    inner = outer["theInner"]["items"]["properties"]
    assert (inner["a"]["description"], inner["b"]["description"]) == ("an a", "a b")


T = typing.TypeVar("T")


@dataclasses.dataclass
class Page(typing.Generic[T]):
    items: list[T]


def test_generic_classes() -> None:
    made = adapt(Page[int]).finished
    assert made["properties"]["items"] == {"type": "array", "items": INT}
    assert "title" not in made
    assert adapt(Page[int]).decode(b'{"items":[1]}') == Page([1])
