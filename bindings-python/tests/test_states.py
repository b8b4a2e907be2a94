"""The state that a stateless client carries: what it is good for, and what it is not."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mcpgraft import Context, Principal, RegistrationError, Server
from mcpgraft.testing import Client, ProtocolError

OLD, NEW = "an old secret of enough bytes", "a new secret, also long enough"
NAME = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
ADA = {"action": "accept", "content": {"name": "Ada"}}
ELICITS = {"elicitation": {}}


def build(**options: Any) -> Server:
    server = Server("states", **{"secrets": [OLD], **options})

    @server.tool
    def pay(ctx: Context, amount: float = 1, note: dict[str, Any] | None = None) -> str:
        account = ctx.memo("account", lambda: "DE-SECRET-ACCOUNT")
        name = ctx.elicit("who", f"Pay {amount}?", NAME).data["name"]
        return f"{name} paid {amount} from {account}"

    @server.tool
    def other(ctx: Context, amount: float = 1, note: dict[str, Any] | None = None) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    @server.tool
    def twice(ctx: Context) -> str:
        first = ctx.elicit("first", "First?", NAME).data["name"]
        second = ctx.elicit("second", "Second?", NAME).data["name"]
        return f"{first} {second}"

    @server.tool
    def plain() -> str:
        return "plain"

    @server.prompt
    def pay_prompt(ctx: Context) -> str:
        return str(ctx.elicit("who", "Who?", NAME).data["name"])

    return server


def client(server: Server, **options: Any) -> Client:
    return Client(server, **{"capabilities": ELICITS, **options})


def call(peer: Client, name: str, state: Any = None, answers: Any = None, **arguments: Any) -> dict[str, Any]:
    params: dict[str, Any] = {"name": name, "arguments": arguments}
    if state is not None:
        params["requestState"] = state
    if answers is not None:
        params["inputResponses"] = answers
    return peer.request("tools/call", params)


def text(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


def refused(send: Callable[[], Any]) -> str:
    with pytest.raises(ProtocolError) as error:
        send()
    assert error.value.code == -32602
    return error.value.message


# --- what it is good for


# proves: S-074, S-363
def test_any_server_with_the_secret_goes_on() -> None:
    state = call(client(build()), "pay", amount=5)["requestState"]
    assert text(call(client(build()), "pay", state, {"who": ADA}, amount=5)) == "Ada paid 5.0 from DE-SECRET-ACCOUNT"


def test_secrets_rotate() -> None:
    state = call(client(build()), "pay")["requestState"]
    rotated = client(build(secrets=[NEW, OLD]))
    assert text(call(rotated, "pay", state, {"who": ADA})).startswith("Ada paid")
    again = call(rotated, "pay", state, {})["requestState"]  # sealed with the new one
    assert text(call(client(build(secrets=[NEW])), "pay", again, {"who": ADA})).startswith("Ada paid")
    refused(lambda: call(client(build(secrets=[NEW])), "pay", state, {"who": ADA}))


def test_a_client_may_write_its_request_anew() -> None:
    peer = client(build())
    state = call(peer, "pay", amount=1.0, note={"a": 1, "b": "é"})["requestState"]
    params = '{"note":{"b":"\\u00e9","a":1.0},"amount":1}'
    result = call(peer, "pay", state, {"who": ADA}, **json.loads(params))
    assert text(result).startswith("Ada paid 1.0")


def test_answers_without_a_state_are_fine() -> None:
    peer = client(build())
    assert text(call(peer, "pay", None, {"who": ADA, "unknown": 5})).startswith("Ada paid")
    assert call(peer, "pay", None, {"unknown": ADA})["resultType"] == "input_required"


# proves: T-110
def test_null_is_no_state() -> None:
    peer = client(build())
    result = peer.request("tools/call", {"name": "pay", "arguments": {}, "requestState": None, "inputResponses": None})
    assert result["resultType"] == "input_required"


def test_each_round_has_a_state_of_its_own() -> None:
    peer = client(build())
    first = call(peer, "twice")["requestState"]
    second = call(peer, "twice", first, {"first": ADA})
    assert list(second["inputRequests"]) == ["second"]
    assert second["requestState"] != first
    assert text(call(peer, "twice", second["requestState"], {"second": ADA})) == "Ada Ada"


# proves: S-361
def test_only_what_is_missing_is_asked_again() -> None:
    peer = client(build())
    first = call(peer, "twice")["requestState"]
    again = call(peer, "twice", first, {"second": ADA})
    assert list(again["inputRequests"]) == ["first"]


# --- hazards


def test_it_is_not_readable() -> None:
    state = call(client(build()), "pay")["requestState"]
    head, body = state.split(".", 1)
    sealed = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))
    assert b"SECRET" not in sealed
    assert head == "v1"


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state + "-TAMPERED",
        lambda state: state[:-1],
        lambda state: state[:40] + ("A" if state[40] != "A" else "B") + state[41:],
        lambda state: "",
        lambda state: "v1.",
        lambda state: "x" * 100_000,
        lambda state: state.replace("v1.", "v2."),
    ],
)
# proves: S-355, S-362
def test_a_changed_state_is_refused(change: Callable[[str], str]) -> None:
    peer = client(build())
    state = call(peer, "pay")["requestState"]
    changed = refused(lambda: call(peer, "pay", change(state), {"who": ADA}))
    foreign = refused(lambda: call(client(build(secrets=[NEW])), "pay", state, {"who": ADA}))
    assert changed == foreign  # which of the checks it was is not told


# proves: T-110, S-359
@pytest.mark.parametrize("state", [5, {"a": 1}, ["x"], True])
def test_a_state_is_a_string(state: Any) -> None:
    refused(lambda: call(client(build()), "pay", state, {"who": ADA}))


# proves: T-113, S-359
@pytest.mark.parametrize("answers", [5, "x", [], True])
def test_answers_are_an_object(answers: Any) -> None:
    refused(lambda: call(client(build()), "pay", None, answers))


# proves: S-356
def test_it_is_good_for_the_same_request_only() -> None:
    peer = client(build())
    state = call(peer, "pay", amount=5)["requestState"]
    one = refused(lambda: call(peer, "pay", state, {"who": ADA}, amount=6))
    two = refused(lambda: call(peer, "other", state, {"who": ADA}, amount=5))
    three = refused(lambda: peer.request("prompts/get", {"name": "pay_prompt", "requestState": state}))
    four = refused(lambda: call(peer, "plain", state))  # also where nothing is asked
    assert one == two == three == four


# proves: S-356, S-417
def test_it_is_good_for_the_same_principal_only() -> None:
    server = build(auth=lambda request: Principal(request.headers["X-User"]))
    ada, bob = (client(server, headers={"X-User": name}) for name in ("ada", "bob"))
    state = call(ada, "pay")["requestState"]
    refused(lambda: call(bob, "pay", state, {"who": ADA}))
    assert text(call(ada, "pay", state, {"who": ADA})).startswith("Ada paid")


@pytest.mark.parametrize("principal", ["ada", {"sub": "ada", "exp": 1}, {"role": "x"}, Principal("ada"), 5])
def test_principals_of_any_kind(principal: Any) -> None:
    peer = client(build(), transport="stdio", principal=principal)
    state = call(peer, "pay")["requestState"]
    assert text(call(peer, "pay", state, {"who": ADA})).startswith("Ada paid")
    refused(lambda: call(client(build(), transport="stdio"), "pay", state, {"who": ADA}))


# proves: S-356
def test_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    from mcpgraft import state as module

    peer = client(build(state_ttl=60))
    made = module.now_ms()
    state = call(peer, "pay")["requestState"]
    monkeypatch.setattr(module, "now_ms", lambda: made + 55_000)
    assert text(call(peer, "pay", state, {"who": ADA})).startswith("Ada paid")
    monkeypatch.setattr(module, "now_ms", lambda: made + 65_000)
    refused(lambda: call(peer, "pay", state, {"who": ADA}))
    assert call(peer, "pay")["resultType"] == "input_required"  # from scratch


def test_two_retries_at_once() -> None:
    # Without the hook both complete, which is right for what may happen twice ...
    peer = build()
    state = call(client(peer), "pay")["requestState"]
    with ThreadPoolExecutor(2) as pool:
        both = list(pool.map(lambda _: text(call(client(peer), "pay", state, {"who": ADA})), range(2)))
    assert len(both) == 2


# proves: S-357
@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_state_for_one_use(kind: str) -> None:
    # ... and with it only one.
    used: set[str] = set()

    def once(nonce: str) -> bool:
        fresh = nonce not in used
        used.add(nonce)
        return fresh

    async def later(nonce: str) -> bool:
        return once(nonce)

    peer = client(build(on_state_use=once if kind == "sync" else later))
    state = call(peer, "pay")["requestState"]
    assert text(call(peer, "pay", state, {"who": ADA})).startswith("Ada paid")
    refused(lambda: call(peer, "pay", state, {"who": ADA}))
    other = call(peer, "pay")["requestState"]
    assert text(call(peer, "pay", other, {"who": ADA})).startswith("Ada paid")


# proves: S-360
def test_old_answers_with_a_newer_state_are_ignored() -> None:
    peer = client(build())
    first = call(peer, "twice")["requestState"]
    second = call(peer, "twice", first, {"first": ADA})["requestState"]
    bob = {"action": "accept", "content": {"name": "Bob"}}
    third = call(peer, "twice", second, {"first": bob})
    assert list(third["inputRequests"]) == ["second"]
    assert text(call(peer, "twice", third["requestState"], {"second": bob, "first": bob})) == "Ada Bob"


def test_an_answer_to_another_question_is_no_answer() -> None:
    server = build()
    price = [10]

    @server.tool
    def buy(ctx: Context) -> str:
        ctx.elicit("sure", f"Buy for {price[0]}?", NAME)
        return f"bought for {price[0]}"

    peer = client(server)
    state = call(peer, "buy")["requestState"]
    price[0] = 20  # what the user agreed to is not what is asked now
    again = call(peer, "buy", state, {"sure": ADA})
    assert again["inputRequests"]["sure"]["params"]["message"] == "Buy for 20?"
    assert text(call(peer, "buy", again["requestState"], {"sure": ADA})) == "bought for 20"


# proves: S-071, S-070
def test_a_capability_that_is_gone() -> None:
    server = build()
    state = call(client(server), "twice")["requestState"]
    less = client(server, capabilities={})
    with pytest.raises(ProtocolError) as error:
        call(less, "twice", state, {"first": ADA})  # the answer is taken; the next question is not asked
    assert error.value.code == -32021
    assert error.value.data == {"requiredCapabilities": {"elicitation": {}}}
    assert text(call(less, "pay", None, {"who": ADA})).startswith("Ada paid")


def test_progress_of_a_retry_starts_again() -> None:
    server = build()

    @server.tool
    def work(ctx: Context) -> str:
        ctx.progress(1, 3)
        ctx.elicit("who", "Who?", NAME)
        ctx.progress(2, 3)
        return "done"

    peer = client(server, progress=True)
    state = call(peer, "work")["requestState"]
    assert [one["params"]["progress"] for one in peer.notifications] == [1]
    peer.notifications.clear()
    assert text(call(peer, "work", state, {"who": ADA})) == "done"
    assert [one["params"]["progress"] for one in peer.notifications] == [2]


def test_too_much_to_carry(caplog: pytest.LogCaptureFixture) -> None:
    server = build()

    @server.tool
    def heavy(ctx: Context) -> str:
        ctx.memo("blob", lambda: "x" * 40_000)
        return str(ctx.elicit("who", "Who?", NAME))

    result = call(client(server), "heavy")
    assert result["isError"]
    assert "keep less in memo" in text(result)


# --- secrets


def test_without_secrets_this_process_goes_on_alone(caplog: pytest.LogCaptureFixture) -> None:
    server = build(secrets=None)
    with caplog.at_level(logging.WARNING, "mcpgraft"):
        assert text(call(client(server), "plain")) == "plain"
        assert not caplog.records  # who asks nothing needs none
        state = call(client(server), "pay")["requestState"]
    (warning,) = caplog.records
    assert "retries must reach this very process" in warning.getMessage()
    assert text(call(client(server), "pay", state, {"who": ADA})).startswith("Ada paid")
    refused(lambda: call(client(build(secrets=None)), "pay", state, {"who": ADA}))


@pytest.mark.parametrize("secrets", [[], ["short"], "not a list but long enough", [5]])
def test_secrets_must_be_secrets(secrets: Any) -> None:
    with pytest.raises(RegistrationError, match="secrets"):
        Server("x", secrets=secrets)
