// The hosts over real sockets: bodies, streams, disconnects, refusals, and what the application around them keeps.
import assert from "node:assert/strict";
import { once, EventEmitter } from "node:events";
import { test } from "node:test";
import { apiKey, bearer, requires, Server } from "mcpgraft";
import { call, events, HOSTS, open, send } from "./hosts.mjs";

const make = (options) => new Server({ name: "hosts", version: "1.0.0" }, { onError: () => undefined, ...options });

for (const host of HOSTS) {
  test(`${host}: JSON, or an event stream when the handler speaks first`, async (t) => {
    const server = make();
    server.tool("echo", { input: { type: "object", properties: { x: {} } } }, ({ x }) => ({ x }));
    server.tool("speak", {}, (_, ctx) => {
      ctx.progress(1, 2);
      return "spoken";
    });
    const at = await open(t, server, host);
    const answer = await send(at.url, "tools/call", { name: "echo", arguments: { x: "ü ✓" } });
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get("content-type"), /^application\/json/);
    assert.deepEqual((await answer.json()).result.structuredContent, { x: "ü ✓" });
    const streamed = await send(at.url, "tools/call", { name: "speak", arguments: {} }, { meta: { progressToken: "p" } });
    assert.match(streamed.headers.get("content-type"), /^text\/event-stream/);
    const messages = [];
    for await (const one of events(streamed)) messages.push(one);
    assert.deepEqual(messages.map((one) => one.method ?? one.result.content[0].text), ["notifications/progress", "spoken"]);
    assert.equal((await fetch(at.url)).status, 405);
    const broken = await fetch(at.url, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"jsonrpc":' });
    assert.equal(broken.status, 400);
  });

  test(`${host}: a body that is too long is refused`, async (t) => {
    const server = make({ limits: { messageBytes: 65_536 } });
    server.tool("a", {}, () => "a");
    const at = await open(t, server, host, { parse: false });
    const answer = await send(at.url, "tools/list", { x: "x".repeat(100_000) }).catch((error) => error);
    // A host may cut the connection before everything is sent.
    assert.ok(answer instanceof Error || answer.status === 413, String(answer.status));
    assert.equal((await send(at.url, "tools/list")).status, 200);
  });

  test(`${host}: who goes away takes the call back`, async (t) => {
    const server = make();
    const seen = new EventEmitter();
    server.tool("slow", {}, async (_, ctx) => {
      ctx.progress(1);
      await once(ctx.signal, "abort");
      seen.emit("aborted", ctx.cancelled, ctx.signal.reason.name);
    });
    const at = await open(t, server, host);
    for (const meta of [{ progressToken: 1 }, {}]) {
      const gone = new AbortController();
      const answer = send(at.url, "tools/call", { name: "slow", arguments: {} }, { meta, signal: gone.signal });
      answer.catch(() => undefined);
      // The stream's head, or for a call that says nothing: that it is in work.
      if ("progressToken" in meta) await (await answer).body.getReader().read();
      else await send(at.url, "tools/list");
      const aborted = once(seen, "aborted");
      gone.abort();
      assert.deepEqual(await aborted, [true, "Cancelled"]);
    }
  });

  test(`${host}: an API key`, async (t) => {
    const server = make({ auth: apiKey({ s3cret: "billing" }) });
    server.tool("who", {}, (_, ctx) => ctx.principal.subject);
    const at = await open(t, server, host);
    const denied = await send(at.url, "tools/list");
    assert.equal(denied.status, 401);
    assert.match(denied.headers.get("www-authenticate"), /^ApiKey realm="mcp", header="x-api-key"$/);
    assert.equal((await send(at.url, "tools/list", {}, { headers: { "x-api-key": "guess" } })).status, 401);
    const result = await call(at.url, "who", {}, { headers: { "x-api-key": "s3cret" } });
    assert.equal(result.content[0].text, "billing");
  });
}

