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
  server.tool("hang", {}, async (_, ctx) => {
    process.stderr.write("hang runs\\n");
    await new Promise((done) => ctx.signal.addEventListener("abort", done));
    process.stderr.write("hang aborted\\n");
  });
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
