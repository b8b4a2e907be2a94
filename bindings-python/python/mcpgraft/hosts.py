"""`Server.respond`: which framework a request is from, told by its shape: no framework is imported to find out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .server import Server

__all__ = ["respond"]


def respond(server: Server, request: Any, *, auth: object = None) -> Any:
    """The response of the request's own framework."""
    if isinstance(request, dict) and "REQUEST_METHOD" in request:
        from .wsgi import Response

        return Response(server, request, auth=auth)
    if hasattr(request, "environ") and hasattr(request, "get_data"):
        from .flask import respond as flask_respond

        return flask_respond(server, request, auth=auth)
    if hasattr(request, "META") and hasattr(request, "build_absolute_uri"):
        from .django import respond as django_respond

        return django_respond(server, request, auth=auth)
    if hasattr(request, "scope") and hasattr(request, "receive"):
        from .starlette import respond as starlette_respond

        return starlette_respond(server, request, auth=auth)
    raise TypeError(
        f"respond() takes a Flask, Django or Starlette request or a WSGI environ, not {type(request).__name__}"
    )
