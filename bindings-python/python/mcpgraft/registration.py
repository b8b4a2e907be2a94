"""What a server offers: tools, resources, prompts, completions and methods, registered by decorator or by call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, overload

import msgspec

from .catalogue import Catalogue
from .errors import RegistrationError
from .registry import (
    CompletionEntry,
    Guard,
    Handler,
    MethodEntry,
    PromptEntry,
    RawToolEntry,
    ResourceEntry,
    TaskMode,
    ToolEntry,
    compiled,
)
from .validation import schema_json

__all__ = ["Registration"]

F = TypeVar("F", bound=Callable[..., Any])
Guards = Guard | Sequence[Guard] | None
Icons = Sequence[object] | None
Meta = Mapping[str, object] | None


class Registration(Catalogue):
    """The part of a `Server` that its entries are registered with, and removed."""

    validate_results = False
    """Check the structured results of typed tools, too."""

    # --- tools ---------------------------------------------------------------------------------------------------

    @overload
    def tool(self, name: F, /) -> F: ...
    @overload
    def tool(
        self,
        name: str | None = None,
        *,
        title: str | None = None,
        description: str | None = None,
        annotations: object = None,
        icons: Icons = None,
        meta: Meta = None,
        guard: Guards = None,
        task: TaskMode = "never",
    ) -> Callable[[F], F]: ...
    def tool(self, name: Any = None, **options: Any) -> Any:
        """Make a function a tool: `@server.tool`, `@server.tool("name")` or `@server.tool(title=..., ...)`.

        The function stays as it is. Its annotations give the schema, its docstring the descriptions; see `add_tool`.
        """
        return self._decorate(name, options, "tool", self.add_tool)

    def add_tool(
        self,
        fn: Handler,
        name: str | None = None,
        *,
        title: str | None = None,
        description: str | None = None,
        annotations: object = None,
        icons: Icons = None,
        meta: Meta = None,
        guard: Guards = None,
        task: TaskMode = "never",
    ) -> None:
        """Register a typed function as a tool, or replace the tool of that name.

        Args:
            fn: Sync or async. Parameters annotated `Context` are given by the host and not part of the schema.
            name: Default: the function's name.
            title: Name for people.
            description: Default: the docstring without its parameter section.
            annotations: Hints such as `{"readOnlyHint": True}`, or `ToolAnnotations`.
            icons: `Icon` values.
            meta: The definition's `_meta`.
            guard: One function or several, `(ctx) -> bool | None`; False or an exception refuses the call.
            task: Whether a call may become a task: `never`, `optional`, `required` or `deferred`; see
                `mcpgraft.tasks`.

        Raises:
            RegistrationError: an annotation has no JSON Schema, or the name is not allowed.
        """
        signature = compiled(fn)
        key = name or signature.name
        self._put(
            "tool",
            self._may_be_task(ToolEntry(key, fn, signature, guard, validate=self.validate_results), task),
            name=key,
            title=title,
            description=description or signature.description,
            icons=icons,
            inputSchema=signature.input_schema,
            outputSchema=signature.output_schema,
            annotations=annotations,
            _meta=meta,
        )

    def add_tool_raw(
        self,
        name: str,
        schema: Mapping[str, object] | bytes,
        fn: Handler,
        *,
        title: str | None = None,
        description: str | None = None,
        output_schema: Mapping[str, object] | bytes | None = None,
        annotations: object = None,
        icons: Icons = None,
        meta: Meta = None,
        guard: Guards = None,
        validate: bool = True,
        task: TaskMode = "never",
    ) -> None:
        """Register a tool from a JSON Schema and `fn(name, arguments)` or `fn(name, arguments, context)`.

        `arguments` is the decoded object as sent: checked, and nothing of it converted. The rest is as in `add_tool`.

        Args:
            name: What it is called by.
            schema: JSON Schema of the arguments: 2020-12, or what its `$schema` says. Nothing is ever fetched. Given
                as JSON it is shown to clients byte for byte, less line breaks and the white space around them.
            fn: Sync or async.
            output_schema: JSON Schema of the structured results; shown in the same way.
            validate: Check arguments (wrong ones are an `isError` result that names the field) and structured results
                (`InvalidResult`). False: somebody else does, such as the server behind a proxy.

        Raises:
            RegistrationError: a schema is none, or has references that lead out of it.
        """
        given, output = schema_json(schema), None if output_schema is None else schema_json(output_schema)
        self._put(
            "tool",
            self._may_be_task(RawToolEntry(name, fn, guard, given, output, validate=validate), task),
            name=name,
            title=title,
            description=description,
            icons=icons,
            inputSchema=msgspec.Raw(given),
            outputSchema=None if output is None else msgspec.Raw(output),
            annotations=annotations,
            _meta=meta,
        )

    def remove_tool(self, name: str) -> bool:
        """Remove a tool. False if there was none of that name."""
        return self._remove("tool", name)

    # --- resources -----------------------------------------------------------------------------------------------

    def resource(
        self,
        uri: str,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        annotations: object = None,
        icons: Icons = None,
        size: int | None = None,
        meta: Meta = None,
        guard: Guards = None,
    ) -> Callable[[F], F]:
        """Put a function behind a URI, or behind a URI template (`dataset://sample/{rows}`); see `add_resource`."""
        if not isinstance(uri, str):
            raise RegistrationError('resource needs a URI: @server.resource("config://app")')

        def register(fn: F) -> F:
            self._no_double("template" if "{" in uri else "resource", uri, fn)
            self.add_resource(
                fn, uri, name=name, title=title, description=description, mime_type=mime_type,
                annotations=annotations, icons=icons, size=size, meta=meta, guard=guard,
            )  # fmt: skip
            return fn

        return register

    def add_resource(
        self,
        fn: Handler,
        uri: str,
        *,
        name: str | None = None,
        title: str | None = None,
        description: str | None = None,
        mime_type: str | None = None,
        annotations: object = None,
        icons: Icons = None,
        size: int | None = None,
        meta: Meta = None,
        guard: Guards = None,
    ) -> None:
        """Register a function as a resource, or as all resources of a template whose variables are its parameters.

        It returns text, bytes, or a JSON value. `size` is in bytes, for plain URIs only. The rest is as in `add_tool`.
        """
        signature = compiled(fn)
        entry = ResourceEntry(uri, fn, signature, guard, mime_type)
        self._put(
            "template" if entry.template else "resource",
            entry,
            **{"uriTemplate" if entry.template else "uri": uri},
            name=name or signature.name,
            title=title,
            description=description or signature.description,
            mimeType=mime_type,
            annotations=annotations,
            icons=icons,
            size=None if entry.template else size,
            _meta=meta,
        )

    def remove_resource(self, uri: str) -> bool:
        """Remove a resource or template by its URI. False if there was none."""
        return self._remove("template" if "{" in uri else "resource", uri)

    def resource_updated(self, uri: str) -> None:
        """Tell clients that watch `uri` that its content changed: here, and through the fan-out in all processes."""
        self.hub.updated(uri)

    # --- prompts, completions, methods -----------------------------------------------------------------------------

    @overload
    def prompt(self, name: F, /) -> F: ...
    @overload
    def prompt(
        self,
        name: str | None = None,
        *,
        title: str | None = None,
        description: str | None = None,
        icons: Icons = None,
        meta: Meta = None,
        guard: Guards = None,
    ) -> Callable[[F], F]: ...
    def prompt(self, name: Any = None, **options: Any) -> Any:
        """Make a function a prompt: `@server.prompt`, `@server.prompt("name")` or `@server.prompt(title=..., ...)`."""
        return self._decorate(name, options, "prompt", self.add_prompt)

    def add_prompt(
        self,
        fn: Handler,
        name: str | None = None,
        *,
        title: str | None = None,
        description: str | None = None,
        icons: Icons = None,
        meta: Meta = None,
        guard: Guards = None,
    ) -> None:
        """Register a function as a prompt. It returns a text (one user message) or messages. Arguments: `add_tool`."""
        signature = compiled(fn)
        key = name or signature.name
        entry = PromptEntry(key, fn, signature, guard, description or signature.description)
        self._put(
            "prompt",
            entry,
            name=key,
            title=title,
            description=entry.description,
            icons=icons,
            arguments=entry.listed_arguments() or None,
            _meta=meta,
        )

    def remove_prompt(self, name: str) -> bool:
        """Remove a prompt. False if there was none of that name."""
        return self._remove("prompt", name)

    @overload
    def completion(self, ref: F, /) -> F: ...
    @overload
    def completion(self, ref: str | None = None, argument: str | None = None) -> Callable[[F], F]: ...
    def completion(self, ref: Any = None, argument: str | None = None) -> Any:
        """Suggest values: `@server.completion("prompt or template", "argument")`, or fewer words for a wider reach.

        The function gets what was typed so far and returns a list of texts; more in `registry.CompletionEntry`.
        """
        if callable(ref):
            self.add_completion(ref)
            return ref

        def register(fn: F) -> F:
            self.add_completion(fn, ref, argument)
            return fn

        return register

    def add_completion(self, fn: Handler, ref: str | None = None, argument: str | None = None) -> None:
        """Register a completion for an argument of a prompt or template (`ref`); None means any."""
        entry = CompletionEntry(ref or "", fn)
        with self._lock:
            self._declare("completions", True)
            self._completions[ref, argument] = entry

    def add_method(self, name: str, fn: Handler, *, guard: Guards = None) -> None:
        """Answer a request method that is not the protocol's own. `fn` is typed and returns an object."""
        entry = MethodEntry(name, fn, compiled(fn), guard)
        with self._lock:
            known = self._options.get("custom_methods") or []
            self._declare("custom_methods", sorted({*(known if isinstance(known, list) else []), name}))
            self._entries["custom", name] = entry

    # --- inside -----------------------------------------------------------------------------------------------------

    def _decorate(self, name: Any, options: dict[str, Any], kind: str, add: Callable[..., None]) -> Any:
        if callable(name):
            self._no_double(kind, str(getattr(name, "__name__", "")), name)
            add(name)
            return name
        if name is not None and not isinstance(name, str):
            raise RegistrationError(f"@server.{kind}(...) takes a name, not {type(name).__name__}")

        def register(fn: F) -> F:
            self._no_double(kind, name or str(getattr(fn, "__name__", "")), fn)
            add(fn, name, **options)
            return fn

        return register

    def _no_double(self, kind: str, key: str, fn: object) -> None:
        # Two functions under one name are a copy-and-paste mistake; `add_*` replaces on purpose.
        before = self._entries.get(("resource" if kind == "template" else kind, key))
        if before is not None and before.fn is not fn:
            raise RegistrationError(f"{kind} {key!r} is already registered; use add_{kind}() to replace it")
