// The examples, as they are: the policies app before and after MCP, and every module of the modular server. Node 22.18 or
// newer, which takes TypeScript and has SQLite.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { connect } from "mcpgraft/testing";
import { app } from "../examples/policies.mjs";
import { build } from "../examples/modular/server.ts";

const textOf = (result) => result.content.map((one) => one.text).join("");

test("policies: the app is what it was, and answers MCP behind the same key", async (t) => {
  const http = createServer(app).listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => http.close().closeAllConnections());
  const base = `http://127.0.0.1:${http.address().port}`;
  const headers = { "x-api-key": "demo-key", "Content-Type": "application/json" };
  assert.equal((await (await fetch(`${base}/api/policies?q=remote`, { headers })).json())[0].id, "HR-101");
  const post = (params, key = headers) => fetch(`${base}/mcp`, { method: "POST", headers: key, body: JSON.stringify({ jsonrpc: "2.0", id: 1, ...params }) });
  const { result } = await (await post({ method: "tools/call", params: { name: "search_policies", arguments: { query: "travel expenses" } } })).json();
  assert.equal(JSON.parse(textOf(result))[0].id, "FIN-201");
  assert.equal((await post({ method: "tools/list" }, { ...headers, "x-api-key": "guess" })).status, 401);
});

function shop(t, rates = async () => ({ USD: 1.1 })) {
  const folder = mkdtempSync(join(tmpdir(), "mcpgraft-shop-"));
  const made = build({ database: join(folder, "shop.db"), folder, rates });
  t.after(async () => {
    await made.close();
    rmSync(folder, { recursive: true });
  });
  return { ...made, folder };
}

test("modular: resources of two modules, and what watches them", async (t) => {
  const { server, folder } = shop(t);
  writeFileSync(join(folder, "notes.txt"), "first");
  const client = await connect(server, { transport: "stdio", era: "legacy" });
  assert.deepEqual((await client.listResources()).map((one) => one.uri), ["db://items", "db://orders", "files://notes.txt"]);
  assert.equal(JSON.parse((await client.read("db://items")).contents[0].text).length, 3);
  assert.equal(JSON.parse((await client.read("db://items/1")).contents[0].text).name, "lamp");
  assert.equal((await client.read("files://notes.txt")).contents[0].text, "first");
  for (const uri of ["db://sqlite_schema", "db://items/99", "files://../shop.db", "files://gone.txt"]) {
    await assert.rejects(client.read(uri), { code: -32002 }, uri);
  }
  await client.request("resources/subscribe", { uri: "db://items/1" });
  await client.request("resources/subscribe", { uri: "files://notes.txt" });
  await client.call("restock", { item: 1, amount: 2 });
  const updates = () => client.notifications.filter((one) => one.method.endsWith("updated")).map((one) => one.params.uri);
  assert.deepEqual(updates(), ["db://items/1"]);
  writeFileSync(join(folder, "notes.txt"), "second");
  const deadline = Date.now() + 30_000;
  while (!updates().includes("files://notes.txt") && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(updates().includes("files://notes.txt"));
});

test("modular: an order is asked for, and placed once", async (t) => {
  const { server } = shop(t);
  for (const era of ["modern", "legacy"]) {
    const client = await connect(server, { era, answers: { elicit: ({ message }) => ({ approved: /lamp for 40/.test(message) }) } });
    assert.equal((await client.call("order", { item: "lamp" })).structuredContent.price, 40);
    assert.equal(textOf(await client.call("order", { item: "chair" })), "Nothing was ordered.");
    assert.match(textOf(await client.call("order", { item: "moon" })), /find_items/);
  }
  const client = await connect(server, { answers: { elicit: () => ({ approved: true }) } });
  assert.equal(JSON.parse((await client.read("db://orders")).contents[0].text).length, 2);
  assert.equal(textOf(await client.call("order", { item: "desk" })), "there is not that much in stock");
});

test("modular: long work as a task, and with plain tools", async (t) => {
  const { server } = shop(t);
  const taking = await connect(server, { capabilities: { extensions: { "io.modelcontextprotocol/tasks": {} } } });
  const { taskId } = await taking.call("make_report", { pages: 2 });
  await server.tasks.idle();
  const task = await taking.request("tasks/get", { taskId });
  assert.equal(textOf(task.result).split("\n").length, 2);
  const older = await connect(server, { era: "legacy" });
  assert.match(textOf(await older.call("make_report", { pages: 1 })), /page 1: 3 items/);
  const { id } = (await older.call("start_report", { pages: 1 })).structuredContent;
  const ended = async (report) => {
    for (;;) {
      const status = (await older.call("report_status", { id: report })).structuredContent;
      if (status.status !== "working") return status;
      await new Promise((resolve) => setImmediate(resolve)); // nothing here goes through a socket: let others run
    }
  };
  assert.match((await ended(id)).report, /page 1/);
  const second = (await older.call("start_report", { pages: 1000 })).structuredContent.id;
  await older.call("cancel_report", { id: second });
  assert.equal((await ended(second)).status, "cancelled");
});

test("modular: the upstream is cached, and left alone while it is down", async (t) => {
  let asked = 0;
  const { server } = shop(t, async (currency) => {
    asked += 1;
    if (currency !== "EUR") throw new Error("down");
    return { USD: 1.1 };
  });
  const client = await connect(server);
  const rate = (from) => client.call("exchange_rate", { from, to: "USD" });
  assert.deepEqual((await rate("EUR")).structuredContent, { rate: 1.1, cached: false });
  assert.deepEqual((await rate("EUR")).structuredContent, { rate: 1.1, cached: true });
  assert.equal(asked, 1);
  for (const currency of ["AAA", "BBB", "CCC"]) assert.equal((await rate(currency)).isError, true);
  const before = asked;
  assert.match(textOf(await rate("DDD")), /is down; try again in a minute/);
  assert.equal(asked, before);
});
