"""The Inspector's command line: lists and calls as its plan on standard input says, each in a process of its own.

inspector.py NODE MODULES        (prints what it saw, as the other drivers do; the handshake era only)
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main() -> int:
    node, modules = sys.argv[1:]
    plan = json.loads(sys.stdin.read())
    program = [node, str(Path(modules) / "@modelcontextprotocol" / "inspector-cli" / "build" / "index.js")]
    if "url" in plan:
        program += [plan["url"], "--transport", "http"]
        for name, value in plan.get("headers", {}).items():
            program += ["--header", f"{name}: {value}"]
    else:
        program += plan["command"]

    def inspect(*options: str) -> dict[str, Any]:
        done = subprocess.run([*program, *options], capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            raise SystemExit(f"the Inspector ended with {done.returncode}: {(done.stdout + done.stderr)[-1000:]}")
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    calls = []
    for one in plan["calls"]:
        arguments = [
            f"{key}={json.dumps(value) if not isinstance(value, str) else value}"
            for key, value in one["arguments"].items()
        ]
        options = [part for argument in arguments for part in ("--tool-arg", argument)]
        calls.append(inspect("--method", "tools/call", "--tool-name", one["name"], *options))
    tools = [tool["name"] for tool in inspect("--method", "tools/list")["tools"]]
    print(json.dumps({"protocol": None, "tools": tools, "calls": calls}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
