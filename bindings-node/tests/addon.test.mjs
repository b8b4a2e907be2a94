// The addon itself: what it does with wrong arguments, that nothing it is given ends the process, and its errors.
import assert from "node:assert/strict";
import { test } from "node:test";

import * as native from "mcpgraft/native";
import { NOW, RESULT, call, core, exchange, functions, makers } from "./made.mjs";

const CODES = new Set([
  "output_full", "unknown_call", "bad_json", "bad_result", "bad_definition", "not_allowed", "batch_pending", "over",
  "invalid_argument", "bad_seal",
]);

const GARBAGE = [
  undefined, null, true, false, 0, -1, 0.5, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 64, 1n, -1n, "", "\0", "\ud800", "x".repeat(5000), "{", "[]",
  "{}", '"a"', Symbol("s"), [], [[]], [["a"]], [["a", "b", "c"]], {}, { kind: "form" }, { kind: 1 }, { code: {}, data: 1 }, { now: "x" }, { now: -1 },
  new Uint8Array(0), new Uint8Array([255, 254]), new Uint16Array(3), new ArrayBuffer(4), new DataView(new ArrayBuffer(4)),
  new Uint8Array(new SharedArrayBuffer(4)), () => 1, new Map(), new Date(0), Object.create(null), new Proxy({}, {}),
];

/** Runs it; an error has to be one of ours. */
function tried(what, run) {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof Error, `${what}: ${String(error)}`);
    assert.ok(CODES.has(error.code), `${what}: ${error.code}: ${error.stack}`);
    return error.code;
  }
  return undefined;
}

test("every function of every class is among those tried here", () => {
  const tried = new Map(Object.keys(makers).map((name) => [name, new Set()]));
  for (const { name, one } of functions(native)) tried.get(name).add(one);
  const classes = Object.entries(native).filter(([, value]) => typeof value === "function" && /^class /.test(value));
  assert.deepEqual(classes.map(([name]) => name).sort(), Object.keys(makers).sort());
  for (const [name, made] of classes) {
    const all = Object.getOwnPropertyDescriptors(made.prototype);
    const methods = Object.keys(all).filter((one) => one !== "constructor" && typeof all[one].value === "function");
    // What gives the same as text has the same arguments.
    const missing = methods.filter((one) => !tried.get(name).has(one.replace(/Text$/, "")));
    assert.deepEqual(missing, [], name);
  }
});

test("good arguments lead to no invalid_argument", () => {
  for (const { name, one, make, given } of functions(native)) {
    const made = make(native);
    assert.notEqual(tried(`${name}.${one}`, () => made[one](...given)), "invalid_argument", `${name}.${one}`);
  }
});

test("any argument of any function may be anything", () => {
  let runs = 0;
  for (const { name, one, make, given } of functions(native)) {
    const made = make(native);
    for (const garbage of GARBAGE) {
      for (let at = 0; at <= given.length; at += 1) {
        const args = [...given];
        args[at] = garbage;
        tried(`${name}.${one}, argument ${at}: ${typeof garbage}`, () => made[one](...args));
        runs += 1;
      }
      tried(`${name}.${one} of one`, () => made[one](garbage));
      tried(`${name}.${one} of many`, () => made[one](...Array(12).fill(garbage)));
    }
    tried(`${name}.${one} of nothing`, () => made[one]());
  }
  assert.ok(runs > 5000, `${runs}`);
});

test("members of options may be anything", () => {
  for (const { name, one, make, given } of functions(native)) {
    const last = given.at(-1);
    if (typeof last !== "object" || last === null || Array.isArray(last) || last instanceof native.Task) continue;
    for (const member of Object.keys(last)) {
      const made = make(native);
      for (const garbage of GARBAGE) {
        tried(`${name}.${one}, ${member}`, () => made[one](...given.slice(0, -1), { ...last, [member]: garbage }));
      }
    }
  }
});

test("constructors may be given anything", () => {
  const info = '{"name":"s","version":"1"}';
  const options = [
    "logging", "completions", "listChanged", "subscribe", "ttlMs", "cacheScope", "sessions", "revisions", "hostLists", "customMethods",
    "allowedHosts", "allowedOrigins", "experimental", "extensions", "experimentalTasks", "nothingKnown",
  ];
  for (const garbage of GARBAGE) {
    for (const name of ["Core", "Framer", "Keys", "Validator"]) {
      tried(name, () => new native[name](garbage));
      tried(name, () => new native[name](garbage, garbage));
      tried(name, () => new native[name](info, garbage));
    }
    tried("Keys", () => new native.Keys([garbage]));
    for (const member of ["instructions", "limits", "options"]) tried(`Core, ${member}`, () => new native.Core(info, { [member]: garbage }));
    for (const name of Object.keys(native.LIMITS)) tried(`limits.${name}`, () => new native.Core(info, { limits: { [name]: garbage } }));
    for (const name of options) tried(`options.${name}`, () => new native.Core(info, { options: { [name]: garbage } }));
    tried("accepts", () => native.accepts(garbage, garbage));
    tried("Task.restore", () => native.Task.restore(garbage));
    tried("taskPage", () => native.taskPage(garbage, garbage));
    tried("taskPage", () => native.taskPage([garbage]));
  }
});

