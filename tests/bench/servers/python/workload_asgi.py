"""The workload as a user of an async host writes it: the tools are coroutines, which run on the loop of the server.

`application` is for uvicorn. What is not a tool is the same as in `workload`.
"""

from __future__ import annotations

from functools import partial

import beside
from workload import RECORDS, SESSIONS, brief, note, page, plan, review, row

from mcpgraft import Server
from mcpgraft.asgi import App

server = Server("bench", version="1.0.0", sessions=SESSIONS)


@server.tool
async def add(a: int, b: int) -> str:
    """Add two numbers."""
    return str(a + b)


@server.tool
async def echo(text: str) -> str:
    """Give a text back."""
    return text


@server.tool
async def search(query: str, limit: int = 10) -> list[dict[str, str | float]]:
    """Search the records by keyword."""
    return [record for record in RECORDS if query in str(record["title"])][:limit]


async def filler(name: str, count: int = 1, tags: list[str] | None = None) -> str:
    """Does nothing much."""
    return f"{name} {count} {tags}"


for number in range(1, 18):
    server.add_tool(filler, name=f"filler_{number:02}", description=f"Does nothing much, number {number}.")

for number in range(10):
    server.add_resource(partial(note, number), f"note://{number}", name=f"note {number}", mime_type="text/plain")
server.add_resource(row, "row://{number}")
server.add_resource(page, "page://{book}/{number}")
for prompt in (brief, review, plan):
    server.add_prompt(prompt)

application = beside.routes(App(server, path="/mcp"))
