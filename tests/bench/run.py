"""`make bench`: our servers and the peers in turn, over the same bytes, in one run; prints tables, goals and ratios.

What counts is the CPU time of a server's processes for each request, from the kernel's counters: the least of the
rounds, so that what else the machine does is left out. Everybody gets a round before anybody gets the next. Options:

    --rounds N    rounds (2)               --seconds S   of each measurement (0.4)
    --only TEXT   contenders whose name or language has TEXT (several: divided by commas); the floor always runs
    --parts LIST  of transports, pinned (latency on one core), cold, inproc, state, tools, installed, micro (the core)
    --quick       one short round of all parts; of the requests `add` and `tools/list` only
    --smoke       only looks whether our own servers answer every request rightly; says who does not

A whole run writes RESULTS.md and results.svg beside this file; with --only, --parts or --quick it does not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "measure"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import install
import micro
import parts
import plot
import tables
from contenders import CONTENDERS, HERE, SIZES, Contender
from results import Results

from serving import BUILD

PARTS = ["transports", "pinned", "cold", "inproc", "state", "tools", "installed", "micro"]


def smoke() -> int:
    """Every server of ours answers every request of the workload; how fast is not looked at."""
    results = Results()
    ours = [one for one in CONTENDERS if one.ours]
    for one in ours:
        began = time.monotonic()
        for era in one.eras:
            if one.command("stdio"):
                parts.asked(results, one, "stdio 32", era, parts.REQUESTS, 0.02)
            if one.command("http"):
                more = ["constant"] if one.constant else []
                parts.asked(results, one, "http 2", era, [*parts.REQUESTS, *more], 0.02)
        parts.state(results, one, 20, 20)
        parts.large(results, one)
        print(f"{one.name}: {time.monotonic() - began:.1f} s")
    wrong = [f"FAIL {name}: {', '.join(filter(None, key))}: {why}" for (name, key), why in results.failures.items()]
    print("\n".join([*wrong, f"bench: {len(ours)} servers, {len(wrong)} wrong answers"]))
    return min(len(wrong), 1)


class Progress:
    """Says what is measured now, and since when."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def say(self, what: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        print(f"{minutes:2}:{seconds:02} {what}", file=sys.stderr, flush=True)


def measure(chosen: Sequence[Contender], options: argparse.Namespace, wanted: Sequence[str]) -> Results:
    """Everything, round by round."""
    results, progress, quick = Results(), Progress(), options.quick
    requests = ["add", "tools/list"] if quick else parts.REQUESTS
    again: dict[str, Callable[[Contender], None]] = {
        "transports": lambda one: parts.transports(results, one, requests, options.seconds),
        "cold": lambda one: parts.cold(results, one, 2 if quick else 6),
    }
    once: dict[str, Callable[[Contender], None]] = {
        "pinned": lambda one: parts.one_core(results, one, options.seconds),
        "inproc": lambda one: parts.inproc(results, one),
        "state": lambda one: parts.state(results, one),
        "tools": lambda one: parts.large(results, one),
        "installed": lambda one: parts.installed(results, one, 2 if quick else 8),
    }
    for number in range(options.rounds):
        for one in chosen:
            for name, part in (again if number else {**again, **once}).items():
                if name in wanted and one.has(name):
                    progress.say(f"round {number + 1} of {options.rounds}: {one.name}: {name}")
                    part(one)
    if "micro" in wanted:
        progress.say("cargo bench: the core alone")
        micro.core(results)
    progress.say("done")
    return results


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=0.4)
    parser.add_argument("--only", default="")
    parser.add_argument("--parts", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    whole = install.build(peers=not options.smoke)
    if options.smoke:
        return smoke() if whole else 1
    if options.quick:
        options.rounds, options.seconds = 1, min(options.seconds, 0.15)
    wanted = options.parts.split(",") if options.parts else PARTS
    if unknown := set(wanted) - set(PARTS):
        parser.error(f"--parts: {', '.join(sorted(unknown))}: there are {', '.join(PARTS)}")
    texts = options.only.lower().split(",")
    chosen = [
        one
        for one in CONTENDERS
        if one.language == "floor" or any(text in one.name.lower() or text in one.language.lower() for text in texts)
    ]
    # Some hold a thousand connections at once; servers inherit the limit.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if 0 <= hard < 8192 else 8192, hard))
    SIZES.mkdir(parents=True, exist_ok=True)
    results = measure(chosen, options, wanted)
    report = tables.report(chosen, results)
    versions = install.versions()
    print(f"{report}\n\n{versions}")
    flat = {name: {" | ".join(key): told for key, told in rows.items()} for name, rows in results.figures.items()}
    (BUILD / "bench" / "results.json").write_text(json.dumps(flat, indent=1))
    # Half a table is not to replace a whole one.
    if not (options.quick or options.only or options.parts):
        command = " ".join(["make bench", *(["BENCH=" + repr(" ".join(sys.argv[1:]))] if sys.argv[1:] else [])])
        today = f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d}"
        made = f"Made {today} by `{command}`, {platform.machine()}, {os.cpu_count()} cores."
        (HERE / "RESULTS.md").write_text(f"# Speed, beside the peers\n\n{made}\n\n{versions}.\n\n{report}\n")
        (HERE / "results.svg").write_text(plot.plot(chosen, results, [f"Made {today} by: {command}"]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
