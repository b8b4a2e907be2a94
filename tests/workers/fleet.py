"""Four workers behind nginx, round robin and nothing sticky, with Redis between them.

First they work together: together.py. Then one of them is killed every second, and clients of both eras go on all the
while: each request that fails is sent once more, and then it has to succeed. Old clients keep the sealed session that
their initialize gave them; stateless ones are asked a question by one worker and answer to another.

    fleet.py [--seconds 30]

nginx and Redis come from Debian; on a machine where they cannot be installed the test is skipped, in CI it is not.
"""

# proves: S-074, S-075, S-363, S-070

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import os
import random
import secrets
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import together

from serving import BUILD, ROOT, free_port, python, serving

WORKERS, CLIENTS = 4, 6
MODERN = "2026-07-28"
META = {
    "io.modelcontextprotocol/protocolVersion": MODERN,
    "io.modelcontextprotocol/clientCapabilities": {"elicitation": {}},
}
HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "fleet", "version": "1"}}
NGINX = """
daemon off; worker_processes 1; pid {here}/nginx.pid; error_log {here}/nginx.log warn;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {here}/b; proxy_temp_path {here}/p; fastcgi_temp_path {here}/f; uwsgi_temp_path {here}/u;
  scgi_temp_path {here}/s;
  # A worker that was killed is back at once, so none is given up; and no request is sent twice on behalf of a client.
  upstream fleet {{ {upstream} }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://fleet; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $http_host;
      proxy_next_upstream off; proxy_buffering off; proxy_read_timeout 60s;
    }}
  }}
}}
"""


def available() -> bool:
    """Whether nginx and Redis are there, or could be installed."""
    wanted = ["nginx=nginx-light", "redis-server=redis-server"]
    return subprocess.run([ROOT / "tests" / "tools" / "debian", *wanted], check=False).returncode == 0


@contextlib.contextmanager
def fleet() -> Iterator[tuple[int, list[int]]]:
    """Ports of nginx and of the four workers behind it."""
    here = BUILD / "fleet"
    here.mkdir(parents=True, exist_ok=True)
    redis, ports = free_port(), []
    env = {"FLEET_SECRET": secrets.token_hex(16), "FLEET_REDIS": f"redis://127.0.0.1:{redis}/0"}
    with contextlib.ExitStack() as stack:
        command = ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--save", "", "--dir", str(here)]
        stack.enter_context(serving(command, redis, BUILD / "log" / "fleet-redis.log"))
        for number in range(WORKERS):
            ports.append(free_port())
            command = [
                *(python(), "-m", "gunicorn", "--chdir", str(Path(__file__).parent)),
                *("--bind", f"127.0.0.1:{ports[-1]}", "--workers", "1", "--worker-class", "gthread", "--threads", "16"),
                *("--graceful-timeout", "1", "--log-level", "error", "fleet_app:app"),
            ]
            stack.enter_context(serving(command, ports[-1], BUILD / "log" / f"fleet-{number}.log", env))
        port = free_port()
        upstream = " ".join(f"server 127.0.0.1:{one} max_fails=0;" for one in ports)
        (here / "nginx.conf").write_text(NGINX.format(here=here, upstream=upstream, port=port))
        path = {"PATH": os.environ["PATH"] + ":/usr/sbin"}
        nginx = ["nginx", "-c", str(here / "nginx.conf"), "-e", str(here / "nginx.log")]
        os.environ.update(path)
        stack.enter_context(serving(nginx, port, BUILD / "log" / "fleet-nginx.log"))
        yield port, ports


class LostError(Exception):
    """A request failed twice."""


