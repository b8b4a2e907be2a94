"""What is remembered of a client of the handshake era between its HTTP requests, and where.

    Server("policies")                                       # nothing: any worker serves any request (the default)
    Server("policies", sessions="memory")                    # a bounded table in this process
    Server("policies", sessions="sealed", secrets=[...])     # inside the session id: any worker, nothing is stored
    Server("policies", sessions=RedisStore("redis://..."))   # a store of `mcpgraft.session_stores`, or your own: two
                                                             # functions, `load` and `save`

Clients of the stateless era need none of it. What is remembered is small: revision, capabilities, log level, watched
resources (`sealed`: only the first two). A session belongs to the principal that opened it: for anybody else it does
not exist (best practices, "Session Hijacking": ids are no credentials).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol

from ._native import BadSeal
from .bridge import Hop, call
from .errors import RegistrationError
from .state import known_as

if TYPE_CHECKING:
    from .keys import KeyRing

__all__ = [
    "MemorySessions",
    "SealedSessions",
    "Sessions",
    "Store",
    "StoredSessions",
    "TooManySessions",
    "owner_of",
]

OWNER_BYTES = 16
"""A session's saved form starts with a digest of its principal, of this many bytes."""


class TooManySessions(Exception):
    """Every place of the table is taken by a session that is in use right now. Answered with 503."""


class Store(Protocol):
    """Where a host keeps sessions: two functions, sync or async, called by every worker."""

    def load(self, id: str, /) -> Any:
        """The bytes saved under an id; None if there are none, or their time is over."""
        ...

    def save(self, id: str, saved: bytes | None, ttl: float, /) -> Any:
        """Keep the bytes for `ttl` seconds from now. None: forget them."""
        ...


class Sessions(Protocol):
    """A way of keeping sessions. `saved` is opaque; an id that is unknown, over or somebody else's loads as None."""

    @property
    def kind(self) -> Literal["fixed", "kept"]:
        """Whether a session can change after it was opened."""
        ...

    @property
    def guard(self) -> Callable[[str], threading.Lock] | None:
        """The lock under which a session is loaded, changed and saved; None if changes are the store's affair."""
        ...

    async def open(self, hop: Hop, saved: bytes) -> str:
        """Start a session; gives its id. Raises `TooManySessions`."""
        ...

    async def load(self, hop: Hop, id: str) -> bytes | None:
        """What was saved. A look at a session counts as its use."""
        ...

    async def save(self, hop: Hop, id: str, saved: bytes) -> None:
        """The session has changed."""
        ...

    async def end(self, hop: Hop, id: str) -> bool:
        """The client is done with the session. False: it cannot be ended, and lasts until its time is over."""
        ...

    def hold(self, id: str) -> Callable[[], None]:
        """The session is in use (a call runs, a stream is open) until the function given back is called."""
        ...


