"""The core alone, from what `cargo bench` (divan) prints."""

from __future__ import annotations

import re
import subprocess

from results import ANY, Results

from serving import ROOT

CORE = "core"
"""The name of its rows."""
RUNS = [
    # So many in a row as one sample: what reading the clock takes is nothing beside them.
    ["--sample-size", "200", "accept_and_reply::.*::add$", "accept_and_reply::serde_json_value_add"],
    ["json_scan::(check|serde_json_value)::one string"],
]
NS = {"ns": 1.0, "µs": 1e3, "ms": 1e6, "s": 1e9}
ROW = re.compile(r"^(?P<bars>[│ ]*)[├╰]─ (?P<text>.*)$")


def quantity(text: str) -> float:
    """Nanoseconds, or bytes a second, or a number."""
    number, _, unit = text.strip().partition(" ")
    if unit.endswith("B/s"):
        return float(number) * {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}[unit[:-3]]
    return float(number) * NS.get(unit, 1.0)


def rows(text: str) -> dict[str, dict[str, float]]:
    """`fastest` (ns), `bytes_s` and `allocations` (of the median sample) of each benchmark, by its path."""
    found: dict[str, dict[str, float]] = {}
    path: list[str] = []
    current: dict[str, float] | None = None
    after = ""
    for line in text.splitlines():
        row = ROW.match(line)
        if row:
            depth = len(row["bars"]) // 3
            path = [*path[:depth], re.split(r" {2,}| *│", row["text"])[0].strip()]
            rest = row["text"][len(path[-1]) :].split("│")
            current = None
            if len(rest) > 3 and rest[0].strip():
                current = found["::".join(path)] = {"fastest": quantity(rest[0]), "allocations": 0.0}
            after = ""
        elif current is not None:
            cells = [cell.strip() for cell in line.lstrip("│ ").split("│")]
            if cells[0].endswith("B/s"):
                current["bytes_s"] = quantity(cells[0])
            elif cells[0].endswith(":"):
                after = cells[0]
            elif after in ("alloc:", "grow:"):
                current["allocations"] += quantity(cells[2])
                after = ""
    return found


def core(results: Results) -> None:
    """Runs the benchmarks of the core that goals are about."""
    command = ["cargo", "bench", "--quiet", "--locked", "-p", "mcpgraft", "--bench", "core", "--"]
    for arguments in RUNS:
        try:
            done = subprocess.run(
                [*command, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=600, check=True
            )
        except (OSError, subprocess.SubprocessError) as why:
            results.fail(CORE, ("core", ANY, arguments[-1]), str(why))
            continue
        for path, told in rows(done.stdout).items():
            results.put(CORE, ("core", ANY, path), {**told, "cpu_us": told["fastest"] / 1e3})
