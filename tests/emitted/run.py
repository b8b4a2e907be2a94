"""Every message that a server of ours sends in the tests is checked against the published JSON Schema of its revision.

run.py                transcripts of tests/vectors
run.py FILE...        and recorded traffic (tests/fixtures/recording.py), one exchange a line

The Python tests record too; `make test` gives the files of one run.
"""

# proves: S-001, S-002, S-003, S-007, S-008, S-011, S-025, S-030, S-031, S-032, S-033, S-034, S-035, S-036, S-069, S-109
# proves: S-192, S-235, S-268, S-283, S-326, S-351, S-352, S-353, T-059, T-063, T-069, T-127

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from broken import BROKEN
from oracle import NEWEST, OWN, Oracle, Schemas

from serving import MODULES, NODE, ROOT, python

VECTORS = ROOT / "tests" / "vectors"
VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
ASSUMED = "2025-03-26"


def parsed(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None


def claim(message: Any) -> str | None:
    """The revision a stateless message is of."""
    params = message.get("params") if isinstance(message, dict) else None
    meta = params.get("_meta") if isinstance(params, dict) else None
    return NEWEST if isinstance(meta, dict) and VERSION_KEY in meta else None


def events(body: str) -> list[str]:
    """The messages of a response, be it one or a stream."""
    if body.startswith(("{", "[")):
        return [body]
    pieces = [event.split("\n") for event in body.replace("\r\n", "\n").split("\n\n")]
    joined = ("\n".join(line[5:].lstrip() for line in lines if line.startswith("data:")) for lines in pieces)
    return [data for data in joined if data]


class Check:
    """Counts what was checked and what was wrong."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.checked: Counter[str] = Counter()
        self.wrong: list[str] = []

    def message(self, where: str, revision: str, text: str, asked: str | None) -> None:
        self.checked[revision] += 1
        for fault in self.oracle.check(revision, json.loads(text), asked):
            self.wrong.append(f"{where}: {fault}\n       {text[:300]}")

    def duplex(self, file: dict[str, Any]) -> None:
        """A session: what is sent belongs to the request it answers, to the one in work, or to the session."""
        session = NEWEST
        asked: dict[str, str] = {}
        spoken: dict[str, str] = {}
        for step in file["steps"]:
            if step.get("fresh"):
                session, asked, spoken = NEWEST, {}, {}
            message = parsed(step.get("in"))
            for one in message if isinstance(message, list) else [message]:
                if isinstance(one, dict) and "method" in one and "id" in one:
                    key = json.dumps(one["id"])
                    asked.setdefault(key, one["method"])
                    spoken.setdefault(key, claim(one) or session)
            here = claim(message) or session
            if "tell" in step:
                here = session
            for text in step["out"]:
                sent = json.loads(text)
                key = json.dumps(sent.get("id")) if isinstance(sent, dict) else ""
                answer = isinstance(sent, dict) and "method" not in sent
                revision = spoken.get(key, here) if answer else here
                if answer and asked.get(key) == "initialize" and "result" in sent:
                    revision = session = sent["result"]["protocolVersion"]
                if "subscriptionId" in text:
                    revision = NEWEST
                method = asked.pop(key, None) if answer else None
                if method == "ping" and "result" in sent and revision == NEWEST:
                    revision = "2024-11-05"  # before any handshake
                if answer:
                    spoken.pop(key, None)
                self.message(f"{file['name']}: {step['about']}", revision, text, method)

    def exchange(self, where: str, request: dict[str, Any], response: dict[str, Any], sessions: dict[str, str]) -> None:
        """One HTTP exchange. `sessions`: revisions by session id."""
        headers = {name.lower(): value.strip() for name, value in request["headers"]}
        message = parsed(request.get("body"))
        asked = message.get("method") if isinstance(message, dict) else None
        version = headers.get("mcp-protocol-version")
        known = sessions.get(request.get("session") or headers.get("mcp-session-id", ""))
        revision = claim(message) or known or (ASSUMED if version is None else version if version in OWN else NEWEST)
        if version == NEWEST or (version is not None and version not in OWN):
            revision = NEWEST
        for text in events(response["body"]):
            sent = json.loads(text)
            if asked == "initialize" and "result" in sent:
                revision = sent["result"].get("protocolVersion", revision)
            answer = isinstance(sent, dict) and "method" not in sent
            if answer and "error" in sent and "id" not in sent and revision != NEWEST:
                self.message(where, "2025-11-25", text, None)  # nobody knows yet who asks
                continue
            self.message(where, revision, text, asked if answer else None)
        if (opened := response.get("opens")) is not None:
            sessions[opened] = revision

    def transcripts(self) -> None:
        for path in sorted(VECTORS.glob("*.json")):
            file = json.loads(path.read_text("utf-8"))
            if file["channel"] == "duplex":
                self.duplex(file)
            elif file["channel"] == "http":
                sessions: dict[str, str] = {}
                for step in file["steps"]:
                    response = {**step["response"], "opens": step.get("opens")}
                    self.exchange(f"{file['name']}: {step['about']}", step["request"], response, sessions)

    def traffic(self, path: Path) -> None:
        sessions: dict[str, str] = {}
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            record = json.loads(line)
            headers = {name.lower(): value for name, value in record["response"]["headers"]}
            response = {**record["response"], "opens": headers.get("mcp-session-id")}
            self.exchange(f"{path.name}, line {number}", record["request"], response, sessions)


def traffic(arguments: list[str]) -> Iterator[Path]:
    for name in arguments:
        path = Path(name)
        if not path.is_file() or not path.stat().st_size:
            raise SystemExit(f"{path} holds no traffic: run what records it first")
        yield path


def main() -> int:
    bundle = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
    first = (python("mcp0"), str(Path(__file__).with_name("first.py")))
    check = Check(Oracle(Schemas(str(NODE), str(bundle), first)))
    for revision, text, asked in BROKEN:
        if not list(check.oracle.check(revision, json.loads(text), asked)):
            check.wrong.append(f"not found in {revision}: {text}")
    check.transcripts()
    for path in traffic(sys.argv[1:]):
        check.traffic(path)
    for what in check.wrong[:40]:
        print(f"FAIL {what}")
    total = sum(check.checked.values())
    print("emitted: " + ", ".join(f"{count} of {name}" for name, count in sorted(check.checked.items())))
    print(f"emitted: {total - len(check.wrong)} passed, {len(check.wrong)} failed")
    return 1 if check.wrong or total < 500 else 0


if __name__ == "__main__":
    sys.exit(main())
