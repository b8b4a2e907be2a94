"""`make demo`: an existing Flask app answers MCP. Plain curl first, then real clients; every answer is compared.

The app is bindings-python/examples/policies.py on 127.0.0.1:3000 (another port only when that one is taken).
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from serving import BUILD, EXAMPLES, ROOT, free_port, port_is_free, python, serving

KEY = ["-H", "x-api-key: demo-key"]


class Demo:
    """Shows a request and its answer, and counts what held."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.passed = 0
        self.failed = 0

    def curl(self, arguments: list[str]) -> tuple[int, Any, str]:
        """Runs curl as it is shown; gives status, JSON body (None when it is none) and the raw body."""
        shown = " ".join(
            part if part in ("-X", "-H", "-d", "-i", "POST", "GET") else shlex.quote(part) for part in arguments
        )
        print(f"  $ curl {shown}")
        done = subprocess.run(
            ["curl", "--silent", "--show-error", "--max-time", "20", "--write-out", "\n%{http_code}", *arguments],
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise SystemExit(f"curl ended with {done.returncode}: {done.stderr}")
        body, _, status = done.stdout.rpartition("\n")
        print(textwrap.indent(f"HTTP {status}  {body if len(body) <= 600 else body[:600] + ' …'}", "    "))
        try:
            return int(status), json.loads(body), body
        except ValueError:
            return int(status), None, body

    def rpc(self, message: str, headers: list[str] | None = None) -> tuple[int, Any, str]:
        """One message posted to the endpoint, with nothing but a Content-Type and a key."""
        json_type = ["-H", "Content-Type: application/json"]
        return self.curl(["-X", "POST", f"{self.base}/mcp", *json_type, *(headers or KEY), "-d", message])

    def holds(self, truth: bool, what: str) -> None:
        self.passed, self.failed = (self.passed + 1, self.failed) if truth else (self.passed, self.failed + 1)
        print(f"    {'ok  ' if truth else 'FAIL'} {what}")


def title(text: str) -> None:
    print(f"\n{text}")


def plain_curl(demo: Demo) -> None:
    title("The app as it was: its own API, behind its own key")
    status, body, _ = demo.curl([*KEY, f"{demo.base}/api/policies?q=remote"])
    demo.holds(status == 200 and body[0]["id"] == "HR-101", "the search works as before")

    title("MCP: which tools are there?")
    status, body, raw = demo.rpc('{"jsonrpc":"2.0","method":"tools/list","params":{},"id":1}')
    result = body["result"] if status == 200 else {}
    demo.holds(status == 200 and body["jsonrpc"] == "2.0" and body["id"] == 1, "200, and the id comes back")
    names = [tool["name"] for tool in result.get("tools", [])]
    demo.holds(names == ["search_policies", "get_policy"], "both tools are listed, in the order of registration")
    schema = result["tools"][0]["inputSchema"]
    demo.holds(schema["properties"]["limit"]["type"] == "integer", "the schema is made from the annotations")
    demo.holds("Search terms" in schema["properties"]["query"]["description"], "descriptions from the docstring")
    demo.holds("null" not in raw, "nothing that is absent is written as null")

    title("Call one")
    call = '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"%s","arguments":%s},"id":"%s"}'
    status, body, _ = demo.rpc(call % ("search_policies", '{"query":"travel expenses","limit":2}', "a"))
    hits = json.loads(body["result"]["content"][0]["text"])
    demo.holds(status == 200 and body["id"] == "a" and hits[0]["id"] == "FIN-201", "the best hit is FIN-201")
    demo.holds(not body["result"].get("isError"), "it is no error")

    title("A tool that does not exist")
    status, body, _ = demo.rpc(call % ("search_polices", '{"query":"x"}', "b"))
    demo.holds(status == 200 and body["error"]["code"] == -32602 and body["id"] == "b", "error -32602, with the id")
    demo.holds("search_polices" in body["error"]["message"], "the message names the tool")

    title("A wrong argument")
    status, body, _ = demo.rpc(call % ("search_policies", '{"query":"leave","limit":"many"}', "c"))
    text = body["result"]["content"][0]["text"]
    demo.holds(status == 200 and body["result"]["isError"] is True, "a result the model can read, marked isError")
    demo.holds("limit" in text and "int" in text, "it names the argument and what was expected")
    status, body, _ = demo.rpc(call % ("search_policies", "{}", "d"))
    demo.holds(
        body["result"]["isError"] is True and "query" in body["result"]["content"][0]["text"], "so with a missing one"
    )

    title("A wrong key, and none")
    ask = '{"jsonrpc":"2.0","method":"tools/list","params":{},"id":2}'
    status, _, raw = demo.rpc(ask, ["-H", "x-api-key: guess"])
    demo.holds(status == 401 and "search_policies" not in raw, "401, and nothing is told")
    status, _, _ = demo.curl(["-X", "POST", f"{demo.base}/mcp", "-H", "Content-Type: application/json", "-d", ask])
    demo.holds(status == 401, "401")

    title("Malformed JSON")
    status, body, _ = demo.rpc('{"jsonrpc":"2.0","method":"tools/list",')
    demo.holds(status == 400 and body["error"]["code"] == -32700 and "id" not in body, "400, error -32700, no id")

    title("The newest revision, 2026-07-28, on the same endpoint: no handshake")
    meta = (
        '"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",'
        '"io.modelcontextprotocol/clientCapabilities":{}}'
    )
    modern = [*KEY, "-H", "MCP-Protocol-Version: 2026-07-28", "-H"]
    message = '{"jsonrpc":"2.0","id":3,"method":"server/discover","params":{' + meta + "}}"
    status, body, _ = demo.rpc(message, [*modern, "Mcp-Method: server/discover"])
    demo.holds(status == 200 and body["result"]["resultType"] == "complete", "discovered")
    demo.holds(len(body["result"]["supportedVersions"]) == 5, "all five revisions are offered")

    title("The oldest revision, 2024-11-05, on the same endpoint: the handshake, but no session")
    hello = '"protocolVersion":"2024-11-05","capabilities":{},"clientInfo":{"name":"curl","version":"1"}'
    message = '{"jsonrpc":"2.0","id":4,"method":"initialize","params":{' + hello + "}}"
    status, _, raw = demo.rpc(message, ["-i", *KEY])
    head, _, text = raw.replace("\r", "").partition("\n\n")
    answered = json.loads(text)["result"]["protocolVersion"]
    demo.holds(status == 200 and answered == "2024-11-05", "the revision that was asked for")
    demo.holds("mcp-session-id" not in head.lower(), "no session: any worker can answer what follows")


def real_clients(demo: Demo) -> None:
    title("Clients nobody here wrote, against this app and the data analytics example, over HTTP and stdio")
    command = [sys.executable, str(ROOT / "tests" / "clients" / "run.py"), "--policies", f"{demo.base}/mcp"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(textwrap.indent(done.stdout, "  "), end="")
    demo.holds(done.returncode == 0, "every client lists and calls, in every era it speaks")


def main() -> int:
    if shutil.which("curl") is None:
        raise SystemExit("the demo shows plain curl, and there is no curl on this machine")
    port = 3000
    if not port_is_free(port):
        port = free_port()
        print(f"Port 3000 of 127.0.0.1 is taken by another program; the demo runs on port {port} instead.")
    print(f"Starting the Flask app bindings-python/examples/policies.py on 127.0.0.1:{port}")
    log = BUILD / "log" / "demo.log"
    demo = Demo(f"http://127.0.0.1:{port}")
    with serving([python(), str(EXAMPLES / "policies.py"), str(port)], port, log):
        plain_curl(demo)
        real_clients(demo)
    print(f"\ndemo: {demo.passed} passed, {demo.failed} failed")
    return 1 if demo.failed else 0


if __name__ == "__main__":
    sys.exit(main())
