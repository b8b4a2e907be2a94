"""Real clients nobody here wrote against the examples: each client package, every era it speaks, HTTP and stdio.

    run.py [--policies URL]      the Python examples (with a policies app that already runs; without it one is started)
    run.py --lang c              the C and Go examples, as ffi-c/run-tests has built them
    run.py --lang node           the Node example, by the same clients and the Inspector

Each combination lists the tools, calls them rightly, wrongly and with an argument of the wrong type, and where the
server has them reads a templated resource and gets a prompt; every answer is compared.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))
import tasks_2025  # type: ignore[import-not-found]  # a file beside this one

from serving import BUILD, EXAMPLES, MODULES, NODE, NODE_EXAMPLES, ROOT, free_port, python, serving

HERE = Path(__file__).parent
Check = Callable[[dict[str, Any], str], None]
Target: TypeAlias = tuple[str, dict[str, Any], Check]
"""What a client is pointed at: its name, the plan, and what looks at the answers."""

MODERN, NEWEST_HANDSHAKE = "2026-07-28", "2025-11-25"
RECORDS = [{"city": "Bonn", "n": "1"}, {"city": "Bonn", "n": "3"}, {"city": "Kiel", "n": "2"}]


@dataclass(frozen=True)
class ClientKind:
    """A client package, how its driver is started, and the eras it can be told to use."""

    name: str
    command: tuple[str, ...]
    eras: tuple[str, ...]


CLIENTS = (
    ClientKind("mcp 2 (Python)", (python("mcp2"), str(HERE / "python2.py")), ("auto", "legacy", MODERN)),
    ClientKind("mcp 1 (Python)", (python("mcp1"), str(HERE / "python1.py")), ("legacy",)),
    ClientKind(
        "client 2 (npm)", (str(NODE), str(HERE / "node.mjs"), "client", str(MODULES)), ("auto", "legacy", MODERN)
    ),
    ClientKind("sdk 1 (npm)", (str(NODE), str(HERE / "node.mjs"), "sdk", str(MODULES)), ("legacy",)),
)
INSPECTOR = ClientKind(
    "Inspector (npm)", (sys.executable, str(HERE / "inspector.py"), str(NODE), str(MODULES)), ("legacy",)
)
"""Asks for tools only; for the Node package, whose users have it."""


def text_of(result: dict[str, Any]) -> str:
    return "".join(block.get("text", "") for block in result["content"])


def expect(truth: bool, what: str, seen: object) -> None:
    if not truth:
        raise AssertionError(f"{what}; seen: {json.dumps(seen)[:800]}")


def check_protocol(seen: dict[str, Any], era: str) -> None:
    wanted = NEWEST_HANDSHAKE if era == "legacy" else MODERN
    # The 1.x TypeScript client does not tell over stdio what was negotiated.
    expect(seen["protocol"] in (wanted, None), f"the protocol is {wanted}", seen["protocol"])
    expect(seen["protocol"] is not None or era == "legacy", "the protocol is known", seen["protocol"])


def structured(result: dict[str, Any], era: str, wrapped: bool) -> Any:
    """The structured result; a handshake revision has it in an object, so what is not one stands under "result"."""
    value = result["structuredContent"]
    return value["result"] if wrapped and era == "legacy" else value


def check_policies(seen: dict[str, Any], era: str) -> None:
    check_protocol(seen, era)
    expect(sorted(seen["tools"]) == ["get_policy", "search_policies"], "both tools are listed", seen["tools"])
    found, one, missing, wrong = seen["calls"]
    hits = structured(found, era, wrapped=True)
    expect(not found.get("isError") and [hit["id"] for hit in hits] == ["HR-101"], "the search finds HR-101", found)
    expect(structured(one, era, wrapped=False)["title"] == "Remote work", "the policy is read", one)
    expect(missing["isError"] and "HR-999" in text_of(missing), "an unknown policy is the tool's error", missing)
    expect(wrong["isError"] and "limit" in text_of(wrong), "the error names the wrong argument", wrong)


def check_analytics(seen: dict[str, Any], era: str) -> None:
    check_protocol(seen, era)
    expect(set(seen["tools"]) == {"clean_json_data", "analyze_dataset", "transform_data"}, "tools", seen["tools"])
    cleaned, analysed, transformed, wrong = seen["calls"]
    report = structured(cleaned, era, wrapped=False)["report"]
    expect(report["numbers_parsed"] == 3 and report["rows_out"] == 3, "three numbers are read", cleaned)
    expect(structured(analysed, era, wrapped=False)["columns"]["n"]["mean"] == 2, "the mean is 2", analysed)
    rows = structured(transformed, era, wrapped=True)
    expect(rows == [{"city": "Bonn", "sum_n": 4}, {"city": "Kiel", "sum_n": 2}], "sums by city", transformed)
    expect(wrong["isError"] and "missing" in text_of(wrong), "the error names the wrong argument", wrong)
    expect(seen["templates"] == ["dataset://sample/{rows}"], "the template is listed", seen["templates"])
    expect(len(json.loads(seen["read"]["contents"][0]["text"])) == 5, "five rows are read", seen["read"])
    expect(seen["prompts"] == ["data_analysis_workflow"], "the prompt is listed", seen["prompts"])
    expect("why so few" in seen["prompt"]["messages"][0]["content"]["text"], "the prompt is filled", seen["prompt"])


def check_words(*wanted: tuple[bool, str]) -> Check:
    """The calls give these texts, as errors or not."""

    def check(seen: dict[str, Any], era: str) -> None:
        check_protocol(seen, era)
        said = [(bool(result.get("isError")), text_of(result)) for result in seen["calls"]]
        expect(said == list(wanted), f"the calls say {wanted}", said)

    return check


def call(name: str, /, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments}


NUMBERS = [{"city": "Bonn", "n": 1}, {"city": "Bonn", "n": 3}, {"city": "Kiel", "n": 2}]
POLICY_PLAN = {
    "calls": [
        call("search_policies", query="remote work agreement", limit=3),
        call("get_policy", policy_id="HR-101"),
        call("get_policy", policy_id="HR-999"),
        # The Inspector would make null of a text that is no number at all, which stands for no value.
        call("search_policies", query="leave", limit="2.5"),
    ]
}
ANALYTICS_PLAN = {
    "calls": [
        call("clean_json_data", records=RECORDS),
        call("analyze_dataset", records=NUMBERS),
        call(
            "transform_data",
            records=NUMBERS,
            group_by="city",
            aggregate="sum",
            value_column="n",
            sort_by="sum_n",
            descending=True,
        ),
        call("clean_json_data", records=RECORDS, missing="guess"),
    ],
    "read": "dataset://sample/5",
    "prompt": {"name": "data_analysis_workflow", "arguments": {"goal": "why so few lamps?"}},
}


ENVIRONMENT = {"PATH": os.environ.get("PATH", "")}


def drive(client: ClientKind, plan: dict[str, Any]) -> dict[str, Any]:
    """Runs a client's driver and gives what it saw."""
    done = subprocess.run(client.command, input=json.dumps(plan), capture_output=True, text=True, timeout=90)
    if done.returncode != 0:
        raise AssertionError(f"the client ended with {done.returncode}: {done.stderr.strip()[-1500:]}")
    seen: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return seen


