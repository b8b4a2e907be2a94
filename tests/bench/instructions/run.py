"""`make test-instructions`: the instructions that each hot path of the core takes, against the committed baseline.

Callgrind counts them, so neither the machine's load nor its clock matters. A rise of more than 3 % fails and names the
path; after a change that is worth its price, or a gain that is to be kept, `run.py --bless` writes the new baseline.
Counts depend on the compiler: with another one than the baseline's, the comparison is printed and fails nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
TARGET = ROOT / "target" / "instructions"
PROGRAM = TARGET / "release" / "bench-instructions"
BASELINE = HERE / "baseline.json"
LIMIT = 0.03


def count(path: str) -> int:
    """Instructions of one round."""
    times = 5 if "64 KiB" in path else 2 if "1 MiB" in path or path == "registration" else 50
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=measured"]
    # The environment's size moves the stack; an empty one makes runs the same everywhere.
    done = subprocess.run([*command, str(PROGRAM), path, str(times)], capture_output=True, text=True, env={})
    if done.returncode != 0:
        raise SystemExit(f"{path}:\n{done.stderr}")
    collected = next(line for line in done.stderr.splitlines() if "Collected :" in line)
    return int(collected.split(":")[1]) // times


def main() -> int:
    subprocess.run([str(ROOT / "tests" / "tools" / "debian"), "valgrind=valgrind"], check=True)
    build = ["cargo", "build", "--quiet", "--release", "--locked", "--target-dir", str(TARGET)]
    subprocess.run(build, cwd=HERE, check=True)
    compiler = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    paths = subprocess.run([str(PROGRAM)], capture_output=True, text=True, check=True).stdout.splitlines()
    with ThreadPoolExecutor(2) as pool:
        counts = dict(zip(paths, pool.map(count, paths), strict=True))
    if "--bless" in sys.argv:
        BASELINE.write_text(json.dumps({"compiler": compiler, "instructions": counts}, indent=1) + "\n")
        print(f"instructions: {len(counts)} paths written to {BASELINE.relative_to(ROOT)}")
        return 0
    baseline = json.loads(BASELINE.read_text())
    before: dict[str, int] = baseline["instructions"]
    same = baseline["compiler"] == compiler
    if not same:
        print(f"instructions: the baseline is of {baseline['compiler']}, this is {compiler}; nothing can fail")
    failed = 0
    for path, now in counts.items():
        if path not in before:
            print(f"FAIL {path}: {now} instructions, not in the baseline; run.py --bless adds it")
            failed += 1
            continue
        change = now / before[path] - 1
        worse = change > LIMIT and same
        failed += worse
        if worse or abs(change) > 0.005:
            print(f"{'FAIL' if worse else '    '} {path}: {before[path]} -> {now} instructions ({change:+.1%})")
    gone = before.keys() - counts.keys()
    failed += len(gone)
    for path in sorted(gone):
        print(f"FAIL {path}: in the baseline, but there is no such path any more")
    print(f"instructions: {len(counts) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