test("what only the addon makes cannot be constructed, and a function needs its own object", () => {
  for (const name of Object.keys(makers)) {
    if (!["Core", "Framer", "Keys", "Validator"].includes(name)) {
      assert.throws(() => new native[name](), { code: "invalid_argument" }, name);
    }
  }
  for (const { name, one } of functions(native)) {
    for (const garbage of [undefined, null, 1, {}, makers.Framer(native)]) {
      if (name !== "Framer") assert.throws(() => native[name].prototype[one].call(garbage), TypeError, `${name}.${one}`);
    }
  }
});

test("the host's mistakes have a name and a number", () => {
  const { exchange: one, call: made } = exchange(native);
  assert.throws(() => one.reply(made.key + 1, RESULT), { code: "unknown_call", number: 2 });
  assert.throws(() => one.reply(made.key, "{"), { code: "bad_json" });
  one.reply(made.key, RESULT);
  assert.throws(() => one.reply(made.key, RESULT), (error) => typeof error.number === "number" && error instanceof Error);
  assert.throws(() => core(native).put("tool", '{"name":""}'), { code: "bad_definition" });
  assert.throws(() => core(native).put("thing", "{}"), { code: "invalid_argument" });
  const task = makers.Task(native).cancel({ now: NOW });
  assert.throws(() => task.cancel({ now: NOW }), { code: "not_allowed" });
});

test("text and bytes are the same", () => {
  const bytes = (text) => new TextEncoder().encode(text);
  for (const as of [String, bytes, Buffer.from]) {
    const session = core(native).session();
    const step = session.accept(as(call(7)));
    assert.equal(step.call.argumentsText, '{"text":"hällo"}');
    assert.deepEqual(step.call.arguments, Buffer.from('{"text":"hällo"}'));
    assert.match(session.reply(step.call.key, as(RESULT)).toString(), /"id":7.*hällo/);
  }
  const part = Buffer.from(`--${RESULT}--`).subarray(2, -2);
  const session = core(native).session();
  assert.match(session.reply(session.accept(call()).call.key, part).toString(), /hällo/);
});

test("keys fit into a number, and a foreign one is no key", () => {
  const one = core(native);
  const seen = new Set();
  for (let at = 0; at < 300; at += 1) {
    const session = one.session();
    const { key } = session.accept(call(at)).call;
    assert.ok(Number.isSafeInteger(key) && !seen.has(key), `${key}`);
    seen.add(key);
    assert.equal(session.isCancelled(key), false);
  }
  const session = one.session();
  session.accept(call());
  for (const key of seen) assert.throws(() => session.reply(key, RESULT), { code: "unknown_call" });
});

test("a sealed text of another key, purpose or time is not valid", () => {
  const keys = makers.Keys(native);
  const nonce = new Uint8Array(native.NONCE_BYTES).fill(7);
  const sealed = keys.seal("p", "plain", nonce);
  assert.equal(keys.open("p", sealed).toString(), "plain");
  assert.throws(() => keys.open("q", sealed), { code: "bad_seal" });
  const state = keys.sealState("m", "t", '{"a":1}', { principal: "p", round: 2, kept: "k", now: 10, ttl: 5, nonce });
  const opened = keys.openState("m", "t", '{"a":1}', "p", state, { now: 14 });
  assert.deepEqual(opened, { round: 2, kept: Buffer.from("k"), nonce: Buffer.from(nonce) });
  for (const [principal, now] of [["q", 14], [null, 14], ["p", 16]]) {
    assert.throws(() => keys.openState("m", "t", '{"a":1}', principal, state, { now }), { code: "bad_seal" });
  }
});

test("a task is the same task after it was saved", () => {
  const task = makers.Task(native);
  const again = native.Task.restore(task.save());
  for (const one of ["id", "status", "over", "message", "expires", "open", "experimental", "progressWanted"]) assert.deepEqual(again[one], task[one], one);
  assert.deepEqual(again.created(), task.created());
  assert.equal(again.outcome(), null);
  const done = again.complete(RESULT, { now: NOW + 5 });
  assert.equal(done.status, "completed");
  assert.match(done.outcome().result.toString(), /hällo/);
  assert.equal(native.Task.restore("nothing"), null);
  assert.match(native.taskPage([task, done], "n").toString(), /"nextCursor":"n"/);
});
