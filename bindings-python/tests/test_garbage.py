"""Garbage is collected wherever a thread happens to be, with a lock in its hands, too: what is given back then must not
wait for that very lock."""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from mcpgraft import Server
from mcpgraft.bridge import Inline, drive
from mcpgraft.sessions import MemorySessions
from mcpgraft.task_result import Watches
from mcpgraft.testing import Client

SOON = 10.0  # seconds; what waits for itself waits for ever


class Collecting:
    """A lock that is held while garbage is collected."""

    def __init__(self, lock: Any) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        self._lock.acquire()
        gc.collect()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.fixture(autouse=True)
def collected_only_then() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def throw_away(held: AbstractContextManager[object], gone: list[str]) -> None:
    """Leave a coroutine behind that is within `held`, as a loop does that ends before its tasks: only a collection of
    garbage finds it."""

    def run() -> Iterator[None]:
        itself.append(running)
        with held:
            yield
        raise AssertionError("nobody goes on with it")

    class Gone:
        def __del__(self) -> None:
            gone.append("gone")

    itself: list[Any] = [Gone()]
    running = run()
    next(running)


def does_not_wait(for_itself: Callable[[], object]) -> None:
    thread = threading.Thread(target=for_itself, daemon=True)
    thread.start()
    thread.join(SOON)
    assert not thread.is_alive(), "it waits for a lock that it holds"


def test_connections_are_told_while_one_is_thrown_away() -> None:
    server = Server("garbage", sessions="memory")
    stays = Client(server, era="legacy", transport="stdio")
    Client(server, era="legacy", transport="stdio")  # nobody keeps it
    hub: Any = server.hub
    assert len(hub._all()) == 2
    hub._lock = Collecting(hub._lock)
    does_not_wait(lambda: server.hub.changed("tools"))
    assert hub._all() == [stays._session]


def test_a_call_is_looked_for_while_another_is_thrown_away() -> None:
    hub: Any = Server("garbage", sessions="memory").hub
    gone: list[str] = []

    class Exchange:
        def cancel(self, id: str) -> bool:
            return False

    throw_away(hub.working("a session", Exchange()), gone)
    hub._lock = Collecting(hub._lock)
    does_not_wait(lambda: hub.cancel("a session", "1"))
    assert gone
    assert not hub._running


def test_a_session_is_loaded_while_a_call_of_it_is_thrown_away() -> None:
    sessions = MemorySessions()
    table: Any = sessions
    id = drive(sessions.open(Inline(), b"saved"))

    class Held:
        def __enter__(self) -> None:
            self.release = sessions.hold(id)

        def __exit__(self, *_: object) -> None:
            self.release()

    gone: list[str] = []
    throw_away(Held(), gone)
    table._lock = Collecting(table._lock)
    does_not_wait(lambda: drive(sessions.load(Inline(), id)))
    assert gone
    assert not table._held


def test_a_task_changes_while_a_call_that_waits_for_it_is_thrown_away() -> None:
    watches: Any = Watches()

    class Call:
        name = "a task"

        class _channel:  # noqa: N801
            room = 1

    gone: list[str] = []
    throw_away(watches.add(Call()), gone)
    watches._lock = Collecting(watches._lock)
    does_not_wait(lambda: watches.wake("a task"))
    assert gone
    assert not watches._waiting
