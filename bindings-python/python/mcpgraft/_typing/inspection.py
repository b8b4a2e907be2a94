"""Callables of every kind reduced to what a signature needs: names, resolved annotations, defaults."""

from __future__ import annotations

import builtins
import functools
import sys
import types
import typing
from collections.abc import Callable
from typing import Annotated, Any, Optional, get_args, get_origin

import msgspec

from ..errors import RegistrationError
from .annotations import is_field, is_optional, is_simple, members, unwrapped

__all__ = ["EMPTY", "Parameter", "Source", "check", "default_of", "injected", "inspect_callable"]


class _Empty:
    pass


EMPTY: Any = _Empty
"""The default of a parameter without one."""
POSITIONAL_ONLY, BY_NAME, VARIADIC_POSITIONAL, VARIADIC = range(4)
"""Kinds of parameters."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter; its annotation is resolved, `Any` if there was none."""

    name: str
    annotation: Any
    default: Any
    kind: int

    @property
    def variadic(self) -> bool:
        """Whether it is `**kwargs`."""
        return self.kind == VARIADIC


class Source(msgspec.Struct, frozen=True):
    """A callable, read."""

    name: str
    doc: str | None
    parameters: list[Parameter]
    returns: Any
    """Resolved; `Any` if there was none."""
    is_async: bool


def inspect_callable(fn: Callable[..., Any]) -> Source:
    """Read a function, method, `functools.partial`, class or object with `__call__`.

    Raises:
        RegistrationError: It has no readable signature, or an annotation names something that cannot be found.
    """
    if not callable(fn):
        raise RegistrationError(f"{fn!r} is not callable")
    bound: set[str] = set()
    given = 0
    inner: Any = fn
    while isinstance(inner, functools.partial):
        bound |= inner.keywords.keys()
        given += len(inner.args)
        inner = inner.func
    name = str(getattr(inner, "__name__", type(inner).__name__))
    if type(inner) is types.FunctionType and not inner.__dict__:  # nothing says otherwise
        read = _read_function(inner)[given:]
        body, doc, is_async = inner, _documented(inner), bool(inner.__code__.co_flags & _COROUTINE)
    else:
        body, read, doc, is_async = _look_closely(fn, inner, name)
    hints = _hints(body, name)
    parameters = [
        Parameter(one, hints.get(one, Any), default, kind)
        for one, default, kind in read
        if one not in bound  # what a partial has bound by name is not the peer's to send
    ]
    returns = inner if isinstance(inner, type) else hints.get("return", Any)
    return Source(name, doc, parameters, returns, is_async)


_Read = list[tuple[str, Any, int]]
"""Name, default and kind of each parameter."""

_COROUTINE = 0x80  # inspect.CO_COROUTINE
_VARARGS, _VARKEYWORDS = 0x04, 0x08


def _read_function(fn: types.FunctionType) -> _Read:
    # What inspect.signature does for a plain function; that module costs as much to import as this whole package.
    code = fn.__code__
    positional, names = code.co_argcount, code.co_varnames
    defaults, named = fn.__defaults__ or (), fn.__kwdefaults__ or {}
    required = positional - len(defaults)
    read: _Read = [
        (
            names[at],
            EMPTY if at < required else defaults[at - required],
            POSITIONAL_ONLY if at < code.co_posonlyargcount else BY_NAME,
        )
        for at in range(positional)
    ]
    at = positional + code.co_kwonlyargcount
    if code.co_flags & _VARARGS:
        read.append((names[at], EMPTY, VARIADIC_POSITIONAL))
        at += 1
    last = positional + code.co_kwonlyargcount
    read += [(name, named.get(name, EMPTY), BY_NAME) for name in names[positional:last]]
    if code.co_flags & _VARKEYWORDS:
        read.append((names[at], EMPTY, VARIADIC))
    return read


def _documented(fn: Any) -> str | None:
    doc = fn.__doc__
    if not isinstance(doc, str):
        return None
    if "\n" not in doc:
        return doc.strip()
    from inspect import cleandoc

    return cleandoc(doc)


def _look_closely(fn: Callable[..., Any], inner: Any, name: str) -> tuple[Any, _Read, str | None, bool]:
    import inspect

    body = _body(inner)
    try:
        signature = inspect.signature(fn)
    except (TypeError, ValueError) as wrong:
        raise RegistrationError(f"{name}() has no readable signature: {wrong}") from wrong
    kinds: dict[Any, int] = {
        inspect.Parameter.POSITIONAL_ONLY: POSITIONAL_ONLY,
        inspect.Parameter.VAR_POSITIONAL: VARIADIC_POSITIONAL,
        inspect.Parameter.VAR_KEYWORD: VARIADIC,
    }
    read = [
        (one.name, EMPTY if one.default is inspect.Parameter.empty else one.default, kinds.get(one.kind, BY_NAME))
        for one in signature.parameters.values()
    ]
    doc = (
        inspect.getdoc(inner)
        if inner is body or isinstance(inner, type)
        else inspect.getdoc(body) or inspect.getdoc(inner)
    )
    is_async = inspect.iscoroutinefunction(inner) or inspect.iscoroutinefunction(inspect.unwrap(body))
    return body, read, doc, is_async


def _body(inner: Any) -> Any:
    # Where annotations and code are.
    if isinstance(inner, type):
        return inner.__init__  # type: ignore[misc]
    import inspect

    if inspect.isroutine(inner):
        return inner
    return type(inner).__call__


