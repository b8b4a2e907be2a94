"""One app, four gunicorn worker processes, 2,000 requests of both eras from several clients: no failure, no session.

Each client keeps its connection for some requests and then opens a new one, so that the requests of one client go to
different workers. Every answer is compared; an Mcp-Session-Id anywhere is a failure.
"""

# proves: S-074, S-232

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from serving import BUILD, free_port, python, serving

REQUESTS, CLIENTS, WORKERS, A_CONNECTION = 2_000, 8, 4, 25
MODERN = "2026-07-28"
ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "workers", "version": "1.0.0"},
}
COMMON = {
    "Content-Type": "application/json",
    "Accept": "application/json, text/event-stream",
    "x-api-key": "demo-key",
}


@dataclass(frozen=True)
class Shot:
    """One request and what its answer has to hold."""

    kind: str
    headers: dict[str, str]
    method: str
    params: dict[str, Any]
    status: int = 200
    notification: bool = False


def modern(method: str, **params: Any) -> Shot:
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return Shot(f"stateless {method}", headers, method, params | {"_meta": ENVELOPE})


def legacy(method: str, version: str | None, status: int = 200, **params: Any) -> Shot:
    headers = {} if version is None else {"MCP-Protocol-Version": version}
    notification = method.startswith("notifications/")
    return Shot(f"handshake era {method} ({version or 'no header'})", headers, method, params, status, notification)


SEARCH: dict[str, Any] = {"name": "search_policies", "arguments": {"query": "remote", "limit": 1}}
HELLO: dict[str, Any] = {"capabilities": {}, "clientInfo": {"name": "workers", "version": "1.0.0"}}
SHOTS = (
    modern("server/discover"),
    modern("tools/list"),
    modern("tools/call", **SEARCH),
    legacy("initialize", None, protocolVersion="2025-11-25", **HELLO),
    legacy("notifications/initialized", "2025-11-25", status=202),
    legacy("tools/list", "2025-11-25"),
    legacy("tools/call", "2025-11-25", **SEARCH),
    legacy("tools/call", "2025-06-18", **SEARCH),
    legacy("initialize", None, protocolVersion="2024-11-05", **HELLO),
    legacy("tools/list", None),
    legacy("tools/call", None, **SEARCH),
)


def complaint(shot: Shot, number: int, status: int, headers: dict[str, str], body: bytes) -> str | None:
    """What is wrong with an answer, or None."""
    if "mcp-session-id" in headers:
        return "a session id"
    if status != shot.status:
        return f"status {status}: {body[:300]!r}"
    if shot.notification:
        return f"a body: {body[:100]!r}" if body else None
    if headers.get("content-type", "").split(";")[0] != "application/json":
        return f"content type {headers.get('content-type')}"
    answer = json.loads(body)
    if answer.get("id") != number or "result" not in answer:
        return f"answer {body[:300]!r}"
    result = answer["result"]
    if ("resultType" in result) != shot.kind.startswith("stateless"):
        return f"resultType in the wrong era: {body[:300]!r}"
    if shot.method == "server/discover":
        held = MODERN in result["supportedVersions"]
    elif shot.method == "initialize":
        held = result["protocolVersion"] == shot.params["protocolVersion"]
    elif shot.method == "tools/list":
        held = [tool["name"] for tool in result["tools"]] == ["search_policies", "get_policy"]
    else:
        held = not result.get("isError") and "HR-101" in result["content"][0]["text"]
    return None if held else f"result {body[:300]!r}"


class Client(threading.Thread):
    """Fires its share of the requests, each answered before the next."""

    def __init__(self, port: int, start: int) -> None:
        super().__init__(daemon=True)
        self.port, self.first = port, start
        self.failures: list[str] = []
        self.workers: Counter[str] = Counter()
        self.seconds: list[float] = []

    def shots(self) -> Iterator[tuple[int, Shot]]:
        numbers = range(self.first, REQUESTS, CLIENTS)
        return zip(numbers, islice(cycle(SHOTS), self.first, None), strict=False)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        for count, (number, shot) in enumerate(self.shots()):
            if count % A_CONNECTION == 0:
                connection.close()
            message: dict[str, Any] = {"jsonrpc": "2.0", "method": shot.method, "params": shot.params}
            if not shot.notification:
                message["id"] = number
            begin = time.perf_counter()
            try:
                connection.request("POST", "/mcp", json.dumps(message), COMMON | shot.headers)
                response = connection.getresponse()
                body = response.read()
                headers = {name.lower(): value for name, value in response.getheaders()}
                wrong = complaint(shot, number, response.status, headers, body)
                self.workers[headers.get("x-worker", "?")] += 1
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                wrong = f"{type(error).__name__}: {error}"
                connection.close()
            self.seconds.append(time.perf_counter() - begin)
            if wrong is not None:
                self.failures.append(f"{shot.kind}, request {number}: {wrong}")
        connection.close()


def main() -> int:
    port = free_port()
    command = [
        *(python(), "-m", "gunicorn", "--chdir", str(Path(__file__).parent), "--bind", f"127.0.0.1:{port}"),
        *("--workers", str(WORKERS), "--worker-class", "gthread", "--threads", "4"),
        *("--graceful-timeout", "2", "--log-level", "warning", "app:app"),
    ]
    with serving(command, port, BUILD / "log" / "workers.log"):
        clients = [Client(port, start) for start in range(CLIENTS)]
        begin = time.perf_counter()
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        took = time.perf_counter() - begin
    failures = [failure for client in clients for failure in client.failures]
    workers: Counter[str] = sum((client.workers for client in clients), Counter())
    sent = sum(len(client.seconds) for client in clients)
    for failure in failures[:20]:
        print(f"FAIL {failure}")
    print(f"workers: {sent} requests of {len(SHOTS)} kinds from {CLIENTS} clients in {took:.1f} s, answered by")
    print("  " + ", ".join(f"process {pid}: {count}" for pid, count in sorted(workers.items())))
    if sent != REQUESTS or len(workers) < 2:
        failures.append(f"{sent} requests, {len(workers)} workers")
        print(f"FAIL {failures[-1]}")
    print(f"workers: {sent - len(failures)} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
