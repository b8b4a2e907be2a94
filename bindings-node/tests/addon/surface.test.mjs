// What the declarations say is what there is, name by name.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { require } from "./common.mjs";

const native = require("../../native");
const declared = readFileSync(require.resolve("../../native/index.d.ts"), "utf8");

function classes() {
  const found = {};
  for (const [, name, body] of declared.matchAll(/^export declare class (\w+) \{\n(.*?)^\}/gms)) {
    const members = [...body.matchAll(/^ {2}(static )?(get )?(\w+)\(/gm)];
    const of = (isStatic) =>
      members
        .filter(([, still, , member]) => Boolean(still) === isStatic && member !== "constructor")
        .map(([, , getter, member]) => `${getter ?? ""}${member}`);
    found[name] = { own: of(false).sort(), still: of(true).sort(), closed: /private constructor/.test(body) };
  }
  return found;
}

function members(object, without) {
  return Object.entries(Object.getOwnPropertyDescriptors(object))
    .filter(([name]) => !without.includes(name))
    .map(([name, { get }]) => `${get ? "get " : ""}${name}`)
    .sort();
}

test("the exports are those that are declared", () => {
  const names = [...declared.matchAll(/^export declare (?:const|function|class) (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(native).sort(), names.sort());
  assert(names.length > 20);
});

test("every class has the members that are declared", () => {
  for (const [name, { own, still, closed }] of Object.entries(classes())) {
    const { prototype } = native[name];
    assert.deepEqual(members(prototype, ["constructor"]), own, name);
    assert.deepEqual(members(native[name], ["length", "name", "prototype"]), still, name);
    if (closed) assert.throws(() => new native[name](), { code: "invalid_argument" }, name);
  }
});

test("constants are what they are declared to be", () => {
  assert.match(native.VERSION, /^\d+\.\d+\.\d+$/);
  assert.equal(native.VERSION, require("../../package.json").version);
  assert.deepEqual(native.REVISIONS, ["2026-07-28", "2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"]);
  assert.equal(native.LIMITS.messageBytes, 4 << 20);
  assert(Buffer.isBuffer(native.KEEP_ALIVE));
  assert.equal(native.NONCE_BYTES, 24);
  assert.equal(native.SESSION_HEADER.toLowerCase(), "mcp-session-id");
});
