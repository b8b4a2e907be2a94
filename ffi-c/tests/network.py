"""The network examples, from outside: a thousand connections on the epoll loop's one thread, and the existing
application with its /mcp, streaming included.

    network.py EXAMPLES      the folder with epoll_server and existing_app
"""

from __future__ import annotations

import http.client
import json
import pathlib
import resource
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

CONNECTIONS = 1000
passed = failed = 0


def check(holds: bool, what: str) -> None:
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"wrong: {what}", file=sys.stderr)


def summary(program: str) -> int:
    print(f"{program}: {passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(*program: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    port = free_port()
    server = subprocess.Popen([*program, str(port)])
    try:
        for _ in range(100):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield port, server
        server.terminate()
        check(server.wait(20) == 0, f"{program[0]} ended with {server.returncode}")
    finally:
        server.kill()


def message(id_: int, method: str, params: Mapping[str, object]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode() + b"\n"


HELLO: dict[str, object] = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "t", "version": "1"},
}


def threads(pid: int) -> int:
    return len(list(pathlib.Path(f"/proc/{pid}/task").iterdir()))


def many(examples: pathlib.Path) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, max(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    with running(str(examples / "epoll_server")) as (port, server):
        clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
        waiting: dict[socket.socket, bytes] = dict.fromkeys(clients, b"")
        began = time.monotonic()
        for client in clients:
            # In pieces that end anywhere, and more than one message in a piece.
            data = message(1, "initialize", HELLO) + message(2, "tools/call", {"name": "later"})
            data += message(3, "tools/call", {"name": "now"})
            client.sendall(data[:50])
            client.sendall(data[50:])
        done = 0
        with selectors.DefaultSelector() as selector:
            for client in clients:
                selector.register(client, selectors.EVENT_READ)
            while done < CONNECTIONS and time.monotonic() - began < 30:
                for key, _ in selector.select(1):
                    one = key.fileobj
                    assert isinstance(one, socket.socket)
                    waiting[one] += one.recv(65536)
                    if waiting[one].count(b"\n") == 3:
                        done += 1
                        selector.unregister(one)
        took = time.monotonic() - began
        check(done == CONNECTIONS, f"{done} of {CONNECTIONS} connections have all their answers")
        check(threads(server.pid) == 1, "the loop has one thread")
        right = 0
        for text in waiting.values():
            answers = [json.loads(line) for line in text.splitlines()]
            said = [answer["result"].get("content", [{}])[0].get("text") for answer in answers]
            right += [answer["id"] for answer in answers] == [1, 3, 2] and said == [None, "now", "later"]
        check(right == CONNECTIONS, f"{right} connections got the answers in the order they were ready")
        for client in clients:
            client.close()
        print(f"{done} connections, {3 * done} messages on one thread in {took:.2f} s")


def post(
    port: int, body: dict[str, object], accept: str
) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/json", "Accept": accept}
    connection.request("POST", "/mcp", json.dumps(body), headers)
    return connection.getresponse(), connection


def application(examples: pathlib.Path) -> None:
    with running(str(examples / "existing_app")) as (port, _):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/orders")
        check(connection.getresponse().read().startswith(b"anvil\n"), "the application's own page is served")
        connection.close()
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count_orders"}}
        response, connection = post(port, call, "application/json")
        result = json.loads(response.read())["result"]
        check(response.status == 200 and result["content"][0]["text"] == "3 orders", f"a call: {result}")
        connection.close()
        track: dict[str, object] = {
            "jsonrpc": "2.0",
            "id": 2,
            "method": "tools/call",
            "params": {"name": "track_order", "arguments": {"number": 2}, "_meta": {"progressToken": "p"}},
        }
        # A machine that is busy may give us late what came in time, but not early what came late: one of five will do.
        for _ in range(5):
            response, connection = post(port, track, "application/json, text/event-stream")
            check(response.getheader("Content-Type") == "text/event-stream", "progress makes it a stream")
            times, events = [], []
            for line in response:
                if line.startswith(b"data: "):
                    times.append(time.monotonic())
                    events.append(json.loads(line[6:]))
            connection.close()
            check([event.get("method") for event in events] == ["notifications/progress"] * 3 + [None], f"{events}")
            said = events[-1]["result"]["content"][0]["text"]
            check(said == "rocket skates: on its way", "the stream ends in the result")
            if times[-1] - times[0] > 0.08:
                break
        else:
            check(False, "what is reported arrives while the tool works")
        track["params"] = {"name": "track_order", "arguments": {"number": 9}}
        response, connection = post(port, track, "application/json")
        check(json.loads(response.read())["result"]["isError"] is True, "a failure of the tool is a result")
        connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", "/mcp")
        check(connection.getresponse().status == 405, "GET is not served")
        connection.close()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.putrequest("POST", "/mcp")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(5 << 20))
        connection.endheaders()
        status = connection.getresponse().status
        check(status == 413, f"a body that will be too long is refused before it comes: {status}")
        connection.close()
        # A client that goes away in the middle of its stream does no harm.
        for _ in range(5):
            track["params"] = {"name": "track_order", "arguments": {"number": 1}, "_meta": {"progressToken": 1}}
            response, connection = post(port, track, "application/json, text/event-stream")
            response.readline()
            connection.close()
        response, connection = post(port, call, "application/json")
        check(response.status == 200, "it still answers")
        connection.close()


def main() -> int:
    examples = pathlib.Path(sys.argv[1])
    many(examples)
    application(examples)
    return summary("network")


if __name__ == "__main__":
    sys.exit(main())
