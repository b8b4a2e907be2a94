// The command line, in processes of its own.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, after, test } from "node:test";

const CLI = join(import.meta.dirname, "..", "dist", "cli.js");
let folder;
let file;

before(() => {
  folder = mkdtempSync(join(import.meta.dirname, "cli-")); // inside, so that "mcpgraft" is found
  file = join(folder, "things.mjs");
  writeFileSync(
    file,
    `import { Server } from "mcpgraft";
     export const server = new Server({ name: "things", version: "1.0.0" });
     const input = { type: "object", properties: { query: { type: "string" }, limit: { type: "integer" } }, required: ["query"] };
     server.tool("search", { description: "Search things.\\nMore.", input }, ({ query, limit }) => {
       if (query === "boom") throw new Error("broken");
       return query + " " + limit;
     });
     server.resource("a://{x}", {}, ({ x }) => x);
     export const create = () => server;`,
  );
  writeFileSync(join(folder, "several.mjs"), 'export { server as one } from "./things.mjs"; import { Server } from "mcpgraft"; export const two = new Server({ name: "two", version: "1" });');
  const tool = (options) => `import { Server } from "mcpgraft"; export default new Server({ name: "l", version: "1" }).tool("get", ${options}, () => "x");`;
  writeFileSync(join(folder, "clean.mjs"), tool('{ description: "Gets", input: { type: "object", properties: {} } }'));
  writeFileSync(join(folder, "bad.mjs"), tool('{ input: { type: "object" } }'));
});
after(() => rmSync(folder, { recursive: true }));

function run(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => resolve({ status: error?.code ?? 0, stdout, stderr }));
  });
}

test("inspect", async () => {
  const { status, stdout } = await run("inspect", file);
  assert.equal(status, 0);
  assert.match(stdout, /tools: 1, \d+ bytes, about \d+ tokens\n {2}search {2}\d+ bytes {2}Search things\.\n/);
  assert.match(stdout, /a:\/\/\{x\}/);
  assert.equal(JSON.parse((await run("inspect", `${file}:server`, "--json", "--era", "legacy")).stdout).tools[0].name, "search");
});

test("inspect --lint", async () => {
  const clean = await run("inspect", join(folder, "clean.mjs"), "--lint");
  assert.deepEqual([clean.status, clean.stdout], [0, "nothing that a known client refuses\n"]);
  const bad = await run("inspect", join(folder, "bad.mjs"), "--lint");
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /^error: get \/inputSchema: .* \[properties\] \(OpenAI API, Azure OpenAI\)$/m);
  assert.match(bad.stdout, /2 problems, 1 of them errors\n$/);
  const found = JSON.parse((await run("inspect", join(folder, "bad.mjs"), "--lint", "--json")).stdout);
  assert.deepEqual(found.map(({ rule }) => rule), ["description", "properties"]);
});

test("call", async () => {
  for (const [args, wanted] of [
    [[file, "search", "query=5", "limit=3"], "5 3"],
    [[`${file}:create`, "search", "--json", '{"query":"a=b"}', "--era", "legacy"], "a=b undefined"],
  ]) {
    const { status, stdout } = await run("call", ...args);
    assert.equal(status, 0);
    assert.equal(JSON.parse(stdout).content[0].text, wanted);
  }
  const failed = await run("call", file, "search", "query=boom");
  assert.equal(failed.status, 1);
  assert.match(failed.stdout, /broken/);
});

test("mistakes", async () => {
  for (const [args, hint] of [
    [["call", file, "search", "query"], /KEY=VALUE/],
    [["call", file, "search", "--json", "[]"], /JSON object/],
    [["call", file, "nope"], /no tool "nope"/],
    [["inspect", `${file}:missing`], /"missing"/],
    [["inspect", join(folder, "several.mjs")], /several\.mjs:one.*several\.mjs:two/],
    [["inspect", join(folder, "gone.mjs")], /gone\.mjs/],
    [["dance"], /usage/],
    [["run", file, "--transport", "pigeon"], /stdio or http/],
  ]) {
    const { status, stderr } = await run(...args);
    assert.equal(status, 2, args.join(" "));
    assert.match(stderr, hint);
  }
});

test("run, on both transports", async (t) => {
  const pipes = spawn(process.execPath, [CLI, "run", file]);
  pipes.stdin.end('{"jsonrpc":"2.0","id":1,"method":"ping"}\n');
  assert.deepEqual(JSON.parse(String((await once(pipes.stdout, "data"))[0])).result, {});
  assert.equal((await once(pipes, "exit"))[0], 0);

  const http = spawn(process.execPath, [CLI, "run", file, "--transport", "http", "--port", "0"]);
  t.after(() => http.kill("SIGKILL"));
  const url = /http:\S+/.exec(String((await once(http.stderr, "data"))[0]))[0];
  const post = (to) => fetch(to, { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' });
  assert.equal((await (await post(url)).json()).result.tools[0].name, "search");
  assert.equal((await post(`${url}/`)).status, 200);
  assert.equal((await post(url.replace("/mcp", "/other"))).status, 404);
  http.kill("SIGTERM");
  assert.equal((await once(http, "exit"))[0], 0);
});
