// A stream that stays open: what is told to a reader that is slow, quiet, or gone.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";

const { BACKLOG, Stream } = createRequire(import.meta.url)("../dist/all.js")("./listening.js");

const listener = {
  listChanged: (kind) => Buffer.from(`list ${kind}`),
  resourceUpdated: (uri) => Buffer.from(`uri ${uri}`),
  taskChanged: () => null,
  end: () => Buffer.from("end"),
};
const make = (more) => new Stream(listener, { first: Buffer.from("first"), principal: null, keepAliveMs: 60_000, ...more });
const read = async (stream) => String(await stream.next());

test("what changes again and again is told once", async () => {
  const stream = make();
  for (let round = 0; round < 100; round += 1) {
    stream.listChanged("tools");
    stream.resourceUpdated("a://1");
  }
  stream.end();
  stream.listChanged("prompts"); // too late
  assert.deepEqual([await read(stream), await read(stream), await read(stream), await read(stream)], ["first", "list tools", "uri a://1", "end"]);
  assert.equal(await stream.next(), undefined);
});

test("a reader that leaves too much unread is cut off", async () => {
  const stream = make();
  let closed = 0;
  stream.onClose(() => (closed += 1));
  for (let at = 0; at <= BACKLOG; at += 1) stream.resourceUpdated(`a://${at}`);
  assert.equal(closed, 1);
  assert.equal(await stream.next(), undefined);
  stream.onClose(() => (closed += 1));
  assert.equal(closed, 2);
});

test("a quiet stream is kept alive, until its session is over", async () => {
  let saved = Buffer.from("session");
  const stream = make({ session: { id: "s", load: async () => saved } });
  assert.equal(await read(stream), "first");
  assert.equal(await stream.next(), null);
  assert.equal(String(await stream.silent()), ":\n\n");
  stream.resourceUpdated("a://1");
  assert.equal(await read(stream), "uri a://1");
  saved = undefined;
  assert.equal(await stream.silent(), undefined);
  assert.equal(await stream.next(), undefined);
});
