// Tools, resources, prompts and completions, through the test client: over HTTP and a session, in both eras.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ArgumentError, contents, Forbidden, image, InvalidParams, link, McpError, NotFound, RegistrationError, requires, Server, text,
  ToolError, ToolResult,
} from "mcpgraft";
import { connect, ProtocolError } from "mcpgraft/testing";
import { type } from "arktype";
import { toStandardJsonSchema } from "@valibot/to-json-schema";
import * as v from "valibot";
import { z } from "zod";

const WAYS = [{}, { era: "legacy" }, { transport: "stdio" }, { transport: "stdio", era: "legacy" }];
const PNG = Buffer.from("\x89PNG\r\n\x1a\n....", "latin1");

function make(options) {
  return new Server({ name: "tests", version: "1.0.0" }, { onError: () => undefined, ...options });
}

const textOf = (result) => result.content.map((one) => one.text ?? "").join("");

test("a tool is listed with its schema and called with what the schema gives", async () => {
  const server = make();
  const input = z.object({ query: z.string(), limit: z.number().int().default(10) });
  server.tool("search", { description: "Search.", title: "Search", input, annotations: { readOnlyHint: true } }, ({ query, limit }) => [query, limit]);
  for (const way of WAYS) {
    const client = await connect(server, way);
    const [tool] = await client.listTools();
    assert.equal(tool.description, "Search.");
    assert.deepEqual(tool.inputSchema.required, ["query"]);
    assert.deepEqual(tool.inputSchema.properties.limit, { type: "integer", default: 10 });
    assert.equal(tool.annotations.readOnlyHint, true);
    const result = await client.call("search", { query: "a" });
    assert.equal(textOf(result), '["a",10]');
    // What is no object stands in one for older revisions.
    assert.deepEqual(way.era === "legacy" ? result.structuredContent.result : result.structuredContent, ["a", 10]);
  }
});

test("arguments that do not fit are an error that names the field", async () => {
  const server = make();
  const ran = [];
  const handler = (given) => void ran.push(given);
  server.tool("zod", { input: z.object({ deep: z.object({ tags: z.array(z.string()) }) }) }, handler);
  server.tool("valibot", { input: toStandardJsonSchema(v.object({ n: v.number() })) }, handler);
  server.tool("beside", { input: v.object({ n: v.number() }), inputSchema: { type: "object", properties: { n: { type: "number" } } } }, handler);
  server.tool("arktype", { input: type({ n: "number" }) }, handler);
  server.tool("json", { input: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] } }, handler);
  server.tool("none", {}, handler);
  const client = await connect(server);
  for (const [name, args, field] of [
    ["zod", { deep: { tags: ["a", 1] } }, "deep.tags[1]"],
    ["valibot", { n: "one" }, "n"],
    ["beside", { n: "one" }, "n"],
    ["arktype", { n: "one" }, "n"],
    ["json", { n: 1.5 }, "n"],
    ["json", {}, "n"],
    ["none", { unknown: 1 }, "unknown"],
  ]) {
    const result = await client.call(name, args);
    assert.equal(result.isError, true, name);
    assert.match(textOf(result), new RegExp(field.replace(/[[\].]/g, "\\$&")), `${name}: ${textOf(result)}`);
  }
  assert.deepEqual(ran, []);
  for (const name of ["valibot", "beside", "arktype", "json"]) assert.equal((await client.call(name, { n: 1 })).isError, undefined, name);
  assert.equal(ran.length, 4);
  for (const tool of await client.listTools()) assert.equal(tool.inputSchema.type, "object", tool.name);
});

test("arguments in the wrong JSON type are repaired where only one reading exists", async () => {
  const server = make();
  const repairs = [];
  server.onRepair((repair, ctx) => repairs.push([ctx.name, repair]));
  const input = z.object({ n: z.number(), deep: z.object({ tags: z.array(z.number()) }).optional(), s: z.string().default("x") });
  server.tool("typed", { input }, (given) => given);
  server.tool("raw", { input: { type: "object", properties: { n: { type: "number" } } } }, () => "");
  const client = await connect(server);
  const given = { n: "5", deep: { tags: "[1]" }, s: null };
  assert.deepEqual((await client.call("typed", given)).structuredContent, { n: 5, deep: { tags: [1] }, s: "x" });
  assert.deepEqual(repairs.map(([, one]) => one), [
    { param: "n", sent: "5", used: 5 },
    { param: "deep.tags", sent: "[1]", used: [1] },
    { param: "s", sent: null, used: undefined },
  ]);
  for (const wrong of [{ n: "five" }, { n: "true" }, { n: {} }, { n: 1, s: 5 }]) assert.equal((await client.call("typed", wrong)).isError, true);
  assert.match(textOf(await client.call("typed", { n: "true" })), /n: .*received string/); // of what came, not of what was tried
  assert.equal((await client.call("raw", { n: "5" })).isError, true);
  assert.equal(repairs.length, 3);
});

