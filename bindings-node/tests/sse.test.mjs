// The HTTP+SSE transport of 2024-11-05, in every host: with the official client that still has it, and what is refused.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { apiKey, Server } from "mcpgraft";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { SSEClientTransport } from "@modelcontextprotocol/sdk/client/sse.js";
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";
import { HOSTS, open } from "./hosts.mjs";

function make(options) {
  const server = new Server({ name: "old", version: "1.0.0" }, { onError: () => undefined, ...options });
  server.tool("who", {}, (_, ctx) => `${ctx.principal?.subject ?? "nobody"} by ${ctx.request.method} ${new URL(ctx.request.url).pathname}`);
  server.tool("ask", {}, async (_, ctx) => `Hello, ${(await ctx.elicit("name", "Name?", z.object({ name: z.string() }))).data.name}!`);
  return server;
}

async function connect(t, url, options) {
  const client = new Client({ name: "old-client", version: "0" }, { capabilities: { elicitation: {} } });
  await client.connect(new SSEClientTransport(new URL(url), options));
  t.after(() => client.close());
  return client;
}

const post = (url, body, headers = {}) => fetch(url, { method: "POST", headers: { "Content-Type": "application/json", ...headers }, body });

/** Opens a stream by hand; gives where to post, and what ends it. */
async function stream(url, headers = {}) {
  const gone = new AbortController();
  const answer = await fetch(url, { headers: { Accept: "text/event-stream", ...headers }, signal: gone.signal });
  assert.equal(answer.status, 200);
  const reader = answer.body.getReader();
  const [, path] = /^event: endpoint\ndata: (\?sessionId=\S+)\n\n$/.exec(Buffer.from((await reader.read()).value).toString());
  return { post: new URL(path, url).href, reader, leave: () => gone.abort() };
}

const REQUEST = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

for (const host of HOSTS) {
  test(`${host}: a conversation with the official client`, async (t) => {
    const server = make();
    const { url } = await open(t, server, host, { sse: true });
    const client = await connect(t, url);
    assert.deepEqual((await client.listTools()).tools.map(({ name }) => name), ["who", "ask"]);
    assert.equal((await client.callTool({ name: "who" })).content[0].text, "nobody by POST /mcp");
    client.setRequestHandler(ElicitRequestSchema, () => ({ action: "accept", content: { name: "Ada" } }));
    assert.equal((await client.callTool({ name: "ask" })).content[0].text, "Hello, Ada!");
    const changed = new Promise((resolve) => client.setNotificationHandler(ToolListChangedNotificationSchema, resolve));
    server.tool("new", {}, () => "new");
    await changed;
    assert.equal((await client.callTool({ name: "new" })).content[0].text, "new");
  });
}

test("the end of the stream is the end of the session, and takes back what runs", async (t) => {
  const server = make();
  const seen = new EventEmitter();
  server.tool("slow", {}, async (_, ctx) => {
    seen.emit("begun");
    await once(ctx.signal, "abort");
    seen.emit("aborted");
  });
  const { url } = await open(t, server, "node", { sse: true });
  const one = await stream(url);
  const begun = once(seen, "begun");
  const initialize = { protocolVersion: "2024-11-05", capabilities: {}, clientInfo: { name: "t", version: "0" } };
  await post(one.post, JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: initialize }));
  await post(one.post, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
  assert.equal((await post(one.post, '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow"}}')).status, 202);
  await begun;
  const aborted = once(seen, "aborted");
  one.leave();
  await aborted;
  assert.equal((await post(one.post, REQUEST)).status, 404);
  const other = await stream(url);
  await server.close();
  assert.equal((await other.reader.read()).done, true);
});

test("what is refused", async (t) => {
  const server = make({ listenStreams: 1, limits: { messageBytes: 4096 } });
  const { url } = await open(t, server, "node", { sse: true });
  const { post: to } = await stream(url);
  assert.equal((await fetch(url)).status, 503, "there are as many streams as there may be");
  assert.equal((await post(url, REQUEST)).status, 400);
  assert.equal((await post(`${url}?sessionId=made-up`, REQUEST)).status, 404);
  assert.equal((await post(to, '{"jsonrpc"')).status, 400);
  assert.equal((await post(to, `"${"x".repeat(4096)}"`)).status, 413);
  assert.equal((await fetch(to, { method: "DELETE" })).status, 405);
  assert.equal((await fetch(url, { headers: { Origin: "https://evil.example" } })).status, 403);
  assert.equal((await post(to, REQUEST)).status, 202);
});

test("a session is its principal's own", async (t) => {
  const auth = apiKey({ "key-of-ada": "ada", "key-of-bob": "bob" });
  const { url } = await open(t, make({ auth }), "express", { sse: true });
  assert.equal((await fetch(url)).status, 401);
  const headers = { "X-Api-Key": "key-of-ada" };
  const client = await connect(t, url, { requestInit: { headers }, eventSourceInit: { fetch: (to, init) => fetch(to, { ...init, headers: { ...init.headers, ...headers } }) } });
  assert.equal((await client.callTool({ name: "who" })).content[0].text, "ada by POST /mcp");
  const { post: to, leave } = await stream(url, headers);
  assert.equal((await post(to, REQUEST, { "X-Api-Key": "key-of-bob" })).status, 404);
  assert.equal((await post(to, REQUEST, headers)).status, 202);
  leave();
});
