"""Ordinary clients reach a device: stdio on one side, a serial line, a TCP port or a command on the other.

Both sides speak one message per line. Whole lines are passed on as they are; what the device says besides (a boot
message, the text of a crash) goes to stderr, since a client would take it for a broken message.
"""

from __future__ import annotations

import os
import select
import shlex
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

__all__ = ["BAUD", "WireError", "run_bridge"]

BAUD = 115_200
"""Bits per second of a serial line, unless said otherwise."""

LINGER_SECONDS = 1.0
"""After the end of input: how long the device may be silent before the bridge takes it to be finished."""

LONGEST = 16 << 20
"""Bytes of a line of the device that are kept; a longer one is no message."""


class WireError(Exception):
    """The target cannot be reached; the text says why."""


class Wire:
    """A connection to a device: two descriptors, and how its input is ended."""

    def __init__(self, source: int, sink: int, end: Callable[[], None], close: Callable[[], None]) -> None:
        self.source, self.sink, self.end, self.close = source, sink, end, close

    def write(self, data: bytes) -> None:
        """Write all of it; waits as long as the device does not take it."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.sink, view) :]
            except BlockingIOError:
                select.select([], [self.sink], [])


def run_bridge(
    target: str,
    *,
    baud: int = BAUD,
    flow: bool = False,
    descriptors: tuple[int, int] = (0, 1),
    linger_seconds: float = LINGER_SECONDS,
) -> int:
    """Pass lines between standard input and output and a device, until either side ends.

    Args:
        target: `tcp:HOST:PORT`, the path of a serial device, or else a command, which is started without a shell.
        baud: Bits per second of a serial device.
        flow: The serial device says by RTS and CTS when it can take more.
        descriptors: Input and output of the client.
        linger_seconds: After the end of input: how long the device may be silent before the bridge ends.

    Returns:
        0; or 1 if the device went away while the client was still there.

    Raises:
        WireError: The target cannot be opened.
    """
    wire = _open(target, baud, flow)
    ended = threading.Event()
    sender = threading.Thread(target=_send, args=(wire, descriptors[0], ended), daemon=True)
    try:
        sender.start()
        _receive(wire, descriptors[1], ended, linger_seconds)
        return 0 if ended.is_set() else 1
    finally:
        wire.close()


def _send(wire: Wire, source: int, ended: threading.Event) -> None:
    """Client to device."""
    # What the client says last is passed on even without its line end: then it gets one.
    open_line = False
    # The device is gone; that is noticed where it is read.
    with suppress(OSError):
        while data := os.read(source, 65536):
            wire.write(data)
            open_line = not data.endswith(b"\n")
        if open_line:
            wire.write(b"\n")
    ended.set()
    with suppress(OSError):
        wire.end()


def _receive(wire: Wire, sink: int, ended: threading.Event, linger: float) -> None:
    """Device to client."""
    held = bytearray()
    heard = time.monotonic()
    while True:
        ready, _, _ = select.select([wire.source], [], [], 0.05 if ended.is_set() else 0.25)
        if not ready:
            if ended.is_set() and time.monotonic() - heard >= linger:
                return
            if not ended.is_set():
                heard = time.monotonic()
            continue
        try:
            data = os.read(wire.source, 65536)
        except OSError:
            data = b""  # how a pseudo terminal says that its other side is closed
        if not data:
            if held:
                _tell(bytes(held))
            return
        heard = time.monotonic()
        held += data
        *lines, rest = held.split(b"\n")
        held = bytearray(rest) if len(rest) <= LONGEST else bytearray()
        for line in lines:
            if line.startswith((b"{", b"[")):
                _all(sink, bytes(line) + b"\n")
            elif line.strip():
                _tell(bytes(line))


def _all(sink: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(sink, view) :]


def _tell(line: bytes) -> None:
    print("device:", line.decode(errors="backslashreplace"), file=sys.stderr, flush=True)


def _open(target: str, baud: int, flow: bool) -> Wire:
    if target.startswith("tcp:"):
        return _tcp(target)
    try:
        if stat.S_ISCHR(os.stat(target).st_mode):
            return _serial(target, baud, flow)
    except OSError:
        pass  # no file of that name: a command
    return _command(target)


def _tcp(target: str) -> Wire:
    host, colon, port = target.removeprefix("tcp:").rpartition(":")
    if not colon or not port.isdigit():
        raise WireError(f"{target!r} must be tcp:HOST:PORT")
    try:
        connection = socket.create_connection((host.strip("[]"), int(port)), timeout=10)
    except OSError as wrong:
        raise WireError(f"{target}: {wrong}") from wrong
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    descriptor = connection.fileno()
    # The port is not half closed at the end of input: what stands for a serial line would take that for a hang-up.
    return Wire(descriptor, descriptor, lambda: None, connection.close)


def _serial(path: str, baud: int, flow: bool) -> Wire:
    try:
        import termios
    except ModuleNotFoundError as wrong:
        raise WireError("serial devices need termios, which this system does not have; use tcp:HOST:PORT") from wrong
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise WireError(f"{baud} is not a speed that this system knows, such as 9600 or {BAUD}")
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY)
        # Eight bits, no parity, one stop bit; bytes as they are, none echoed, none swallowed.
        hardware = getattr(termios, "CRTSCTS", 0) if flow else 0
        control = termios.CS8 | termios.CREAD | termios.CLOCAL | hardware
        characters = termios.tcgetattr(descriptor)[6]
        characters[termios.VMIN], characters[termios.VTIME] = 1, 0
        termios.tcsetattr(descriptor, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])
    except (OSError, termios.error) as wrong:
        raise WireError(f"{path}: {wrong}") from wrong
    return Wire(descriptor, descriptor, lambda: None, lambda: os.close(descriptor))


def _command(target: str) -> Wire:
    try:
        words = shlex.split(target)
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    except (OSError, ValueError, IndexError) as wrong:
        raise WireError(f"{target!r} is neither a serial device nor a command: {wrong}") from wrong
    assert process.stdin is not None
    assert process.stdout is not None

    def close() -> None:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    return Wire(process.stdout.fileno(), process.stdin.fileno(), process.stdin.close, close)
