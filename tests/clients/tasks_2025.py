"""The experimental tasks of 2025-11-25 with the official 1.x clients, on every kind of host; run.py runs it, too."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
from serving import BUILD, MODULES, NODE, ROOT, free_port, python, serving

HERE = Path(__file__).parent
FIXTURES = ROOT / "tests" / "fixtures"
RELATED = "io.modelcontextprotocol/related-task"
# uvicorn as it is without its extras; the conformance suite has them.
PLAIN = ("--timeout-graceful-shutdown", "1", "--loop", "asyncio", "--http", "h11")
WORKER = ("--workers", "1", "--threads", "8", "--worker-class", "gthread", "--graceful-timeout", "1")


def expect(truth: bool, what: str, seen: object) -> None:
    if not truth:
        raise AssertionError(f"{what}; seen: {json.dumps(seen)[:800]}")


def check_python(seen: dict[str, Any]) -> None:
    """Compares what the client saw with what the specification says."""
    offered: dict[str, Any] = {"list": {}, "cancel": {}, "requests": {"tools": {"call": {}}}}
    expect(seen["capabilities"]["tasks"] == offered, "tasks are declared", seen["capabilities"])
    support = {"add": "optional", "greet": "required", "broken": "required", "forever": "optional"}
    expect(seen["support"] == support, "each tool says how it goes with tasks", seen["support"])
    expect(seen["inline"]["structuredContent"] == {"sum": 3, "task": False}, "it can be no task", seen["inline"])
    expect(seen["needed"] == -32601, "another must be one", seen["needed"])
    made = seen["made"]["task"]
    expect((made["status"], made["ttl"], made["pollInterval"]) == ("working", 60_000, 50), "a task is made", made)
    expect(seen["polled"][-1] == "completed", "it ends", seen["polled"])
    expect(seen["added"]["structuredContent"] == {"sum": 42, "task": True}, "its result is there", seen["added"])
    expect(seen["added"]["_meta"] == {RELATED: {"taskId": made["taskId"]}}, "and names it", seen["added"])
    expect(seen["greeted"]["content"][0]["text"] == "Hello, Ada!", "the answer reached the task", seen["greeted"])
    marks = [one["_meta"] for one in seen["asked"]]
    expect(marks == [{RELATED: {"taskId": seen["greet id"]}}], "the question named it", seen["asked"])
    expect(seen["broken"]["isError"] and seen["broken task"]["status"] == "failed", "a failure", seen["broken task"])
    expect(seen["broken task"]["statusMessage"] == "as planned", "says why", seen["broken task"])
    expect(seen["running"] == "working", "it can be asked for while it is waited for", seen["running"])
    expect(seen["cancelled"]["status"] == "cancelled", "it is taken back", seen["cancelled"])
    codes = (seen["waited"], seen["again"], seen["unknown"])
    expect(codes == (-32603, -32602, -32602), "who waited hears it; once is enough; unknown is unknown", codes)
    expect(sorted(seen["list"]) == ["cancelled", "completed", "completed", "failed"], "all are listed", seen["list"])


def check_npm(seen: dict[str, Any]) -> None:
    """The same for the TypeScript client, which polls, and gives a failed task as an error."""
    added, greeted, broken = seen["added"], seen["greeted"], seen["broken"]
    expect(added["last"]["result"]["structuredContent"] == {"sum": 42, "task": True}, "its result is there", added)
    expect(greeted["last"]["result"]["content"][0]["text"] == "Hello, Ada!", "the answer reached the task", greeted)
    expect(seen["asked"] == [{RELATED: {"taskId": greeted["task"]}}], "the question named it", seen["asked"])
    for one in (added, greeted, broken):
        expect(one["kinds"][:2] == ["taskCreated", "taskStatus"], "it is made, and polled", one)
    expect(broken["last"]["type"] == "error", "a failure is one", broken)
    expect(seen["cancelled"] == "cancelled", "it is taken back", seen["cancelled"])
    expect(seen["list"] == ["cancelled", "completed", "completed", "failed"], "all are listed", seen["list"])


CLIENTS = (
    ("mcp 1 (Python)", (python("mcp1"), str(HERE / "tasks1.py")), check_python),
    ("sdk 1 (npm)", (str(NODE), str(HERE / "tasks.mjs"), str(MODULES)), check_npm),
)


@contextlib.contextmanager
def node_hosts() -> Iterator[dict[str, dict[str, Any]]]:
    """The same for the fixture in Node."""
    port, fixture = free_port(), [str(NODE), str(FIXTURES / "node_old_tasks.mjs")]
    with serving([*fixture, str(port)], port, BUILD / "log" / "old_tasks_node.log"):
        yield {
            "stdio": {"command": fixture, "env": {"PATH": os.environ.get("PATH", "")}},
            "node:http": {"url": f"http://127.0.0.1:{port}/mcp"},
        }


@contextlib.contextmanager
def hosts() -> Iterator[dict[str, dict[str, Any]]]:
    """Starts the fixture under each kind of host; gives what a client needs to reach it."""
    threads, loop = free_port(), free_port()
    gunicorn = [python(), "-m", "gunicorn", *WORKER, "--bind", f"127.0.0.1:{threads}", "old_tasks:wsgi"]
    uvicorn = [python(), "-m", "uvicorn", *PLAIN, "--port", str(loop), "old_tasks:asgi"]
    env = {"PYTHONPATH": str(FIXTURES)}
    with contextlib.ExitStack() as stack:
        for name, command, port in (("gunicorn", gunicorn, threads), ("uvicorn", uvicorn, loop)):
            stack.enter_context(serving(command, port, BUILD / "log" / f"old_tasks_{name}.log", env))
        yield {
            "stdio": {
                "command": [python(), str(FIXTURES / "old_tasks.py")],
                "env": {"PATH": os.environ.get("PATH", "")},
            },
            "gunicorn, threads": {"url": f"http://127.0.0.1:{threads}/mcp"},
            "uvicorn": {"url": f"http://127.0.0.1:{loop}/mcp"},
        }


def run(lang: str = "python") -> tuple[int, int]:
    """How many hosts of a language passed, and how many failed."""
    passed = failed = 0
    with node_hosts() if lang == "node" else hosts() as targets:
        for (client, command, check), (target, plan) in itertools.product(CLIENTS, targets.items()):
            label = f"{client:16} legacy     tasks of 2025-11-25, {target}"
            try:
                done = subprocess.run(command, input=json.dumps(plan), capture_output=True, text=True, timeout=90)
                if done.returncode != 0:
                    raise AssertionError(f"it ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
                check(json.loads(done.stdout.strip().splitlines()[-1]))
            except (AssertionError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                failed += 1
                print(f"FAIL {label}\n     {type(error).__name__}: {error}")
            else:
                passed += 1
                print(f"ok   {label}")
    return passed, failed


if __name__ == "__main__":
    sys.exit(1 if run(*sys.argv[1:])[1] else 0)
