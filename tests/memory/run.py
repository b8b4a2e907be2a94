"""One stdio connection, 20,000 calls sent without waiting: what is in work stays under its bound, the rest is refused
or waits in the pipe, and the server's memory does not grow.

Three rounds, each of 20,000 calls: handlers that wait while everything arrives; handlers that are quick, with a client
that reads; and quick ones with a client that does not read for a while, so that the pipe fills up.
"""

# proves: S-073

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from serving import python

CALLS = 20_000
GROWTH_KIB = 2 * 1024
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "memory", "version": "1"},
}


def line(method: str, params: dict[str, Any], id: int | None = None) -> bytes:
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    if id is not None:
        message["id"] = id
    return json.dumps(message).encode() + b"\n"


class Peer:
    """The server's process, and a thread that reads what it says."""

    def __init__(self) -> None:
        program = str(Path(__file__).with_name("stdio_server.py"))
        self.process = subprocess.Popen([python(), program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdin is not None
        self.input = self.process.stdin
        self.answers: dict[int, Any] = {}
        self.reading = threading.Event()
        self.reading.set()
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for text in self.process.stdout:
            self.reading.wait()
            answer = json.loads(text)
            with self.changed:
                assert answer["id"] not in self.answers, f"answered twice: {text!r}"
                self.answers[answer["id"]] = answer
                self.changed.notify_all()

    def send(self, data: bytes) -> None:
        self.input.write(data)
        self.input.flush()

    def wait(self, count: int, seconds: float = 120) -> None:
        """Until so many answers are there."""
        with self.changed:
            if not self.changed.wait_for(lambda: len(self.answers) >= count, seconds):
                raise SystemExit(f"FAIL {len(self.answers)} of {count} answers after {seconds} s")

    def resident(self) -> int:
        """KiB in memory now."""
        return self._status("VmRSS")

    def peak(self) -> int:
        """KiB at most since the last call of `forget`."""
        return self._status("VmHWM")

    def forget(self) -> int:
        """Starts to measure the peak anew; gives what is in memory."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")
        return self.resident()

    def _status(self, name: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(row.split()[1]) for row in status.splitlines() if row.startswith(name + ":"))


def calls(tool: str, first: int) -> list[bytes]:
    return [
        line("tools/call", {"name": tool, "arguments": {"text": f"call {number}"}}, number)
        for number in range(first, first + CALLS)
    ]


def outcomes(peer: Peer, first: int) -> Counter[str]:
    """What the calls came to: each has its own answer, or was refused because too much is in work."""
    seen: Counter[str] = Counter()
    for number in range(first, first + CALLS):
        answer = peer.answers[number]
        if "result" in answer:
            right = answer["result"]["content"][0]["text"] == f"call {number}"
            seen["answered" if right else f"wrong answer {answer}"] += 1
        else:
            busy = "in work" in answer["error"]["message"]
            seen["refused" if busy else f"error {answer['error']}"] += 1
    return seen


def main() -> int:
    peer = Peer()
    failures: list[str] = []
    passed = 0

    def check(name: str, holds: bool, what: str) -> None:
        nonlocal passed
        print(f"{'PASS' if holds else 'FAIL'} {name}: {what}")
        passed += holds
        if not holds:
            failures.append(name)

    peer.send(line("initialize", HELLO, 0) + line("notifications/initialized", {}))
    # Every thread and code path once, so that what is measured is the load alone.
    for piece in calls("quick", 1)[:437] + calls("nap", 438)[:63]:
        peer.send(piece)
    peer.wait(501)
    begin = peer.forget()

    first = 100_000
    for piece in calls("wait", first):
        peer.send(piece)
    # What is over the bound is refused at once; what is in work waits.
    bound = 64
    peer.wait(501 + CALLS - bound, 60)
    time.sleep(0.2)
    held = 501 + CALLS - len(peer.answers)
    peer.process.send_signal(signal.SIGUSR1)
    peer.wait(501 + CALLS)
    peer.send(line("tools/call", {"name": "most"}, 1_000_000))
    peer.wait(502 + CALLS)
    seen = outcomes(peer, first)
    most = peer.answers[1_000_000]["result"]["content"][0]["text"]
    check("handlers that wait", set(seen) == {"answered", "refused"}, f"{dict(seen)}, {most} handlers at once")
    check("in work", 0 < held <= bound and seen["answered"] == held, f"{held} of at most {bound}")
    growth = peer.peak() - begin
    check("memory, handlers that wait", growth < GROWTH_KIB, f"{begin} KiB, at most {growth} KiB more")

    first, have, begin = 200_000, len(peer.answers), peer.forget()
    peer.send(b"".join(calls("quick", first)))
    peer.wait(have + CALLS)
    seen = outcomes(peer, first)
    check("quick handlers", set(seen) <= {"answered", "refused"} and seen["answered"] > bound, f"{dict(seen)}")
    growth = peer.peak() - begin
    check("memory, quick handlers", growth < GROWTH_KIB, f"{begin} KiB, at most {growth} KiB more")

    first, have, begin = 300_000, len(peer.answers), peer.forget()
    peer.reading.clear()
    sender = threading.Thread(target=lambda: peer.send(b"".join(calls("quick", first))), daemon=True)
    sender.start()
    time.sleep(1.5)
    check("back pressure", sender.is_alive(), "a client that does not read cannot send on")
    peer.reading.set()
    peer.wait(have + CALLS)
    sender.join(10)
    seen = outcomes(peer, first)
    check("after it", set(seen) <= {"answered", "refused"}, f"{dict(seen)}")
    growth = peer.peak() - begin
    check("memory, back pressure", growth < GROWTH_KIB, f"{begin} KiB, at most {growth} KiB more")

    peer.input.close()
    check("the end", peer.process.wait(10) == 0, f"exit status {peer.process.returncode}")
    print(f"memory: {passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
