"""Facts that stand in more than one place say the same, and nothing committed names a path of one machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
# Written apart, so that this file does not find itself.
MACHINE_PATH = re.compile(r"(?<![\w.:-])/" + r"(work|root)/")
UNFINISHED = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
SOURCES = {".rs", ".c", ".h", ".hpp", ".cpp", ".go", ".py", ".pyi", ".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"}
CODE = SOURCES | {".toml", ".sh", ".json", ".md", ".txt", ""}


class Facts:
    """Collects statements of one fact and complains where they differ."""

    def __init__(self) -> None:
        self.passed = 0
        self.failures: list[str] = []

    def same(self, fact: str, statements: dict[str, object]) -> None:
        """All places have to state the same, and to state it at all."""
        if len({str(value) for value in statements.values()}) == 1 and None not in statements.values():
            self.passed += 1
        else:
            shown = "; ".join(f"{place}: {value}" for place, value in statements.items())
            self.failures.append(f"{fact}: {shown}")

    def holds(self, fact: str, truth: bool) -> None:
        if truth:
            self.passed += 1
        else:
            self.failures.append(fact)


def text(path: str) -> str:
    """A file of the repository; empty when it is missing, so that its facts are reported as missing."""
    file = ROOT / path
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def find(path: str, pattern: str) -> str | None:
    """The first group of the pattern's first match in a file."""
    match = re.search(pattern, text(path), re.MULTILINE)
    return match.group(1) if match else None


def header_version() -> str | None:
    """The version in the C header, put together."""
    parts = [
        find("ffi-c/include/mcpgraft.h", rf"^#define MCPGRAFT_VERSION_{part} (\d+)")
        for part in ("MAJOR", "MINOR", "PATCH")
    ]
    return None if None in parts else ".".join(str(part) for part in parts)


def versions(facts: Facts) -> None:
    cargo = r'^\[workspace\.package\]\s+version = "([^"]+)"'
    facts.same(
        "the version",
        {
            "Cargo.toml": find("Cargo.toml", cargo),
            "Cargo.toml, mcpgraft as a dependency": find("Cargo.toml", r'^mcpgraft = .*version = "([^"]+)"'),
            "Cargo.lock, mcpgraft": find("Cargo.lock", r'^name = "mcpgraft"\nversion = "([^"]+)"'),
            "Cargo.lock, mcpgraft-python": find("Cargo.lock", r'^name = "mcpgraft-python"\nversion = "([^"]+)"'),
            "Cargo.lock, mcpgraft-c": find("Cargo.lock", r'^name = "mcpgraft-c"\nversion = "([^"]+)"'),
            "mcpgraft.h": header_version(),
            "CHANGELOG.md": find("CHANGELOG.md", r"^## (\S+)"),
            "bindings-node/package.json": find("bindings-node/package.json", r'^  "version": "([^"]+)"'),
        },
    )
    facts.same(
        "the ABI version of the C library",
        {
            "mcpgraft.h": find("ffi-c/include/mcpgraft.h", r"^#define MCPGRAFT_ABI_VERSION (\d+)"),
            "ffi-c/build.rs": find("ffi-c/build.rs", r"libmcpgraft\.so\.(\d+)"),
            "ffi-c/README.md": find("ffi-c/README.md", r"libmcpgraft\.so\.(\d+)"),
            "ffi-c/run-tests": find("ffi-c/run-tests", r"libmcpgraft\.so\.(\d+)"),
        },
    )
    facts.holds("mcpgraft.pc takes its version from Cargo.toml", "@VERSION@" in text("ffi-c/install/mcpgraft.pc.in"))
    project = "bindings-python/pyproject.toml"
    facts.holds(
        "pyproject.toml takes its version from Cargo.toml", find(project, r"^dynamic = \[(.*)\]") == '"version"'
    )
    facts.same(
        "the oldest Rust",
        {
            "Cargo.toml": find("Cargo.toml", r'^rust-version = "([^"]+)"'),
            "README.md": find("README.md", r"Rust (\d+\.\d+)"),
        },
    )
    dotted = find(project, r'^requires-python = ">=([^"]+)"')
    facts.same(
        "the oldest Python",
        {
            project: dotted,
            "README.md": find("README.md", r"Needed:.*Python (\d+\.\d+)"),
            "README.md, the wheel": find("README.md", r"every Python from (\d+\.\d+)"),
            "CONTRIBUTING.md": find("CONTRIBUTING.md", r"Python (\d+\.\d+) or newer"),
            "Makefile": find("Makefile", r"Python (\d+\.\d+) or newer"),
            "mypy.ini": find("mypy.ini", r"^python_version = (.*)$"),
            f"{project}, mypy": find(project, r'^python_version = "([^"]+)"'),
            "tests/wheel/run": find("tests/wheel/run", r"^for version in (\S+)"),
        },
    )
    tight = "py" + (dotted or "").replace(".", "")
    facts.same(
        "the oldest Python, as tools write it",
        {
            project: tight,
            "Cargo.toml, abi3": find("Cargo.toml", r'"abi3-(py\d+)"'),
            "ruff.toml": find("ruff.toml", r'^target-version = "([^"]+)"'),
            f"{project}, ruff": find(project, r'^target-version = "([^"]+)"'),
        },
    )


