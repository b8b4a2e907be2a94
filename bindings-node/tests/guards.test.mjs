// Every entry is guarded: a failure inside is an error with a code, and the object says afterwards that it is unusable.
// With the addon that fails on demand (tests/tools/node --crash); where it was not built there is nothing to try.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

import { exchange, functions, makers } from "./made.mjs";

const path = fileURLToPath(new URL("../../.build/node/crash.node", import.meta.url));
const skip = !existsSync(path) && process.env.CI === undefined ? "tests/tools/node --crash was not run" : false;
process.env.NAPI_RS_NATIVE_LIBRARY_PATH = path;
const require = createRequire(import.meta.url);
/** What makes the panics says so on standard error. */
const native = skip ? {} : require("mcpgraft/native");
const { failNext } = skip ? {} : require(path);

/** They are texts, and change nothing. */
const STATELESS = new Set(["Task", "Call", "Reply", "Emit", "HttpStep", "Step"]);

test("a failure inside is an error, and poisons the object it was in", { skip }, () => {
  let tried = 0;
  for (const { name, one, make, given } of functions(native)) {
    const made = make(native);
    failNext();
    let code = null;
    try {
      made[one](...given);
    } catch (error) {
      ({ code } = error);
    }
    assert.equal(code, "internal", `${name}.${one}`);
    tried += 1;
    if (STATELESS.has(name)) {
      assert.doesNotThrow(() => made[one](...given), `${name}.${one}`);
    } else if (!["Core", "Keys", "Validator"].includes(name)) {
      assert.throws(() => made[one](...given), { code: "poisoned" }, `${name}.${one}`);
    }
  }
  assert.ok(tried > 70, `${tried}`);
});

test("a failure in one object leaves others alone", { skip }, () => {
  const from = makers.Core(native);
  const [first, second] = [exchange(native, from), exchange(native, from)];
  failNext();
  assert.throws(() => first.exchange.reply(first.call.key, "{}"), { code: "internal" });
  assert.throws(() => first.exchange.reply(first.call.key, "{}"), { code: "poisoned" });
  assert.equal(second.exchange.reply(second.call.key, "{}").end, true);
  assert.equal(exchange(native, from).exchange.canStream, true);
});

test("a failure in a constructor leaves nothing behind", { skip }, () => {
  for (const run of [() => makers.Core(native), () => makers.Framer(native), () => makers.Keys(native), () => makers.Validator(native)]) {
    failNext();
    assert.throws(run, { code: "internal" });
    assert.doesNotThrow(run);
  }
});
