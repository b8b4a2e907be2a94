"""From one worker process to the others: changes, and answers and cancellations that arrived at the wrong one.

    Server("policies", sessions="sealed", secrets=[...], fanout=RedisFanout("redis://localhost:6379/0"))

It is at most once, as publish and subscribe are: what is published while a worker reconnects does not reach it. A
change that is missed this way is one notification less; an answer that is missed lets its call time out. Whoever may
publish in the same Redis may forge both, so keep others out of it.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from .logs import log

__all__ = ["Fanout", "Link", "LocalFanout", "RedisFanout"]


class Fanout(Protocol):
    """A way to every worker, the publishing one included or not."""

    def publish(self, message: bytes) -> object:
        """Give a message to all subscribers. May raise: then it is logged, and this process goes on alone."""
        ...

    def subscribe(self, callback: Callable[[bytes], object]) -> Callable[[], object]:
        """Call `callback`, from any thread, with every message from now on; gives the function that ends it.

        It may return before the subscription stands, but should not take longer than a second or two; it keeps up the
        subscription by itself.
        """
        ...


class LocalFanout:
    """Between servers of one process: for tests."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[bytes], object]] = []

    def publish(self, message: bytes) -> None:
        with self._lock:
            callbacks = list(self._callbacks)
        for callback in callbacks:
            callback(message)

    def subscribe(self, callback: Callable[[bytes], object]) -> Callable[[], None]:
        with self._lock:
            self._callbacks.append(callback)

        def end() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return end


class RedisFanout:
    """Redis publish and subscribe, on the `redis` package. One connection and one thread per subscription."""

    def __init__(
        self, redis: Any, channel: str = "mcpgraft", *, ready_timeout: float = 2.0, retry_seconds: float = 1.0
    ) -> None:
        """Connect when first used.

        Args:
            redis: A URL, or a `redis.Redis` of yours (its pool gives the connections).
            channel: Name of the Redis channel; the same in all workers.
            ready_timeout: How long a subscription waits for Redis to confirm it before it goes on without.
            retry_seconds: Pause before the next attempt after the connection was lost; doubled up to 30 s.
        """
        self._redis = redis
        self._channel = channel
        self._ready_timeout = ready_timeout
        self._retry = retry_seconds
        self._lock = threading.Lock()

    def publish(self, message: bytes) -> None:
        self._client().publish(self._channel, message)

    def subscribe(self, callback: Callable[[bytes], object]) -> Callable[[], None]:
        subscription = _Subscription(self._client(), self._channel, callback, self._retry)
        subscription.ready.wait(self._ready_timeout)
        return subscription.end

    def _client(self) -> Any:
        if isinstance(self._redis, str):
            import redis

            with self._lock:
                if isinstance(self._redis, str):
                    self._redis = redis.Redis.from_url(self._redis)
        return self._redis


class _Subscription:
    def __init__(self, client: Any, channel: str, callback: Callable[[bytes], object], retry: float) -> None:
        self._client = client
        self._channel = channel
        self._callback = callback
        self._retry = retry
        self._ended = threading.Event()
        self.ready = threading.Event()
        threading.Thread(target=self._run, name="mcpgraft-fanout", daemon=True).start()

    def end(self) -> None:
        self._ended.set()

    def _run(self) -> None:
        pause = self._retry
        while not self._ended.is_set():
            pubsub = self._client.pubsub()
            try:
                pubsub.subscribe(self._channel)
                while not self._ended.is_set():
                    # The wait is short only so that `end` is noticed.
                    message = pubsub.get_message(timeout=1.0)
                    if message is not None and message["type"] == "subscribe":
                        pause = self._retry
                        self.ready.set()
                    elif message is not None and message["type"] == "message":
                        self._deliver(message["data"])
            except Exception as wrong:  # whatever class the client has for it
                log.warning("the fan-out lost Redis (%s); next attempt in %.1f s", wrong, pause)
                self._ended.wait(pause)
                pause = min(pause * 2, 30.0)
            finally:
                try:
                    pubsub.close()
                except Exception:
                    log.debug("closing a broken connection to Redis failed", exc_info=True)

    def _deliver(self, data: Any) -> None:
        try:
            self._callback(data.encode() if isinstance(data, str) else bytes(data))
        except Exception:
            log.exception("a message of the fan-out could not be used")


class Link:
    """A hub's end of a fan-out: a thread that subscribes, then publishes what it is given. Nobody else waits."""

    BACKLOG = 10_000
    """Most unpublished messages; more are dropped, and that is logged."""

    def __init__(self, fanout: Fanout, callback: Callable[[bytes], object], patience: float = 2.0) -> None:
        self._fanout = fanout
        self._callback = callback
        self._until = time.monotonic() + patience
        self._ready = threading.Event()
        self._outgoing: queue.Queue[bytes | None] = queue.Queue(self.BACKLOG)
        self._thread = threading.Thread(target=self._run, name="mcpgraft-publish", daemon=True)
        self._thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether there is nothing to wait for any more."""
        return self._ready.is_set() or time.monotonic() >= self._until

    def wait_ready(self) -> None:
        """Wait until what others publish is heard here; no longer than two seconds after the start, all in all."""
        self._ready.wait(max(0.0, self._until - time.monotonic()))

    def publish(self, message: bytes) -> None:
        try:
            self._outgoing.put_nowait(message)
        except queue.Full:
            log.warning("the fan-out is too slow: a message was dropped")

    def close(self, patience: float = 2.0) -> None:
        """Publish what is left, then end the subscription."""
        try:
            self._outgoing.put(None, timeout=patience)
        except queue.Full:
            return
        self._thread.join(patience)

    def _run(self) -> None:
        end: Callable[[], object] | None = None
        try:
            end = self._fanout.subscribe(self._callback)
        except Exception:
            log.exception("the fan-out cannot be subscribed to: this process hears nothing of the others")
        self._ready.set()
        while (message := self._outgoing.get()) is not None:
            try:
                self._fanout.publish(message)
            except Exception as wrong:
                log.warning("the fan-out did not take a message: %s", wrong)
        if end is not None:
            end()
