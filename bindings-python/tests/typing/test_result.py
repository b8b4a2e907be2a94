"""What handlers return, as the bytes that are sent."""

from __future__ import annotations

import base64
import collections
import dataclasses
import datetime
import decimal
import enum
import json
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec
import pytest

from mcpgraft._typing.content import (
    Annotations,
    AssistantMessage,
    Audio,
    Completion,
    EmbeddedResource,
    Icon,
    Image,
    Message,
    ResourceContents,
    ResourceLink,
    Text,
    ToolResult,
    UserMessage,
    sniff,
)
from mcpgraft._typing.result import completion_result, error_result, prompt_result, resource_result, tool_result
from mcpgraft._typing.signature import compile_signature
from mcpgraft.errors import ArgumentError, InvalidParams, McpError, NotFound, ToolError

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
WAV = b"RIFF" + bytes(4) + b"WAVE" + bytes(4)
PNG64, WAV64 = base64.b64encode(PNG).decode(), base64.b64encode(WAV).decode()
IMAGE = {"type": "image", "data": PNG64, "mimeType": "image/png"}
AUDIO = {"type": "audio", "data": WAV64, "mimeType": "audio/wav"}


def text(value: str) -> dict:
    return {"type": "text", "text": value}


@dataclasses.dataclass
class Point:
    x: int
    when: datetime.date = datetime.date(2024, 1, 2)


class Color(enum.Enum):
    RED = "red"


class Loud(str): ...


class Array:
    def tolist(self) -> list[int]:
        return [1, 2]


LINK = ResourceLink("file:///a", "a", mime_type="text/plain", icons=[Icon("https://x/i.png", sizes=["48x48"])])
LINK_JSON = {
    "type": "resource_link",
    "uri": "file:///a",
    "name": "a",
    "mimeType": "text/plain",
    "icons": [{"src": "https://x/i.png", "sizes": ["48x48"]}],
}
EMBEDDED = EmbeddedResource(ResourceContents(uri="file:///a", text="hi"))
EMBEDDED_JSON = {"type": "resource", "resource": {"uri": "file:///a", "text": "hi"}}


@pytest.mark.parametrize(
    ("value", "content"),
    [
        ("hi", [text("hi")]),
        ("", [text("")]),
        ('quote " \\ \n é \U0001f600', [text('quote " \\ \n é \U0001f600')]),
        ("lone \ud800 one", [text("lone \ufffd one")]),
        (None, []),
        (Text("hi"), [text("hi")]),
        (
            Text("hi", Annotations(audience=["user"], priority=0.5, last_modified="2024-01-02"), {"a": 1}),
            [
                {
                    **text("hi"),
                    "annotations": {"audience": ["user"], "priority": 0.5, "lastModified": "2024-01-02"},
                    "_meta": {"a": 1},
                }
            ],
        ),
        (PNG, [IMAGE]),
        (bytearray(PNG), [IMAGE]),
        (WAV, [AUDIO]),
        (
            b"\0\1",
            [
                {
                    "type": "resource",
                    "resource": {
                        "uri": "mcp-content://result",
                        "mimeType": "application/octet-stream",
                        "blob": "AAE=",
                    },
                }
            ],
        ),
        (Image(PNG), [IMAGE]),
        (Image(PNG64, "image/png"), [IMAGE]),
        (Audio(WAV), [AUDIO]),
        (LINK, [LINK_JSON]),
        (EMBEDDED, [EMBEDDED_JSON]),
        (ResourceContents(uri="file:///a", text="hi"), [EMBEDDED_JSON]),
        (["see", Image(PNG), LINK], [text("see"), IMAGE, LINK_JSON]),
        (("see", PNG), [text("see"), IMAGE]),
        ([Image(PNG), {"a": 1}], [IMAGE, text('{"a":1}')]),
        ([Image(PNG), {"type": "text", "text": "x"}], [IMAGE, text("x")]),
        ([Text("a"), 5], [text("a"), text("5")]),
    ],
)
# proves: S-268
def test_content(value: Any, content: list) -> None:
    assert json.loads(tool_result(value)) == {"content": content}


