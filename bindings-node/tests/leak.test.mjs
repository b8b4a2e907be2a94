// 100,000 calls of a whole server leave no memory behind: heap and resident memory stay flat.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { Server } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { z } from "zod";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const MIB = 1 << 20;

async function memory() {
  for (let turn = 0; turn < 5; turn += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

function make() {
  const server = new Server({ name: "leak", version: "1.0.0" }, { sessions: "memory", secrets: ["a secret for tests, only for them"] });
  server.tool("add", { input: z.object({ a: z.number(), b: z.number() }) }, async ({ a, b }, ctx) => {
    ctx.progress(1, 2);
    void ctx.signal;
    return { sum: a + b };
  });
  return server;
}

for (const way of [{}, { era: "legacy" }, { transport: "stdio" }, { transport: "stdio", era: "legacy" }]) {
  const name = `${way.transport ?? "http"}, ${way.era ?? "modern"}`;
  test(`25,000 calls: ${name}`, async () => {
    const server = make();
    const client = await connect(server, { ...way, progress: true });
    const message = (id) => ({ name: "add", arguments: { a: id, b: 1 } });
    const some = async (count) => {
      for (let at = 0; at < count; at += 1) {
        const { structuredContent } = await client.request("tools/call", message(at));
        assert.equal(structuredContent.sum, at + 1);
        client.notifications.length = 0;
        // As a server would: the loop turns, and what the addon made is freed.
        if (at % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await some(5_000);
    // A leak grows in every round; a heap that finds its size does so once.
    let grown;
    for (let round = 0; round < 6; round += 1) {
      const before = await memory();
      await some(25_000);
      const after = await memory();
      grown = { heap: after.heap - before.heap, rss: after.rss - before.rss };
      if (grown.heap < MIB && grown.rss < 16 * MIB) return;
    }
    assert.fail(`again and again 25,000 calls leave behind, in bytes: ${JSON.stringify(grown)}`);
  });
}
