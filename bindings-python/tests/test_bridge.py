"""The bridge passes whole lines between stdio and a device: a command, a TCP port, a serial line."""

from __future__ import annotations

import os
import pty
import shlex
import socket
import sys
import threading
import tty
from collections.abc import Callable

import pytest

from mcpgraft.cli import main
from mcpgraft.wire import WireError, run_bridge

# A device that boots with noise, answers every line, and is slow to say all of it.
DEVICE = r"""
import sys, time
out = sys.stdout.buffer
out.write(b"boot 1.0\r\n"); out.flush()
for line in sys.stdin.buffer:
    out.write(b'{"heard":'); out.flush(); time.sleep(0.01)
    out.write(b"%d}\n" % len(line)); out.flush()
out.write(b"bye"); out.flush()
"""


def bridged(
    target: str, said: bytes, capfd: pytest.CaptureFixture[str], linger_seconds: float = 0.3
) -> tuple[int, bytes, str]:
    """What comes of a client that says this and ends: the status, what it hears, and stderr."""
    (client_in, ours_in), (ours_out, client_out) = os.pipe(), os.pipe()
    heard = bytearray()

    def listen() -> None:
        while data := os.read(ours_out, 65536):
            heard.extend(data)

    listener = threading.Thread(target=listen)
    listener.start()
    os.write(ours_in, said)
    os.close(ours_in)
    try:
        status = run_bridge(target, descriptors=(client_in, client_out), linger_seconds=linger_seconds)
    finally:
        os.close(client_out)
        listener.join()
        os.close(client_in)
        os.close(ours_out)
    return status, bytes(heard), capfd.readouterr().err


def test_a_command(capfd: pytest.CaptureFixture[str]) -> None:
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(DEVICE)}"
    status, heard, told = bridged(command, b"one\ntwo two\nopen", capfd)
    assert (status, heard) == (0, b'{"heard":4}\n{"heard":8}\n{"heard":5}\n')
    assert "device: boot 1.0" in told
    assert "device: bye" in told


def test_a_device_that_goes_away(capfd: pytest.CaptureFixture[str]) -> None:
    (client_in, ours_in), (_ours_out, client_out) = os.pipe(), os.pipe()
    status = run_bridge(f"{sys.executable} -c pass", descriptors=(client_in, client_out))
    os.close(ours_in)
    assert status == 1


def device(serve: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    return thread


def test_a_tcp_port(capfd: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection, connection.makefile("rwb") as stream:
                for line in stream:
                    stream.write(b'["' + line.strip() + b'"]\n')
                    stream.flush()

        device(serve)
        port = server.getsockname()[1]
        status, heard, _ = bridged(f"tcp:127.0.0.1:{port}", b"a\nb\n", capfd)
    assert (status, heard) == (0, b'["a"]\n["b"]\n')


def test_a_serial_line(capfd: pytest.CaptureFixture[str]) -> None:
    control, line = pty.openpty()
    tty.setraw(control)

    def serve() -> None:
        held = b""
        while held.count(b"\n") < 2:
            held += os.read(control, 100)
        # Everything comes as it was sent: nothing echoed, nothing taken for a control character.
        os.write(control, b'{"got":"' + held.hex().encode() + b'"}\n')

    device(serve)
    status, heard, _ = bridged(os.ttyname(line), b"\x03\x04\x11\r\n\x7f\n", capfd)
    assert (status, heard) == (0, b'{"got":"0304110d0a7f0a"}\n')
    os.close(line)
    os.close(control)


def test_what_cannot_be_reached() -> None:
    for target in ("tcp:127.0.0.1", "tcp:127.0.0.1:1", "no-such-command-anywhere", "", "'open quote"):
        with pytest.raises(WireError):
            run_bridge(target)
    with pytest.raises(WireError, match="speed"):
        run_bridge("/dev/null", baud=12345)


def test_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bridge", "tcp:nowhere"]) == 2
    assert "tcp:HOST:PORT" in capsys.readouterr().err
