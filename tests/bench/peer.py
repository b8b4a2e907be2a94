"""The same tool twice: `peer.py mcpgraft PORT` and `peer.py mcp PORT` serve it over HTTP from one process.

mcpgraft runs in a Flask app under gunicorn (one worker, threads), the official package under uvicorn without sessions.
"""

from __future__ import annotations

import sys


def search(query: str, limit: int = 10) -> list[dict[str, str]]:
    """Search by keyword."""
    return [{"id": f"{query}-{number}", "title": "A title"} for number in range(limit)]


def ours(port: int) -> None:
    from flask import Flask
    from gunicorn.app.base import BaseApplication

    from mcpgraft import Server
    from mcpgraft.flask import mount

    app = Flask(__name__)
    server = Server("bench", version="1.0.0")
    server.tool(search)
    mount(app, server, "/mcp")

    class Gunicorn(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options = {"bind": f"127.0.0.1:{port}", "worker_class": "gthread", "threads": 4, "loglevel": "warning"}
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Flask:
            return app

    Gunicorn().run()


def official(port: int) -> None:
    from mcp.server.mcpserver import MCPServer

    server = MCPServer("bench", log_level="ERROR")
    server.tool()(search)
    server.run("streamable-http", host="127.0.0.1", port=port, stateless_http=True, json_response=True)


if __name__ == "__main__":
    {"mcpgraft": ours, "mcp": official}[sys.argv[1]](int(sys.argv[2]))
