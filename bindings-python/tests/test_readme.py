"""The code in the package's README runs as it stands there."""

from __future__ import annotations

import pathlib
import re


def test_the_blocks_of_the_readme_run_in_order() -> None:
    text = (pathlib.Path(__file__).parent.parent / "README.md").read_text("utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 3
    scope: dict[str, object] = {"__name__": "readme"}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), scope)
