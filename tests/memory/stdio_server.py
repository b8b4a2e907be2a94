"""A server on standard input and output whose tools wait until they are let go; run by run.py beside it."""

import signal
import threading
import time

from mcpgraft import Server

server = Server("waits", version="1.0.0")
_go = threading.Event()
_running = 0
_most = 0
_lock = threading.Lock()


@server.tool
def wait(text: str) -> str:
    """Waits for the signal USR1; counts how many wait."""
    global _running, _most
    with _lock:
        _running += 1
        _most = max(_most, _running)
    _go.wait(120)
    with _lock:
        _running -= 1
    return text


@server.tool
def quick(text: str) -> str:
    """Gives back what it gets."""
    return text


@server.tool
def nap(text: str) -> str:
    """Gives back what it gets, but takes so long that every thread of the pool is needed."""
    time.sleep(0.05)
    return text


@server.tool
def most() -> str:
    """How many waited at once."""
    return str(_most)


if __name__ == "__main__":
    signal.signal(signal.SIGUSR1, lambda number, frame: _go.set())
    server.run("stdio")
