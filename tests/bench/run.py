"""`make bench`: our servers and the peers in turn, over the same bytes, in one run; prints tables of ratios.

What counts is the CPU time of a server's processes for each request, from the kernel's counters: the least of the
rounds, so that what else the machine does is left out. Everybody gets a round before anybody gets the next. Options:

    --rounds N    rounds (3)               --seconds S   of each measurement (0.5)
    --only TEXT   contenders whose name or language has TEXT; the floor always runs
    --quick       one round of `add` and `tools/list`, stdio only
    --smoke       only looks whether our own servers answer every request rightly; says who does not

A whole run writes RESULTS.md and results.svg beside this file; with --only or --quick it does not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent / "measure"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import tables
from contenders import CONTENDERS, HANDSHAKE, HERE, LOAD, NPM, STATELESS, C, Contender

from serving import BUILD, ROOT, free_port

REQUESTS = ["add", "tools/list", "search", "resources/read", "prompts/get", "echo 64 KiB", "echo 1 MiB"]
Measured = dict[str, float]
Key = tuple[str, str, str]
"""Transport and its width, revision, request."""


def attempt(what: str, command: list[str], cwd: Path | None = None) -> bool:
    """Runs one step of the preparation; one that fails only costs its contenders, which are reported as absent."""
    try:
        subprocess.run(command, cwd=cwd, check=True, timeout=600)
    except (OSError, subprocess.SubprocessError) as why:
        print(f"absent: {what}: {why}", file=sys.stderr)
        return False
    return True


def build(peers: bool = True) -> bool:
    """Builds our programs and installs the peers, each only when something changed. False: not all of ours build."""
    cargo = ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir"]
    subprocess.run([*cargo, str(ROOT / "target" / "bench")], cwd=HERE / "load", check=True)
    whole = attempt("Rust", [*cargo, str(ROOT / "target" / "bench")], HERE / "servers" / "rust")
    whole &= attempt("C", [str(HERE / "servers" / "c" / "build"), C])
    if not peers:
        return whole
    attempt("rmcp", [*cargo, str(ROOT / "target" / "bench-rmcp")], HERE / "peers" / "rust")
    for venv in ["mcp2", "fastmcp"]:
        attempt(venv, [str(ROOT / "tests" / "tools" / "venv"), venv])
    lock = (HERE / "peers" / "npm" / "package-lock.json").read_text()
    stamp = NPM / ".stamp"
    if not stamp.exists() or stamp.read_text() != lock:
        NPM.mkdir(parents=True, exist_ok=True)
        for name in ["package.json", "package-lock.json"]:
            (NPM / name).write_text((HERE / "peers" / "npm" / name).read_text())
        if attempt("npm", ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], NPM):
            stamp.write_text(lock)
    return whole


def load(arguments: list[str], command: list[str], pin: bool = False) -> list[Measured] | str:
    """What the load generator says; a text is why it could not."""
    prefix = ["taskset", "-c", "0"] if pin else []
    log = BUILD / "log" / "bench.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        try:
            done = subprocess.run(
                [*prefix, str(LOAD), *arguments, "--", *command],
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                timeout=120,
            )
        except subprocess.TimeoutExpired:
            return "no end after 120 s"
    lines = log.read_text().strip().splitlines()
    if done.returncode != 0:
        return next((line for line in lines if line.startswith("bench-load")), lines[-1] if lines else "failed")
    return [json.loads(line) for line in done.stdout.splitlines()]


def plan(contender: Contender, quick: bool) -> list[tuple[Key, bool]]:
    """What is measured of a contender, and whether client and server share a core."""
    keys: list[tuple[Key, bool]] = []
    for era in contender.eras:
        if contender.stdio:
            requests = ["add", "tools/list"] if quick else REQUESTS
            keys += [
                (("stdio 32", era, request), False)
                for request in requests
                if contender.language != "floor" or request == "add"
            ]
            keys += [] if quick else [(("stdio 1", era, "add"), True)]
        if contender.http and not quick:
            keys += [(("http 16", era, "add"), False), (("http 1", era, "add"), True)]
    return keys


def measure(contender: Contender, key: Key, pin: bool, seconds: float) -> Measured | str:
    way, era, request = key
    transport, width = way.split()
    # A request of a megabyte takes long enough for a few only.
    time = str(seconds * (3 if "MiB" in request else 1))
    if transport == "stdio":
        told = load(["stdio", era, request, width, time], list(contender.stdio), pin)
    else:
        port = str(free_port())
        command = [port if part == "PORT" else part for part in contender.http]
        told = load(["http", port, era, request, width, time], command, pin)
    return told if isinstance(told, str) else told[0]


def least(old: Measured | None, new: Measured) -> Measured:
    """The better of two rounds, figure by figure."""
    if old is None:
        return new
    return {
        name: max(old[name], value) if name == "per_second" else min(old[name], value) for name, value in new.items()
    }


def smoke() -> int:
    """Every server of ours answers every request of the workload; how fast is not looked at."""
    wrong = []
    ours = [one for one in CONTENDERS if one.ours]
    for one in ours:
        ways = [("stdio 32", one.stdio), ("http 2", one.http)]
        for way, era, request in [
            (way, era, request) for way, has in ways if has for era in one.eras for request in REQUESTS
        ]:
            told = measure(one, (way, era, request), False, 0.02)
            if isinstance(told, str):
                wrong.append(f"{one.name}: {way}, {era}, {request}: {told}")
    print("\n".join(["FAIL " + line for line in wrong] + [f"bench: {len(ours)} servers, {len(wrong)} wrong answers"]))
    return min(len(wrong), 1)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--only", default="")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--smoke", action="store_true")
    options = parser.parse_args()
    whole = build(peers=not options.smoke)
    if options.smoke:
        return smoke() if whole else 1
    wanted = options.only.lower()
    chosen = [
        one
        for one in CONTENDERS
        if one.language == "floor" or wanted in one.name.lower() or wanted in one.language.lower()
    ]
    results: dict[str, dict[Key, Measured]] = {one.name: {} for one in chosen}
    failures: dict[tuple[str, Key], str] = {}
    for number in range(1 if options.quick else options.rounds):
        for one in chosen:
            print(f"round {number + 1}: {one.name}", file=sys.stderr)
            for key, pin in plan(one, options.quick):
                if (one.name, key) in failures:
                    continue
                told = measure(one, key, pin, options.seconds)
                if isinstance(told, str):
                    failures[one.name, key] = told
                else:
                    results[one.name][key] = least(results[one.name].get(key), told)
            if one.stdio:
                told_cold = load(["cold", "5"], list(one.stdio))
                if not isinstance(told_cold, str):
                    for run in told_cold:
                        cold = ("cold", HANDSHAKE, "tools/list")
                        results[one.name][cold] = least(results[one.name].get(cold), run)
    for (name, key), why in failures.items():
        print(f"not measured: {name}: {' '.join(key)}: {why}")
    report = tables.report(chosen, results, REQUESTS, [HANDSHAKE, STATELESS])
    print(report)
    (BUILD / "bench").mkdir(parents=True, exist_ok=True)
    flat: dict[str, Any] = {
        name: {" | ".join(key): value for key, value in rows.items()} for name, rows in results.items()
    }
    (BUILD / "bench" / "results.json").write_text(json.dumps(flat, indent=1))
    # Half a table is not to replace a whole one.
    if not options.quick and not options.only:
        command = " ".join(["make bench", *(["BENCH=" + repr(" ".join(sys.argv[1:]))] if sys.argv[1:] else [])])
        machine = f"{platform.machine()}, Python {platform.python_version()}"
        head = f"Made {datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d} by `{command}`, {machine}."
        (HERE / "RESULTS.md").write_text(f"# Speed, beside the peers\n\n{head}\n\n{report}\n")
        (HERE / "results.svg").write_text(tables.plot(chosen, results, head))
    return 0


if __name__ == "__main__":
    sys.exit(main())
