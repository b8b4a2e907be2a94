// A company's policy search: an ordinary Express app with an API key. Its last lines give it to every MCP client.
//
// Run it:      node policies.mjs [PORT]             (node policies.mjs stdio: for a client that starts it)
// As before:   curl -H 'x-api-key: demo-key' 'http://127.0.0.1:3000/api/policies?q=travel'
// And now:     curl -X POST http://127.0.0.1:3000/mcp -H 'x-api-key: demo-key' -H 'Content-Type: application/json' \
//                   -d '{"jsonrpc":"2.0","method":"tools/list","params":{},"id":1}'
import { AsyncLocalStorage } from "node:async_hooks";
import { createHash, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";
import express from "express";

const POLICIES = JSON.parse(readFileSync(new URL("policies.json", import.meta.url), "utf8"));

const words = (text) => text.toLowerCase().match(/[a-z0-9]+/g) ?? [];

/** The part of the text around the first term that occurs in it. */
function excerpt(text, terms, width = 120) {
  const starts = terms.map((term) => text.toLowerCase().indexOf(term)).filter((at) => at >= 0);
  const near = Math.max(0, Math.min(...starts, text.length) - width / 4);
  const start = text.lastIndexOf(" ", near) + 1; // whole words only
  const end = start + width >= text.length ? text.length : text.lastIndexOf(" ", start + width);
  return `${start > 0 ? "… " : ""}${text.slice(start, end)}${end < text.length ? " …" : ""}`;
}

/** Policies that hold every term of the query (as a word's beginning), the best first; a title counts five times. */
function find(query, department) {
  const terms = words(query);
  const counted = (all, term) => all.filter((word) => word.startsWith(term)).length;
  return POLICIES.filter((one) => department === undefined || one.department.toLowerCase() === department.toLowerCase())
    .map(({ id, title, department: from, text }) => {
      const scores = terms.map((term) => 5 * counted(words(`${title} ${id}`), term) + counted(words(text), term));
      const score = scores.every((one) => one > 0) ? scores.reduce((sum, one) => sum + one, 0) : 0;
      return { id, title, department: from, score, excerpt: excerpt(text, terms) };
    })
    .filter(({ score }) => score > 0)
    .sort((one, other) => other.score - one.score || one.id.localeCompare(other.id));
}

// --- the app as it was -----------------------------------------------------------------------------------------------

const app = express();
const KEYS = { reader: process.env.POLICIES_API_KEY ?? "demo-key" };
const caller = new AsyncLocalStorage();
const hash = (text) => createHash("sha256").update(text).digest();

// Who asks? Every route needs a key, whatever is mounted later.
app.use((request, response, next) => {
  const sent = hash(request.get("x-api-key") ?? "");
  const user = Object.keys(KEYS).find((one) => timingSafeEqual(sent, hash(KEYS[one])));
  if (user === undefined) response.status(401).json({ error: "missing or wrong x-api-key" });
  else caller.run(user, next);
});
app.use(express.json());

app.get("/api/policies", (request, response) => {
  response.json(find(String(request.query.q ?? "")).slice(0, Number(request.query.limit ?? 10)));
});

app.get("/api/policies/:id", (request, response) => {
  const policy = POLICIES.find((one) => one.id === request.params.id);
  if (policy === undefined) response.status(404).json({ error: "no such policy" });
  else response.json(policy);
});

// --- and now for MCP clients -----------------------------------------------------------------------------------------

import { Server, ToolError } from "mcpgraft";
import { z } from "zod";

export const policies = new Server(
  { name: "policies", version: "1.0.0" },
  { instructions: "Search first, then read the policy by its id." },
);

policies.tool(
  "search_policies",
  {
    description: "Search company policies by keyword.",
    input: z.object({
      query: z.string().describe("Search terms; a policy has to hold all of them"),
      limit: z.number().int().default(10).describe("The most policies to return"),
      department: z.string().optional().describe("Only policies of this department"),
    }),
  },
  ({ query, limit, department }) => {
    console.error(`${caller.getStore() ?? "a local client"} searches ${query}`); // the request's context is there
    return find(query, department).slice(0, limit);
  },
);

policies.tool(
  "get_policy",
  {
    description: "Read one policy in full.",
    input: z.object({ policy_id: z.string().describe("The id that search_policies gives, for example HR-101") }),
  },
  ({ policy_id }) => {
    const policy = POLICIES.find((one) => one.id === policy_id.toUpperCase());
    if (policy === undefined) throw new ToolError(`There is no policy ${policy_id}; search_policies gives the ids that exist.`);
    return policy;
  },
);

app.all("/mcp", policies.express());

if (process.argv[1]?.endsWith("policies.mjs")) {
  if (process.argv[2] === "stdio") await policies.stdio();
  else app.listen(Number(process.argv[2] ?? 3000), "127.0.0.1");
}
export { app };
