"""Stores for sessions that many workers share: `Server(sessions=RedisStore("redis://localhost:6379/0"))`.

Both keep a session under a prefix and its id, and forget it by themselves when its time is over. What they keep is not
sealed: whoever reads the store learns the ids of live sessions, though not how to pass for their principals.
"""

from __future__ import annotations

import math
import threading
from typing import Any

__all__ = ["DjangoCacheStore", "RedisStore"]

PREFIX = "mcpgraft:session:"


class RedisStore:
    """Keeps sessions in Redis, or what speaks its protocol. Needs the `redis` package."""

    def __init__(self, redis: Any, prefix: str = PREFIX) -> None:
        """Connect when first used, after a fork then.

        Args:
            redis: A URL, or a `redis.Redis` of yours (not the asyncio one: async hosts call it in a thread).
            prefix: What keys start with; servers that share a Redis need one each.
        """
        self._redis = redis
        self._prefix = prefix
        self._lock = threading.Lock()

    def load(self, id: str, /) -> bytes | None:
        """The saved bytes; None if there are none. Raises what the client raises."""
        found = self._client().get(self._prefix + id)
        # A client of yours may decode what it reads (`decode_responses`), and must not.
        if isinstance(found, str):
            raise TypeError("RedisStore needs a redis.Redis that gives bytes: make it without decode_responses=True")
        return None if found is None else bytes(found)

    def save(self, id: str, saved: bytes | None, ttl: float, /) -> None:
        """Keep the bytes for `ttl` seconds from now; None: forget them."""
        if saved is None:
            self._client().delete(self._prefix + id)
        else:
            self._client().set(self._prefix + id, saved, px=max(1, math.ceil(ttl * 1000)))

    def _client(self) -> Any:
        if isinstance(self._redis, str):
            import redis

            with self._lock:
                if isinstance(self._redis, str):
                    self._redis = redis.Redis.from_url(self._redis)
        return self._redis


class DjangoCacheStore:
    """Keeps sessions in one of Django's caches.

    All workers must share it, so not the local-memory one (nor the dummy); and a cache that drops what it has no room
    for drops sessions.
    """

    def __init__(self, alias: str = "default", prefix: str = PREFIX) -> None:
        """Use the cache of that alias in the setting CACHES; `prefix` comes behind the cache's own KEY_PREFIX."""
        self._alias = alias
        self._prefix = prefix

    def load(self, id: str, /) -> bytes | None:
        """The saved bytes; None if there are none. Raises what the cache raises."""
        found = self._cache().get(self._prefix + id)
        return None if found is None else bytes(found)

    def save(self, id: str, saved: bytes | None, ttl: float, /) -> None:
        """Keep the bytes for `ttl` seconds from now, rounded up; None: forget them."""
        if saved is None:
            self._cache().delete(self._prefix + id)
        else:
            # Some caches cut a fraction off, and 0 is at once.
            self._cache().set(self._prefix + id, saved, timeout=max(1, math.ceil(ttl)))

    def _cache(self) -> Any:
        from django.core.cache import caches

        return caches[self._alias]
