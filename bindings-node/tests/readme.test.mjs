// The code in the package's README runs as it stands there, in order, as one module.
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

test("the blocks of the README run in order", async (t) => {
  const text = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const blocks = [...text.matchAll(/```js\n(.*?)```/gs)].map((found) => found[1]);
  assert.ok(blocks.length >= 6);
  const file = join(import.meta.dirname, `readme-${process.pid}.mjs`); // here, so that packages are found
  t.after(() => rmSync(file));
  writeFileSync(file, blocks.join("\n"));
  await import(file);
});
