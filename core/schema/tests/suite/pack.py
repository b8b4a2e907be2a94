"""Packs the JSON Schema Test Suite into `cases.jsonl`, one group of tests a line: `pack.py CHECKOUT`.

Groups that several drafts share are packed once. What the suite has fetched stands inside the schema, under a name of
its own, where that says the same. Left out are the groups that cannot do without fetching, those with meta-schemas of
their own, and internationalized mail addresses and host names, which are not checked.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

DRAFTS = {"4": "draft4", "6": "draft6", "7": "draft7", "2019": "draft2019-09", "2020": "draft2020-12"}
SKIPPED = {"idn-email", "idn-hostname", "vocabulary", "format-assertion", "cross-draft"}
SERVER = "http://localhost:1234/"
#: Theirs say who they are by another URI than that they are fetched from.
OTHER_NAMES = {"different $id", "different URN $id", "not $id", "detached", "nested absolute ref"}
#: What a label of an internationalized host name means is not looked at.
UNCHECKED = {"A-label"}


def remotes(checkout: Path, draft: str) -> dict[str, Any]:
    found = {}
    for path in sorted((checkout / "remotes").rglob("*.json")):
        name = path.relative_to(checkout / "remotes").as_posix()
        if not name.startswith("draft") or name.startswith(f"{draft}/"):
            found[name] = json.loads(path.read_text())
    return found


def bundled(schema: Any, draft: str, known: dict[str, Any]) -> Any:
    """The schema with all it refers to inside it."""
    word, name = ("definitions" if len(draft) == 6 else "$defs"), ("id" if draft == "draft4" else "$id")
    inside: dict[str, Any] = {}
    text = json.dumps(schema)
    while True:
        for at, remote in known.items():
            if at not in inside and re.search(rf"\b{re.escape(Path(at).name)}\b", text) and isinstance(remote, dict):
                inside[at] = {name: SERVER + at, **{key: value for key, value in remote.items() if key != name}}
                if "$ref" in remote and len(draft) == 6:
                    inside[at] = {name: SERVER + at, "allOf": [{"$ref": remote["$ref"]}], **inside[at]}
                    del inside[at]["$ref"]
                text += json.dumps(remote)
                break
        else:
            break
    if not inside or not isinstance(schema, dict):
        return schema
    return {**schema, word: {**schema.get(word, {}), **inside}}


def main(checkout: Path) -> None:
    cases: dict[str, dict[str, Any]] = {}
    for label, draft in DRAFTS.items():
        known = remotes(checkout, draft)
        tests = checkout / "tests" / draft
        formats = tests.glob("optional/format/*.json") if label in "467" else []
        for path in sorted([*tests.glob("*.json"), *tests.glob("optional/*.json"), *formats]):
            if path.stem in SKIPPED:
                continue
            for group in json.loads(path.read_text()):
                title = group["description"]
                if any(other in title for other in OTHER_NAMES | UNCHECKED):
                    continue
                schema = group["schema"]
                if SERVER in json.dumps(schema) or path.stem == "refRemote":
                    schema = bundled(schema, draft, known)
                if isinstance(schema, dict) and schema.get("$schema", "").rstrip("#").endswith(("schema",)):
                    schema = {key: value for key, value in schema.items() if key != "$schema"}
                case = {
                    "title": f"{path.stem}: {title}",
                    "schema": schema,
                    "fit": [test["data"] for test in group["tests"] if test["valid"]],
                    "unfit": [test["data"] for test in group["tests"] if not test["valid"]],
                }
                text = json.dumps(case, ensure_ascii=True, separators=(",", ":"))
                cases.setdefault(text, {"drafts": [], **case})["drafts"].append(label)
    with (Path(__file__).parent / "cases.jsonl").open("w") as out:
        for case in cases.values():
            out.write(json.dumps(case, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
