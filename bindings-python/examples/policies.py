"""A company's policy search: an ordinary Flask app with an API key. Its last lines give it to every MCP client.

Run it:      python policies.py [PORT]            (or, with several workers: gunicorn -w 4 policies:app)
As before:   curl -H 'x-api-key: demo-key' 'http://127.0.0.1:3000/api/policies?q=travel'
And now:     curl -X POST http://127.0.0.1:3000/mcp -H 'x-api-key: demo-key' -H 'Content-Type: application/json' \
                  -d '{"jsonrpc":"2.0","method":"tools/list","params":{},"id":1}'
"""

from __future__ import annotations

import hmac
import os
import re
import sys
from typing import TypedDict

from flask import Flask, Response, g, jsonify, request


class Policy(TypedDict):
    id: str
    title: str
    department: str
    updated: str
    text: str


class Hit(TypedDict):
    id: str
    title: str
    department: str
    score: int
    excerpt: str


POLICIES: list[Policy] = [
    {
        "id": "HR-101",
        "title": "Remote work",
        "department": "HR",
        "updated": "2026-02-11",
        "text": "Employees may work remotely up to three days a week. Full remote work needs the approval of the "
        "department head and a signed remote work agreement. Equipment is provided by IT and stays company property.",
    },
    {
        "id": "HR-102",
        "title": "Paid leave",
        "department": "HR",
        "updated": "2026-01-05",
        "text": "Every employee has 28 days of paid leave a year. Unused leave expires at the end of March of the next "
        "year. Leave longer than two weeks is agreed at least six weeks ahead.",
    },
    {
        "id": "FIN-201",
        "title": "Travel expenses",
        "department": "Finance",
        "updated": "2025-11-20",
        "text": "Travel is booked through the travel desk. Expenses are refunded within 30 days when the receipts are "
        "handed in within two weeks after the travel. Rail is preferred over air for journeys under five hours.",
    },
    {
        "id": "FIN-202",
        "title": "Purchase approval",
        "department": "Finance",
        "updated": "2026-03-02",
        "text": "Purchases above 5,000 need two approvals, one of them from Finance. Software subscriptions are "
        "purchases; the yearly total counts.",
    },
    {
        "id": "IT-301",
        "title": "Passwords and keys",
        "department": "IT",
        "updated": "2026-04-18",
        "text": "Passwords have at least 14 characters and are kept in the password manager. Keys of production "
        "systems are rotated every 90 days. Two-factor authentication is required for remote access.",
    },
    {
        "id": "IT-302",
        "title": "Incident reporting",
        "department": "IT",
        "updated": "2025-09-30",
        "text": "Security incidents are reported to the security desk within one hour. Lost equipment is an incident. "
        "Nobody is blamed for reporting.",
    },
    {
        "id": "LEG-401",
        "title": "Data protection",
        "department": "Legal",
        "updated": "2026-05-07",
        "text": "Personal data is stored only in approved systems and deleted when its purpose has ended. Requests of "
        "customers for their data are answered within 30 days.",
    },
]


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def excerpt(text: str, terms: list[str], width: int = 120) -> str:
    """The part of the text around the first term that occurs in it."""
    starts = [found for term in terms if (found := text.lower().find(term)) >= 0]
    start = max(0, min(starts, default=0) - width // 4)
    start = text.rfind(" ", 0, start + 1) + 1  # whole words only
    end = len(text) if start + width >= len(text) else text.rfind(" ", start, start + width)
    return ("… " if start else "") + text[start:end] + (" …" if end < len(text) else "")


def find(query: str, department: str | None = None) -> list[Hit]:
    """Policies that hold every term of the query (as a word's beginning), the best first; a title counts five times."""
    terms = words(query)
    hits: list[Hit] = []
    for policy in POLICIES:
        if department is not None and policy["department"].lower() != department.lower():
            continue
        title, body = words(policy["title"] + " " + policy["id"]), words(policy["text"])
        scores = [
            5 * sum(word.startswith(term) for word in title) + sum(word.startswith(term) for word in body)
            for term in terms
        ]
        if terms and all(scores):
            hits.append(
                {
                    "id": policy["id"],
                    "title": policy["title"],
                    "department": policy["department"],
                    "score": sum(scores),
                    "excerpt": excerpt(policy["text"], terms),
                }
            )
    return sorted(hits, key=lambda hit: (-hit["score"], hit["id"]))


# --- the app as it was ------------------------------------------------------------------------------------------

app = Flask(__name__)
app.json.sort_keys = False  # type: ignore[attr-defined]
KEYS = {"reader": os.environ.get("POLICIES_API_KEY", "demo-key")}


@app.before_request
def authenticate() -> tuple[Response, int] | None:
    """Who asks? Every route needs a key, whatever is mounted later."""
    sent = request.headers.get("x-api-key", "").encode()
    for user, key in KEYS.items():
        if hmac.compare_digest(sent, key.encode()):
            g.user = user
            return None
    return jsonify(error="missing or wrong x-api-key"), 401


@app.get("/api/policies")
def search_view() -> Response:
    limit = request.args.get("limit", 10, type=int)
    return jsonify(find(request.args.get("q", ""))[:limit])


@app.get("/api/policies/<policy_id>")
def policy_view(policy_id: str) -> Response | tuple[Response, int]:
    for policy in POLICIES:
        if policy["id"] == policy_id:
            return jsonify(policy)
    return jsonify(error="no such policy"), 404


# --- and now for MCP clients ------------------------------------------------------------------------------------

from mcpgraft import Server, ToolError  # noqa: E402
from mcpgraft.flask import mount  # noqa: E402

policies = Server("policies", version="1.0.0", instructions="Search first, then read the policy by its id.")


@policies.tool
def search_policies(query: str, limit: int = 10, department: str | None = None) -> list[Hit]:
    """Search company policies by keyword.

    Args:
        query: Search terms; a policy has to hold all of them
        limit: The most policies to return
        department: Only policies of this department
    """
    app.logger.info("%s searches %r", g.user, query)  # the request's context is there: the tool runs in the request
    return find(query, department)[:limit]


@policies.tool
def get_policy(policy_id: str) -> Policy:
    """Read one policy in full.

    Args:
        policy_id: The id that search_policies gives, for example HR-101
    """
    for policy in POLICIES:
        if policy["id"] == policy_id.upper():
            return policy
    raise ToolError(f"There is no policy {policy_id!r}; search_policies gives the ids that exist.")


mount(app, policies, "/mcp")

if __name__ == "__main__":
    app.run("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 3000, threaded=True)
