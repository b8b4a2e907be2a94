"""From the bytes of a request to the bytes of its answer, in this process, as a host does it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from io import BytesIO
from pathlib import Path
from typing import Any

from mcpgraft import Context, Server
from mcpgraft.asgi import App
from mcpgraft.dispatch import run as run_call
from mcpgraft.dispatch import settle
from mcpgraft.duplex import DuplexChannel, Questions
from mcpgraft.request import Request

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "measure"))
from inprocess import (
    HANDSHAKE,
    INITIALIZE,
    REQUESTS,
    STATELESS,
    best,
    headers,
    message,
    over_asgi,
    register,
    say,
    say_tools,
)


def taker(server: Server) -> Callable[[bytes], bytes | None]:
    """A client of the server on a channel such as stdio: what each of its messages is answered."""
    session, request = server.core.session(), Request()

    def nowhere(make: Callable[[], bytes | None]) -> None:
        make()  # what handlers say meanwhile; these say nothing

    channel = DuplexChannel(session, Questions(session, nowhere), nowhere)

    def take(message: bytes) -> bytes | None:
        step = session.accept(message)
        if step.call is None:
            return step.send
        return settle(session, step.call, run_call(Context(step.call, channel, server, request)))

    return take


def over_wsgi(application: Callable[..., Iterable[bytes]]) -> None:
    """`add` in a WSGI application, and its route that answers a constant: a server of threads varies by more."""
    for era in (HANDSHAKE, STATELESS):
        body = message("add", era)
        said = {name.decode().upper().replace("-", "_"): value.decode() for name, value in headers("add", era)}
        sent = {"HTTP_" + name: value for name, value in said.items() if name != "CONTENT_TYPE"}
        for name, path in (("add", "/mcp"), ("constant", "/constant")):
            environ: dict[str, Any] = {
                **sent,
                "CONTENT_TYPE": said["CONTENT_TYPE"],
                "CONTENT_LENGTH": str(len(body)),
                "REQUEST_METHOD": "POST",
                "SCRIPT_NAME": "",
                "PATH_INFO": path,
                "QUERY_STRING": "",
                "SERVER_NAME": "127.0.0.1",
                "SERVER_PORT": "8000",
                "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "127.0.0.1",
                "wsgi.version": (1, 0),
                "wsgi.url_scheme": "http",
                "wsgi.errors": sys.stderr,
                "wsgi.multithread": True,
                "wsgi.multiprocess": True,
                "wsgi.run_once": False,
            }

            def ask(environ: dict[str, Any] = environ, body: bytes = body) -> bytes:
                answer = application({**environ, "wsgi.input": BytesIO(body)}, lambda *_: None)
                try:
                    return b"".join(answer)
                finally:
                    getattr(answer, "close", lambda: None)()

            say("WSGI", era, name, best(ask), ask())


def tools(count: int) -> None:
    """What a large catalogue costs."""
    server = Server("bench", version="1.0.0")
    spent = register(lambda fn, name, description: server.add_tool(fn, name=name, description=description), count)
    take = taker(server)
    take(INITIALIZE)
    asked = message("tools/list", HANDSHAKE)
    say_tools(count, spent, best(lambda: take(asked)), take(asked) or b"")


def main(server: Server, arguments: list[str]) -> None:
    """`inproc`, or `tools COUNT`."""
    if arguments[0] == "tools":
        tools(int(arguments[1]))
        return
    for era in (HANDSHAKE, STATELESS):
        take = taker(server)
        if era == HANDSHAKE:
            take(INITIALIZE)
        for name in REQUESTS:
            asked = message(name, era)
            say("messages", era, name, best(lambda asked=asked, take=take: take(asked)), take(asked) or b"")  # type: ignore[misc]
    import workload
    from workload_asgi import server as async_server

    over_wsgi(workload.application)
    asyncio.run(over_asgi(App(async_server, path="/mcp")))
