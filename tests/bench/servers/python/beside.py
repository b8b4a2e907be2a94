"""Routes beside MCP: one that answers a constant, one that collects garbage."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

ANSWER = b'{"jsonrpc":"2.0","id":1000,"result":{"content":[{"type":"text","text":"3"}]}}'
"""As long as the answer to `add`."""
HEAD = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())],
}
BODY = {"type": "http.response.body", "body": ANSWER}

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


def routes(app: App) -> App:
    """An ASGI application: `/constant` and `/gc`; everything else is `app`'s."""

    async def application(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        path = scope.get("path")
        if path == "/constant":
            while (await receive()).get("more_body"):
                pass
        elif path == "/gc":
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # what is free goes back to the system
        else:
            await app(scope, receive, send)
            return
        await send(HEAD)
        await send(BODY)

    return application
