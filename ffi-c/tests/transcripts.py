"""Writes the transcripts of tests/vectors as records that a C program reads without a JSON library.

    transcripts.py OUT

A record is a list of fields: a count, and for each field its length and its bytes (lengths are four bytes, little
endian; -1: the field is absent). The first field says what the record is; transcripts.c knows them all.
"""

from __future__ import annotations

import json
import pathlib
import struct
import sys
from typing import Any

VECTORS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "vectors"
KINDS = ("tool", "resource", "template", "prompt")
Json = dict[str, Any]
Field = str | bytes | None


def compact(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def record(*fields: Field) -> bytes:
    out = struct.pack("<i", len(fields))
    for field in fields:
        data = field.encode() if isinstance(field, str) else field
        out += struct.pack("<i", -1) if data is None else struct.pack("<i", len(data)) + data
    return out


def incoming(step: Json, key: str) -> bytes | None:
    if f"{key}_hex" in step:
        return bytes.fromhex(step[f"{key}_hex"])
    text = step.get(key)
    return None if text is None else text.encode()


def number(value: object) -> str | None:
    return None if value is None else repr(value)


def flag(value: object) -> str | None:
    return "yes" if value else None


def question(item: Json) -> tuple[str, str | None]:
    """The method and the parameters of a question to the client, in the newest shape."""
    if "form" in item:
        return "elicitation/create", f'{{"message":{compact(item["form"])},"requestedSchema":{item["schema"]}}}'
    if "url" in item:
        params = {"mode": "url", "message": item["message"], "url": item["url"], "elicitationId": item["id"]}
        return "elicitation/create", compact(params)
    return ("sampling/createMessage", item["sample"]) if "sample" in item else ("roots/list", None)


def require(given: Json) -> bytes:
    asks = []
    for item in given.get("asks", []):
        method, params = question(item)
        more = "" if params is None else f',"params":{params}'
        asks.append(f'{compact(item["key"])}:{{"method":"{method}"{more}}}')
    return record("require", f"{{{','.join(asks)}}}", given.get("state"))


def server(file: Json) -> bytes:
    given = file["server"]
    catalogue = json.loads((VECTORS / "catalogues" / f"{given['catalogue']}.json").read_text("utf-8"))
    limits = dict(given.get("limits", {}))
    line_bytes = limits.pop("line_bytes", 0)
    options = {**catalogue["options"], **given.get("options", {}), "info": catalogue["info"], "limits": limits}
    listens = "listens" if options.pop("listens", False) else None
    out = record("file", file["name"], file["channel"], str(line_bytes), listens)
    for name, value in options.items():
        out += record("set", name, compact(value))
    for at, kind in enumerate(KINDS):
        for definition in catalogue.get(kind, []):
            out += record("put", str(at), compact(definition))
    return out


def step(channel: str, given: Json) -> bytes:
    out = record("step", given["about"], "fresh" if given.get("fresh") else None)
    if "call" in given:
        call = given["call"]
        variables = compact(call["variables"]) if "variables" in call else None
        more = call.get("input_responses"), call.get("request_state")
        out += record("call", call["kind"], call["name"], call.get("arguments"), call.get("entry"), variables, *more)
    for item in given.get("during", []):
        if "ask" in item:
            out += record("question", item["id"], *question(item["ask"]), item.get("unable"), flag(item.get("no_way")))
        elif "open_stream" in item:
            out += record("open_stream")
        elif "close_stream" in item:
            out += record("close_stream", str(item["close_stream"]))
        elif "log" in item:
            out += record("log", item["log"], item["data"], item.get("logger"))
        else:
            out += record("progress", number(item["progress"]), number(item.get("total")), item.get("message"))
    if "reply" in given:
        out += record("reply", given["reply"])
    if "fail" in given:
        fail = given["fail"]
        out += record("fail", fail["failure"], fail.get("message", ""), str(fail.get("code", 0)), fail.get("data"))
    if "require" in given:
        out += require(given["require"])
    for item in given.get("asks", []):
        out += record("ask", item.get("as"), *question(item), item.get("unable"))
    if (answered := given.get("answered")) is not None:
        names = answered["call"], answered["ask"]
        out += record("answered", *names, flag(answered["ok"]), answered["params"], str(answered["left"]))
    tell = given.get("tell", [])
    for what, value in (item for news in (tell if isinstance(tell, list) else [tell]) for item in news.items()):
        out += record("tell", what, value if isinstance(value, str) else None)
    if "notices" in given:
        out += record("notices")
    for notice in given.get("notices", []):
        kind = "response" if "response" in notice else "cancelled"
        out += record("notice", kind, notice[kind], flag(notice.get("ok")), notice.get("params"))
    for name in ("as", "answer", "save", "of", "give_up", "opens", "ends"):
        if name in given:
            out += record(name, given[name])
    if channel == "duplex":
        message = incoming(given, "in")
        if message is not None:
            out += record("in", message)
        out += record("out", *given["out"])
    elif channel == "framing":
        out += record("feed", incoming(given, "feed") or b"", "finish" if given.get("finish") else None)
        out += record("frames", *given["frames"])
    else:
        request, response = given["request"], given["response"]
        for name in ("session", "events"):
            if name in request:
                out += record(name, request[name])
        headers = [part.encode("latin-1") for pair in request["headers"] for part in pair]
        out += record("request", request["method"], incoming(request, "body") or b"", *headers)
        wanted = [part for pair in response.get("headers", {}).items() for part in pair]
        out += record("response", str(response["status"]), response["body"], *wanted)
    return out + record("end")


def main(out: str) -> None:
    with pathlib.Path(out).open("wb") as file:
        for path in sorted(VECTORS.glob("*.json")):
            transcript = json.loads(path.read_text("utf-8"))
            file.write(server(transcript))
            for one in transcript["steps"]:
                file.write(step(transcript["channel"], one))


if __name__ == "__main__":
    main(sys.argv[1])
