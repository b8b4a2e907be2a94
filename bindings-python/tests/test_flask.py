"""Flask: applications, blueprints, factories, existing views, late streams."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mcpgraft import ApiKey, Bearer, Context, Server

from .wire import HEADERS, call, events, text_of

flask = pytest.importorskip("flask")


def post(app: Any, path: str, body: bytes, **headers: str) -> Any:
    return app.test_client().post(path, data=body, headers={**HEADERS, **headers})


@pytest.fixture
def app(server: Server) -> Any:
    from mcpgraft.flask import mount

    app = flask.Flask("app")
    mount(app, server, "/mcp")
    return app


def test_both_spellings_and_no_redirect(app: Any) -> None:
    for path in ("/mcp", "/mcp/"):
        answer = post(app, path, call("add", a=1))
        assert answer.status_code == 200
        assert text_of(answer.data) == "2"
    assert app.test_client().get("/mcp").status_code == 405
    assert app.test_client().delete("/mcp/").status_code == 405


def test_tool_sees_the_request_and_g(app: Any, server: Server) -> None:
    @app.before_request
    def note() -> None:
        flask.g.user = "ada"
        flask.request.get_data()  # somebody reads the body before us

    @server.tool
    def look() -> str:
        return f"{flask.g.user} {flask.request.headers['X-A']} {flask.current_app.name}"

    @server.tool
    async def look_later() -> str:
        return f"{flask.g.user} {flask.request.headers['X-A']}"

    assert text_of(post(app, "/mcp", call("look"), **{"X-A": "1"}).data) == "ada 1 app"
    assert text_of(post(app, "/mcp", call("look_later"), **{"X-A": "1"}).data) == "ada 1"


def test_late_stream_keeps_the_request_and_the_headers(app: Any, server: Server) -> None:
    @app.after_request
    def stamp(response: Any) -> Any:
        response.headers["X-Stamp"] = "1"
        return response

    @server.tool
    def look(ctx: Context, speak: bool) -> str:
        if speak:
            ctx.progress(1)
        return str(flask.request.headers["X-A"])

    answer = post(app, "/mcp", call("look", True, speak=True), **{"X-A": "7"})
    assert answer.headers["Content-Type"].startswith("text/event-stream")
    assert answer.headers.getlist("X-Stamp") == ["1"]
    first, last = events(answer.data)
    assert first["method"] == "notifications/progress"
    assert last["result"]["content"][0]["text"] == "7"
    answer = post(app, "/mcp", call("look", True, speak=False), **{"X-A": "7"})
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["X-Stamp"] == "1"
    assert len(answer.headers.getlist("Content-Type")) == len(answer.headers.getlist("Content-Length")) == 1
    assert text_of(answer.data) == "7"


def test_blueprint_in_a_factory(server: Server) -> None:
    from mcpgraft.flask import mount

    blueprint = flask.Blueprint("api", "api")
    auth = Bearer(lambda token: token == "t", authorization_servers=["https://login"])
    mount(blueprint, server, "/mcp", auth=auth)

    for _ in range(2):  # a factory runs more than once

        def create() -> Any:
            app = flask.Flask("app")
            app.register_blueprint(blueprint, url_prefix="/v1")
            return app

        app = create()
        answer = post(app, "/v1/mcp/", call("add", a=1))
        assert answer.status_code == 401
        where = "/.well-known/oauth-protected-resource/v1/mcp"
        assert f'resource_metadata="http://localhost{where}"' in answer.headers["WWW-Authenticate"]
        document = app.test_client().get(where)
        assert document.status_code == 200
        assert json.loads(document.data)["resource"] == "http://localhost/v1/mcp"
        assert text_of(post(app, "/v1/mcp", call("add", a=1), Authorization="Bearer t").data) == "2"


def test_two_servers_in_one_application(server: Server) -> None:
    from mcpgraft.flask import mount

    app = flask.Flask("app")
    other = Server("everything")
    other.add_tool(lambda: "other", "add")
    mount(app, server, "/a")
    mount(app, other, "/b")
    assert text_of(post(app, "/a", call("add", a=1)).data) == "2"
    assert text_of(post(app, "/b", call("add")).data) == "other"


def test_existing_view(server: Server) -> None:
    app = flask.Flask("app")

    @app.route("/tools", methods=["POST"])
    def view() -> Any:
        return server.respond(flask.request, auth=ApiKey("k"))

    assert post(app, "/tools", call("add", a=1)).status_code == 401
    assert text_of(post(app, "/tools", call("add", a=1), **{"x-api-key": "k"}).data) == "2"


def test_csrf_protection_leaves_the_endpoint_alone(server: Server) -> None:
    from mcpgraft.flask import mount

    exempt: list[Any] = []

    class Csrf:
        def exempt(self, view: Any) -> None:
            exempt.append(view)

    app = flask.Flask("app")
    app.extensions["csrf"] = Csrf()
    mount(app, server)
    assert [app.view_functions[name] for name in app.view_functions if name.startswith("mcp_")] == exempt
