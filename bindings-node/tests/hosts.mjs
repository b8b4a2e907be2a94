// Every host on a free port, for tests: `await open(t, server, "fastify")` gives its URL; it ends with the test `t`.
import { createServer } from "node:http";
import { once } from "node:events";

async function listening(t, http) {
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  t.after(() => {
    http.close();
    http.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${http.address().port}/mcp` };
}

const makers = {
  async node(server, options) {
    return createServer(server.node(options));
  },
  async express(server, options, name = "express") {
    const { default: express } = await import(name);
    const app = express();
    app.use((_request, response, next) => {
      response.setHeader("X-App", "yes");
      response.setHeader("Vary", "Accept-Language");
      next();
    });
    if (options.parse !== false) app.use(express.json({ limit: "10mb" }));
    app.all("/mcp", server.express(options));
    app.use("/.well-known", server.express(options));
    return createServer(app);
  },
  express4: (server, options) => makers.express(server, options, "express4"),
  async fastify(server, options) {
    const { default: fastify } = await import("fastify");
    const { default: cors } = await import("@fastify/cors");
    const app = fastify();
    await app.register(cors, { origin: ["https://app.example"] });
    app.addHook("onSend", async (_request, reply) => void reply.header("x-app", "yes"));
    app.post("/other", (request) => ({ parsed: request.body }));
    await app.register(server.fastify(options), { prefix: "/mcp" });
    await app.ready();
    return app.server;
  },
  async fetch(server, options) {
    const { Readable } = await import("node:stream");
    const answer = server.fetch(options);
    return createServer(async (request, response) => {
      const gone = new AbortController();
      response.once("close", () => response.writableFinished || gone.abort());
      const body = ["GET", "HEAD"].includes(request.method) ? undefined : Readable.toWeb(request);
      const { status, headers, body: answered } = await answer(
        new Request(`http://${request.headers.host}${request.url}`, { method: request.method, headers: request.headers, body, duplex: "half", signal: gone.signal }),
        { peer: request.socket.remoteAddress },
      );
      response.writeHead(status, Object.fromEntries(headers)).flushHeaders();
      if (answered === null) response.end();
      else for await (const piece of answered) response.write(piece);
      response.end();
    });
  },
};

export const HOSTS = Object.keys(makers);

export async function open(t, server, host, options = {}) {
  return listening(t, await makers[host](server, options));
}

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "t", version: "0" },
  "io.modelcontextprotocol/clientCapabilities": {},
};

/** One request of the stateless era, by fetch. */
export function send(url, method, params = {}, { headers = {}, meta = {}, ...init } = {}) {
  const name = params.name ?? params.uri;
  return fetch(url, {
    method: "POST",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
      "MCP-Protocol-Version": "2026-07-28",
      "Mcp-Method": method,
      ...(name === undefined ? {} : { "Mcp-Name": name }),
      ...headers,
    },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...params, _meta: { ...META, ...meta } } }),
    ...init,
  });
}

/** The result of a tool, by fetch. */
export async function call(url, name, args = {}, options = {}) {
  const answer = await send(url, "tools/call", { name, arguments: args }, options);
  return (await answer.json()).result;
}

/** The messages of an event stream, as they come. */
export async function* events(response) {
  let text = "";
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    for (let at = text.indexOf("\n\n"); at >= 0; at = text.indexOf("\n\n")) {
      const data = text.slice(0, at).split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
      text = text.slice(at + 2);
      if (data.trim() !== "") yield JSON.parse(data);
    }
  }
}
