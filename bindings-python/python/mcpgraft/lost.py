"""Whether the client of a WSGI request is still there, so that nobody keeps a thread for one that has gone.

PEP 3333 has no word for it, so each server is asked in its own way. Where there is none, a lost client is noticed when
the next bytes cannot be written.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import Any

__all__ = ["client_gone"]


def client_gone(environ: dict[str, Any]) -> Callable[[], bool] | None:
    """A function that says whether the client of this request has closed its connection; None if nobody knows.

    Known under gunicorn and werkzeug (their socket) and waitress (which must be run with
    `channel_request_lookahead`). Behind TLS that the server itself ends, it is not.
    """
    disconnected = environ.get("waitress.client_disconnected")
    if callable(disconnected):
        return lambda: bool(disconnected())
    connection = environ.get("gunicorn.socket") or environ.get("werkzeug.socket")
    if isinstance(connection, socket.socket) and not hasattr(connection, "getpeercert"):
        return lambda: _closed(connection)
    return None


def _closed(connection: socket.socket) -> bool:
    """Whether the other side will send no more. Bytes that wait to be read stay where they are."""
    try:
        if not _readable(connection):
            return False
        return not connection.recv(1, socket.MSG_PEEK)
    except (OSError, ValueError):  # reset, or closed by the server itself
        return True


def _readable(connection: socket.socket) -> bool:
    if hasattr(select, "poll"):  # select() itself takes no descriptor above 1023 there
        poll = select.poll()
        poll.register(connection, select.POLLIN)
        return bool(poll.poll(0))
    return bool(select.select([connection], [], [], 0)[0])
