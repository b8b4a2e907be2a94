"""The WSGI application, in the server of the standard library and by hand."""

from __future__ import annotations

import http.client
import io
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from mcpgraft import ApiKey, Context, Server
from mcpgraft.run import make_http, transport_of
from mcpgraft.wsgi import App, read_body, request_of, url_of

from .wire import HEADERS, call, events, request, text_of


def environ(body: bytes = b"", **more: Any) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/mcp",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        **more,
    }


class Wire:
    """A WSGI server that only notes what is done to it."""

    def __init__(self) -> None:
        self.status = ""
        self.headers: dict[str, str] = {}
        self.written: list[bytes] = []
        self.threads: set[str] = set()

    def __call__(self, status: str, headers: list[tuple[str, str]]) -> Any:
        assert not self.status, "started twice"
        self.status, self.headers = status, dict(headers)
        return self.write

    def write(self, piece: bytes) -> None:
        self.threads.add(threading.current_thread().name)
        self.written.append(piece)

    def run(self, app: Any, env: dict[str, Any]) -> bytes:
        rest = b"".join(app(env, self))
        return b"".join(self.written) + rest


def test_plain_request(server: Server) -> None:
    wire = Wire()
    body = wire.run(App(server), environ(call("add", a=1)))
    assert wire.status == "200 OK"
    assert wire.headers["Content-Length"] == str(len(body))
    assert text_of(body) == "2"
    assert not wire.written


def test_handler_runs_in_the_thread_of_the_request(server: Server) -> None:
    body = Wire().run(App(server), environ(call("who"), HTTP_X_TENANT="t"))
    assert text_of(body) == f"None|t|{threading.current_thread().name}"


def test_progress_makes_a_stream_and_silence_does_not(server: Server) -> None:
    wire = Wire()
    body = wire.run(App(server), environ(call("slow", True, steps=2), HTTP_ACCEPT=HEADERS["Accept"]))
    assert wire.headers["Content-Type"].startswith("text/event-stream")
    assert "Content-Length" not in wire.headers
    messages = events(body)
    told = [one["params"]["progress"] for one in messages if one.get("method") == "notifications/progress"]
    assert told == [1, 2]
    assert messages[-1]["result"]["content"][0]["text"] == "done"
    assert wire.threads == {threading.current_thread().name}
    wire = Wire()
    body = wire.run(App(server), environ(call("slow", True, steps=0), HTTP_ACCEPT=HEADERS["Accept"]))
    assert wire.headers["Content-Type"].startswith("application/json")
    assert text_of(body) == "done"


def test_peer_that_left_a_stream_does_not_break_the_handler() -> None:
    server = Server("s")
    done: list[int] = []

    @server.tool
    def slow(ctx: Context) -> None:
        for step in range(3):
            ctx.progress(step + 1)
        done.append(1)

    wire = Wire()

    def broken(piece: bytes) -> None:
        raise BrokenPipeError

    wire.write = broken  # type: ignore[method-assign]
    wire.run(App(server), environ(call("slow", True), HTTP_ACCEPT=HEADERS["Accept"]))
    assert done == [1]


def test_paths_and_fallback(server: Server) -> None:
    def other(env: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [b"other"]

    app = App(server, path="/mcp/", fallback=other)
    for path in ("/mcp", "/mcp/"):
        assert text_of(Wire().run(app, environ(call("add", a=1), PATH_INFO=path))) == "2"
    assert Wire().run(app, environ(PATH_INFO="/mcpx")) == b"other"
    wire = Wire()
    wire.run(App(server, path="/mcp"), environ(PATH_INFO="/x"))
    assert wire.status.startswith("404")


def test_respond_in_a_wsgi_view(server: Server) -> None:
    env = environ(call("add", a=4))
    assert text_of(Wire().run(server.respond(env), env)) == "5"
    with pytest.raises(TypeError, match="Flask"):
        server.respond(object())


def test_headers_that_have_their_own_variables(server: Server) -> None:
    # nginx gives uWSGI both; and a client may send `Content_Type`, which becomes the same name.
    twice = environ(call("add", a=1), HTTP_CONTENT_TYPE="text/plain", HTTP_CONTENT_LENGTH="1")
    assert text_of(Wire().run(App(server), twice)) == "2"
    seen = request_of(twice).headers
    assert seen["Content-Type"] == "application/json"
    assert seen["Content-Length"] == twice["CONTENT_LENGTH"]


def test_environ_reading() -> None:
    env = environ(b"12345", HTTP_X_A_B="1", SCRIPT_NAME="/app", HTTP_HOST="x.org:81")
    made = request_of(env)
    assert (made.headers["x-a-b"], made.headers["content-type"], made.peer) == ("1", "application/json", "127.0.0.1")
    assert made.url == url_of(env) == "http://x.org:81/app/mcp"
    assert read_body(env)(3) == b"123"
    assert read_body(environ(b"12345", CONTENT_LENGTH="2"))(9) == b"12"
    # Without a length the stream may be a socket that never ends.
    assert read_body({**environ(b"12345"), "CONTENT_LENGTH": ""})(9) == b""
    assert read_body({**environ(b"12345"), "CONTENT_LENGTH": "", "wsgi.input_terminated": True})(9) == b"12345"


class TestDevelopmentServer:
    @pytest.fixture
    def port(self, server: Server) -> Iterator[int]:
        server.auth = ApiKey("k")
        httpd = make_http(server, port=0)
        thread = threading.Thread(target=httpd.serve_forever, args=(0.05,))
        thread.start()
        yield httpd.server_address[1]
        httpd.shutdown()
        thread.join()
        httpd.server_close()

    def ask(self, port: int, body: bytes, **headers: str) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/mcp", body, {**HEADERS, **{k.replace("_", "-"): v for k, v in headers.items()}})
        answer = connection.getresponse()
        result = (answer.status, dict(answer.getheaders()), answer.read())
        connection.close()
        return result

    def test_calls_and_streams(self, port: int) -> None:
        assert text_of(self.ask(port, call("add", a=1), x_api_key="k")[2]) == "2"
        _, headers, body = self.ask(port, call("slow", True, steps=3), x_api_key="k")
        assert headers["Content-Type"].startswith("text/event-stream")
        assert "result" in events(body)[-1]

    def test_an_early_answer_arrives_although_the_body_was_not_read(self, port: int) -> None:
        status, headers, _ = self.ask(port, b"x" * 600_000)
        assert status == 401
        assert "WWW-Authenticate" in headers

    def test_many_at_once(self, port: int) -> None:
        answers: list[str] = []
        threads = [
            threading.Thread(
                target=lambda n=n: answers.append(text_of(self.ask(port, call("add", a=n), x_api_key="k")[2]))
            )
            for n in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(map(int, answers)) == list(range(1, 21))


def test_transport_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MCP_TRANSPORT", raising=False)
    assert transport_of() == "stdio"
    monkeypatch.setenv("MCP_TRANSPORT", "Streamable-HTTP")
    assert transport_of() == "http"
    assert transport_of("stdio") == "stdio"
    with pytest.raises(ValueError, match="carrier"):
        transport_of("carrier pigeon")


def test_list_over_wsgi_is_json(server: Server) -> None:
    body = Wire().run(App(server), environ(request("tools/list")))
    assert len(json.loads(body)["result"]["tools"]) == 6
