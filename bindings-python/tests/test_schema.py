"""JSON Schemas that a host brings along: validated by, and shown as they are."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from mcpgraft import RegistrationError, Server, ToolResult
from mcpgraft._native import Validator
from mcpgraft.testing import Client, ProtocolError

OBJECT: dict[str, Any] = {"type": "object"}


def check(schema: object, value: object) -> list[tuple[str, str, str]]:
    return Validator(json.dumps(schema).encode()).check(json.dumps(value).encode())


def properties(**named: object) -> dict[str, Any]:
    return {**OBJECT, "properties": named}


# --- the native validator --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schema", "value", "problem"),
    [
        (properties(a={"type": "integer"}), {"a": "x"}, ("a", "integer", '"x"')),
        ({**OBJECT, "required": ["a"]}, {}, ("a", "a value", "nothing")),
        ({**OBJECT, "additionalProperties": False}, {"z": [1]}, ("z", "no property of this name", "[1]")),
        ({**OBJECT, "unevaluatedProperties": False}, {"z": 1}, ("z", "no property of this name", "1")),
        (properties(f=properties(t={"items": {"maxLength": 2}})), {"f": {"t": ["ab", "abc"]}},
         ("f.t[1]", "at most 2 characters", '"abc"')),
        ({"enum": ["a", 1]}, "b", ("", 'one of "a", 1', '"b"')),
        ({"const": {"k": 1}}, 2, ("", '{"k":1}', "2")),
        ({"minimum": 1}, 0, ("", "a number >= 1", "0")),
        ({"exclusiveMaximum": 1}, 1, ("", "a number < 1", "1")),
        ({"multipleOf": 3}, 4, ("", "a multiple of 3", "4")),
        ({"pattern": "^a"}, "b", ("", "text that matches ^a", '"b"')),
        ({"uniqueItems": True}, [1, 1], ("", "items that all differ", "[1,1]")),
        ({"minItems": 1}, [], ("", "at least 1 items", "[]")),
        ({"propertyNames": {"maxLength": 1}}, {"ab": 1}, ("", "property names to be at most 1 characters", '"ab"')),
        (properties(a=False), {"a": 1}, ("a", "nothing", "1")),
        ({"not": {"type": "null"}}, None, ("", 'a value that does not fit {"type":"null"}', "null")),
        ({"type": ["string", "null"]}, 5, ("", "null or string", "5")),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, 5, ("", "string or null", "5")),
        # The alternative that took the value's type is the one that says what is wrong.
        ({"anyOf": [{"type": "null"}, properties(a={"type": "integer"})]}, {"a": "x"}, ("a", "integer", '"x"')),
        ({"oneOf": [{"type": "integer"}, {"minimum": 1}]}, 5,
         ("", "a value that fits one of the alternatives only", "5")),
    ],
)  # fmt: skip
def test_a_problem_names_the_field(schema: object, value: object, problem: tuple[str, str, str]) -> None:
    assert check(schema, value) == [problem]


def test_good_values_have_no_problems() -> None:
    assert check(properties(a={"type": "integer"}), {"a": 1, "b": 2}) == []
    assert check(properties(a={"type": "integer"}), {"a": 1.0}) == []
    assert check({"type": "integer"}, 2**63) == []
    assert check(True, None) == []


def test_few_problems_and_short_ones() -> None:
    problems = check({**OBJECT, "additionalProperties": {"type": "integer"}}, {f"k{n}": "é" * 500 for n in range(50)})
    assert len(problems) == 3
    assert all(len(got) < 70 and got.endswith("...") for _, _, got in problems)
    twice = {"allOf": [{"type": "integer"}, {"type": "integer"}]}
    assert check(twice, "x") == [("", "integer", '"x"')]


def test_recursive_schemas() -> None:
    tree = {**OBJECT, "properties": {"next": {"$ref": "#"}}, "additionalProperties": False}
    assert check(tree, {"next": {"next": {}}}) == []
    assert check(tree, {"next": {"next": 1}}) == [("next.next", "object", "1")]
    # A schema that is itself says nothing, and ends.
    assert check({"allOf": [{"$ref": "#"}]}, 1) == []


def test_values_nobody_can_validate() -> None:
    validator = Validator(b"{}")
    deep, number = validator.check(b"[" * 300 + b"]" * 300), validator.check(b"1e999")
    assert "recursion" in deep[0][2]
    assert "out of range" in number[0][2]


# proves: S-244
def test_drafts() -> None:
    def pair(label: str | None) -> list[tuple[str, str, str]]:
        # A list of schemas in `items` is 2019-09 and before; later it is `prefixItems`.
        schema = {"items": [{"type": "integer"}]} if label and "2020" not in label else {"prefixItems": [OBJECT]}
        return check({**({} if label is None else {"$schema": label}), **schema}, ["x"])

    for draft in ("draft-04", "draft-06", "draft-07"):
        assert pair(f"http://json-schema.org/{draft}/schema#") == [("[0]", "integer", '"x"')]
    assert pair("https://json-schema.org/draft/2019-09/schema") == [("[0]", "integer", '"x"')]
    assert pair("https://json-schema.org/draft/2020-12/schema") == [("[0]", "object", '"x"')]
    assert pair(None) == [("[0]", "object", '"x"')]


# proves: S-244, S-245, S-246, S-248, T-079
@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"$schema": "https://example.com/mine"}, "not supported"),
        ({"$schema": 5}, "must be a string"),
        ({"$ref": "https://example.com/a.json"}, "none is ever fetched"),
        ({"$ref": "http://127.0.0.1:9/a.json"}, "none is ever fetched"),
        ({"$ref": "file:///etc/passwd"}, "none is ever fetched"),
        ({"$ref": "other.json"}, "none is ever fetched"),
        (properties(a={"$ref": "#/$defs/none"}), "leads nowhere"),
        (properties(a={"type": "strin"}), "properties.a.type"),
        ({"pattern": "("}, "pattern"),
        ({"pattern": r"^(\w{1,1000}){1,1000}$"}, "pattern"),
        ({"description": "x" * (1 << 20)}, "longer than"),
    ],
)
def test_refused_schemas(schema: object, why: str) -> None:
    with pytest.raises(ValueError, match=why.replace("$", r"\$")):
        check(schema, None)


# proves: S-247
def test_nesting_is_bounded() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        Validator(b'{"items":' * 101 + b"{}" + b"}" * 101)
    assert Validator(b'{"items":' * 99 + b"{}" + b"}" * 99).check(b"[[1]]") == []
    with pytest.raises(ValueError, match="JSON"):
        Validator(b"{")


# proves: S-247
def test_a_backtracking_pattern_ends() -> None:
    text = json.dumps("a" * 5000 + "b").encode()
    assert Validator(rb'{"pattern":"^(?=(a+)+$)(a|aa)+(?<=x)$"}').check(text)


# --- raw tools -------------------------------------------------------------------------------------------------------


def tool(result: object, output: object = None, **options: Any) -> Server:
    server = Server("s", **options)
    schema = {**properties(key={"type": "string"}, limit={"type": "integer", "minimum": 1}), "required": ["key"]}
    output = None if output is None else json.dumps(output).encode()
    server.add_tool_raw("get", schema, lambda name, arguments: result, output_schema=output)  # type: ignore[arg-type]
    return server


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_arguments_are_checked_before_the_function(era: Any) -> None:
    seen: list[object] = []
    server = Server("s")
    schema = {**properties(key={"type": "string"}, limit={"type": "integer"}), "required": ["key"]}
    server.add_tool_raw("get", schema, lambda name, arguments: seen.append(arguments))
    client = Client(server, era=era)
    result = client.call("get", key=1, limit="many")
    assert result["isError"] is True
    text = result["content"][0]["text"]
    assert "key: expected string, got 1" in text
    assert 'limit: expected integer, got "many"' in text
    assert client.call("get", {})["content"][0]["text"] == "key: expected a value, got nothing"
    assert seen == []
    client.call("get", key="x")
    assert seen == [{"key": "x"}]


def test_unchecked_on_request() -> None:
    server = Server("s")
    server.add_tool_raw(
        "get", properties(key={"type": "string"}), lambda name, args: args, output_schema=OBJECT, validate=False
    )
    assert Client(server).call("get", key=5)["structuredContent"] == {"key": 5}


@pytest.mark.parametrize("bad", [{"inputSchema": {"$ref": "x.json"}}, {"outputSchema": {"type": "nope"}}])
def test_a_bad_schema_is_found_at_registration(bad: dict[str, Any]) -> None:
    server = Server("s")
    with pytest.raises(RegistrationError, match=f"tool 'get': {next(iter(bad))}"):
        server.add_tool_raw(
            "get",
            {**OBJECT, **bad.get("inputSchema", {})},
            lambda name, arguments: None,
            output_schema=bad.get("outputSchema"),
        )
    with pytest.raises(RegistrationError, match="not a JSON object"):
        server.add_tool_raw("get", b"[]", lambda name, arguments: None)
    assert server.core.keys("tool") == []


# --- structured results ----------------------------------------------------------------------------------------------


# proves: S-236
@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_result_that_does_not_fit_is_an_internal_error(era: Any, caplog: pytest.LogCaptureFixture) -> None:
    client = Client(tool({"n": "five"}, properties(n={"type": "integer"})), era=era)
    with caplog.at_level(logging.ERROR), pytest.raises(ProtocolError) as caught:
        client.call("get", key="x")
    assert caught.value.code == -32603
    assert 'n: expected integer, got "five"' in str(caught.value)
    assert 'n: expected integer, got "five"' in caplog.text


def test_hidden_errors_hide_what_was_wrong() -> None:
    client = Client(tool({"n": "secret"}, properties(n={"type": "integer"}), hide_errors=True))
    with pytest.raises(ProtocolError) as caught:
        client.call("get", key="x")
    assert "secret" not in str(caught.value)


def test_results_that_fit() -> None:
    output = {"type": "array", "items": {"type": "integer"}}
    assert Client(tool([1, 2], output)).call("get", key="x")["structuredContent"] == [1, 2]
    # Older clients get it wrapped, and it was checked before that.
    assert Client(tool([1, 2], output), era="legacy").call("get", key="x")["structuredContent"] == {"result": [1, 2]}
    with pytest.raises(ProtocolError):
        Client(tool(["a"], output)).call("get", key="x")


def test_an_error_result_promises_nothing() -> None:
    failed = ToolResult(content="no such key", is_error=True)
    result = Client(tool(failed, properties(n={"type": "integer"}))).call("get", key="x")
    assert result["isError"] is True
    assert "structuredContent" not in result


# proves: S-236, T-061
def test_a_missing_structured_result() -> None:
    with pytest.raises(ProtocolError, match="no structured content"):
        Client(tool(ToolResult(content="text"), OBJECT)).call("get", key="x")


def typed(**options: Any) -> Client:
    server = Server("s", **options)

    @server.tool
    def count() -> dict[str, int]:
        return {"n": "five"}  # type: ignore[dict-item]

    return Client(server)


def test_results_of_typed_tools_are_checked_on_request() -> None:
    assert typed().call("count")["structuredContent"] == {"n": "five"}
    with pytest.raises(ProtocolError, match="n: expected integer"):
        typed(validate_results=True).call("count")


# --- shown as they are -----------------------------------------------------------------------------------------------

ODD = rb'{"$schema":"http://json-schema.org/draft-07/schema#","required":["b"],  "properties" :{"b":{"maximum":1.0e2,' \
    rb'"title":"\u00e9\/"},"a":{"const":12345678901234567890123}},"type":"object","x-own":[1 , 2]}'  # fmt: skip


def listed(server: Server, revision: str) -> bytes:
    headers = [("Host", "localhost"), ("Content-Type", "application/json")]
    headers += [("Accept", "application/json, text/event-stream"), ("MCP-Protocol-Version", revision)]
    params: dict[str, Any] = {}
    if revision == "2026-07-28":
        headers.append(("Mcp-Method", "tools/list"))
        prefix = "io.modelcontextprotocol"
        params["_meta"] = {f"{prefix}/protocolVersion": revision, f"{prefix}/clientCapabilities": {}}
    exchange = server.core.exchange("POST", headers)
    assert exchange.gate() is None
    request = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": params}
    reply = exchange.accept(json.dumps(request).encode()).reply
    assert reply is not None
    return reply.body


@pytest.mark.parametrize("revision", ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
def test_a_schema_is_shown_byte_for_byte(revision: str) -> None:
    server = Server("s")
    server.add_tool_raw("odd", ODD, lambda name, arguments: None, output_schema=ODD)
    body = listed(server, revision)
    assert body.count(ODD) == (1 if revision < "2025-06-18" else 2)
    assert body.count(b"draft-07") == body.count(ODD)


def test_a_schema_with_line_breaks_is_shown_on_one_line() -> None:
    pretty = json.dumps(json.loads(ODD), indent=2).encode()
    server = Server("s")
    server.add_tool_raw("odd", b"\n" + pretty + b"\n", lambda name, arguments: None)
    assert pretty in (server.core.get("tool", "odd") or b"")
    body = listed(server, "2025-06-18")
    assert b"\n" not in body.strip()
    assert json.dumps(json.loads(ODD), separators=(",", ":")).encode() in body
