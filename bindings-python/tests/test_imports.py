"""What importing costs: no framework, no asyncio, no OpenSSL."""

from __future__ import annotations

import subprocess
import sys


def test_import_is_light() -> None:
    code = (
        "import sys, mcpgraft, mcpgraft.wsgi, mcpgraft.stdio, mcpgraft.lowlevel\n"
        "heavy = {'asyncio', 'flask', 'werkzeug', 'django', 'starlette', 'pydantic', 'attrs', 'ssl', 'hmac'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_public_names_exist() -> None:
    import mcpgraft

    for name in mcpgraft.__all__:
        assert getattr(mcpgraft, name) is not None
