"""Servers that several tests share."""

from __future__ import annotations

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator

import pytest

from mcpgraft import Context, Forbidden, NotFound, Server, ToolError


@pytest.fixture
def server() -> Server:
    """One of everything, sync and async."""
    server = Server("everything", version="1.2.3")

    @server.tool
    def add(a: int, b: int = 1) -> str:
        """Add two numbers."""
        return str(a + b)

    @server.tool("async-add")
    async def add_later(a: int, b: int = 1) -> str:
        return str(a + b)

    @server.tool(title="Slow", description="Reports progress")
    def slow(steps: int, ctx: Context) -> str:
        for step in range(steps):
            ctx.progress(step + 1, steps, f"step {step + 1}")
            ctx.info(f"at {step + 1}")
        return "done"

    @server.tool
    async def slow_async(steps: int, ctx: Context) -> str:
        for step in range(steps):
            await ctx.progress(step + 1, steps)
        return "done"

    @server.tool
    def fail(how: str) -> str:
        if how == "tool":
            raise ToolError("as planned")
        if how == "forbidden":
            raise Forbidden("not yours")
        if how == "exit":
            raise SystemExit("bye")
        raise ValueError("secret detail")

    @server.tool
    def who(ctx: Context) -> str:
        subject = getattr(ctx.principal, "subject", ctx.principal)
        return f"{subject}|{ctx.headers.get('X-Tenant')}|{threading.current_thread().name}"

    @server.resource("note://{day}/page/{number}", mime_type="text/plain")
    def note(day: str, number: int) -> str:
        if number == 404:
            raise NotFound(f"note://{day}/page/{number}")
        return f"{day}:{number + 1}"

    @server.resource("config://app")
    async def config() -> str:
        return "on"

    @server.prompt
    def greet(name: str, style: str = "kind") -> str:
        """Greet somebody.

        Args:
            name: Whom
        """
        return f"{style} {name}"

    @server.completion("greet", "name")
    def names(value: str) -> list[str]:
        return [name for name in ("ada", "alan", "grace") if name.startswith(value)]

    return server


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis of our own, empty at first."""
    pytest.importorskip("redis")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on this machine")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if "Ready to accept connections" in line:
            break
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)
    process.stdout.close()
