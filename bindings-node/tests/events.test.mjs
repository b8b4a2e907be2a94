// Streams whose events are kept: a call that ends its response early, a connection that breaks, and what is forgotten.
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryEvents, Server } from "mcpgraft";
import { HOSTS, open } from "./hosts.mjs";

/** A promise and what settles it. */
function gate() {
  let pass;
  const passed = new Promise((resolve) => (pass = resolve));
  return { passed, pass };
}

function make(tools, store = new MemoryEvents()) {
  const server = new Server({ name: "events", version: "1.0.0" }, { sessions: "memory", events: store, onError: () => undefined });
  for (const [name, run] of Object.entries(tools)) server.tool(name, {}, (_, ctx) => run(ctx));
  return server;
}

const headers = (more) => ({
  "Content-Type": "application/json",
  Accept: "application/json, text/event-stream",
  "MCP-Protocol-Version": "2025-11-25",
  ...more,
});

async function session(url) {
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "0" } };
  const post = (message, more) => fetch(url, { method: "POST", headers: headers(more), body: JSON.stringify({ jsonrpc: "2.0", ...message }) });
  const opened = await post({ id: 0, method: "initialize", params });
  const own = { "Mcp-Session-Id": opened.headers.get("mcp-session-id") };
  await opened.text();
  await (await post({ method: "notifications/initialized" }, own)).text();
  return {
    call: (name, meta) => post({ id: 1, method: "tools/call", params: { name, arguments: {}, ...(meta && { _meta: meta }) } }, own),
    resume: (id) => fetch(url, { headers: { ...headers(own), "Last-Event-ID": id } }),
  };
}

/** The events of a body: their ids, and the messages they hold. */
function parsed(text) {
  const events = text.split("\n\n").filter((event) => /^(id|data|retry):/m.test(event));
  const field = (event, name) => new RegExp(`^${name}: ?(.*)$`, "m").exec(event)?.[1];
  return {
    ids: events.map((event) => field(event, "id")).filter(Boolean),
    retry: events.map((event) => field(event, "retry")).find(Boolean),
    messages: events.map((event) => field(event, "data")).filter(Boolean).map((data) => JSON.parse(data)),
  };
}

for (const host of HOSTS) {
  test(`a call ends its response, and the client comes back for the answer: ${host}`, async (t) => {
    const going = gate();
    let closed;
    const server = make({
      async long(ctx) {
        closed = [ctx.closeStream(70), ctx.closeStream(70)];
        await going.passed;
        ctx.progress(1, 2, "nearly");
        return "done";
      },
    });
    const client = await session((await open(t, server, host)).url);
    const first = parsed(await (await client.call("long", { progressToken: "p" })).text());
    assert.deepEqual(closed, [true, false]);
    assert.deepEqual([first.messages, first.retry, first.ids.length], [[], "70", 1]);
    const coming = client.resume(first.ids[0]);
    going.pass();
    const rest = parsed(await (await coming).text());
    assert.deepEqual(rest.messages.map(({ method, result }) => method ?? result.content[0].text), ["notifications/progress", "done"]);
    // And again, as often as it likes, from wherever it was.
    assert.deepEqual(parsed(await (await client.resume(first.ids[0])).text()).messages, rest.messages);
    assert.deepEqual(parsed(await (await client.resume(rest.ids[0])).text()).messages, rest.messages.slice(1));
  });
}

test("a connection that breaks loses nothing", async (t) => {
  const [said, going] = [gate(), gate()];
  const server = make({
    async long(ctx) {
      ctx.progress(1);
      await going.passed;
      ctx.progress(2);
      said.pass(ctx.cancelled);
      return "done";
    },
  });
  const client = await session((await open(t, server, "node")).url);
  const response = await client.call("long", { progressToken: "p" });
  const reader = response.body.getReader();
  let text = "";
  while (!text.includes('"progress":1')) text += Buffer.from((await reader.read()).value).toString();
  await reader.cancel();
  going.pass();
  assert.equal(await said.passed, false);
  const rest = parsed(await (await client.resume(parsed(text).ids.at(-1))).text());
  assert.deepEqual(rest.messages.map(({ params, result }) => params?.progress ?? result.content[0].text), [2, "done"]);
});

