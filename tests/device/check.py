"""Firmwares in Rust and in C on an emulated board: official clients through the bridge, transcripts, a soak, sizes.

check.py [--bless]      (--bless writes sizes.json)
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import replaying
import sizes
from emulator import Board, command
from soak import Soak

from serving import BUILD, free_port, python

HERE = Path(__file__).parent
IMAGES = BUILD / "device"
SOAK = 10_000
WARM = 1_000
# By name: whether it has more than tools.
FIRMWARES = {"tools": False, "full": True, "c": True}


def expect(truth: bool, what: str, seen: object = None) -> None:
    if not truth:
        raise AssertionError(f"{what}; seen: {seen}")


@contextmanager
def by_command(image: Path) -> Iterator[str]:
    yield shlex.join(command(image))


@contextmanager
def by_tcp(image: Path) -> Iterator[str]:
    port = free_port()
    qemu = subprocess.Popen(
        command(image, "-serial", f"tcp:127.0.0.1:{port},server=on,wait=on"), stderr=subprocess.PIPE
    )
    try:
        assert qemu.stderr is not None
        qemu.stderr.readline()  # says that it waits for the connection
        yield f"tcp:127.0.0.1:{port}"
    finally:
        qemu.terminate()
        qemu.wait()


@contextmanager
def by_serial_line(image: Path) -> Iterator[str]:
    qemu = subprocess.Popen(command(image, "-serial", "pty"), stdout=subprocess.PIPE, text=True)
    try:
        assert qemu.stdout is not None
        # char device redirected to /dev/pts/3 (label serial0)
        yield next(word for word in qemu.stdout.readline().split() if word.startswith("/dev/"))
    finally:
        qemu.terminate()
        qemu.wait()


def client(image: Path, way: Callable[[Path], Any], era: str, full: bool) -> str:
    """The official client does everything once."""
    with way(image) as target:
        plan = {"command": [python(), "-m", "mcpgraft", "bridge", target], "era": era, "full": full}
        run = subprocess.run(
            [python("mcp2"), str(HERE / "client.py")],
            input=json.dumps(plan),
            capture_output=True,
            text=True,
            timeout=300,
        )
    expect(run.returncode == 0, "the client ends well", run.stderr[-3000:])
    seen = json.loads(run.stdout.splitlines()[-1])
    wanted: dict[str, Any] = {
        "protocol": "2025-11-25" if era == "legacy" else "2026-07-28",
        "tools": ["temperature", "led", "calibrate", *(["status"] if full else [])],
        "hot": "the LED is on",
        "temperature": "24.7",
        "cold": "the LED is off",
        "wrong": [True, '"on" must be true or false'],
        "calibrated": "calibrated",
        "progress": [[n, 10] for n in range(1, 11)],
        "cancelled": True,
        "again": "calibrated",
    }
    if full:
        wanted |= {
            "resources": ["dev://temperature", "dev://log"],
            "templates": ["dev://pin/{number}"],
            "prompts": ["check"],
            "read": "21.5",
            "pin": "0",
            "prompt": "Check everything.",
            "status": {"led": False},
        }
        expect("calibration cancelled" in seen.pop("log"), "the board has noted the cancellation", seen)
    expect(seen == wanted, "what the client saw", seen)
    return f"{image.name}: the official client, {era}, {way.__name__.replace('_', ' ')}"


def soaked(image: Path, messages: int, full: bool) -> tuple[str, int]:
    """All are answered; and what the stack has needed, the first thousand have needed."""
    with Board(image) as board:
        soak = Soak(board, full)
        soak.run(WARM)
        first = board.stack_peak()
        told = soak.run(messages)
        peak = board.stack_peak()
    expect(first == peak, f"{image.name}: the stack after {WARM} messages and after {messages} more", (first, peak))
    return f"{image.name}: {told}, stack peak {peak} bytes", peak


def main(arguments: list[str]) -> int:
    passed, failed = 0, 0

    def run(check: Callable[[], str]) -> None:
        nonlocal passed, failed
        try:
            told = check()
        except (AssertionError, OSError, EOFError, KeyError, ValueError, subprocess.SubprocessError) as wrong:
            failed += 1
            print(f"FAILED: {type(wrong).__name__}: {wrong}", flush=True)
        else:
            passed += 1
            print(f"ok: {told}", flush=True)

    peaks: dict[str, int] = {}

    def soaking(name: str, full: bool, messages: int) -> str:
        told, peaks[name] = soaked(IMAGES / name, messages, full)
        return told

    # The long soak goes on beside the rest: what it waits for is mostly the emulated line.
    pool = ThreadPoolExecutor(1)
    long = pool.submit(soaking, "full", True, SOAK)
    for name, full in FIRMWARES.items():
        for era in ("legacy", "2026-07-28"):
            run(partial(client, IMAGES / name, by_command, era, full))
    run(partial(client, IMAGES / "full", by_tcp, "auto", True))
    run(partial(client, IMAGES / "full", by_serial_line, "legacy", True))
    run(partial(replaying.replay, IMAGES / "replay"))
    for name, full in FIRMWARES.items():
        run(long.result if name == "full" else partial(soaking, name, full, WARM))
    pool.shutdown()
    images = {name: IMAGES / name for name in FIRMWARES if name in peaks}
    run(lambda: sizes.check(images, peaks, bless="--bless" in arguments))
    print(f"device: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
