"""Plain functions are read without `inspect`; what is found is the same."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Optional

import pytest

from mcpgraft._typing import inspection


def plain(a: int, b: "str" = "x", *, c: bool = True, d: Optional[list[int]] = None) -> str: ...  # noqa: UP037, UP045


def positional(a: int, /, b: float, *rest: int, **more: str) -> None:
    """Has all kinds.

    And a body.
    """


async def later(text: str) -> dict[str, int]:
    """Comes later."""
    return {}


def bare(a, b=1):  # type: ignore[no-untyped-def]
    ...


def custom(a: inspection.Source, b: int = 2) -> inspection.Source: ...


FUNCTIONS = [plain, positional, later, bare, custom, lambda x, y=2: x]
FUNCTIONS += [functools.partial(plain, 1), functools.partial(functools.partial(plain, b="y"), 2, c=False)]


@pytest.mark.parametrize("fn", FUNCTIONS, ids=str)
def test_as_inspect_reads_it(fn: Callable[..., Any]) -> None:
    quick = inspection.inspect_callable(fn)
    inner: Any = fn
    while isinstance(inner, functools.partial):
        inner = inner.func
    inner.marked = True  # a function with attributes is looked at closely
    try:
        close = inspection.inspect_callable(fn)
    finally:
        del inner.marked
    assert quick == close


def test_a_name_that_changes_its_meaning() -> None:
    """The same words in two places may name two types."""
    found = []
    for kind in (int, str):
        namespace: dict[str, Any] = {"Kind": kind}
        exec("from __future__ import annotations\ndef f(a: Kind, b: list[Kind]): ...", namespace)
        found.append([one.annotation for one in inspection.inspect_callable(namespace["f"]).parameters])
    assert found == [[int, list[int]], [str, list[str]]]
