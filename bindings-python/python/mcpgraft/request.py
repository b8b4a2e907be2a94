"""What a host knows about the request a call came in: headers, peer, URL, principal, and its own request object."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

__all__ = ["Headers", "Request"]


class Headers(Mapping[str, str]):
    """HTTP headers with case-insensitive names. A name that came more than once reads as one value joined by `, `."""

    __slots__ = ("_values", "raw")

    def __init__(self, raw: list[tuple[str, str]]) -> None:
        self.raw = raw
        """The headers as they came, in order."""
        self._values: dict[str, str] = {}
        for name, value in raw:
            key = name.lower()
            before = self._values.get(key)
            self._values[key] = value if before is None else f"{before}, {value}"

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._values

    def count(self, name: str) -> int:
        """How many header lines of that name came in."""
        wanted = name.lower()
        return sum(1 for key, _ in self.raw if key.lower() == wanted)

    def __repr__(self) -> str:
        # Values may be secrets (Authorization, cookies), and this text ends up in logs.
        return f"Headers({', '.join(sorted(self._values))})"


class Request:
    """One HTTP request, or the local process on stdio (`method` is then empty and `headers` has nothing)."""

    __slots__ = ("auth", "headers", "listen_streams", "method", "native", "peer", "principal", "query", "url")

    def __init__(
        self,
        method: str = "",
        headers: list[tuple[str, str]] | None = None,
        *,
        peer: str | None = None,
        url: str | None = None,
        native: object = None,
        principal: object = None,
        listen_streams: int = 0,
        query: str = "",
    ) -> None:
        self.method = method
        self.headers = Headers(headers or [])
        self.peer = peer
        """Address of the peer as the host saw it, without port."""
        self.url = url
        """Absolute URL of the endpoint, without query; None on stdio."""
        self.native = native
        """The host's own object: WSGI environ, Flask or Django request, ASGI scope; None on stdio."""
        self.principal = principal
        """Who calls, as the server's auth found out; None without auth."""
        self.auth: object = None
        """The auth that let the request in."""
        self.query = query
        """The query of the URL, without `?`."""
        self.listen_streams = listen_streams
        """How many responses a process of this host can keep open without harm."""
