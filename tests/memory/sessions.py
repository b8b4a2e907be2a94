"""Sessions that clients open and abandon, in memory mode: however many there were, no more are kept than the table
holds, and what the process takes stays flat.

    sessions.py [COUNT]     default: 50,000; `make bench-sessions`: a million

The application is called in this process, as a WSGI server calls it. Half of the clients also ask for something before
they are gone. What is measured begins when the table is full; from then on at most 10 % may be added.
"""

from __future__ import annotations

import gc
import json
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import Any

from mcpgraft import Server
from mcpgraft.sessions import MemorySessions
from mcpgraft.wsgi import App

GROWTH = 0.10
TABLE = 5_000
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {"elicitation": {}, "sampling": {}, "roots": {"listChanged": True}},
    "clientInfo": {"name": "abandons", "version": "1"},
}


def resident() -> int:
    """KiB in memory now."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS:"))


class Client:
    """Clients that come one after the other."""

    def __init__(self, app: App) -> None:
        self._app = app

    def post(self, message: dict[str, Any], session: str | None = None) -> tuple[int, dict[str, str], bytes]:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/mcp",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "localhost",
            "HTTP_ACCEPT": "application/json, text/event-stream",
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.input": BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.multithread": True,
        }
        if session is not None:
            environ |= {"HTTP_MCP_SESSION_ID": session, "HTTP_MCP_PROTOCOL_VERSION": "2025-11-25"}
        head: list[Any] = []
        answer = b"".join(self._app(environ, lambda status, headers: head.extend((int(status[:3]), dict(headers)))))
        return head[0], head[1], answer

    def open(self) -> str:
        """Initialize, and no more."""
        status, headers, _ = self.post({"id": 0, "method": "initialize", "params": HELLO})
        assert status == 200, status
        return headers["Mcp-Session-Id"]

    def watch(self, session: str, uri: str) -> None:
        """Ask for something that the session remembers."""
        status, _, answer = self.post({"id": 1, "method": "resources/subscribe", "params": {"uri": uri}}, session)
        assert (status, "result" in json.loads(answer)) == (200, True), answer


def main() -> int:
    count = int(sys.argv[1].replace(",", "").replace("_", "")) if len(sys.argv) > 1 else 50_000
    sessions = MemorySessions(TABLE)
    server = Server("sessions", version="1.0.0", sessions=sessions)
    server.add_resource(lambda: "text", "test://a", name="a")
    client = Client(App(server))
    began = time.process_time()
    full, most, first = 0, 0, client.open()
    for number in range(1, count):
        session = client.open()
        if number % 2:
            client.watch(session, "test://a")
        if number == 2 * TABLE:  # the table is full and has been turned over once
            full = most = resident()
        elif number > 2 * TABLE and number % (count // 20) == 0:
            most = max(most, resident())
            print(f"{number:9,} sessions opened, {len(sessions):,} kept, {most:,} KiB")
    seconds = time.process_time() - began
    failures = 0

    def check(name: str, holds: bool, what: str) -> None:
        nonlocal failures
        print(f"{'PASS' if holds else 'FAIL'} {name}: {what}")
        failures += not holds

    check("flat", full > 0 and most <= full * (1 + GROWTH), f"{full:,} KiB with a full table, at most {most:,} KiB")
    check("bounded", len(sessions) == TABLE, f"{len(sessions):,} kept of {count:,}")
    gone, _, _ = client.post({"id": 2, "method": "ping"}, first)
    check("the first is gone", gone == 404, f"status {gone}")
    alive, _, _ = client.post({"id": 2, "method": "ping"}, session)
    check("the last is there", alive == 200, f"status {alive}")
    print(f"{count:,} sessions in {seconds:.1f} s of CPU, {seconds / count * 1e6:.0f} us each")
    print(f"sessions: {4 - failures} passed, {failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
