// Worker threads: each loads the addon and makes its own objects; they run at once, and end at any time.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import * as native from "mcpgraft/native";
import { RESULT, core, exchange } from "./made.mjs";

function calls(number) {
  const from = core(native);
  let bytes = 0;
  for (let at = 0; at < number; at += 1) {
    const { exchange: one, call } = exchange(native, from);
    bytes += one.reply(call.key, RESULT).body.length;
  }
  return bytes;
}

const program = fileURLToPath(import.meta.url);

if (!isMainThread && workerData?.calls !== undefined) {
  if (workerData.endless) {
    const from = core(native);
    parentPort.postMessage(0);
    for (;;) exchange(native, from);
  }
  parentPort.postMessage(calls(workerData.calls));
} else {
  test("four workers and the main thread give the same", async () => {
    const workers = Array.from({ length: 4 }, () => new Worker(program, { workerData: { calls: 2000 } }));
    const answers = workers.map((worker) => once(worker, "message"));
    const here = calls(2000);
    for (const [there] of await Promise.all(answers)) assert.equal(there, here);
    await Promise.all(workers.map((worker) => worker.terminate()));
  });

  test("a worker may end in the middle of its calls", async () => {
    for (let round = 0; round < 8; round += 1) {
      const worker = new Worker(program, { workerData: { calls: 0, endless: true } });
      await once(worker, "message");
      await worker.terminate();
    }
    assert.ok(calls(10) > 0);
  });

  test("an object does not pass to another thread", () => {
    const { exchange: one } = exchange(native);
    assert.doesNotThrow(() => structuredClone({ ...one }));
    assert.throws(() => structuredClone(Object.assign(() => {}, one)));
    // What arrives there is a plain object without the addon's part.
    assert.throws(() => native.Exchange.prototype.close.call(structuredClone(one)), TypeError);
  });
}
