# ruff: noqa: B008, UP045 - these are the ways users write it
"""The user's code has pydantic: models, Field and annotated_types."""

from __future__ import annotations

import dataclasses
import decimal
import json
from typing import Annotated, Any, Optional

import attrs
import pytest

pydantic = pytest.importorskip("pydantic")
annotated_types = pytest.importorskip("annotated_types")

from pydantic import BaseModel, Field  # noqa: E402

from mcpgraft._typing.adapter import adapt  # noqa: E402
from mcpgraft._typing.repair import Repair  # noqa: E402
from mcpgraft._typing.result import resource_result, tool_result  # noqa: E402
from mcpgraft._typing.signature import Signature, compile_signature  # noqa: E402
from mcpgraft.errors import ArgumentError, RegistrationError  # noqa: E402

INT = {"type": "integer"}


class Address(BaseModel):
    """An address."""

    street: str
    no: int | None = None


class User(BaseModel):
    name: str = Field(min_length=1, description="Full name")
    address: Address
    nick: str = Field("", serialization_alias="nickName", validation_alias="nickName")


@attrs.define
class Holder:
    address: Address


@dataclasses.dataclass
class Envelope:
    address: Address
    count: int = 0


ADDRESS = {
    "description": "An address.",
    "type": "object",
    "properties": {"street": {"type": "string"}, "no": INT},
    "required": ["street"],
}


def compiled(annotation: Any, **more: Any) -> Signature:
    def f(a: Any) -> None: ...

    f.__annotations__["a"] = annotation
    if "default" in more:
        f.__defaults__ = (more["default"],)
    return compile_signature(f, inject=lambda _: None)


def test_model_schema() -> None:
    assert compiled(Address).input_schema["properties"]["a"] == ADDRESS
    assert compiled(list[Address]).input_schema["properties"]["a"] == {"type": "array", "items": ADDRESS}
    user = compiled(User).input_schema["properties"]["a"]
    assert user["properties"] == {
        "name": {"type": "string", "minLength": 1, "description": "Full name"},
        "address": ADDRESS,
        "nickName": {"type": "string", "default": ""},
    }
    assert "title" not in json.dumps(user)
    assert "$ref" not in json.dumps(user)


@pytest.mark.parametrize(
    ("annotation", "sent", "value"),
    [
        (Address, {"street": "s"}, Address(street="s")),
        (list[Address], [{"street": "s"}], [Address(street="s")]),
        (Optional[Address], None, None),
        (Address | int, 5, 5),
        (dict[str, Address], {"k": {"street": "s"}}, {"k": Address(street="s")}),
        (Holder, {"address": {"street": "s", "no": 1}}, Holder(Address(street="s", no=1))),
        (Envelope, {"address": {"street": "s"}, "count": 2}, Envelope(Address(street="s"), 2)),
        (Annotated[int, Field(ge=1)], 1, 1),
        (Annotated[decimal.Decimal, Field(ge=1)], "1.10", decimal.Decimal("1.10")),
        (Annotated[str, pydantic.AfterValidator(str.upper)], "a", "A"),
        (pydantic.PositiveInt, 3, 3),
        (pydantic.conlist(int, min_length=1), [1], [1]),
    ],
)
def test_decode(annotation: Any, sent: Any, value: Any) -> None:
    arguments = json.dumps({"a": sent}).encode()
    assert compiled(annotation).decode(arguments) == {"a": value}


