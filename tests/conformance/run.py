"""Runs the official conformance suite against the fixture server, scenario by scenario, and prints a table.

    run.py [--lang python] [--url URL] [SCENARIO...]

Any FAILURE of any check fails the run; there is no list of expected failures. scenarios.txt says what is run and why
the rest is not. The fixtures write their traffic to .build/conformance/LANG.jsonl, for tests/emitted. With
--url a server that already runs is tested instead of the fixture.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from serving import BUILD, MODULES, NODE, ROOT, free_port, serving

SUITE = [str(NODE), str(MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js")]
# The suite has extensions at no revision, and runs them at one only when forced to.
EXTENSION, FORCE = ["extension"], ["--force"]
LIST = Path(__file__).with_name("scenarios.txt")


@dataclass
class Plan:
    """scenarios.txt: what is run at which revisions, and what is left out for which reason."""

    run: list[tuple[str, str]] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)
    forced: set[str] = field(default_factory=set)

    @classmethod
    def read(cls) -> Plan:
        plan = cls()
        for line in LIST.read_text().splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            name, rest = line.partition("#")[0].split(None, 1)
            if rest.startswith("- "):
                plan.left_out[name] = rest[2:]
            else:
                plan.run.extend((name, revision) for revision in rest.split())
        return plan

    def check(self) -> None:
        """Every server scenario of the suite stands in the list, at the revisions the suite gives it for."""
        listed = subprocess.run([*SUITE, "list", "--server"], capture_output=True, text=True, check=True).stdout
        suite = {name: revisions.split(",") for name, revisions in re.findall(r"^  - (\S+) \[(.*)\]$", listed, re.M)}
        self.forced = {name for name, revisions in suite.items() if revisions == EXTENSION}
        named = {name for name, _ in self.run} | set(self.left_out)
        if set(suite) != named:
            raise SystemExit(f"scenarios.txt and the suite differ in {sorted(set(suite) ^ named)}")
        for name, revision in self.run:
            if revision not in suite[name] and name not in self.forced:
                raise SystemExit(f"scenarios.txt runs {name} at {revision}, the suite has it at {suite[name]}")


@dataclass
class Outcome:
    scenario: str
    revision: str
    counts: Counter[str]
    notes: list[str]
    passed: bool


def run(url: str, scenario: str, revision: str, out: Path, *more: str) -> Outcome:
    """One scenario at one revision; `more` are options of the suite."""
    folder = out / f"{scenario}-{revision}"
    command = [
        *SUITE,
        "server",
        "--url",
        url,
        "--scenario",
        scenario,
        "--spec-version",
        revision,
        "-o",
        str(folder),
        *more,
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    checks = [check for file in folder.rglob("checks.json") for check in json.loads(file.read_text())]
    counts = Counter(check["status"] for check in checks)
    notes = [
        f"{check['status']} {check['id']}: {str(check.get('errorMessage') or check['description']).splitlines()[0]}"
        for check in checks
        if check["status"] in ("FAILURE", "WARNING")
    ]
    # The schema check also counts the suite's own messages: alone it proves nothing about the server.
    proved = any(check["status"] == "SUCCESS" and check["id"] != "wire-schema-valid" for check in checks)
    if not proved and not counts["FAILURE"]:
        notes.append("nothing was proved: " + (done.stdout + done.stderr).strip()[-300:])
    return Outcome(scenario, revision, counts, notes, done.returncode == 0 and not counts["FAILURE"] and proved)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", default="python")
    parser.add_argument("--url")
    parser.add_argument("scenario", nargs="*")
    options = parser.parse_args()
    plan = Plan.read()
    plan.check()
    chosen = [item for item in plan.run if not options.scenario or item[0] in options.scenario]
    out = BUILD / "conformance" / options.lang
    shutil.rmtree(out, ignore_errors=True)
    with contextlib.ExitStack() as stack:
        url = options.url
        if url is None:
            port = free_port()
            url = f"http://127.0.0.1:{port}/mcp"
            record = BUILD / "conformance" / f"{options.lang}.jsonl"
            record.parent.mkdir(parents=True, exist_ok=True)
            record.unlink(missing_ok=True)
            env = {"MCPGRAFT_RECORD": str(record)}
            fixture = [str(ROOT / "tests" / "fixture"), options.lang, "http", str(port)]
            stack.enter_context(serving(fixture, port, BUILD / "log" / f"fixture-{options.lang}.log", env))
        with ThreadPoolExecutor(2) as pool:
            outcomes = list(
                pool.map(lambda item: run(url, *item, out, *(FORCE if item[0] in plan.forced else ())), chosen)
            )
    print(f"conformance, {options.lang}\n     {'scenario':46} {'revision':10}  ok skip warn fail")
    for outcome in outcomes:
        counts = outcome.counts
        numbers = f"{counts['SUCCESS']:3} {counts['SKIPPED']:4} {counts['WARNING']:4} {counts['FAILURE']:4}"
        print(f"{'PASS' if outcome.passed else 'FAIL'} {outcome.scenario:46} {outcome.revision:10} {numbers}")
        for note in outcome.notes:
            print(f"       {note}")
    for reason, number in Counter(plan.left_out.values()).items():
        print(f"left out: {number} scenarios ({reason})")
    failed = sum(not outcome.passed for outcome in outcomes)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed or not outcomes else 0


if __name__ == "__main__":
    sys.exit(main())
