"""Says what is wrong with a message a server sent: by the published JSON Schema of its revision, and by the rules on
codes, ids and `_meta` keys that a schema does not hold."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import jsonschema
from jsonschema.validators import validator_for

NEWEST = "2026-07-28"
STANDARD = {-32700, -32600, -32601, -32602, -32603}
OWN = {
    "2024-11-05": {-32002},
    "2025-03-26": {-32002},
    "2025-06-18": {-32002},
    "2025-11-25": {-32002, -32042},
    NEWEST: {-32020, -32021, -32022},
}
META = {
    f"io.modelcontextprotocol/{name}"
    for name in ("protocolVersion", "clientCapabilities", "clientInfo", "serverInfo", "subscriptionId", "related-task")
}
LABEL = r"[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
KEY = re.compile(rf"(?:(?P<prefix>{LABEL}(?:\.{LABEL})*)/)?(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?)?")


def is_base64(value: object) -> bool:
    return not isinstance(value, str) or base64.b64decode(value, validate=True) is not None


def is_uri(value: object) -> bool:
    return not isinstance(value, str) or re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value) is not None


FORMATS = jsonschema.FormatChecker(formats=())
FORMATS.checks("byte", ValueError)(is_base64)
FORMATS.checks("uri")(is_uri)


def reserved(prefix: str) -> bool:
    """Whether a prefix is the protocol's own, by the rule of any revision."""
    labels = prefix.lower().split(".")
    return any(label in ("mcp", "modelcontextprotocol") for label in labels[:2])


class Schemas:
    """The schemas of all revisions, and validators of their definitions."""

    def __init__(self, node: str, bundle: str, first: tuple[str, str]) -> None:
        """`node` and the suite's bundle give four of them; `first`, an interpreter and a script, the oldest."""
        from pathlib import Path

        here = Path(__file__).parent
        four = subprocess.run([node, here / "schemas.mjs", bundle], capture_output=True, check=True)
        oldest = subprocess.run(first, capture_output=True, check=True)
        self.by_revision: dict[str, dict[str, Any]] = json.loads(four.stdout) | json.loads(oldest.stdout)
        if set(self.by_revision) != set(OWN):
            raise SystemExit(f"schemas: found {sorted(self.by_revision)}")
        for revision in ("2025-06-18", "2025-11-25"):
            # Published as whole numbers by mistake; the next revision corrects it.
            number = self.definitions(revision)["NumberSchema"]["properties"]
            for name in {"minimum", "maximum", "default"} & set(number):
                number[name]["type"] = "number"
        self.validator = cache(self._validator)

    def definitions(self, revision: str) -> dict[str, Any]:
        schema = self.by_revision[revision]
        found: dict[str, Any] = schema.get("$defs") or schema["definitions"]
        return found

    def _validator(self, revision: str, name: str) -> Any:
        schema = self.by_revision[revision]
        where = "$defs" if "$defs" in schema else "definitions"
        return validator_for(schema)({**schema, "$ref": f"#/{where}/{name}"}, format_checker=FORMATS)

    def named(self, revision: str, method: str) -> str | None:
        """The definition of the request or notification of this method."""
        for name, definition in self.definitions(revision).items():
            if definition.get("properties", {}).get("method", {}).get("const") == method:
                return str(name)
        return None

    def faults(self, revision: str, name: str, value: Any) -> Iterator[str]:
        for error in self.validator(revision, name).iter_errors(value):
            yield f"{revision} {name}{error.json_path[1:]}: {error.message[:200]}"


class Oracle:
    """Checks messages; `asked` is the method of the request that a result answers."""

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas

    def check(self, revision: str, message: Any, asked: str | None = None) -> Iterator[str]:
        if isinstance(message, list):
            if revision != "2025-03-26" or not message:
                yield f"an array in {revision}"
            for one in message:
                yield from self.check(revision, one, None)
            return
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            yield "no JSON-RPC 2.0 message"
            return
        if sum(name in message for name in ("method", "result", "error")) != 1:
            yield "not exactly one of method, result and error"
            return
        yield from self.meta(message)
        definitions = self.schemas.definitions(revision)
        if "method" in message:
            if "id" in message and revision == NEWEST:
                yield "a request of the server's own in the stateless era"
            if "id" in message and (isinstance(message["id"], bool) or not isinstance(message["id"], int | str)):
                yield f"a request with the id {message['id']!r}"
            plain = "JSONRPCRequest" if "id" in message else "JSONRPCNotification"
            yield from self.schemas.faults(revision, self.schemas.named(revision, message["method"]) or plain, message)
            return
        if "error" in message:
            yield from self.error(revision, message)
            return
        whole = "JSONRPCResultResponse" if "JSONRPCResultResponse" in definitions else "JSONRPCResponse"
        yield from self.schemas.faults(revision, whole, message)
        result = message["result"]
        if revision == NEWEST and result.get("resultType") not in ("complete", "input_required", "task"):
            yield f"resultType {result.get('resultType')!r}"
        if revision != NEWEST and {"resultType", "ttlMs", "cacheScope", "inputRequests"} & set(result):
            yield f"members of the stateless era in {revision}"
        if result.get("resultType") == "input_required":
            yield from self.schemas.faults(revision, "InputRequiredResult", result)
            if asked not in (None, "tools/call", "prompts/get", "resources/read"):
                yield f"input_required answers {asked}"
        elif asked is not None and (request := self.schemas.named(revision, asked)) is not None:
            name = request.removesuffix("Request") + "Result"
            if asked == "tools/call" and "task" in result:
                name = "CreateTaskResult"
            if name in definitions and result.get("resultType") != "task":
                yield from self.schemas.faults(revision, name, result)

    def error(self, revision: str, message: dict[str, Any]) -> Iterator[str]:
        error = message["error"]
        code = error.get("code") if isinstance(error, dict) else None
        if not isinstance(code, int) or not isinstance(error.get("message"), str):
            yield "an error without code and message"
            return
        if not error["message"] or "\n" in error["message"] or len(error["message"]) > 300:
            yield f"no concise message: {error['message']!r}"
        if -32768 <= code <= -32000 and code not in STANDARD | OWN[revision]:
            yield f"code {code} in {revision}"
        if "id" in message and message["id"] is None and revision in ("2024-11-05", "2025-03-26", "2025-06-18"):
            # Their schemas want an id, JSON-RPC wants null where none could be read; so do all official peers.
            message = {**message, "id": 0}
        names = ("JSONRPCErrorResponse", "JSONRPCError")
        name = next(name for name in names if name in self.schemas.definitions(revision))
        yield from self.schemas.faults(revision, name, message)

    def meta(self, value: Any) -> Iterator[str]:
        """What is wrong with the keys of `_meta`, wherever it stands."""
        if isinstance(value, list):
            for one in value:
                yield from self.meta(one)
        elif isinstance(value, dict):
            keys = value.get("_meta")
            for key in keys if isinstance(keys, dict) else ():
                match = KEY.fullmatch(key)
                if match is None:
                    yield f"_meta key {key!r}"
                elif match["prefix"] and reserved(match["prefix"]) and key not in META:
                    yield f"reserved _meta key {key!r}"
            for one in value.values():
                yield from self.meta(one)
