"""What is registered: one entry per tool, resource, template, prompt, completion or custom method.

An entry knows its definition (what clients are told), how a call's bytes become arguments, and how the returned value
becomes result bytes. It knows nothing about hosts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from ._typing.encode import dumps
from ._typing.late import pattern
from ._typing.result import completion_result, prompt_result, resource_result, text_result, tool_result
from ._typing.signature import Signature, compile_signature
from .bridge import is_async
from .context import inject
from .errors import ArgumentError, InvalidParams, RegistrationError
from .validation import check_arguments, check_result, compiled_schema

if TYPE_CHECKING:
    from ._native import Call
    from ._typing.repair import Repair
    from .context import Context

__all__ = [
    "TASK_MODES",
    "CompletionEntry",
    "Entry",
    "Guard",
    "Handler",
    "MethodEntry",
    "PromptEntry",
    "RawToolEntry",
    "ResourceEntry",
    "TaskMode",
    "ToolEntry",
    "definition",
]

Handler = Callable[..., Any]
Guard = Callable[["Context"], Any]
"""Runs before the arguments are decoded. Returns False or raises to refuse; may be async."""

TaskMode = Literal["never", "optional", "required", "deferred"]
"""Whether a call of a tool may become a task; see `mcpgraft.tasks`."""
TASK_MODES: tuple[TaskMode, ...] = ("never", "optional", "required", "deferred")

OnRepair = Callable[["Repair"], None]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def definition(**fields: object) -> bytes:
    """The JSON object of all fields that are set. Typed values (icons, annotations) encode as they define it."""
    return dumps({name: value for name, value in fields.items() if value is not None})


def guards(guard: Guard | Sequence[Guard] | None) -> tuple[Guard, ...]:
    """One guard, several, or none, as a tuple."""
    if guard is None:
        return ()
    return (guard,) if callable(guard) else tuple(guard)


class Entry:
    """Base of all entries: the function, who may call it, and whether it takes a context."""

    kind = ""
    __slots__ = ("_task", "fn", "gives_text", "guards", "is_async", "is_plain", "key", "wants_context")

    def __init__(self, key: str, fn: Handler, *, guard: Guard | Sequence[Guard] | None, wants_context: bool) -> None:
        self.key = key
        self.fn = fn
        self.is_async = is_async(fn)
        """Whether calling `fn` gives a coroutine."""
        self.guards = guards(guard)
        self.wants_context = wants_context
        self.gives_text = False
        """Whether a str that `fn` returns is the result's text, and nothing else of it."""
        self.task = "never"

    @property
    def task(self) -> TaskMode:
        """Whether a call may become a task."""
        return self._task

    @task.setter
    def task(self, mode: TaskMode) -> None:
        self._task = mode
        # Asked at every call: whether nothing stands before the function.
        self.is_plain = not self.guards and mode == "never"

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        """Positional and keyword arguments for `fn`. Raises `ArgumentError` when the peer's do not fit.

        `ctx` is the call's context: needed only if the function wants it.
        """
        raise NotImplementedError

    def encode(self, value: Any, call: Call) -> bytes:
        """The result object for what `fn` returned."""
        raise NotImplementedError


class _Typed(Entry):
    """An entry whose function is read by its annotations."""

    __slots__ = ("signature",)

    def __init__(self, key: str, fn: Handler, signature: Signature, guard: Guard | Sequence[Guard] | None) -> None:
        super().__init__(key, fn, guard=guard, wants_context=bool(signature.injected))
        self.signature = signature

    def _with_context(self, kwargs: dict[str, Any], ctx: Context | None) -> Arguments:
        for name in self.signature.injected:
            kwargs[name] = ctx
        return (), kwargs


