"""A function as the protocol sees it: its name and description, the schema of its arguments, and their decoder.

Everything is made once, at registration. A call whose arguments fit costs one msgspec decode; only one that does not
fit is looked at closely, for repairs and for an error text that names the field.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import Any

import msgspec

from ..errors import ArgumentError, RegistrationError
from . import docstring, explain, inspection, repair, schema
from .adapter import Adapter, UnsupportedError, adapt, build
from .annotations import is_simple
from .explain import REFUSED
from .repair import OnRepair, Repair
from .returns import output_schema

__all__ = ["Param", "Signature", "compile_signature"]

_asdict = msgspec.structs.asdict


class Param(msgspec.Struct, frozen=True, eq=False):
    """One argument a peer may send."""

    name: str
    adapter: Adapter
    required: bool
    default: Any = None
    """The function's own default; meaningless when required."""
    factory: Callable[[], Any] | None = None
    description: str | None = None


class Signature(msgspec.Struct, frozen=True, eq=False):
    """A compiled function."""

    name: str
    description: str | None
    """Summary and body of the docstring, without its parameter sections."""
    params: tuple[Param, ...]
    input_schema: dict[str, Any]
    output_schema: dict[str, Any] | None
    """None when the result is text, content, nothing or not declared."""
    injected: dict[str, str]
    """What the host provides: tag by parameter name."""
    is_async: bool
    extra: Adapter | None
    """Of `**kwargs`, if the function has them."""
    _decoder: _Decoder
    _raw: tuple[Param, ...]

    def decode(self, arguments: bytes, on_repair: OnRepair | None = None) -> dict[str, Any]:
        """Keyword arguments for the function from a JSON object, validated and converted.

        Args:
            arguments: The JSON as it came.
            on_repair: Told about each argument that was taken differently from how it was sent.

        Raises:
            ArgumentError: They do not fit. The text names every wrong argument, what is expected and what came.
        """
        try:
            kwargs = _asdict(self._decoder.decode(arguments))
        except (*REFUSED, RecursionError):  # the close look tells them apart
            return self._decode_slowly(arguments, on_repair)
        if self._raw:
            try:
                for param in self._raw:
                    sent = kwargs[param.name]
                    if type(sent) is msgspec.Raw:
                        kwargs[param.name] = param.adapter.decode(bytes(sent))
            except (*REFUSED, RecursionError):
                return self._decode_slowly(arguments, on_repair)
        return kwargs

    def decode_strings(self, values: Mapping[str, str]) -> dict[str, Any]:
        """Keyword arguments from plain strings (prompt arguments, URI variables); numbers, words and JSON are read.

        Names the function does not have are ignored unless it takes `**kwargs`.

        Raises:
            ArgumentError: One is missing or does not fit.
        """
        kwargs: dict[str, Any] = {}
        wrong: list[ArgumentError] = []
        for param in self.params:
            text = values.get(param.name)
            if text is None:
                if param.required:
                    wrong.append(_missing(param))
                else:
                    kwargs[param.name] = param.factory() if param.factory else param.default
                continue
            try:
                kwargs[param.name] = param.adapter.from_string(text)
            except REFUSED as error:
                problem = param.adapter.problem(error)
                wrong.append(ArgumentError(param.name + problem.where, _expected(problem), explain.short(text)))
        if self.extra is not None:
            for name, text in values.items():
                if name not in kwargs and name not in self.injected:
                    try:
                        kwargs[name] = self.extra.from_string(text)
                    except REFUSED as error:
                        wrong.append(ArgumentError(name, _expected(self.extra.problem(error)), explain.short(text)))
        _raise(wrong, [name for name in values if name not in kwargs])
        return kwargs

    def _decode_slowly(self, arguments: bytes, on_repair: OnRepair | None) -> dict[str, Any]:
        try:
            kwargs, repairs = self._read_closely(arguments)
        except RecursionError:
            raise ArgumentError("arguments", "JSON with less nesting", "too many levels") from None
        if on_repair is not None:
            for one in repairs:
                on_repair(one)
        return kwargs

    def _read_closely(self, arguments: bytes) -> tuple[dict[str, Any], list[Repair]]:
        sent, repairs = _members(arguments)
        kwargs: dict[str, Any] = {}
        wrong: list[ArgumentError] = []
        for param in self.params:
            raw = sent.pop(param.name, None)
            if raw is None:
                if param.required:
                    wrong.append(_missing(param))
                else:
                    kwargs[param.name] = param.factory() if param.factory else param.default
                continue
            try:
                kwargs[param.name] = param.adapter.decode(raw)
            except REFUSED as error:
                if raw.strip() == b"null" and not param.required:
                    kwargs[param.name] = param.factory() if param.factory else param.default
                    repairs.append(Repair(param.name, None, kwargs[param.name]))
                elif isinstance(fixed := _repaired(param.name, param.adapter, raw, error), ArgumentError):
                    wrong.append(fixed)
                else:
                    kwargs[param.name] = fixed[0]
                    repairs.extend(fixed[1])
        if self.extra is not None:
            for name in [name for name in sent if name not in self.injected]:
                raw = sent.pop(name)
                try:
                    kwargs[name] = self.extra.decode(raw)
                except REFUSED as error:
                    fixed = _repaired(name, self.extra, raw, error)
                    if isinstance(fixed, ArgumentError):
                        wrong.append(fixed)
                    else:
                        kwargs[name] = fixed[0]
                        repairs.extend(fixed[1])
        else:
            wrong.extend(self._misspelt(sent, arguments))
        _raise(wrong, list(sent))
        return kwargs, repairs

    def _misspelt(self, unknown: Mapping[str, bytes], arguments: bytes) -> list[ArgumentError]:
        # An unknown name is ignored unless it is close to an argument that did not come: then the caller meant that.
        given = _members(arguments)[0]
        absent = {_plain(param.name): param.name for param in self.params if param.name not in given}
        found = []
        for name in unknown:
            if near := _nearest(name, absent):
                shown = explain.short(name)
                found.append(
                    ArgumentError(
                        name, f"the name {near!r}", shown, f"{name}: there is no such argument, did you mean {near!r}?"
                    )
                )
        return found


