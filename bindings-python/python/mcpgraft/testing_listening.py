"""What a test client hears while it listens: no thread and no waiting, it looks when you ask it to."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from ._native import KEEP_ALIVE
from .bridge import Hop, Inline, drive

if TYPE_CHECKING:
    from .listening import Source

__all__ = ["Heard"]


class Heard:
    """An open stream of a `Client`."""

    def __init__(self, take: Callable[[], list[Any]], close: Callable[[], object]) -> None:
        self._take = take
        self._close = close
        self.ended = False
        """True after the server has ended it."""
        self.result: Any = None
        """The answer of a subscription that ended in good order."""

    def messages(self) -> list[Any]:
        """The messages that came since the last look; empty if nothing did."""
        found = self._take()
        for one in found:
            if isinstance(one, dict) and "result" in one:
                self.result, self.ended = one["result"], True
        return found

    def changes(self) -> list[str]:
        """The same in short: `tools`, `resources`, `prompts` for lists that changed, and URIs of changed resources."""
        return [short for one in self.messages() if (short := _short(one)) is not None]

    def close(self) -> None:
        """Hang up."""
        self._close()


def over_http(stream: Source, hop: Hop | None = None) -> Heard:
    """Read a stream as a host with threads would."""
    inline = hop or Inline()

    silent = False

    async def quiet() -> bool:
        nonlocal silent
        silent = True
        return False

    def take() -> list[Any]:
        nonlocal silent
        found: list[Any] = []
        silent = False
        while (piece := drive(stream.next(inline, quiet))) != KEEP_ALIVE or not silent:
            if piece is None:
                heard.ended = True
                break
            found += [msgspec.json.decode(line[5:]) for line in piece.split(b"\n") if line.startswith(b"data:")]
        return found

    heard = Heard(take, stream.close)
    return heard


def _short(message: Any) -> str | None:
    method = message.get("method", "") if isinstance(message, dict) else ""
    if method == "notifications/resources/updated":
        return str(message["params"]["uri"])
    if method.endswith("/list_changed"):
        return str(method.split("/")[1])
    return None
