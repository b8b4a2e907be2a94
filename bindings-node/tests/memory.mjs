// Run by memory.test.mjs: 100,000 calls on each way through the addon; prints how much was in use at the marks, in MiB.
import * as native from "mcpgraft/native";
import { NOW, RESULT, call, core, exchange, makers } from "./made.mjs";

const CALLS = 100_000;
const from = core(native);
const session = from.session();
const framer = from.framer();
const keys = makers.Keys(native);
const nonce = new Uint8Array(native.NONCE_BYTES);
const request = Buffer.from(call());

const ways = {
  session(at) {
    const { key } = session.accept(request).call;
    if (at % 3 === 0) session.progress(key, at);
    session.reply(key, RESULT);
  },
  exchange() {
    const { exchange: one, call: made } = exchange(native, from);
    void made.arguments;
    void one.reply(made.key, RESULT).head.headers;
    one.close();
  },
  "exchange, abandoned": () => void exchange(native, from),
  errors() {
    try {
      session.reply(1, RESULT);
    } catch {
      // That is what is counted here.
    }
  },
  framer: () => void framer.feed(request).concat(framer.feed("\n")),
  seal: () => void keys.open("p", keys.seal("p", "plain", nonce)),
  task: () => void makers.Task(native).complete(RESULT, { now: NOW }).detailed(),
};
/** Those that make a server each time are slow. */
const FEWER = { task: CALLS / 20 };

async function used() {
  for (let at = 0; at < 3; at += 1) {
    globalThis.gc();
    // Finalizers run between turns.
    await new Promise((done) => setImmediate(done));
  }
  const { rss, heapUsed, external } = process.memoryUsage();
  return [rss, heapUsed, external].map((bytes) => bytes / 2 ** 20);
}

for (const [name, run] of Object.entries(ways)) {
  const half = (FEWER[name] ?? CALLS) / 2;
  const marks = [];
  for (let round = 0; round < 2; round += 1) {
    for (let at = 0; at < half; at += 1) {
      run(at);
      if (at % 1000 === 0) await new Promise((done) => setImmediate(done));
    }
    marks.push(await used());
  }
  process.stdout.write(`${JSON.stringify({ name, calls: 2 * half, marks })}\n`);
}