class MemorySessions:
    """A bounded table in this process: right for one worker, or for several behind a sticky proxy.

    Full, it drops the session that was idle longest; those in use stay. An abandoned session costs its few bytes until
    its idle time is over or its place is needed.
    """

    kind: Literal["fixed", "kept"] = "kept"

    def __init__(
        self, max_sessions: int = 10_000, idle: float = 3600.0, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Make an empty table.

        Args:
            max_sessions: Most sessions at once.
            idle: Seconds after its last use at which a session is over.
            clock: Seconds that only grow.
        """
        if max_sessions < 1 or idle <= 0:
            raise RegistrationError("sessions: max_sessions and the idle time must be more than 0")
        self._max = max_sessions
        self._idle = idle
        self._clock = clock
        self._lock = threading.RLock()  # reentrant as the hub's: a session may be let go of by a collection of garbage
        self._locks = [threading.Lock() for _ in range(64)]
        # The one used longest ago comes first.
        self._table: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._table)

    def guard(self, id: str) -> threading.Lock:
        return self._locks[hash(id) % len(self._locks)]

    async def open(self, hop: Hop, saved: bytes) -> str:
        from secrets import token_urlsafe

        id = token_urlsafe(24)
        with self._lock:
            self._make_room()
            self._table[id] = saved, self._clock()
        return id

    async def load(self, hop: Hop, id: str) -> bytes | None:
        with self._lock:
            now = self._clock()
            found = self._table.get(id)
            if found is None:
                return None
            if self._is_over(id, found[1], now):
                del self._table[id]
                return None
            self._table[id] = found[0], now
            self._table.move_to_end(id)
            return found[0]

    async def save(self, hop: Hop, id: str, saved: bytes) -> None:
        with self._lock:
            if id in self._table:  # else it ended meanwhile, and stays so
                self._table[id] = saved, self._clock()

    async def end(self, hop: Hop, id: str) -> bool:
        with self._lock:
            self._table.pop(id, None)
        return True

    def hold(self, id: str) -> Callable[[], None]:
        with self._lock:
            self._held[id] = self._held.get(id, 0) + 1
        return partial(self._release, id)

    def _release(self, id: str) -> None:
        with self._lock:
            left = self._held.pop(id, 1) - 1
            if left > 0:
                self._held[id] = left
            elif (found := self._table.get(id)) is not None:
                self._table[id] = found[0], self._clock()  # its idle time starts now
                self._table.move_to_end(id)

    def _is_over(self, id: str, used: float, now: float) -> bool:
        return now - used >= self._idle and id not in self._held

    def _make_room(self) -> None:
        now = self._clock()
        # At most two old ones per new one: the table shrinks again, and no request pays for many.
        for _ in range(2):
            oldest = next(iter(self._table), None)
            if oldest is None or not self._is_over(oldest, self._table[oldest][1], now):
                break
            del self._table[oldest]
        for _ in range(len(self._table)):
            if len(self._table) < self._max:
                return
            oldest = next(iter(self._table))
            if oldest not in self._held:
                del self._table[oldest]
            else:
                self._table.move_to_end(oldest)
        if len(self._table) >= self._max:
            raise TooManySessions


class SealedSessions:
    """The id itself carries the session, sealed: any worker serves it and nothing is stored.

    What follows from that: it lasts a fixed time, log levels and watched resources are not kept, and a client cannot
    end it (DELETE answers 405); give `revoked` a store for that.
    """

    kind: Literal["fixed", "kept"] = "fixed"
    guard = None

    def __init__(
        self,
        ttl: float = 86_400.0,
        *,
        revoked: Store | None = None,
        keys: KeyRing | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Seal sessions.

        Args:
            ttl: Seconds from the opening of a session to its end.
            revoked: Remembers the sessions that were ended (by a digest of their id) as long as they would last.
            keys: Default: those of the server, from `Server(secrets=...)`.
            clock: Seconds since the Unix epoch; all workers need about the same.
        """
        self._ttl = ttl
        self._revoked = revoked
        self.keys = keys
        self._clock = clock

    async def open(self, hop: Hop, saved: bytes) -> str:
        from .keys import nonce

        until = int(self._clock() + self._ttl).to_bytes(8, "big")
        id: str = self._ring().seal("session", until + saved, nonce())
        return id

    async def load(self, hop: Hop, id: str) -> bytes | None:
        opened = self._opened(id)
        if opened is None:
            return None
        if self._revoked is not None and await call(hop, self._revoked.load, _digest(id)) is not None:
            return None
        return opened[1]

    async def save(self, hop: Hop, id: str, saved: bytes) -> None:
        pass  # the core changes nothing in fixed sessions

    async def end(self, hop: Hop, id: str) -> bool:
        opened = self._opened(id)
        if self._revoked is None or opened is None:
            return False
        await call(hop, self._revoked.save, _digest(id), b"1", opened[0])
        return True

    def hold(self, id: str) -> Callable[[], None]:
        return _nothing

    def _opened(self, id: str) -> tuple[float, bytes] | None:
        try:
            plain = self._ring().open("session", id)
        except BadSeal:
            return None
        left = int.from_bytes(plain[:8], "big") - self._clock()
        return (left, plain[8:]) if left > 0 else None

    def _ring(self) -> Any:
        if self.keys is None:
            raise RegistrationError("SealedSessions needs keys: pass it to Server(sessions=..., secrets=[...])")
        return self.keys()


class StoredSessions:
    """Sessions in a host's store, shared by all workers.

    Two requests of one session that change it in the same moment (watch a resource, set a level) may lose one of the
    changes: the last one to save wins.
    """

    kind: Literal["fixed", "kept"] = "kept"
    guard = None

    def __init__(self, store: Store, idle: float = 3600.0, *, clock: Callable[[], float] = time.time) -> None:
        """Keep sessions in `store` until `idle` seconds after their last use (give or take an eighth)."""
        self._store = store
        self._idle = idle
        self._clock = clock

    async def open(self, hop: Hop, saved: bytes) -> str:
        from secrets import token_urlsafe

        id = token_urlsafe(24)
        await self.save(hop, id, saved)
        return id

    async def load(self, hop: Hop, id: str) -> bytes | None:
        if len(id) != 32:  # not one of ours; a store need not see what strangers make up
            return None
        found = await call(hop, self._store.load, id)
        if found is None or len(found) < 8:
            return None
        saved, age = bytes(found[8:]), self._clock() - int.from_bytes(found[:8], "big")
        if age >= self._idle:  # a store that does not forget by itself
            return None
        if age >= self._idle / 8:  # now and then is enough to keep it alive; most requests only read
            await self.save(hop, id, saved)
        return saved

    async def save(self, hop: Hop, id: str, saved: bytes) -> None:
        stamp = int(self._clock()).to_bytes(8, "big")
        await call(hop, self._store.save, id, stamp + saved, self._idle)

    async def end(self, hop: Hop, id: str) -> bool:
        await call(hop, self._store.save, id, None, 0.0)
        return True

    def hold(self, id: str) -> Callable[[], None]:
        return _nothing


def sessions_of(chosen: Any, keys: KeyRing, max_sessions: int, ttl: float | None) -> Sessions | None:
    """What `Server(sessions=...)` means."""
    if chosen is None or chosen == "off":
        return None
    if chosen == "memory":
        return MemorySessions(max_sessions, 3600.0 if ttl is None else ttl)
    if chosen == "sealed":
        chosen = SealedSessions(86_400.0 if ttl is None else ttl)
    if isinstance(chosen, SealedSessions):
        chosen.keys = chosen.keys or keys
        return chosen
    if isinstance(chosen, str | type):
        raise RegistrationError(f'sessions={chosen!r}: use "off", "memory", "sealed" or a store')
    if all(hasattr(chosen, name) for name in ("kind", "open", "load", "save", "end", "hold")):
        ready: Sessions = chosen
        return ready
    if callable(getattr(chosen, "load", None)) and callable(getattr(chosen, "save", None)):
        return StoredSessions(chosen, 3600.0 if ttl is None else ttl)
    raise RegistrationError("sessions: a store needs the functions load(id) and save(id, bytes or None, ttl)")


def owner_of(principal: Any) -> bytes:
    """The first bytes of a session's saved form: whose it is. All zero without a principal, or one without identity."""
    text = known_as(principal)
    if text is None:
        return bytes(OWNER_BYTES)
    from hashlib import blake2b  # brings in OpenSSL, which a server on stdio never needs

    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=OWNER_BYTES).digest()


def _digest(id: str) -> str:
    from hashlib import blake2b

    return blake2b(id.encode(), digest_size=24).hexdigest()


def _nothing() -> None:
    pass
