"""The parts of a run: what is measured of one contender, and put among the results."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from typing import Any

import install
from contenders import HANDSHAKE, LOAD, NPM, Command, Contender, Package, clean_python
from results import ANY, Results

from serving import BUILD, MODULES, NODE, free_port

REQUESTS = ["add", "tools/list", "search", "resources/read", "prompts/get", "echo 64 KiB", "echo 1 MiB"]
SESSIONS, STREAMS = 2000, 900
"""As many as all servers allow: what was free in a process before hides little of so many."""
COUNTS = (20, 1000)
PAIRS = 4
"""How often `add` and its constant are measured over HTTP."""
TWICE = 2
"""What is measured in a moment is measured again."""
TIMEOUT = 90
"""Seconds."""
ENDLESS = "no end"


def run(command: Sequence[str]) -> tuple[list[dict[str, Any]], str]:
    """The lines of JSON that a program prints, and why it ended before its time; empty: it did not."""
    log = BUILD / "log" / "bench.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as errors:
        try:
            # A session of its own: what it has started ends with it.
            child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, start_new_session=True)
        except OSError as why:
            return [], str(why)
        try:
            out, _ = child.communicate(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.communicate()
            return [], f"{ENDLESS} after {TIMEOUT} s"
    told = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    if child.returncode == 0:
        return told, ""
    lines = log.read_text(errors="replace").strip().splitlines()
    # What the load generator saw, and what the server said last.
    seen = [line for line in lines if line.startswith("bench-load")][:1]
    last = [line.strip() for line in lines if line.strip() and not line.startswith(("bench-load", "note:"))][-1:]
    return told, "; ".join(seen + last)[:300] or f"ended with {child.returncode}"


def load(arguments: Sequence[str], command: Command, pin: bool = False) -> tuple[list[dict[str, Any]], str]:
    """What the load generator says of a server; with `pin` both share one core."""
    port = str(free_port())
    fill = [port if part == "PORT" else part for part in [*arguments, "--", *command]]
    return run([*(["taskset", "-c", "0"] if pin else []), str(LOAD), *fill])


def figures(line: dict[str, Any]) -> dict[str, float]:
    return {name: value for name, value in line.items() if isinstance(value, (int, float))}


def asked(
    results: Results, one: Contender, way: str, era: str, requests: Sequence[str], seconds: float, pin: bool = False
) -> None:
    """Asks a server for one kind after the other; one that fails is left out when the rest is tried again."""
    transport, width = way.split()
    command = one.command(transport)
    left = [request for request in requests if (one.name, (way, era, request)) not in results.failures]
    while left:
        start = ["stdio"] if transport == "stdio" else ["http", "PORT"]
        told, why = load([*start, era, width, str(min(one.warm, 5 * seconds)), str(seconds), *left], command, pin)
        for line in told:
            results.put(one.name, (way, era, line["request"]), figures(line))
        left = left[len(told) :]
        if not left:
            return
        # What hangs once would hang again.
        failed = left if why.startswith(ENDLESS) else left[:1]
        for request in failed:
            results.fail(one.name, (way, era, request), why)
        left = left[len(failed) :]


def transports(results: Results, one: Contender, requests: Sequence[str], seconds: float) -> None:
    """CPU, throughput and latency over stdio and HTTP."""
    floor = one.language == "floor"
    for era in one.eras:
        if one.command("stdio"):
            asked(results, one, "stdio 32", era, ["add"] if floor else requests, seconds)
        if one.command("http"):
            # What is compared is asked in turn: both have to meet a good moment.
            asked(results, one, "http 16", era, ["add", "constant"] * PAIRS if one.constant else ["add"], seconds)


def one_core(results: Results, one: Contender, seconds: float) -> None:
    """One request at a time, client and server on one core: latency that is not the waking of a core."""
    for era in one.eras:
        if one.command("stdio"):
            asked(results, one, "stdio 1", era, ["add"], seconds, pin=True)
        if one.command("http"):
            asked(results, one, "http 1", era, ["add"], seconds, pin=True)


def cold(results: Results, one: Contender, runs: int) -> None:
    """From the start of the process to the first valid answer, and what it holds then."""
    if not one.command("stdio"):
        return
    for era in one.eras:
        told, why = load(["cold", era, str(runs)], one.command("stdio"))
        key = ("cold", era, "tools/list")
        for line in told:
            results.put(one.name, key, figures(line))
        if why:
            results.fail(one.name, key, why)


def inproc(results: Results, one: Contender) -> None:
    """From the bytes of a request to the bytes of its answer."""
    if not one.command("inproc"):
        return
    told, why = run(one.command("inproc"))
    for line in told:
        results.put(one.name, (f"inproc {line['way']}", line["era"], line["request"]), figures(line))
    if why:
        results.fail(one.name, ("inproc", ANY, "add"), why)


def large(results: Results, one: Contender) -> None:
    """What 1,000 tools cost, beside 20."""
    for count in COUNTS * TWICE if one.command("tools") else ():
        told, why = run([str(count) if part == "COUNT" else part for part in one.command("tools")])
        key = ("tools", ANY, str(count))
        for line in told:
            results.put(one.name, key, figures(line))
        if why:
            results.fail(one.name, key, why)


def state(results: Results, one: Contender, sessions: int = SESSIONS, streams: int = STREAMS) -> None:
    """What an old client leaves behind, and what one that listens costs."""
    if one.command("sessions"):
        told, why = load(["sessions", "PORT", str(sessions)], one.command("sessions"))
        for line in told:
            results.put(one.name, ("state", HANDSHAKE, "session"), figures(line))
        if why:
            results.fail(one.name, ("state", HANDSHAKE, "session"), why)
    for era in one.listens:
        command = one.command("listen") or one.command("sessions" if era == HANDSHAKE else "http")
        told, why = load(["listen", "PORT", era, str(streams)], command)
        for line in told:
            results.put(one.name, ("state", era, "listen"), figures(line))
        if why:
            results.fail(one.name, ("state", era, "listen"), why)


def importing(package: Package, one: Contender) -> Command:
    """A program that imports what a server needs, and prints how long that took."""
    if package.kind == "pip":
        spent = 'print(\'{"import_ms": %.2f, "cpu_ms": %.2f}\' % ((p() - a) * 1e3, (c() - b) * 1e3))'
        code = f"from time import perf_counter as p, process_time as c\na, b = p(), c()\n{package.statement}\n{spent}"
        return (one.command("inproc")[0] if not one.ours else clean_python(), "-c", code)
    modules = MODULES if one.ours else NPM / "node_modules"
    code = f"""
      const require = (await import("node:module")).createRequire({json.dumps(str(modules.parent / "any.js"))});
      const at = require("node:url").pathToFileURL(require.resolve({json.dumps(package.statement)}));
      const [a, b] = [performance.now(), process.cpuUsage()];
      await import(at);
      const {{ user, system }} = process.cpuUsage(b);
      console.log(JSON.stringify({{ import_ms: performance.now() - a, cpu_ms: (user + system) / 1000 }}));"""
    return (str(NODE), "--input-type=module", "-e", code)


def installed(results: Results, one: Contender, runs: int, sizes: bool = True) -> None:
    """Import time, and what is installed."""
    if one.package is None:
        return
    for _ in range(runs):
        told, why = run(importing(one.package, one))
        for line in told:
            results.put(one.name, ("import", ANY, ""), figures(line))
        if why:
            results.fail(one.name, ("import", ANY, ""), why)
            break
    if sizes:
        found = install.size(one.package)
        if isinstance(found, str):
            results.fail(one.name, ("size", ANY, ""), found)
        else:
            results.put(one.name, ("size", ANY, ""), found)
