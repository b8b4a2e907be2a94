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
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ._native import Framer
from .baton import Baton
from .bridge import Inline, drive
from .context import Context
from .dispatch import quick_entry, run_call, run_quick, settle
from .duplex import Questions
from .request import Request
from .state import principal_text

if TYPE_CHECKING:
    from ._native import Batch, Call, Session, Step, Task
    from ._native import _Ask as NativeAsk
    from ._native import _Unable as Unable
    from .context import Waiting
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
    connection = Connection(server, descriptors[1], workers or server.workers, Request(principal=principal))
    with server.attach(connection):
        try:
            connection.read(descriptors[0])
        except KeyboardInterrupt:
            return
        connection.drain(drain_seconds)


class Connection:
    """One peer on a pair of descriptors."""

    def __init__(self, server: Server, output: int, workers: int, request: Request) -> None:
        self._server = server
        self._session: Session = server.core.session()
        self._output = output
        self._request = request
        self._principal = principal_text(request.principal)
        # One lock for making and writing a message: what is made first must leave first.
        self._write_lock = threading.Lock()
        # Answers of the reading thread that leave together, when it has read all that is there.
        self._held: list[bytes] = []
        self._weight = 0
        self._baton = Baton(self._write_lock, self._take_over)
        self._broken = False
        self._pool = _Pool(workers)
        self.questions = Questions(self._session, self._say)
        self._cancels: dict[int, Callable[[], object]] = {}
        # Whose functions the reading thread does not run any more.
        self._slow: set[Entry] = set()
        self._lines: Iterator[bytes | None] = iter(())

    def read(self, source: int) -> None:
        """Take messages until the input ends."""
        self._lines = self._messages(source)
        self._baton.read(self._read_on)

    def _messages(self, source: int) -> Iterator[bytes | None]:
        framer = Framer()
        while not self._broken:
            data = os.read(source, 65_536)
            yield from framer.feed(data) if data else framer.finish()
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

    def drain(self, seconds: float) -> None:
        """Wait for running handlers, but no longer than that."""
        self.questions.end()
        self._pool.join(time.monotonic() + seconds)

    def list_changed(self, kind: str) -> None:
        """Tell the peer that a list is another one now, if it wants to know."""
        self._say(lambda: self._session.list_changed(kind))

    def resource_updated(self, uri: str) -> None:
        """Tell the peer that a resource changed, if it subscribed."""
        self._say(lambda: self._session.resource_updated(uri))

    def task_changed(self, task: Task) -> None:
        """Tell the peer how a task stands now, if it listens."""
        self._say(lambda: self._session.task_changed(task, self._principal))

    def can_ask(self, key: int, ask: NativeAsk) -> Unable | None:
        return self.questions.can_ask(key, ask)

    def no_way(self, call: Call) -> str | None:
        return self.questions.no_way(call)

    def ask(self, key: int, ask: NativeAsk) -> Waiting:
        return self.questions.ask(key, ask)

    def keep_alive(self) -> None:
        pass  # a pipe does not die of silence

    def elicitation_complete(self, key: int, id: str) -> None:
        self._say(lambda: self._session.elicitation_complete(id))

    def progress(self, key: int, progress: float, total: float | None, message: str | None) -> None:
        self._say(lambda: self._session.progress(key, progress, total, message))

    def log(self, key: int, level: str, data: bytes, logger: str | None) -> None:
        self._say(lambda: self._session.log(key, level, data, logger))

    def _take(self, line: bytes | None) -> bool:
        # False: this thread is not the one that reads any more.
        if line is None:
            self._say(self._session.too_long)
            return True
        with self._write_lock:
            step = self._session.accept(line)
            if step.send is not None:
                self._hold(step.send)
        if step.call is not None and (entry := self._quick(step.call)) is not None:
            return self._run_here(step.call, entry)
        self._act(step)
        return True

    def _quick(self, call: Call) -> Entry | None:
        # The entry of a call for the reading thread itself: nobody waits for a place in the pool, and it was quick.
        if call.batched or self._pool.is_full:
            return None
        entry = quick_entry(self._server, call)
        return None if entry is None or entry in self._slow else entry

    def _run_here(self, call: Call, entry: Entry) -> bool:
        ctx = Context(call, self, self._server, self._request)
        turn = self._baton.begin(entry)
        outcome = run_quick(ctx, entry, lambda: self._hop(call))
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

    def _hop(self, call: Call) -> Inline:
        return Inline(on_start=lambda cancel: self._cancels.__setitem__(call.key, cancel))

    def _act(self, step: Step) -> None:
        if step.call is not None:
            call = step.call
            self._pool.submit(lambda: self._run(call))
        elif step.batch is not None:
            batch = step.batch
            self._pool.submit(lambda: self._walk(batch))
        elif step.event == "answer":
            self.questions.answered(step)
        elif step.event == "cancelled" and step.key is not None:
            self.questions.withdrawn(step.key)
            cancel = self._cancels.pop(step.key, None)
            if cancel is not None:
                cancel()

    def _walk(self, batch: Batch) -> None:
        while True:
            with self._write_lock:
                step = batch.next()
                if step is None:
                    return
                self._write(step.send)
            if step.call is not None:
                self._run(step.call)
            elif step.batch is None:
                self._act(step)

    def _run(self, call: Call) -> None:
        ctx = Context(call, self, self._server, self._request)
        try:
            outcome = drive(run_call(ctx, self._hop(call)))
        finally:
            self._cancels.pop(call.key, None)
        self._say(lambda: settle(self._session, call, outcome))

    def _say(self, make: Callable[[], bytes | None]) -> None:
        with self._write_lock:
            self._write(make())

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
        if not pieces or self._broken:
            return
        if len(pieces[0]) <= HELD:  # a longer one stands alone, and is not worth another copy
            pieces = [b"".join(pieces)]
        try:
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[os.write(self._output, left) :]
        except OSError:
            self._broken = True  # nobody reads any more; the end of input follows


