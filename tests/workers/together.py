"""What four workers do together over Redis: tell of each other's changes, and bring each other answers.

check(port, ports)    port of nginx, ports of the workers themselves, so that it is known who asks and who is asked
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

MODERN, OLD = "2026-07-28", "2025-11-25"
COMMON = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
META = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
HELLO = {
    "protocolVersion": OLD,
    "capabilities": {"elicitation": {}},
    "clientInfo": {"name": "together", "version": "1"},
}
ROUNDS = 3
PLACES = 8  # of a process with threads, unless the server says otherwise
PATIENCE = 20.0  # seconds until something that should come at once counts as lost


class Exchange:
    """One request and its response, as it comes in."""

    def __init__(self, port: int, headers: dict[str, str], message: dict[str, Any] | None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        method, body = ("GET", None) if message is None else ("POST", json.dumps({"jsonrpc": "2.0", **message}))
        self.connection.request(method, "/mcp", body, {**COMMON, **headers})
        self.socket = self.connection.sock
        self.response = self.connection.getresponse()
        self.status = self.response.status

    def header(self, name: str) -> str:
        return self.response.getheader(name) or ""

    def messages(self) -> Iterator[dict[str, Any]]:
        """The messages of the response, event stream or not, as they come."""
        if not self.header("Content-Type").startswith("text/event-stream"):
            if body := self.response.read():
                yield json.loads(body)
            return
        for line in self.response:
            if line.startswith(b"data:") and line[5:].strip():
                yield json.loads(line[5:])

    def result(self) -> dict[str, Any]:
        """The one message there is."""
        (message,) = self.messages()
        return message

    def hang_up(self) -> None:
        """Go away as a client that is killed does."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.connection.close()


def modern(method: str, name: str = "") -> dict[str, str]:
    """The headers of a stateless request."""
    return {"MCP-Protocol-Version": MODERN, "Mcp-Method": method, **({"Mcp-Name": name} if name else {})}


def listen(port: int) -> Exchange:
    """Listen for changes of the list of tools, as a stateless client."""
    params = {"notifications": {"toolsListChanged": True}, "_meta": META}
    message = {"id": "l", "method": "subscriptions/listen", "params": params}
    return Exchange(port, modern("subscriptions/listen"), message)


def session(port: int) -> dict[str, str]:
    """The headers of a client of the handshake era after its handshake."""
    opened = Exchange(port, {}, {"id": 0, "method": "initialize", "params": HELLO})
    assert opened.result()["result"]["protocolVersion"] == OLD
    headers = {"MCP-Protocol-Version": OLD, "Mcp-Session-Id": opened.header("Mcp-Session-Id")}
    assert Exchange(port, headers, {"method": "notifications/initialized"}).status == 202
    return headers


class Listener(threading.Thread):
    """Reads an open response until its end."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(daemon=True)
        assert exchange.status == 200, exchange.status
        self.exchange = exchange
        self.heard: queue.SimpleQueue[str] = queue.SimpleQueue()

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            for message in self.exchange.messages():
                self.heard.put(str(message.get("method")))

    def next(self) -> str:
        """What is heard next."""
        try:
            return self.heard.get(timeout=PATIENCE)
        except queue.Empty:
            return "nothing"


# proves: S-234, S-331
def changes(port: int, ports: list[int]) -> Iterator[str]:
    """Every change on any worker is heard by the clients of all, of both eras."""
    # GET goes to the worker itself; its session was opened wherever nginx had it.
    listeners = [Listener(exchange) for one in ports for exchange in (listen(one), Exchange(one, session(port), None))]
    for one in listeners:
        one.start()
    for one in listeners[::2]:
        if (first := one.next()) != "notifications/subscriptions/acknowledged":
            yield f"the first message of a subscription is {first}"
    for number, worker in itertools.product(range(ROUNDS), range(len(ports))):
        params = {"name": "grow", "arguments": {"name": f"tool_{number}_{worker}"}, "_meta": META}
        call = {"id": 1, "method": "tools/call", "params": params}
        grown = Exchange(ports[worker], modern("tools/call", "grow"), call).result()
        assert grown["result"]["content"][0]["text"] == "grown", grown
        for index, one in enumerate(listeners):
            if (heard := one.next()) != "notifications/tools/list_changed":
                yield f"round {number}, change on worker {worker}, listener on worker {index // 2} heard {heard}"
    for one in listeners:
        one.exchange.hang_up()
        one.join(PATIENCE)
        if not one.heard.empty():
            yield f"a listener heard {one.heard.qsize()} more"


# proves: S-074
def answers(port: int, ports: list[int]) -> Iterator[str]:
    """A question of one worker is answered through another, for every pair of them."""
    headers = session(port)
    for asking, answering in itertools.permutations(range(len(ports)), 2):
        call = {"id": 7, "method": "tools/call", "params": {"name": "greet", "arguments": {}}}
        said = Exchange(ports[asking], headers, call).messages()
        question = next(said)
        if question.get("method") != "elicitation/create":
            yield f"worker {asking} did not ask: {question}"
            continue
        name = f"user {asking}{answering}"
        reply = {"id": question["id"], "result": {"action": "accept", "content": {"name": name}}}
        status = Exchange(ports[answering], headers, reply).status
        last = next(said)
        text = last.get("result", {}).get("content", [{}])[0].get("text")
        if (status, text) != (202, f"Hello, {name}!"):
            yield f"asked by worker {asking}, answered at {answering} ({status}): {last}"


def places(port: int, ports: list[int]) -> Iterator[str]:
    """There are only so many places, and who hangs up leaves its own to the next, at once."""
    for worker in ports:
        for turn in ("first", "second"):
            taken = [listen(worker) for _ in range(PLACES)]
            if statuses := [one.status for one in taken if one.status != 200]:
                yield f"{turn} {PLACES} listeners of one worker: {statuses}"
            if (more := listen(worker).status) != 503:
                yield f"one listener too many: {more}"
            for one in taken:
                one.hang_up()


def check(port: int, ports: list[int]) -> list[str]:
    """What is wrong."""
    return [wrong for part in (changes, answers, places) for wrong in part(port, ports)]