test("who reads a stream a second time has lost the first connection", async (t) => {
  const going = gate();
  const server = make({
    async long(ctx) {
      ctx.closeStream();
      await going.passed;
      return "done";
    },
  });
  const client = await session((await open(t, server, "node")).url);
  const { ids } = parsed(await (await client.call("long")).text());
  const older = await client.resume(ids[0]);
  const newer = await client.resume(ids[0]);
  assert.deepEqual(parsed(await older.text()).messages, []);
  going.pass();
  assert.equal(parsed(await newer.text()).messages.length, 1);
});

test("a stream that is not kept, or of another session, is none", async (t) => {
  const { url } = await open(t, make({ quick: (ctx) => String(ctx.closeStream()) }), "node");
  const [one, other] = [await session(url), await session(url)];
  const { ids } = parsed(await (await one.call("quick")).text());
  assert.equal(parsed(await (await one.resume(ids[0])).text()).messages[0].result.content[0].text, "true");
  for (const answer of [await other.resume(ids[0]), await one.resume(ids[0].replace(/^./, (first) => (first === "a" ? "b" : "a")))]) {
    assert.equal(answer.status, 400);
    await answer.text();
  }
});

test("without kept events no response ends early, and events have no ids", async (t) => {
  const plain = new Server({ name: "events", version: "1.0.0" }, { sessions: "memory" });
  plain.tool("quick", {}, (_, ctx) => {
    ctx.progress(1);
    return String(ctx.closeStream());
  });
  const client = await session((await open(t, plain, "node")).url);
  const { ids, messages } = parsed(await (await client.call("quick", { progressToken: "p" })).text());
  assert.deepEqual([ids, messages.at(-1).result.content[0].text], [[], "false"]);
  assert.throws(() => new Server({ name: "e", version: "1" }, { events: new MemoryEvents() }), /sessions/);
});

test("a store that fails costs the events, not the call", async (t) => {
  const broken = { append: () => Promise.reject(new Error("down")), read: () => Promise.reject(new Error("down")) };
  const { url } = await open(t, make({ quick: (ctx) => (ctx.progress(1), "done") }, broken), "node");
  const client = await session(url);
  const { ids, messages } = parsed(await (await client.call("quick", { progressToken: "p" })).text());
  assert.equal(messages.at(-1).result.content[0].text, "done");
  assert.equal((await client.resume(ids[0])).status, 503);
});

test("memory forgets what was not used for longest", () => {
  let now = 0;
  const store = new MemoryEvents({ maxBytes: 10, ttlMs: 100, maxStreams: 3, clock: () => now });
  const event = (text) => Buffer.from(text);
  store.append("a", 0, undefined, false);
  assert.deepEqual(store.read("a", 0), { events: [], over: false });
  assert.equal(store.read("a", 1), undefined);
  store.append("a", 1, event("12345"), false);
  store.append("b", 0, undefined, false);
  store.append("b", 1, event("12345"), true);
  assert.deepEqual(store.read("a", 0), { events: [[1, event("12345")]], over: false });
  store.append("c", 1, event("1"), false); // too many bytes: the one that was read last stays
  assert.deepEqual([store.read("b", 0), store.bytes, store.size], [undefined, 6, 2]);
  store.append("b", 2, event("6"), false); // what is left of a forgotten stream is of no use
  assert.equal(store.read("b", 0), undefined);
  now = 99;
  assert.ok(store.read("a", 1));
  now = 150;
  assert.equal(store.read("c", 0), undefined);
  for (const key of ["d", "e", "f"]) store.append(key, 0, undefined, false);
  assert.deepEqual([store.size, store.bytes, store.read("a", 0)], [3, 0, undefined]);
});