for (const host of ["express", "express4"]) {
  test(`${host}: the application's headers stay, with and without a parser`, async (t) => {
    const server = make({ allowedOrigins: ["https://app.example"] });
    server.tool("a", {}, () => "a");
    for (const parse of [true, false]) {
      const at = await open(t, server, host, { parse });
      const answer = await send(at.url, "tools/list", {}, { headers: { Origin: "https://app.example" } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get("x-app"), "yes");
      assert.match(answer.headers.get("vary"), /Accept-Language.*Origin/i);
      assert.equal(answer.headers.get("access-control-allow-origin"), "https://app.example");
    }
  });
}

test("fastify: hooks and CORS run, other routes keep their parser", async (t) => {
  const server = make({ allowedOrigins: ["https://app.example"] });
  server.tool("a", {}, (_, ctx) => {
    ctx.progress(1);
    return "a";
  });
  const at = await open(t, server, "fastify");
  const preflight = await fetch(at.url, { method: "OPTIONS", headers: { Origin: "https://app.example", "Access-Control-Request-Method": "POST" } });
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://app.example");
  const answer = await send(at.url, "tools/call", { name: "a", arguments: {} }, { headers: { Origin: "https://app.example" }, meta: { progressToken: 1 } });
  assert.equal(answer.headers.get("x-app"), "yes");
  assert.equal(answer.headers.get("access-control-allow-origin"), "https://app.example");
  assert.match(await answer.text(), /"a"/);
  const other = await fetch(at.url.replace("/mcp", "/other"), { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"x":1}' });
  assert.deepEqual(await other.json(), { parsed: { x: 1 } });
});

test("bearer tokens, scopes and the metadata document", async (t) => {
  const auth = bearer((token) => (token === "good" ? { sub: "ada", scope: "read" } : undefined), {
    resource: "https://example.com/mcp",
    authorizationServers: ["https://login.example.com"],
    scopesSupported: ["read", "write"],
  });
  const server = make({ auth });
  server.tool("who", {}, (_, ctx) => `${ctx.principal.subject} ${[...ctx.principal.scopes]}`);
  server.tool("write", { guard: requires("write") }, () => "written");
  const at = await open(t, server, "express");
  const denied = await send(at.url, "tools/list");
  assert.equal(denied.status, 401);
  assert.equal(denied.headers.get("www-authenticate"), 'Bearer realm="mcp", resource_metadata="https://example.com/.well-known/oauth-protected-resource/mcp"');
  const headers = { Authorization: "Bearer good" };
  assert.match((await send(at.url, "tools/list", {}, { headers: { Authorization: "Bearer bad" } })).headers.get("www-authenticate"), /invalid_token/);
  assert.equal((await call(at.url, "who", {}, { headers })).content[0].text, "ada read");
  const forbidden = await send(at.url, "tools/call", { name: "write", arguments: {} }, { headers });
  assert.equal(forbidden.status, 403);
  assert.match(forbidden.headers.get("www-authenticate"), /insufficient_scope.*scope="write"/);
  const document = await (await fetch(at.url.replace("/mcp", "/.well-known/oauth-protected-resource/mcp"))).json();
  assert.equal(document.resource, "https://example.com/mcp");
  assert.deepEqual(document.authorization_servers, ["https://login.example.com"]);
});

test("a mistake of the host is its error handler's, and 500 without one", async (t) => {
  const reported = [];
  const server = make({ auth: () => { throw new Error("the database of users is down"); }, onError: (error) => reported.push(error.message) });
  const at = await open(t, server, "node");
  assert.equal((await send(at.url, "tools/list")).status, 500);
  assert.deepEqual(reported, ["the database of users is down"]);
});

test("sixteen slow calls do not keep a list or a ping waiting", async (t) => {
  const server = make();
  const started = new EventEmitter();
  let running = 0;
  let release;
  const released = new Promise((resolve) => (release = resolve));
  server.tool("slow", {}, async () => {
    running += 1;
    if (running === 16) started.emit("all");
    await released;
    return "done";
  });
  const at = await open(t, server, "express");
  const all = once(started, "all");
  const calls = Array.from({ length: 16 }, () => call(at.url, "slow"));
  await all;
  const begin = performance.now();
  for (let round = 0; round < 20; round += 1) {
    assert.equal((await send(at.url, "tools/list")).status, 200);
    const ping = await fetch(at.url, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"jsonrpc":"2.0","id":1,"method":"ping"}' });
    assert.deepEqual((await ping.json()).result, {});
  }
  assert.ok(performance.now() - begin < 10_000, `${performance.now() - begin} ms for 40 requests`);
  release();
  for (const result of await Promise.all(calls)) assert.equal(result.content[0].text, "done");
});
