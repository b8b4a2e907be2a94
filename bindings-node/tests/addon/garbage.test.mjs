// Every function takes anything: it does what is asked, or throws an error with a code, and goes on working.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CALL, INFO, RESULT, batch, core, exchange, listener, require, task } from "./common.mjs";

const native = require("../../native");

const CODES = new Set([
  "invalid_argument", "bad_seal", "output_full", "unknown_call", "bad_json", "bad_result", "bad_definition", "not_allowed",
  "batch_pending", "over",
]);

class Own extends Error {}
const refuse = () => {
  throw new Own("this is not the addon's");
};
const hostile = new Proxy({}, { get: refuse, has: refuse, ownKeys: refuse, getPrototypeOf: refuse, getOwnPropertyDescriptor: refuse });
const cyclic = {};
cyclic.self = cyclic;
const detached = new Uint8Array(8);
structuredClone(detached.buffer, { transfer: [detached.buffer] });

const ANYTHING = [
  undefined, null, true, false, 0, 1, -1, 1.5, NaN, Infinity, -Infinity, 2 ** 53, 2 ** 64, 1e308, 7n, Symbol("s"), "", "x",
  "add", "tool", "tools", "info", "\ud800", "\0", "é€😀", "{}", "[]", "{", "[".repeat(5000), "x".repeat(1023), "é".repeat(2000),
  {}, [], [[]], [["a"]], [["a", "b"]], [["a", { kind: "roots" }]], { kind: "roots" }, { kind: "form" }, { kind: 1 },
  { kind: "url", message: "m", url: "u", id: "i" }, { now: 1 }, { now: -1 }, { now: "1" }, { code: 1.5 }, { limits: 1 },
  { limits: { depth: -1 } }, { options: { nonsense: 1 } }, { options: { revisions: [] } }, cyclic, hostile, { get now() { return refuse(); } },
  () => {}, class {}, new Date(), new Map(), /x/, Buffer.alloc(0), Buffer.from("{}"), Buffer.from([0xff, 0xfe]), detached,
  new Uint8Array(new SharedArrayBuffer(4)), new Uint16Array(2), new Float64Array(2), new DataView(new ArrayBuffer(4)),
  new ArrayBuffer(4), Object.create(null), Promise.resolve(),
];

