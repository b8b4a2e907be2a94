"""Pydantic, when the user's code has it: models and what only pydantic can check go through a `TypeAdapter`.

Nothing here imports pydantic unless it is imported already, so a user without it pays nothing for this.
"""

from __future__ import annotations

import sys
import typing
from collections.abc import Callable
from typing import Any, get_args, get_origin

import msgspec

from .annotations import unwrapped

__all__ = ["PydanticAdapter", "build_model", "is_loaded", "speaks_pydantic"]


def is_loaded() -> bool:
    """Whether pydantic 2 is imported in this process."""
    return hasattr(sys.modules.get("pydantic"), "TypeAdapter")


def speaks_pydantic(annotation: Any, seen: set[int] | None = None) -> bool:
    """Whether a pydantic type occurs in an annotation or in the fields of its dataclasses and the like."""
    if not is_loaded():
        return False
    seen = set() if seen is None else seen
    if id(annotation) in seen or len(seen) > 1000:
        return False
    seen.add(id(annotation))
    bare = unwrapped(annotation)
    if isinstance(bare, type) and any(
        hasattr(bare, name)
        for name in ("__pydantic_validator__", "__pydantic_core_schema__", "__get_pydantic_core_schema__")
    ):
        return True
    if any(speaks_pydantic(one, seen) for one in get_args(bare)):
        return True
    kind = get_origin(bare) or bare
    return any(speaks_pydantic(one, seen) for one in _fields(kind))


def _fields(kind: Any) -> list[Any]:
    # Only what pydantic itself can take apart: it knows nothing of attrs and msgspec classes.
    if not isinstance(kind, type):
        return []
    if not (hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__total__") or hasattr(kind, "_fields")):
        return []
    try:
        return list(typing.get_type_hints(kind, include_extras=True).values())
    except Exception:
        return []


def build_model(kind: type, value: Any) -> Any:
    """A pydantic model inside a msgspec or attrs class, from decoded JSON.

    Raises:
        ValueError: It does not validate; the text names the field.
    """
    validator = getattr(kind, "__pydantic_validator__", None)
    if validator is None:
        raise NotImplementedError(kind)
    return validator.validate_json(msgspec.json.encode(value))


class PydanticAdapter:
    """One annotation as pydantic sees it.

    Args:
        annotation: Any type expression pydantic can make a schema of; it raises its own errors otherwise.
    """

    __slots__ = ("_python", "adapter", "decode")

    decode: Callable[[bytes], Any]
    """JSON to the validated value; raises `pydantic.ValidationError` (a `ValueError`)."""

    def __init__(self, annotation: Any) -> None:
        adapter = sys.modules["pydantic"].TypeAdapter(annotation)
        self.adapter = adapter
        self.decode = adapter.validator.validate_json
        self._python = adapter.validator.validate_python

    def from_string(self, text: str) -> Any:
        """A value from a plain string, lax as pydantic is; JSON is read where a string is not accepted."""
        try:
            return self._python(text)
        except ValueError:
            if text.lstrip()[:1] in ("{", "["):
                return self.decode(text.encode())
            raise

    def schema(self, *, arguments: bool) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
        """The schema and its definitions, without the titles pydantic makes up."""
        base: Any = sys.modules["pydantic.json_schema"].GenerateJsonSchema

        class Untitled(base):  # type: ignore[misc]
            def field_title_should_be_set(self, schema: Any) -> bool:
                return False

        made = self.adapter.json_schema(
            mode="validation" if arguments else "serialization",
            ref_template="#/$defs/{model}",
            schema_generator=Untitled,
        )
        defs = made.pop("$defs", {})
        # A class that occurs once is inlined by pydantic and keeps its name as title; so does the root.
        title = made.get("title")
        if title and title == getattr(
            get_origin(unwrapped(self.adapter._type)) or unwrapped(self.adapter._type), "__name__", None
        ):
            made.pop("title")
        return made, defs

    def jsonable(self, value: Any) -> Any:
        """A default value as JSON data."""
        return self.adapter.dump_python(value, mode="json", by_alias=True)
