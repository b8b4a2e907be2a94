"""The transcripts of duplex channels on a board, byte for byte: see tests/vectors/README.md for what a step is.

The board runs the firmware `replay`: a session whose host is this program.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from emulator import Board

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
KINDS = {"tool": "name", "resource": "uri", "template": "uriTemplate", "prompt": "name"}
REVISIONS = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"]
TOKEN_BYTES = 64
"""Ids longer than this are not kept without a heap; such steps are left out."""


def hexed(text: str) -> str:
    return text.encode().hex()


def same(what: str, wanted: object, seen: object) -> None:
    if wanted != seen:
        raise AssertionError(f"{what}\n  wanted {wanted}\n  seen   {seen}")


def message_of(step: dict[str, Any]) -> bytes | None:
    if "in_hex" in step:
        return bytes.fromhex(step["in_hex"])
    return step["in"].encode() if "in" in step else None


def fits(step: dict[str, Any]) -> bool:
    """Whether this tier can keep the ids of a step."""
    try:
        message = json.loads(message_of(step) or b"")
    except ValueError:
        return True
    if not isinstance(message, dict):
        return True
    params = message.get("params")
    meta = params.get("_meta") if isinstance(params, dict) else None
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    ids = [value for value in (message.get("id"), token) if value is not None]
    return all(len(json.dumps(value, separators=(",", ":"))) <= TOKEN_BYTES for value in ids)


class Channel:
    """One file on the board."""

    def __init__(self, board: Board, file: dict[str, Any]) -> None:
        self.board = board
        self.open: dict[str, int] = {}
        self.asked: dict[str, int] = {}
        self.saved: dict[str, str] = {}
        self.sent: list[str] = []
        self._configure(file)

    def do(self, name: str, **members: object) -> list[str]:
        """Has the board carry out a command; keeps what the session sends, gives what the host is told."""
        self.board.send(json.dumps({"do": name, **members}).encode())
        told = []
        while (line := self.board.line()) != b".":
            if line.startswith(b"!"):
                told.append(line[1:].decode())
            else:
                self.sent.append(line.decode())
        if "wrong" in told:
            raise AssertionError(f"the board does not understand {name} {members}")
        return told

    def _configure(self, file: dict[str, Any]) -> None:
        catalogue = json.loads((VECTORS / "catalogues" / f"{file['server']['catalogue']}.json").read_text())
        options = {**catalogue.get("options", {}), **file["server"].get("options", {})}
        limits = dict(file["server"].get("limits", {}))
        if "page_items" in options:
            limits["page_items"] = options["page_items"]
        flags = {name: bool(options.get(name)) for name in ("completions", "logging", "list_changed", "subscribe")}
        given = {"instructions": hexed(options["instructions"])} if "instructions" in options else {}
        self.do(
            "config",
            info=hexed(json.dumps(catalogue["info"], separators=(",", ":"), ensure_ascii=False)),
            revisions=options.get("revisions", REVISIONS),
            tools=bool(catalogue.get("tool")),
            resources=bool(catalogue.get("resource") or catalogue.get("template")),
            prompts=bool(catalogue.get("prompt")),
            experimental_tasks=options.get("experimental_tasks", "no"),
            ttl_ms=options.get("ttl_ms", 0),
            limits=limits,
            **flags,
            **given,
        )
        for kind, key in KINDS.items():
            for definition in catalogue.get(kind, []):
                text = json.dumps(definition, separators=(",", ":"), ensure_ascii=False)
                self.do("entry", kind=kind, key=hexed(definition[key]), definition=hexed(text))
        for method in options.get("custom_methods", []):
            self.do("method", method=hexed(method))
        self.do("fresh")

    def step(self, step: dict[str, Any]) -> list[str]:
        """Carries out a step and gives every message that was sent."""
        self.sent = []
        if step.get("fresh"):
            self.do("fresh")
        message = message_of(step)
        if "tell" in step:
            self._tell(step["tell"])
        elif "give_up" in step:
            self.do("give_up", ask=self.asked[step["give_up"]])
        elif "answer" in step:
            self._answer(step, self.open.pop(step["answer"]))
        elif message is None:
            self._ask(step, self.open[step["of"]])
        else:
            self._accept(step, message)
        if "save" in step:
            self.saved[step["save"]] = json.loads(self.sent[-1])["result"]["nextCursor"]
        return self.sent

    def _accept(self, step: dict[str, Any], message: bytes) -> None:
        for name, value in self.saved.items():
            message = message.replace(f"{{{name}}}".encode(), value.encode())
        (told,) = self.do("accept", **{"in": message.hex()})
        if told != "batch":
            self._heard(step, json.loads(told), batched=False)
            return
        while (told := self.do("next")[0]) != "over":
            seen = json.loads(told)
            if "key" in seen:
                self._heard(step, seen, batched=True)

    def _heard(self, step: dict[str, Any], seen: dict[str, Any], batched: bool) -> None:
        if "answer" in seen:
            self._answered(step["answered"], seen)
            return
        same("an answer of the client", None, step.get("answered"))
        if not batched:
            same("whether there is a call", "call" in step, "key" in seen)
        if "key" not in seen:
            return
        wanted = step["call"]
        members = ("kind", "name", "arguments", "input_responses", "request_state")
        # Only tools and prompts have arguments.
        named = {n: wanted[n] for n in members if n in wanted and (n != "arguments" or n in seen)}
        same("the call", named, {name: seen.get(name) for name in named})
        key = seen["key"]
        for item in step.get("during", []):
            if "log" in item:
                text = {name: hexed(item[name]) for name in ("logger", "data") if name in item}
                self.do("log", key=key, level=item["log"], **text)
            else:
                numbers = {name: item[name] for name in ("progress", "total") if name in item}
                text = {"message": hexed(item["message"])} if "message" in item else {}
                self.do("progress", key=key, **numbers, **text)
        self._ask(step, key)
        if "as" in step:
            self.open[step["as"]] = key
        else:
            self._answer(step, key)

    def _answered(self, wanted: dict[str, Any], seen: dict[str, Any]) -> None:
        same("whose answer it is", self.open[wanted["call"]], seen["answer"])
        same("which question it answers", self.asked[wanted["ask"]], seen["ask"])
        same("the answer", [wanted[n] for n in ("ok", "params", "left")], [seen[n] for n in ("ok", "params", "left")])

    @staticmethod
    def _question(item: dict[str, Any]) -> dict[str, object]:
        return {
            name: hexed(item[name]) if isinstance(item[name], str) else True
            for name in ("form", "schema", "url", "message", "id", "sample", "roots")
            if name in item
        }

    def _ask(self, step: dict[str, Any], key: int) -> None:
        for item in step.get("asks", []):
            (told,) = self.do("ask", key=key, **self._question(item))
            what, value = told.split()
            if what == "asked":
                same("whether it can be asked", None, item.get("unable"))
                self.asked[item["as"]] = int(value)
            else:
                same("why it cannot be asked", item.get("unable"), value)

    def _answer(self, step: dict[str, Any], key: int) -> None:
        if "require" in step:
            require = step["require"]
            asks = [{"key": hexed(item["key"]), **self._question(item)} for item in require.get("asks", [])]
            state = {"state": hexed(require["state"])} if "state" in require else {}
            self.do("require", key=key, asks=asks, **state)
        elif "fail" in step:
            fail = step["fail"]
            text = {name: hexed(fail[name]) for name in ("message", "data") if name in fail}
            code = {"code": fail["code"]} if "code" in fail else {}
            self.do("fail", key=key, failure=fail["failure"], **code, **text)
        else:
            self.do("reply", key=key, result=hexed(step["reply"]))

    def _tell(self, what: dict[str, Any]) -> None:
        if "list_changed" in what:
            self.do("list_changed", kind=what["list_changed"])
        elif "updated" in what:
            self.do("updated", uri=hexed(what["updated"]))
        elif "complete" in what:
            self.do("complete", id=hexed(what["complete"]))
        else:
            self.do("end")


def replay(image: Path) -> str:
    """All files; every step has to send exactly what the file says."""
    steps, left_out, files = 0, 0, 0
    with Board(image) as board:
        for path in sorted(VECTORS.glob("*.json")):
            file = json.loads(path.read_text())
            if file.get("channel") != "duplex":
                continue
            files += 1
            channel = Channel(board, file)
            for step in file["steps"]:
                if not fits(step):
                    left_out += 1
                    continue
                try:
                    same("what is sent", step["out"], channel.step(step))
                except (AssertionError, KeyError) as wrong:
                    raise AssertionError(f"{path.name}, {step['about']}: {wrong!r}") from wrong
                steps += 1
    if steps < 300:
        raise AssertionError(f"the transcripts were not found: {steps} steps")
    return f"transcripts: {files} files, {steps} steps byte for byte, {left_out} with ids too long for this tier"
