"""Event streams that survive their connection (sessions of the handshake era): the host keeps what was said.

    Server("policies", sessions="memory", events=MemoryEvents())                    # one process
    Server("policies", sessions="sealed", secrets=[...], events=RedisEvents("redis://localhost:6379/0"))

Without it nothing is kept and no event has an id (the default). With it the events of a call in a session carry ids. A
client whose connection breaks asks for the rest with a GET; and `Context.close_stream` ends the response of a long call
on purpose, so that the client comes back for its answer (polling, `2025-11-25` only).

A session's own GET stream, which tells of changes, is not kept: who missed something lists again.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from ._native import KEEP_ALIVE
from .bridge import Hop, call
from .hub import digest
from .listening import Source, Wait

if TYPE_CHECKING:
    from ._native import Emit

__all__ = ["EventStore", "Events", "Kept", "MemoryEvents", "Record", "RedisEvents", "Resumed"]

log = logging.getLogger("mcpgraft")


class Kept(NamedTuple):
    """What is kept of a stream after one of its events."""

    events: list[tuple[int, bytes]]
    """Number and bytes of each, in order."""
    over: bool
    """The stream has ended: nothing more will come."""


class EventStore(Protocol):
    """Where a host keeps events. `key` stands for a stream of a session: text of at most 80 characters."""

    poll: float | None
    """Seconds after which a reader looks again for what another process has appended; None if there is no other."""

    def append(self, key: str, number: int, event: bytes, over: bool, /) -> object:
        """Keep an event.

        It is called while the handler waits, on an event loop perhaps: it has to be quick, and may raise (that is
        logged, and the call goes on). Numbers are 1, 2, 3 ...; 0 without an event says that the stream has begun.
        `over`: it has ended; without an event if the call was taken back.
        """
        ...

    def read(self, key: str, after: int, /) -> Any:
        """A `Kept` with all events after that number. None: there is no such stream, or some of them are lost.

        Sync or async.
        """
        ...


class _Stream:
    __slots__ = ("bytes", "events", "last", "over", "until")

    def __init__(self) -> None:
        self.events: list[tuple[int, bytes]] = []
        self.bytes = 0
        self.last = 0
        self.over = False
        self.until = 0.0


class MemoryEvents:
    """Keeps events in this process, within bounds: right for one worker, or for several behind a sticky proxy.

    Beyond a bound the streams that were not used for longest are forgotten.
    """

    poll: float | None = None

    def __init__(
        self,
        max_bytes: int = 16 << 20,
        ttl: float = 300.0,
        max_streams: int = 10_000,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Make an empty store.

        Args:
            max_bytes: Most bytes of events, all in all.
            ttl: Seconds that a stream is kept after something was added to it or it was read.
            max_streams: Most streams.
            clock: Gives the time in seconds.
        """
        self._max_bytes = max_bytes
        self._ttl = ttl
        self._max_streams = max_streams
        self._clock = clock
        self._lock = threading.Lock()
        # In the order of their last use, so that the first one is the first to go.
        self._streams: OrderedDict[str, _Stream] = OrderedDict()
        self.bytes = 0
        """How many bytes of events are kept."""

    def __len__(self) -> int:
        """How many streams are kept."""
        return len(self._streams)

    def append(self, key: str, number: int, event: bytes, over: bool, /) -> None:
        with self._lock:
            now = self._clock()
            stream = self._streams.get(key)
            if stream is None:
                if number > 1:
                    return  # forgotten: what is left of it is of no use
                stream = self._streams[key] = _Stream()
            self._streams.move_to_end(key)
            stream.until, stream.over = now + self._ttl, over
            if event:
                stream.events.append((number, event))
                stream.bytes += len(event)
                stream.last = number
                self.bytes += len(event)
            while self._streams:
                first = next(iter(self._streams.values()))
                full = self.bytes > self._max_bytes or len(self._streams) > self._max_streams
                if not full and first.until > now:
                    break
                self.bytes -= self._streams.popitem(last=False)[1].bytes

    def read(self, key: str, after: int, /) -> Kept | None:
        with self._lock:
            stream = self._streams.get(key)
            now = self._clock()
            if stream is None or stream.until <= now or after > stream.last:
                return None
            stream.until = now + self._ttl
            self._streams.move_to_end(key)
            return Kept([item for item in stream.events if item[0] > after], stream.over)


