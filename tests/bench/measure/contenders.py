"""Who is measured: our servers, the peers, and the floor. A new language is one more row."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))
from serving import BUILD, MODULES, NODE, ROOT, python

HERE = Path(__file__).resolve().parents[1]
"""tests/bench"""
LOAD = ROOT / "target" / "bench" / "release" / "bench-load"
NPM = BUILD / "bench" / "npm"
SIZES = BUILD / "bench" / "sizes"
"""What each package installs, a folder each."""
HANDSHAKE, STATELESS = "2025-11-25", "2026-07-28"
BOTH = (HANDSHAKE, STATELESS)
Command = tuple[str, ...]


@dataclass(frozen=True)
class Package:
    """What is installed for a contender."""

    kind: str
    """`pip` or `npm`."""
    name: str
    """As the registry calls it; ours comes from this build."""
    statement: str
    """What a server of it imports: Python, or a module for Node."""
    where: tuple[str, ...] = ()
    """Its own folders, where they are not just its name."""


@dataclass(frozen=True)
class Contender:
    """One server program in one language."""

    name: str
    language: str
    ours: bool
    commands: Mapping[str, Command]
    """`stdio`, `http`, `sessions` (the same with sessions of the handshake era in memory), `listen` (where only another
    server than `http` keeps responses open), `inproc` (prints what requests cost inside the process), `tools` (what a
    large catalogue costs), as far as it has them; PYTHON (ours), PORT and COUNT are filled in.
    """
    constant: bool = False
    """Whether it answers `/constant` too."""
    eras: tuple[str, ...] = BOTH
    listens: tuple[str, ...] = ()
    """The eras in which its clients can listen; where sessions are kept, in the handshake era."""
    package: Package | None = None

    def command(self, kind: str) -> Command:
        """Empty: it has none of that kind."""
        return tuple(clean_python() if part == "PYTHON" else part for part in self.commands.get(kind, ()))

    def has(self, part: str) -> bool:
        """Whether a part of the run has anything to do here."""
        if part == "installed":
            return self.package is not None
        kinds = {
            "transports": ("stdio", "http"),
            "pinned": ("stdio", "http"),
            "cold": ("stdio",),
            "state": ("sessions", "listen"),
        }
        return any(self.command(kind) for kind in kinds.get(part, (part,))) or (part == "state" and bool(self.listens))

    @property
    def warm(self) -> float:
        """Seconds that a server is asked before anything counts: Node compiles what runs often while it runs."""
        return 2.0 if self.language == "TypeScript" else 0.2


def clean_python() -> str:
    """What our Python servers run in: a venv of their own, which `make bench` makes, while it has the wheel of the last
    build; else that of the tests. `tests/bench/serve` chooses likewise.
    """
    has = [one.stat().st_mtime_ns for one in (BUILD / "venv" / "bench").glob(".wheel")]
    built = [one.stat().st_mtime_ns for one in (BUILD / "dist").glob("*.whl")]
    return python("bench" if has and built and has[0] > built[0] else "python")


def serve(language: str, *kinds: str, stdio: Command = ()) -> dict[str, Command]:
    """Our server, by `tests/bench/serve`; on stdio without its shell, whose start is not the server's."""
    rest: dict[str, Command] = {"http": ("PORT",), "sessions": ("PORT",), "tools": ("COUNT",)}
    found = {kind: (str(HERE / "serve"), language, kind, *rest.get(kind, ())) for kind in kinds}
    return {**found, "stdio": stdio} if stdio else found


def keeping(language: str, program: str) -> dict[str, Command]:
    """Our server in Rust or C: with sessions it is another than without, and only that keeps responses open."""
    found = serve(language, "http", "sessions", "inproc", "tools", stdio=(program, "stdio"))
    return {**found, "listen": found["sessions"]}


def peer(command: Command, *kinds: str, http: str = "http") -> dict[str, Command]:
    """A peer, which understands the same words."""
    rest: dict[str, Command] = {"http": (http, "PORT"), "sessions": ("sessions", "PORT"), "tools": ("tools", "COUNT")}
    return {kind: (*command, *rest.get(kind, (kind,))) for kind in kinds}


