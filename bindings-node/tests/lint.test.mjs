// What `lint` names, and what it leaves alone.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { lint, Server } from "mcpgraft";
import { z } from "zod";

const { RULES } = createRequire(import.meta.url)("../dist/all.js")("./lint-rules.js");
const GOOD = { name: "get_thing", description: "Gets it.", inputSchema: { type: "object", properties: {} } };
const A = "/inputSchema/properties/a";

const found = (fields) => lint([{ ...GOOD, ...fields }]).map(({ rule, path }) => [rule, path]);
const inside = (schema) => ({ inputSchema: { type: "object", properties: { a: schema } } });
const schema = (more) => ({ inputSchema: { ...GOOD.inputSchema, ...more } });
const nested = (levels) => (levels === 0 ? { type: "string" } : { type: "array", items: nested(levels - 1) });

const CASES = [
  ["name", "/name", { name: "get thing" }],
  ["name-dot", "/name", { name: "get.thing" }],
  ["name-length", "/name", { name: "a".repeat(65) }],
  ["description", "", { description: "  " }],
  ["description-length", "/description", { description: "ü".repeat(1025) }],
  ["size", "", { _meta: { x: "a".repeat(9000) } }],
  ["draft", "/inputSchema/$schema", schema({ $schema: "http://json-schema.org/draft-07/schema#" })],
  ["label", "/inputSchema/$schema", schema({ $schema: "https://json-schema.org/draft/2020-12/schema" })],
  ["properties", "/inputSchema", { inputSchema: { type: "object" } }],
  ["root-union", "/inputSchema/oneOf", schema({ oneOf: [] })],
  ["reference", A, inside({ $ref: "#/$defs/x" })],
  ["nullable", `${A}/anyOf`, inside({ anyOf: [{ type: "string" }, { type: "null" }] })],
  ["type-list", `${A}/type`, inside({ type: ["string", "null"] })],
  ["boolean", A, inside(true)],
  ["array-items", A, inside({ type: "array" })],
  ["required", `${A}/required`, inside({ type: "object", properties: {}, required: ["x"] })],
  ["format", `${A}/format`, inside({ type: "string", format: "hostname" })],
  ["int64", A, inside({ type: "integer", format: "int64" })],
  ["int64", A, inside({ type: "integer", maximum: 2 ** 63 })],
  ["depth", A + "/items".repeat(9), inside(nested(10))],
  ["output-root", "/outputSchema", { outputSchema: { type: "array", items: { type: "string" } } }],
  ["reference", "/outputSchema/properties/b~1c", { outputSchema: { type: "object", properties: { "b/c": { $ref: "#" } } } }],
];

test("each rule finds its problem and no other", () => {
  for (const [rule, path, fields] of CASES) assert.deepEqual(found(fields), [[rule, path]]);
  assert.deepEqual(new Set([...CASES.map(([rule]) => rule), "title"]), new Set(Object.keys(RULES)));
});

test("same titles", () => {
  const tools = [{ ...GOOD, name: "a", title: "Get" }, { ...GOOD, name: "b", annotations: { title: "get " } }];
  assert.deepEqual(lint(tools).map(({ tool, rule }) => [tool, rule]), [["b", "title"]]);
});

test("good tools have no problems", () => {
  const fine = {
    type: "object",
    properties: {
      a: { type: "string", format: "date-time" },
      list: { type: "array", items: { type: "integer", maximum: 100 } },
      map: { type: "object", properties: {}, additionalProperties: true },
      either: { anyOf: [{ type: "string" }, { type: "integer" }] },
      deep: nested(9),
    },
    required: ["a"],
    additionalProperties: false,
  };
  assert.deepEqual(found({ inputSchema: fine, outputSchema: fine }), []);
});

test("a server with schemas of zod is portable, and looking fixes nothing", () => {
  const server = new Server({ name: "s", version: "1" });
  const input = z.object({ query: z.string(), limit: z.number().int().optional(), tags: z.array(z.string()).default([]) });
  server.tool("search", { description: "Search things.", input }, () => "x");
  assert.deepEqual(server.lint(), []);
  server.tool("raw", { input: { type: "object", anyOf: [{ required: ["a"] }] } }, () => "x");
  const problem = server.lint().find(({ rule }) => rule === "root-union");
  assert.deepEqual([problem.tool, problem.severity], ["raw", "error"]);
  assert.match(String(problem), /^error: raw \/inputSchema\/anyOf: .*claude-code#88049/);
  server.completion(undefined, undefined, () => []); // nobody has seen the capabilities yet
});