class RedisEvents:
    """Keeps events in Redis streams (the `redis` package), for all workers.

    A thread writes, so that no handler waits for Redis. Each stream has one Redis key, with a time to live.
    """

    BACKLOG = 10_000
    """Most events that wait to be written; more are dropped, and that is logged."""

    def __init__(
        self, redis: Any, ttl: float = 300.0, max_events: int = 1000, *, prefix: str = "mcpgraft:", poll: float = 0.25
    ) -> None:
        """Connect when first used.

        Args:
            redis: A URL, or a `redis.Redis` of yours.
            ttl: Seconds that a stream is kept after something was added to it or it was read.
            max_events: Most events of one stream; of a longer one the first ones are lost.
            prefix: What the keys begin with.
            poll: How often a reader looks for what another worker has written, in seconds.
        """
        self._redis = redis
        self._ttl = ttl
        self._max_events = max_events
        self._prefix = prefix + "events:"
        self.poll: float | None = poll
        self._lock = threading.Lock()
        self._queue: queue.Queue[tuple[str, int, bytes, bool]] = queue.Queue(self.BACKLOG)
        self._thread: threading.Thread | None = None
        self._process = 0

    def append(self, key: str, number: int, event: bytes, over: bool, /) -> None:
        import os

        with self._lock:
            if self._thread is None or self._process != os.getpid():  # threads do not survive a fork
                self._process = os.getpid()
                self._queue = queue.Queue(self.BACKLOG)
                self._thread = threading.Thread(
                    target=self._run, args=(self._queue,), name="mcpgraft-events", daemon=True
                )
                self._thread.start()
        self._queue.put_nowait((key, number, event, over))

    def read(self, key: str, after: int, /) -> Kept | None:
        client, name = self._client(), self._prefix + key
        # Entry 0-1 begins a stream; event n is n-1; n-2 ends it without one.
        entries = client.xrange(name, min=f"({after}-1")
        if not entries:
            # The event that the client has seen may still be on its way here. Who asks keeps the stream alive.
            return Kept([], False) if client.pexpire(name, max(1, int(self._ttl * 1000))) else None
        events, over = [], False
        for id, fields in entries:
            event, last = (_bytes(fields.get(part.encode(), fields.get(part, b""))) for part in "eo")
            over = over or bool(last)
            if event:
                events.append((int(_bytes(id).split(b"-")[0]), event))
        if events and events[0][0] != after + 1:
            return None
        return Kept(events, over)

    def flush(self) -> None:
        """Wait until everything is written."""
        self._queue.join()

    def _run(self, waiting: queue.Queue[tuple[str, int, bytes, bool]]) -> None:
        while True:
            key, number, event, over = waiting.get()
            try:
                self._write(key, number, event, over)
            except Exception as wrong:  # whatever class the client has for it
                log.warning("an event was not kept: Redis said %s", wrong)
            finally:
                waiting.task_done()

    def _write(self, key: str, number: int, event: bytes, over: bool) -> None:
        fields: dict[str, bytes] = {"e": event, "o": b"1" if over else b""}
        name = self._prefix + key
        with self._client().pipeline(transaction=False) as pipe:
            step = 2 if over and not event else 1
            pipe.xadd(name, fields, id=f"{number}-{step}", maxlen=self._max_events + 2, approximate=False)
            pipe.pexpire(name, max(1, int(self._ttl * 1000)))
            pipe.execute()

    def _client(self) -> Any:
        if isinstance(self._redis, str):
            import redis

            with self._lock:
                if isinstance(self._redis, str):
                    self._redis = redis.Redis.from_url(self._redis)
        return self._redis


class Events:
    """The kept events of one server, and who waits for more of them in this process."""

    def __init__(self, store: EventStore) -> None:
        self.store = store
        self._lock = threading.Lock()
        self._readers: dict[str, Resumed] = {}

    def record(self, session: str, stream: str) -> Record:
        """Keep the events of a stream of this session from now on."""
        return Record(self, _key(session, stream))

    async def resume(self, hop: Hop, session: str, stream: str, after: int, keep_alive: float) -> Resumed | None:
        """What a client gets that goes on after an event; None if it cannot."""
        key = _key(session, stream)
        kept = await call(hop, self.store.read, key, after)
        return None if kept is None else Resumed(self, key, after, kept, keep_alive)

    def append(self, key: str, number: int, event: bytes, over: bool) -> None:
        try:
            self.store.append(key, number, event, over)
        except Exception:
            log.exception("an event was not kept")
        with self._lock:
            reader = self._readers.get(key)
        if reader is not None:
            reader.look()

    def enter(self, key: str, reader: Resumed) -> None:
        """No message may be sent on two streams: who reads this one already has lost its connection."""
        with self._lock:
            older, self._readers[key] = self._readers.get(key), reader
        if older is not None:
            older.close()

    def leave(self, key: str, reader: Resumed) -> None:
        with self._lock:
            if self._readers.get(key) is reader:
                del self._readers[key]


