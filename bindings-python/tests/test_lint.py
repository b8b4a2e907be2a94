"""What `Server.lint` names, and what it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mcpgraft import Server
from mcpgraft.cli import main
from mcpgraft.lint import _RULES, Problem, lint

GOOD: dict[str, Any] = {
    "name": "get_thing",
    "description": "Gets it.",
    "inputSchema": {"type": "object", "properties": {}},
}


def found(**fields: Any) -> set[tuple[str, str]]:
    return {(one.rule, one.path) for one in lint([{**GOOD, **fields}])}


def inside(schema: object) -> set[tuple[str, str]]:
    return found(inputSchema={"type": "object", "properties": {"a": schema}})


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "array", "items": schema}
    return schema


A = "/inputSchema/properties/a"
CASES: list[tuple[str, str, set[tuple[str, str]]]] = [
    ("name", "/name", found(name="get thing")),
    ("name-dot", "/name", found(name="get.thing")),
    ("name-length", "/name", found(name="a" * 65)),
    ("description", "", found(description="  ")),
    ("description-length", "/description", found(description="a" * 1025)),
    ("size", "", found(_meta={"x": "a" * 9000})),
    ("draft", "/inputSchema/$schema",
     found(inputSchema={**GOOD["inputSchema"], "$schema": "http://json-schema.org/draft-07/schema#"})),
    ("label", "/inputSchema/$schema",
     found(inputSchema={**GOOD["inputSchema"], "$schema": "https://json-schema.org/draft/2020-12/schema"})),
    ("properties", "/inputSchema", found(inputSchema={"type": "object"})),
    ("root-union", "/inputSchema/oneOf", found(inputSchema={**GOOD["inputSchema"], "oneOf": []})),
    ("reference", A, inside({"$ref": "#/$defs/x"})),
    ("nullable", f"{A}/anyOf", inside({"anyOf": [{"type": "string"}, {"type": "null"}]})),
    ("type-list", f"{A}/type", inside({"type": ["string", "null"]})),
    ("boolean", A, inside(True)),
    ("array-items", A, inside({"type": "array"})),
    ("required", f"{A}/required", inside({"type": "object", "properties": {}, "required": ["x"]})),
    ("format", f"{A}/format", inside({"type": "string", "format": "hostname"})),
    ("int64", A, inside({"type": "integer", "format": "int64"})),
    ("int64", A, inside({"type": "integer", "maximum": 2**63 - 1})),
    ("depth", A + "/items" * 9, inside(nested(10))),
    ("output-root", "/outputSchema", found(outputSchema={"type": "array", "items": {"type": "string"}})),
    ("reference", "/outputSchema/properties/b~1c",
     found(outputSchema={"type": "object", "properties": {"b/c": {"$ref": "#"}}})),
]  # fmt: skip


# proves: S-238
@pytest.mark.parametrize(("rule", "path", "problems"), CASES)
def test_each_rule_finds_its_problem_and_no_other(rule: str, path: str, problems: set[tuple[str, str]]) -> None:
    assert problems == {(rule, path)}


def test_each_rule_has_a_case() -> None:
    assert {rule for rule, _, _ in CASES} | {"title"} == set(_RULES)


def test_same_titles() -> None:
    tools = [{**GOOD, "name": "a", "title": "Get"}, {**GOOD, "name": "b", "annotations": {"title": "get "}}]
    assert [(one.tool, one.rule) for one in lint(tools)] == [("b", "title")]


def test_good_tools_have_no_problems() -> None:
    fine = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "format": "date-time"},
            "list": {"type": "array", "items": {"type": "integer", "maximum": 100}},
            "map": {"type": "object", "properties": {}, "additionalProperties": True},
            "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
            "deep": nested(9),
        },
        "required": ["a"],
        "additionalProperties": False,
    }
    assert found(inputSchema=fine, outputSchema=fine) == set()


def test_a_typed_server_is_portable() -> None:
    server = Server("s")

    @server.tool
    def search(query: str, limit: int | None = None, tags: list[str] = []) -> dict[str, int]:  # noqa: B006
        """Search things."""
        return {}

    assert server.lint() == []
    server.add_tool_raw("raw", b'{"type": "object", "anyOf": [{"required": ["a"]}]}', lambda name, arguments: None)
    problem = next(one for one in server.lint() if one.rule == "root-union")
    assert (problem.tool, problem.severity) == ("raw", "error")
    assert any("claude-code#88049" in client for client in problem.clients)
    assert str(problem).startswith("error: raw /inputSchema/anyOf: ")
    server.add_tool(search, "late")  # looking did not fix the capabilities or the list


FILE = """
from mcpgraft import Server
print("noise")
server = Server("tools")
server.add_tool_raw("get", b'{"type":"object","properties":{}}', lambda name, args: "x", description="Gets")
bad = Server("tools")
bad.add_tool_raw("get", b'{"type":"object"}', lambda name, args: "x")
"""


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [])
    file = tmp_path / "linted.py"
    file.write_text(FILE)
    assert main(["inspect", f"{file}:server", "--lint"]) == 0
    assert capsys.readouterr().out == "nothing that a known client refuses\n"
    assert main(["inspect", f"{file}:bad", "--lint"]) == 1
    out = capsys.readouterr().out
    assert "error: get /inputSchema: " in out
    assert "2 problems, 1 of them errors" in out
    assert main(["inspect", f"{file}:bad", "--lint", "--json"]) == 1
    problems = [Problem(**one) for one in json.loads(capsys.readouterr().out)]
    assert {one.rule for one in problems} == {"description", "properties"}
