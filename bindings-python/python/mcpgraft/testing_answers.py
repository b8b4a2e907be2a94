"""The client's side of questions, for `mcpgraft.testing.Client`: what the user, the model and the host would answer.

client = Client(server, answers=Replies(elicit=lambda params: {"name": "Ada"}))
client.call("greet")               # asks, is answered, asked again ...: gives the final result
client.answers.asked               # the questions, as they came over the wire
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

__all__ = ["NO_ANSWER", "Refuse", "Replies"]

Json = dict[str, Any]

NO_ANSWER: Any = object()
"""A callback gives this to leave a question without any answer."""
_ROUNDS = 10


class Refuse(Exception):
    """Raised by a callback: answer with an error. -1 is what clients answer when the user refuses."""

    def __init__(self, message: str = "User rejected the request", code: int = -1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Replies:
    """Callbacks that answer questions. Each gets the `params` of the question."""

    def __init__(
        self,
        *,
        elicit: Callable[[Json], Any] | None = None,
        sample: Callable[[Json], Any] | None = None,
        roots: Callable[[Json], Sequence[str]] | None = None,
    ) -> None:
        """Choose what can be asked.

        Args:
            elicit: Gives a mapping (accepted with this content), `"accept"`, `"decline"`, `"cancel"`, or any other JSON
                value to be sent as it is (a mapping with `action` too).
            sample: Gives a text, or a whole `CreateMessageResult`.
            roots: Gives URIs, or a whole `ListRootsResult`.
        """
        self._callbacks = {"elicitation/create": elicit, "sampling/createMessage": sample, "roots/list": roots}
        self.asked: list[Json] = []
        """All questions so far: `method` and `params` as they came; `key` in the stateless era, `id` in the other."""

    @property
    def capabilities(self) -> Json:
        """What a client with these callbacks declares."""
        of: dict[str, Json] = {
            "elicitation/create": {"elicitation": {"form": {}, "url": {}}},
            "sampling/createMessage": {"sampling": {"tools": {}}},
            "roots/list": {"roots": {}},
        }
        return {key: value for method, part in of.items() if self._callbacks[method] for key, value in part.items()}

    def result(self, question: Mapping[str, Any]) -> Any:
        """The answer to one question. Raises `Refuse`."""
        self.asked.append(dict(question))
        callback = self._callbacks.get(question["method"])
        if callback is None:
            raise Refuse("Method not found", -32601)
        found = callback(question.get("params") or {})
        if found is NO_ANSWER:
            return found
        return _SHAPES[question["method"]](found)

    def response(self, request: Mapping[str, Any]) -> bytes | None:
        """The JSON-RPC response to a question of the handshake era; None if there is to be none."""
        head: Json = {"jsonrpc": "2.0", "id": request["id"]}
        try:
            result = self.result(request)
        except Refuse as no:
            return msgspec.json.encode({**head, "error": {"code": no.code, "message": no.message}})
        return None if result is NO_ANSWER else msgspec.json.encode({**head, "result": result})

    def complete(self, send: Callable[[Json], Json], params: Mapping[str, Any]) -> Json:
        """Send a request of the stateless era, again and again with the answers it needs, and give its result.

        Raises:
            Refuse: A callback refused; such a client does not come back.
            RuntimeError: There were too many rounds.
        """
        full = dict(params)
        for _ in range(_ROUNDS):
            result = send(full)
            if result.get("resultType") != "input_required":
                return result
            answers = {
                key: self.result({"key": key, **question})
                for key, question in (result.get("inputRequests") or {}).items()
            }
            full = {**params, "inputResponses": {key: one for key, one in answers.items() if one is not NO_ANSWER}}
            if "requestState" in result:
                full["requestState"] = result["requestState"]
        raise RuntimeError(f"the server still asks after {_ROUNDS} rounds")


def _elicited(found: Any) -> Any:
    if isinstance(found, str):
        return {"action": found}
    if isinstance(found, Mapping) and "action" not in found:
        return {"action": "accept", "content": found}
    return found


def _sampled(found: Any) -> Any:
    if isinstance(found, str):
        content = {"type": "text", "text": found}
        return {"role": "assistant", "content": content, "model": "test", "stopReason": "endTurn"}
    return found


def _rooted(found: Any) -> Any:
    return found if isinstance(found, Mapping) else {"roots": [{"uri": one} for one in found]}


_SHAPES: dict[str, Callable[[Any], Any]] = {
    "elicitation/create": _elicited,
    "sampling/createMessage": _sampled,
    "roots/list": _rooted,
}
