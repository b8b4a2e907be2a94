"""What each firmware needs of a board, against the report that is committed: code, constants, memory, stack."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

REPORT = Path(__file__).with_name("sizes.json")
GROWTH = 1.02
ALLOCATOR = re.compile(
    r"__rust_(alloc|dealloc|realloc|no_alloc)|__rg_|alloc_error|\b_?(m|c|re)alloc(_r)?\b|\b_?free(_r)?\b|_sbrk"
)


def measured(image: Path) -> dict[str, int]:
    """`text`: code; `rodata`: constants; `ram`: static memory, buffers included. In bytes."""
    listing = subprocess.run(
        ["arm-none-eabi-size", "-A", str(image)], check=True, capture_output=True, text=True
    ).stdout
    found = {row[0]: int(row[1]) for line in listing.splitlines() if len(row := line.split()) == 3 and row[1].isdigit()}
    names = subprocess.run(["arm-none-eabi-nm", str(image)], check=True, capture_output=True, text=True).stdout
    allocators = sorted({match.group() for match in ALLOCATOR.finditer(names)})
    if allocators:
        raise AssertionError(f"{image.name} holds an allocator: {', '.join(allocators)}")
    return {
        "text": found[".vectors"] + found[".text"],
        "rodata": found[".rodata"],
        "ram": found.get(".data", 0) + found.get(".bss", 0),
    }


def compiler() -> str:
    """Which compiler made the images: sizes are only compared with those of the same one."""
    return subprocess.run(["/usr/bin/rustc", "--version"], check=True, capture_output=True, text=True).stdout.strip()


def check(images: dict[str, Path], stacks: dict[str, int], bless: bool) -> str:
    """Compares; more than 2 % above the report is a failure. With `bless` the report is written instead."""
    now = {name: {**measured(image), "stack": stacks[name]} for name, image in images.items()}
    for name, row in now.items():
        print(f"  {name:8}" + "".join(f"  {key} {value:6,}" for key, value in row.items()))
    if bless:
        REPORT.write_text(json.dumps({"compiler": compiler(), "bytes": now}, indent=2) + "\n")
        return "sizes written"
    report = json.loads(REPORT.read_text())
    if report["compiler"] != compiler():
        return f"sizes not compared: the report is of {report['compiler']}, this is {compiler()}"
    if report["bytes"].keys() != now.keys():
        raise AssertionError(f"the report is of {list(report['bytes'])}: write it anew with --bless")
    grown = [
        f"{name} {key}: {value} bytes, {report['bytes'][name][key]} in the report"
        for name, row in now.items()
        for key, value in row.items()
        if value > report["bytes"][name][key] * GROWTH
    ]
    if grown:
        raise AssertionError("grown by over 2 %: " + "; ".join(grown))
    return "sizes as reported"
