// Memory stays flat over 100,000 calls: what is in use after the second half is what was in use after the first.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "node:test";

/** In MiB: 50,000 calls that leak 100 bytes each are 4.8. */
const MORE = { rss: 4, heap: 1, external: 1 };

test("100,000 calls on each way leave nothing behind", async (t) => {
  const program = fileURLToPath(new URL("memory.mjs", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", program], { maxBuffer: 1 << 20 });
  const ways = stdout.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(ways.length, 7);
  for (const { name, calls, marks: [before, after] } of ways) {
    const [rss, heap, external] = after.map((now, at) => now - before[at]);
    const shown = `${name}, ${calls} calls: RSS ${rss.toFixed(2)}, heap ${heap.toFixed(2)}, external ${external.toFixed(2)} MiB more`;
    t.diagnostic(shown);
    assert.ok(rss < MORE.rss && heap < MORE.heap && external < MORE.external, shown);
  }
});
