"""`Server.respond` inside a Starlette or FastAPI endpoint. To add a whole endpoint use `mcpgraft.asgi.mount`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from .asgi import handle

if TYPE_CHECKING:
    from starlette.requests import Request

    from .server import Server

__all__ = ["respond"]


class _LateResponse(Response):
    """Runs when the framework sends it: only then can it stream and see the peer go away."""

    def __init__(self, server: Server, body: bytes | None, auth: object) -> None:
        super().__init__()
        self._server = server
        self._read = body
        self._auth = auth

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await handle(self._server, scope, receive, send, auth=self._auth, body=self._read)


def respond(server: Server, request: Request, *, auth: object = None) -> Response:
    """A response that answers the request; the body may have been read with `await request.body()` before."""
    return _LateResponse(server, getattr(request, "_body", None), auth)
