"""The command line: `mcpgraft run`, `mcpgraft inspect`, `mcpgraft call`, `mcpgraft bridge`."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from .server import Server
    from .testing import Client

__all__ = ["load", "main"]

BYTES_PER_TOKEN = 4
"""Rough, for JSON and English text; real tokenizers differ by some 20 %."""


class UsageError(Exception):
    """Something on the command line is wrong; the text says what and how to do it right."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and give its exit status: 0 fine, 1 the call failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="mcpgraft", description="Serve, inspect and call MCP servers.")
    commands = parser.add_subparsers(dest="command", required=True)
    target = "a Python file or module, and the name of the server in it: FILE[:SERVER]"

    run = commands.add_parser("run", help="serve on stdio or HTTP")
    run.add_argument("target", help=target)
    run.add_argument("--transport", choices=("stdio", "http"), help="default: MCP_TRANSPORT, else stdio")
    run.add_argument("--host", help="for http; default MCP_HOST, else 127.0.0.1")
    run.add_argument("--port", type=int, help="for http; default MCP_PORT, else 8000")
    run.add_argument("--path", help="for http; default MCP_PATH, else /mcp")

    inspect = commands.add_parser("inspect", help="show what a client sees, and what it costs a model's context")
    inspect.add_argument("target", help=target)
    inspect.add_argument("--json", action="store_true", help="the lists as JSON")
    inspect.add_argument("--era", choices=("modern", "legacy"), default="modern")
    inspect.add_argument("--lint", action="store_true", help="what known clients refuse; status 1 if there are errors")

    call = commands.add_parser("call", help="call a tool in this process")
    call.add_argument("target", help=target)
    call.add_argument("name")
    call.add_argument("values", nargs="*", metavar="KEY=VALUE", help="a text, or JSON where the schema wants more")
    call.add_argument("--json", dest="text", metavar="OBJECT", help="all arguments as one JSON object; - reads stdin")
    call.add_argument("--era", choices=("modern", "legacy"), default="modern")

    bridge = commands.add_parser("bridge", help="connect a client on stdio to a device")
    bridge.add_argument("target", help="a serial device, tcp:HOST:PORT, or a command in one argument")
    bridge.add_argument("--baud", type=int, default=115_200, help="of a serial device; default 115200")
    bridge.add_argument("--rtscts", action="store_true", help="the serial device has hardware flow control")

    options = parser.parse_args(arguments)
    try:
        return {"run": _run, "inspect": _inspect, "call": _call, "bridge": _bridge}[options.command](options)
    except UsageError as wrong:
        print(f"mcpgraft: {wrong}", file=sys.stderr)
        return 2


def load(target: str) -> Server:
    """The server that `FILE[:NAME]` or `MODULE[:NAME]` names. Without a name there must be just one in it."""
    from .server import Server

    place, name = _split(target)
    module = _import(place)
    if name:
        found: Any = module
        for part in name.split("."):
            found = getattr(found, part, None)
        if callable(found) and not isinstance(found, Server):
            found = found()  # a factory
        if not isinstance(found, Server):
            raise UsageError(f"{place} has no server named {name!r}")
        return found
    servers = {key: value for key, value in vars(module).items() if isinstance(value, Server)}
    if len({id(value) for value in servers.values()}) != 1:
        names = ", ".join(servers) or "none"
        raise UsageError(f"{place} must hold one server, or say which: {place}:NAME (found: {names})")
    return next(iter(servers.values()))


def _split(target: str) -> tuple[str, str]:
    place, colon, name = target.rpartition(":")
    # A colon alone does not make a name: C:\server.py
    if colon and all(part.isidentifier() for part in name.split(".")) and not Path(target).exists():
        return place, name
    return target, ""


