// Writing streams that stay open: what there is to say, comments while there is nothing, slow readers and their end.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const { stay } = createRequire(import.meta.url)("../dist/all.js")("./pump.js");

/** A sink that keeps what it gets; `heard(text)` settles when it gets that. */
function sink() {
  const waiting = [];
  const made = {
    written: [],
    head: undefined,
    isOver: false,
    full: undefined,
    leave: () => undefined,
    start: (status) => (made.head = status),
    write(data) {
      made.written.push(String(data));
      waiting.filter((one) => one.text === String(data)).forEach((one) => one.resolve());
    },
    end: () => (made.isOver = true),
    drained: () => made.full,
    onGone: (callback) => (made.leave = callback),
    heard: (text) => new Promise((resolve) => waiting.push({ text, resolve })),
  };
  return made;
}

function stream(silenceMs = 60_000) {
  const closing = [];
  const made = {
    silenceMs,
    pieces: [],
    isClosed: false,
    say(...pieces) {
      made.pieces.push(...pieces);
      made.wake?.();
    },
    next: () => (made.isClosed ? undefined : made.pieces.length === 0 ? null : made.pieces.shift()),
    silent: () => (made.isClosed ? undefined : Buffer.from(":")),
    close() {
      made.isClosed = true;
      closing.splice(0).forEach((callback) => callback());
      made.wake?.();
    },
    onClose: (callback) => void closing.push(callback),
  };
  return made;
}

const HEAD = { status: 200, headers: [] };
const never = (wrong) => assert.fail(wrong);
const settled = () => new Promise((resolve) => setImmediate(resolve));

test("what is said is written, until the end", async () => {
  const [to, from] = [sink(), stream()];
  from.pieces.push(Buffer.from("first"));
  stay(to, HEAD, from, never);
  assert.equal(to.head, 200);
  await settled();
  from.say(Buffer.from("a"), Promise.resolve(Buffer.from("b")), Promise.resolve(null));
  from.say(Buffer.from("c")); // while the others are written
  await settled();
  assert.deepEqual(to.written, ["first", "a", "b", "c"]);
  from.say(undefined);
  await settled();
  assert.equal(to.isOver, true);
  assert.equal(from.wake, undefined);
});

test("silent streams are kept alive, those that were left are not", async () => {
  const all = [1, 2, 3].map(() => [sink(), stream(1)]);
  for (const [to, from] of all) stay(to, HEAD, from, never);
  await Promise.all(all.map(([to]) => to.heard(":")));
  await Promise.all(all.map(([to]) => to.heard(":"))); // again
  const [[gone, left], ...others] = all;
  gone.leave();
  await settled();
  const before = gone.written.length;
  assert.equal(left.isClosed, true);
  await Promise.all(others.map(([to]) => to.heard(":")));
  assert.equal(gone.written.length, before);
  assert.equal(gone.isOver, false); // there is nobody to tell
  others.forEach(([, from]) => from.close());
  await settled();
  assert.deepEqual(others.map(([to]) => to.isOver), [true, true]);
});

test("a slow reader is waited for, unless its stream is closed", async () => {
  const [to, from] = [sink(), stream()];
  let drain;
  to.full = new Promise((resolve) => (drain = resolve));
  stay(to, HEAD, from, never);
  from.say(Buffer.from("a"), Buffer.from("b"));
  await settled();
  assert.deepEqual(to.written, ["a"]);
  drain();
  await settled();
  assert.deepEqual(to.written, ["a", "b"]);
  to.full = new Promise(() => undefined);
  from.say(Buffer.from("c"), Buffer.from("d"));
  await settled();
  from.close();
  await settled();
  assert.deepEqual(to.written, ["a", "b", "c"]);
  assert.equal(to.isOver, true);
});

test("a stream that cannot go on is reported, and ends", async () => {
  const [to, from, wrong] = [sink(), stream(), []];
  stay(to, HEAD, from, (error) => wrong.push(error.message));
  from.say(Promise.reject(new Error("the store is down")));
  await settled();
  assert.deepEqual(wrong, ["the store is down"]);
  assert.equal(from.isClosed, true);
  assert.equal(to.isOver, true);
});