class Client(threading.Thread):
    """Sends one request after another, each at most twice, until it is told to stop."""

    def __init__(self, port: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.port, self.stop = port, stop
        self.ids = itertools.count(1)
        self.counts: Counter[str] = Counter()
        self.workers: set[str] = set()
        self.failures: list[str] = []

    def once(self, message: dict[str, Any], headers: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            every = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
            connection.request("POST", "/mcp", json.dumps(message), every)
            response = connection.getresponse()
            body = response.read()
            seen = {name.lower(): value for name, value in response.getheaders()}
            self.workers.add(seen.get("x-worker", "?"))
            return response.status, seen, json.loads(body) if body.startswith(b"{") else None
        finally:
            connection.close()

    def send(self, method: str, params: dict[str, Any], headers: dict[str, str]) -> tuple[dict[str, str], Any]:
        """The answer's headers and message. A proxy's error or a broken connection is tried once more."""
        notification = method.startswith("notifications/")
        message: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
        why = ""
        for attempt in ("first", "second"):
            if not notification:
                message["id"] = next(self.ids)
            try:
                status, seen, answer = self.once(message, headers)
            except (OSError, http.client.HTTPException, ValueError) as error:
                why = f"{type(error).__name__}: {error}"
            else:
                if status == (202 if notification else 200) and (notification or "result" in (answer or {})):
                    self.counts["sent"] += 1
                    self.counts["retried"] += attempt == "second"
                    return seen, answer
                why = f"status {status}: {answer}"
                if status < 500:
                    break
        raise LostError(f"{method}: {why}")

    def run(self) -> None:
        try:
            while not self.stop.is_set():
                self.turn()
        except LostError as lost:
            self.failures.append(str(lost))
        except (KeyError, AssertionError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def turn(self) -> None:
        raise NotImplementedError


class Old(Client):
    """A client of the handshake era: one initialize, and then calls for as long as the test runs."""

    headers: dict[str, str] | None = None

    def turn(self) -> None:
        if self.headers is None:
            seen, answer = self.send("initialize", HELLO, {})
            assert answer["result"]["protocolVersion"] == "2025-11-25"
            self.headers = {"MCP-Protocol-Version": "2025-11-25"}
            self.headers["Mcp-Session-Id"] = seen["mcp-session-id"]
            self.counts["sessions"] += 1
            self.send("notifications/initialized", {}, self.headers)
        a, b = random.randrange(1000), random.randrange(1000)
        _, answer = self.send("tools/call", {"name": "add", "arguments": {"a": a, "b": b}}, self.headers)
        assert answer["result"]["content"][0]["text"] == str(a + b), answer


class Stateless(Client):
    """A client of the stateless era: a call that asks, and a retry with the answer, which another worker gets."""

    def turn(self) -> None:
        headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "greet"}
        call: dict[str, Any] = {"name": "greet", "arguments": {}, "_meta": META}
        first, answer = self.send("tools/call", call, headers)
        assert answer["result"]["resultType"] == "input_required", answer
        name = f"user {random.randrange(1000)}"
        answers = {"name": {"action": "accept", "content": {"name": name}}}
        retry = {**call, "inputResponses": answers, "requestState": answer["result"]["requestState"]}
        second, answer = self.send("tools/call", retry, headers)
        assert answer["result"]["content"][0]["text"] == f"Hello, {name}!", answer
        self.counts["answered elsewhere"] += first.get("x-worker") != second.get("x-worker")


def worker_of(port: int) -> int | None:
    """The process that answers on a worker's own port."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/mcp")
        return int(connection.getresponse().getheader("X-Worker") or 0) or None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=30)
    seconds = parser.parse_args().seconds
    if not available():
        print("fleet: skipped: nginx or Redis is not here, and cannot be installed")
        return 1 if os.environ.get("CI") else 0
    stop = threading.Event()
    killed: set[int] = set()
    with fleet() as (port, ports):
        begin = time.monotonic()
        failures = together.check(port, ports)
        print(f"fleet: {len(failures)} failures of workers that work together, in {time.monotonic() - begin:.1f} s")
        clients: list[Client] = [kind(port, stop) for kind in (Old, Stateless) for _ in range(CLIENTS // 2)]
        for client in clients:
            client.start()
        for second in range(seconds):
            time.sleep(1)
            pid = worker_of(ports[second % WORKERS])
            if pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                killed.add(pid)
        stop.set()
        for client in clients:
            client.join(30)
    failures += [f"{type(client).__name__}: {failure}" for client in clients for failure in client.failures]
    counts: Counter[str] = sum((client.counts for client in clients), Counter())
    workers = set().union(*(client.workers for client in clients)) - {"?"}
    if len(killed) < seconds // 2 or not counts["answered elsewhere"] or len(workers) <= WORKERS:
        failures.append(f"too little happened: {len(killed)} killed, {len(workers)} seen, {dict(counts)}")
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"fleet: {dict(counts)}; {len(killed)} workers killed in {seconds} s, {len(workers)} answered")
    print(f"fleet: {counts['sent']} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
