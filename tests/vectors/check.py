"""Checks the transcripts themselves: their shape, and that every exact answer holds what the protocol asks (`expect`).

check.py [--blessed]      with --blessed an answer that is still null is a failure
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE_KEYS = {"name", "about", "channel", "server", "steps"}
CALL_KEYS = {"call", "during", "reply", "fail"}
STEP_KEYS = {
    "duplex": CALL_KEYS | {"about", "trap", "fresh", "in", "in_hex", "as", "answer", "save", "out", "expect"},
    "http": CALL_KEYS | {"about", "trap", "request", "response"},
    "framing": {"about", "trap", "fresh", "feed", "feed_hex", "finish", "frames"},
}


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
    if ("in" in step or "in_hex" in step) == ("answer" in step):
        yield "has to have either a message or an answer"
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


def http(step: dict[str, Any]) -> Iterator[str | None]:
    """Complaints about a step of HTTP; None for an answer that is not blessed."""
    response = step["response"]
    if response["status"] is None or response["body"] is None:
        yield None
        return
    if "expect" in response:
        yield from filter(None, [mismatch(response["expect"], json.loads(response["body"]))])


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
