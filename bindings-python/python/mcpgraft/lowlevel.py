"""The protocol without the face: for people who keep their own tool table, transport and types.

Bytes go in, a step comes out; nothing here opens, reads or starts anything. A duplex channel:

    core = Core(b'{"name":"demo","version":"1"}')
    core.put("tool", b'{"name":"add","inputSchema":{"type":"object"}}')
    session = core.session()
    step = session.accept(line)
    if step.send:
        write(step.send)
    if step.event == "call":
        result = my_tools[step.call.name](json.loads(step.call.arguments))
        answer = session.reply(step.call.key, json.dumps(result).encode())   # a CallToolResult object
        if answer:                                                           # None: it was cancelled meanwhile
            write(answer)

One HTTP request:

    exchange = core.exchange(method, headers, peer=address, stream=False)
    reply = exchange.gate()                  # before the body is read
    if reply is None:
        step = exchange.accept(body)
        reply = step.reply
        if step.call:
            reply = exchange.reply(step.call.key, run(step.call)).head

With `options={"host_lists": ["tools"]}` the core keeps no tools at all: lists and look-ups arrive as calls of kind
`list` and `tool`, and parsing, negotiation, validation and serialisation stay here. Results are given in the newest
revision's shape; the core translates them for older peers. A `LocalError` is the caller's mistake and changes nothing.
"""

from __future__ import annotations

from ._native import (
    LIMITS,
    REVISIONS,
    VERSION,
    Batch,
    Call,
    Core,
    Emit,
    Exchange,
    Framer,
    HttpStep,
    LocalError,
    Reply,
    Session,
    Step,
)

__all__ = [
    "LIMITS",
    "REVISIONS",
    "VERSION",
    "Batch",
    "Call",
    "Core",
    "Emit",
    "Exchange",
    "Framer",
    "HttpStep",
    "LocalError",
    "Reply",
    "Session",
    "Step",
]
