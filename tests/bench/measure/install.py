"""Builds our programs, installs the peers, and says what is installed: versions, sizes, how many packages."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from contenders import HERE, NPM, SIZES, C, Package, clean_python

from serving import BUILD, NODE, ROOT, python

Measured = dict[str, float]
PACKED = BUILD / "npm-packages"


def attempt(what: str, command: Sequence[str], cwd: Path | None = None) -> bool:
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
    for venv in ["bench", "mcp2", "fastmcp"]:
        attempt(venv, [str(ROOT / "tests" / "tools" / "venv"), venv])
    install_wheel()
    lock = (HERE / "peers" / "npm" / "package-lock.json").read_text()
    stamp = NPM / ".stamp"
    if not stamp.exists() or stamp.read_text() != lock:
        NPM.mkdir(parents=True, exist_ok=True)
        for name in ["package.json", "package-lock.json"]:
            (NPM / name).write_text((HERE / "peers" / "npm" / name).read_text())
        if attempt("npm", ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"], NPM):
            stamp.write_text(lock)
    return whole


def install_wheel() -> None:
    """Our wheel into the venv of its own, if one was built since."""
    if clean_python() == python("bench"):
        return
    wheels = [str(one) for one in (BUILD / "dist").glob("*.whl")]
    pip = [python("bench"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--force-reinstall"]
    if attempt("our wheel in a venv of its own", [*pip, "--no-deps", *wheels]):
        (BUILD / "venv" / "bench" / ".wheel").touch()


def said(*command: str) -> str:
    """The first line a program prints; empty if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return (done.stdout.strip().splitlines() or [""])[0]


def pinned(package: Package) -> str:
    """The version of a peer that the build pins, or empty."""
    if package.kind == "npm":
        wanted: dict[str, str] = json.loads((HERE / "peers" / "npm" / "package.json").read_text())["dependencies"]
        return wanted.get(package.name, "")
    for name in ("mcp2", "fastmcp"):
        for line in (ROOT / "tests" / "requirements" / f"{name}.txt").read_text().splitlines():
            if line.startswith(package.name + "=="):
                return line.split("==")[1]
    return ""


def versions() -> str:
    """What ran: the peers, and what they run on."""
    lock = (HERE / "peers" / "rust" / "Cargo.lock").read_text()
    rmcp = lock.split('name = "rmcp"\nversion = "')[1].split('"')[0]
    show = "import importlib.metadata as m; print(*(f'{n} {m.version(n)}' for n in %r), sep=', ')"
    servers = said(clean_python(), "-c", show % (["flask", "gunicorn", "uvicorn", "uvloop", "httptools"],))
    wanted: dict[str, str] = json.loads((HERE / "peers" / "npm" / "package.json").read_text())["dependencies"]
    parts = [
        f"Python {said(clean_python(), '-c', 'import platform; print(platform.python_version())')}",
        said(python("mcp2"), "-c", show % (["mcp", "uvicorn", "uvloop", "httptools"],)),
        said(python("fastmcp"), "-c", show % (["fastmcp"],)),
        servers and f"ours on {servers}",
        f"Node {said(str(NODE), '--version')}",
        *(f"{name} {version}" for name, version in wanted.items()),
        f"rmcp {rmcp}",
        said("rustc", "--version"),
    ]
    return ", ".join(part for part in parts if part)


# --- sizes -----------------------------------------------------------------------------------------------------------


def bytes_below(path: Path) -> int:
    if path.is_file():
        return path.stat().st_size
    return sum(one.stat().st_size for one in path.rglob("*") if one.is_file() and not one.is_symlink())


def pip_size(package: Package) -> Measured | str:
    """A folder of its own, without byte code, as pip downloads it."""
    wheels = sorted((BUILD / "dist").glob("*.whl"))
    if package.name == "mcpgraft":
        if not wheels:
            return "no wheel is built"
        wanted, stamp = str(wheels[-1]), f"{wheels[-1].name} {wheels[-1].stat().st_mtime_ns}"
    else:
        wanted = stamp = f"{package.name}=={pinned(package)}"
    target = SIZES / f"pip-{package.name}"
    if not (target / ".stamp").exists() or (target / ".stamp").read_text() != stamp:
        shutil.rmtree(target, ignore_errors=True)
        pip = [python("build"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile"]
        if not attempt(package.name, [*pip, "--target", str(target), wanted]):
            return f"pip could not install {package.name}"
        (target / ".stamp").write_text(stamp)
    own = sum(bytes_below(target / name) for name in package.where or (package.name,))
    found: Measured = {
        "total_mib": bytes_below(target) / 2**20,
        "own_mib": own / 2**20,
        "packages": float(len(list(target.glob("*.dist-info")))),
    }
    if package.name == "mcpgraft":
        found["wheel_mib"] = wheels[-1].stat().st_size / 2**20
    return found


def npm_size(package: Package) -> Measured | str:
    """A prefix of its own, as npm installs it."""
    archives = [PACKED / name for name in ours_packed()]
    if package.name == "mcpgraft":
        if not archives:
            return "no npm packages are packed"
        wanted, stamp = [str(one) for one in archives], " ".join(f"{one.name} {one.stat().st_size}" for one in archives)
    else:
        wanted = [f"{package.name}@{pinned(package)}"]
        stamp = wanted[0]
    target = SIZES / ("npm-" + package.name.replace("/", "-").replace("@", ""))
    if not (target / ".stamp").exists() or (target / ".stamp").read_text() != stamp:
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        (target / "package.json").write_text('{"private":true}')
        npm = ["npm", "install", "--no-audit", "--no-fund", "--loglevel=error", "--ignore-scripts"]
        if not attempt(package.name, [*npm, *wanted], target):
            return f"npm could not install {package.name}"
        (target / ".stamp").write_text(stamp)
    modules = target / "node_modules"
    lock = json.loads((modules / ".package-lock.json").read_text())
    found: Measured = {
        "total_mib": bytes_below(modules) / 2**20,
        "own_mib": sum(bytes_below(modules / name) for name in package.where or (package.name,)) / 2**20,
        "packages": float(len(lock["packages"])),
    }
    addons = list(modules.rglob("mcpgraft*.node"))
    if addons:
        found["addon_mib"] = max(one.stat().st_size for one in addons) / 2**20
    return found


def ours_packed() -> list[str]:
    """Our package and that of the addon for this machine, as `make build` packs them."""
    here = [one.name for one in PACKED.glob("*.tgz")] if PACKED.exists() else []
    return sorted(name for name in here if "wasm" not in name)


def size(package: Package) -> Measured | str:
    """MiB on disk of the package with its dependencies and alone, and how many packages; a text is why not."""
    return pip_size(package) if package.kind == "pip" else npm_size(package)
