// Tasks: their life, questions inside them, whose they are, and clients that know nothing of them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { LocalFanout, MemoryTasks, Server, Tasks, ToolError } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { z } from "zod";
import { events, open, send } from "./hosts.mjs";

const EXTENSION = "io.modelcontextprotocol/tasks";
const textOf = (result) => result.content[0].text;

function make(options) {
  const server = new Server({ name: "tasks", version: "1.0.0" }, { onError: () => undefined, secrets: ["a secret for tests, only for them"], ...options });
  server.tool("work", { task: "optional", input: z.object({ n: z.number() }) }, async ({ n }, ctx) => {
    await ctx.task.status(`working on ${n}`);
    if (n < 0) throw new ToolError("negative");
    return `${n} ${ctx.task.id === undefined ? "here" : "as a task"}`;
  });
  server.tool("only", { task: "required" }, () => "done");
  return server;
}

const taking = (server, more = {}) => connect(server, { capabilities: { extensions: { [EXTENSION]: {} }, elicitation: {} }, ...more });
const turn = () => new Promise((resolve) => setImmediate(resolve));
const get = (client, taskId) => client.request("tasks/get", { taskId });

test("a client that takes tasks gets one, any other one the result", async () => {
  const server = make();
  const client = await taking(server);
  const created = await client.call("work", { n: 5 });
  assert.equal(created.resultType, "task");
  await server.tasks.idle();
  const task = await get(client, created.taskId);
  assert.equal(task.status, "completed");
  assert.equal(task.statusMessage, "working on 5");
  assert.equal(textOf(task.result), "5 as a task");
  for (const way of [{}, { era: "legacy" }, { transport: "stdio", era: "legacy" }]) {
    const other = await connect(server, way);
    assert.equal(textOf(await other.call("work", { n: 5 })), "5 here");
    if (way.era === "legacy") assert.equal((await other.call("only")).isError, true);
    else await assert.rejects(other.call("only"), { code: -32021 });
  }
});

test("wrong arguments are told at once, errors later", async () => {
  const server = make();
  const client = await taking(server);
  assert.equal((await client.call("work", { n: "x" })).isError, true);
  const { taskId } = await client.call("work", { n: -1 });
  await server.tasks.idle();
  const task = await get(client, taskId);
  assert.equal(task.status, "completed");
  assert.deepEqual([task.result.isError, textOf(task.result)], [true, "negative"]);
});

test("a task is taken back: its handler hears it", async () => {
  const server = make();
  let reason;
  server.tool("long", { task: "optional" }, async (_, ctx) => {
    await once(ctx.signal, "abort");
    reason = ctx.signal.reason.name;
  });
  const client = await taking(server);
  const { taskId } = await client.call("long");
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
  await client.request("tasks/cancel", { taskId });
  await server.tasks.idle();
  assert.equal(reason, "Cancelled");
  assert.equal((await get(client, taskId)).status, "cancelled");
});

test("questions inside a task, and before it", async () => {
  const server = make();
  let effects = 0;
  server.tool("ask", { task: "optional" }, async (_, ctx) => {
    const price = await ctx.memo("price", () => (effects += 1));
    const first = (await ctx.elicit("who", "Who?", z.object({ name: z.string() }))).data.name;
    const second = (await ctx.elicit("sure", `Sure, ${first}?`, z.object({ ok: z.boolean() }))).data.ok;
    return `${first} ${second} ${price}`;
  });
  server.tool("defer", { task: "deferred" }, async (_, ctx) => {
    const { name } = (await ctx.elicit("who", "Who?", z.object({ name: z.string() }))).data;
    ctx.task.begin();
    return `${name} ${ctx.task.id !== undefined}`;
  });
  const client = await taking(server);
  const { taskId } = await client.call("ask");
  await server.tasks.idle();
  let task = await get(client, taskId);
  assert.equal(task.status, "input_required");
  const answer = async (content) => {
    const [key] = Object.keys((await get(client, taskId)).inputRequests);
    await client.request("tasks/update", { taskId, inputResponses: { [key]: { action: "accept", content } } });
    await server.tasks.idle();
  };
  await answer({ name: "Bo" });
  await answer({ ok: true });
  task = await get(client, taskId);
  assert.equal(textOf(task.result), "Bo true 1");
  assert.equal(effects, 1);
  const round = await client.call("defer");
  assert.equal(round.resultType, "input_required");
  const inputResponses = { who: { action: "accept", content: { name: "Ada" } } };
  const created = await client.request("tools/call", { name: "defer", arguments: {}, requestState: round.requestState, inputResponses });
  assert.equal(created.resultType, "task");
  await server.tasks.idle();
  assert.equal(textOf((await get(client, created.taskId)).result), "Ada true");
});

