"""Who may call over HTTP: an API key in a header, a bearer token, or the application's own check.

    Server("policies", auth=ApiKey(keys={"s3cret": "billing"}))
    Server("policies", auth=Bearer(verify, resource="https://example.com/mcp",
                                   authorization_servers=["https://login.example.com"]))
    Server("policies", auth=lambda request: current_user or None)

A refused request gets 401 with a challenge; a bearer resource also publishes its metadata document (RFC 9728), which
the challenge points to. What the check finds out reaches handlers as `Context.principal`.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

import msgspec

from .bridge import Hop, call
from .errors import Forbidden

if TYPE_CHECKING:
    from .context import Context
    from .registry import Guard
    from .request import Request

__all__ = ["ApiKey", "Bearer", "InsufficientScope", "Principal", "Refusal", "authenticate", "requires"]

WELL_KNOWN = "/.well-known/oauth-protected-resource"
"""RFC 9728 section 3; the path of the resource is appended."""


@dataclass(frozen=True)
class Principal:
    """Who calls."""

    subject: str
    """Name or id: the key's name, or the token's `sub`."""
    scopes: frozenset[str] = frozenset()
    claims: Mapping[str, Any] = field(default_factory=dict)
    """What else is known, for example the token's claims."""


@dataclass(frozen=True)
class Refusal:
    """A refused request: status, challenge, and words for people."""

    status: int
    challenge: str
    error: str
    description: str

    def headers(self) -> list[tuple[str, str]]:
        """Response headers."""
        return [
            ("Content-Type", "application/json"),
            ("WWW-Authenticate", self.challenge),
            ("Cache-Control", "no-store"),
        ]

    def body(self) -> bytes:
        """A small JSON object (RFC 6749 section 5.2 names)."""
        return msgspec.json.encode({"error": self.error, "error_description": self.description})


class InsufficientScope(Forbidden):
    """The caller is known but lacks a scope. Over HTTP: 403 with a challenge that names it (RFC 6750 section 3.1)."""

    def __init__(self, scopes: Iterable[str], challenge: str | None = None) -> None:
        self.scopes = tuple(scopes)
        super().__init__(f"this needs the scope {' '.join(self.scopes)!r}")
        self.http_status = 403
        words = challenge or _challenge("Bearer", error="insufficient_scope", scope=" ".join(self.scopes))
        self.http_headers = (("WWW-Authenticate", words),)


class ApiKey:
    """A fixed secret in a header of your choice."""

    def __init__(
        self,
        keys: Mapping[str, str | Principal] | Iterable[str] | str = (),
        *,
        header: str = "x-api-key",
        verifier: Callable[[str], Any] | None = None,
    ) -> None:
        """Accept `keys`, or what `verifier` accepts.

        Args:
            keys: Secret -> name (or `Principal`) of its owner; or secrets without names. Compared in constant time.
            header: Name of the header that carries the key.
            verifier: `(key) -> principal | None`, sync or async, instead of fixed keys. It should compare with
                `hmac.compare_digest`, or look up a hash.
        """
        if isinstance(keys, str):
            keys = [keys]
        named = keys if isinstance(keys, Mapping) else {key: f"key {index + 1}" for index, key in enumerate(keys)}
        if not all(named):
            raise ValueError("an API key is empty; is the environment variable set?")
        if bool(named) == (verifier is not None):
            raise ValueError("ApiKey needs either keys or a verifier")
        self.header = header
        self._keys = [(key.encode(), _principal(owner)) for key, owner in named.items()]
        self._verifier = verifier

    async def authenticate(self, request: Request, hop: Hop) -> Any:
        """The principal, or a `Refusal`."""
        sent = request.headers.get(self.header)
        if not sent:
            return self._refuse(f"missing header {self.header}")
        if request.headers.count(self.header) > 1:
            return self._refuse(f"header {self.header} came more than once")
        found = await call(hop, self._verifier, sent) if self._verifier else self._look_up(sent.encode())
        return _principal(found) if _accepted(found) else self._refuse("unknown key")

    def _look_up(self, sent: bytes) -> Principal | None:
        # Every key is compared, so the time says nothing about which one was nearly right.
        found = None
        for key, owner in self._keys:
            if hmac.compare_digest(key, sent):
                found = owner
        return found

    def _refuse(self, why: str) -> Refusal:
        return Refusal(401, _challenge("ApiKey", realm="mcp", header=self.header), "unauthorized", why)


