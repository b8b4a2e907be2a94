"""One annotation made ready: how its values are decoded, and what its schema is."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, get_origin

import msgspec

from . import encode, foreign
from .annotations import NeedsPydanticError, UnsupportedError, is_simple, members, rewrite, unwrapped
from .explain import REFUSED, Problem, msgspec_problem, pydantic_problem
from .fields import describe_fields
from .schema import Defs, Schema, accepts_string, describe, finish, merge

__all__ = ["Adapter", "UnsupportedError", "adapt"]


class Adapter:
    """Decoder and schema of one annotation.

    Attributes:
        type: What stands for it in a struct of arguments. `msgspec.Raw` if `decode` must be called with what came.
        raw: Whether it is that.
        schema: Its schema as generated, with references to `defs`.
        defs: Definitions the schema refers to.
        finished: The schema as clients see it, for error texts.
        decode: From JSON. Raises `ValueError`s that `problem` can read.
    """

    __slots__ = ("_pydantic", "_union", "decode", "defs", "finished", "raw", "schema", "strings", "type")

    decode: Callable[[bytes], Any]
    schema: Schema
    defs: Defs
    type: Any
    raw: bool

    def __init__(self, annotation: Any, arguments: bool) -> None:
        self._pydantic: foreign.PydanticAdapter | None = None
        self._union: list[Adapter] = []
        if foreign.speaks_pydantic(annotation):
            try:
                self._use_pydantic(annotation, arguments)
            except Exception:  # e.g. a model inside an attrs class, which pydantic does not know
                self._use_msgspec(annotation, arguments)
        else:
            try:
                self._use_msgspec(annotation, arguments)
            except (NeedsPydanticError, UnsupportedError) as why:
                self._use_other(annotation, arguments, why)
        self.finished = finish(self.schema, self.defs, collapse_null=False)
        self.strings = accepts_string(self.finished)

    def _use_other(self, annotation: Any, arguments: bool, why: Exception) -> None:
        # Pydantic takes what only it can check, and nothing else: importing it must not change a schema.
        if isinstance(why, NeedsPydanticError) and foreign.is_loaded():
            try:
                self._use_pydantic(annotation, arguments)
                return
            except Exception:  # what msgspec said is the better reason
                raise _unsupported(annotation, why) from why
        parts = [part for part in members(annotation) if part is not annotation]
        if not parts:
            raise _unsupported(annotation, why) from why
        # msgspec wants to know a union's member from the JSON type alone; several classes are tried in turn.
        adapters = [Adapter(part, arguments) for part in parts]
        self.defs = {}
        self.schema = {"anyOf": [merge(one.schema, one.defs, self.defs) for one in adapters]}
        self.type, self.raw = msgspec.Raw, True
        self._union = adapters
        self.decode = self._decode_union

    def _decode_union(self, data: bytes) -> Any:
        for adapter in self._union:
            try:
                return adapter.decode(data)
            except REFUSED:
                continue
        value = msgspec.json.decode(data)
        came = "str" if isinstance(value, str) else type(value).__name__
        raise msgspec.ValidationError(f"Expected `{describe(self.finished)}`, got `{came}`")

    def _use_pydantic(self, annotation: Any, arguments: bool) -> None:
        adapter = foreign.PydanticAdapter(annotation)
        self.schema, self.defs = adapter.schema(arguments=arguments)
        self.type = msgspec.Raw
        self.raw = True
        self.decode = adapter.decode
        self._pydantic = adapter

    def _use_msgspec(self, annotation: Any, arguments: bool) -> None:
        rewritten = rewrite(annotation, arguments=arguments)
        try:
            self.decode = msgspec.json.Decoder(rewritten, dec_hook=build).decode
            (self.schema,), self.defs = msgspec.json.schema_components((rewritten,), schema_hook=_custom_schema)
            describe_fields(rewritten, self.defs)
        except (TypeError, *REFUSED, RuntimeError, NameError, AttributeError) as wrong:
            raise UnsupportedError(_reason(wrong)) from wrong
        self.type = rewritten
        self.raw = False

    def problem(self, error: Exception) -> Problem:
        """Where and why `decode` refused."""
        if isinstance(error, msgspec.DecodeError):
            return msgspec_problem(error, self.finished)
        return pydantic_problem(error)

    def from_string(self, text: str) -> Any:
        """A value from a plain string: itself where strings are accepted, else the number, word or JSON it spells.

        Raises:
            ValueError: It spells nothing that fits; `problem` can read it.
        """
        if self._pydantic is not None:
            return self._pydantic.from_string(text)
        if self._union:
            return self._union_from_string(text)
        if self.strings:
            try:
                return msgspec.convert(text, self.type, dec_hook=build)
            except msgspec.ValidationError as wrong:
                first = wrong
        try:
            return msgspec.convert(text, self.type, strict=False, dec_hook=build)
        except msgspec.ValidationError as wrong:
            if not self.strings:
                first = wrong
        try:
            return self.decode(text.encode("utf-8", "replace"))
        except REFUSED:
            raise first from None

    def _union_from_string(self, text: str) -> Any:
        for adapter in sorted(self._union, key=lambda one: one.strings):
            try:
                return adapter.from_string(text)
            except REFUSED:
                continue
        raise msgspec.ValidationError(f"Expected `{describe(self.finished)}`, got `str`")

    def jsonable(self, value: Any) -> Any:
        """A default value as JSON data. Raises if it has no such form."""
        if self._pydantic is not None:
            return self._pydantic.jsonable(value)
        return msgspec.json.decode(encode.dumps(value))


def adapt(annotation: Any, *, arguments: bool = True) -> Adapter:
    """Make an annotation ready.

    Args:
        annotation: A resolved type expression.
        arguments: For decoding what a peer sends; False for the schema of a result.

    Raises:
        UnsupportedError: It has no JSON Schema, or nothing here can check it.
    """
    return _known(annotation, arguments) if is_simple(annotation) else Adapter(annotation, arguments)


# Nobody changes an adapter. Builtin types only, so that it keeps no class of the user's alive.
_known = lru_cache(maxsize=512)(Adapter)


def build(kind: Any, value: Any) -> Any:
    """Make a value msgspec has no decoder for, from decoded JSON (msgspec's `dec_hook`).

    Raises:
        ValueError: It does not fit.
    """
    if hasattr(kind, "__pydantic_validator__"):
        return foreign.build_model(kind, value)
    if not isinstance(value, str):
        raise ValueError(f"Expected `str`, got `{type(value).__name__}`")
    return kind(value)


def _custom_schema(kind: Any) -> dict[str, Any]:
    if hasattr(kind, "__pydantic_validator__"):
        schema, defs = foreign.PydanticAdapter(kind).schema(arguments=True)
        return finish(schema, defs, collapse_null=False)
    if isinstance(kind, type) and kind.__module__.startswith(encode.STRING_MODULES):
        formats = {"IPv4Address": "ipv4", "IPv6Address": "ipv6"}
        name = kind.__name__
        return {"type": "string", **({"format": formats[name]} if name in formats else {})}
    raise NotImplementedError


def _unsupported(annotation: Any, why: Exception) -> UnsupportedError:
    if isinstance(why, NeedsPydanticError):
        return UnsupportedError(
            f"{_named(annotation)} has a constraint that only pydantic can check: import pydantic, or use msgspec.Meta"
        )
    return UnsupportedError(f"{_named(annotation)} is not supported: {why}")


def _named(annotation: Any) -> str:
    bare = unwrapped(annotation)
    return bare.__qualname__ if isinstance(bare, type) and get_origin(bare) is None else repr(annotation)


def _reason(wrong: Exception) -> str:
    text = str(wrong)
    if text.startswith("Generating JSON schema for custom types"):
        text = text.rsplit("\n", 1)[-1]
        return f"no JSON form is known for it ({text.removesuffix(' is not supported')})"
    return text.split("\n", 1)[0]
