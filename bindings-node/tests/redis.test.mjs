// What processes share in a real Redis, by the clients of both packages: sessions, kept events, changes, answers.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { createServer } from "node:net";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { Redis } from "ioredis";
import { redisEvents, redisFanout, redisSessions, Server } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { createClient } from "redis";

function installed() {
  try {
    execFileSync("redis-server", ["--version"]);
    return true;
  } catch {
    if (process.env.CI) throw new Error("redis-server is missing: tests/tools/debian redis-server=redis-server");
    return false;
  }
}

const skip = installed() ? false : "no redis-server on this machine";
let redis;
let port;

before(async () => {
  if (skip !== false) return;
  const free = createServer().listen(0, "127.0.0.1");
  await once(free, "listening");
  ({ port } = free.address());
  await new Promise((done) => free.close(done));
  redis = spawn("redis-server", ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"], { stdio: ["ignore", "pipe", "inherit"] });
  for await (const line of createInterface(redis.stdout)) if (line.includes("Ready to accept connections")) break;
});
after(async () => {
  if (redis === undefined) return;
  redis.kill();
  await once(redis, "exit");
});

const CLIENTS = {
  async redis(t) {
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    await client.connect();
    t.after(() => client.close());
    return client;
  },
  async ioredis(t) {
    const client = new Redis(port, "127.0.0.1");
    t.after(() => client.quit());
    return client;
  },
};

for (const [name, make] of Object.entries(CLIENTS)) {
  test(`${name}: a session of one process is known in another, until it ends`, { skip }, async (t) => {
    const client = await make(t);
    const store = redisSessions(client, `${name}:session:`);
    const serve = () => new Server({ name: "shared", version: "1" }, { sessions: store }).tool("can", {}, (_, ctx) => String(ctx.canListRoots));
    const here = await connect(serve(), { era: "legacy", capabilities: { roots: {} } });
    const there = serve();
    const elsewhere = await connect(there, { era: "legacy" });
    elsewhere.sessionId = here.sessionId;
    assert.equal((await elsewhere.call("can")).content[0].text, "true");
    await store.save("bytes", Uint8Array.from({ length: 256 }, (_, at) => at), 60_000);
    assert.deepEqual(await store.load("bytes"), Buffer.from(Array.from({ length: 256 }, (_, at) => at)));
    await store.save("bytes", undefined, 0);
    assert.equal(await store.load("bytes"), undefined);
    await store.save("soon over", Buffer.from("x"), 1);
    while ((await store.load("soon over")) !== undefined);
  });

  test(`${name}: events`, { skip }, async (t) => {
    const store = redisEvents(await make(t), { prefix: `${name}:events:`, maxEvents: 3 });
    const text = async (key, after) => {
      const kept = await store.read(key, after);
      return kept && [kept.events.map(([number, event]) => `${number} ${event}`), kept.over];
    };
    assert.equal(await text("s", 0), undefined);
    await store.append("s", 0, undefined, false);
    assert.deepEqual(await text("s", 0), [[], false]);
    await Promise.all(["ä", "b", "c"].map((event, at) => store.append("s", at + 1, Buffer.from(event), at === 2)));
    assert.deepEqual(await text("s", 0), [["1 ä", "2 b", "3 c"], true]);
    assert.deepEqual(await text("s", 2), [["3 c"], true]);
    await store.append("taken back", 1, Buffer.from("a"), false);
    await store.append("taken back", 1, undefined, true);
    assert.deepEqual(await text("taken back", 0), [["1 a"], true]);
    for (let number = 0; number < 9; number += 1) await store.append("long", number, number === 0 ? undefined : Buffer.from("x"), false);
    assert.equal(await text("long", 0), undefined, "the first ones are lost");
    assert.deepEqual(await text("long", 7), [["8 x"], false]);
  });

  test(`${name}: a change here is heard there`, { skip }, async (t) => {
    const client = await make(t);
    const [here, there] = [1, 2].map(() => new Server({ name: `fan ${name}`, version: "1" }, { fanout: redisFanout(client, name) }));
    const heard = new Promise((resolve) => {
      const seen = { listChanged: () => undefined, resourceUpdated: resolve, taskChanged: () => undefined, end: () => undefined };
      there.hub.attach(seen);
    });
    // Publish and subscribe is at most once: the subscription may not stand yet.
    const again = setInterval(() => here.resourceUpdated("a://1"), 50);
    assert.equal(await heard, "a://1");
    clearInterval(again);
    await Promise.all([here.close(), there.close()]);
  });
}

test("what is no client of Redis is told so", () => {
  assert.throws(() => redisSessions({}), /npm redis or ioredis/);
});