def compile_signature(fn: Callable[..., Any], *, inject: Callable[[Any], str | None]) -> Signature:
    """Read a function once.

    Args:
        fn: A function, method, `functools.partial`, or an object with `__call__`. Sync or async.
        inject: Gives a tag for an annotation whose parameter the host provides, None for all others.

    Raises:
        RegistrationError: A parameter cannot be sent by a peer, or its annotation has no JSON Schema. Names both.
    """
    source = inspection.inspect_callable(fn)
    text = docstring.parse(source.doc)
    injected: dict[str, str] = {}
    params: list[Param] = []
    extra: Adapter | None = None
    for one in source.parameters:
        simple = is_simple(one.annotation)
        tag = None if simple else inspection.injected(one.annotation, inject)
        if tag is not None:
            injected[one.name] = tag
            continue
        inspection.check(one, source.name)
        documented = text.params.get(one.name)
        try:
            if one.variadic:
                extra = adapt(one.annotation)
            elif simple and type(one.default) in _CONSTANTS:
                params.append(
                    _simple_param(
                        one.name, one.annotation, one.kind, one.default, type(one.default).__name__, documented
                    )
                )
            else:
                params.append(_param(one, documented))
        except UnsupportedError as why:
            raise RegistrationError(f"{source.name}(): parameter {one.name!r}: {why}") from why
    made, decoder = _made(tuple(params), extra)
    return Signature(
        name=source.name,
        description=text.description or None,
        params=tuple(params),
        input_schema=made,
        output_schema=output_schema(source.returns),
        injected=injected,
        is_async=source.is_async,
        extra=extra,
        _decoder=decoder,
        _raw=tuple(param for param in params if param.adapter.raw),
    )


def _param(one: inspection.Parameter, documented: str | None) -> Param:
    default, factory, annotation = inspection.default_of(one)
    required = default is inspection.EMPTY and factory is None
    return Param(one.name, adapt(annotation), required, None if required else default, factory, documented)


_CONSTANTS = frozenset({str, int, bool, type(None), type})
"""Types of defaults that are told apart by their values; that of no default is one of them."""


@lru_cache(maxsize=2048)
def _simple_param(
    name: str, annotation: Any, kind: int, default: Any, default_type: str, documented: str | None
) -> Param:
    # Parameters that are alike are one.
    return _param(inspection.Parameter(name, annotation, default, kind), documented)


def _input_schema(params: tuple[Param, ...], extra: Adapter | None) -> dict[str, Any]:
    defs: schema.Defs = {}
    properties: dict[str, Any] = {}
    for param in params:
        one = dict(schema.merge(param.adapter.schema, param.adapter.defs, defs))
        if param.description and "description" not in one:
            one = {"description": param.description, **one}
        if not param.required and param.factory is None:
            try:
                one["default"] = param.adapter.jsonable(param.default)
            except Exception:  # a default without JSON form is the function's own affair
                one.pop("default", None)
        properties[param.name] = one
    root: dict[str, Any] = {"type": "object", "properties": properties}
    if required := [param.name for param in params if param.required]:
        root["required"] = required
    if extra is not None:
        root["additionalProperties"] = schema.merge(extra.schema, extra.defs, defs) or True
    return schema.finish(root, defs, collapse_null=True)


