// The workload as a user of the npm package writes it: `node workload.mjs MODULES (stdio | http PORT | express PORT | inproc)`.
// 127.0.0.1 only, path /mcp. MODULES is the folder of node_modules that has the package, and zod.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , modules, transport, port] = process.argv;
const require = createRequire(pathToFileURL(`${modules}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Server } = await load("mcpgraft");

const records = Array.from({ length: 10 }, (_, n) => ({ id: `record-${n}`, title: `The record number ${n}`, score: n / 10 }));
const object = (properties, required) => ({ type: "object", properties, required });
const string = { type: "string" };
const integer = { type: "integer" };

const server = new Server({ name: "bench", version: "1.0.0" });
server.tool("add", { description: "Add two numbers.", input: object({ a: integer, b: integer }, ["a", "b"]) }, ({ a, b }) => String(a + b));
server.tool("echo", { description: "Give a text back.", input: object({ text: string }, ["text"]) }, ({ text }) => text);
server.tool(
  "search",
  { description: "Search the records by keyword.", input: object({ query: string, limit: { ...integer, default: 10 } }, ["query"]) },
  ({ query, limit }) => records.filter((record) => record.title.includes(query)).slice(0, limit ?? 10),
);
const filler = object({ name: string, count: { ...integer, default: 1 }, tags: { type: "array", items: string } }, ["name"]);
for (let n = 1; n <= 17; n += 1) {
  const description = `Does nothing much, number ${n}.`;
  server.tool(`filler_${String(n).padStart(2, "0")}`, { description, input: filler }, ({ name, count }) => `${name} ${count}`);
}
for (let n = 0; n < 10; n += 1) server.resource(`note://${n}`, { name: `note ${n}`, mimeType: "text/plain" }, () => `The text of note ${n}.`);
server.resource("row://{number}", { name: "row" }, ({ number }) => `Row ${number}.`);
server.resource("page://{book}/{number}", { name: "page" }, ({ book, number }) => `Page ${number} of ${book}.`);
for (const [name, argument] of [["brief", "topic"], ["review", "title"], ["plan", "goal"]]) {
  server.prompt(name, { description: `Ask for a ${name}.`, input: object({ [argument]: string }, [argument]) }, (given) => `${name}: ${given[argument]}`);
}

async function inproc() {
  // The loop of `server.stdio()` without its pipes.
  const { PassThrough, Writable } = await import("node:stream");
  const input = new PassThrough();
  let [left, done] = [0, () => undefined];
  const output = new Writable({
    write(chunk, _, next) {
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) left -= 1;
      if (left === 0) done();
      next();
    },
  });
  const served = server.stdio({ input, output });
  const say = (message, times) => {
    const lines = Buffer.from(`${JSON.stringify({ jsonrpc: "2.0", id: 1, ...message })}\n`.repeat(times));
    return new Promise((resolve) => {
      [left, done] = [times, resolve];
      input.write(lines);
    });
  };
  const clientInfo = { name: "inproc", version: "1" };
  await say({ method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo } }, 1);
  const best = async (message) => {
    const [rounds, times] = [400, 50];
    let least = Infinity;
    for (let n = 0; n < 5; n += 1) {
      const begin = process.cpuUsage();
      for (let round = 0; round < rounds; round += 1) await say(message, times);
      const { user, system } = process.cpuUsage(begin);
      least = Math.min(least, (user + system) / rounds / times);
    }
    return least;
  };
  const add = await best({ method: "tools/call", params: { name: "add", arguments: { a: 1, b: 2 } } });
  const list = await best({ method: "tools/list" });
  console.log(JSON.stringify({ add_us: add, tools_list_us: list }));
  input.end();
  await served;
}

if (transport === "stdio") {
  await server.stdio();
} else if (transport === "inproc") {
  await inproc();
} else if (transport === "express") {
  const { default: express } = await load("express");
  const app = express();
  app.post("/constant", (_, response) => response.type("json").send("{}"));
  app.all("/mcp", server.express());
  app.listen(Number(port), "127.0.0.1");
} else {
  const { createServer } = await import("node:http");
  const mcp = server.node();
  createServer((request, response) => {
    if (request.url === "/mcp") return mcp(request, response);
    request.resume();
    response.setHeader("content-type", "application/json");
    response.statusCode = request.url === "/constant" ? 200 : 404;
    response.end("{}");
  }).listen(Number(port), "127.0.0.1");
}
