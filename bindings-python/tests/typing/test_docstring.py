"""Docstring styles: each gives the same description and the same parameters."""

import pytest

from mcpgraft._typing.docstring import Docstring, parse

GOOGLE = """Search policies.

    Looks at title and body.

    Args:
        query (str): Search terms,
            separated by blanks.
        limit (dict[str, int], optional): At most so many.

            Counted per page.
        *rest: Ignored.
        **options: More: options.

    Returns:
        What was found.
    """
NUMPY = """Search policies.

    Looks at title and body.

    Parameters
    ----------
    query : str
        Search terms,
        separated by blanks.
    limit : int, optional
        At most so many.

        Counted per page.
    *rest
        Ignored.
    **options
        More: options.

    Returns
    -------
    list
        What was found.
    """
REST = """Search policies.

    Looks at title and body.

    :param str query: Search terms,
        separated by blanks.
    :param limit: At most so many.

        Counted per page.
    :type limit: int
    :param rest: Ignored.
    :param options: More: options.
    :returns: What was found.
    :rtype: list
    :raises ValueError: never
    """


@pytest.mark.parametrize("text", [GOOGLE, NUMPY, REST], ids=["google", "numpy", "rest"])
def test_styles(text: str) -> None:
    read = parse(text)
    assert read.params == {
        "query": "Search terms, separated by blanks.",
        "limit": "At most so many.\n\nCounted per page.",
        "rest": "Ignored.",
        "options": "More: options.",
    }
    assert read.description.startswith("Search policies.\n\nLooks at title and body.\n\nReturns")
    assert "What was found." in read.description
    assert "query" not in read.description
    assert "rtype" not in read.description


@pytest.mark.parametrize(
    ("text", "description", "params"),
    [
        (None, "", {}),
        ("", "", {}),
        ("   \n ", "", {}),
        ("One line.", "One line.", {}),
        ("\n    Args:\n        a: first", "", {"a": "first"}),
        ("S.\n\nArgs:\n    a: first\n\nAfter.", "S.\n\nAfter.", {"a": "first"}),
        ("S.\n\nArguments:\n    a:\n        on its own line\n", "S.", {"a": "on its own line"}),
        ("S.\n\nArgs:\n    nothing of interest\n", "S.\n\nArgs:\n    nothing of interest", {}),
        ("S.\n\nNote:\n    a: not a parameter", "S.\n\nNote:\n    a: not a parameter", {}),
        ("S.\n\nParameters\n----------\na, b : int\n    Both.\n", "S.", {"a": "Both.", "b": "Both."}),
        (
            "S.\n\nParameters\n----------\na\n    First.\n\nSome prose here.\n",
            "S.\n\nSome prose here.",
            {"a": "First."},
        ),
        ("S.\n\nParameters\n----------\na : int\n", "S.", {}),
        ("See :func:`x` and time 10:30: ok.", "See :func:`x` and time 10:30: ok.", {}),
        ("S.\n:param a: first\n:param b: second", "S.", {"a": "first", "b": "second"}),
        ("S.\n\nArgs:\n\n    a: first\n    a: again", "S.", {"a": "first"}),
        ("Args:", "Args:", {}),
        ("S.\n\nKeyword Args:\n    a (Optional[Tuple[int, (str)]]): first", "S.", {"a": "first"}),
    ],
)
def test_forms(text: str, description: str, params: dict) -> None:
    assert parse(text) == Docstring(description, params)
