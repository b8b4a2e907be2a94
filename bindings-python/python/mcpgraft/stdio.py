"""MCP on standard input and output.

The runner takes the real descriptors 0 and 1 for itself and leaves the null device and stderr in their place, so
that no print, C library or child process can disturb the protocol. Handlers run in a bounded pool of threads;
everything that needs no handler (ping, lists, cancellation) is answered at once by the reading thread. At the end of
input it finishes what runs, within a deadline, and returns.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .connection import Connection
from .request import Request

if TYPE_CHECKING:
    from .server import Server

__all__ = ["claim", "run_stdio"]


@contextmanager
def claim() -> Iterator[tuple[int, int]]:
    """Take descriptors 0 and 1 away from everybody else while the block runs; gives the real input and output.

    What was printed before and still sits in a buffer goes to stderr too. Afterwards both are back in their place.
    """
    real_in, real_out, stdout = os.dup(0), os.dup(1), sys.stdout
    _binary(real_in, real_out)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    if stdout is not None:
        stdout.flush()
    sys.stdout = sys.stderr
    try:
        yield real_in, real_out
    finally:
        if sys.stdout is sys.stderr:
            sys.stdout = stdout
        os.dup2(real_in, 0)
        os.dup2(real_out, 1)
        os.close(real_in)
        os.close(real_out)


def run_stdio(
    server: Server,
    *,
    workers: int | None = None,
    drain_seconds: float = 5.0,
    principal: object = None,
    descriptors: tuple[int, int] | None = None,
) -> None:
    """Serve on standard input and output until the input ends.

    Args:
        server: What to serve.
        workers: Most handlers at once; default: the server's own. More calls wait (how many, the limits say).
        drain_seconds: How long running handlers may go on after the end of input.
        principal: What handlers see as `Context.principal`: the process's own user, so to say.
        descriptors: Input and output somebody claimed already; default: claim 0 and 1.
    """
    if descriptors is None:
        with claim() as descriptors:
            run_stdio(
                server, workers=workers, drain_seconds=drain_seconds, principal=principal, descriptors=descriptors
            )
        return
    reader = Reader(server, descriptors[1], workers or server.workers, Request(principal=principal))
    connection = reader.connection
    with server.attach(connection):
        try:
            reader.read(descriptors[0])
        except KeyboardInterrupt:
            connection.end()
            return
        connection.drain(drain_seconds)
        connection.end()


class Reader:
    """The loop between a pair of descriptors and a connection."""

    def __init__(self, server: Server, output: int, workers: int, request: Request) -> None:
        self._framer = server.core.framer()
        self._output = output
        self.connection = Connection(server, self._put, workers, request)

    def read(self, source: int) -> None:
        """Take messages until the input ends."""
        while not self.connection.broken:
            data = os.read(source, 65_536)
            for line in self._framer.feed(data) if data else self._framer.finish():
                self.connection.take(line)
            if not data:
                return

    def _put(self, lines: bytes) -> None:
        left = memoryview(lines + b"\n")
        while left:
            left = left[os.write(self._output, left) :]


def _binary(*descriptors: int) -> None:
    if sys.platform == "win32":  # text mode would turn every \n into \r\n
        import msvcrt

        for descriptor in descriptors:
            msvcrt.setmode(descriptor, os.O_BINARY)