def python_targets(stack: contextlib.ExitStack, policies: str | None) -> list[Target]:
    if policies is None:
        port = free_port()
        command = [python(), str(EXAMPLES / "policies.py"), str(port)]
        stack.enter_context(serving(command, port, BUILD / "log" / "policies.log"))
        policies = f"http://127.0.0.1:{port}/mcp"
    port = free_port()
    analytics = [python(), str(EXAMPLES / "data_analytics.py")]
    stack.enter_context(serving([*analytics, "http", str(port)], port, BUILD / "log" / "data_analytics.log"))
    return [
        ("policies, HTTP", {"url": policies, "headers": {"x-api-key": "demo-key"}} | POLICY_PLAN, check_policies),
        ("data_analytics, HTTP", {"url": f"http://127.0.0.1:{port}/mcp"} | ANALYTICS_PLAN, check_analytics),
        ("data_analytics, stdio", {"command": analytics, "env": ENVIRONMENT} | ANALYTICS_PLAN, check_analytics),
    ]


def node_targets(stack: contextlib.ExitStack, policies: str | None) -> list[Target]:
    app = [str(NODE), str(NODE_EXAMPLES / "policies.mjs")]
    if policies is None:
        port = free_port()
        stack.enter_context(serving([*app, str(port)], port, BUILD / "log" / "policies-node.log"))
        policies = f"http://127.0.0.1:{port}/mcp"
    fixture = [str(ROOT / "tests" / "fixture"), "node", "stdio"]
    calls = [call("test_simple_text"), call("test_error_handling")]
    said = [
        (False, "This is a simple text response for testing."),
        (True, "This tool intentionally returns an error for testing"),
    ]
    return [
        ("policies, HTTP", {"url": policies, "headers": {"x-api-key": "demo-key"}} | POLICY_PLAN, check_policies),
        ("policies, stdio", {"command": [*app, "stdio"], "env": ENVIRONMENT} | POLICY_PLAN, check_policies),
        # The suite speaks HTTP only: its fixture on stdio is for these clients.
        ("fixture, stdio", {"command": fixture, "env": ENVIRONMENT, "calls": calls}, check_words(*said)),
    ]


