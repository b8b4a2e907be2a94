// Sessions of the handshake era, streams that stay open, and what reaches other processes.
import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { test } from "node:test";
import { LocalFanout, MemorySessions, redisFanout, SealedSessions, Server, StoredSessions } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { events, open, send } from "./hosts.mjs";

const secrets = ["a secret for tests, only for them"];
const make = (options) => {
  const server = new Server({ name: "sessions", version: "1.0.0" }, { onError: () => undefined, secrets, ...options });
  server.tool("revision", {}, (_, ctx) => ctx.revision);
  server.resource("a://1", { name: "1" }, () => "one");
  return server;
};
const Name = { type: "object", properties: { name: { type: "string" } }, required: ["name"] };
const textOf = (result) => result.content[0].text;

function store() {
  const table = new Map();
  return {
    table,
    load: async (id) => table.get(id),
    save: async (id, saved) => void (saved === undefined ? table.delete(id) : table.set(id, saved)),
  };
}

test("a session is remembered where the host says", async () => {
  const own = store();
  for (const sessions of ["memory", "sealed", own]) {
    const server = make({ sessions });
    const client = await connect(server, { era: "legacy" });
    assert.ok(client.sessionId);
    assert.equal(textOf(await client.call("revision")), "2025-11-25");
    // A session that is not known, or over, is 404: the client opens a new one.
    const headers = (id) => ({ Host: "localhost", "Content-Type": "application/json", Accept: "application/json, text/event-stream", "Mcp-Session-Id": id, "MCP-Protocol-Version": "2025-11-25" });
    const body = '{"jsonrpc":"2.0","id":7,"method":"tools/list"}';
    assert.equal((await client.raw(body, { headers: headers("made up") })).status, 404);
    await client.raw("", { method: "DELETE", headers: headers(client.sessionId) });
    const after = await client.raw(body, { headers: headers(client.sessionId) });
    assert.equal(after.status, sessions === "sealed" ? 200 : 404); // only a store of revoked ids takes a sealed one back
  }
  assert.equal(own.table.size, 0);
  const plain = await connect(make(), { era: "legacy" });
  assert.equal(plain.sessionId, undefined);
});

test("a session belongs to who opened it", async () => {
  for (const sessions of ["memory", "sealed"]) {
    const server = make({ sessions, auth: (request) => request.headers.get("x-user") });
    const ada = await connect(server, { era: "legacy", headers: { "x-user": "ada" } });
    assert.equal(textOf(await ada.call("revision")), "2025-11-25");
    const eve = await connect(server, { era: "legacy", headers: { "x-user": "eve" } });
    eve.sessionId = ada.sessionId;
    await assert.rejects(eve.call("revision"), { status: 404 });
  }
});

test("tables forget by their clock, and keep what is in use", async () => {
  let now = 1_000_000;
  const clock = () => now;
  const memory = new MemorySessions({ max: 2, idleMs: 100, clock });
  const one = await memory.open(Buffer.from("1"));
  now += 99;
  assert.equal(String(await memory.load(one)), "1");
  now += 100;
  assert.equal(await memory.load(one), undefined);
  const [two, three] = [await memory.open(Buffer.from("2")), await memory.open(Buffer.from("3"))];
  const release = memory.hold(two);
  const four = await memory.open(Buffer.from("4"));
  assert.equal(await memory.load(three), undefined);
  memory.hold(four);
  await assert.rejects(memory.open(Buffer.from("5")), /in use/);
  now += 1_000;
  assert.equal(String(await memory.load(two)), "2");
  release();
  now += 100;
  assert.equal(await memory.load(two), undefined);

  const kept = store();
  const stored = new StoredSessions(kept, { idleMs: 800, clock });
  const id = await stored.open(Buffer.from("x"));
  now += 700;
  assert.equal(String(await stored.load(id)), "x");
  now += 700;
  assert.equal(String(await stored.load(id)), "x");
  now += 800;
  assert.equal(await stored.load(id), undefined);
  assert.equal(await stored.load("'; DROP TABLE"), undefined);

  const revoked = store();
  const sealed = new SealedSessions(make().keys, { ttlMs: 50, revoked, clock });
  const [a, b] = [await sealed.open(Buffer.from("a")), await sealed.open(Buffer.from("b"))];
  await sealed.end(b);
  assert.equal(String(await sealed.load(a)), "a");
  assert.equal(await sealed.load(b), undefined);
  now += 50;
  assert.equal(await sealed.load(a), undefined);
});

