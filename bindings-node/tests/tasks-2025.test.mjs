// The experimental tasks of 2025-11-25: who is offered them, what their clients see, `tasks/result`, whose they are.
import assert from "node:assert/strict";
import { test } from "node:test";
import { apiKey, AskError, Forbidden, MemoryTasks, Server, Tasks, ToolError } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { z } from "zod";

const RELATED = "io.modelcontextprotocol/related-task";
const Name = z.object({ name: z.string() });
const textOf = (result) => result.content[0].text;

function world(options = {}) {
  let go;
  const gone = new Promise((resolve) => (go = resolve));
  const clock = { now: 1_785_196_800_000 };
  const tasks = new Tasks({ store: new MemoryTasks(200), ttlMs: 60_000, pollMs: 500, clock: () => clock.now, experimental: true, ...options.tasks });
  const server = new Server({ name: "tasks", version: "1.0.0" }, { sessions: "memory", onError: () => undefined, ...options.server, tasks });
  server.tool("work", { task: "optional", input: z.object({ n: z.number() }) }, async ({ n }, ctx) => {
    await gone;
    ctx.progress(n);
    return { n, task: ctx.task.id !== undefined };
  });
  server.tool("long", { task: "required" }, () => "long");
  server.tool("later", { task: "deferred" }, (_, ctx) => (ctx.task.begin(), `${ctx.task.id !== undefined}`));
  server.tool("plain", {}, () => "plain");
  server.tool("greet", { task: "optional" }, async (_, ctx) => {
    try {
      return `Hello, ${(await ctx.elicit("who", "Who is there?", Name)).data.name}!`;
    } catch (error) {
      if (error instanceof AskError) return `${error.name}: ${error.message}`;
      throw error;
    }
  });
  return { server, tasks, clock, go, client: (more = {}) => connect(server, { era: "legacy", ...more }) };
}

async function start(client, name, args = {}, ttl = 5000) {
  const created = await client.request("tools/call", { name, arguments: args, task: { ttl } });
  assert.deepEqual(created._meta[RELATED], { taskId: created.task.taskId });
  return created.task;
}

const get = (client, { taskId }) => client.request("tasks/get", { taskId });
const result = (client, { taskId }) => client.request("tasks/result", { taskId });

for (const transport of ["http", "stdio"]) {
  test(`${transport}: what is declared, and who is refused`, async () => {
    const { client: make, go } = world();
    const client = await make({ transport });
    assert.deepEqual(client.serverInfo.capabilities.tasks, { list: {}, cancel: {}, requests: { tools: { call: {} } } });
    const support = Object.fromEntries((await client.listTools()).map(({ name, execution }) => [name, execution?.taskSupport]));
    assert.deepEqual(support, { work: "optional", long: "required", later: "optional", plain: undefined, greet: "optional" });
    await assert.rejects(client.call("long"), { code: -32601 });
    await assert.rejects(start(client, "plain"), { code: -32601 });
    await assert.rejects(start(client, "work", { n: 1 }, 0), { code: -32602 });
    await assert.rejects(client.request("tasks/update", { taskId: "x", inputResponses: {} }), { code: -32601 });
    assert.equal(textOf(await client.call("later")), "false");
    go();
    assert.deepEqual((await client.call("work", { n: 1 })).structuredContent, { n: 1, task: false });
  });

  test(`${transport}: a task, its progress and its result`, async () => {
    const { client: make, clock, go } = world();
    const client = await make({ transport, progress: true });
    const task = await start(client, "work", { n: 1 });
    assert.deepEqual(task, {
      taskId: task.taskId, status: "working", ttl: 5000, pollInterval: 500,
      createdAt: "2026-07-28T00:00:00.000Z", lastUpdatedAt: "2026-07-28T00:00:00.000Z",
    });
    clock.now += 1500;
    const waiting = [result(client, task), result(client, task)];
    assert.equal((await get(client, task)).status, "working");
    go();
    for (const one of await Promise.all(waiting)) {
      assert.deepEqual(one.structuredContent, { n: 1, task: true });
      assert.deepEqual(one._meta, { [RELATED]: { taskId: task.taskId } });
    }
    const told = client.notifications.filter(({ method }) => method === "notifications/progress");
    assert.equal(told.length, transport === "http" ? 2 : 1, "each stream of HTTP that waits hears it");
    const ended = await get(client, task);
    assert.deepEqual([ended.status, ended.lastUpdatedAt], ["completed", "2026-07-28T00:00:01.500Z"]);
    await assert.rejects(client.request("tasks/cancel", { taskId: task.taskId }), { code: -32602 });
    clock.now += 3500;
    await assert.rejects(get(client, task), { code: -32602 });
  });

  test(`${transport}: the client is asked while it waits for the result`, async () => {
    const { client: make, tasks } = world();
    const asked = [];
    const answers = { elicit: (params) => (asked.push(params._meta), { name: "Ada" }) };
    const client = await make({ transport, answers });
    const task = await start(client, "greet");
    await tasks.idle();
    assert.equal((await get(client, task)).status, "input_required");
    assert.deepEqual((await Promise.all([result(client, task), result(client, task)])).map(textOf), ["Hello, Ada!", "Hello, Ada!"]);
    assert.deepEqual(asked, [{ [RELATED]: { taskId: task.taskId } }], "it is asked once");
    const no = () => {
      throw new Error("leave me alone");
    };
    const refusing = await make({ transport, answers: { elicit: no } });
    assert.equal(textOf(await result(refusing, await start(refusing, "greet"))), "Refused: leave me alone");
  });

  test(`${transport}: a task that is taken back ends the wait for it`, async () => {
    const { client: make, go } = world();
    const client = await make({ transport });
    const task = await start(client, "work", { n: 1 });
    const waiting = result(client, task);
    const cancelled = await client.request("tasks/cancel", { taskId: task.taskId });
    assert.equal(cancelled.status, "cancelled");
    await assert.rejects(waiting, { code: -32603 });
    go();
  });

  test(`${transport}: lists, page by page, of one's own`, async () => {
    const { client: make, tasks } = world();
    const client = await make({ transport });
    const made = new Set();
    for (let n = 0; n < 51; n += 1) made.add((await start(client, "later")).taskId);
    await tasks.idle();
    const first = await client.request("tasks/list");
    const second = await client.request("tasks/list", { cursor: first.nextCursor });
    assert.deepEqual([first.tasks.length, second.tasks.length, second.nextCursor], [50, 1, undefined]);
    assert.deepEqual(new Set([...first.tasks, ...second.tasks].map(({ taskId }) => taskId)), made);
    await assert.rejects(client.request("tasks/list", { cursor: "made.up" }), { code: -32602 });
    if (transport === "stdio") return;
    const other = await make();
    assert.deepEqual((await other.request("tasks/list")).tasks, []);
    await assert.rejects(get(other, { taskId: [...made][0] }), { code: -32602 }, "another session's task is unknown");
  });
}