def c_targets(stack: contextlib.ExitStack) -> list[Target]:
    built = BUILD / "c" / "test"

    def served(program: Path) -> dict[str, Any]:
        port = free_port()
        stack.enter_context(serving([str(program), str(port)], port, BUILD / "log" / f"{program.name}.log"))
        return {"url": f"http://127.0.0.1:{port}/mcp"}

    orders = [call("count_orders"), call("track_order", number=2), call("track_order", number=9)]
    orders_say = check_words(
        (False, "3 orders"), (False, "rocket skates: on its way"), (True, "There is no such order.")
    )
    adds = [call("add", a=1, b=2.5), call("add", a="1", b=2)]
    adds_say = check_words((False, "3.5"), (True, "a and b must be numbers."))
    greets = [call("greet", name="Ada"), call("greet", name=1)]
    greets_say = check_words((False, "Hello, Ada!"), (True, "name must be a string that is not empty."))
    adder = {"command": [str(built / "gcc" / "stdio_server")], "env": ENVIRONMENT}
    return [
        ("existing_app, HTTP", served(built / "gcc" / "existing_app") | {"calls": orders}, orders_say),
        ("go_server, HTTP", served(built / "go_server") | {"calls": greets}, greets_say),
        ("stdio_server, stdio", adder | {"calls": adds}, adds_say),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lang", choices=("python", "node", "c"), default="python")
    parser.add_argument("--policies", metavar="URL")
    options = parser.parse_args()
    passed = failed = 0
    with contextlib.ExitStack() as stack:
        if options.lang == "c":
            targets = c_targets(stack)
        elif options.lang == "node":
            targets = node_targets(stack, options.policies)
        else:
            targets = python_targets(stack, options.policies)
        for client in (*CLIENTS, INSPECTOR) if options.lang == "node" else CLIENTS:
            for era in client.eras:
                for target, plan, check in targets:
                    label = f"{client.name:16} {era:10} {target}"
                    try:
                        seen = drive(client, plan | {"era": era})
                        check(seen, era)
                    except (AssertionError, KeyError, ValueError, subprocess.TimeoutExpired) as error:
                        failed += 1
                        print(f"FAIL {label}\n     {type(error).__name__}: {error}")
                    else:
                        passed += 1
                        print(f"ok   {label}: lists {len(seen['tools'])} tools, {len(seen['calls'])} calls as expected")
    if options.lang != "c":
        more = tasks_2025.run(options.lang)
        passed, failed = passed + more[0], failed + more[1]
    print(f"clients: {passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
