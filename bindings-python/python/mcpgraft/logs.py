"""The package's logger, `mcpgraft`. It brings in `logging` when there is something to say."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import logging

__all__ = ["log"]


class _Later:
    __slots__ = ()

    def __getattr__(self, name: str) -> object:
        import logging

        return getattr(logging.getLogger("mcpgraft"), name)


log = cast("logging.Logger", _Later())
