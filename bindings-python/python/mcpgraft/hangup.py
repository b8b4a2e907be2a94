"""Whether the client of a WSGI request is still there, where the host lets us know.

PEP 3333 has no word for it: a thread that waits for something to tell learns that nobody listens only when it writes.
But most servers put the connection, or a question about it, into the environ.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["hung_up"]

SOCKETS = ("gunicorn.socket", "werkzeug.socket", "mcpgraft.socket")
"""Keys of environ under which servers give the connection of the request."""


def hung_up(environ: Mapping[str, Any]) -> Callable[[], bool] | None:
    """A function, usable from any thread, that says whether the client hung up. None: this host cannot tell.

    A client that closed only its sending side counts as gone, as with most proxies.
    """
    asks = environ.get("waitress.client_disconnected")
    if callable(asks):
        return lambda: bool(asks())
    connection = next((environ[key] for key in SOCKETS if environ.get(key) is not None), None)
    if connection is None or not hasattr(select, "POLLRDHUP"):  # which only Linux has
        return None

    def gone() -> bool:
        poll = select.poll()
        try:
            poll.register(connection.fileno(), select.POLLRDHUP)  # and POLLHUP and POLLERR, always
        except (OSError, ValueError):  # closed by the server
            return True
        return bool(poll.poll(0))

    return gone
