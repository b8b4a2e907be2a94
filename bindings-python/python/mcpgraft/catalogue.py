"""What a server has registered, kept in step with the native catalogue that every session and exchange reads."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from ._native import Core
from .errors import RegistrationError
from .registry import CompletionEntry, Entry, definition

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ._native import Call
    from .hub import Hub, Live

__all__ = ["Catalogue"]

_LISTS = {"tool": "tools", "resource": "resources", "template": "resources", "prompt": "prompts"}


class Catalogue:
    """The registered entries of one server. Locks for itself; entries may come and go while it serves."""

    def __init__(
        self,
        name: str,
        *,
        info: bytes,
        instructions: str | None,
        limits: Mapping[str, int] | None,
        options: dict[str, object],
        hub: Hub,
    ) -> None:
        self.name = name
        self.hub = hub
        """Tells who listens, here and in other processes; carries answers and cancellations to where they belong."""
        self._info = info
        self._instructions = instructions
        self._limits = dict(limits) if limits else None
        self._options = options
        self._entries: dict[tuple[str, str], Entry] = {}
        self._completions: dict[tuple[str | None, str | None], CompletionEntry] = {}
        self._lock = threading.RLock()
        self._served = False
        self._core = self._make_core()

    @property
    def core(self) -> Core:
        """The native catalogue. Reading it fixes the declared capabilities: a client may see them from now on."""
        self._served = True
        return self._core

    def entry_of(self, call: Call) -> Entry | None:
        """The entry that answers a call; None if it went away since."""
        if call.kind == "completion":
            argument = msgspec.json.decode(call.arguments).get("argument", {}).get("name")
            refs = (call.name, call.entry)
            for key in (*((ref, argument) for ref in refs), *((ref, None) for ref in refs), (None, None)):
                if (entry := self._completions.get(key)) is not None:
                    return entry
            return None
        return self._entries.get((call.kind, call.entry or call.name))

    def attach(self, live: Live) -> AbstractContextManager[None]:
        """While the block runs, tell `live` about changes."""
        return self.hub.attach(live)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _make_core(self) -> Core:
        try:
            return Core(self._info, instructions=self._instructions, limits=self._limits, options=self._options)
        except (ValueError, TypeError) as wrong:
            raise RegistrationError(f"Server({self.name!r}): {wrong}") from wrong

    def _declare(self, option: str, value: object) -> None:
        # Capabilities are fixed when the native core is made; until somebody saw them it can be made again.
        if self._options.get(option) == value:
            return
        if self._served:
            raise RegistrationError(f"{option} must be registered before the server answers its first message")
        before, self._options = self._core, {**self._options, option: value}
        self._core = self._make_core()
        for kind in _LISTS:
            for key in before.keys(kind):
                if (found := before.get(kind, key)) is not None:
                    self._core.put(kind, found)

    def _put(self, kind: str, entry: Entry, **fields: object) -> None:
        with self._lock:
            try:
                self._core.put(kind, definition(**fields))
            except (ValueError, TypeError) as wrong:
                raise RegistrationError(f"{kind} {entry.key!r}: {wrong}") from wrong
            self._entries[entry.kind, entry.key] = entry
        self._changed(kind)

    def _remove(self, kind: str, key: str) -> bool:
        with self._lock:
            found = self._core.remove(kind, key)
            self._entries.pop(("resource" if kind == "template" else kind, key), None)
        if found:
            self._changed(kind)
        return found

    def _changed(self, kind: str) -> None:
        # Before anybody saw the catalogue, nothing has changed: a worker that starts is no news to the others.
        self.hub.changed(_LISTS[kind], everywhere=self._served)
