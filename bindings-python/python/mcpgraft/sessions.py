"""Sessions for clients of the handshake era over HTTP: what is remembered of them, and where.

    Server(..., sessions="off")       nothing is remembered and any worker serves any request; the default
    Server(..., sessions="memory")    a bounded table in this process
    Server(..., sessions="sealed")    all of it is in the session id itself: any worker with the same secrets reads it
    Server(..., sessions=store)       an object of yours with `load(id)` and `save(id, saved, ttl)`

A session is a few bytes: revision, capabilities, log level, watched resources. Clients need one to be asked
(elicitation, sampling, roots) and to take requests back. It is no authentication: that is checked for every request,
and a session belongs to the principal that opened it.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, Protocol

from ._native import BadSeal
from .errors import RegistrationError
from .keys import nonce

if TYPE_CHECKING:
    from ._native import Keys

__all__ = ["MemorySessions", "SealedSessions", "SessionStore", "Sessions", "StoredSessions", "choose"]

LIFETIME = 24 * 3600.0
"""Seconds that a sealed session lasts; it cannot be prolonged."""
IDLE = 30 * 60.0
"""Seconds without a request after which a kept session is over."""


class SessionStore(Protocol):
    """A store of yours that all workers share, such as a table or Redis."""

    def load(self, id: str) -> bytes | None:
        """What was saved under that id; None if there is nothing, or its time is over."""
        ...

    def save(self, id: str, saved: bytes | None, ttl: float) -> None:
        """Keep it for that many seconds from now; None: forget it."""
        ...


class Sessions(Protocol):
    """How a server keeps sessions. Bytes go in and come out as they are."""

    @property
    def mode(self) -> Literal["fixed", "kept"]:
        """`fixed`: a session cannot change after its handshake."""
        ...

    def open(self, saved: bytes) -> str:
        """A new session; gives its id, which nobody can guess."""
        ...

    def load(self, id: str) -> bytes | None:
        """A session, or None if it is unknown or over."""
        ...

    def save(self, id: str, saved: bytes) -> None:
        """A session has changed."""
        ...

    def end(self, id: str) -> bool:
        """The client is done with it. False: it lasts until its time is over."""
        ...


class MemorySessions:
    """A table in this process. The one unused for longest makes room for a new one."""

    mode: Literal["kept"] = "kept"

    def __init__(self, limit: int = 10_000, idle: float = IDLE, clock: Callable[[], float] = time.monotonic) -> None:
        """Keep at most `limit` sessions, each for `idle` seconds after its last request by `clock`."""
        self._limit = limit
        self._idle = idle
        self._clock = clock
        self._lock = threading.Lock()
        self._table: OrderedDict[str, tuple[bytes, float]] = OrderedDict()
        """In the order of last use."""

    def __len__(self) -> int:
        with self._lock:
            self._drop_old()
            return len(self._table)

    def open(self, saved: bytes) -> str:
        id_ = secrets.token_urlsafe(24)
        with self._lock:
            self._drop_old()
            while len(self._table) >= self._limit:
                self._table.popitem(last=False)
            self._table[id_] = (saved, self._clock())
        return id_

    def load(self, id: str) -> bytes | None:
        with self._lock:
            self._drop_old()
            found = self._table.pop(id, None)
            if found is None:
                return None
            self._table[id] = (found[0], self._clock())
            return found[0]

    def save(self, id: str, saved: bytes) -> None:
        with self._lock:
            if id in self._table:
                self._table[id] = (saved, self._clock())
                self._table.move_to_end(id)

    def end(self, id: str) -> bool:
        with self._lock:
            self._table.pop(id, None)
        return True

    def _drop_old(self) -> None:
        oldest = self._clock() - self._idle
        while self._table:
            id_, (_, used) = next(iter(self._table.items()))
            if used >= oldest:
                return
            del self._table[id_]


class SealedSessions:
    """Nothing is stored: the id carries the session, sealed with the server's secrets, and when it ends.

    A client cannot end one before its time (DELETE answers 405), unless `revoke(id)` and `revoked(id)` keep such ids.
    """

    mode: Literal["fixed"] = "fixed"

    def __init__(
        self,
        keys: Callable[[], Keys],
        lifetime: float = LIFETIME,
        clock: Callable[[], float] = time.time,
        revoke: Callable[[str], object] | None = None,
        revoked: Callable[[str], bool] | None = None,
    ) -> None:
        """Seal with `keys()`; times in seconds, `clock` since the Unix epoch and alike on all workers."""
        self._keys = keys
        self._lifetime = lifetime
        self._clock = clock
        self._revoke = revoke
        self._revoked = revoked

    def open(self, saved: bytes) -> str:
        until = int(self._clock() + self._lifetime)
        return self._keys().seal("session", until.to_bytes(8, "big") + saved, nonce())

    def load(self, id: str) -> bytes | None:
        try:
            plain = self._keys().open("session", id)
        except BadSeal:
            return None
        if int.from_bytes(plain[:8], "big") < self._clock() or (self._revoked is not None and self._revoked(id)):
            return None
        return plain[8:]

    def save(self, id: str, saved: bytes) -> None:
        """Cannot be: the core asks for it in kept sessions only."""

    def end(self, id: str) -> bool:
        if self._revoke is None:
            return False
        self._revoke(id)
        return True


class StoredSessions:
    """Sessions in a store of the host's."""

    mode: Literal["kept"] = "kept"

    def __init__(self, store: SessionStore, idle: float = IDLE) -> None:
        """Keep each session for `idle` seconds after it was saved last."""
        self._store = store
        self._idle = idle

    def open(self, saved: bytes) -> str:
        id_ = secrets.token_urlsafe(24)
        self._store.save(id_, saved, self._idle)
        return id_

    def load(self, id: str) -> bytes | None:
        found = self._store.load(id)
        if found is not None:
            self._store.save(id, found, self._idle)
        return found

    def save(self, id: str, saved: bytes) -> None:
        self._store.save(id, saved, self._idle)

    def end(self, id: str) -> bool:
        self._store.save(id, None, 0.0)
        return True


def choose(wanted: object, keys: Callable[[], Keys]) -> Sessions | None:
    """The sessions a server was asked to keep; None for none.

    Raises:
        RegistrationError: It is none of the choices.
    """
    if wanted is None or wanted == "off":
        return None
    if wanted == "memory":
        return MemorySessions()
    if wanted == "sealed":
        return SealedSessions(keys)
    if isinstance(wanted, MemorySessions | SealedSessions | StoredSessions):
        return wanted
    if hasattr(wanted, "load") and hasattr(wanted, "save"):
        return wanted if hasattr(wanted, "mode") else StoredSessions(wanted)  # type: ignore[return-value]
    raise RegistrationError('sessions must be "off", "memory", "sealed", or an object with load() and save()')


OWNER_BYTES = 16


def owned(saved: bytes, principal: str | None) -> bytes:
    """The bytes of a session with who opened it in front."""
    return _owner(principal) + saved


def of_owner(stored: bytes | None, principal: str | None) -> bytes | None:
    """The bytes of a session, if this principal opened it."""
    if stored is None or not secrets.compare_digest(stored[:OWNER_BYTES], _owner(principal)):
        return None
    return stored[OWNER_BYTES:]


def _owner(principal: str | None) -> bytes:
    marked = b"" if principal is None else b"p" + principal.encode()
    return hashlib.sha256(marked).digest()[:OWNER_BYTES]