RUST = str(ROOT / "target" / "bench" / "release" / "bench-server")
C = str(ROOT / "target" / "bench" / "release" / "bench-c")
RMCP = str(ROOT / "target" / "bench-rmcp" / "release" / "bench-rmcp")
WORKLOAD = ("PYTHON", str(HERE / "servers" / "python" / "workload.py"))
WORKLOAD_NODE = (str(NODE), str(HERE / "servers" / "node" / "workload.mjs"), str(MODULES), "stdio")
PYTHON_PEER = str(HERE / "peers" / "python.py")
LOWLEVEL = (python("mcp2"), PYTHON_PEER, "lowlevel")
MCPSERVER = (python("mcp2"), PYTHON_PEER, "mcpserver")
FASTMCP = (python("fastmcp"), PYTHON_PEER, "fastmcp")
NODE_PEER = (str(NODE), "--expose-gc", str(HERE / "peers" / "node.mjs"))
SERVER = (*NODE_PEER, "server", str(NPM))
SDK = (*NODE_PEER, "sdk", str(NPM))

OURS_PIP = Package("pip", "mcpgraft", "from mcpgraft import Server", ("mcpgraft",))
OURS_NPM = Package("npm", "mcpgraft", "mcpgraft", ("mcpgraft", "@mcpgraft"))

CONTENDERS = [
    Contender("bytes only", "floor", False, peer((str(LOAD), "trivial"), "stdio", "http")),
    Contender("mcpgraft (Rust)", "Rust", True, keeping("rust", RUST), constant=True, listens=BOTH),
    Contender(
        "mcpgraft (C)",
        "Rust",
        True,
        keeping("c", f"{C}-stdio"),
        constant=True,
        listens=BOTH,
    ),
    Contender("rmcp", "Rust", False, peer((RMCP,), "stdio", "http")),
    Contender(
        "mcpgraft (Python)", "Python", True, serve("python", "inproc", "tools", stdio=WORKLOAD), package=OURS_PIP
    ),
    Contender("mcpgraft (Python, Flask)", "Python", True, serve("python", "http"), constant=True),
    Contender(
        "mcpgraft (Python, ASGI)", "Python", True, serve("python-asgi", "http", "sessions"), constant=True, listens=BOTH
    ),
    Contender(
        "mcp, low-level",
        "Python",
        False,
        peer(LOWLEVEL, "stdio", "http", "sessions", "inproc"),
        listens=BOTH,
        package=Package("pip", "mcp", "from mcp.server.lowlevel import Server", ("mcp", "mcp_types")),
    ),
    Contender(
        "mcp, MCPServer",
        "Python",
        False,
        peer(MCPSERVER, "stdio", "http", "inproc", "tools"),
        package=Package("pip", "mcp", "from mcp.server.mcpserver import MCPServer", ("mcp", "mcp_types")),
    ),
    Contender(
        "fastmcp",
        "Python",
        False,
        peer(FASTMCP, "stdio", "http", "inproc", "tools"),
        package=Package("pip", "fastmcp", "from fastmcp import FastMCP", ("fastmcp",)),
    ),
    Contender(
        "mcpgraft (Node)", "TypeScript", True, serve("node", "inproc", "tools", stdio=WORKLOAD_NODE), package=OURS_NPM
    ),
    Contender(
        "mcpgraft (node:http)", "TypeScript", True, serve("node-http", "http", "sessions"), constant=True, listens=BOTH
    ),
    Contender("mcpgraft (Express)", "TypeScript", True, serve("node", "http"), constant=True),
    Contender(
        "server 2.x",
        "TypeScript",
        False,
        peer(SERVER, "stdio", "http", "inproc", "tools"),
        listens=(STATELESS,),
        package=Package("npm", "@modelcontextprotocol/server", "@modelcontextprotocol/server"),
    ),
    Contender("server 2.x (Express)", "TypeScript", False, peer(SERVER, "http", http="express")),
    Contender(
        "sdk 1.x",
        "TypeScript",
        False,
        peer(SDK, "stdio", "http", "sessions", "inproc", "tools"),
        eras=(HANDSHAKE,),
        listens=(HANDSHAKE,),
        package=Package("npm", "@modelcontextprotocol/sdk", "@modelcontextprotocol/sdk/server/mcp.js"),
    ),
]