class Record:
    """The stream of one call, as it is kept."""

    def __init__(self, events: Events, key: str) -> None:
        self._events = events
        self._key = key
        self._begun = False
        self._last = 0

    def keep(self, emit: Emit) -> None:
        """Keep what is about to be sent, before it is sent."""
        if not self._begun:
            self._begun = True
            self._events.append(self._key, 0, b"", False)
        if emit.event is not None:
            self._last, event = emit.event
            self._events.append(self._key, self._last, event, emit.end)

    def end(self) -> None:
        """The call was taken back: there is no last event."""
        if self._begun:
            self._events.append(self._key, self._last, b"", True)


class Resumed(Source):
    """The rest of a stream, on a connection of its own."""

    def __init__(self, events: Events, key: str, after: int, kept: Kept, keep_alive: float) -> None:
        super().__init__(keep_alive if events.store.poll is None else min(keep_alive, events.store.poll))
        self._events = events
        self._key = key
        self._after = after
        self._kept: Kept | None = kept
        self._fresh = True
        self._begun = False
        self._silence = keep_alive
        self._said = time.monotonic()

    @property
    def is_whole(self) -> bool:
        """Nothing more will come than what is there."""
        return self._kept is not None and self._kept.over

    def whole(self) -> bytes:
        """What is there."""
        return b"".join(event for _, event in self._kept.events) if self._kept is not None else b""

    def open(self) -> None:
        """Wait for more, from now on."""
        self._events.enter(self._key, self)
        with self._changed:
            self._kept = None  # something may have come before we were told of it
        self.on_close(lambda: self._events.leave(self._key, self))

    def look(self) -> None:
        """There is more."""
        with self._changed:
            self._fresh = True
        self._notify()

    def list_changed(self, kind: str) -> None:
        pass

    def resource_updated(self, uri: str) -> None:
        pass

    def task_changed(self, task: object) -> None:
        pass

    def end(self) -> None:
        """The server closes; the client will look for the rest elsewhere."""
        self.close()

    def clear(self) -> None:
        self._kept = None

    def is_empty(self) -> bool:
        return not self._fresh

    async def next(self, hop: Hop, wait: Wait) -> bytes | None:
        try:
            return await self._next(hop, wait)
        except Exception:
            log.exception("a resumed stream was ended")
            self.close()
            return None

    async def _next(self, hop: Hop, wait: Wait) -> bytes | None:
        while not self._over:
            with self._changed:
                kept, self._kept, self._fresh = self._kept, None, False
            if kept is None:
                kept = await call(hop, self._events.store.read, self._key, self._after)
            if kept is None:
                break
            if kept.events:
                self._after, self._said, self._begun = kept.events[-1][0], time.monotonic(), True
                if kept.over:
                    with self._changed:
                        self._kept = Kept([], True)
                return b"".join(event for _, event in kept.events)
            if kept.over:
                break
            if not self._begun:
                self._begun = True
                return KEEP_ALIVE  # many servers send the head with the first bytes
            woken = await wait()
            if woken is None:
                return b""
            if not woken and time.monotonic() - self._said >= self._silence:
                self._said = time.monotonic()
                return KEEP_ALIVE
        self.close()
        return None


def _bytes(value: bytes | str) -> bytes:
    # A client of the host's own may decode what it reads.
    return value.encode() if isinstance(value, str) else value


def _key(session: str, stream: str) -> str:
    return f"{digest(session)}:{stream}"


def events_of(chosen: object, sessions: object) -> Events:
    """What `Server(events=...)` means."""
    from .errors import RegistrationError

    if sessions is None:
        raise RegistrationError('events: they belong to sessions; choose some, as in Server(sessions="memory")')
    if not (callable(getattr(chosen, "append", None)) and callable(getattr(chosen, "read", None))):
        raise RegistrationError("events: a store needs append(key, number, event, over) and read(key, after)")
    if not hasattr(chosen, "poll"):
        raise RegistrationError("events: a store says how often it is to be read again: poll, in seconds or None")
    store: Any = chosen
    return Events(store)
