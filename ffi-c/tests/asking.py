"""The fixture server from outside, where it asks, remembers and listens: standard input and output, then HTTP.

asking.py SERVER      tests/fixtures/c_server.c, built; a sanitizer in it speaks up through its exit code
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

from network import HELLO, check, running, summary

Json = dict[str, Any]
SILENCE_S = 25  # longer than the slowest tool
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {
        "elicitation": {},
        "extensions": {"io.modelcontextprotocol/tasks": {}},
    },
}
OPEN = HELLO | {"capabilities": {"elicitation": {}, "sampling": {}}}
ADA = {"action": "accept", "content": {"username": "ada", "email": "a@example.com"}}


def request(id_: int, method: str, params: Json) -> Json:
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


def call(id_: int, name: str, /, meta: Json | None = None, more: Json | None = None, **arguments: object) -> Json:
    params = {"name": name, "arguments": arguments} | (more or {})
    return request(id_, "tools/call", params if meta is None else params | {"_meta": meta})


def text(message: Json) -> str:
    return str(message["result"]["content"][0]["text"])


class Stdio:
    def __init__(self, server: str) -> None:
        self.process = subprocess.Popen([server, "stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, *messages: Json) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"".join(json.dumps(message).encode() + b"\n" for message in messages))
        self.process.stdin.flush()

    def hear(self) -> Json:
        assert self.process.stdout is not None
        message: Json = json.loads(self.process.stdout.readline())
        return message

    def end(self) -> int:
        assert self.process.stdin is not None
        self.process.stdin.close()
        return self.process.wait(20)


def stdio(server: str) -> None:
    peer = Stdio(server)
    peer.tell(request(0, "initialize", OPEN))
    peer.hear()
    peer.tell({"jsonrpc": "2.0", "method": "notifications/initialized"}, call(1, "test_elicitation", message="Who?"))
    asked = peer.hear()
    check(asked.get("method") == "elicitation/create" and asked["params"]["message"] == "Who?", f"a question: {asked}")
    # The session goes on while it waits, even with a call that asks too.
    peer.tell(request(2, "ping", {}), call(3, "test_sampling", prompt="Say hi"))
    check(peer.hear() == {"jsonrpc": "2.0", "id": 2, "result": {}}, "a ping while a question is open")
    inner = peer.hear()
    check(inner.get("method") == "sampling/createMessage", f"a question within: {inner}")
    said = {"role": "assistant", "content": {"type": "text", "text": "hi"}, "model": "m"}
    peer.tell({"jsonrpc": "2.0", "id": inner["id"], "result": said})
    sampled = peer.hear()
    check(sampled["id"] == 3 and '"hi"' in text(sampled), f"the inner call ends: {sampled}")
    peer.tell({"jsonrpc": "2.0", "id": asked["id"], "result": ADA})
    done = peer.hear()
    check(done["id"] == 1 and "a@example.com" in text(done), f"the outer call ends: {done}")
    # Stateless: every hop is a call of its own, on the same channel.
    more: Json = {}
    for hop, name in enumerate(("step1", "step2")):
        peer.tell(call(10 + hop, "test_input_required_result_multi_round", META, more))
        result = peer.hear()["result"]
        check(list(result["inputRequests"]) == [name], f"hop {hop}: {result}")
        field = "name" if name == "step1" else "color"
        answer = {"action": "accept", "content": {field: f"my {field}"}}
        more = {"inputResponses": {name: answer}, "requestState": result["requestState"]}
    peer.tell(call(12, "test_input_required_result_multi_round", META, more))
    done = peer.hear()
    check("my name" in text(done) and "my color" in text(done), f"both answers: {done}")
    more["requestState"] = more["requestState"][:-4] + "AAAA"
    peer.tell(call(13, "test_input_required_result_multi_round", META, more))
    check(peer.hear()["error"]["code"] == -32602, "a forged state")
    code = peer.end()
    check(code == 0, f"stdio ended with {code}")


class Client:
    """Speaks HTTP to the fixture, in the handshake era once a session is open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.session: str | None = None

    def open(
        self, method: str, body: Json | None, after: str | None = None
    ) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        headers = {"Accept": "application/json, text/event-stream"}
        if after is not None:
            headers["Last-Event-ID"] = after
        params = body.get("params", {}) if body else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        if "io.modelcontextprotocol/protocolVersion" in params.get("_meta", {}):
            headers |= {"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": body["method"] if body else ""}
            if name := params.get("name", params.get("taskId")):
                headers["Mcp-Name"] = name
        elif self.session is not None:
            headers |= {"MCP-Protocol-Version": "2025-11-25", "Mcp-Session-Id": self.session}
        connection.request(method, "/mcp", None if body is None else json.dumps(body), headers)
        return connection.getresponse(), connection

    def ask(self, body: Json) -> Json:
        """The answer of a call that may come as a stream."""
        response, connection = self.open("POST", body)
        message = list(events(response))[-1]
        connection.close()
        return message

    def post(self, body: Json) -> int:
        response, connection = self.open("POST", body)
        response.read()
        connection.close()
        return response.status


