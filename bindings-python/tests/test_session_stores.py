"""Stores that many workers share, each against the real thing: what they promise, and servers that use them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from mcpgraft import ApiKey, Context, Server
from mcpgraft.session_stores import PREFIX, DjangoCacheStore, RedisStore
from mcpgraft.testing import Client, ProtocolError

Make = Callable[[], Any]
CACHES = {
    "local": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
    "file": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache"},
    "redis": {"BACKEND": "django.core.cache.backends.redis.RedisCache"},
}
KINDS = ["redis", "redis client", *(f"django {name}" for name in CACHES)]


@pytest.fixture(params=KINDS)
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """Makes a store; every store made is of another worker, and they share what they keep."""
    family, _, kind = request.param.partition(" ")
    url: str = request.getfixturevalue("redis_url") if "redis" in request.param else ""
    prefix = uuid4().hex + ":"  # the tests share a Redis
    if family == "redis":
        import redis

        yield lambda: RedisStore(redis.Redis.from_url(url) if kind else url, prefix)
        return
    pytest.importorskip("django")
    from django.conf import settings
    from django.test.utils import override_settings

    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"])
    location = {"file": str(tmp_path), "redis": url}.get(kind, request.param)
    with override_settings(CACHES={"default": {}, "mcp": {**CACHES[kind], "LOCATION": location}}):
        yield lambda: DjangoCacheStore("mcp", prefix)


def test_what_a_store_promises(make: Make) -> None:
    one, other = make(), make()
    assert one.load("id") is None
    one.save("id", b"\x00saved\xff", 60.0)
    assert other.load("id") == b"\x00saved\xff"
    other.save("id", b"again", 0.2)  # as short as can be, and still there for a moment
    assert one.load("id") == b"again"
    assert one.load("other") is None
    one.save("id", None, 0.0)
    assert other.load("id") is None
    one.save("id", None, 0.0)


def test_redis_forgets_by_itself(redis_url: str) -> None:
    import redis

    client = redis.Redis.from_url(redis_url)
    store = RedisStore(redis_url)
    store.save("id", b"x", 1.5)
    assert 0 < client.pttl(PREFIX + "id") <= 1500
    store.save("id", b"x", 0.0001)
    assert client.pttl(PREFIX + "id") <= 1
    own = RedisStore(client, prefix="own:")
    own.save("id", b"mine", 60.0)
    assert client.get("own:id") == b"mine"
    decoding = RedisStore(redis.Redis.from_url(redis_url, decode_responses=True), prefix="own:")
    with pytest.raises(TypeError, match="decode_responses"):
        decoding.load("id")


@pytest.mark.parametrize(("ttl", "seconds"), [(0.2, 1), (1.0, 1), (59.1, 60)])
def test_django_forgets_by_itself(ttl: float, seconds: int, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[Any] = []

    class Cache:
        def set(self, *args: Any, **options: Any) -> None:
            said.append((args, options))

    monkeypatch.setattr(DjangoCacheStore, "_cache", lambda self: Cache())
    DjangoCacheStore(prefix="own:").save("id", b"x", ttl)
    assert said == [(("own:id", b"x"), {"timeout": seconds})]


def worker(store: Any, **options: Any) -> Server:
    server = Server("shared", sessions=store, **options)

    @server.tool
    def level(ctx: Context) -> str:
        return str(ctx.call.log_level)

    return server


def text(result: Any) -> str:
    return str(result["content"][0]["text"])


def test_workers_share_sessions_and_what_changes_in_them(make: Make) -> None:
    here, there = worker(make()), worker(make())
    client = Client(here, era="legacy")
    client.server = there
    client.request("logging/setLevel", {"level": "error"})
    client.server = here
    assert text(client.call("level")) == "error"
    client.server = there
    assert client.end() == 200
    client.server = here
    with pytest.raises(ProtocolError) as gone:
        client.call("level")
    assert gone.value.status == 404


def test_a_stored_session_is_its_principals_own(make: Make) -> None:
    keys = ApiKey({"k1": "ada", "k2": "eve"})
    here, there = worker(make(), auth=keys), worker(make(), auth=keys)
    ada = Client(here, era="legacy", headers={"x-api-key": "k1"})
    eve = Client(there, era="legacy", headers={"x-api-key": "k2"})
    ada.server, eve.session_id = there, ada.session_id
    with pytest.raises(ProtocolError) as foreign:
        eve.call("level")
    assert foreign.value.status == 404
    assert text(ada.call("level")) == "info"


def test_a_redis_that_is_down_is_503_and_stateless_clients_go_on() -> None:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        server = worker(RedisStore(f"redis://127.0.0.1:{port}/0"))
        with pytest.raises(ProtocolError) as down:
            Client(server, era="legacy")
        assert down.value.status == 503
        assert text(Client(server).call("level")) == "None"
