// Every worker has its own; they end, or are ended, without disturbing the others.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import { CALL, RESULT, core, require } from "./common.mjs";

const native = require("../../native");

function calls(count) {
  const session = core(native).session();
  let bytes = 0;
  for (let at = 0; at < count; at += 1) bytes += session.reply(session.accept(CALL).call.key, RESULT).length;
  return bytes;
}

if (!isMainThread) {
  if (workerData.forever) {
    parentPort.postMessage("begun");
    for (;;) calls(1000);
  }
  parentPort.postMessage(calls(workerData.count));
} else {
  const start = (data) => new Worker(fileURLToPath(import.meta.url), { workerData: data });

  test("workers serve at the same time", async () => {
    const expected = calls(5000);
    const workers = Array.from({ length: 4 }, () => start({ count: 5000 }));
    const answers = await Promise.all(
      workers.map(async (worker) => {
        const [bytes] = await once(worker, "message");
        const [code] = await once(worker, "exit");
        return [bytes, code];
      }),
    );
    assert.deepEqual(answers, Array(4).fill([expected, 0]));
    assert.equal(calls(5000), expected);
  });

  test("a worker that is ended in the middle of its work", async () => {
    for (let round = 0; round < 3; round += 1) {
      const worker = start({ forever: true });
      await once(worker, "message");
      await worker.terminate();
    }
    assert(calls(100) > 0);
  });
}