/** The same numbers in every run. */
function dice(seed) {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function harmless(run, about) {
  try {
    run();
  } catch (error) {
    if (error instanceof Own || CODES.has(error.code)) return;
    throw new Error(`${about}: ${error.stack}`);
  }
}

/** Calls everything an object has, many times, with anything. */
function shake(object, name, roll, rounds) {
  for (const [member, { get, value }] of Object.entries(Object.getOwnPropertyDescriptors(Object.getPrototypeOf(object)))) {
    if (member === "constructor") continue;
    if (get) {
      harmless(() => object[member], `${name}.${member}`);
      continue;
    }
    assert.equal(typeof value, "function");
    for (let round = 0; round < rounds; round += 1) {
      const given = Array.from({ length: roll(7) }, () => ANYTHING[roll(ANYTHING.length)]);
      harmless(() => object[member](...given), `${name}.${member}`);
    }
  }
}

test("every method takes anything", () => {
  const roll = dice(20260728);
  const inWork = exchange(native);
  const parts = batch(native);
  const refused = core(native).exchange("POST", [["Content-Type", "application/json"], ["Accept", "*/*"]]);
  refused.gate();
  const objects = {
    Core: core(native),
    Pace: core(native).pace(),
    Session: core(native).session(),
    Call: inWork.call,
    Exchange: inWork.exchange,
    Step: core(native).session().accept(CALL),
    Batch: parts.batch,
    Listener: listener(native),
    Task: task(native),
    Framer: new native.Framer(100),
    Keys: new native.Keys([Buffer.alloc(32, 1)]),
    Validator: new native.Validator('{"type":"object"}'),
    Reply: core(native).exchange("PUT", []).gate(),
    Emit: exchange(native).exchange.fail(0, "internal", "no"),
    HttpStep: refused.accept("{"),
  };
  for (const [name, object] of Object.entries(objects)) {
    assert(object instanceof native[name], name);
    shake(object, name, roll, 300);
  }
});

test("every constructor and function takes anything", () => {
  const roll = dice(7);
  for (let round = 0; round < 3000; round += 1) {
    const given = Array.from({ length: roll(4) }, () => ANYTHING[roll(ANYTHING.length)]);
    for (const name of ["Core", "Framer", "Keys", "Validator", "Session", "Call", "Task", "Exchange"]) {
      harmless(() => new native[name](...given), name);
    }
    harmless(() => native.accepts(...given), "accepts");
    harmless(() => native.taskPage(...given), "taskPage");
    harmless(() => native.Task.restore(...given), "Task.restore");
  }
});

test("a method of another object's class is refused", () => {
  const call = native.Session.prototype.accept;
  for (const other of [core(native), {}, undefined, 1, new native.Framer()]) assert.throws(() => call.call(other, CALL), TypeError);
});

test("an error names the argument and says what it must be", () => {
  const session = core(native).session();
  const wrong = (run, message) => assert.throws(run, { name: /Error/, code: "invalid_argument", message });
  wrong(() => session.accept(), /^message must be a Uint8Array or a string/);
  wrong(() => session.reply("1", RESULT), /^key must be a whole number/);
  wrong(() => session.log(null, "loud", "1"), /^level: "loud" is not a log level/);
  wrong(() => session.fail(1, "tool", 5), /^message must be a string/);
  wrong(() => session.canAsk(1, { kind: "form", message: "m" }), /^ask\.schema must be/);
  wrong(() => new native.Core(INFO, { options: { cacheScope: "all" } }), /^cacheScope must be "private" or "public", not "all"$/);
  wrong(() => new native.Core(INFO, { limits: { inFlight: 0 } }), /^limits\.inFlight must be a whole number from 1, not 0$/);
  wrong(() => new native.Core("{}"), /^info must be an object with non-empty strings "name" and "version", not {}$/);
  wrong(() => new native.Core("{"), /^info: /);
  wrong(() => core(native).exchange("GET", [["a", 1]]), /^headers must be/);
  wrong(() => new native.Keys(["short"]), /^secrets: /);
  assert.throws(() => session.reply(99, RESULT), { code: "unknown_call", number: 2 });
  assert.throws(() => new native.Keys([Buffer.alloc(32)]).open("p", "x"), { code: "bad_seal" });
});

test("text and bytes, shared or not, mean the same", () => {
  const shared = new Uint8Array(new SharedArrayBuffer(CALL.length));
  shared.set(Buffer.from(CALL));
  const wide = JSON.stringify({ text: "é€😀".repeat(1000) });
  for (const message of [CALL, Buffer.from(CALL), new TextEncoder().encode(CALL), shared]) {
    const session = core(native).session();
    const { call } = session.accept(message);
    assert.equal(call.name, "add");
    assert.equal(call.argumentsText, '{"a":1,"b":2}');
    const result = JSON.stringify({ content: [], structuredContent: JSON.parse(wide) });
    assert(session.replyText(call.key, result).includes(wide));
    assert.throws(() => session.say(call.key, "late"), { code: "unknown_call" });
  }
});

test("a text is the answer of a call of a tool", () => {
  const session = core(native).session();
  const overHttp = exchange(native);
  for (const [target, key, said] of [
    [session, session.accept(CALL).call.key, (sent) => sent],
    [overHttp.exchange, overHttp.call.key, (emit) => emit.body],
  ]) {
    assert.throws(() => target.say(key, 1), { code: "invalid_argument", message: /^text must be a string/ });
    const { result } = JSON.parse(said(target.say(key, "é\ud800\"")));
    assert.deepEqual(result.content, [{ type: "text", text: "é\ufffd\"" }]);
  }
});
