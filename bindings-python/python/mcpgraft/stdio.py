"""MCP on standard input and output.

The runner takes the real descriptors 0 and 1 for itself and leaves the null device and stderr in their place, so
that no print, C library or child process can disturb the protocol. Handlers run in a bounded pool of threads;
everything that needs no handler (ping, lists, cancellation) is answered at once by the reading thread. So are calls of
plain functions that were quick so far: handing them over would cost more than they do. When one of them takes longer,
another thread goes on reading in place of the one it keeps busy (see `mcpgraft.baton`). At the end of input it
finishes what runs, within a deadline, and returns.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .baton import Baton
from .connection import Connection
from .context import Context
from .dispatch import quick_entry, run_quick, settle
from .request import Request

if TYPE_CHECKING:
    from ._native import Call
    from .registry import Entry
    from .server import Server

__all__ = ["claim", "run_stdio"]

HELD = 65_536
"""Bytes of answers that may wait for others to leave together."""


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
    connection = Reader(server, descriptors[1], workers or server.workers, Request(principal=principal))
    with server.attach(connection):
        try:
            connection.read(descriptors[0])
        except KeyboardInterrupt:
            connection.end()
            return
        connection.drain(drain_seconds)
        connection.end()


class Reader(Connection):
    """The connection over a pair of descriptors, and the threads that read from one of them, one at a time."""

    def __init__(self, server: Server, output: int, workers: int, request: Request) -> None:
        super().__init__(server, self._put, workers, request)
        self._framer = server.core.framer()
        self._output = output
        # Answers of the reading thread that leave together, when it has read all that is there.
        self._held: list[bytes] = []
        self._weight = 0
        self._baton = Baton(self._write_lock, self._take_over)
        # Whose functions the reading thread does not run any more.
        self._slow: set[Entry] = set()
        self._lines: Iterator[bytes | None] = iter(())
        self._longest = HELD

    def read(self, source: int) -> None:
        """Take messages until the input ends."""
        self._lines = self._messages(source)
        self._baton.read(self._read_on)

    def _messages(self, source: int) -> Iterator[bytes | None]:
        while not self.broken:
            data = os.read(source, 65_536)
            yield from self._framer.feed(data) if data else self._framer.finish()
            self._flush()
            if not data:
                return

    def _read_on(self) -> bool:
        # False: this thread was busy with a call for so long that another one reads now.
        return all(map(self._take, self._lines))

    def _take_over(self, busy: Entry) -> None:
        # With the write lock held: what was answered before must not wait for the call that takes so long.
        self._slow.add(busy)
        self._pool.adopt()
        self._write(None)

    def _take(self, line: bytes | None) -> bool:
        # False: this thread is not the one that reads any more.
        if line is None:
            self._say(self._session.too_long)
            return True
        if len(line) > self._longest:
            self._longest = 2 * len(line)
            keep_room(len(line))
        with self._write_lock:
            step = self._session.accept(line)
            if step.send is not None:
                self._hold(step.send)
        if step.call is not None and (entry := self._quick(step.call)) is not None:
            return self._run_here(step.call, entry)
        self._act(step, self._request)
        return True

    def _quick(self, call: Call) -> Entry | None:
        # The entry of a call for the reading thread itself: nobody waits for a place in the pool, and it was quick.
        if call.batched or self._pool.is_full:
            return None
        entry = quick_entry(self._server, call)
        return None if entry is None or entry in self._slow else entry

    def _run_here(self, call: Call, entry: Entry) -> bool:
        turn = self._baton.begin(entry)
        outcome = run_quick(self._server, call, entry, self._context, self._hop, takes_text=True)
        with self._write_lock:
            if self._baton.end(turn):
                answer = settle(self._session, call, outcome)
                if answer is not None:
                    self._hold(answer)
                return True
            self._write(settle(self._session, call, outcome))
        self._cancels.pop(call.key, None)
        self._pool.release()
        return False

    def _context(self, call: Call) -> Context:
        return Context(call, self._channel, self._server, self._request)

    def _flush(self) -> None:
        with self._write_lock:
            self._write(None)

    def _hold(self, answer: bytes) -> None:
        self._held += (answer, b"\n")
        self._weight += len(answer)
        if self._weight > HELD:
            self._write(None)

    def _write(self, message: bytes | None) -> None:
        # With what is held: that was made first.
        pieces, self._held, self._weight = self._held, [], 0
        if message is not None:
            pieces += (message, b"\n")
        if len(pieces) > 2 or (pieces and len(pieces[0]) <= HELD):
            pieces = [b"".join(pieces)]
        for piece in pieces:  # a long one stands alone, and is not worth another copy
            super()._write(piece)

    def _put(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            left = left[os.write(self._output, left) :]


def keep_room(size: int) -> None:
    """Have the C library keep the memory that messages of that many bytes take, from one to the next.

    glibc gives what is free at the top of a heap back to the system when it is more than twice the largest block it
    ever took from the system by itself (mallopt(3), "M_MMAP_THRESHOLD" and "M_TRIM_THRESHOLD"). With messages of a
    megabyte that is after each of them, and to fetch all those pages anew costs more than to read and answer the next.
    So once a larger block is taken, and given back; nobody writes to it, so that it costs nothing. Elsewhere it does
    nothing.
    """
    bytes(min(4 * size, 31 << 20))  # from 32 MiB on glibc learns nothing


def _binary(*descriptors: int) -> None:
    if sys.platform == "win32":  # text mode would turn every \n into \r\n
        import msvcrt

        for descriptor in descriptors:
            msvcrt.setmode(descriptor, os.O_BINARY)
