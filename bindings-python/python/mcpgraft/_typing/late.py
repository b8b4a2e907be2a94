"""What a program that starts can do without: expressions that are compiled when they are first needed (most programs
need none of them), and a `Protocol` that costs no more than any class."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from typing import Protocol
else:

    class Protocol:
        """For protocols that nobody asks anything of at run time: `typing.Protocol` takes ten times as long to make."""

        __slots__ = ()

        def __class_getitem__(cls, _):
            return cls


__all__ = ["Protocol", "pattern"]


class _Late:
    __slots__ = ("_compiled", "_flags", "_text")

    def __init__(self, text: str, flags: int) -> None:
        self._text = text
        self._flags = flags
        self._compiled: re.Pattern[str] | None = None

    def __getattr__(self, name: str) -> object:
        if self._compiled is None:
            self._compiled = re.compile(self._text, self._flags)
        return getattr(self._compiled, name)


def pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """`re.compile`, later."""
    return cast("re.Pattern[str]", _Late(text, flags))