@pytest.mark.parametrize(
    ("value", "data", "shown"),
    [
        ({"a": 'x"\\\n'}, {"a": 'x"\\\n'}, None),
        ({}, {}, "{}"),
        ([], [], "[]"),
        (["a", "b"], ["a", "b"], None),
        ([{"a": 1}], [{"a": 1}], None),
        (("a", 1), ["a", 1], None),
        (5, 5, "5"),
        (2**70, 2**70, str(2**70)),
        (1.5, 1.5, "1.5"),
        (float("nan"), None, "null"),
        (True, True, "true"),
        (Point(1), {"x": 1, "when": "2024-01-02"}, None),
        ([Point(1)], [{"x": 1, "when": "2024-01-02"}], None),
        (Color.RED, "red", "red"),
        (datetime.date(2024, 1, 2), "2024-01-02", "2024-01-02"),
        (decimal.Decimal("1.10"), "1.10", "1.10"),
        ({1: "a"}, {"1": "a"}, None),
        ({"path": Path("a")}, {"path": "a"}, None),
        ({"view": {"a": 1}.keys()}, {"view": ["a"]}, None),
        (MappingProxyType({"a": 1}), {"a": 1}, None),
        (range(3), [0, 1, 2], None),
        (collections.deque([1]), [1], None),
        (iter([1, 2]), [1, 2], None),
        (Array(), [1, 2], None),
        ({"a": b"hi"}, {"a": "aGk="}, None),
        (msgspec.Raw(b'{\n\t"a": 1}'), {"a": 1}, '{\n\t"a": 1}'),
        ({"lone": "\ud800"}, {"lone": "\ufffd"}, None),
    ],
)
# proves: S-237
def test_data(value: Any, data: Any, shown: str | None) -> None:
    result = json.loads(tool_result(value))
    assert result.keys() == {"content", "structuredContent"}
    assert result["structuredContent"] == data
    (block,) = result["content"]
    if shown is None:
        assert json.loads(block["text"]) == data
    else:
        assert block["text"] == shown


def test_promised_results() -> None:
    def maybe() -> dict | None: ...
    def number() -> int: ...

    assert json.loads(tool_result(None, compile_signature(maybe, inject=lambda _: None))) == {
        "content": [text("null")],
        "structuredContent": None,
    }
    # Against its annotation, but what the handler said: the client is told both ways.
    assert json.loads(tool_result("many", compile_signature(number, inject=lambda _: None))) == {
        "content": [text("many")],
        "structuredContent": "many",
    }


def test_str_subclass_is_one_text() -> None:
    assert json.loads(tool_result(Loud("x"))) == {"content": [text("x")]}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ToolResult("hi"), {"content": [text("hi")]}),
        (ToolResult(["a", Image(PNG)]), {"content": [text("a"), IMAGE]}),
        (ToolResult(structured={"a": 1}), {"content": [text('{"a":1}')], "structuredContent": {"a": 1}}),
        (ToolResult(structured=None), {"content": [text("null")], "structuredContent": None}),
        (ToolResult(structured="s"), {"content": [text("s")], "structuredContent": "s"}),
        (ToolResult("x", structured=[1]), {"content": [text("x")], "structuredContent": [1]}),
        (ToolResult(None, structured=[1]), {"content": [], "structuredContent": [1]}),
        (ToolResult("bad", is_error=True), {"content": [text("bad")], "isError": True}),
        (ToolResult(meta={"k": 1}), {"content": [], "_meta": {"k": 1}}),
    ],
)
def test_ready(value: ToolResult, expected: dict) -> None:
    assert json.loads(tool_result(value)) == expected


@pytest.mark.parametrize("value", [object(), {"a": object()}, [1j], {("a", "b"): 1}])
def test_no_json_form(value: Any) -> None:
    with pytest.raises(TypeError):
        tool_result(value)


@pytest.mark.parametrize(
    ("reason", "content"),
    [
        ("no", [text("no")]),
        ("", [text("the tool failed")]),
        (None, [text("the tool failed")]),
        (Image(PNG), [IMAGE]),
        (["a", Image(PNG)], [text("a"), IMAGE]),
        ({"a": 1}, [text('{"a":1}')]),
        ("lone \udfff", [text("lone \ufffd")]),
    ],
)
def test_error(reason: Any, content: list) -> None:
    assert json.loads(error_result(reason)) == {"content": content, "isError": True}


@pytest.mark.parametrize(
    ("value", "messages"),
    [
        ("hi", [("user", text("hi"))]),
        (["a", "b"], [("user", text("a")), ("user", text("b"))]),
        ([UserMessage("a"), AssistantMessage("b")], [("user", text("a")), ("assistant", text("b"))]),
        (Message("a", "assistant"), [("assistant", text("a"))]),
        (UserMessage(Image(PNG)), [("user", IMAGE)]),
        (EMBEDDED, [("user", EMBEDDED_JSON)]),
        ({"role": "assistant", "content": "x"}, [("assistant", text("x"))]),
        ([{"role": "user", "content": {"type": "text", "text": "x"}}], [("user", text("x"))]),
        (UserMessage(["a", LINK]), [("user", text("a")), ("user", LINK_JSON)]),  # type: ignore[arg-type]
        ([], []),
    ],
)
# proves: S-283
def test_prompt(value: Any, messages: list) -> None:
    expected = [{"role": role, "content": content} for role, content in messages]
    assert json.loads(prompt_result(value, "d")) == {"description": "d", "messages": expected}
    assert json.loads(prompt_result(value, None)) == {"messages": expected}


def test_prompt_whole_and_wrong() -> None:
    whole = {"description": "own", "messages": ["x"], "_meta": {"a": 1}}
    assert json.loads(prompt_result(whole, "d")) == {
        "description": "own",
        "messages": [{"role": "user", "content": text("x")}],
        "_meta": {"a": 1},
    }
    for value in (5, None, {"a": 1}, [5], Message("x", "system")):  # type: ignore[arg-type]
        with pytest.raises(TypeError):
            prompt_result(value)


