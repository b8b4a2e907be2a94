"""Requests as bytes, for tests that go through a host."""

from __future__ import annotations

import json
from typing import Any

HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


def request(method: str, params: dict[str, Any] | None = None, *, id: int = 1, progress: bool = False) -> bytes:
    """A request of the handshake era, as a client sends it to a server without sessions."""
    params = dict(params or {})
    if progress:
        params["_meta"] = {"progressToken": "tok"}
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()


def call(name: str, progress: bool = False, **arguments: Any) -> bytes:
    """A tools/call request."""
    return request("tools/call", {"name": name, "arguments": arguments}, progress=progress)


def text_of(body: bytes) -> str:
    """The text of a tool's result."""
    return str(json.loads(body)["result"]["content"][0]["text"])


def events(body: bytes) -> list[Any]:
    """The messages of an event stream."""
    lines = body.replace(b"\r\n", b"\n").split(b"\n")
    return [json.loads(line[5:]) for line in lines if line.startswith(b"data:") and line[5:].strip()]
