// Every entry of the addon is guarded: what fails inside is an error, the process goes on, and the object says that it is
// unusable. MCPGRAFT_CRASH names an addon that fails on demand (scripts/addon.mjs --crash).
import assert from "node:assert/strict";
import { test } from "node:test";
import { BATCH, CALL, INFO, INITIALIZE, LISTEN, TOOL, require } from "./common.mjs";

const addon = require(process.env.MCPGRAFT_CRASH);

const headers = (method) =>
  ["Content-Type", "application/json", "Accept", "application/json, text/event-stream", "MCP-Protocol-Version", "2026-07-28", "Mcp-Method", method];

function core() {
  const made = new addon.Core(INFO, null, "{}", "{\"listChanged\":true}");
  made.put("tool", TOOL);
  return made;
}

function begun(method) {
  const exchange = core().blank();
  const parts = headers(method);
  assert.equal(exchange.beginFunction()("POST", parts.map((part) => `${part}\0`).join(""), parts.length, null, 3), null);
  return exchange;
}

function listening() {
  const exchange = begun("subscriptions/listen");
  exchange.accept(LISTEN, null);
  return exchange;
}

function batching() {
  const session = core().session();
  session.accept(INITIALIZE);
  session.accept(BATCH);
  return session;
}

/** How a fresh object of each class is made. */
const FRESH = {
  Core: core,
  Pace: () => core().pace(),
  Session: () => core().session(),
  Batch: () => batching().takeBatch(),
  Framer: () => new addon.Framer(),
  Exchange: () => begun("tools/call"),
  Listener: () => listening().takeListener(),
  Keys: () => new addon.Keys(),
  Validator: () => new addon.Validator("{}"),
};

const MADE = { Core: [INFO, null, "{}", "{}"], Framer: [], Keys: [], Validator: ["{}"] };

function failing(call) {
  addon.failNext();
  assert.throws(call, { code: "internal" });
}

const classes = Object.keys(addon).filter((name) => /^[A-Z]/.test(name));

test("every class is known here", () => {
  assert.deepEqual(classes.sort(), Object.keys(FRESH).sort());
});

test("every method is guarded, and its object is poisoned then", () => {
  let seen = 0;
  for (const name of classes) {
    for (const method of Object.getOwnPropertyNames(addon[name].prototype).filter((one) => one !== "constructor")) {
      const object = FRESH[name]();
      const run = () => object[method]();
      failing(run);
      assert.throws(run, { code: "poisoned" }, `${name}.${method}`);
      seen += 1;
    }
  }
  assert(seen > 70, `${seen} methods`);
});

test("every function of an object is guarded, and its object is poisoned then", () => {
  let seen = 0;
  for (const name of classes) {
    for (const method of Object.getOwnPropertyNames(addon[name].prototype).filter((one) => one.endsWith("Function"))) {
      const bound = FRESH[name]()[method]();
      failing(bound);
      assert.throws(bound, { code: "poisoned" }, `${name}.${method}`);
      seen += 1;
    }
  }
  assert.equal(seen, 7);
});

test("every constructor and function is guarded", () => {
  for (const [name, given] of Object.entries(MADE)) {
    failing(() => new addon[name](...given));
    assert(new addon[name](...given));
  }
  const functions = Object.keys(addon).filter((name) => /^[a-z]/.test(name) && name !== "failNext");
  assert(functions.length > 15);
  for (const name of functions) failing(() => addon[name]());
  assert.equal(JSON.parse(addon.about()).NONCE_BYTES, 24);
});

test("what shares a broken state is broken, and nothing else", () => {
  const session = batching();
  const batch = session.takeBatch();
  failing(() => batch.next());
  assert.throws(() => session.accept(CALL), { code: "poisoned" });
  const made = core();
  const other = made.session();
  failing(() => made.put("tool", TOOL));
  assert.throws(() => made.session(), { code: "poisoned" });
  assert.match(other.accept(CALL), /tools\/call/);
});
