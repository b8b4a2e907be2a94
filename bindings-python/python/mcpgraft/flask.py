"""MCP inside a Flask application or blueprint.

    from mcpgraft.flask import mount
    mount(app, server, "/mcp")

Tools run in their request: `flask.request`, `g`, `current_user`, the database session are all there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Flask, current_app
from flask import request as current_request
from werkzeug.wrappers import Response

from .auth import metadata_path, publishes
from .hangup import hung_up
from .http import Answer, Complete, Listening, Pending, begin
from .wsgi import finish, metadata_answer, read_all, request_of

if TYPE_CHECKING:
    from .http import ReadBody
    from .server import Server

__all__ = ["LateResponse", "mount", "respond"]

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""All of them: which ones the endpoint has is not for the router to say."""


def mount(
    app: Flask | Blueprint,
    server: Server,
    path: str = "/mcp",
    *,
    auth: object = None,
    endpoint: str | None = None,
    sse: str | None = None,
) -> None:
    """Serve `server` at `path`, with and without a slash at its end. It never redirects.

    Args:
        app: An application or a blueprint; a factory may call this before or after the blueprint is made known.
        server: What to serve.
        path: Relative to the blueprint's prefix, if it has one.
        auth: Overrides the server's own.
        endpoint: Flask's endpoint name; default: made from the server's name and the path.
        sse: Serve the transport of 2024-11-05 at this path; see `mcpgraft.sse`.
    """
    auth = server.auth if auth is None else auth
    name = endpoint or "mcp_" + re.sub(r"\W+", "_", f"{server.name}{path}").strip("_")

    def view() -> Response:
        # The request itself: behind its proxy every look costs a look for the context.
        request = current_request._get_current_object()  # type: ignore[attr-defined]
        return _respond(server, request, auth, app.response_class if isinstance(app, Flask) else _response_class())

    _add(app, "/" + path.strip("/"), name, view, auth)
    if sse is not None:

        def old_view() -> Response:
            from .sse import begin as begin_sse

            begun = begin_sse(server, request_of(current_request.environ), auth, _reader(current_request))
            return (
                _listening(begun, current_request.environ)
                if isinstance(begun, Listening)
                else _response(begun, _response_class())
            )

        _add(app, "/" + sse.strip("/"), name + "_sse", old_view, None)


def _add(app: Flask | Blueprint, rule: str, name: str, view: Callable[[], Response], auth: object) -> None:
    view.__name__ = name
    for spelling in {rule, rule.rstrip("/") + "/"}:
        app.add_url_rule(spelling, name, view, methods=METHODS, strict_slashes=False, provide_automatic_options=False)
    if isinstance(app, Flask):
        _complete(app, rule, name, view, auth)
    else:
        # Only here are the application and the blueprint's full prefix known.
        app.record(
            lambda state: _complete(
                state.app, (state.url_prefix or "").rstrip("/") + rule, f"{state.name}_{name}", view, auth
            )
        )


def _complete(app: Any, path: str, name: str, view: Any, auth: object) -> None:
    csrf = app.extensions.get("csrf")
    if csrf is not None and hasattr(csrf, "exempt"):
        csrf.exempt(view)  # Flask-WTF; the endpoint takes JSON only, which no cross-site form can send
    if publishes(auth) is None:
        return

    def document() -> Response:
        answer = metadata_answer(auth, current_request.base_url)
        return _response(answer, _response_class()) if answer else Response(status=404)

    app.add_url_rule(metadata_path(path), f"{name}_metadata".replace(".", "_"), document, strict_slashes=False)


def respond(server: Server, request: Any, *, auth: object = None) -> Response:
    """Answer a Flask or werkzeug request with that application's response class."""
    return _respond(server, request, auth, _response_class())


def _respond(server: Server, request: Any, auth: object, kind: type[Response]) -> Response:
    environ = request.environ
    begun = begin(server, request_of(environ, request), auth, _reader(request))
    if isinstance(begun, Pending):
        if begun.may_stream:
            return _late(begun)
        return _response(begun.finish() or Answer(500, [], b""), kind)
    if isinstance(begun, Listening):
        return _listening(begun, environ)
    return _response(begun, kind)


def _listening(begun: Listening, environ: dict[str, Any]) -> Response:
    pieces = begun.stream.pieces(hung_up(environ))
    response = _response_class()(pieces, status=begun.status)
    response.headers.clear()
    for name, value in begun.headers:
        response.headers.add(name, value)
    response.call_on_close(pieces.close)
    return response


class LateResponse(Response):
    """A response that runs its handler when the server takes it, because only then can it choose to stream.

    Flask keeps the request's context until the response was sent, so the handler still has it. Functions registered
    with `after_request` ran before; headers they set are kept.
    """

    pending: Pending

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        own = {"content-type", "content-length"}
        extra = [(name, value) for name, value in self.headers if name.lower() not in own]
        return finish(self.pending, start_response, extra)


def _late(pending: Pending) -> Response:
    response = _late_class(_response_class())()
    response.pending = pending
    return response


_late_classes: dict[type[Response], type[LateResponse]] = {}


def _late_class(base: type[Response]) -> type[LateResponse]:
    # Flask turns a response of another class than the application's into one, and would lose our __call__.
    found = _late_classes.get(base)
    if found is None:
        found = _late_classes[base] = type("LateResponse", (LateResponse, base), {})
    return found


def _response_class() -> type[Response]:
    cls: type[Response] = current_app.response_class if current_app else Response
    return cls


def _response(answer: Complete, kind: type[Response]) -> Response:
    headers = answer.sized()
    response = kind(answer.body, answer.status, headers)
    if not any(name.lower() == "content-type" for name, _ in headers):
        del response.headers["Content-Type"]  # a class gives its own to every response
    return response


def _reader(request: Any) -> ReadBody:
    def read(limit: int) -> bytes:
        # Somebody before us (a before_request function, say) may have read and kept the body.
        kept = getattr(request, "_cached_data", None)
        if kept is not None:
            return bytes(kept)[:limit]
        length = request.environ.get("CONTENT_LENGTH") or ""
        if not length.isdecimal():
            return read_all(request.stream.read, limit)
        # With a length nobody has to look for the end. Without a limit of the application's own, and if nobody began to
        # read, the request's stream would only count along.
        own = "stream" in request.__dict__ or getattr(request, "max_content_length", None) is not None
        stream = request.stream if own else request.environ["wsgi.input"]
        return read_all(stream.read, min(limit, int(length)))

    return read
