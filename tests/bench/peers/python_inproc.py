"""The Python peers from the bytes of a request to the bytes of its answer in one process.

Over a pair of their streams, as their stdio server does it, and through their ASGI application.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import python as peers

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "measure"))
from inprocess import (
    HANDSHAKE,
    INITIALIZE,
    INITIALIZED,
    REQUESTS,
    STATELESS,
    Exchange,
    asgi_exchange,
    best_of,
    message,
    over_asgi,
    register,
    say,
    say_tools,
)


@asynccontextmanager
async def over_streams(server: Any, era: str) -> AsyncIterator[Exchange]:
    """A client of a low-level server over memory streams."""
    from mcp.shared._context_streams import create_context_streams
    from mcp.shared.message import SessionMessage
    from mcp_types import jsonrpc_message_adapter as adapter

    to_server, incoming = create_context_streams(0)
    outgoing, from_server = create_context_streams(0)

    async def exchange(asked: bytes) -> bytes:
        await to_server.send(SessionMessage(adapter.validate_json(asked)))
        answer = await from_server.receive()
        return bytes(answer.message.model_dump_json(by_alias=True, exclude_unset=True).encode())

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server.run, incoming, outgoing, server.create_initialization_options())
        if era == HANDSHAKE:
            await exchange(INITIALIZE)
            await to_server.send(SessionMessage(adapter.validate_json(INITIALIZED)))
        yield exchange
        tasks.cancel_scope.cancel()


async def inproc(peer: str) -> None:
    if peer == "lowlevel":
        for era in (HANDSHAKE, STATELESS):
            async with over_streams(peers.made(peer), era) as exchange:
                for name in REQUESTS:
                    asked = message(name, era)
                    say("messages", era, name, await best_of(exchange, asked), await exchange(asked))
    app = peers.application(peer, peers.made(peer), sessions=False)
    async with app.router.lifespan_context(app):
        await over_asgi(app)


async def tools(peer: str, count: int) -> None:
    """What a large catalogue costs. The low-level server has none of its own: its user keeps a list."""
    if peer == "fastmcp":
        from fastmcp import FastMCP

        server = FastMCP("bench")
    else:
        from mcp.server.mcpserver import MCPServer

        server = MCPServer("bench", log_level="ERROR")
    spent = register(lambda fn, name, description: server.tool(name=name, description=description)(fn), count)
    app = peers.application(peer, server, sessions=False)
    async with app.router.lifespan_context(app):
        exchange = asgi_exchange(app, "tools/list", HANDSHAKE)
        asked = message("tools/list", HANDSHAKE)
        say_tools(count, spent, await best_of(exchange, asked, rounds=3), await exchange(asked))


def main(peer: str, what: str, *rest: str) -> None:
    """`inproc`, or `tools COUNT`."""
    if what == "inproc":
        anyio.run(inproc, peer)
    else:
        anyio.run(tools, peer, int(rest[0]))