test("a task belongs to who made it, and lives as long as it is told", async () => {
  let now = 1_000_000;
  const store = new MemoryTasks(2);
  const tasks = new Tasks({ store, ttlMs: 1_000, clock: () => now });
  const server = make({ tasks, auth: (request) => request.headers.get("x-user") });
  const ada = await taking(server, { headers: { "x-user": "ada" } });
  const { taskId } = await ada.call("work", { n: 1 });
  await tasks.idle();
  const eve = await taking(server, { headers: { "x-user": "eve" } });
  await assert.rejects(get(eve, taskId), { code: -32602 });
  await assert.rejects(eve.request("tasks/cancel", { taskId }), { code: -32602 });
  await ada.call("work", { n: 2 });
  await assert.rejects(ada.call("work", { n: 3 }), /too many tasks/);
  now += 1_000;
  await assert.rejects(get(ada, taskId), { code: -32602 });
  assert.equal((await ada.call("work", { n: 3 })).resultType, "task");
  await tasks.idle();
});

test("a task is heard of in every process", async (t) => {
  const [fanout, store] = [new LocalFanout(), new MemoryTasks()];
  const [here, there] = [1, 2].map(() => make({ fanout, tasks: new Tasks({ store }) }));
  t.after(() => Promise.all([here.close(), there.close()]));
  let go;
  const gone = new Promise((resolve) => (go = resolve));
  here.tool("wait", { task: "required" }, async (_, ctx) => {
    await gone;
    await ctx.task.status("nearly");
    return "done";
  });
  const { taskId } = await (await taking(here)).call("wait");
  const at = await open(t, there, "express");
  const meta = { "io.modelcontextprotocol/clientCapabilities": { extensions: { [EXTENSION]: {} } } };
  const heard = events(await send(at.url, "subscriptions/listen", { notifications: { taskIds: [taskId] } }, { meta }));
  assert.equal((await heard.next()).value.method, "notifications/subscriptions/acknowledged");
  go();
  const told = [];
  while (told.at(-1)?.status !== "completed") told.push((await heard.next()).value.params);
  assert.deepEqual(new Set(told.map((one) => one.taskId)), new Set([taskId]));
  assert.equal(told.at(-1).statusMessage, "nearly");
  assert.equal(textOf(told.at(-1).result), "done");
});

test("what is told of a task is never older than what was told before", async (t) => {
  // A store whose first look takes longer than the second.
  const store = new MemoryTasks();
  const looks = [];
  const slow = { add: (...of) => store.add(...of), swap: (...of) => store.swap(...of), get: (...of) => {
    const found = store.get(...of);
    return new Promise((resolve) => looks.push(() => resolve(found)));
  } };
  const [fanout, tasks] = [new LocalFanout(), new Tasks({ store: slow })];
  const server = make({ fanout, tasks });
  t.after(() => server.close());
  const told = [];
  t.after(server.hub.attach({ taskChanged: (task) => told.push(task.status), end: () => undefined }));
  const maker = make({ tasks: new Tasks({ store }) });
  const { taskId } = await (await taking(maker)).call("work", { n: 1 });
  tasks.tellHere(taskId, server);
  await turn();
  await maker.tasks.idle();
  tasks.tellHere(taskId, server);
  await turn();
  looks.pop()(); // whichever it is
  await turn();
  looks.pop()();
  await turn();
  assert.deepEqual(told, ["working", "completed"]);
});
