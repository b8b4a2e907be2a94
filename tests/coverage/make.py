"""Which rule of the protocol is proved by what: writes TABLE.md from rules.toml and the marks in the tests.

make.py             writes the table
make.py --check     fails if the table is not what would be written, or a mark names no rule

A mark is `"rule"` or `"trap"` in a step of tests/vectors, `# proves: S-001` behind a line of the conformance
scenarios, or a line `proves: S-001, T-002` in a comment above a test (or above everything else in a file).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RULES, TABLE = HERE / "rules.toml", HERE / "TABLE.md"
MARKED = ("core/src", "core/tests", "core/schema/tests", "bindings-python/src", "bindings-python/tests", "tests")
UNMARKED = (HERE, ROOT / "tests" / "vectors")
MARK = re.compile(r"(?:#|//+|\*)\s*proves: ((?:[ST]-\d{3}(?:, )?)+)")
TEST = re.compile(r"^\s*(?:async )?(?:def|fn|class) (\w+)|^\s*(?:const|function) (\w+)")
RULE = re.compile(r'([ST]-\d{3}) = (?:"([^"]*)"|\{ text = "([^"]*)", (not|later) = "([^"]*)" \})')
SHOWN = 3  # proofs that a row names; the rest is counted

Proofs = dict[str, list[str]]


def read() -> dict[str, dict[str, Any]]:
    """rules.toml, whose lines have one of two forms; the standard library reads TOML only from Python 3.11 on."""
    rules: dict[str, dict[str, Any]] = {}
    part: dict[str, Any] = {}
    for line in RULES.read_text("utf-8").splitlines():
        if line.startswith("["):
            part = rules.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            match = RULE.fullmatch(line)
            if match is None or match[1] in part:
                raise SystemExit(f"rules.toml: {line}")
            part[match[1]] = match[2] if match[2] is not None else {"text": match[3], match[4]: match[5]}
    return rules


def steps() -> Iterator[tuple[str, str]]:
    """Rule and proof of every marked step."""
    for path in sorted((ROOT / "tests" / "vectors").glob("*.json")):
        for step in json.loads(path.read_text("utf-8"))["steps"]:
            for tag in ("rule", "trap"):
                named = step.get(tag, [])
                for rule in [named] if isinstance(named, str) else named:
                    yield rule, f"vectors/{path.stem}: {step['about']}"


def scenarios() -> Iterator[tuple[str, str]]:
    """Rule and proof of every marked conformance scenario that is run."""
    for line in (ROOT / "tests" / "conformance" / "scenarios.txt").read_text("utf-8").splitlines():
        run, _, mark = line.partition("# proves: ")
        if run.strip() and mark and not re.match(r"\S+\s+- ", run):
            for rule in mark.split(", "):
                yield rule.strip(), f"conformance: {run.split()[0]}"


def sources() -> Iterator[tuple[str, str]]:
    """Rule and proof of every marked test."""
    for folder in MARKED:
        for path in sorted((ROOT / folder).rglob("*")):
            inside = path.relative_to(ROOT)
            if path.suffix not in (".py", ".rs", ".mjs") or not path.is_file() or "target" in inside.parts:
                continue
            if any(path.is_relative_to(other) for other in UNMARKED):
                continue
            lines = path.read_text("utf-8").splitlines()
            for at, line in enumerate(lines):
                if (mark := MARK.search(line)) is None:
                    continue
                found = next((test for test in map(TEST.match, lines[at + 1 : at + 12]) if test), None)
                name = f"{inside}: {found[1] or found[2]}" if found else str(inside)
                for rule in mark[1].rstrip(", ").split(", "):
                    yield rule, name


def collect() -> Proofs:
    proofs: Proofs = {}
    for rule, proof in (*steps(), *scenarios(), *sources()):
        named = proofs.setdefault(rule, [])
        if proof not in named:
            named.append(proof)
    return proofs


def cell(text: str) -> str:
    return text.replace("|", "\\|")


def row(rule: str, entry: str | dict[str, Any], proofs: list[str]) -> tuple[str, str]:
    """The row's state (`proved`, `open`, `later`, `not`) and its Markdown."""
    text = entry if isinstance(entry, str) else entry["text"]
    if proofs:
        rest = len(proofs) - SHOWN
        state, what = "proved", "; ".join(proofs[:SHOWN]) + (f"; and {rest} more" if rest > 0 else "")
    elif isinstance(entry, str):
        state, what = "open", "**open**"
    elif "later" in entry:
        state, what = "later", f"*not served yet: {entry['later']}*"
    else:
        state, what = "not", f"*not ours: {entry['not']}*"
    return state, f"| {rule} | {cell(text)} | {cell(what)} |"


def table(rules: dict[str, dict[str, Any]], proofs: Proofs) -> tuple[str, dict[str, int]]:
    counts = {"proved": 0, "open": 0, "later": 0, "not": 0}
    parts: list[str] = []
    for title, kind in (("Rules", "rules"), ("Traps", "traps")):
        parts += [f"\n## {title}\n", "| | what | proof |", "|---|---|---|"]
        for rule, entry in rules[kind].items():
            state, line = row(rule, entry, proofs.get(rule, []))
            counts[state] += 1
            parts.append(line)
    head = [
        "# Which rule is proved by what",
        "",
        "Written by `make.py` from `rules.toml` and the marks in the tests; do not edit.",
        "",
        "{proved} proved, {open} open, {later} not served yet, {not} not ours.".format(**counts),
    ]
    return "\n".join([*head, *parts]) + "\n", counts


def complaints(rules: dict[str, dict[str, Any]], proofs: Proofs) -> Iterator[str]:
    known = rules["rules"] | rules["traps"]
    for rule, named in proofs.items():
        entry = known.get(rule)
        if entry is None:
            yield f"{rule} is no rule, but {named[0]} proves it"
        elif not isinstance(entry, str):
            yield f"{rule} is proved by {named[0]}, but rules.toml says that it is not served or not ours"


def main() -> int:
    rules = read()
    proofs = collect()
    failed = list(complaints(rules, proofs))
    text, counts = table(rules, proofs)
    if "--check" not in sys.argv:
        TABLE.write_text(text, "utf-8")
    elif not TABLE.is_file() or TABLE.read_text("utf-8") != text:
        failed.append("TABLE.md is not up to date: run tests/coverage/make.py")
    for what in failed:
        print(f"FAIL {what}")
    print(f"coverage: {', '.join(f'{count} {state}' for state, count in counts.items())}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
