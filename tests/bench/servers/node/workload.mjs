// The workload as a user of the npm package writes it: `node workload.mjs MODULES (stdio | http PORT | express PORT | inproc |
// tools COUNT)`. 127.0.0.1 only, path /mcp. MODULES is the folder of node_modules that has the package. BENCH_SESSIONS=memory
// keeps sessions.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [, , modules, transport, port] = process.argv;
const require = createRequire(pathToFileURL(`${modules}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const manifest = require.resolve("mcpgraft/package.json");
// What `import ... from "mcpgraft"` finds: `require.resolve` finds the module for `require`, which costs an ES module more.
const { Server } = await import(new URL(require(manifest).exports["."].import.default, pathToFileURL(manifest)));

const records = Array.from({ length: 10 }, (_, n) => ({ id: `record-${n}`, title: `The record number ${n}`, score: n / 10 }));
const object = (properties, required) => ({ type: "object", properties, required });
const string = { type: "string" };
const integer = { type: "integer" };

const sessions = process.env.BENCH_SESSIONS === "memory" ? "memory" : "off";
const server = new Server({ name: "bench", version: "1.0.0" }, { sessions });
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

// Beside MCP: a route that answers a constant as long as the answer to `add`, and one that collects garbage.
const constant = '{"jsonrpc":"2.0","id":1000,"result":{"content":[{"type":"text","text":"3"}]}}';
const beside = (url) => {
  if (url === "/gc") globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
  return url === "/constant" || url === "/gc";
};

if (transport === "stdio") {
  await server.stdio();
} else if (transport === "inproc") {
  await (await import("./inproc.mjs")).inproc(server);
} else if (transport === "tools") {
  await (await import("./inproc.mjs")).tools(new Server({ name: "bench", version: "1.0.0" }), Number(port));
} else if (transport === "express") {
  const { default: express } = await load("express");
  const app = express();
  app.set("etag", false); // a hash of the constant, which no answer to a POST needs
  app.post("/constant", (request, response) => request.resume().once("end", () => response.type("json").send(constant)));
  app.all("/mcp", server.express());
  app.listen(Number(port), "127.0.0.1");
} else {
  const { createServer } = await import("node:http");
  const mcp = server.node();
  // Connections may wait long for their turn.
  createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
    if (request.url === "/mcp") return mcp(request, response);
    response.statusCode = beside(request.url) ? 200 : 404;
    response.setHeader("content-type", "application/json");
    request.resume().once("end", () => response.end(constant));
  }).listen(Number(port), "127.0.0.1");
}
