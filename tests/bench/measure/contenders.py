"""Who is measured: our servers, the peers, and the floor. A new language is one more row."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from serving import BUILD, MODULES, NODE, ROOT, python

HERE = Path(__file__).resolve().parents[1]
"""tests/bench"""
LOAD = ROOT / "target" / "bench" / "release" / "bench-load"
NPM = BUILD / "bench" / "npm"
HANDSHAKE, STATELESS = "2025-11-25", "2026-07-28"


@dataclass(frozen=True)
class Contender:
    """One server program in one language."""

    name: str
    language: str
    ours: bool
    stdio: tuple[str, ...] = ()
    """Its command on standard input and output; empty: it has none."""
    http: tuple[str, ...] = ()
    """Its command over HTTP, where `PORT` stands for the port."""
    eras: tuple[str, ...] = (HANDSHAKE, STATELESS)


SERVERS = HERE / "servers" / "python"
OFFICIAL = (python("mcp2"), str(HERE / "peers" / "python.py"))
FASTMCP = (python("fastmcp"), str(HERE / "peers" / "python.py"), "fastmcp")
TYPESCRIPT = (str(NODE), str(HERE / "peers" / "node.mjs"))
RUST = str(ROOT / "target" / "bench" / "release" / "bench-server")
C = str(ROOT / "target" / "bench" / "release" / "bench-c")
WORKLOAD_NODE = (str(NODE), str(HERE / "servers" / "node" / "workload.mjs"), str(MODULES), "stdio")
RMCP = str(ROOT / "target" / "bench-rmcp" / "release" / "bench-rmcp")


def serve(language: str) -> tuple[str, ...]:
    """Our server over HTTP, by `tests/bench/serve`."""
    return (str(HERE / "serve"), language, "http", "PORT")


CONTENDERS = [
    Contender("bytes only", "floor", False, (str(LOAD), "trivial", "stdio"), (str(LOAD), "trivial", "http", "PORT")),
    Contender("mcpgraft (Rust)", "Rust", True, (RUST, "stdio"), serve("rust")),
    Contender("rmcp", "Rust", False, (RMCP, "stdio"), (RMCP, "http", "PORT")),
    Contender("mcpgraft (C)", "Rust", True, (C, "stdio"), serve("c")),
    Contender("mcpgraft (Python)", "Python", True, (python(), str(SERVERS / "workload.py")), ()),
    Contender("mcpgraft (Python, Flask)", "Python", True, (), serve("python")),
    Contender("mcpgraft (Python, ASGI)", "Python", True, (), serve("python-asgi")),
    Contender(
        "mcp, low-level", "Python", False, (*OFFICIAL, "lowlevel", "stdio"), (*OFFICIAL, "lowlevel", "http", "PORT")
    ),
    Contender(
        "mcp, MCPServer", "Python", False, (*OFFICIAL, "mcpserver", "stdio"), (*OFFICIAL, "mcpserver", "http", "PORT")
    ),
    Contender("fastmcp", "Python", False, (*FASTMCP, "stdio"), (*FASTMCP, "http", "PORT")),
    Contender("mcpgraft (Node)", "TypeScript", True, WORKLOAD_NODE, serve("node")),
    Contender("mcpgraft (Express)", "TypeScript", True, (), serve("node-express")),
    Contender(
        "server 2.x",
        "TypeScript",
        False,
        (*TYPESCRIPT, "server", str(NPM), "stdio"),
        (*TYPESCRIPT, "server", str(NPM), "http", "PORT"),
    ),
    Contender(
        "sdk 1.x",
        "TypeScript",
        False,
        (*TYPESCRIPT, "sdk", str(NPM), "stdio"),
        (*TYPESCRIPT, "sdk", str(NPM), "http", "PORT"),
        (HANDSHAKE,),
    ),
]
