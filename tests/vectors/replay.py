"""Replays the transcripts through the Python module, byte for byte; see README.md beside this file.

python tests/vectors/replay.py            compare
python tests/vectors/replay.py --bless    write what comes out into the files (then run check.py and read the diff)
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

from mcpgraft import _native as native

HERE = pathlib.Path(__file__).parent
Json = dict[str, Any]


def compact(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def incoming(step: Json, key: str) -> bytes | None:
    if f"{key}_hex" in step:
        return bytes.fromhex(step[f"{key}_hex"])
    text = step.get(key)
    return None if text is None else text.encode()


def make(file: Json) -> tuple[native.Core, Json]:
    server = file["server"]
    catalogue = json.loads((HERE / "catalogues" / f"{server['catalogue']}.json").read_text("utf-8"))
    limits = dict(server.get("limits", {}))
    framing = {"line_bytes": limits.pop("line_bytes", native.LIMITS["message_bytes"])}
    options = {**catalogue["options"], **server.get("options", {})}
    framing["listens"] = options.pop("listens", False)
    instructions = options.pop("instructions", None)
    core = native.Core(compact(catalogue["info"]), instructions=instructions, limits=limits, options=options)
    for kind in ("tool", "resource", "template", "prompt"):
        for definition in catalogue.get(kind, []):
            core.put(kind, compact(definition))
    return core, framing


def check_call(step: Json, call: native.Call) -> None:
    wanted = step.get("call")
    assert wanted is not None, f"no call was expected: {call!r}"
    assert (call.kind, call.name) == (wanted["kind"], wanted["name"]), call
    if "arguments" in wanted:
        assert call.arguments.decode() == wanted["arguments"], call.arguments
    if "entry" in wanted:
        assert call.entry == wanted["entry"], call.entry
    if "variables" in wanted:
        assert call.variables == wanted["variables"], call.variables
    if "input_responses" in wanted:
        assert call.input_responses == wanted["input_responses"].encode(), call.input_responses
    if "request_state" in wanted:
        assert call.request_state == wanted["request_state"], call.request_state


def question(item: Json) -> Any:
    """A question to the client, as the module takes it."""
    if "form" in item:
        return ("form", item["form"], item["schema"].encode())
    if "url" in item:
        return ("url", item["message"], item["url"], item["id"])
    return ("sample", item["sample"].encode()) if "sample" in item else ("roots",)


def able(item: Json, target: Any, key: int, ask: Any) -> bool:
    """Whether the client can be asked, which has to be what the step says."""
    why = target.can_ask(key, ask)
    assert (why and why[0]) == item.get("unable"), (item, why)
    return why is None


def answer(step: Json, target: Any, key: int) -> Any:
    if (require := step.get("require")) is not None:
        asks = [(item["key"], question(item)) for item in require.get("asks", [])]
        return target.require_input(key, asks, require.get("state"))
    fail = step.get("fail")
    if fail is None:
        return target.reply(key, step["reply"].encode())
    data = fail.get("data")
    return target.fail(
        key, fail["failure"], fail.get("message", ""), code=fail.get("code"), data=data and data.encode()
    )


def during(step: Json, target: Any, key: int) -> list[Any]:
    sent = []
    for item in step.get("during", []):
        if "ask" in item:
            ask = question(item["ask"])
            can = able(item, target, key, ask)
            try:
                sent.append(target.ask(key, item["id"], ask))
            except native.LocalError:
                assert not can or item.get("no_way"), item
        elif "open_stream" in item:
            sent.append(target.open_stream(key))
        elif "close_stream" in item:
            sent.append(target.close_stream(key, item["close_stream"]))
        elif "log" in item:
            sent.append(target.log(key, item["log"], item["data"].encode(), item.get("logger")))
        else:
            sent.append(target.progress(key, item["progress"], item.get("total"), item.get("message")))
    return sent


class Own:
    """What a session sends on its own, and the questions it has open."""

    def __init__(self, session: native.Session, still_open: dict[str, int]) -> None:
        self.session, self.still_open = session, still_open
        self.asked: dict[str, int] = {}

    def ask(self, step: Json, key: int) -> list[bytes | None]:
        sent: list[bytes | None] = []
        for item in step.get("asks", []):
            ask = question(item)
            if able(item, self.session, key, ask):
                data, self.asked[item["as"]] = self.session.ask(key, ask)
                sent.append(data)
                continue
            try:
                self.session.ask(key, ask)
            except native.LocalError:
                continue
            raise AssertionError(f"it was asked: {item}")
        return sent

    def tell(self, what: Json) -> bytes | None:
        if "list_changed" in what:
            return self.session.list_changed(what["list_changed"])
        if "updated" in what:
            return self.session.resource_updated(what["updated"])
        if "complete" in what:
            return self.session.elicitation_complete(what["complete"])
        return self.session.end_listening()

    def step(self, step: Json) -> list[bytes | None] | None:
        """What a step sends where nothing arrives; None if something does."""
        if "tell" in step:
            return [self.tell(step["tell"])]
        if "give_up" in step:
            return [self.session.give_up(self.asked[step["give_up"]])]
        return self.ask(step, self.still_open[step["of"]]) if "of" in step else None

    def check_answered(self, step: Json, made: native.Step) -> None:
        wanted = step.get("answered")
        assert (made.event == "answer") == (wanted is not None), (made.event, step["about"])
        if wanted is not None:
            seen = (made.key, made.ask, made.ok, made.params, made.left)
            params = wanted["params"].encode()
            call, ask = self.still_open[wanted["call"]], self.asked[wanted["ask"]]
            assert seen == (call, ask, wanted["ok"], params, wanted["left"]), seen


def duplex(file: Json) -> list[Json]:
    """What each step sends: the members of the step that it replaces."""
    core, _ = make(file)
    seen: list[Json] = []
    session = core.session()
    still_open: dict[str, int] = {}
    own = Own(session, still_open)
    saved: dict[str, str] = {}
    for step in file["steps"]:
        if step.get("fresh"):
            session, still_open, saved = core.session(), {}, {}
            own = Own(session, still_open)
        sent: list[bytes | None] = []

        def run(
            call: native.Call,
            step: Json = step,
            sent: list[bytes | None] = sent,
            session: native.Session = session,
            still_open: dict[str, int] = still_open,
            own: Own = own,
        ) -> None:
            check_call(step, call)
            sent.extend(during(step, session, call.key))
            sent.extend(own.ask(step, call.key))
            if "as" in step:
                still_open[step["as"]] = call.key
            else:
                sent.append(answer(step, session, call.key))

        if (alone := own.step(step)) is not None:
            sent = alone
        elif "answer" in step:
            sent.append(answer(step, session, still_open.pop(step["answer"])))
        else:
            message = incoming(step, "in")
            assert message is not None, step
            for name, value in saved.items():
                message = message.replace(b"{%s}" % name.encode(), value.encode())
            made = session.accept(message)
            sent.append(made.send)
            if made.call is not None:
                run(made.call)
            else:
                assert made.batch is not None or "call" not in step, f"a call was expected: {step['about']}"
                own.check_answered(step, made)
            if made.batch is not None:
                while (part := made.batch.next()) is not None:
                    sent.append(part.send)
                    if part.call is not None:
                        run(part.call)
        # Several messages at once come as lines.
        out = [line for message in sent if message is not None for line in message.decode().split("\n")]
        if "save" in step:
            saved[step["save"]] = json.loads(out[-1])["result"]["nextCursor"]
        seen.append({"out": out})
    return seen


class Kept:
    """What a host keeps between requests, under the names that the steps give."""

    def __init__(self) -> None:
        self.sessions: dict[str, bytes] = {}
        self.events: dict[tuple[str | None, str | None], list[tuple[int, bytes]]] = {}

    def event(self, session: str | None, stream: str | None, event: tuple[int, bytes] | None) -> None:
        if event is not None:
            kept = self.events.setdefault((session, stream), [])
            assert event[0] == len(kept) + 1, event
            kept.append(event)


def tell(listener: native.Listener, kept: Kept, step: Json) -> bytes:
    """What an open response writes when it is told what has changed."""
    name = step["request"].get("session")
    session = kept.sessions[name] if name else None
    told: list[bytes | None] = []
    for what in step.get("tell", []):
        if "list_changed" in what:
            told.append(listener.list_changed(what["list_changed"]))
        elif "updated" in what:
            told.append(listener.resource_updated(what["updated"], session))
        else:
            told.append(listener.end())
        if told[-1] is not None and listener.event is not None:
            kept.event(name, listener.stream, (listener.event, told[-1]))
    return b"".join(one for one in told if one is not None)


def told(made: native.HttpStep) -> list[Json]:
    """What the host learns besides the answer, as a step says it."""
    if made.event == "response":
        params = None if made.params is None else made.params.decode()
        return [{"response": made.text, "ok": made.ok, "params": params}]
    return [{"cancelled": made.text}] if made.event == "cancelled" else []


def resumed(one: native.Exchange, made: native.HttpStep, kept: Kept, step: Json) -> tuple[native.Reply | None, bytes]:
    """What a client gets that goes on with a stream."""
    assert made.resume is not None
    stream, after = made.resume
    events = kept.events.get((step["request"].get("session"), stream))
    if events is None:
        return one.refuse_resume(), b""
    replayed = b"".join(data for number, data in events if number > after)
    return made.reply, replayed + tell(one.resume_listening(events[-1][0]), kept, step)


def exchange(step: Json, core: native.Core, kept: Kept, listens: bool) -> Json:
    request = step["request"]
    headers_in = [(name, value) for name, value in request["headers"]]
    one = core.exchange(request["method"], headers_in, listen=listens, events=request.get("events"))
    head: native.Reply | None = one.gate()
    body = b""
    if head is None:
        name = request.get("session")
        made = one.accept(incoming(request, "body") or b"", kept.sessions[name] if name else None)
        assert (made.event == "opened") >= ("opens" in step), made.event
        assert (made.event == "ended") == ("ends" in step), made.event
        notices = told(made)
        if made.session is not None and (to := step.get("opens", name)) is not None:
            kept.sessions[to] = made.session
        if made.listener is not None:
            body += tell(made.listener, kept, step)
        if "ends" in step:
            del kept.sessions[step["ends"]]
        batch = made.batch
        while made.reply is None:
            if made.call is not None:
                check_call(step, made.call)
                stream = one.stream
                emits = during(step, one, made.call.key)
                emits.append(answer(step, one, made.call.key))
                closed = False
                for emit in emits:
                    if emit is not None:
                        kept.event(name, stream, emit.event)
                        head = emit.head or head
                        body += b"" if closed else emit.body
                        closed |= emit.end
                if not batch:
                    break
            made = one.next()
            notices += told(made)
            if made.session is not None:
                kept.sessions[name] = made.session
        if made.reply is not None:
            head = made.reply
        if made.resume is not None:
            head, body = resumed(one, made, kept, step)
        assert notices == step.get("notices", notices), notices
    assert head is not None
    headers = {name.lower(): value for name, value in head.headers}
    wanted = step["response"]
    return {
        "response": {
            **wanted,
            "status": head.status,
            **({"headers": {name: headers.get(name) for name in wanted["headers"]}} if "headers" in wanted else {}),
            "body": (head.body + body).decode(),
        }
    }


def framing(file: Json, piece: int) -> list[Json]:
    _, options = make(file)
    seen: list[Json] = []
    framer = native.Framer(options["line_bytes"])
    for step in file["steps"]:
        if step.get("fresh"):
            framer = native.Framer(options["line_bytes"])
        data = incoming(step, "feed") or b""
        frames: list[bytes | None] = []
        for at in range(0, len(data), piece):
            frames += framer.feed(data[at : at + piece])
        if step.get("finish"):
            frames += framer.finish()
        seen.append({"frames": [None if frame is None else frame.decode("utf-8", "replace") for frame in frames]})
    return seen


def replay(file: Json) -> list[Json]:
    if file["channel"] == "duplex":
        return duplex(file)
    if file["channel"] == "http":
        core, options = make(file)
        kept = Kept()
        return [exchange(step, core, kept, options["listens"]) for step in file["steps"]]
    whole = framing(file, 1 << 20)
    assert whole == framing(file, 1), "frames depend on how the input was cut"
    return whole


def write(path: pathlib.Path, file: Json) -> None:
    """One step a line, as the files are kept."""
    steps = file.pop("steps")
    head = json.dumps(file, indent=1, ensure_ascii=False).removesuffix("\n}")
    lines = ",\n".join("  " + json.dumps(step, ensure_ascii=False) for step in steps)
    path.write_text(f'{head},\n "steps": [\n{lines}\n ]\n}}\n', "utf-8")


def main(arguments: list[str]) -> int:
    bless = "--bless" in arguments
    steps = differing = blessed = 0
    for path in sorted(HERE.glob("*.json")):
        file = json.loads(path.read_text("utf-8"))
        for step, seen in zip(file["steps"], replay(file), strict=True):
            steps += 1
            if all(step.get(name) == value for name, value in seen.items()):
                continue
            if bless:
                # Only the bytes are ours to say; statuses, headers and frames are the protocol's.
                if "out" in seen:
                    step["out"] = seen["out"]
                if "response" in seen:
                    step["response"]["body"] = seen["response"]["body"]
                blessed += 1
            if not all(step.get(name) == value for name, value in seen.items()):
                differing += 1
                wanted = {name: step.get(name) for name in seen}
                print(f"{path.stem}: {step['about']}\n  wanted {wanted}\n  seen   {seen}")
        if bless:
            write(path, file)
    print(f"{steps} steps, {differing} differ" + (f", {blessed} blessed" if bless else ""))
    return min(differing, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
