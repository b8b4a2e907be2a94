"""The goals, each once: what has to be reached, and beside whom it is shown. How they are judged is in `judge.py`."""

from __future__ import annotations

from dataclasses import dataclass

from contenders import BOTH
from micro import CORE
from results import ANY

NONE = (ANY,)
MCP = ("mcp, low-level", "mcp, MCPServer", "fastmcp")
NODE = ("server 2.x", "sdk 1.x")
SERVER = ("server 2.x", "server 2.x (Express)")


@dataclass(frozen=True)
class Goal:
    """One row. Of several eras the one counts in which ours does worst; of several peers the one that does best."""

    what: str
    ours: tuple[str, ...]
    way: str
    request: str
    figure: str
    limit: float
    """In `unit`; with `times` how many times more the best peer takes."""
    unit: str = "us"
    peers: tuple[str, ...] = ()
    eras: tuple[str, ...] = BOTH
    at_least: bool = False
    """More is better, where less is otherwise."""
    times: bool = False
    peer_request: str = ""
    """What peers are asked, if that has another name."""
    then: float = 0
    """In `unit`: what the best of these peers (of a share: the constant) took on the machine on which the goal was set.
    It makes the goal a ratio, which says the same on any other."""


def cpu(
    what: str, ours: str, request: str, limit: float, then: float, peers: tuple[str, ...], way: str = "stdio 32"
) -> Goal:
    return Goal(what, (ours,), way, request, "cpu_us", limit, peers=peers, then=then)


def share(name: str, ours: str, limit: float, then: float) -> Goal:
    """What `add` over HTTP takes beyond a constant."""
    return Goal(f"{name}, HTTP add beyond a constant", (ours,), "http 16", "share", "cpu_us", limit, then=then)


PYTHON, FLASK, ASGI = "mcpgraft (Python)", "mcpgraft (Python, Flask)", "mcpgraft (Python, ASGI)"
TS, HTTP, EXPRESS = "mcpgraft (Node)", "mcpgraft (node:http)", "mcpgraft (Express)"
RUST, C = "mcpgraft (Rust)", "mcpgraft (C)"


def each(
    what: str, ours: str, way: str, figure: str, limit: float, unit: str, peers: tuple[str, ...], then: float = 0
) -> Goal:
    """What a request is not asked for."""
    request, eras = ("tools/list", BOTH) if way == "cold" else ("", NONE)
    return Goal(what, (ours,), way, request, figure, limit, unit, peers, eras, then=then)


SERDE = "accept_and_reply::serde_json_value_add"
DUPLEX = "accept_and_reply::duplex"

