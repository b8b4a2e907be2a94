"""What was measured, and what could not be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Measured = dict[str, float]
Key = tuple[str, str, str]
"""What was done (`stdio 32`, `http 16`, `cold`, `inproc HTTP`, ...), the revision or an empty text, the request."""
ANY = ""

MORE_IS_BETTER = ("per_second", "bytes_s")


@dataclass
class Results:
    """The best of all rounds, by contender and key."""

    figures: dict[str, dict[Key, Measured]] = field(default_factory=dict)
    failures: dict[tuple[str, Key], str] = field(default_factory=dict)

    def put(self, name: str, key: Key, told: Measured) -> None:
        """Notes what a round says, figure by figure the better of what it and others before said."""
        old = self.figures.setdefault(name, {}).get(key)
        if old is not None:
            told = {
                what: max(old.get(what, value), value) if what in MORE_IS_BETTER else min(old.get(what, value), value)
                for what, value in told.items()
            }
        self.figures[name][key] = told

    def fail(self, name: str, key: Key, why: str) -> None:
        self.failures.setdefault((name, key), why)

    def get(self, name: str, key: Key, what: str) -> float | None:
        return self.figures.get(name, {}).get(key, {}).get(what)

    def share(self, name: str, era: str, way: str = "http 16") -> float | None:
        """CPU of `add` over HTTP beyond that of a constant answer by the same server, in microseconds."""
        whole = self.get(name, (way, era, "add"), "cpu_us")
        constant = self.get(name, (way, era, "constant"), "cpu_us")
        return None if whole is None or constant is None else whole - constant

    def has(self, name: str, keys: Iterable[Key]) -> bool:
        return any(key in self.figures.get(name, {}) or (name, key) in self.failures for key in keys)
