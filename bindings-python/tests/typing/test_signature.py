# ruff: noqa: UP045, RUF013, PYI063, E501 - the old spellings are tested too; error texts stand in one line
"""Functions of every kind, and how their arguments are decoded, repaired and refused."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import decimal
import enum
import functools
import json
import uuid
from random import Random
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import msgspec
import pytest

from mcpgraft._typing.repair import Repair
from mcpgraft._typing.signature import Signature, compile_signature
from mcpgraft.errors import ArgumentError, RegistrationError, ToolError

if TYPE_CHECKING:
    from fractions import Fraction


class Context:
    pass


def inject(annotation: object) -> str | None:
    return "context" if annotation is Context else None


def compiled(fn: Any) -> Signature:
    return compile_signature(fn, inject=inject)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1


@dataclasses.dataclass
class Filter:
    tags: list[str]
    least: int = 0
    inner: Filter | None = None


def search(query: str, limit: int = 10) -> list[dict]:
    """Search.

    Args:
        query: Terms
    """


def test_names_and_docs() -> None:
    signature = compiled(search)
    assert (signature.name, signature.description, signature.is_async) == ("search", "Search.", False)
    assert [param.name for param in signature.params] == ["query", "limit"]
    assert signature.output_schema == {"type": "array", "items": {"type": "object"}}


def test_kinds_of_callables() -> None:
    class Tools:
        """Not this."""

        def method(self, a: int) -> None:
            """A method."""

        @classmethod
        def of_class(cls, a: int) -> None: ...

        @staticmethod
        def static(a: int) -> None: ...

    class Callable:
        """An object."""

        async def __call__(self, a: int) -> None: ...

    def wrapped(fn: Any) -> Any:
        @functools.wraps(fn)
        def inner(*args: Any, **kwargs: Any) -> Any:
            return fn(*args, **kwargs)

        return inner

    async def coroutine(a: int) -> None: ...

    def two(a: int, b: object, c: int = 3) -> None: ...

    for fn, name in [
        (Tools().method, "method"),
        (Tools.of_class, "of_class"),
        (Tools.static, "static"),
        (Callable(), "Callable"),
        (coroutine, "coroutine"),
        (wrapped(coroutine), "coroutine"),
        (functools.partial(two, b=object(), c=4), "two"),
        (lambda a: a, "<lambda>"),
    ]:
        signature = compiled(fn)
        assert signature.name == name
        assert signature.decode(b'{"a":1}') == {"a": 1}
    assert compiled(coroutine).is_async
    assert compiled(Callable()).is_async
    assert compiled(functools.partial(coroutine)).is_async
    assert not compiled(search).is_async
    assert compiled(Tools().method).description == "A method."
    assert compiled(Callable()).description == "An object."
    assert compiled(dataclasses.make_dataclass("P", [("a", int)])).decode(b'{"a":1}') == {"a": 1}
    partial = functools.partial(two, 1, c=5)
    assert partial(**compiled(partial).decode(b'{"b":2}')) is None


def test_injected_parameters() -> None:
    def f(a: int, ctx: Context, other: Context | None = None, third: Annotated[Context, "x"] = None) -> None: ...

    signature = compiled(f)
    assert signature.injected == {"ctx": "context", "other": "context", "third": "context"}
    assert list(signature.input_schema["properties"]) == ["a"]
    assert signature.decode(b'{"a":1,"ctx":5}') == {"a": 1}


def test_local_classes_under_postponed_annotations() -> None:
    def factory() -> Signature:
        @dataclasses.dataclass
        class Local:
            a: int

        def handler(value: Local) -> None: ...

        return compiled(handler)

    assert factory().decode(b'{"value":{"a":1}}')["value"].a == 1


def test_unresolvable_annotation_is_named() -> None:
    def handler(fine: int, part: Fraction) -> None: ...

    with pytest.raises(RegistrationError, match=r"handler\(\): parameter 'part'.*Fraction"):
        compiled(handler)


def test_refused_parameters() -> None:
    def args(*args: int) -> None: ...
    def positional(a: int, /) -> None: ...
    def dunder(__a: int) -> None: ...

    for fn, match in [(args, "args.*list"), (positional, "'a' is positional-only"), (dunder, "two underscores")]:
        with pytest.raises(RegistrationError, match=match):
            compiled(fn)
    with pytest.raises(RegistrationError, match="not callable"):
        compiled(5)


def test_defaults_are_the_functions_own() -> None:
    shared: list[int] = [1]
    marker = object()

    def f(a: list[int] = shared, b=marker, c: int | None = None, d: int = None) -> None: ...

    decoded = compiled(f).decode(b"{}")
    assert decoded["a"] is shared
    assert decoded["b"] is marker
    assert decoded["c"] is None
    assert compiled(f).decode(b'{"d":null,"c":null}')["d"] is None


def test_conversion() -> None:
    def f(
        when: datetime.datetime,
        key: uuid.UUID,
        price: decimal.Decimal,
        color: Color,
        data: bytes,
        where: Filter,
        big: int,
    ) -> None: ...

    decoded = compiled(f).decode(
        b'{"when":"2024-05-06T07:08:09Z","key":"12345678-1234-5678-1234-567812345678","price":"1.10","color":"red",'
        b'"data":"aGk=","where":{"tags":["x"],"inner":{"tags":[]}},"big":123456789012345678901234567890}'
    )
    assert decoded["when"].year == 2024
    assert decoded["key"] == uuid.UUID("12345678-1234-5678-1234-567812345678")
    assert str(decoded["price"]) == "1.10"
    assert decoded["color"] is Color.RED
    assert decoded["data"] == b"hi"
    assert decoded["where"] == Filter(["x"], 0, Filter([]))
    assert decoded["big"] == 123456789012345678901234567890


def everything(
    query: str,
    limit: Annotated[int, msgspec.Meta(ge=1)] = 10,
    flag: bool = False,
    tags: list[str] = (),  # type: ignore[assignment]
    color: Color = Color.RED,
    level: Level = Level.LOW,
    mode: Literal["a", "b"] = "a",
    where: Filter | None = None,
    price: decimal.Decimal | None = None,
    ratio: float = 0.5,
    counts: dict[str, int] | None = None,
    either: int | str = 0,
    when: datetime.date | None = None,
    anything: Any = None,
) -> None: ...


@pytest.mark.parametrize(
    ("arguments", "field", "text"),
    [
        ("{}", "query", "query: expected str, got nothing"),
        ('{"query":5}', "query", "query: expected str, got 5"),
        ('{"query":null}', "query", "query: expected str, got null"),
        ('{"query":"q","limit":"many"}', "limit", 'limit: expected int, got "many"'),
        ('{"query":"q","limit":0}', "limit", "limit: expected int >= 1, got 0"),
        ('{"query":"q","limit":"0"}', "limit", 'limit: expected int, got "0"'),
        ('{"query":"q","limit":1.5}', "limit", "limit: expected int, got 1.5"),
        ('{"query":"q","limit":[1]}', "limit", "limit: expected int, got [1]"),
        ('{"query":"q","limit":""}', "limit", 'limit: expected int, got ""'),
        ('{"query":"q","flag":"yes"}', "flag", 'flag: expected bool, got "yes"'),
        ('{"query":"q","flag":"1"}', "flag", 'flag: expected bool, got "1"'),
        ('{"query":"q","tags":"a"}', "tags", 'tags: expected array, got "a"'),
        ('{"query":"q","tags":"[1]"}', "tags", 'tags: expected array, got "[1]"'),
        ('{"query":"q","tags":["a",1]}', "tags[1]", "tags[1]: expected str, got 1"),
        (
            '{"query":"q","where":{"tags":[],"least":"5","inner":3}}',
            "where.inner",
            "where.inner: expected object | null, got 3",
        ),
        ('{"query":"q","where":"{\\"tags\\":[1]}"}', "where", 'where: expected object | null, got "{\\"tags\\":[1]}"'),
        ('{"query":"q","color":"green"}', "color", 'color: expected one of "blue", "red", got "green"'),
        ('{"query":"q","mode":"c"}', "mode", 'mode: expected one of "a", "b", got "c"'),
        ('{"query":"q","level":9}', "level", "level: expected 1, got 9"),
        ('{"query":"q","where":{}}', "where.tags", "where.tags: expected array, got nothing"),
        (
            '{"query":"q","where":{"tags":[],"inner":{"tags":[true]}}}',
            "where.inner.tags[0]",
            "where.inner.tags[0]: expected str, got true",
        ),
        ('{"query":"q","counts":{"a":"x"}}', "counts[...]", "counts[...]: expected int, got another"),
        ('{"query":"q","either":[]}', "either", "either: expected int | str, got []"),
        ('{"query":"q","when":"soon"}', "when", 'when: expected a valid RFC3339 encoded date, got "soon"'),
        ('{"query":5,"flag":3}', "query", "query: expected str, got 5; flag: expected bool, got 3"),
        (
            '{"qery":"x"}',
            "query",
            "query: expected str, got nothing; qery: there is no such argument, did you mean 'query'? (unknown: \"qery\")",
        ),
        ('{"other":"x"}', "query", 'query: expected str, got nothing (unknown: "other")'),
        ('{"query":"q","Limit":3}', "Limit", "Limit: there is no such argument, did you mean 'limit'?"),
        ("[]", "arguments", "arguments: expected object, got []"),
        ("5", "arguments", "arguments: expected object, got 5"),
        ('"x"', "arguments", 'arguments: expected object, got "x"'),
        ('{"query":', "arguments", "arguments: expected a JSON object, got malformed JSON (Input data was truncated)"),
    ],
)
def test_wrong_arguments(arguments: str, field: str, text: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        compiled(everything).decode(arguments.encode())
    assert (caught.value.field, str(caught.value)) == (field, text)
    assert isinstance(caught.value, ToolError)
    assert caught.value.content is None


def test_long_values_are_shortened() -> None:
    with pytest.raises(ArgumentError) as caught:
        compiled(everything).decode(b'{"query":"q","limit":"%b"}' % (b"x" * 5000))
    assert len(str(caught.value)) < 120


@pytest.mark.parametrize(
    ("sent", "name", "used", "path"),
    [
        ({"limit": "5"}, "limit", 5, "limit"),
        ({"limit": " 5 "}, "limit", 5, "limit"),
        ({"limit": 5.0}, "limit", 5, "limit"),
        ({"flag": "true"}, "flag", True, "flag"),
        ({"flag": "False"}, "flag", False, "flag"),
        ({"tags": '["a","b"]'}, "tags", ["a", "b"], "tags"),
        ({"ratio": "0.25"}, "ratio", 0.25, "ratio"),
        ({"level": "1"}, "level", Level.LOW, "level"),
        ({"where": '{"tags":["a"]}'}, "where", Filter(["a"]), "where"),
        ({"where": {"tags": "[]"}}, "where", Filter([]), "where.tags"),
        ({"where": {"tags": ["a"], "least": "7"}}, "where", Filter(["a"], 7), "where.least"),
        (
            {"where": {"tags": [], "inner": {"tags": [], "least": "7"}}},
            "where",
            Filter([], 0, Filter([], 7)),
            "where.inner.least",
        ),
        ({"counts": '{"a":1}'}, "counts", {"a": 1}, "counts"),
        ({"limit": None}, "limit", 10, "limit"),
        ({"flag": None}, "flag", False, "flag"),
    ],
)
def test_repair(sent: dict, name: str, used: object, path: str) -> None:
    reported: list[Repair] = []
    decoded = compiled(everything).decode(json.dumps({"query": "q", **sent}).encode(), reported.append)
    assert decoded[name] == used
    assert type(decoded[name]) is type(used)
    assert [one.param for one in reported] == [path]


def test_repairs_of_several_and_whole() -> None:
    reported: list[Repair] = []
    signature = compiled(everything)
    decoded = signature.decode(b'{"query":"q","limit":"5","where":{"tags":"[]","least":"2"}}', reported.append)
    assert decoded["where"] == Filter([], 2)
    assert reported == [Repair("limit", "5", 5), Repair("where.tags", "[]", []), Repair("where.least", "2", 2)]
    reported.clear()
    assert signature.decode(b'"{\\"query\\":\\"q\\"}"', reported.append)["query"] == "q"
    assert reported == [Repair("arguments", '{"query":"q"}', {"query": "q"})]


def test_nothing_is_repaired_where_strings_are_allowed() -> None:
    reported: list[Repair] = []
    decoded = compiled(everything).decode(b'{"query":"5","either":"7","anything":"[1]","tags":["1"]}', reported.append)
    assert (decoded["query"], decoded["either"], decoded["anything"], decoded["tags"]) == ("5", "7", "[1]", ["1"])
    assert reported == []


def test_repair_keeps_neighbouring_numbers_exact() -> None:
    @dataclasses.dataclass
    class Order:
        price: decimal.Decimal
        count: int
        number: int

    def f(order: Order) -> None: ...

    order = compiled(f).decode(b'{"order":{"price":1.10,"count":"2","number":9007199254740993123456789}}')["order"]
    assert (str(order.price), order.count, order.number) == ("1.10", 2, 9007199254740993123456789)


def test_no_report_when_refused() -> None:
    reported: list[Repair] = []
    with pytest.raises(ArgumentError):
        compiled(everything).decode(b'{"limit":"5"}', reported.append)
    assert reported == []


def test_hostile_arguments_end() -> None:
    signature = compiled(everything)
    deep = b'{"query":"q","where":' + b'{"tags":[],"inner":' * 5000 + b"1" + b"}" * 5001
    for arguments in (deep, b'{"query":"q","tags":"' + b"[" * 100_000 + b'"}', b"[" * 100_000, b"\xff\xfe", b""):
        with pytest.raises(ArgumentError):
            signature.decode(arguments)
    for number in (b"1" * 10_000, b"-" + b"1" * 400 + b".5", b"1e999999999999999999999", b"1e-999999999999999999999"):
        for name in (b"limit", b"ratio", b"price", b"anything", b"flag", b"where"):
            for sent in (number, b'"%b"' % number, b"[%b]" % number, b'"[%b]"' % number):
                with contextlib.suppress(ArgumentError):
                    signature.decode(b'{"query":"q","%b":%b}' % (name, sent))
    many = json.dumps({"query": "q", "tags": '["a"]', **{f"x{i}": 1 for i in range(1000)}}).encode()
    assert signature.decode(many)["tags"] == ["a"]


def test_unknown_arguments_are_ignored() -> None:
    assert compiled(search).decode(b'{"query":"q","session":1,"limits":2,"limit":3}') == {"query": "q", "limit": 3}


def test_var_keywords() -> None:
    def f(a: int, **rest: int) -> None: ...

    signature = compiled(f)
    reported: list[Repair] = []
    assert signature.decode(b'{"a":1,"b":2,"c":"3"}', reported.append) == {"a": 1, "b": 2, "c": 3}
    assert reported == [Repair("c", "3", 3)]
    assert signature.decode_strings({"a": "1", "b": "2"}) == {"a": 1, "b": 2}
    with pytest.raises(ArgumentError, match='b: expected int, got "x"'):
        signature.decode(b'{"a":1,"b":"x"}')


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [
        (str, "5", "5"),
        (int, "5", 5),
        (float, "2.5", 2.5),
        (bool, "true", True),
        (bool, "0", False),
        (Optional[int], "5", 5),
        (int | str, "5", "5"),
        (Color, "red", Color.RED),
        (Level, "1", Level.LOW),
        (Literal["a"], "a", "a"),
        (Literal[1, 2], "2", 2),
        (list[int], "[1,2]", [1, 2]),
        (Filter, '{"tags":[]}', Filter([])),
        (datetime.date, "2024-01-02", datetime.date(2024, 1, 2)),
        (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
        (Any, "[1]", "[1]"),
        (dict, '{"a":1}', {"a": 1}),
    ],
)
def test_decode_strings(annotation: Any, text: str, value: object) -> None:
    def f(a: Any) -> None: ...

    f.__annotations__["a"] = annotation
    decoded = compiled(f).decode_strings({"a": text, "unknown": "x"})
    assert decoded == {"a": value}
    assert type(decoded["a"]) is type(value)


def test_decode_strings_errors() -> None:
    with pytest.raises(ArgumentError, match='limit: expected int, got "many"'):
        compiled(search).decode_strings({"query": "q", "limit": "many"})
    with pytest.raises(ArgumentError, match="query: expected str, got nothing"):
        compiled(search).decode_strings({})
    assert compiled(search).decode_strings({"query": "q"}) == {"query": "q", "limit": 10}


def test_signature_is_frozen() -> None:
    with pytest.raises(AttributeError):
        compiled(search).name = "x"  # type: ignore[misc]


def test_importing_this_imports_little() -> None:
    import subprocess
    import sys

    code = (
        "import sys, types; package = types.ModuleType('mcpgraft'); package.__path__ = [sys.argv[1]]\n"
        "sys.modules['mcpgraft'] = package; import mcpgraft._typing.signature, mcpgraft._typing.result\n"
        "bad = {'asyncio', 'pydantic', 'attrs', 'difflib', 'ipaddress', 'annotated_types'} & set(sys.modules)\n"
        "assert not bad, bad"
    )
    import mcpgraft._typing

    folder = mcpgraft._typing.__path__[0].rsplit("_typing", 1)[0]
    subprocess.run([sys.executable, "-c", code, folder], check=True)


def _random_value(random: Random, depth: int = 0) -> Any:
    kind = random.randrange(10 if depth < 4 else 7)
    if kind < 7:
        texts = [
            "",
            "5",
            "x",
            "null",
            "[1]",
            '{"tags":[]}',
            "true",
            "1e999",
            "-",
            "2024-01-02",
            "red",
            "\ud83d",
            "[" * 99,
        ]
        return random.choice([None, True, 0, -1, 5.0, 1.5, 1e300, 2**80, *texts])
    if kind < 9:
        names = ["tags", "least", "inner", "a", "a.b", "[0]", "query"]
        return {random.choice(names): _random_value(random, depth + 1) for _ in range(random.randrange(4))}
    return [_random_value(random, depth + 1) for _ in range(random.randrange(4))]


def test_any_json_decodes_or_is_refused() -> None:
    random = Random(7)
    signature = compiled(everything)
    names = [param.name for param in signature.params]
    decoded = 0
    for _ in range(3000):
        sent: dict[str, Any] = {"query": "q"}
        sent.update({random.choice(names): _random_value(random) for _ in range(random.randrange(3))})
        arguments = json.dumps(sent).encode()
        if random.random() < 0.1:
            arguments = arguments[: random.randrange(len(arguments))]
        try:
            everything(**signature.decode(arguments, lambda repair: None))
            decoded += 1
        except ArgumentError:
            continue
    assert decoded > 1000


def test_any_strings_decode_or_are_refused() -> None:
    random = Random(7)
    signature = compiled(everything)
    for _ in range(1000):
        values = {param.name: str(_random_value(random)) for param in signature.params}
        try:
            signature.decode_strings(values)
        except ArgumentError:
            continue
