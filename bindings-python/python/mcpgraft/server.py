"""The server a user writes: registration by decorator or call, options, hooks, and ways into the hosts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

from .bridge import is_async
from .catalogue import Catalogue
from .errors import RegistrationError
from .hub import Hub
from .keys import KeyRing
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
    definition,
)
from .validation import schema_json

if TYPE_CHECKING:
    from .context import Context
    from .middleware import Middleware
    from .sessions import Sessions
    from .tasks import Tasks

__all__ = ["Server"]

F = TypeVar("F", bound=Callable[..., Any])
Guards = Guard | Sequence[Guard] | None
Icons = Sequence[object] | None
Meta = Mapping[str, object] | None


class Server(Catalogue):
    """A set of tools, resources and prompts under one name. It opens nothing by itself: mount it in a host, or `run()`.

    Safe to use from several threads; things may be registered and removed while it serves.
    """

    def __init__(
        self,
        name: str,
        *,
        version: str = "0.0.0",
        title: str | None = None,
        description: str | None = None,
        website_url: str | None = None,
        icons: Icons = None,
        instructions: str | None = None,
        auth: object = None,
        hide_errors: bool = False,
        logging: bool = True,
        page_items: int | None = None,
        ttl_ms: int | None = None,
        cache_scope: str | None = None,
        allowed_hosts: Sequence[str] | None = None,
        allowed_origins: Sequence[str] = (),
        limits: Mapping[str, int] | None = None,
        experimental: Meta = None,
        extensions: Meta = None,
        workers: int = 32,
        secrets: Sequence[str | bytes] | None = None,
        ask_timeout: float = 600.0,
        state_ttl: float = 600.0,
        on_state_use: Callable[[str], Any] | None = None,
        validate_results: bool = False,
        sessions: object = "off",
        listen_streams: int | None = None,
        tasks: Tasks | None = None,
    ) -> None:
        """Describe the server.

        Args:
            name: Identifies the server to clients and in logs.
            version: The server's own version, not the protocol's.
            title: Name for people.
            description: What the server is, for people.
            website_url: Where people read more.
            icons: `Icon` values.
            instructions: What a model should know before it uses the tools.
            auth: Who may call by HTTP: `ApiKey`, `Bearer`, or `(request) -> principal | None`. Mounts may override it.
            hide_errors: Do not show the text of unexpected exceptions to clients (they are always logged).
            logging: Offer log messages (`Context.log`) to clients.
            page_items: Most items per page of a list; unset means one page.
            ttl_ms: How long clients may keep a list, in milliseconds.
            cache_scope: `private` or `public`: whether shared caches may keep lists.
            allowed_hosts: Host names the endpoint answers to; unset means decide by what is known (see README).
            allowed_origins: Origins of web pages that may call the endpoint.
            limits: Overrides of the limits in `mcpgraft.lowlevel.LIMITS`.
            experimental: Experimental capabilities to declare.
            extensions: Extensions to declare.
            workers: Most sync handlers at once in an async host and on stdio.
            secrets: What seals the state of questions to stateless clients, newest first, each at least 16 bytes; the
                same in all workers. Default: a random one, so that a retry must reach the process that asked.
            ask_timeout: How long an answer is waited for, in seconds, where waiting is how a client is asked.
            state_ttl: How long a stateless client has for its retry, in seconds.
            on_state_use: `(nonce) -> bool`, sync or async: False if a state with this nonce came back before. For
                handlers that must not run twice for one answer; keep nonces for `state_ttl`, where all workers see
                them.
            validate_results: Check the structured results of typed tools, too, and not of raw tools only.
            sessions: For clients of the handshake era over HTTP: `off`, `memory`, `sealed`, or a store; see
                `mcpgraft.sessions`. They need one to be asked and to take requests back.
            listen_streams: How many HTTP responses one process keeps open for clients that listen for changes. Default:
                8 under WSGI with threads (each takes one), none with a single thread, 1000 under ASGI. 0: none.
            tasks: How tools run as tasks, and where tasks are kept; made with its defaults when a tool needs it.
        """
        self.keys = KeyRing(secrets)
        self.sessions = _sessions(sessions, self.keys)
        self.hub = Hub()
        self.listen_streams = listen_streams
        self.ask_timeout = ask_timeout
        self.state_ttl = state_ttl
        self.on_state_use = on_state_use
        self.validate_results = validate_results
        self.auth = auth
        self.hide_errors = hide_errors
        self.workers = workers
        self.middlewares: list[Middleware] = []
        self.error_hooks: list[Callable[[Context, BaseException], object]] = []
        self.repair_hooks: list[Callable[[Context, Any], object]] = []
        options: dict[str, object | None] = {
            "logging": logging,
            "completions": False,
            "sessions": self.sessions.mode if self.sessions is not None else "off",
            "list_changed": True,
            "subscribe": True,
            "ttl_ms": ttl_ms,
            "cache_scope": cache_scope,
            "allowed_hosts": None if allowed_hosts is None else list(allowed_hosts),
            "allowed_origins": list(allowed_origins) or None,
            "experimental": None if experimental is None else msgspec.json.encode(experimental),
        }
        super().__init__(
            name,
            info=definition(
                name=name, version=version, title=title, description=description, websiteUrl=website_url, icons=icons
            ),
            instructions=instructions,
            limits={**(limits or {}), **({} if page_items is None else {"page_items": page_items})},
            options={key: value for key, value in options.items() if value is not None},
            extensions=extensions or {},
            tasks=tasks,
        )

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
        """Tell open connections that subscribed to `uri` that its content changed."""
        for live in self._attached():
            live.resource_updated(uri)

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

    # --- hooks -----------------------------------------------------------------------------------------------------

    def middleware(self, fn: F) -> F:
        """Put `fn(ctx, call_next)` around every call; see `mcpgraft.middleware`."""
        with self._lock:
            self.middlewares = [*self.middlewares, fn]
        return fn

    def on_error(self, fn: F) -> F:
        """Call `fn(ctx, exception)` for every unexpected exception of a handler. Must be sync."""
        self.error_hooks = [*self.error_hooks, _sync(fn, "on_error")]
        return fn

    def on_repair(self, fn: F) -> F:
        """Call `fn(ctx, repair)` for every argument that came in the wrong JSON type and was repaired. Must be sync."""
        self.repair_hooks = [*self.repair_hooks, _sync(fn, "on_repair")]
        return fn

    def close(self) -> None:
        """End the open streams in good order, for a shutdown; nothing else is kept open."""
        self.streams.close()

    # --- ways in -----------------------------------------------------------------------------------------------------

    def respond(self, request: Any, *, auth: object = None) -> Any:
        """Answer a request inside a view that exists already: `return server.respond(request)`.

        Takes a Flask or werkzeug request, a Django request, a Starlette or FastAPI request, or a WSGI environ, and
        gives that framework's response (for an environ: a WSGI application to call).
        """
        from .hosts import respond

        return respond(self, request, auth=auth)

    def run(self, transport: str | None = None, **options: Any) -> None:
        """Serve until the end: on stdio, or on a small HTTP server for development; see `mcpgraft.run.run`."""
        from .run import run

        run(self, transport, **options)

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


def _schema(schema: Mapping[str, object] | bytes) -> dict[str, object]:
    try:
        return msgspec.json.decode(schema, type=dict[str, object]) if isinstance(schema, bytes) else dict(schema)
    except msgspec.DecodeError as wrong:
        raise RegistrationError(f"the schema is not a JSON object: {wrong}") from wrong


def _sessions(wanted: object, keys: KeyRing) -> Sessions | None:
    if wanted is None or wanted == "off":
        return None  # without the import: it brings in OpenSSL
    from .sessions import choose

    return choose(wanted, keys)


def _sync(fn: F, hook: str) -> F:
    if is_async(fn):
        raise RegistrationError(f"{hook} takes a sync function; {getattr(fn, '__name__', fn)} is async")
    return fn
