"""`make bench`: tools/call over HTTP, ours and the official Python server in turn, in one run, and the ratio.

Both serve the same function from one process; the same client sends the same requests over kept connections. Numbers
depend on the machine and on what else it does; the ratio of one run is what can be compared.
"""

from __future__ import annotations

import http.client
import json
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from serving import BUILD, free_port, python, serving

ROUNDS, REQUESTS, CLIENTS = 3, 1_000, 4
PEERS = {"mcpgraft": "python", "mcp": "mcp2"}
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1.0.0"},
}
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
CALL = {"name": "search", "arguments": {"query": "leave", "limit": 5}}
ERAS = {
    "2026-07-28": (
        HEADERS | {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "search"},
        CALL | {"_meta": META},
    ),
    "2025-11-25": (HEADERS | {"MCP-Protocol-Version": "2025-11-25"}, CALL),
}


def fire(port: int, headers: dict[str, str], params: dict[str, object], count: int, seconds: list[float]) -> None:
    """Sends `count` calls over one connection, each after the answer of the one before, with the time each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    for number in range(count):
        body = json.dumps({"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params})
        begin = time.perf_counter()
        connection.request("POST", "/mcp", body, headers)
        answer = json.loads(connection.getresponse().read())
        seconds.append(time.perf_counter() - begin)
        if answer.get("id") != number or not answer["result"]["content"]:
            raise SystemExit(f"a wrong answer: {answer}")
    connection.close()


def measure(peer: str, era: str) -> tuple[float, float]:
    """Calls a second, and the median time of a call in milliseconds."""
    port = free_port()
    command = [python(PEERS[peer]), str(Path(__file__).with_name("peer.py")), peer, str(port)]
    headers, params = ERAS[era]
    with serving(command, port, BUILD / "log" / f"bench-{peer}.log"):
        fire(port, headers, dict(params), 50, [])
        seconds: list[float] = []
        threads = [
            threading.Thread(target=fire, args=(port, headers, dict(params), REQUESTS // CLIENTS, seconds))
            for _ in range(CLIENTS)
        ]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - begin
    if len(seconds) != REQUESTS // CLIENTS * CLIENTS:
        raise SystemExit(f"{peer}: {len(seconds)} answers")
    return len(seconds) / took, statistics.median(seconds) * 1000


def import_time(peer: str) -> float:
    """Seconds to import the server class in a fresh interpreter, the median of five."""
    statement = {"mcpgraft": "from mcpgraft import Server", "mcp": "from mcp.server.mcpserver import MCPServer"}[peer]
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        subprocess.run([python(PEERS[peer]), "-c", statement], check=True)
        times.append(time.perf_counter() - begin)
    return statistics.median(times)


def main() -> int:
    for era in ERAS:
        rates: dict[str, list[float]] = {peer: [] for peer in PEERS}
        middles: dict[str, list[float]] = {peer: [] for peer in PEERS}
        for _ in range(ROUNDS):
            for peer in PEERS:  # in turn, so that what else the machine does hits both
                rate, middle = measure(peer, era)
                rates[peer].append(rate)
                middles[peer].append(middle)
        best = {peer: max(values) for peer, values in rates.items()}
        for peer in PEERS:
            print(f"{era} tools/call, {peer:8}: {best[peer]:7.0f} calls/s, median {min(middles[peer]):6.2f} ms a call")
        print(f"{era} tools/call, mcpgraft / mcp: {best['mcpgraft'] / best['mcp']:.2f}")
    imports = {peer: import_time(peer) for peer in PEERS}
    for peer, seconds in imports.items():
        print(f"import, {peer:8}: {seconds * 1000:6.0f} ms")
    print(f"import, mcpgraft / mcp: {imports['mcpgraft'] / imports['mcp']:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