@pytest.mark.parametrize(
    ("annotation", "sent", "message"),
    [
        (Address, {}, "a.street: expected a value, got nothing"),
        (Address, {"street": 5}, "a.street: expected a valid string, got 5"),
        (Address, 5, "a: expected an object, got 5"),
        (list[Address], [{"street": "s"}, {"street": "s", "no": "x"}], "a[1].no: expected a valid integer"),
        (Holder, {"address": {"no": 1}}, "street"),
        (Annotated[int, Field(ge=1)], 0, "a: expected int >= 1, got 0"),
        (Annotated[int | None, Field(ge=1)], 0, "a: expected int >= 1, got 0"),
        (Annotated[int, annotated_types.Interval(gt=1, lt=5)], 5, "a: expected int"),
        (Annotated[list[int], annotated_types.Len(1, 2)], [], "a: expected array of length >= 1, got []"),
        (Annotated[str, Field(pattern="^a")], "b", "a: expected str matching regex '^a', got \"b\""),
        (Annotated[str, annotated_types.Predicate(str.isupper)], "b", "a: "),
        (Annotated[decimal.Decimal, Field(ge=1)], "0", "a: expected greater than or equal to 1"),
    ],
)
def test_refused(annotation: Any, sent: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        compiled(annotation).decode(json.dumps({"a": sent}).encode())
    assert str(caught.value).startswith("a")
    assert message in str(caught.value)


def test_repair() -> None:
    reported: list[Repair] = []
    address = compiled(Address)
    assert address.decode(b'{"a":"{\\"street\\":\\"s\\"}"}', reported.append) == {"a": Address(street="s")}
    assert compiled(list[Address]).decode(b'{"a":["{\\"street\\":\\"s\\"}"]}', reported.append)["a"][0].street == "s"
    assert [one.param for one in reported] == ["a", "a[0]"]


def test_field_as_default() -> None:
    def f(
        limit: int = Field(10, ge=1, description="How many"),
        query: str = Field(description="What"),
        tags: list[str] = Field(default_factory=list),
        kind: Annotated[str, Field(description="Kind")] = "k",
        inside: Annotated[int, Field(default=4)] = Field(4),
    ) -> None: ...

    signature = compile_signature(f, inject=lambda _: None)
    properties = signature.input_schema["properties"]
    assert properties["limit"] == {"type": "integer", "minimum": 1, "description": "How many", "default": 10}
    assert properties["query"] == {"type": "string", "description": "What"}
    assert properties["kind"] == {"type": "string", "description": "Kind", "default": "k"}
    assert signature.input_schema["required"] == ["query"]
    first = signature.decode(b'{"query":"q"}')
    assert first == {"limit": 10, "query": "q", "tags": [], "kind": "k", "inside": 4}
    assert signature.decode(b'{"query":"q"}')["tags"] is not first["tags"]
    with pytest.raises(ArgumentError, match="limit: expected int >= 1, got 0"):
        signature.decode(b'{"query":"q","limit":0}')


def test_alias_on_a_parameter_is_refused() -> None:
    with pytest.raises(RegistrationError, match="alias"):
        compiled(Annotated[int, Field(alias="b")])


def test_defaults_of_models() -> None:
    signature = compiled(Address, default=Address(street="s"))
    assert signature.input_schema["properties"]["a"]["default"] == {"street": "s", "no": None}
    assert signature.decode(b"{}")["a"].street == "s"
    optional = compiled(Optional[Address], default=None)
    assert optional.input_schema["properties"]["a"] == ADDRESS
    assert optional.decode(b'{"a":null}') == {"a": None}


def test_results() -> None:
    user = User.model_validate({"name": "n", "address": {"street": "s"}, "nickName": "x"})
    data = {"name": "n", "address": {"street": "s", "no": None}, "nickName": "x"}
    result = json.loads(tool_result(user))
    assert result["structuredContent"] == data
    assert json.loads(result["content"][0]["text"]) == data
    assert json.loads(tool_result([user, {"deep": user}]))["structuredContent"] == [data, {"deep": data}]
    assert json.loads(json.loads(resource_result(user, "r:1"))["contents"][0]["text"]) == data


def test_output_schema() -> None:
    def f() -> User: ...

    made = compile_signature(f, inject=lambda _: None).output_schema
    assert made is not None
    assert list(made["properties"]) == ["name", "address", "nickName"]
    assert made["required"] == ["name", "address"]


def test_decode_strings() -> None:
    assert compiled(Address).decode_strings({"a": '{"street":"s"}'})["a"] == Address(street="s")
    assert compiled(pydantic.PositiveInt).decode_strings({"a": "5"}) == {"a": 5}
    with pytest.raises(ArgumentError, match="a: expected"):
        compiled(Address).decode_strings({"a": "x"})


def test_recursive_model() -> None:
    made = adapt(Tree).finished
    assert made["properties"]["children"]["items"] == {"$ref": "#/$defs/Tree"}


class Tree(BaseModel):
    children: list[Tree] = []


@dataclasses.dataclass
class Bounded:
    n: Annotated[int, annotated_types.Ge(1)]


@attrs.define
class BoundedToo:
    n: Annotated[int, annotated_types.Ge(1)]


def test_constraints_inside_classes_are_checked_or_refused() -> None:
    signature = compiled(Bounded)
    assert signature.input_schema["properties"]["a"]["properties"]["n"] == {"type": "integer", "minimum": 1}
    assert signature.decode(b'{"a":{"n":1}}') == {"a": Bounded(1)}
    with pytest.raises(ArgumentError, match=r"a\.n: expected greater than or equal to 1, got 0"):
        signature.decode(b'{"a":{"n":0}}')
    with pytest.raises(RegistrationError, match=r"BoundedToo has a constraint .*msgspec\.Meta"):
        compiled(BoundedToo)
