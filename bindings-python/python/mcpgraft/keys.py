"""The server's secrets: what seals the states that clients carry for it, so that every worker can open them.

The first secret seals, all of them open. To change it, put the new one in front, and take the old one out when what it
sealed has expired.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence

from ._native import NONCE_BYTES, Keys
from .errors import RegistrationError
from .logs import log

__all__ = ["KeyRing", "nonce", "now_ms"]


class KeyRing:
    """Keys made when they are first needed. Without secrets: a random one, of this process alone."""

    def __init__(self, secrets: Sequence[str | bytes] | None) -> None:
        """Take the secrets, each at least 16 bytes long.

        Raises:
            RegistrationError: One is too short, or the list is empty.
        """
        self._lock = threading.Lock()
        self._keys: Keys | None = None
        self._process = 0
        self._given = secrets is not None
        if secrets is not None:
            try:
                if isinstance(secrets, str | bytes):
                    raise ValueError("a list of secrets is needed, not one")
                self._keys = Keys([one.encode() if isinstance(one, str) else bytes(one) for one in secrets])
            except (TypeError, ValueError) as wrong:
                raise RegistrationError(f"secrets: {wrong}") from wrong

    def __call__(self) -> Keys:
        """The keys. Logs a warning when it makes up a secret."""
        keys = self._keys
        if keys is not None and (self._given or self._process == os.getpid()):
            return keys
        with self._lock:
            if self._keys is None or self._process != os.getpid():  # a forked worker has a secret of its own
                log.warning(
                    "no Server(secrets=[...]) are set: what this process seals is of no use to another one, so that "
                    "retries must reach this very process (%d)",
                    os.getpid(),
                )
                self._keys, self._process = Keys([os.urandom(32)]), os.getpid()
            return self._keys


def nonce() -> bytes:
    """As many random bytes as a seal needs."""
    return os.urandom(NONCE_BYTES)


def now_ms() -> int:
    """Milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000
