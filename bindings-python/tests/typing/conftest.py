"""These tests need no native module: without one they see the package's pure-Python parts alone."""

import importlib.util
import sys
import types
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "python" / "mcpgraft"


def _importable() -> bool:
    try:
        import mcpgraft._native  # noqa: F401
    except ImportError:
        return False
    return importlib.util.find_spec("mcpgraft._typing") is not None


if not _importable():
    for name in [name for name in sys.modules if name.split(".")[0] == "mcpgraft"]:
        del sys.modules[name]
    bare = types.ModuleType("mcpgraft")
    bare.__path__ = [str(PACKAGE)]
    sys.modules["mcpgraft"] = bare
