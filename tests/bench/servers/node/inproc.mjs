// From the bytes of a request to the bytes of its answer, in this process: the loop of `server.stdio()` without its pipes, and the
// handler of fetch-style hosts.
import { PassThrough, Writable } from "node:stream";
import { HANDSHAKE, STATELESS, initialize, message, overFetch, register, requests, say, sayTools } from "../../measure/inprocess.mjs";

// How many are written at once, as a pipe gives them.
const TOGETHER = 50;

/** One client: `say` writes a line so many times, and resolves with what came back when all are answered. */
function client(server) {
  const input = new PassThrough();
  let [left, done, parts] = [0, () => undefined, []];
  const output = new Writable({
    write(chunk, _, next) {
      parts.push(chunk);
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) left -= 1;
      if (left === 0) done(parts);
      next();
    },
  });
  const served = server.stdio({ input, output });
  const ask = (lines, times) =>
    new Promise((resolve) => {
      [left, done, parts] = [times, resolve, []];
      input.write(lines);
    });
  return {
    ask: async (line) => Buffer.concat(await ask(Buffer.from(`${line}\n`), 1)),
    together: (line) => {
      const lines = Buffer.from(`${line}\n`.repeat(TOGETHER));
      return async (times) => {
        for (let n = 0; n < times; n += TOGETHER) await ask(lines, TOGETHER);
      };
    },
    async end() {
      input.end();
      await served;
    },
  };
}

/** What each kind of request costs. */
export async function inproc(server) {
  for (const era of [HANDSHAKE, STATELESS]) {
    const one = client(server);
    if (era === HANDSHAKE) await one.ask(initialize);
    for (const name of requests) {
      const line = message(name, era);
      await say("messages", era, name, one.together(line), await one.ask(line));
    }
    await one.end();
  }
  await overFetch(server.fetch());
}

/** What a large catalogue costs. */
export async function tools(server, count) {
  const string = { type: "string" };
  const put = (name, description) => {
    const properties = { name: string, count: { type: "integer", default: 1 }, tags: { type: "array", items: string } };
    server.tool(name, { description, input: { type: "object", properties, required: ["name"] } }, (given) => `${given.name} ${given.count}`);
  };
  const spent = register(count, put);
  const [one, line] = [client(server), message("tools/list", HANDSHAKE)];
  await one.ask(initialize);
  await sayTools(count, spent, () => one.ask(line));
  await one.end();
}
