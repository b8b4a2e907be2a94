"""Stores for sessions that many workers share: `Server(sessions=RedisStore("redis://localhost:6379/0"))`."""

from __future__ import annotations

import threading
from typing import Any

__all__ = ["DjangoCacheStore", "RedisStore"]


class RedisStore:
    """Keeps sessions in Redis (the `redis` package): `RedisStore("redis://localhost:6379/0")`, or a client of yours."""

    def __init__(self, redis: Any, prefix: str = "mcpgraft:session:") -> None:
        """Connect when first used; `redis` is a URL or a `redis.Redis`."""
        self._redis = redis
        self._prefix = prefix
        self._lock = threading.Lock()

    def load(self, id: str, /) -> bytes | None:
        found: bytes | None = self._client().get(self._prefix + id)
        return found

    def save(self, id: str, saved: bytes | None, ttl: float, /) -> None:
        if saved is None:
            self._client().delete(self._prefix + id)
        else:
            self._client().set(self._prefix + id, saved, px=max(1, int(ttl * 1000)))

    def _client(self) -> Any:
        if isinstance(self._redis, str):
            import redis

            with self._lock:
                if isinstance(self._redis, str):
                    self._redis = redis.Redis.from_url(self._redis)
        return self._redis


class DjangoCacheStore:
    """Keeps sessions in one of Django's caches. All workers must share it: not the local-memory one."""

    def __init__(self, alias: str = "default", prefix: str = "mcpgraft:session:") -> None:
        """Use the cache of that alias in the setting CACHES."""
        self._alias = alias
        self._prefix = prefix

    def load(self, id: str, /) -> bytes | None:
        found: bytes | None = self._cache().get(self._prefix + id)
        return found

    def save(self, id: str, saved: bytes | None, ttl: float, /) -> None:
        if saved is None:
            self._cache().delete(self._prefix + id)
        else:
            self._cache().set(self._prefix + id, saved, timeout=ttl)

    def _cache(self) -> Any:
        from django.core.cache import caches

        return caches[self._alias]