def events(response: http.client.HTTPResponse, ids: list[str] | None = None) -> Iterator[Json]:
    """The messages of a response, be it one or a stream; the ids of its events are added to `ids`."""
    if response.getheader("Content-Type") != "text/event-stream":
        yield json.loads(response.read())
        return
    heard = time.monotonic()
    for line in response:
        # Comments keep a stream open for ever: what does not come is missed all the same.
        if time.monotonic() - heard > SILENCE_S:
            raise TimeoutError("no event came")
        if line.startswith(b"id: ") and ids is not None:
            ids.append(line[4:].decode().strip())
        if line.startswith(b"data: {"):
            yield json.loads(line[6:])
            heard = time.monotonic()


def sessions(port: int) -> None:
    client = opened(port)
    check(client.session is not None and len(client.session) == 32, "a session has an id")
    watched, watching = client.open("GET", None)
    watched_ids: list[str] = []
    stream = events(watched, watched_ids)
    uri = "test://watched-resource"
    client.ask(request(1, "resources/subscribe", {"uri": uri}))
    client.ask(call(2, "test_trigger_tool_change"))
    heard = [next(stream)["method"] for _ in range(2)]
    check(heard == ["notifications/tools/list_changed"] * 2, f"the list has changed twice: {heard}")

    asking, line = client.open("POST", call(3, "test_elicitation", message="Who?"))
    stream3 = events(asking)
    question = next(stream3)
    check(question["method"] == "elicitation/create", f"a question on the call's stream: {question}")
    stranger = Client(port)
    stranger.session = "0" * 32
    answer = {"jsonrpc": "2.0", "id": question["id"], "result": ADA}
    check(stranger.post(answer) == 404, "nobody else answers it")
    check(client.post(answer) == 202, "its client does, in a request of its own")
    done = next(stream3)
    check("ada" in text(done), f"the call ends: {done}")
    line.close()

    # A response that ends before its answer, which is there when its client comes back.
    ids: list[str] = []
    closed, line = client.open("POST", call(4, "test_reconnection"))
    check(list(events(closed, ids)) == [] and len(ids) >= 1, f"the response ends early: {ids}")
    line.close()
    rest, line = client.open("GET", None, ids[-1])
    done = next(events(rest))
    check("completed" in text(done) and done["id"] == 4, f"the answer, later: {done}")
    line.close()
    refused, line = client.open("GET", None, "nothing-1")
    check(refused.status == 400, "nothing is kept of a stream that never was")
    line.close()
    # The session's own stream is lost, and gone on with.
    watching.close()
    client.ask(call(5, "test_trigger_prompt_change"))
    back, watching = client.open("GET", None, watched_ids[-1])
    stream = events(back)
    heard = [next(stream)["method"] for _ in range(2)]
    check(heard == ["notifications/prompts/list_changed"] * 2, f"what was missed: {heard}")
    client.ask(call(6, "test_trigger_tool_change"))
    check(next(stream)["method"] == "notifications/tools/list_changed", "and what comes then")
    next(stream)

    gone, line = client.open("DELETE", None)
    check(gone.status == 200 and list(stream) == [], "DELETE ends the session and its stream")
    line.close()
    watching.close()
    check(client.post(request(7, "ping", {})) == 404, "after it the id is unknown")


