"""Django: sync and async views, streams, existing views."""

from __future__ import annotations

import asyncio
import json
import threading
from typing import Any

import pytest

from mcpgraft import Bearer, Server

from .wire import HEADERS, call, events, request, text_of

django = pytest.importorskip("django")
META = {"HTTP_ACCEPT": HEADERS["Accept"]}


@pytest.fixture(autouse=True, scope="module")
def settings() -> None:
    from django.conf import settings

    if not settings.configured:
        settings.configure(
            ALLOWED_HOSTS=["*"],
            SECRET_KEY="test",
            ROOT_URLCONF="urls",
            DATABASES={},
            MIDDLEWARE=["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"],
        )
        django.setup()


@pytest.fixture
def site(server: Server) -> Any:
    """A project with the endpoint twice: sync and async."""
    import sys
    import types

    from django.test import override_settings
    from django.urls import clear_url_caches, path

    from mcpgraft.django import urls

    module = types.ModuleType("urls")
    auth = Bearer(lambda token: token == "t", authorization_servers=["https://login"])
    module.urlpatterns = [  # type: ignore[attr-defined]
        *urls(server, "mcp"),
        *urls(server, "later", asynchronous=True),
        *urls(server, "safe", auth=auth),
        path("view", lambda request: server.respond(request)),
    ]
    sys.modules["urls"] = module
    clear_url_caches()
    with override_settings(ROOT_URLCONF="urls"):
        yield module


def post(path: str, body: bytes, **headers: str) -> Any:
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    return client.post(path, body, content_type="application/json", headers={"accept": HEADERS["Accept"], **headers})


def test_both_spellings_and_csrf(site: Any) -> None:
    for path in ("/mcp", "/mcp/", "/later", "/later/"):
        answer = post(path, call("add", a=1))
        assert answer.status_code == 200
        assert text_of(answer.content) == "2"
        assert answer["Content-Type"] == "application/json"


def test_sync_tool_runs_in_the_thread_of_the_request(site: Any) -> None:
    answer = post("/mcp", call("who"), **{"x-tenant": "t"})
    assert text_of(answer.content) == f"None|t|{threading.current_thread().name}"


def test_stream_and_late_decision(site: Any) -> None:
    answer = post("/mcp", call("slow", True, steps=2))
    assert answer.streaming
    assert answer["Content-Type"].startswith("text/event-stream")
    messages = events(b"".join(answer.streaming_content))
    assert [one["params"]["progress"] for one in messages[:-1] if "progress" in one["method"]] == [1, 2]
    assert "result" in messages[-1]
    answer = post("/mcp", call("slow", True, steps=0))
    assert not answer.streaming
    assert text_of(answer.content) == "done"


def test_async_view(site: Any) -> None:
    async def main() -> None:
        from django.test import AsyncClient

        client = AsyncClient()
        for tool in ("slow", "slow_async"):
            answer = await client.post(
                "/later",
                call(tool, True, steps=2),
                content_type="application/json",
                headers={"accept": HEADERS["Accept"]},
            )
            assert answer.streaming
            body = b"".join([piece async for piece in answer.streaming_content])
            assert "result" in events(body)[-1]
            assert len(events(body)) >= 3
        answer = await client.post("/mcp", call("add", a=1), content_type="application/json")
        assert text_of(answer.content) == "2"

    asyncio.run(main())


def test_metadata_and_challenge(site: Any) -> None:
    from django.test import Client

    assert post("/safe", call("add", a=1)).status_code == 401
    assert text_of(post("/safe", call("add", a=1), authorization="Bearer t").content) == "2"
    answer = Client().get("/.well-known/oauth-protected-resource/safe")
    assert json.loads(answer.content)["resource"] == "http://testserver/safe"


def test_existing_view(site: Any, server: Server) -> None:
    from django.test import RequestFactory

    sent = RequestFactory().post("/view", call("add", a=2), content_type="application/json")
    assert sent.body  # somebody read it
    assert text_of(server.respond(sent).content) == "3"


# proves: S-166
@pytest.mark.parametrize("path", ["/mcp", "/later"])
def test_a_response_ends_before_its_answer(path: str) -> None:
    import sys
    import types

    from django.test import AsyncClient, override_settings
    from django.urls import clear_url_caches

    from mcpgraft import Context
    from mcpgraft.django import urls
    from mcpgraft.events import MemoryEvents

    server = Server("long", sessions="memory", events=MemoryEvents())
    go = threading.Event()

    @server.tool
    async def long(ctx: Context) -> str:
        ctx.close_stream(10)
        await asyncio.to_thread(go.wait, 10)
        return "done"

    module = types.ModuleType("urls")
    module.urlpatterns = [*urls(server, "mcp"), *urls(server, "later", asynchronous=True)]  # type: ignore[attr-defined]
    sys.modules["urls"] = module
    clear_url_caches()

    async def main() -> None:
        client, head = AsyncClient(), {"accept": HEADERS["Accept"]}

        async def send(body: bytes) -> Any:
            return await client.post(path, body, content_type="application/json", headers=head)

        hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "0"}}
        head["mcp-session-id"] = (await send(request("initialize", hello)))["Mcp-Session-Id"]
        answer = await send(call("long"))
        said = b"".join([piece async for piece in answer.streaming_content])
        assert b"retry: 10" in said
        go.set()
        id = said.split(b"id: ")[1].split(b"\n")[0].decode()
        rest = await client.get(path, headers={**head, "last-event-id": id})
        body = b"".join([piece async for piece in rest.streaming_content]) if rest.streaming else rest.content
        assert text_of(json.dumps(events(body)[0]).encode()) == "done"

    with override_settings(ROOT_URLCONF="urls"):
        asyncio.run(main())
