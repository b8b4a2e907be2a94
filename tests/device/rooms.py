"""rooms.py IMAGE...: what the code of a firmware is for, in bytes, by the source of each instruction.

The image needs its line tables, which change none of its code:
CARGO_PROFILE_RELEASE_DEBUG=line-tables-only tests/device/run
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections import Counter

ROOMS = {
    "JSON: checked, read, written": r"/core/src/json/",
    "the server: messages, calls, answers, faults": r"/core/src/(server|jsonrpc)/",
    "the protocol: revisions, methods, definitions": r"/core/src/(revision|catalog|model|limits|error|lib)\b",
    "lines": r"/core/src/frame/",
    "the example: board, loop, tools": r"/tests/device/|/ffi-c/",
}
LIBRARY = "Rust's core library and heapless"
OTHER = "the example: board, loop, tools"


def tool(*command: str, given: str = "") -> list[str]:
    return subprocess.run(command, input=given, check=True, capture_output=True, text=True).stdout.splitlines()


def room(files: list[str]) -> str:
    """Of the functions that were inlined here, the innermost one that is ours decides."""
    for file in files:
        if "/library/" not in file and "/registry/" not in file:
            for name, pattern in ROOMS.items():
                if re.search(pattern, file):
                    return name
    return LIBRARY if any(re.search("/library/|/registry/", file) for file in files) else OTHER


def main(images: list[str]) -> None:
    for image in images:
        listing = tool("arm-none-eabi-objdump", "-d", "--no-show-raw-insn", "-j", ".text", image)
        places = [int(found[1], 16) for line in listing if (found := re.match(r"\s*([0-9a-f]+):\t", line))]
        sections = (line.split() for line in tool("arm-none-eabi-size", "-A", image))
        start, size = next((int(row[2]), int(row[1])) for row in sections if row[:1] == [".text"])
        seen: dict[int, list[str]] = {}
        files: list[str] = []
        for line in tool("arm-none-eabi-addr2line", "-a", "-i", "-e", image, given="\n".join(map(hex, places))):
            if line.startswith("0x"):
                files = seen.setdefault(int(line, 16), [])
            else:
                files.append(line)
        bytes_of: Counter[str] = Counter()
        for place, following in zip(places, [*places[1:], start + size], strict=True):
            bytes_of[room(seen[place])] += following - place
        print(f"{image}: {size:,} bytes of code")
        for name, count in bytes_of.most_common():
            print(f"  {count:6,}  {name}")


if __name__ == "__main__":
    main(sys.argv[1:])
