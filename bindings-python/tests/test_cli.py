"""The command line: run is in test_stdio; here inspect, call, and finding the server."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from mcpgraft.cli import main

FILE = '''
from mcpgraft import Server
print("noise")
server = Server("tools")

@server.tool
def search(query: str, limit: int = 10) -> str:
    """Search things."""
    if query == "boom":
        raise ValueError("broken")
    return f"{query!r} {limit!r}"

@server.resource("a://{x}")
def a(x: str) -> str:
    return x

def create() -> Server:
    return server
'''


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    path = tmp_path / "things.py"
    path.write_text(FILE)
    return str(path)


def test_inspect(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", file]) == 0
    out, err = capsys.readouterr()
    assert "search(query, limit?)  Search things." in out
    assert "a://{x}" in out
    assert "bytes, about" in out
    assert "noise" in err
    assert main(["inspect", f"{file}:server", "--json"]) == 0
    lists = json.loads(capsys.readouterr().out)
    assert lists["tools"][0]["name"] == "search"


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_call(file: str, era: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", file, "search", "query=5", "limit=3", "--era", era]) == 0
    assert json.loads(capsys.readouterr().out)["content"][0]["text"] == "'5' 3"
    assert main(["call", f"{file}:create", "search", "--json", '{"query": "a=b"}']) == 0
    assert "a=b" in capsys.readouterr().out


def test_failures(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["call", file, "search", "query=boom"]) == 1
    assert "broken" in capsys.readouterr().out
    assert main(["call", file, "nope"]) == 1
    for wrong, hint in (
        (["call", file, "search", "query"], "KEY=VALUE"),
        (["call", file, "search", "--json", "[]"], "JSON object"),
        (["inspect", f"{file}:missing"], "missing"),
        (["inspect", "/does/not/exist.py"], "no file"),
        (["inspect", "no_such_module"], "no file or module"),
    ):
        assert main(wrong) == 2
        assert hint in capsys.readouterr().err
