"""A board in QEMU: its serial line, and its memory as it is."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

PAINT = b"\xfe\x5a\xfe\x5a"
"""What the stack is filled with when the board starts."""


def command(image: Path, *serial: str) -> list[str]:
    """How a board with this image in its flash is started."""
    machine = ["qemu-system-arm", "-M", "mps2-an386", "-display", "none", "-monitor", "none"]
    return [*machine, *(serial or ("-serial", "stdio")), "-kernel", str(image)]


def symbols(image: Path) -> dict[str, int]:
    """The addresses of the names in an image."""
    listing = subprocess.run(["arm-none-eabi-nm", str(image)], check=True, capture_output=True, text=True).stdout
    rows = (line.split() for line in listing.splitlines())
    return {row[2]: int(row[0], 16) for row in rows if len(row) == 3}


class Board:
    """A running board. Its serial line is a socket; a second one asks QEMU for its memory."""

    def __init__(self, image: Path) -> None:
        self.image = image
        self.names = symbols(image)
        self.folder = Path(tempfile.mkdtemp(prefix="board"))
        sockets = [self.folder / name for name in ("serial", "control")]
        serial, control = (f"unix:{path},server=on,wait=off" for path in sockets)
        # Halted until its serial line is connected, so that nothing it says is lost.
        started = [*command(image, "-serial", serial), "-qmp", control, "-S"]
        self.process = subprocess.Popen(started)
        self.serial = self._connect(sockets[0])
        self.control = self._connect(sockets[1]).makefile("rw")
        json.loads(self.control.readline())
        self._ask("qmp_capabilities")
        self._ask("cont")
        self.held = b""

    def _connect(self, path: Path) -> socket.socket:
        deadline = time.monotonic() + 20
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(path))
            except OSError:
                connection.close()
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)  # until QEMU listens; it has no other sign
            else:
                connection.settimeout(30)
                return connection

    def _ask(self, name: str, **arguments: object) -> Any:
        self.control.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.control.flush()
        while True:
            answer = json.loads(self.control.readline())
            if "return" in answer or "error" in answer:
                return answer["return"]

    def send(self, line: bytes) -> None:
        """Sends a line; the newline is added."""
        self.serial.sendall(line + b"\n")

    def line(self) -> bytes:
        """The next line the board says, without its newline. Waits 30 s at most."""
        while b"\n" not in self.held:
            data = self.serial.recv(65536)
            if not data:
                raise EOFError(self.held)
            self.held += data
        line, self.held = self.held.split(b"\n", 1)
        return line

    def ask(self, message: object) -> Any:
        """Sends a message and gives the next one that comes back."""
        self.send(json.dumps(message).encode())
        return json.loads(self.line())

    def ram(self, start: int, end: int) -> bytes:
        """A piece of its memory."""
        file = self.folder / "ram"
        self._ask("pmemsave", val=start, size=end - start, filename=str(file))
        return file.read_bytes()

    def stack_peak(self) -> int:
        """How deep the stack has been since the start, in bytes: top to deepest word not painted."""
        top = self.names["_stack_top"]
        below = self.ram(self.names["_bss_end"], top)
        untouched = 0
        while below[untouched : untouched + 4] == PAINT:
            untouched += 4
        return len(below) - untouched

    def close(self) -> None:
        """Ends the emulator."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(10)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.serial.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Board:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