def revisions(facts: Facts) -> None:
    date = r"\b20\d\d-\d\d-\d\d\b"
    table = set(re.findall(r'name: "(' + date + ')"', text("core/src/revision/mod.rs")))
    facts.same(
        "the revisions",
        {
            "core/src/revision/mod.rs": sorted(table) or None,
            "README.md": sorted(set(re.findall(date, text("README.md").split("## ")[0]))),
        },
    )
    clients = text("tests/clients/run.py")
    named = set(re.findall(r'"(' + date + ')"', clients)) | set(
        re.findall(date, text("tests/conformance/scenarios.txt"))
    )
    facts.holds("the tests name no other revisions than the core's", bool(named) and named <= table)


def packages(facts: Facts) -> None:
    pinned = json.loads(text("tests/npm/package.json"))["dependencies"]
    locked = json.loads(text("tests/npm/package-lock.json"))["packages"]
    for name, version in pinned.items():
        number = version.rpartition("@")[2]  # an alias is written npm:NAME@VERSION
        facts.same(f"npm {name}", {"package.json": number, "lock": locked[f"node_modules/{name}"]["version"]})
    facts.same(
        "the conformance suite",
        {
            "package.json": pinned["@modelcontextprotocol/conformance"],
            "scenarios.txt": find("tests/conformance/scenarios.txt", r"official suite \(([^)]+)\)"),
        },
    )
    facts.same(
        "the official Python package",
        {
            "mcp2.txt": find("tests/requirements/mcp2.txt", r"^mcp==(.*)$"),
            "README.md": find("README.md", r"`mcp` (\d[\d.]+\d)"),
        },
    )
    for place in sorted((ROOT / "tests" / "requirements").glob("*.txt")):
        lines = [line for line in place.read_text().splitlines() if line and not line.startswith("#")]
        facts.holds(
            f"{place.name} pins every version", all(re.fullmatch(r"[\w.\[\]-]+==[\w.]+", line) for line in lines)
        )


def licences(facts: Facts) -> None:
    facts.same(
        "the licence",
        {
            "Cargo.toml": find("Cargo.toml", r'^license = "([^"]+)"'),
            "pyproject.toml": find("bindings-python/pyproject.toml", r'^license = "([^"]+)"'),
            "CONTRIBUTING.md": find("CONTRIBUTING.md", r"under (MIT OR Apache-2\.0)"),
        },
    )
    for name in ("LICENSE-MIT", "LICENSE-APACHE"):
        for folder in ("", "core/", "bindings-python/"):
            facts.holds(f"{folder}{name} is there and the same", text(folder + name) == text(name) != "")


def links(facts: Facts) -> None:
    """Every relative link of a page leads somewhere."""
    for page in (
        "README.md",
        "CONTRIBUTING.md",
        "core/README.md",
        "bindings-python/README.md",
        "ffi-c/README.md",
        "tests/vectors/README.md",
    ):
        for target in re.findall(r"\]\(([^)#]+)", text(page)):
            if "://" not in target:
                facts.holds(f"{page}: {target} exists", ((ROOT / page).parent / target).exists())


def committed(facts: Facts) -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes().decode("utf-8", "replace")
        for number, line in enumerate(content.splitlines(), 1):
            if MACHINE_PATH.search(line):
                facts.failures.append(f"{name}:{number} names a path of one machine")
            if path.suffix in CODE and UNFINISHED.search(line):
                facts.failures.append(f"{name}:{number} is unfinished: {line.strip()[:80]}")
        facts.passed += 1


def main() -> int:
    facts = Facts()
    for check in (versions, revisions, packages, licences, links, committed):
        check(facts)
    for failure in facts.failures:
        print(f"FAIL {failure}")
    print(f"consistency: {facts.passed} passed, {len(facts.failures)} failed")
    return 1 if facts.failures else 0


if __name__ == "__main__":
    sys.exit(main())
