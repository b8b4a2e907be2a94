"""API keys, bearer tokens, scopes and the metadata document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcpgraft import ApiKey, Bearer, Context, Principal, Server, Unauthorized, requires
from mcpgraft.auth import metadata_path, metadata_url, resource_of
from mcpgraft.testing import Client, HttpError, ProtocolError, RawAnswer
from mcpgraft.wsgi import App


def who(ctx: Context) -> str:
    return f"{ctx.principal.subject} {sorted(ctx.principal.scopes)}"


def make(auth: object) -> Server:
    server = Server("s", auth=auth)
    server.add_tool(who)
    return server


def text(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


def refused(server: Server, **headers: str) -> HttpError:
    with pytest.raises(HttpError) as caught:
        Client(server, headers={name.replace("_", "-"): value for name, value in headers.items()}).list_tools()
    return caught.value


class TestApiKey:
    def test_right_wrong_and_missing(self) -> None:
        server = make(ApiKey({"s3cret": "billing", "0ther": Principal("ops", frozenset({"a"}))}))
        assert text(Client(server, headers={"X-API-Key": "s3cret"}).call("who")) == "billing []"
        assert text(Client(server, headers={"X-API-Key": "0ther"}).call("who")) == "ops ['a']"
        for headers in ({}, {"x_api_key": "s3cre"}, {"x_api_key": "s3crett"}, {"x_api_key": "é"}):
            error = refused(server, **headers)
            assert error.status == 401
            assert error.headers["WWW-Authenticate"].startswith("ApiKey ")
            assert b"s3c" not in error.body

    def test_header_of_choice_and_verifier(self) -> None:
        async def verify(key: str) -> str | None:
            return "me" if key == "k" else None

        server = make(ApiKey(header="X-Team-Key", verifier=verify))
        assert text(Client(server, headers={"x-team-key": "k"}).call("who")) == "me []"
        assert refused(server, x_team_key="j").status == 401

    def test_twice_is_refused(self) -> None:
        server = make(ApiKey("s"))
        answer = Client(server).raw(b"{}", headers=[("x-api-key", "s"), ("X-Api-Key", "s")])
        assert answer.status == 401

    def test_useless_keys_are_refused(self) -> None:
        for keys in ("", [], {}, ["a", ""]):
            with pytest.raises(ValueError, match=r"empty|either"):
                ApiKey(keys)


class TestBearer:
    auth = Bearer(
        lambda token: {"sub": "ada", "scope": "read write"} if token == "good" else None,
        resource="https://example.com/mcp",
        authorization_servers=["https://login.example.com"],
        scopes_supported=["read", "write", "admin"],
        required_scopes=["read"],
    )

    def test_good(self) -> None:
        for value in ("Bearer good", "bearer  good"):
            assert (
                text(Client(make(self.auth), headers={"Authorization": value}).call("who")) == "ada ['read', 'write']"
            )

    # proves: S-410
    def test_missing(self) -> None:
        for headers in ({}, {"Authorization": "Basic Z29vZA=="}, {"Authorization": "Bearer "}):
            error = refused(make(self.auth), **headers)
            challenge = error.headers["WWW-Authenticate"]
            assert error.status == 401
            assert challenge.startswith("Bearer ")
            assert 'resource_metadata="https://example.com/.well-known/oauth-protected-resource/mcp"' in challenge
            assert 'scope="read"' in challenge
            assert "error=" not in challenge

    # proves: S-410
    def test_invalid(self) -> None:
        error = refused(make(self.auth), Authorization="Bearer bad")
        assert error.status == 401
        assert 'error="invalid_token"' in error.headers["WWW-Authenticate"]

    # proves: S-411
    def test_scope_for_everything(self) -> None:
        auth = Bearer(lambda token: {"sub": "x", "scp": ["other"]}, required_scopes=["read"])
        error = refused(make(auth), Authorization="Bearer t")
        assert error.status == 403
        assert 'error="insufficient_scope", scope="read"' in error.headers["WWW-Authenticate"]

    # proves: S-411, S-269
    def test_scope_for_one_tool(self) -> None:
        server = make(self.auth)
        server.add_tool(lambda: "in", "write", guard=requires("write"))
        server.add_tool(lambda: "in", "admin", guard=requires("admin"))
        client = Client(server, headers={"Authorization": "Bearer good"})
        assert text(client.call("write")) == "in"
        with pytest.raises(ProtocolError) as caught:
            client.call("admin")
        assert caught.value.status == 403
        body = json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "admin", "arguments": {}}}
        ).encode()
        answer = client.raw(body, headers={"Content-Type": "application/json", "Authorization": "Bearer good"})
        assert answer.status == 403
        challenge = dict(answer.headers)["WWW-Authenticate"]
        assert 'error="insufficient_scope"' in challenge
        assert 'scope="admin"' in challenge
        assert "resource_metadata=" in challenge
        assert "admin" in answer.messages[0]["error"]["message"]

    def test_handler_that_finds_the_token_expired(self) -> None:
        def expired() -> str:
            raise Unauthorized("the token expired meanwhile")

        server = make(self.auth)
        server.add_tool(expired)
        with pytest.raises(ProtocolError) as caught:
            Client(server, headers={"Authorization": "Bearer good"}).call("expired")
        assert caught.value.status == 401
        result = Client(server, transport="stdio").call("expired")
        assert result["isError"] is True

    def test_challenge_cannot_be_injected(self) -> None:
        auth = Bearer(lambda token: None, authorization_servers=["https://a"])
        answer = Client(make(auth), url='http://evil"\r\nX: y/mcp').raw(b"{}", headers={"content-type": "x"})
        assert answer.status == 401
        assert not any("\n" in value or "\r" in value for _, value in answer.headers)


# proves: S-417
def test_own_check_gives_its_own_principal() -> None:
    class User:
        subject = "flask-login"
        scopes = ("a", "b")

    server = make(lambda request: User() if request.headers.get("cookie") == "session=1" else None)
    assert text(Client(server, headers={"Cookie": "session=1"}).call("who")) == "flask-login ['a', 'b']"
    assert refused(server).status == 401


# proves: S-104
def test_auth_comes_before_everything_but_the_origin() -> None:
    server = Server("s", auth=ApiKey("k"))
    client = Client(server)
    assert client.raw(b"not json", headers={}).status == 401
    assert client.raw(b"", method="GET", headers={}).status == 401
    hostile: RawAnswer = client.raw(b"{}", headers={"Origin": "https://evil.example", "Host": "localhost"})
    assert hostile.status == 403


# proves: S-413, S-417
def test_stdio_has_the_principal_it_was_given() -> None:
    server = Server("s", auth=ApiKey("k"))
    server.add_tool(lambda: "in", "admin", guard=requires("admin"))
    assert (
        text(Client(server, transport="stdio", principal=Principal("me", frozenset({"admin"}))).call("admin")) == "in"
    )
    with pytest.raises(ProtocolError):
        Client(server, transport="stdio").call("admin")


# proves: S-414
def test_well_known_places() -> None:
    assert metadata_path("/mcp/") == "/.well-known/oauth-protected-resource/mcp"
    assert metadata_path("/") == "/.well-known/oauth-protected-resource"
    assert metadata_url("https://x.org/a/mcp") == "https://x.org/.well-known/oauth-protected-resource/a/mcp"
    assert resource_of("https://x.org/.well-known/oauth-protected-resource/a/mcp") == "https://x.org/a/mcp"


# proves: S-414
def test_document() -> None:
    app = App(make(TestBearer.auth), path="/mcp")
    sent: list[Any] = []
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/.well-known/oauth-protected-resource/mcp",
        "HTTP_HOST": "inner:5000",
    }
    body = b"".join(app(environ, lambda status, headers: sent.extend([status, dict(headers)])))
    assert sent[0] == "200 OK"
    assert sent[1]["Access-Control-Allow-Origin"] == "*"
    assert json.loads(body) == {
        "resource": "https://example.com/mcp",
        "authorization_servers": ["https://login.example.com"],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["read", "write", "admin"],
    }
