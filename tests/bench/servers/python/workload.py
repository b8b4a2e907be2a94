"""The workload as a user of the Python package writes it.

`python workload.py` speaks on standard input and output; `application` (Flask) is for gunicorn. `python workload.py
inproc` prints what a request costs in this process, `tools COUNT` what a large catalogue costs. BENCH_SESSIONS=memory
keeps sessions.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import Literal

from mcpgraft import Server

RECORDS: list[dict[str, str | float]] = [
    {"id": f"record-{number}", "title": f"The record number {number}", "score": number / 10} for number in range(10)
]

SESSIONS: Literal["memory", "off"] = "memory" if os.environ.get("BENCH_SESSIONS") == "memory" else "off"
server = Server("bench", version="1.0.0", sessions=SESSIONS)


@server.tool
def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool
def echo(text: str) -> str:
    """Give a text back."""
    return text


@server.tool
def search(query: str, limit: int = 10) -> list[dict[str, str | float]]:
    """Search the records by keyword."""
    return [record for record in RECORDS if query in str(record["title"])][:limit]


def filler(name: str, count: int = 1, tags: list[str] | None = None) -> str:
    """Does nothing much."""
    return f"{name} {count} {tags}"


for number in range(1, 18):
    server.add_tool(filler, name=f"filler_{number:02}", description=f"Does nothing much, number {number}.")


def note(number: int) -> str:
    return f"The text of note {number}."


for number in range(10):
    server.add_resource(partial(note, number), f"note://{number}", name=f"note {number}", mime_type="text/plain")


@server.resource("row://{number}")
def row(number: int) -> str:
    return f"Row {number}."


@server.resource("page://{book}/{number}")
def page(book: str, number: int) -> str:
    return f"Page {number} of {book}."


@server.prompt
def brief(topic: str) -> str:
    """Ask for a brief."""
    return f"Write a brief about {topic}."


@server.prompt
def review(title: str) -> str:
    """Ask for a review."""
    return f"Review {title}."


@server.prompt
def plan(goal: str) -> str:
    """Ask for a plan."""
    return f"Plan how to reach {goal}."


def __getattr__(name: str) -> object:
    # Only the host that is asked for is imported.
    if name == "application":
        import beside
        from flask import Flask, request

        from mcpgraft.flask import mount

        app = Flask(__name__)
        mount(app, server, "/mcp")

        @app.post("/constant")
        def constant() -> tuple[bytes, dict[str, str]]:
            request.get_data(cache=False)
            return beside.ANSWER, {"Content-Type": "application/json"}

        return app
    raise AttributeError(name)


if __name__ == "__main__":
    if sys.argv[1:2] in (["inproc"], ["tools"]):
        import inproc

        inproc.main(server, sys.argv[1:])
    else:
        server.run("stdio")
