// Handlers by method: several modules, one server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NotFound, RegistrationError, Server } from "mcpgraft";
import { connect } from "mcpgraft/testing";

const textOf = (result) => result.content.map((one) => one.text ?? "").join("");
const make = (capabilities) => new Server({ name: "low", version: "1.0.0" }, { capabilities, onError: () => undefined });

function tools(prefix, names) {
  return {
    list: () => ({ tools: names.map((name) => ({ name, description: prefix, inputSchema: { type: "object" } })) }),
    call: ({ params }) => ({ content: [{ type: "text", text: `${prefix} ${params.name} ${JSON.stringify(params.arguments)}` }] }),
  };
}

for (const way of [{}, { era: "legacy" }, { transport: "stdio", era: "legacy" }]) {
  test(`modules do not overwrite each other ${JSON.stringify(way)}`, async () => {
    const server = make({ tools: {} });
    for (const [prefix, names] of [["one", ["a", "b"]], ["two", ["c"]]]) {
      const { list, call } = tools(prefix, names);
      server.setRequestHandler("tools/list", list).setRequestHandler("tools/call", call);
    }
    const three = tools("three", ["d", "a"]);
    server.module("three").setRequestHandler("tools/call", three.call).setRequestHandler("tools/list", three.list);
    const client = await connect(server, way);
    assert.deepEqual((await client.listTools()).map((one) => `${one.name} ${one.description}`), ["a one", "b one", "c two", "d three"]);
    assert.equal(textOf(await client.call("b", { x: 1 })), 'one b {"x":1}');
    assert.equal(textOf(await client.call("c")), "two c {}");
    assert.equal(textOf(await client.call("d")), "three d {}");
    assert.equal(textOf(await client.call("a")), "one a {}");
    assert.match(textOf(await client.call("e")), /not found: e/);
  });
}

test("pages of several modules, and a tool that comes later", async () => {
  const server = make({ tools: {} });
  const names = ["a", "b", "c"];
  server.setRequestHandler("tools/list", ({ params }) => {
    const at = Number(params.cursor ?? 0);
    const next = at + 1 < names.length ? { nextCursor: String(at + 1) } : {};
    return { tools: [{ name: names[at], inputSchema: { type: "object" } }], ...next };
  });
  server.setRequestHandler("tools/call", ({ params }) => ({ content: [{ type: "text", text: `paged ${params.name}` }] }));
  const other = tools("other", ["z"]);
  server.setRequestHandler("tools/list", other.list).setRequestHandler("tools/call", other.call);
  const client = await connect(server);
  assert.deepEqual((await client.listTools()).map((one) => one.name), ["a", "b", "c", "z"]);
  assert.equal(textOf(await client.call("c")), "paged c");
  names.push("d");
  assert.equal(textOf(await client.call("d")), "paged d");
  await assert.rejects(client.request("tools/list", { cursor: "made up" }), { code: -32602 });
});

test("resources, prompts, completion and methods of one's own", async () => {
  const server = make({ resources: { subscribe: true }, prompts: {}, completions: {} });
  server.module("a").setRequestHandler("resources/list", () => ({ resources: [{ uri: "a://1", name: "1" }] }))
    .setRequestHandler("resources/read", ({ params }) => ({ contents: [{ uri: params.uri, text: "from a" }] }));
  server.module("b").setRequestHandler("resources/templates/list", () => ({ resourceTemplates: [{ uriTemplate: "b://{id}", name: "b" }] }))
    .setRequestHandler("resources/read", ({ params }) => ({ contents: [{ uri: params.uri, text: "from b" }] }));
  server.setRequestHandler("prompts/list", () => ({ prompts: [{ name: "p" }] }));
  server.setRequestHandler("prompts/get", ({ params }, ctx) => ({ messages: [{ role: "user", content: { type: "text", text: `${params.name} ${ctx.kind}` } }] }));
  server.setRequestHandler("completion/complete", ({ params }) => ({ completion: { values: [params.argument.value + "!"] } }));
  server.setRequestHandler("acme/one", () => { throw new NotFound("not mine"); });
  server.setRequestHandler("acme/one", ({ params }) => ({ got: params.x }));
  const client = await connect(server);
  assert.equal((await client.listResources())[0].uri, "a://1");
  assert.equal((await client.listTemplates())[0].uriTemplate, "b://{id}");
  assert.equal((await client.read("a://1")).contents[0].text, "from a");
  assert.equal((await client.read("b://7")).contents[0].text, "from b");
  await assert.rejects(client.read("c://7"), { code: -32602 });
  assert.equal((await client.get("p")).messages[0].content.text, "p prompt");
  assert.deepEqual((await client.complete("p", "x", "he")).values, ["he!"]);
  assert.equal((await client.request("acme/one", { x: 1 })).got, 1);
});

test("capabilities are declared as the host says", async () => {
  const declared = async (capabilities) => {
    const server = make(capabilities);
    server.setRequestHandler("tools/list", () => ({ tools: [] }));
    return (await connect(server, { era: "legacy", transport: "stdio" })).serverInfo.capabilities;
  };
  assert.deepEqual(await declared({ tools: {} }), { tools: {} });
  assert.deepEqual(await declared({ tools: { listChanged: true }, logging: {} }), { tools: { listChanged: true }, logging: {} });
  assert.deepEqual(await declared(undefined), { tools: { listChanged: true }, logging: {} });
});

test("notifications, and mistakes", async () => {
  const server = make({ tools: { listChanged: true }, resources: { subscribe: true } });
  const { list, call } = tools("one", ["a"]);
  server.module("m").setRequestHandler("tools/list", list).setRequestHandler("tools/call", call);
  server.setRequestHandler("resources/list", () => ({ resources: [{ uri: "a://1", name: "1" }] }));
  const wrong = (act, words) => assert.throws(act, (error) => error instanceof RegistrationError && words.test(error.message));
  wrong(() => server.module("m").setRequestHandler("tools/list", list), /already/);
  wrong(() => server.setRequestHandler("ping", list), /answered by mcpgraft/);
  wrong(() => server.setRequestHandler("tools/list", 5), /function/);
  wrong(() => server.tool("typed", {}, () => ""), /request handler of its own/);
  const client = await connect(server, { transport: "stdio", era: "legacy" });
  await client.request("resources/subscribe", { uri: "a://1" });
  server.notification({ method: "notifications/tools/list_changed" });
  server.notification({ method: "notifications/resources/updated", params: { uri: "a://1" } });
  server.notification({ method: "notifications/resources/updated", params: { uri: "a://2" } });
  server.notification({ method: "acme/changed", params: { x: 1 } });
  assert.deepEqual(client.notifications.map((one) => one.method), ["notifications/tools/list_changed", "notifications/resources/updated", "acme/changed"]);
  assert.throws(() => server.notification({ method: "notifications/progress" }), /context/);
  const bad = make({ tools: {} });
  bad.setRequestHandler("tools/list", () => ({ things: [] }));
  await assert.rejects((await connect(bad)).listTools(), { code: -32603 });
});