def _hints(body: Any, name: str) -> dict[str, Any]:
    if type(body) is types.FunctionType and (simple := _simple_hints(body)) is not None:
        return simple
    try:
        return typing.get_type_hints(body, include_extras=True)
    except Exception:
        pass  # once more with the names of the enclosing function, and one by one to say which is wrong
    from inspect import unwrap

    plain = unwrap(body)
    plain = getattr(plain, "__func__", plain)
    namespace = {**getattr(plain, "__globals__", {}), **_enclosing(plain)}
    found: dict[str, Any] = {}
    for parameter, annotation in getattr(plain, "__annotations__", {}).items():
        holder = type("holder", (), {"__annotations__": {parameter: annotation}})
        try:
            found[parameter] = typing.get_type_hints(holder, namespace, {}, include_extras=True)[parameter]
        except Exception as wrong:
            if parameter == "return":
                continue  # promises nothing then
            raise RegistrationError(
                f"{name}(): parameter {parameter!r}: the annotation {annotation!r} cannot be resolved ({wrong}); "
                "import what it names at run time, not only for type checking"
            ) from wrong
    return found


def _simple_hints(fn: types.FunctionType) -> dict[str, Any] | None:
    # What typing.get_type_hints finds where only builtin types are named; None: it has to look itself.
    hints: dict[str, Any] = {}
    for name, annotation in fn.__annotations__.items():
        if isinstance(annotation, str):
            read = _builtin(annotation)
            if read is not None and fn.__globals__.keys().isdisjoint(read.names):
                hints[name] = read.value
                continue
            try:
                annotation = eval(_code(annotation), fn.__globals__)
            except Exception:
                return None
        if not is_simple(annotation):
            return None
        hints[name] = type(None) if annotation is None else annotation
    return hints


@functools.lru_cache(maxsize=512)
def _code(annotation: str) -> types.CodeType:
    return compile(annotation, "<annotation>", "eval")


class _Builtin(msgspec.Struct, frozen=True):
    # What a text means wherever none of its names is one of the module's own.
    names: tuple[str, ...]
    value: Any


@functools.lru_cache(maxsize=512)
def _builtin(annotation: str) -> _Builtin | None:
    # None: it names more than builtin types, or cannot be read.
    try:
        code = _code(annotation)
        value = eval(code, {"__builtins__": builtins})
    except Exception:
        return None
    return _Builtin(code.co_names, type(None) if value is None else value) if is_simple(value) else None


def _enclosing(plain: Any) -> dict[str, Any]:
    # Local classes of an application factory, under `from __future__ import annotations`: the factory is running.
    found: dict[str, Any] = {}
    code = getattr(plain, "__code__", None)
    frame = sys._getframe(1)
    while code is not None and frame is not None:
        if code in frame.f_code.co_consts:
            found.update(frame.f_locals)
            break
        frame = frame.f_back  # type: ignore[assignment]
    cells = getattr(plain, "__closure__", None) or ()
    for name, cell in zip(code.co_freevars if code else (), cells, strict=False):
        try:
            found[name] = cell.cell_contents
        except ValueError:
            continue
    return found


def injected(annotation: Any, inject: Callable[[Any], str | None]) -> str | None:
    """The host's tag for an annotation, also when it stands in `Optional` or `Annotated`."""
    several = members(annotation)
    for one in (annotation, unwrapped(annotation), *several, *map(unwrapped, several)):
        if one is not type(None) and (tag := inject(one)) is not None:
            return tag
    return None


def check(parameter: Parameter, function: str) -> None:
    """Refuse what cannot be passed by name.

    Raises:
        RegistrationError: `*args`, positional-only, or a name that starts with two underscores.
    """
    if parameter.kind == BY_NAME and not parameter.name.startswith("__"):
        return
    where = f"{function}(): parameter {parameter.name!r}"
    if parameter.kind == VARIADIC_POSITIONAL:
        raise RegistrationError(f"{where}: *args cannot be sent by name; use a list parameter")
    if parameter.kind == POSITIONAL_ONLY:
        raise RegistrationError(f"{where} is positional-only; arguments are passed by name")
    if parameter.name.startswith("__"):
        raise RegistrationError(f"{where}: a name that starts with two underscores cannot be an argument")


def default_of(parameter: Parameter) -> tuple[Any, Callable[[], Any] | None, Any]:
    """Default, default factory, and the annotation to use with them.

    A pydantic `Field(...)` may stand in the default's place, or in `Annotated` with a default inside. A parameter
    whose default is None takes None, whether or not its annotation says so.
    """
    default, annotation, factory = parameter.default, parameter.annotation, None
    if is_field(default):
        annotation = Annotated[annotation, default]
        default, factory = _field_default(default)
    elif get_origin(annotation) is Annotated and default is EMPTY:
        for one in filter(is_field, get_args(annotation)[1:]):
            default, factory = _field_default(one)
    if default is None and not is_optional(annotation):
        annotation = _optional(annotation)
    return default, factory, annotation


def _field_default(field: Any) -> tuple[Any, Callable[[], Any] | None]:
    undefined = getattr(sys.modules.get("pydantic_core"), "PydanticUndefined", ...)
    return (EMPTY if field.default in (..., undefined) else field.default), field.default_factory


def _optional(annotation: Any) -> Any:
    # Metadata stays outside, where descriptions are looked for.
    if get_origin(annotation) is Annotated:
        base, *metadata = get_args(annotation)
        out: Any = Optional[base]  # noqa: UP045 - made at run time
        for one in metadata:
            out = Annotated[out, one]
        return out
    return Optional[annotation]  # noqa: UP045 - made at run time
