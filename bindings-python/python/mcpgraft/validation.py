"""Values against JSON Schemas: the arguments of raw tools, and structured results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from . import _native
from ._typing.encode import dumps
from .errors import ArgumentError, InvalidResult, RegistrationError

if TYPE_CHECKING:
    from ._native import Validator

__all__ = ["check_arguments", "check_result", "compiled_schema", "schema_json"]


def compiled_schema(what: str, schema: bytes) -> Validator:
    """Compile a schema.

    Args:
        what: Where it stands, for the error: "tool 'x': inputSchema".
        schema: Its JSON. 2020-12 unless its `$schema` names another draft. References stay inside it.

    Raises:
        RegistrationError: It is no schema, has a reference that leads out of it, or is too long or too deep.
    """
    made = getattr(_native, "Validator", None)
    if made is None:
        raise RegistrationError(f"{what}: this build cannot validate (cargo feature `schema`); pass validate=False")
    try:
        validator: Validator = made(schema)
    except ValueError as wrong:
        raise RegistrationError(f"{what}: {wrong}") from wrong
    return validator


def schema_json(schema: Mapping[str, object] | bytes) -> bytes:
    """The JSON of a schema: the very bytes if that is what it is. Raises `RegistrationError` if it is no object."""
    if not isinstance(schema, bytes):
        return dumps(dict(schema))
    try:
        msgspec.json.decode(schema, type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as wrong:
        raise RegistrationError(f"the schema is not a JSON object: {wrong}") from wrong
    return schema.strip()


def check_arguments(validator: Validator, arguments: bytes) -> None:
    """Check the arguments of a call. Raises `ArgumentError`, which names each wrong field."""
    if problems := validator.check(arguments):
        field, expected, got = problems[0]
        raise ArgumentError(field, expected, got, _text("arguments", problems))


class _Result(msgspec.Struct, rename={"is_error": "isError", "structured": "structuredContent"}):
    is_error: bool = False
    structured: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_read = msgspec.json.Decoder(_Result).decode


def check_result(validator: Validator, tool: str, result: bytes) -> None:
    """Check what a tool promised in its `outputSchema` (server/tools, "Output Schema").

    An `isError` result promises nothing.

    Raises:
        InvalidResult: There is no structured content, or it does not fit.
    """
    read = _read(result)
    if read.is_error:
        return
    if isinstance(read.structured, msgspec.UnsetType):
        raise InvalidResult(f"tool {tool!r} has an outputSchema but gave no structured content")
    if problems := validator.check(bytes(read.structured)):
        raise InvalidResult(f"the result of tool {tool!r} does not fit its outputSchema: {_text('result', problems)}")


def _text(root: str, problems: list[tuple[str, str, str]]) -> str:
    return "; ".join(f"{field or root}: expected {expected}, got {got}" for field, expected, got in problems)