test("what a tool returns becomes content", async () => {
  const server = make();
  const values = {
    text: ["hello", { content: [{ type: "text", text: "hello" }] }],
    nothing: [undefined, { content: [] }],
    data: [{ a: 1 }, { content: [{ type: "text", text: '{"a":1}' }], structuredContent: { a: 1 } }],
    block: [text("x", { annotations: { priority: 1 } }), { content: [{ type: "text", text: "x", annotations: { priority: 1 } }] }],
    bytes: [PNG, { content: [{ type: "image", data: PNG.toString("base64"), mimeType: "image/png" }] }],
    mixed: [["a", link({ uri: "a://b", name: "b" })], { content: [{ type: "text", text: "a" }, { type: "resource_link", uri: "a://b", name: "b" }] }],
    whole: [{ content: [{ type: "text", text: "w" }], isError: true }, { content: [{ type: "text", text: "w" }], isError: true }],
    result: [
      new ToolResult({ content: "t", structured: { s: 1 }, meta: { m: 1 } }),
      { content: [{ type: "text", text: "t" }], structuredContent: { s: 1 }, _meta: { m: 1 } },
    ],
  };
  for (const [name, [value]] of Object.entries(values)) server.tool(name, {}, () => value);
  const client = await connect(server, { era: "legacy" });
  for (const [name, [, wanted]] of Object.entries(values)) assert.deepEqual(await client.call(name), wanted, name);
  assert.throws(() => image(Buffer.from("??")), /mimeType is needed/);
});

test("an output schema is promised, kept, and its breach is no result", async () => {
  const reported = [];
  const server = make({ onError: (error) => reported.push(error) });
  const output = z.object({ n: z.number() });
  server.tool("good", { output }, () => ({ n: 1, secret: "stays here" }));
  server.tool("bad", { output }, () => ({ n: "1" }));
  server.tool("raw", { output: { type: "object", properties: { n: { type: "number" } }, required: ["n"] } }, () => ({}));
  const client = await connect(server);
  assert.deepEqual((await client.call("good")).structuredContent, { n: 1 });
  assert.deepEqual((await client.listTools())[0].outputSchema.required, ["n"]);
  for (const name of ["bad", "raw"]) await assert.rejects(client.call(name), (error) => error.code === -32603 && /output schema/.test(error.message));
  assert.equal(reported.length, 2);
});

test("errors take the form the protocol has for them", async () => {
  const reported = [];
  const server = make({ onError: (error, ctx) => reported.push([ctx.name, error.message]) });
  const fail = (name, error) => server.tool(name, {}, () => { throw error; });
  fail("tool", new ToolError("try 5"));
  fail("content", new ToolError([text("a"), text("b")]));
  fail("argument", new ArgumentError("n", "n: too big"));
  fail("missing", new NotFound("there is no item 5"));
  fail("forbidden", new Forbidden());
  fail("unexpected", new RangeError("oops"));
  fail("mcp", new McpError("custom", { code: 1234, data: { a: 1 } }));
  fail("params", new InvalidParams("n is wrong", { field: "n" }));
  const client = await connect(server);
  for (const [name, words] of [["tool", "try 5"], ["content", "ab"], ["argument", "n: too big"], ["missing", "there is no item 5"], ["forbidden", "forbidden"], ["unexpected", "oops"]]) {
    const result = await client.call(name);
    assert.equal(result.isError, true, name);
    assert.equal(textOf(result), words);
  }
  await assert.rejects(client.call("mcp"), (error) => error instanceof ProtocolError && error.code === 1234 && error.data.a === 1);
  await assert.rejects(client.call("params"), (error) => error.code === -32602 && error.data.field === "n");
  await assert.rejects(client.call("no_such_tool"), { code: -32602 });
  assert.deepEqual(reported, [["unexpected", "oops"]]);
  const hiding = make({ hideErrors: true });
  hiding.tool("unexpected", {}, () => { throw new Error("password=1"); });
  assert.doesNotMatch(textOf(await (await connect(hiding)).call("unexpected")), /password/);
});

