"""The server a user writes: options, hooks, and ways into the hosts; what it offers is in `mcpgraft.registration`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from .bridge import is_async
from .errors import RegistrationError
from .hub import Hub
from .keys import KeyRing
from .registration import Icons, Meta, Registration
from .registry import definition
from .sessions import sessions_of

if TYPE_CHECKING:
    from .context import Context
    from .events import Events, EventStore
    from .fanout import Fanout
    from .middleware import Middleware
    from .sessions import Sessions
    from .tasks import Tasks

__all__ = ["Server"]

F = TypeVar("F", bound=Callable[..., Any])


class Server(Registration):
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
        max_sessions: int = 10_000,
        session_ttl: float | None = None,
        listen_streams: int | None = None,
        keep_alive: float = 15.0,
        fanout: Fanout | None = None,
        events: EventStore | None = None,
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
            sessions: What is remembered of clients of the handshake era between their HTTP requests: `off`, `memory`,
                `sealed`, a store with `load` and `save`, or a way of your own; see `mcpgraft.sessions`. They need one
                to be asked, to take requests back and to listen.
            max_sessions: Most sessions at once (`memory`).
            session_ttl: Seconds without use after which a session is over (`memory` and stores, default an hour), or
                from its opening (`sealed`, default a day).
            listen_streams: Most responses that one process keeps open for clients that listen; more get 503. 0: none,
                and that listening is possible is not declared. Default: 1000 in an async host, 8 in a threaded one
                (each takes a thread from its pool, so stay below their number). Where all requests share one thread it
                is always 0.
            keep_alive: Seconds of silence in an open response after which a comment is sent; a client that went away
                is noticed then at the latest.
            fanout: Reaches the other worker processes; see `mcpgraft.fanout`.
            events: Keeps what was said on the streams of calls in sessions, so that clients can come back for it:
                `MemoryEvents`, `RedisEvents` or a store of your own; see `mcpgraft.events`.
            tasks: How tools run as tasks, and where tasks are kept; made with its defaults when a tool needs it.
        """
        self.keys = KeyRing(secrets)
        self.sessions = sessions_of(sessions, self.keys, max_sessions, session_ttl)
        self.events = None if events is None else _events_of(events, self.sessions)
        self.listen_streams = listen_streams
        self.keep_alive = keep_alive
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
            "list_changed": True,
            "subscribe": True,
            "sessions": None if self.sessions is None else self.sessions.kind,
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
            hub=Hub(name, fanout, self._task_elsewhere),
        )

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

    def close(self) -> None:
        """End what is open in good order: streams of clients that listen, subscriptions on stdio, the fan-out.

        Requests are answered as before, but no stream is given away any more. Call it when the process is asked to
        stop: a host that waits for its responses to end would wait for these for ever.
        """
        self.hub.close()

    def close_on_signals(self) -> bool:
        """Close at SIGTERM and SIGINT, before the host's own handlers; async hosts need not be told.

        To be called in the main thread after the host has set its handlers: under gunicorn at import, or with
        `preload_app` in the hook `post_worker_init`. False: this is not the main thread.
        """
        from .signals import close_on_signals

        return close_on_signals(self)

    # --- inside ----------------------------------------------------------------------------------------------------

    def _task_elsewhere(self, id: str) -> None:
        if self.tasks is not None:
            self.tasks.tell_here(id, self)


def _events_of(events: EventStore, sessions: Sessions | None) -> Events:
    from .events import events_of  # most servers keep none

    return events_of(events, sessions)


def _sync(fn: F, hook: str) -> F:
    if is_async(fn):
        raise RegistrationError(f"{hook} takes a sync function; {getattr(fn, '__name__', fn)} is async")
    return fn
