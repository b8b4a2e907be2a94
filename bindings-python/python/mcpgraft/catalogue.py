"""What a server has registered, kept in step with the native catalogue that every session and exchange reads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeVar

import msgspec

from ._native import Core
from .errors import RegistrationError
from .registry import TASK_MODES, CompletionEntry, Entry, TaskMode, definition

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ._native import Call
    from .hub import Hub, Live
    from .lint import Problem
    from .tasks import Tasks

__all__ = ["Catalogue"]

E = TypeVar("E", bound=Entry)

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
        extensions: Mapping[str, object],
        tasks: Tasks | None,
        hub: Hub,
    ) -> None:
        self.name = name
        self.hub = hub
        """Tells who listens, here and in other processes; carries answers and cancellations to where they belong."""
        self._info = info
        self._instructions = instructions
        self._limits = dict(limits) if limits else None
        self._extensions = dict(extensions)
        self._options = {**options, **self._extended()}
        self.tasks = tasks
        """What runs tools as tasks; None until a tool needs it."""
        self._entries: dict[tuple[str, str], Entry] = {}
        self._completions: dict[tuple[str | None, str | None], CompletionEntry] = {}
        self._lock = threading.RLock()
        self.clock: Callable[[], float] = time.monotonic
        """Seconds by a clock that does not go back: how often progress is told."""
        self._served = False
        self._core = self._make_core()
        if tasks is not None:
            self._offer_tasks()

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

    def tool_entry(self, name: str) -> Entry | None:
        """The entry of a tool; None if there is none of that name."""
        return self._entries.get(("tool", name))

    def attach(self, live: Live) -> AbstractContextManager[None]:
        """While the block runs, tell `live` about changes."""
        return self.hub.attach(live)

    def is_listened_to(self) -> bool:
        """Whether anybody could hear of a change."""
        return self.hub.is_listened_to()

    def lint(self) -> list[Problem]:
        """What known clients refuse or misread about the tools registered so far; see `mcpgraft.lint`."""
        from .lint import lint

        with self._lock:
            found = [self._core.get("tool", key) for key in self._core.keys("tool")]
        return lint(one for one in found if one is not None)

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

    def _may_be_task(self, entry: E, task: TaskMode) -> E:
        if task not in TASK_MODES:
            modes = ", ".join(TASK_MODES)
            raise RegistrationError(f"tool {entry.key!r}: task must be one of {modes}, not {task!r}")
        if task != "never":
            self._offer_tasks()
        entry.task = task
        return entry

    def _offer_tasks(self) -> None:
        from .tasks import EXTENSION, Tasks

        with self._lock:
            self._extensions.setdefault(EXTENSION, {})
            self._declare("extensions", self._extended()["extensions"])
            if self.tasks is None:
                self.tasks = Tasks()
            if self.tasks.experimental:
                self._declare("experimental_tasks", "listed" if hasattr(self.tasks.store, "list") else "offered")

    def _extended(self) -> dict[str, object]:
        return {"extensions": msgspec.json.encode(self._extensions)} if self._extensions else {}

    def _put(self, kind: str, entry: Entry, **fields: object) -> None:
        if entry.task != "never" and self.tasks is not None and self.tasks.experimental:
            fields["execution"] = {"taskSupport": "required" if entry.task == "required" else "optional"}
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