def opened(port: int) -> Client:
    """A client with a session that is ready."""
    client = Client(port)
    response, connection = client.open("POST", request(0, "initialize", OPEN))
    client.session = response.getheader("Mcp-Session-Id")
    response.read()
    connection.close()
    check(client.post({"jsonrpc": "2.0", "method": "notifications/initialized"}) == 202, "it is ready")
    return client


def lost(port: int) -> None:
    """A tool that works in vain is told so, and tells those who listen."""
    listener = opened(port)
    response, listening = listener.open("GET", None)
    heard = events(response)
    uri = "test://watched-resource"
    listener.ask(request(1, "resources/subscribe", {"uri": uri}))

    def told(why: str) -> None:
        said = next(heard)
        check(said.get("method") == "notifications/resources/updated", f"{why}: {said}")

    wait = {"progressToken": "w"}  # it says that it works: the response has begun when the head is here
    # Stateless: the connection is the request.
    waiting, line = Client(port).open("POST", call(2, "test_wait", META | wait))
    waiting.close()
    line.close()
    told("a connection is lost")
    # In a session, the client says so in another request; what it asks with an id of its own goes on.
    client = opened(port)
    taken_back, line = client.open("POST", call(3, "test_wait", wait))
    client.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 99}})
    client.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 3}})
    told("a request is taken back")
    check(list(events(taken_back))[1:] == [], "it is not answered")
    line.close()
    asking, line = client.open("POST", call(4, "test_elicitation", message="Who?"))
    client.post({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 4}})
    said = [message.get("method") for message in events(asking)]
    check(said[0] == "elicitation/create" and "id" not in said, f"a question ends with its call: {said}")
    line.close()
    # A session that ends takes back what it has in work.
    waiting, line = client.open("POST", call(5, "test_wait", wait))
    gone, ending = client.open("DELETE", None)
    gone.read()
    told("a session ends")
    check(list(events(waiting))[1:] == [], "it is not answered either")
    for connection in (ending, line, listening):
        connection.close()


def tasks(port: int) -> None:
    client = Client(port)
    made = client.ask(call(1, "slow_compute", META, seconds=60, label="x"))["result"]
    check(made["resultType"] == "task" and made["status"] == "working", f"a task: {made}")
    filters = {"notifications": {"taskIds": [made["taskId"]]}, "_meta": META}
    response, connection = client.open("POST", request(2, "subscriptions/listen", filters))
    stream = events(response)
    check(next(stream)["method"] == "notifications/subscriptions/acknowledged", "the client listens to its task")
    named = {"taskId": made["taskId"], "_meta": META}
    check(client.ask(request(3, "tasks/cancel", named))["result"]["resultType"] == "complete", "it takes it back")
    said = next(stream)
    check(said["params"]["status"] == "cancelled", f"and hears of it: {said}")
    check(client.ask(request(4, "tasks/get", named))["result"]["status"] == "cancelled", "and can see it")
    connection.close()
    made = client.ask(call(5, "confirm_delete", META, filename="a.txt"))["result"]
    named["taskId"] = made["taskId"]
    for _ in range(100):
        seen = client.ask(request(6, "tasks/get", named))["result"]
        if seen["status"] == "input_required":
            break
    check(list(seen.get("inputRequests", {})) == ["confirm"], f"a task asks: {seen}")
    answers = {"inputResponses": {"confirm": {"action": "accept", "content": {"confirm": True}}}}
    client.ask(request(7, "tasks/update", named | answers))
    for _ in range(100):
        seen = client.ask(request(8, "tasks/get", named))["result"]
        if seen["status"] == "completed":
            break
    check(seen["status"] == "completed", f"and ends: {seen}")


def main() -> int:
    server = sys.argv[1]
    stdio(server)
    with running(server, "http") as (port, _):
        sessions(port)
        lost(port)
        tasks(port)
    return summary("asking")


if __name__ == "__main__":
    sys.exit(main())