class _Pool:
    """A few daemon threads and a queue: unlike an executor's, they do not keep the process alive after the drain."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._jobs: queue.SimpleQueue[Callable[[], Any]] = queue.SimpleQueue()
        self._idle = 0
        self._threads = 0
        self._open = 0
        self._changed = threading.Condition()

    def submit(self, job: Callable[[], Any]) -> None:
        with self._changed:
            self._open += 1
            start = self._idle < self._open and self._threads < self._size
            if start:
                self._threads += 1
        self._jobs.put(job)
        if start:
            threading.Thread(target=self._work, name="mcpgraft-call", daemon=True).start()

    @property
    def is_full(self) -> bool:
        """Whether a call would have to wait."""
        return self._open >= self._size

    def adopt(self) -> None:
        """Counts a call that runs in a thread of somebody else, until `release`."""
        with self._changed:
            self._open += 1
            self._size -= 1

    def release(self) -> None:
        """The adopted call is over."""
        with self._changed:
            self._open -= 1
            self._size += 1
            # What had to wait for it may need a thread that was not started then.
            start = self._open > self._threads and self._threads < self._size
            if start:
                self._threads += 1
            self._changed.notify_all()
        if start:
            threading.Thread(target=self._work, name="mcpgraft-call", daemon=True).start()

    def join(self, deadline: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._open == 0, max(0.0, deadline - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._changed:
                self._idle += 1
            job = self._jobs.get()
            with self._changed:
                self._idle -= 1
            try:
                job()
            finally:
                with self._changed:
                    self._open -= 1
                    self._changed.notify_all()


def _binary(*descriptors: int) -> None:
    if sys.platform == "win32":  # text mode would turn every \n into \r\n
        import msvcrt

        for descriptor in descriptors:
            msvcrt.setmode(descriptor, os.O_BINARY)