def _import(place: str) -> ModuleType:
    path = Path(place)
    if not path.suffix and not path.exists():
        sys.path.insert(0, "")
        try:
            return importlib.import_module(place)
        except ModuleNotFoundError as wrong:
            raise UsageError(f"no file or module {place!r} ({wrong})") from wrong
    if not path.is_file():
        raise UsageError(f"no file {place!r}")
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise UsageError(f"{place!r} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _run(options: argparse.Namespace) -> int:
    from .run import run_http, transport_of

    try:
        transport = transport_of(options.transport)
    except ValueError as wrong:
        raise UsageError(str(wrong)) from wrong
    if transport == "http":
        run_http(load(options.target), options.host, options.port, options.path)
        return 0
    from .stdio import claim, run_stdio

    # Claimed before the file is imported: imports print, too.
    with claim() as descriptors:
        run_stdio(load(options.target), descriptors=descriptors)
    return 0


def _bridge(options: argparse.Namespace) -> int:
    from .wire import WireError, run_bridge

    try:
        return run_bridge(options.target, baud=options.baud, flow=options.rtscts)
    except WireError as wrong:
        raise UsageError(str(wrong)) from wrong


def _lint(server: Server, as_json: bool) -> int:
    problems = server.lint()
    if as_json:
        print(msgspec.json.format(msgspec.json.encode(problems)).decode())
    else:
        for problem in problems:
            print(problem)
        worst = sum(problem.severity == "error" for problem in problems)
        print(
            f"{len(problems)} problems, {worst} of them errors" if problems else "nothing that a known client refuses"
        )
    return int(any(problem.severity == "error" for problem in problems))


def _inspect(options: argparse.Namespace) -> int:
    with contextlib.redirect_stdout(sys.stderr):
        server = load(options.target)
    if options.lint:
        return _lint(server, options.json)
    with contextlib.redirect_stdout(sys.stderr):
        client = _client(server, options.era)
        lists = {
            "tools": client.list_tools() if server.core.keys("tool") else [],
            "resources": client.list_resources() if server.core.keys("resource") else [],
            "resourceTemplates": client.list_templates() if server.core.keys("template") else [],
            "prompts": client.list_prompts() if server.core.keys("prompt") else [],
        }
    if options.json:
        print(msgspec.json.format(msgspec.json.encode(lists)).decode())
        return 0
    print(f"{server.name}, as a client of revision {client.revision} sees it\n")
    for kind, items in lists.items():
        if not items:
            continue
        size = len(msgspec.json.encode(items))
        print(f"{kind}: {len(items)}, {size:,} bytes, about {_tokens(size):,} tokens")
        for item in items:
            size = len(msgspec.json.encode(item))
            print(f"  {size:7,} B {_tokens(size):6,} tok  {_headline(item)}")
        print()
    if not any(lists.values()):
        print("nothing is registered")
    return 0


def _headline(item: dict[str, Any]) -> str:
    key = item.get("uri") or item.get("uriTemplate") or item["name"]
    schema = item.get("inputSchema", {})
    required = schema.get("required", [])
    names = [name if name in required else f"{name}?" for name in schema.get("properties", {})]
    names += [one["name"] if one.get("required") else f"{one['name']}?" for one in item.get("arguments", [])]
    shown = f"{key}({', '.join(names)})" if names else key
    first = str(item.get("description", "")).strip().split("\n", 1)[0]
    return f"{shown}  {first}".rstrip()


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


def _call(options: argparse.Namespace) -> int:
    from .testing import HttpError, ProtocolError

    with contextlib.redirect_stdout(sys.stderr):
        client = _client(load(options.target), options.era)
        try:
            result = client.call(options.name, _arguments(options, client))
        except (ProtocolError, HttpError) as wrong:
            print(f"mcpgraft: {wrong}", file=sys.stderr)
            return 1
        for note in client.notifications:
            print(msgspec.json.encode(note).decode(), file=sys.stderr)
    print(msgspec.json.format(msgspec.json.encode(result)).decode())
    return 1 if result.get("isError") else 0


def _client(server: Server, era: Any) -> Client:
    from .testing import Client

    # Over a session: a command in this process is not a request from outside, so auth is not asked.
    return Client(server, era=era, transport="stdio", progress=True, log_level="info")


def _arguments(options: argparse.Namespace, client: Client) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if options.text is not None:
        text = sys.stdin.read() if options.text == "-" else options.text
        try:
            given = msgspec.json.decode(text, type=dict[str, Any])
        except msgspec.DecodeError as wrong:
            raise UsageError(f"--json needs a JSON object: {wrong}") from wrong
    properties: dict[str, Any] = {}
    if options.values:
        tool = next((one for one in client.list_tools() if one["name"] == options.name), {})
        properties = tool.get("inputSchema", {}).get("properties", {})
    for pair in options.values:
        key, equals, value = pair.partition("=")
        if not equals:
            raise UsageError(f"{pair!r} is not KEY=VALUE")
        given[key] = _value(value, properties.get(key, {}))
    return given


def _value(text: str, schema: dict[str, Any]) -> Any:
    if schema.get("type") == "string":
        return text
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