class ToolEntry(_Typed):
    """A typed function as a tool. With `validate`, what it returns is checked against its schema."""

    kind = "tool"
    __slots__ = ("results",)

    def __init__(
        self,
        key: str,
        fn: Handler,
        signature: Signature,
        guard: Guard | Sequence[Guard] | None,
        *,
        validate: bool = False,
    ) -> None:
        super().__init__(key, fn, signature, guard)
        promised = signature.output_schema if validate else None
        self.results = None if promised is None else compiled_schema(f"tool {key!r}: outputSchema", dumps(promised))
        self.gives_text = signature.output_schema is None

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        kwargs = self.signature.decode(call.arguments, on_repair)
        return self._with_context(kwargs, ctx) if self.wants_context else ((), kwargs)

    def encode(self, value: Any, call: Call) -> bytes:
        if self.gives_text and type(value) is str:
            return text_result(value)
        result = tool_result(value, self.signature)
        if self.results is not None:
            check_result(self.results, self.key, result)
        return result


class RawToolEntry(Entry):
    """A JSON Schema and a function `(name, arguments)` or `(name, arguments, context)` as a tool.

    With `validate`, arguments and structured results are checked against the schemas.
    """

    kind = "tool"
    __slots__ = ("given", "output_schema", "results")

    def __init__(
        self,
        key: str,
        fn: Handler,
        guard: Guard | Sequence[Guard] | None,
        schema: bytes,
        output_schema: bytes | None = None,
        *,
        validate: bool = True,
    ) -> None:
        super().__init__(key, fn, guard=guard, wants_context=_positional(fn) >= 3)
        self.output_schema = output_schema
        self.given = compiled_schema(f"tool {key!r}: inputSchema", schema) if validate else None
        self.gives_text = output_schema is None
        promised = output_schema if validate else None
        self.results = None if promised is None else compiled_schema(f"tool {key!r}: outputSchema", promised)

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        if self.given is not None:
            check_arguments(self.given, call.arguments)
        args: tuple[Any, ...] = (call.name, msgspec.json.decode(call.arguments))
        return ((*args, ctx) if self.wants_context else args), {}

    def encode(self, value: Any, call: Call) -> bytes:
        result = tool_result(value, self)
        if self.results is not None:
            check_result(self.results, self.key, result)
        return result


class ResourceEntry(_Typed):
    """A function behind one URI, or behind all URIs of a template."""

    kind = "resource"
    __slots__ = ("mime_type", "template")

    def __init__(
        self, uri: str, fn: Handler, signature: Signature, guard: Guard | Sequence[Guard] | None, mime_type: str | None
    ) -> None:
        super().__init__(uri, fn, signature, guard)
        self.template = "{" in uri
        self.mime_type = mime_type
        _check_variables(uri, signature)

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        return self._with_context(self.signature.decode_strings(call.variables), ctx)

    def encode(self, value: Any, call: Call) -> bytes:
        return resource_result(value, call.name, self.mime_type)


class PromptEntry(_Typed):
    """A function that builds the messages of a prompt."""

    kind = "prompt"
    __slots__ = ("description",)

    def __init__(
        self,
        name: str,
        fn: Handler,
        signature: Signature,
        guard: Guard | Sequence[Guard] | None,
        description: str | None,
    ) -> None:
        super().__init__(name, fn, signature, guard)
        self.description = description

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        sent = msgspec.json.decode(call.arguments)
        for name, value in sent.items():
            if not isinstance(value, str):
                raise InvalidParams(f"prompt argument {name!r} must be a string", field=name)
        try:
            return self._with_context(self.signature.decode_strings(sent), ctx)
        except ArgumentError as wrong:
            raise InvalidParams(str(wrong), field=wrong.field) from wrong

    def encode(self, value: Any, call: Call) -> bytes:
        return prompt_result(value, self.description)

    def listed_arguments(self) -> list[dict[str, object]]:
        """The prompt's arguments as clients see them."""
        schema = self.signature.input_schema
        required = schema.get("required", [])
        return [
            {
                "name": name,
                **({"description": text} if (text := one.get("description")) else {}),
                "required": name in required,
            }
            for name, one in schema.get("properties", {}).items()
        ]