def _made(params: tuple[Param, ...], extra: Adapter | None) -> tuple[dict[str, Any], _Decoder]:
    # Functions that share all their parameters share a schema, which nobody changes, and a decoder.
    if extra is None and all(type(one.default) in _CONSTANTS and one.factory is None for one in params):
        return _shared(params)
    return _input_schema(params, extra), _Decoder(params, extra)


@lru_cache(maxsize=2048)
def _shared(params: tuple[Param, ...]) -> tuple[dict[str, Any], _Decoder]:
    return _input_schema(params, None), _Decoder(params, None)


class _Decoder:
    """Decodes arguments. Made ready at the first call: a program that has started is asked for its lists at first."""

    __slots__ = ("_extra", "_params", "decode")

    decode: Callable[[bytes], Any]

    def __init__(self, params: tuple[Param, ...], extra: Adapter | None) -> None:
        self._params = params
        self._extra = extra
        self.decode = self._first

    def _first(self, arguments: bytes) -> Any:
        self.decode = self._make()
        return self.decode(arguments)

    def _make(self) -> Callable[[bytes], Any]:
        # Defaults go through factories: a function's default is the very object, never msgspec's copy of it.
        if self._extra is not None:
            return _refuse  # the slow way sees every name, which `**kwargs` needs
        fields: list[Any] = []
        for param in self._params:
            if param.required:
                fields.append((param.name, param.adapter.type))
            else:
                factory = param.factory or partial(_same, param.default)
                fields.append((param.name, param.adapter.type, msgspec.field(default_factory=factory)))
        # Unknown names are refused only to get a close look: most of them are then ignored.
        kind = msgspec.defstruct("arguments", fields, kw_only=True, forbid_unknown_fields=True, gc=False)
        return msgspec.json.Decoder(kind, dec_hook=build).decode


def _same(value: Any) -> Any:
    return value


def _refuse(arguments: bytes) -> Any:
    raise ValueError


_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def _members(arguments: bytes) -> tuple[dict[str, bytes], list[Repair]]:
    # The members of the arguments object, even if the whole object came as a string.
    try:
        return {name: bytes(raw) for name, raw in _OBJECT(arguments).items()}, []
    except msgspec.DecodeError as wrong:
        error = wrong
    try:
        text = msgspec.json.decode(arguments)
    except (msgspec.DecodeError, RecursionError):
        raise ArgumentError("arguments", "a JSON object", f"malformed JSON ({error})") from None
    if isinstance(text, str):
        try:
            members = {name: bytes(raw) for name, raw in _OBJECT(text).items()}
            return members, [Repair("arguments", text, msgspec.json.decode(text))]
        except (msgspec.DecodeError, RecursionError):
            pass
    raise ArgumentError("arguments", "object", explain.short(text)) from None


def _repaired(name: str, adapter: Adapter, raw: bytes, error: Exception) -> tuple[Any, list[Repair]] | ArgumentError:
    try:
        fixed = repair.repaired(name, raw, adapter.decode, adapter.problem, error)
    except (*REFUSED, ArithmeticError, RecursionError):  # e.g. an exponent that no number type holds
        fixed = error
    if not isinstance(fixed, Exception):
        return fixed
    problem = adapter.problem(fixed)
    got = problem.got
    if got is explain.MISSING and problem.path is not None:
        got = _sent(raw, problem.path)
    shown = "another" if got is explain.MISSING and problem.path is None else explain.short(got)
    return ArgumentError(name + _dotted(problem.where), _expected(problem), shown)


def _sent(raw: bytes, path: explain.Path) -> Any:
    try:
        return explain.value_at(repair.lossless.decode(raw), path)
    except (*REFUSED, ArithmeticError):
        return raw[:200].decode("utf-8", "replace")


def _dotted(where: str) -> str:
    return where if not where or where[0] in ".[" else f".{where}"


def _expected(problem: explain.Problem) -> str:
    return problem.expected


def _missing(param: Param) -> ArgumentError:
    return ArgumentError(param.name, schema.describe(param.adapter.finished) or "a value", "nothing")


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").casefold()


def _nearest(name: str, absent: Mapping[str, str]) -> str | None:
    if (plain := _plain(name)) in absent:
        return absent[plain]
    from difflib import get_close_matches  # only calls with unknown arguments need it

    close = get_close_matches(plain[:100], absent, n=1, cutoff=0.8)
    return absent[close[0]] if close else None


def _raise(wrong: list[ArgumentError], unknown: list[str]) -> None:
    if not wrong:
        return
    first = wrong[0]
    text = "; ".join(dict.fromkeys(str(one) for one in wrong))
    if unknown and any(one.got == "nothing" for one in wrong):
        text += f" (unknown: {', '.join(explain.short(name, 40) for name in unknown[:10])})"
    raise ArgumentError(first.field, first.expected, first.got, text)
