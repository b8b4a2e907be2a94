// Requests of node:http: how their bodies come, the context their handlers run in, and the first piece of a stream.
import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { createServer, ServerResponse } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { Server } from "mcpgraft";
import { send } from "./hosts.mjs";

async function listening(t, options, handler) {
  const http = createServer(options, handler).listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => {
    http.close();
    http.closeAllConnections();
  });
  const { port } = http.address();
  return { http, port, url: `http://127.0.0.1:${port}/mcp` };
}

const make = (options) => {
  const server = new Server({ name: "node", version: "1.0.0" }, options);
  return server.tool("length", { input: { type: "object" } }, ({ text }) => String(text.length));
};

const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "length", arguments: { text: "12345" } } });
const head = [
  "POST /mcp HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json", "Accept: application/json, text/event-stream",
  "MCP-Protocol-Version: 2025-11-25", `Content-Length: ${body.length}`, "", "",
].join("\r\n");

/** What comes on a socket until it has `text`. */
async function until(socket, text) {
  let all = "";
  for await (const part of socket.iterator({ destroyOnReturn: false })) {
    all += part;
    if (all.includes(text)) return all;
  }
  throw new Error(`closed after ${all}`);
}

test("a handler runs in the asynchronous context of its request, however long its message is", async (t) => {
  const store = new AsyncLocalStorage();
  const server = make();
  server.tool("who", { input: { type: "object" } }, () => store.getStore());
  server.tool("later", { input: { type: "object" } }, async () => {
    await undefined;
    return store.getStore();
  });
  const mcp = server.node();
  const { url } = await listening(t, {}, (request, response) => store.run(request.headers["x-who"], mcp, request, response));
  const asked = ["who", "later", "who", "later"].flatMap((name, at) =>
    [0, 100_000].map(async (length) => {
      const who = `${name} ${at} ${length}`;
      const answer = await send(url, "tools/call", { name, arguments: { text: "x".repeat(length) } }, { headers: { "x-who": who } });
      assert.equal((await answer.json()).result.content[0].text, who);
    }),
  );
  await Promise.all(asked);
});

test("a message may come in pieces, and several of them in one", async (t) => {
  const { http, port, url } = await listening(t, {}, make().node());
  const socket = connect(port, "127.0.0.1");
  t.after(() => socket.destroy());
  for (const pieces of [[body], [body.slice(0, 9), body.slice(9)]]) {
    const came = once(http, "request");
    socket.write(head);
    await came;
    for (const piece of pieces) {
      // The server has turned at least once between two of them.
      await (await send(url, "tools/list")).text();
      socket.write(piece);
    }
    assert.match(await until(socket, "jsonrpc"), /^HTTP\/1\.1 200 [^]*"text":"5"/);
  }
  socket.write((head + body).repeat(3));
  let all = "";
  while (all.split('"text":"5"').length < 4) all += await until(socket, "5");
});

test("a peer that leaves in the middle of its message is no error", async (t) => {
  const wrong = [];
  const { http, port, url } = await listening(t, {}, make({ onError: (error) => wrong.push(error) }).node());
  const came = once(http, "request");
  const socket = connect(port, "127.0.0.1");
  socket.write(head + body.slice(0, 9));
  const [request] = await came;
  const gone = new Promise((resolve) => request.once("close", resolve));
  socket.destroy();
  await gone;
  assert.equal((await send(url, "tools/list")).status, 200);
  assert.deepEqual(wrong, []);
});

test("who listens to the body, too, gets it", async (t) => {
  const mcp = make().node();
  let heard = "";
  const { url } = await listening(t, {}, (request, response) => {
    mcp(request, response);
    request.on("data", (part) => (heard += part));
  });
  const answer = await fetch(url, { method: "POST", body, headers: { "Content-Type": "application/json", "MCP-Protocol-Version": "2025-11-25", Accept: "application/json, text/event-stream" } });
  assert.equal((await answer.json()).result.content[0].text, "5");
  assert.equal(heard, body);
});

test("a stream that says something at once says it with its head; one that does not has its head at once", async (t) => {
  let flushed = 0;
  class Response extends ServerResponse {
    flushHeaders() {
      flushed += 1;
      super.flushHeaders();
    }
  }
  const server = make({ sessions: "memory" });
  const { url } = await listening(t, { ServerResponse: Response }, server.node());
  const listen = await send(url, "subscriptions/listen", { notifications: { toolsListChanged: true } });
  const reader = listen.body.getReader();
  assert.match(Buffer.from((await reader.read()).value).toString(), /acknowledged/);
  assert.equal(flushed, 0);
  await reader.cancel();

  const headers = { "Content-Type": "application/json", Accept: "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25" };
  const hello = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "t", version: "0" } };
  const opened = await fetch(url, { method: "POST", headers, body: JSON.stringify({ jsonrpc: "2.0", id: 0, method: "initialize", params: hello }) });
  await opened.text();
  const stream = await fetch(url, { headers: { ...headers, "Mcp-Session-Id": opened.headers.get("mcp-session-id") } });
  assert.equal(stream.status, 200);
  assert.equal(flushed, 1);
  await stream.body.cancel();
});
