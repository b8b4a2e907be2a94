"""What a host knows about the request a call came in: headers, peer, URL, principal, and its own request object."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ._native import environ_headers

__all__ = ["HeaderPairs", "Headers", "Request"]

HeaderPairs = Sequence[tuple[str, str]] | Sequence[tuple[bytes, bytes]] | dict[str, Any]
"""Names and values, as text or as ASGI has them; or the environ of WSGI, which has them among other things."""


class Headers(Mapping[str, str]):
    """HTTP headers with case-insensitive names. A name that came more than once reads as one value joined by `, `."""

    __slots__ = ("_raw", "_sent", "_table")

    def __init__(self, sent: HeaderPairs) -> None:
        self._sent = sent
        self._raw: list[tuple[str, str]] | None = None
        self._table: dict[str, str] | None = None

    @property
    def raw(self) -> list[tuple[str, str]]:
        """The headers as they came, in order. What is not ASCII is decoded from Latin-1."""
        if self._raw is None:
            sent = environ_headers(self._sent) if isinstance(self._sent, dict) else self._sent
            self._raw = [(_text(name), _text(value)) for name, value in sent]
        return self._raw

    @property
    def _values(self) -> dict[str, str]:
        if self._table is None:
            table: dict[str, str] = {}
            for name, value in self.raw:
                key = name.lower()
                before = table.get(key)
                table[key] = value if before is None else f"{before}, {value}"
            self._table = table
        return self._table

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


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


class Request:
    """One HTTP request, or the local process on stdio (`method` is then empty and `headers` has nothing)."""

    __slots__ = ("_headers", "_url", "auth", "listen_streams", "method", "native", "peer", "principal", "query", "sent")

    def __init__(
        self,
        method: str = "",
        headers: HeaderPairs = (),
        *,
        peer: str | None = None,
        url: str | Callable[[], str] | None = None,
        native: object = None,
        principal: object = None,
        listen_streams: int = 0,
        query: str = "",
    ) -> None:
        self.method = method
        self.sent = headers
        """The headers as the host gave them."""
        self._headers: Headers | None = None
        self.peer = peer
        """Address of the peer as the host saw it, without port."""
        self._url = url
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

    @property
    def headers(self) -> Headers:
        """The headers. Made when they are looked at: most requests are answered without."""
        if self._headers is None:
            self._headers = Headers(self.sent)
        return self._headers

    @property
    def url(self) -> str | None:
        """Absolute URL of the endpoint, without query; None on stdio."""
        if self._url is not None and not isinstance(self._url, str):
            self._url = self._url()
        return self._url

    @url.setter
    def url(self, url: str | None) -> None:
        self._url = url