class CompletionEntry(Entry):
    """A function that suggests values for an argument.

    Its first positional parameter gets what the user typed so far. It may also have parameters named `argument` (which
    argument), `ref` (prompt name, resource URI or template) and `resolved` (a dict of the arguments already chosen).
    """

    kind = "completion"
    __slots__ = ("_extra", "_takes_value")

    def __init__(self, key: str, fn: Handler) -> None:
        import inspect

        parameters = list(inspect.signature(fn).parameters.values())
        names = {parameter.name for parameter in parameters}
        self._extra = names & {"argument", "ref", "resolved"}
        self._takes_value = next((p.name for p in parameters if p.name not in self._extra and p.name != "ctx"), None)
        if self._takes_value is None:
            raise RegistrationError(
                f"completion {_named(fn)} needs a parameter for the text typed so far, e.g. `value: str`"
            )
        unknown = names - self._extra - {self._takes_value, "ctx"}
        if unknown:
            raise RegistrationError(
                f"completion {_named(fn)}: parameter {sorted(unknown)[0]!r} is not one of argument, ref, resolved, ctx"
            )
        super().__init__(key, fn, guard=None, wants_context="ctx" in names)

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        sent = msgspec.json.decode(call.arguments)
        params = sent if isinstance(sent, dict) else {}
        argument = params.get("argument") or {}
        given: dict[str, Any] = {
            "argument": argument.get("name", ""),
            "ref": call.name,
            "resolved": (params.get("context") or {}).get("arguments") or {},
        }
        kwargs = {name: given[name] for name in self._extra}
        kwargs[self._takes_value or "value"] = argument.get("value", "")
        if self.wants_context:
            kwargs["ctx"] = ctx
        return (), kwargs

    def encode(self, value: Any, call: Call) -> bytes:
        return completion_result(value)


class MethodEntry(_Typed):
    """A typed function behind a request method that is not the protocol's own."""

    kind = "custom"
    __slots__ = ()

    def arguments(self, call: Call, ctx: Context | None, on_repair: OnRepair | None) -> Arguments:
        try:
            return self._with_context(self.signature.decode(call.arguments, on_repair), ctx)
        except ArgumentError as wrong:
            raise InvalidParams(str(wrong), field=wrong.field) from wrong

    def encode(self, value: Any, call: Call) -> bytes:
        data = dumps({} if value is None else value)
        if not data.startswith(b"{"):
            raise TypeError(
                f"method {self.key!r} must return an object (dict, dataclass, ...), not {type(value).__name__}"
            )
        return data


def compiled(fn: Handler) -> Signature:
    """The signature of a handler, with the parameters the host provides left out of its schema."""
    return compile_signature(fn, inject=inject)


_EXPRESSION = pattern(r"\{[+#./;?&]?([^{}]*)\}")


def variables_of(template: str) -> list[str]:
    """Variable names of an RFC 6570 template, in order."""
    return [
        name.rstrip("*").split(":", 1)[0]
        for group in _EXPRESSION.findall(template)
        for name in group.split(",")
        if name
    ]


def _check_variables(uri: str, signature: Signature) -> None:
    names = set(variables_of(uri))
    schema: Mapping[str, Any] = signature.input_schema
    properties = set(schema.get("properties", {}))
    missing = [name for name in schema.get("required", []) if name not in names]
    if missing:
        raise RegistrationError(
            f"resource {uri!r}: parameter {missing[0]!r} of {signature.name} is not a variable of the URI"
        )
    if not schema.get("additionalProperties", False) and (left := sorted(names - properties)):
        raise RegistrationError(f"resource {uri!r}: variable {left[0]!r} is not a parameter of {signature.name}")


def _positional(fn: Handler) -> int:
    import inspect

    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(1 for parameter in inspect.signature(fn).parameters.values() if parameter.kind in kinds)


def _named(fn: Handler) -> str:
    return str(getattr(fn, "__qualname__", repr(fn)))