test("a principal's tasks are its own, in every session", async () => {
  const { client: make } = world({ server: { auth: apiKey({ "key-of-ada": "ada", "key-of-bob": "bob" }) } });
  const of = (key) => make({ headers: { "X-Api-Key": key } });
  const task = await start(await of("key-of-ada"), "later");
  assert.equal(textOf(await result(await of("key-of-ada"), task)), "true");
  await assert.rejects(get(await of("key-of-bob"), task), { code: -32602 });
});

test("a guard's no is the outcome of the task; errors and failures, too", async () => {
  const { client: make, server } = world();
  const guard = () => {
    throw new Forbidden("not you");
  };
  server.tool("guarded", { task: "optional", guard }, () => "x");
  server.tool("failing", { task: "optional" }, () => {
    throw new ToolError("as planned");
  });
  const client = await make();
  for (const [name, words] of [["guarded", "not you"], ["failing", "as planned"]]) {
    const task = await start(client, name);
    const ended = await result(client, task);
    assert.deepEqual([ended.isError, textOf(ended)], [true, words]);
    assert.equal((await get(client, task)).status, "failed");
  }
});

test("who cannot be asked hears why; other revisions have none of it; it is off unless asked for", async () => {
  const { client: make, go } = world({ server: { sessions: "off" } });
  const alone = await make();
  const task = await start(alone, "greet");
  assert.match(textOf(await result(alone, task)), /^MissingClientCapability: /);
  const { client: kept } = world();
  const deaf = await kept({ answers: { elicit: () => ({ name: "Ada" }) }, headers: { Accept: "application/json" } });
  await assert.rejects(result(deaf, await start(deaf, "greet")), /the task needs input, but this client cannot be asked/);
  go();
  for (const revision of ["2024-11-05", "2025-06-18", "2026-07-28"]) {
    const client = await make(revision === "2026-07-28" ? { era: "modern" } : { revision });
    assert.equal("tasks" in (client.serverInfo.capabilities ?? {}), false);
    assert.equal((await client.listTools()).some((tool) => "execution" in tool), false);
    assert.equal("task" in (await client.request("tools/call", { name: "work", arguments: { n: 1 }, task: { ttl: 1 } })), false);
    await assert.rejects(client.request("tasks/list"), { code: -32601 });
  }
  const { client: plain } = world({ tasks: { experimental: false } });
  assert.equal("tasks" in (await plain()).serverInfo.capabilities, false);
});