class Bearer:
    """An access token in the Authorization header (RFC 6750), checked by your own verifier."""

    def __init__(
        self,
        verifier: Callable[[str], Any],
        *,
        resource: str | None = None,
        authorization_servers: Sequence[str] = (),
        scopes_supported: Sequence[str] = (),
        required_scopes: Sequence[str] = (),
        realm: str = "mcp",
        metadata: Mapping[str, object] | None = None,
    ) -> None:
        """Accept the tokens that `verifier` accepts.

        Args:
            verifier: `(token) -> principal | None`, sync or async. It must check signature, expiry
                and audience. A str it returns is the subject, a mapping the token's claims (`sub`, `scope` or `scp`);
                any other object is handed on as it is.
            resource: Absolute URL of the endpoint as clients know it. Default: as the request came in, which is only
                right when the proxy in front keeps scheme and host.
            authorization_servers: Issuer URLs; with them the metadata document is published and named in challenges.
            scopes_supported: For the metadata document.
            required_scopes: Scopes that every call needs.
            realm: For the challenge.
            metadata: More members of the metadata document (RFC 9728 section 2).
        """
        self.resource = resource
        self.required_scopes = tuple(required_scopes)
        self.authorization_servers = tuple(authorization_servers)
        self._verifier = verifier
        self._realm = realm
        self._scopes_supported = tuple(scopes_supported)
        self._metadata = dict(metadata or {})

    async def authenticate(self, request: Request, hop: Hop) -> Any:
        """The principal, or a `Refusal`."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or request.headers.count("authorization") > 1:
            # No error code when no token came in at all (RFC 6750 section 3.1).
            return Refusal(401, self._challenge(request), "unauthorized", "a bearer token is needed")
        found = await call(hop, self._verifier, token)
        if not _accepted(found):
            return Refusal(401, self.challenge(request), "invalid_token", "unknown or expired token")
        principal = _principal(found)
        if missing := [scope for scope in self.required_scopes if scope not in _scopes(principal)]:
            challenge = self.insufficient(request, self.required_scopes)
            return Refusal(403, challenge, "insufficient_scope", f"the token lacks {' '.join(missing)}")
        return principal

    def document(self, resource: str) -> bytes:
        """The protected resource metadata (RFC 9728 section 2) of the endpoint at that URL."""
        fields: dict[str, object] = {
            "resource": self.resource or resource,
            "authorization_servers": list(self.authorization_servers),
            "bearer_methods_supported": ["header"],
        }
        if self._scopes_supported:
            fields["scopes_supported"] = list(self._scopes_supported)
        return msgspec.json.encode({**fields, **self._metadata})

    def challenge(self, request: Request) -> str:
        """The challenge for a token that is not, or no longer, good."""
        return self._challenge(request, error="invalid_token", error_description="unknown or expired token")

    def insufficient(self, request: Request, scopes: Iterable[str]) -> str:
        """The challenge for a caller that is known but lacks scopes."""
        return self._challenge(request, error="insufficient_scope", scope=" ".join(scopes))

    def _challenge(self, request: Request, **fields: str) -> str:
        words: dict[str, str] = {"realm": self._realm, **fields}
        if self.required_scopes and "scope" not in words:
            words["scope"] = " ".join(self.required_scopes)
        if (url := self.resource or request.url) and self.authorization_servers:
            words["resource_metadata"] = metadata_url(url)
        return _challenge("Bearer", **words)


def requires(*scopes: str) -> Guard:
    """A guard for a tool that needs scopes: `@server.tool(guard=requires("policies:write"))`."""

    def guard(ctx: Context) -> None:
        if any(scope not in _scopes(ctx.principal) for scope in scopes):
            auth = ctx.request.auth
            challenge = auth.insufficient(ctx.request, scopes) if isinstance(auth, Bearer) else None
            raise InsufficientScope(scopes, challenge)

    return guard


async def authenticate(auth: Any, request: Request, hop: Hop) -> Refusal | None:
    """Find out who calls and note it in the request; or give the refusal."""
    check = getattr(auth, "authenticate", None)
    if check is not None:
        found = await check(request, hop)
    else:
        found = await call(hop, auth, request)
        if not _accepted(found):
            found = Refusal(401, _challenge("Bearer", realm="mcp"), "unauthorized", "not authenticated")
    if isinstance(found, Refusal):
        return found
    request.principal = found
    request.auth = auth
    return None


def metadata_path(path: str) -> str:
    """Where the metadata document of an endpoint at `path` stands: `/.well-known/oauth-protected-resource/mcp`."""
    return WELL_KNOWN + path.rstrip("/")


def metadata_url(resource: str) -> str:
    """The same for an absolute URL."""
    parts = urlsplit(resource)
    return urlunsplit((parts.scheme, parts.netloc, metadata_path(parts.path), parts.query, ""))


def resource_of(document_url: str) -> str:
    """The endpoint's URL for the URL of its metadata document."""
    return document_url.replace(WELL_KNOWN, "", 1)


def publishes(auth: object) -> Bearer | None:
    """The auth that has a metadata document, if this one does."""
    return auth if isinstance(auth, Bearer) and auth.authorization_servers else None


METADATA_HEADERS = [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")]
"""Headers of the metadata document: any page may read it, it holds nothing secret."""


def _accepted(found: Any) -> bool:
    return found is not None and found is not False


def _principal(found: Any) -> Any:
    if found is True:
        return Principal("")
    if isinstance(found, str):
        return Principal(found)
    if isinstance(found, Mapping):
        return Principal(str(found.get("sub", "")), _scopes(found), found)
    return found


def _scopes(principal: Any) -> frozenset[str]:
    if isinstance(principal, Mapping):
        scopes = principal.get("scope") or principal.get("scp") or principal.get("scopes") or ()
    else:
        scopes = getattr(principal, "scopes", None) or ()
    return frozenset(scopes.split() if isinstance(scopes, str) else scopes)


def _challenge(scheme: str, **fields: str) -> str:
    quoted = (f'{name}="{_quote(value)}"' for name, value in fields.items())
    return f"{scheme} {', '.join(quoted)}"


def _quote(text: str) -> str:
    # A quoted-string of RFC 9110; what could end the header line is dropped.
    return "".join("\\" + char if char in '"\\' else char for char in text if char.isascii() and char.isprintable())
