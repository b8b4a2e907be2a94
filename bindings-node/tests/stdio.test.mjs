// The runner on standard input and output, in a process of its own.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";

const CODE = `
  import { Server } from "mcpgraft";
  console.log("before");
  const server = new Server({ name: "pipes", version: "1.0.0" });
  server.tool("noise", {}, () => { console.log("noise"); process.stdout.write("more noise\\n"); return "quiet"; });
  server.tool("slow", {}, async (_, ctx) => { await new Promise((done) => setTimeout(done, 100)); return "slow"; });
  server.tool("ask", {}, async (_, ctx) => (await ctx.elicit("name", "Who?", { type: "object", properties: { name: { type: "string" } } })).data.name);
  server.tool("hang", {}, async (_, ctx) => {
    process.stderr.write("hang runs\\n");
    await new Promise((done) => ctx.signal.addEventListener("abort", done));
    process.stderr.write("hang aborted\\n");
  });
  server.tool("echo", { input: { type: "object", properties: { text: { type: "string" } } } }, ({ text }) => text);
  server.tool("broken", {}, () => "\\ud800");
  await server.stdio({ drainMs: 2000 });
  process.stdout.write("after\\n");
`;

function start(t) {
  const child = spawn(process.execPath, ["--input-type=module", "-e", CODE], { cwd: import.meta.dirname, stdio: "pipe" });
  t.after(() => child.kill());
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let errors = "";
  child.stderr.on("data", (data) => (errors += data));
  return {
    child,
    send: (message) => child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`),
    next: async () => (await lines.next()).value,
    json: async () => JSON.parse((await lines.next()).value),
    errors: () => errors,
  };
}

const hello = { id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "0" } } };

test("only the protocol is on standard output while it runs", async (t) => {
  const peer = start(t);
  assert.equal(await peer.next(), "before");
  peer.send(hello);
  assert.equal((await peer.json()).result.serverInfo.name, "pipes");
  peer.send({ method: "notifications/initialized" });
  peer.send({ id: 2, method: "tools/call", params: { name: "noise", arguments: {} } });
  assert.equal((await peer.json()).result.content[0].text, "quiet");
  peer.child.stdin.write("x".repeat(100) + "\n");
  assert.equal((await peer.json()).error.code, -32700);
  peer.child.stdin.end();
  assert.equal(await peer.next(), "after");
  const [status] = await once(peer.child, "exit");
  assert.equal(status, 0);
  assert.match(peer.errors(), /noise\nmore noise/);
});

test("texts come back as they were, small and large", async (t) => {
  const peer = start(t);
  await peer.next();
  peer.send({ ...hello, params: { ...hello.params, protocolVersion: "2025-03-26" } });
  await peer.json();
  peer.send({ method: "notifications/initialized" });
  const echo = (id, text) => ({ id, method: "tools/call", params: { name: "echo", arguments: { text } } });
  for (const text of ["", "\"\\\n\0\u007f", "é€😀", "x".repeat(200_000), "é€😀\"".repeat(50_000)]) {
    peer.send(echo(2, text));
    assert.deepEqual(await peer.json(), { jsonrpc: "2.0", id: 2, result: { content: [{ type: "text", text }] } });
  }
  const batch = ["one", "two"].map((text) => ({ jsonrpc: "2.0", ...echo(text, text) }));
  peer.child.stdin.write(`${JSON.stringify(batch)}\n`);
  assert.deepEqual((await peer.json()).map(({ id, result }) => [id, result.content[0].text]), [["one", "one"], ["two", "two"]]);
  // There are no bytes for a lone surrogate.
  peer.send({ id: 3, method: "tools/call", params: { name: "broken", arguments: {} } });
  assert.match((await peer.json()).error.message, /^the result cannot be sent: .*half a surrogate pair/);
  peer.child.stdin.end();
  assert.equal(await peer.next(), "after");
});

test("what runs at the end of input is finished; a ping is not kept waiting; a cancellation arrives", async (t) => {
  const peer = start(t);
  await peer.next();
  peer.send(hello);
  await peer.json();
  peer.send({ method: "notifications/initialized" });
  peer.send({ id: 2, method: "tools/call", params: { name: "hang", arguments: {} } });
  while (!peer.errors().includes("hang runs")) await once(peer.child.stderr, "data");
  peer.send({ method: "notifications/cancelled", params: { requestId: 2 } });
  peer.send({ id: "slow", method: "tools/call", params: { name: "slow", arguments: {} } });
  peer.send({ id: "ping", method: "ping" });
  peer.child.stdin.end();
  assert.equal((await peer.json()).id, "ping");
  assert.equal((await peer.json()).id, "slow");
  assert.equal(await peer.next(), "after");
  await once(peer.child, "close");
  assert.match(peer.errors(), /hang aborted/);
});

test("a question reaches the client, and its answer the handler", async (t) => {
  const peer = start(t);
  await peer.next();
  peer.send({ ...hello, params: { ...hello.params, capabilities: { elicitation: {} } } });
  await peer.json();
  peer.send({ method: "notifications/initialized" });
  peer.send({ id: 2, method: "tools/call", params: { name: "ask", arguments: {} } });
  const asked = await peer.json();
  assert.equal(asked.method, "elicitation/create");
  peer.send({ id: asked.id, result: { action: "accept", content: { name: "Ada" } } });
  assert.equal((await peer.json()).result.content[0].text, "Ada");
});

test("a batch is answered by one", async (t) => {
  const peer = start(t);
  await peer.next();
  peer.send({ ...hello, params: { ...hello.params, protocolVersion: "2025-03-26" } });
  await peer.json();
  const call = (id, name) => ({ jsonrpc: "2.0", id, method: "tools/call", params: { name, arguments: {} } });
  peer.child.stdin.write(`${JSON.stringify([{ jsonrpc: "2.0", id: 2, method: "ping" }, call(3, "slow"), call(4, "noise")])}\n`);
  assert.deepEqual((await peer.json()).map((one) => one.id), [2, 3, 4]);
});
