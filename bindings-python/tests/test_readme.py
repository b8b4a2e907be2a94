"""The code in the package's README runs as it stands there."""

from __future__ import annotations

import pathlib
import re
import sys
from types import ModuleType

import pytest


def test_the_blocks_of_the_readme_run_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (pathlib.Path(__file__).parent.parent / "README.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 4
    module = ModuleType("readme")
    monkeypatch.setitem(sys.modules, "readme", module)
    for block in blocks:
        exec(compile(block, "README.md", "exec", dont_inherit=True), module.__dict__)
