// 100,000 calls, and everything else that is made and dropped, leave no memory behind.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { CALL, RESULT, batch, core, exchange, listener, require } from "./common.mjs";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const native = require("../../native");
const MIB = 1 << 20;

/** Memory after everything that can go is gone: finalizers run between turns of the event loop. */
async function memory() {
  for (let turn = 0; turn < 5; turn += 1) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return { rss, heap: heapUsed + external };
}

async function flat(run, times) {
  const some = async (count) => {
    for (let at = 0; at < count; at += 1) {
      run();
      // As a server would: the loop turns, and finalizers run.
      if (at % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  };
  await some(times / 4);
  // A leak grows in every round; a heap that finds its size does so once.
  let grown;
  for (let round = 0; round < 6; round += 1) {
    const before = await memory();
    await some(times);
    const after = await memory();
    grown = { heap: after.heap - before.heap, rss: after.rss - before.rss };
    if (grown.heap < MIB && grown.rss < 12 * MIB) return;
  }
  assert.fail(`again and again ${times} runs leave behind, in bytes: ${JSON.stringify(grown)}`);
}

test("100,000 calls of one session", async () => {
  const session = core(native).session();
  const framer = new native.Framer();
  const line = Buffer.from(`${CALL}\n`);
  await flat(() => {
    for (const frame of framer.feed(line)) {
      const { call } = session.accept(frame);
      JSON.parse(call.argumentsText);
      assert(session.reply(call.key, RESULT).length > 100);
    }
  }, 100_000);
  assert.equal(session.inFlight, 0);
});

test("100,000 errors", async () => {
  const session = core(native).session();
  await flat(() => assert.throws(() => session.reply(1, RESULT)), 100_000);
});

test("exchanges, batches, listeners, sessions and cores come and go", async () => {
  await flat(() => {
    const one = exchange(native);
    one.exchange.progress(one.call.key, 1);
    one.exchange.reply(one.call.key, RESULT);
    batch(native).batch.next();
    listener(native).listChanged("tools");
  }, 8000);
});