test("resources and templates", async () => {
  const server = make();
  server.resource("config://app", { name: "config", mimeType: "application/json" }, () => ({ debug: true }));
  server.resource("file://{path}", { name: "file" }, ({ path }, ctx) => (path === "none" ? null : `${path} of ${ctx.name}`));
  server.resource("n://{n}", { name: "n", input: z.object({ n: z.coerce.number().int() }) }, ({ n }) => contents({ blob: Buffer.alloc(n), mimeType: "x/y" }));
  for (const way of WAYS) {
    const client = await connect(server, way);
    assert.deepEqual((await client.listResources()).map((one) => one.uri), ["config://app"]);
    assert.deepEqual((await client.listTemplates()).map((one) => one.uriTemplate), ["file://{path}", "n://{n}"]);
    assert.deepEqual((await client.read("config://app")).contents, [{ uri: "config://app", mimeType: "application/json", text: '{"debug":true}' }]);
    assert.equal((await client.read("file://b%20c")).contents[0].text, "b c of file://b%20c");
    assert.deepEqual((await client.read("n://3")).contents, [{ uri: "n://3", mimeType: "x/y", blob: "AAAA" }]);
    const code = way.era === "legacy" ? -32002 : -32602;
    await assert.rejects(client.read("file://none"), { code });
    await assert.rejects(client.read("gone://x"), { code });
    await assert.rejects(client.read("n://x"), { code: -32602 });
  }
});

test("prompts and completions", async () => {
  const server = make();
  const input = z.object({ topic: z.string().describe("About what"), tone: z.string().optional() });
  server.prompt("write", { description: "Write.", input }, ({ topic, tone }) => [{ role: "assistant", content: "Hm." }, `${topic} ${tone ?? "plainly"}`]);
  server.prompt("plain", { arguments: [{ name: "x", required: true }] }, ({ x }) => x);
  server.completion("write", "topic", (typed, { resolved }) => ["art", "arms", resolved.tone ?? ""].filter((one) => one.startsWith(typed)));
  server.completion(undefined, undefined, () => Array.from({ length: 150 }, (_, at) => `v${at}`));
  const client = await connect(server);
  assert.deepEqual((await client.listPrompts())[0].arguments, [{ name: "topic", description: "About what", required: true }, { name: "tone", required: false }]);
  const { messages, description } = await client.get("write", { topic: "art" });
  assert.equal(description, "Write.");
  assert.deepEqual(messages, [
    { role: "assistant", content: { type: "text", text: "Hm." } },
    { role: "user", content: { type: "text", text: "art plainly" } },
  ]);
  await assert.rejects(client.get("write"), (error) => error.code === -32602 && /topic/.test(error.message));
  await assert.rejects(client.get("plain"), (error) => error.code === -32602 && /x/.test(error.message));
  assert.deepEqual((await client.complete("write", "topic", "ar", { tone: "arch" })).values, ["art", "arms", "arch"]);
  const many = await client.complete("plain", "x", "v");
  assert.deepEqual([many.values.length, many.total, many.hasMore], [100, 150, true]);
});

test("middleware, guards and custom methods", async () => {
  const server = make();
  const seen = [];
  server.middleware(async (ctx, next) => { seen.push(`>${ctx.name}`); const value = await next(); seen.push("<"); return value; });
  server.middleware((ctx, next) => (ctx.name === "cached" ? "from the cache" : next()));
  server.tool("cached", {}, () => assert.fail("not called"));
  server.tool("guarded", { guard: (ctx) => ctx.principal === "ada", input: z.object({ n: z.number() }) }, () => "in");
  server.tool("scoped", { guard: requires("write") }, () => "in");
  server.method("acme/add", { input: z.object({ a: z.number() }) }, ({ a }) => ({ sum: a + 1 }));
  const client = await connect(server, { transport: "stdio", principal: "ada" });
  assert.equal(textOf(await client.call("cached")), "from the cache");
  assert.deepEqual(seen, [">cached", "<"]);
  assert.equal(textOf(await client.call("guarded", { n: 1 })), "in");
  assert.deepEqual((await client.request("acme/add", { a: 2 })).sum, 3);
  await assert.rejects(client.request("acme/add", { a: "x" }), { code: -32602 });
  const other = await connect(server, { transport: "stdio" });
  assert.match(textOf(await other.call("guarded", { n: "wrong, but that is not told" })), /not allowed/);
  await assert.rejects(other.call("scoped"), /scope "write"/);
});

