"""Checks the transcripts themselves: their shape, and that every exact answer holds what the protocol asks (`expect`).

check.py [--blessed]      with --blessed an answer that is still null is a failure
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE_KEYS = {"name", "about", "channel", "server", "steps"}
ABOUT_KEYS = {"about", "trap", "rule"}
CALL_KEYS = ABOUT_KEYS | {"call", "during", "reply", "fail", "require"}
ASK_KEYS = {"asks", "of", "give_up", "tell", "answered"}
STEP_KEYS = {
    "duplex": CALL_KEYS | ASK_KEYS | {"fresh", "in", "in_hex", "as", "answer", "save", "out", "expect"},
    "http": CALL_KEYS | {"request", "response", "opens", "ends", "notices", "tell"},
    "framing": ABOUT_KEYS | {"fresh", "feed", "feed_hex", "finish", "frames"},
}
ALONE = ("answer", "tell", "give_up", "of")  # what a step of a session does when nothing arrives


def mismatch(expected: Any, seen: Any, where: str = "") -> str | None:
    """Where `seen` does not hold what `expected` asks, or None."""
    if expected == "<any>":
        return None
    if isinstance(expected, dict):
        if not isinstance(seen, dict):
            return f"{where or 'the message'} is no object"
        for key, value in expected.items():
            if value == "<absent>":
                if key in seen:
                    return f"{where}.{key} is there"
            elif key not in seen:
                return f"{where}.{key} is missing"
            elif (found := mismatch(value, seen[key], f"{where}.{key}")) is not None:
                return found
        return None
    if isinstance(expected, list):
        if not isinstance(seen, list) or len(seen) != len(expected):
            return f"{where or 'the message'} is no list of {len(expected)}"
        for index, (left, right) in enumerate(zip(expected, seen, strict=True)):
            if (found := mismatch(left, right, f"{where}[{index}]")) is not None:
                return found
        return None
    # 1 and true are equal in Python, not in JSON.
    same = expected == seen and isinstance(expected, bool) == isinstance(seen, bool)
    return None if same else f"{where} is {seen!r}, not {expected!r}"


def duplex(step: dict[str, Any]) -> Iterator[str | None]:
    """Complaints about a step of a session; None for an answer that is not blessed."""
    if ("in" in step or "in_hex" in step) + sum(name in step for name in ALONE) != 1:
        yield f"has to have either a message or one of {', '.join(ALONE)}"
    out = step.get("out", "")
    if out is None:
        yield None
        return
    if not isinstance(out, list):
        yield "has no out"
        return
    expected = step.get("expect")
    if expected is not None and len(expected) != len(out):
        yield f"sends {len(out)} messages, not {len(expected)}"
    for left, right in zip(expected or (), out, strict=False):
        yield from filter(None, [mismatch(left, json.loads(right))])


def events(body: str) -> list[Any]:
    """The messages of an event stream."""
    return [json.loads(line[6:]) for line in body.split("\n") if line.startswith("data: ") and line[6:]]


def http(step: dict[str, Any]) -> Iterator[str | None]:
    """Complaints about a step of HTTP; None for an answer that is not blessed."""
    response = step["response"]
    if response["status"] is None or response["body"] is None:
        yield None
        return
    if "expect" in response:
        body = response["body"]
        stream = isinstance(response["expect"], list) and "data: " in body
        yield from filter(None, [mismatch(response["expect"], events(body) if stream else json.loads(body))])


def framing(step: dict[str, Any]) -> Iterator[str | None]:
    """Complaints about a step of the line splitter."""
    if ("feed" in step) == ("feed_hex" in step):
        yield "has to have either feed or feed_hex"


def main() -> int:
    steps = open_answers = 0
    complaints: list[str] = []
    for path in sorted(HERE.glob("*.json")):
        file = json.loads(path.read_text())
        if set(file) != FILE_KEYS or file["name"] != path.stem:
            complaints.append(f"{path.name}: members {sorted(set(file) ^ FILE_KEYS)}, name {file.get('name')!r}")
            continue
        if not (HERE / "catalogues" / f"{file['server']['catalogue']}.json").is_file():
            complaints.append(f"{path.name}: no such catalogue")
        kind = file["channel"]
        check = {"duplex": duplex, "http": http, "framing": framing}[kind]
        for number, step in enumerate(file["steps"]):
            steps += 1
            found = list(check(step))
            for tag, letter in (("trap", "T"), ("rule", "S")):
                named = step.get(tag, [])
                for one in [named] if isinstance(named, str) else named:
                    if not re.fullmatch(rf"{letter}-\d{{3}}", one):
                        found.append(f"{tag} {one!r} is none")
            if unknown := set(step) - STEP_KEYS[kind]:
                found.append(f"unknown members {sorted(unknown)}")
            open_answers += found.count(None)
            complaints += [f"{path.name}, step {number} ({step['about']}): {text}" for text in found if text]
    for complaint in complaints:
        print(f"FAIL {complaint}")
    print(f"vectors: {steps} steps, {open_answers} answers not blessed")
    return 1 if complaints or not steps or ("--blessed" in sys.argv and open_answers) else 0


if __name__ == "__main__":
    sys.exit(main())
