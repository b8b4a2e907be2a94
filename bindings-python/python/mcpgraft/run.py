"""`server.run()`: the same file serves stdio or HTTP, as one switch says."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Server

__all__ = ["run", "run_http", "transport_of"]


def transport_of(transport: str | None = None) -> str:
    """`stdio` or `http`: the argument, else the variable MCP_TRANSPORT, else stdio."""
    chosen = (transport or os.environ.get("MCP_TRANSPORT") or "stdio").strip().lower()
    if chosen in ("http", "streamable-http", "streamable_http"):
        return "http"
    if chosen == "stdio":
        return "stdio"
    raise ValueError(f"unknown transport {chosen!r}: use stdio or http")


def run(server: Server, transport: str | None = None, **options: Any) -> None:
    """Serve until the end of input (stdio) or an interrupt (http).

    Args:
        server: What to serve.
        transport: `stdio`, `http`, or None for the variable MCP_TRANSPORT (default stdio).
        **options: Those of `run_stdio`, or of `run_http`; those of the other one are an error.
    """
    if transport_of(transport) == "http":
        run_http(server, **options)
    else:
        from .stdio import run_stdio

        run_stdio(server, **options)


def run_http(
    server: Server, host: str | None = None, port: int | None = None, path: str | None = None, *, auth: object = None
) -> None:
    """A small threaded HTTP server for development; in production mount the server in your own.

    Args:
        server: What to serve.
        host: Default: MCP_HOST, else 127.0.0.1.
        port: Default: MCP_PORT, else 8000; 0 takes a free one.
        path: Default: MCP_PATH, else /mcp; both slash spellings work.
        auth: Overrides the server's own.
    """
    http_server = make_http(server, host, port, path, auth=auth)
    bound, number = http_server.server_address[:2]
    shown = path or os.environ.get("MCP_PATH") or "/mcp"
    print(f"{server.name}: http://{bound}:{number}/{shown.strip('/')}", file=sys.stderr, flush=True)
    with http_server, contextlib.suppress(KeyboardInterrupt):
        http_server.serve_forever()
    server.close()


def make_http(
    server: Server, host: str | None = None, port: int | None = None, path: str | None = None, *, auth: object = None
) -> Any:
    """The server that `run_http` runs, bound but not yet serving (a `wsgiref` `WSGIServer` with threads)."""
    from socket import SHUT_WR
    from socketserver import ThreadingMixIn
    from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

    from .wsgi import App

    class ThreadedServer(ThreadingMixIn, WSGIServer):
        daemon_threads = True
        request_queue_size = 128

        def server_bind(self) -> None:
            # WSGIServer's own asks the resolver for this machine's name, which can take seconds.
            from socketserver import TCPServer

            TCPServer.server_bind(self)
            self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]
            self.setup_environ()

    class Handler(WSGIRequestHandler):
        def get_environ(self) -> dict[str, Any]:
            return {**super().get_environ(), "mcpgraft.socket": self.connection}

        def address_string(self) -> str:
            return str(self.client_address[0])

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def handle(self) -> None:
            super().handle()
            self._read_rest()

        def _read_rest(self) -> None:
            # Closing with unread input resets the connection, and the peer may lose an early answer (401, 413).
            try:
                self.connection.shutdown(SHUT_WR)
                self.connection.settimeout(0.5)
                for _ in range(16):
                    if not self.connection.recv(65_536):
                        return
            except OSError:
                pass

    app = App(server, auth=auth, path=path or os.environ.get("MCP_PATH") or "/mcp")
    address = (host or os.environ.get("MCP_HOST") or "127.0.0.1", _port(port))
    http_server = ThreadedServer(address, Handler)

    def threaded(environ: dict[str, Any], start_response: Any) -> Any:
        environ["wsgi.multithread"] = True  # which wsgiref does not know of itself
        return app(environ, start_response)

    http_server.set_app(threaded)
    return http_server


def _port(port: int | None) -> int:
    if port is not None:
        return port
    text = os.environ.get("MCP_PORT") or os.environ.get("PORT") or "8000"
    if not text.isdecimal():
        raise ValueError(f"MCP_PORT must be a number, not {text!r}")
    return int(text)