test("mistakes of registration name the thing and the fix", () => {
  const server = make();
  server.tool("a", {}, () => "");
  const wrong = (act, words) => assert.throws(act, (error) => error instanceof RegistrationError && words.test(error.message));
  wrong(() => server.tool("a", {}, () => ""), /"a" is already registered; call removeTool/);
  wrong(() => server.tool("", {}, () => ""), /tool ""/);
  wrong(() => server.tool("b", {}), /third argument/);
  wrong(() => server.tool("b", { input: { type: "nonsense" } }, () => ""), /tool "b": input/);
  wrong(() => server.tool("b", { input: v.object({}) }, () => ""), /inputSchema/);
  wrong(() => server.tool("b", { input: 5 }, () => ""), /Standard Schema/);
  wrong(() => server.tool("b", { task: "sometimes" }, () => ""), /task must be one of/);
  wrong(() => new Server({ name: "x" }), /version/);
  wrong(() => make({ secrets: ["short"] }), /secrets/);
  wrong(() => make({ sessions: "some" }), /sessions must be/);
  assert.equal(server.removeTool("a"), true);
  assert.equal(server.removeTool("a"), false);
  server.tool("a", {}, () => "");
});

test("progress and logs arrive before the result", async () => {
  const server = make();
  server.tool("work", {}, (_, ctx) => {
    ctx.progress(1, 2, "half");
    ctx.log("info", { n: 1 }, "tests");
    ctx.debug("too small");
    return "done";
  });
  for (const way of WAYS) {
    const client = await connect(server, { ...way, progress: true, logLevel: "info" });
    assert.equal(textOf(await client.call("work")), "done");
    const [progress, log, ...more] = client.notifications.map((one) => [one.method, one.params]);
    assert.deepEqual([progress[0], progress[1].progress, progress[1].total], ["notifications/progress", 1, 2]);
    // Without a session the level an old client sets over HTTP is not remembered.
    if (way.transport === "stdio" || way.era !== "legacy") assert.deepEqual([log[0], log[1].data, log[1].logger], ["notifications/message", { n: 1 }, "tests"]);
    assert.deepEqual(more.filter((one) => JSON.stringify(one).includes("too small") && way.era !== "legacy"), []);
  }
});

test("progress goes on, and not faster than a client can follow", async () => {
  const server = make({ limits: { progressRate: 10 } });
  server.tool("work", {}, (_, ctx) => {
    ctx.progress(2, 500);
    ctx.progress(1, 500);
    for (let at = 3; at <= 500; at += 1) ctx.progress(at, 500);
    return "done";
  });
  const client = await connect(server, { progress: true });
  await client.call("work");
  const told = client.notifications.map(({ params }) => params.progress);
  assert.equal(told[0], 2);
  assert.equal(told.at(-1), 500, "the last one is always told");
  assert(told.length < 100 && told.every((one, at) => at === 0 || one > told[at - 1]), String(told));
});

test("batches of 2025-03-26", async () => {
  const server = make();
  server.tool("add", { input: z.object({ a: z.number() }) }, ({ a }) => String(a + 1));
  for (const transport of ["http", "stdio"]) {
    const client = await connect(server, { era: "legacy", revision: "2025-03-26", transport });
    const one = (id, a) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name: "add", arguments: { a } } });
    const headers = { Host: "localhost", "Content-Type": "application/json", Accept: "application/json, text/event-stream", "MCP-Protocol-Version": "2025-03-26" };
    const { messages } = await client.raw(JSON.stringify([one(1, 1), { jsonrpc: "2.0", id: 2, method: "ping" }, one(3, 5)]), { headers });
    const answers = messages.flat().sort((a, b) => a.id - b.id);
    assert.deepEqual(answers.map((answer) => answer.result.content?.[0].text), ["2", undefined, "6"], transport);
  }
});

test("one copy of everything, imported or required", async () => {
  const { createRequire } = await import("node:module");
  const required = createRequire(import.meta.url)("mcpgraft");
  assert.equal(required.Server, Server);
  assert.equal(required.ToolError, ToolError);
});

test("lists are given in pages", async () => {
  const server = make({ pageItems: 2 });
  for (const name of ["a", "b", "c", "d", "e"]) server.tool(name, {}, () => "");
  const client = await connect(server);
  assert.deepEqual((await client.listTools()).map((one) => one.name), ["a", "b", "c", "d", "e"]);
  assert.equal((await client.request("tools/list")).tools.length, 2);
});