test("a store that fails is 503, not a crash", async () => {
  const reported = [];
  const broken = { load: async () => { throw new Error("down"); }, save: async () => { throw new Error("down"); } };
  const server = make({ sessions: broken, onError: (error) => reported.push(error.cause.message) });
  await assert.rejects(connect(server, { era: "legacy" }), /sessions cannot be reached now/);
  assert.deepEqual(reported, ["down"]);
});

async function opened(t, server) {
  const at = await open(t, server, "express");
  const meta = { jsonrpc: "2.0", method: "initialize", id: 1, params: { protocolVersion: "2025-11-25", capabilities: { elicitation: {} }, clientInfo: { name: "t", version: "0" } } };
  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25" };
  const first = await fetch(at.url, { method: "POST", headers, body: JSON.stringify(meta) });
  headers["Mcp-Session-Id"] = first.headers.get("mcp-session-id");
  const post = (message) => fetch(at.url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", ...message }) });
  await post({ method: "notifications/initialized" });
  return { url: at.url, headers, post };
}

test("the GET stream of a session tells of lists and of what is watched", async (t) => {
  const server = make({ sessions: "memory" });
  const { url, headers, post } = await opened(t, server);
  assert.equal((await post({ id: 2, method: "resources/subscribe", params: { uri: "a://1" } })).status, 200);
  const stream = await fetch(url, { headers: { ...headers, Accept: "text/event-stream" } });
  assert.equal(stream.status, 200);
  const heard = events(stream);
  server.resourceUpdated("a://2");
  server.resourceUpdated("a://1");
  assert.deepEqual((await heard.next()).value.params, { uri: "a://1" });
  server.tool("later", {}, () => "");
  assert.equal((await heard.next()).value.method, "notifications/tools/list_changed");
  // A session has one stream: a second one takes its place.
  const second = await fetch(url, { headers: { ...headers, Accept: "text/event-stream" } });
  assert.equal((await heard.next()).done, true);
  assert.equal(server.hub.streams, 1);
  await fetch(url, { method: "DELETE", headers });
  assert.equal((await events(second).next()).done, true);
  assert.equal(server.hub.streams, 0);
});

test("a call asks on its own stream; the answer comes in another request, maybe elsewhere; a cancellation, too", async (t) => {
  const fanout = new LocalFanout();
  const seen = new EventEmitter();
  const both = [0, 1].map(() => {
    const server = make({ sessions: "sealed", fanout });
    server.tool("ask", {}, async (_, ctx) => (await ctx.elicit("who", "Who?", Name)).data.name);
    server.tool("hang", {}, async (_, ctx) => {
      seen.emit("runs");
      await once(ctx.signal, "abort");
      seen.emit("aborted");
    });
    return server;
  });
  const { headers, post } = await opened(t, both[0]);
  const other = await open(t, both[1], "express");
  const elsewhere = (message) => fetch(other.url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", ...message }) });
  const stream = await post({ id: 3, method: "tools/call", params: { name: "ask", arguments: {} } });
  const heard = events(stream);
  const { id, method } = (await heard.next()).value;
  assert.equal(method, "elicitation/create");
  assert.equal((await elsewhere({ id, result: { action: "accept", content: { name: "Bo" } } })).status, 202);
  assert.equal(textOf((await heard.next()).value.result), "Bo");
  const [runs, aborted] = [once(seen, "runs"), once(seen, "aborted")];
  const hanging = post({ id: 4, method: "tools/call", params: { name: "hang", arguments: {} } });
  await runs;
  await elsewhere({ method: "notifications/cancelled", params: { requestId: 4 } });
  await aborted;
  assert.equal((await hanging).status, 202);
  await Promise.all(both.map((server) => server.close()));
});

test("Redis clients of both packages carry what is published", async () => {
  const listeners = new Set();
  const deliver = (message) => listeners.forEach((listener) => listener(message));
  const redis = { publish: async (_channel, message) => deliver(message), duplicate: () => ({
    on: () => undefined, connect: async () => undefined, pSubscribe: () => undefined, close: async () => listeners.clear(),
    subscribe: async (_channel, listener) => void listeners.add(listener),
  }) };
  const ioredis = { publish: async (channel, message) => deliver([channel, message]), duplicate: () => ({
    on: (event, listener) => event === "message" && listeners.add(([channel, message]) => listener(channel, message)),
    subscribe: async () => 1, disconnect: () => listeners.clear(),
  }) };
  for (const client of [redis, ioredis]) {
    const [here, there] = [1, 2].map(() => make({ fanout: redisFanout(client) }));
    const listening = await connect(there, { transport: "stdio", era: "legacy" });
    await listening.request("resources/subscribe", { uri: "a://1" });
    here.resourceUpdated("a://1");
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(listening.notifications.map((one) => one.params.uri), ["a://1"]);
    await Promise.all([here.close(), there.close()]);
    assert.equal(listeners.size, 0);
  }
});

test("subscriptions of the stateless era end in good order; there are no more than the host allows", async (t) => {
  const server = make({ listenStreams: 1 });
  const at = await open(t, server, "express");
  const params = { notifications: { toolsListChanged: true, resourceSubscriptions: ["a://1"] } };
  const stream = await send(at.url, "subscriptions/listen", params);
  assert.equal(stream.status, 200);
  const heard = events(stream);
  assert.equal((await heard.next()).value.method, "notifications/subscriptions/acknowledged");
  assert.equal((await send(at.url, "subscriptions/listen", params)).status, 503);
  server.resourceUpdated("a://1");
  assert.equal((await heard.next()).value.method, "notifications/resources/updated");
  server.removeTool("revision");
  assert.equal((await heard.next()).value.method, "notifications/tools/list_changed");
  await server.close();
  assert.ok("result" in (await heard.next()).value);
  assert.equal((await heard.next()).done, true);
  assert.equal(server.hub.streams, 0);
});

test("what the addon holds for a request is used for the next one", async (t) => {
  const server = make({ sessions: "memory", listenStreams: 1 });
  const { core } = server;
  const begin = core.begin.bind(core);
  const made = [];
  core.begin = (...given) => made[made.push(begin(...given)) - 1];
  const { url } = await open(t, server, "node");
  const ask = (method, session, body, type = "application/json, text/event-stream") =>
    fetch(url, { method, headers: { "Content-Type": "application/json", Accept: type, ...session }, body });
  const say = async (...given) => {
    const answer = await ask(...given);
    await answer.arrayBuffer();
    return answer;
  };
  const info = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "0" } };
  const opened = await say("POST", {}, JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: info }));
  const session = { "Mcp-Session-Id": opened.headers.get("mcp-session-id"), "MCP-Protocol-Version": "2025-11-25" };
  await say("POST", session, '{"jsonrpc":"2.0","method":"notifications/initialized"}');
  await say("POST", session, '{"jsonrpc":"2.0","id":2,"method":"tools/list"}');
  await say("POST", session, '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"revision","arguments":{}}}');
  const listening = await ask("GET", session, undefined, "text/event-stream");
  await say("GET", { ...session, "Mcp-Session-Id": "made up" }, undefined, "text/event-stream");
  await say("DELETE", session);
  await listening.body.cancel();
  await say("POST", {}, '{"jsonrpc":"2.0","id":4,"method":"tools/list"}');
  assert.equal(made.length, 8);
  for (const exchange of made) assert.throws(() => exchange.sessionId, { code: "over" });
});