GOALS = [
    *(
        Goal(
            f"core, add, accept + reply, {era}",
            (CORE,),
            "core",
            f"{DUPLEX}_{era}::add",
            figure,
            limit,
            unit,
            (CORE,),
            NONE,
            peer_request=f"{SERDE}::{revision}",
            then=then,
        )
        for era, revision in zip(("handshake", "stateless"), BOTH, strict=True)
        for figure, limit, then, unit in (("cpu_us", 0.6, 1.8, "us"), ("allocations", 0, 0, "allocations"))
    ),
    Goal(
        "core, scan of a 1 MiB argument",
        (CORE,),
        "core",
        "json_scan::check::one string",
        "gb_s",
        4,
        "GB/s",
        (CORE,),
        NONE,
        at_least=True,
        peer_request="json_scan::serde_json_value::one string",
        then=2.5,
    ),
    cpu("Rust, stdio, add", RUST, "add", 2.5, 70, ("rmcp",)),
    cpu("C, stdio, add", C, "add", 2.5, 70, ("rmcp",)),
    cpu("Python, stdio, typed add", PYTHON, "add", 6, 527, MCP),
    cpu("Python, stdio, tools/list of 20", PYTHON, "tools/list", 5, 769, MCP),
    cpu("Node, stdio, add", TS, "add", 8, 18, NODE),
    cpu("Node, stdio, tools/list of 20", TS, "tools/list", 6, 1050, ("server 2.x",)),
    share("Flask", FLASK, 15, 380),
    # The same without a server: gunicorn with 16 threads varies by more.
    Goal("Flask in process, add beyond a constant", (PYTHON,), "inproc WSGI", "share", "cpu_us", 15),
    share("ASGI", ASGI, 15, 25),
    share("node:http", HTTP, 10, 18),
    share("Express", EXPRESS, 10, 101),
    Goal("ASGI, HTTP add", (ASGI,), "http 16", "add", "cpu_us", 9, peers=("mcp, low-level",), times=True),
    Goal("node:http, HTTP add", (HTTP,), "http 16", "add", "cpu_us", 20, peers=("server 2.x",), times=True),
    Goal("Express, HTTP add", (EXPRESS,), "http 16", "add", "cpu_us", 6, peers=("server 2.x (Express)",), times=True),
    cpu("Rust, HTTP add", RUST, "add", 12, 27, ("rmcp",), "http 16"),
    cpu("C (libmicrohttpd), HTTP add", C, "add", 12, 27, ("rmcp",), "http 16"),
    Goal("Python, echo of 1 MiB", (PYTHON,), "stdio 32", "echo 1 MiB", "cpu_us", 2, peers=MCP, times=True),
    Goal("Node, echo of 1 MiB", (TS,), "stdio 32", "echo 1 MiB", "cpu_us", 2, peers=NODE, times=True),
    each("Python, cold start to tools/list", PYTHON, "cold", "cold_ms", 40, "ms", MCP, 543),
    each("Node, cold start to tools/list", TS, "cold", "cold_ms", 75, "ms", NODE, 189),
    each("Rust, cold start to tools/list", RUST, "cold", "cold_ms", 2, "ms", ("rmcp",), 2.6),
    each("C, cold start to tools/list", C, "cold", "cold_ms", 2, "ms", ("rmcp",), 2.6),
    each("Python, resident when idle", PYTHON, "cold", "resident_mib", 18, "MiB", MCP, 66),
    each("Node, resident when idle", TS, "cold", "resident_mib", 48, "MiB", NODE, 69),
    each("Rust, resident when idle", RUST, "cold", "resident_mib", 3, "MiB", ("rmcp",), 5.4),
    each("C, resident when idle", C, "cold", "resident_mib", 3, "MiB", ("rmcp",), 5.4),
    cpu("Python in process, add", PYTHON, "add", 4, 171, ("mcp, low-level",), "inproc messages"),
    Goal("Node in process, add", (TS,), "inproc messages", "add", "cpu_us", 4, peers=("sdk 1.x",), then=10),
    *(
        Goal(f"{name}, {what}", (one,), "state", request, figure, limit, unit, peers, eras, then=then)
        for name, one, peers in (("Rust", RUST, ()), ("C", C, ()), ("ASGI", ASGI, MCP), ("node:http", HTTP, NODE))
        for what, request, figure, limit, then, unit, eras in (
            ("a session in memory", "session", "kib", 4, 37, "KiB", (BOTH[0],)),
            ("an open listen stream", "listen", "kib", 8, 55, "KiB", BOTH),
            ("opening a listen stream, beyond a constant", "listen", "beside_us", 30, 0, "us", BOTH),
        )
    ),
    *(
        Goal(
            f"{name}, 1,000 tools: a byte of tools/list",
            (one,),
            "tools",
            "growth",
            "times",
            1,
            "that of 20",
            peers,
            NONE,
        )
        for name, one, peers in (("Rust", RUST, ()), ("C", C, ()), ("Python", PYTHON, MCP), ("Node", TS, NODE))
    ),
    Goal("Python, 1,000 tools: registering one", (PYTHON,), "tools", "1000", "register_us", 20, "us", MCP, NONE),
    each("Python, wheel", PYTHON, "size", "wheel_mib", 3, "MiB", ()),
    each("Python, packages installed (ours and msgspec)", PYTHON, "size", "packages", 2, "packages", MCP),
    each("Node, addon", TS, "size", "addon_mib", 3, "MiB", ()),
]
