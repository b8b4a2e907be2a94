"""`make bench-sessions`: sessions that clients open and abandon, kept in memory; the process must not grow with them.

A million requests `initialize`, through the WSGI application in this process, each of a client that never comes back.
The table is full after the first ten thousand; from then on resident memory may move by 10 % and no more.
`sessions.py 50000` is the short form for CI.
"""

from __future__ import annotations

import gc
import io
import sys
import time
from pathlib import Path
from typing import Any

from mcpgraft import Server
from mcpgraft.wsgi import App

LIMIT = 10_000  # the default of `sessions="memory"`
ALLOWED = 0.10
BODY = (
    b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},'
    b'"clientInfo":{"name":"a client that never comes back","version":"%d"}}}'
)


def resident() -> int:
    """KiB in memory now."""
    status = Path("/proc/self/status").read_text()
    return next(int(row.split()[1]) for row in status.splitlines() if row.startswith("VmRSS:"))


def main() -> int:
    total = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    server = Server("sessions", version="1.0.0", sessions="memory")
    app = App(server)
    ids: set[str] = set()

    def start(status: str, headers: list[tuple[str, str]], *_: Any) -> Any:
        found = dict(headers).get("Mcp-Session-Id")
        if not status.startswith("200") or found is None:
            raise SystemExit(f"no session was opened: {status} {headers}")
        ids.add(found)

    def opened(number: int) -> None:
        body = BODY % number
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/mcp",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "HTTP_HOST": "127.0.0.1",
            "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_ACCEPT": "application/json, text/event-stream",
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
        }
        b"".join(app(environ, start))

    before = resident()
    for number in range(2 * LIMIT):
        opened(number)
        ids.clear()
    gc.collect()
    full = resident()
    print(f"sessions: {LIMIT} kept: {(full - before) * 1024 / LIMIT:.0f} bytes each; {full} KiB resident")
    begin, peak = time.process_time(), full
    for number in range(2 * LIMIT, total):
        opened(number)
        ids.clear()
        if number % 10_000 == 0:
            peak = max(peak, resident())
    took = time.process_time() - begin
    peak = max(peak, resident())
    growth = peak / full - 1
    per = took / max(1, total - 2 * LIMIT) * 1e6
    holds = growth <= ALLOWED
    told = f"{total} opened and abandoned: at most {peak} KiB, {growth:+.1%}; {per:.0f} us each"
    print(f"{'PASS' if holds else 'FAIL'} {told}")
    print(f"sessions: {int(holds)} passed, {int(not holds)} failed")
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