@pytest.mark.parametrize(
    ("value", "mime", "contents"),
    [
        ("hi", None, [{"mimeType": "text/plain", "text": "hi"}]),
        ("hi", "text/html", [{"mimeType": "text/html", "text": "hi"}]),
        (Text("hi"), None, [{"mimeType": "text/plain", "text": "hi"}]),
        (b"\0\1", None, [{"mimeType": "application/octet-stream", "blob": "AAE="}]),
        (PNG, None, [{"mimeType": "image/png", "blob": PNG64}]),
        (Image(PNG), None, [{"mimeType": "image/png", "blob": PNG64}]),
        ({"a": 1}, None, [{"mimeType": "application/json", "text": '{"a":1}'}]),
        ([1, 2], None, [{"mimeType": "application/json", "text": "[1,2]"}]),
        (["a"], None, [{"mimeType": "application/json", "text": '["a"]'}]),
        (Point(1), "x/y", [{"mimeType": "x/y", "text": '{"x":1,"when":"2024-01-02"}'}]),
        (ResourceContents(text="x"), "a/b", [{"mimeType": "a/b", "text": "x"}]),
        (
            [ResourceContents(text="x", uri="r:2", meta={"k": 1}), ResourceContents(blob=b"hi"), "z"],
            None,
            [
                {"uri": "r:2", "mimeType": "text/plain", "text": "x", "_meta": {"k": 1}},
                {"mimeType": "application/octet-stream", "blob": "aGk="},
                {"mimeType": "text/plain", "text": "z"},
            ],
        ),
        (EMBEDDED, None, [{"uri": "file:///a", "mimeType": "text/plain", "text": "hi"}]),
    ],
)
# proves: S-268
def test_resource(value: Any, mime: str | None, contents: list) -> None:
    expected = [{"uri": "r:1", **one} for one in contents]
    assert json.loads(resource_result(value, "r:1", mime)) == {"contents": expected}


# proves: S-265
def test_resource_of_nothing_is_not_found() -> None:
    with pytest.raises(NotFound, match="r:1"):
        resource_result(None, "r:1")


def test_completion() -> None:
    assert json.loads(completion_result(["a", "b"])) == {"completion": {"values": ["a", "b"]}}
    assert json.loads(completion_result(None)) == {"completion": {"values": []}}
    assert json.loads(completion_result(f"v{i}" for i in range(3)))["completion"]["values"] == ["v0", "v1", "v2"]
    assert json.loads(completion_result(Completion(["a"], 7, True))) == {
        "completion": {"values": ["a"], "total": 7, "hasMore": True}
    }
    many = json.loads(completion_result([str(i) for i in range(150)]))["completion"]
    assert (len(many["values"]), many["total"], many["hasMore"]) == (100, 150, True)
    assert "hasMore" not in json.loads(completion_result(["x"] * 100))["completion"]
    for value in ("abc", 5, {"values": []}):
        with pytest.raises(TypeError):
            completion_result(value)


def test_content_checks() -> None:
    with pytest.raises(ValueError, match="mime_type"):
        Image(b"what")
    with pytest.raises(ValueError, match="mime_type"):
        Audio("AAAA")
    with pytest.raises(ValueError, match="text or blob"):
        ResourceContents(uri="a")
    with pytest.raises(ValueError, match="text or blob"):
        ResourceContents(uri="a", text="", blob=b"")
    with pytest.raises(ValueError, match="uri"):
        EmbeddedResource(ResourceContents(text="a"))
    assert sniff(b"RIFF1234WEBP") == "image/webp"
    assert sniff(b"") is None


def test_image_from_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "a.svg").write_bytes(b"<svg/>")
    assert Image.open(tmp_path / "a.png") == Image(PNG, "image/png")
    assert Image.open(tmp_path / "a.svg").mime_type == "image/svg+xml"


def test_errors() -> None:
    assert (McpError("m", -32000, {"a": 1}).code, McpError("m").code) == (-32000, -32603)
    assert str(NotFound("config://app")) == "not found: config://app"
    assert NotFound("config://app").data == {"uri": "config://app"}
    assert (str(NotFound("no customer 5")), NotFound("no customer 5").data) == ("no customer 5", None)
    assert InvalidParams("bad", field="a").data == {"field": "a"}
    assert ToolError("x").content is None
    assert ToolError([Image(PNG)]).content == [Image(PNG)]
    wrong = ArgumentError("a.b", "int", '"x"')
    assert str(wrong) == 'a.b: expected int, got "x"'


class Whole(int): ...


def test_subclasses_of_builtins() -> None:
    class Listed(list): ...

    class Mapped(dict): ...

    class Named(str, enum.Enum):
        A = "a"

    data = {"i": Whole(3), "l": Listed([1]), "d": Mapped(a=Loud("x")), "e": Named.A, "o": collections.OrderedDict(b=1)}
    assert json.loads(tool_result(data))["structuredContent"] == {
        "i": 3,
        "l": [1],
        "d": {"a": "x"},
        "e": "a",
        "o": {"b": 1},
    }
