"""What the four workers of fleet.py serve: nothing in it belongs to one process, so any of them can answer anything."""

from __future__ import annotations

import os
from typing import TypedDict

from flask import Flask, Response

from mcpgraft import Context, Server
from mcpgraft.fanout import RedisFanout
from mcpgraft.flask import mount


class Name(TypedDict):
    name: str


server = Server(
    "fleet",
    version="1.0.0",
    secrets=[os.environ["FLEET_SECRET"]],
    sessions="sealed",
    fanout=RedisFanout(os.environ["FLEET_REDIS"]),
)


@server.tool
def add(a: int, b: int) -> int:
    """Adds two numbers."""
    return a + b


@server.tool
def greet(ctx: Context) -> str:
    """Asks who the user is."""
    answer = ctx.elicit("name", "Who are you?", Name)
    return f"Hello, {answer.data['name']}!" if answer else "Hello, stranger!"


@server.tool
def grow(name: str) -> str:
    """Adds a tool: the list is another one then."""
    server.add_tool(add, name)
    return "grown"


app = Flask(__name__)
mount(app, server, "/mcp")


@app.after_request
def name_the_worker(response: Response) -> Response:
    response.headers["X-Worker"] = str(os.getpid())
    return response
