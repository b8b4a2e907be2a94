// The official TypeScript packages as servers of the workload:
//     node node.mjs (server | sdk) MODULES (stdio | http PORT | express PORT | sessions PORT | inproc | tools COUNT)
// Over HTTP without sessions, and with answers as JSON: their fastest settings. `sessions` keeps them, or a client's stream open.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , which, modules, transport, port] = process.argv;
const require = createRequire(pathToFileURL(`${modules}/`));
const load = name => import(pathToFileURL(require.resolve(name)));
const { z } = await load('zod');

const records = Array.from({ length: 10 }, (_, n) => ({ id: `record-${n}`, title: `The record number ${n}`, score: n / 10 }));
const text = value => ({ content: [{ type: 'text', text: value }] });

// Made once: over HTTP a server is made for each request.
const shape = fields => (which === 'server' ? z.object(fields) : fields);
const number = z.number().int();
const tools = [
  ['add', 'Add two numbers.', shape({ a: number, b: number }), ({ a, b }) => text(String(a + b))],
  ['echo', 'Give a text back.', shape({ text: z.string() }), given => text(given.text)],
  ['search', 'Search the records.', shape({ query: z.string(), limit: number.default(10) }), ({ query, limit }) => {
    const found = records.filter(record => record.title.includes(query)).slice(0, limit);
    return { ...text(JSON.stringify(found)), structuredContent: { result: found } };
  }],
];
const filler = shape({ name: z.string(), count: number.default(1), tags: z.array(z.string()).optional() });
for (let n = 1; n <= 17; n++) {
  const does = `Does nothing much, number ${n}.`;
  tools.push([`filler_${String(n).padStart(2, '0')}`, does, filler, ({ name, count }) => text(`${name} ${count}`)]);
}
const topic = shape({ topic: z.string() });

function fill(server) {
  for (const [name, description, inputSchema, run] of tools) {
    server.registerTool(name, { description, inputSchema }, run);
  }
  for (let n = 0; n < 10; n++) {
    server.registerResource(`note ${n}`, `note://${n}`, {}, uri => ({ contents: [{ uri: uri.href, text: `The text of note ${n}.` }] }));
  }
  server.registerPrompt(
    'brief', { argsSchema: topic },
    ({ topic }) => ({ messages: [{ role: 'user', content: { type: 'text', text: `Write a brief about ${topic}.` } }] }));
  return server;
}

const info = { name: 'bench', version: '1.0.0' };
const beside = (request, response) => {
  if (request.url === '/gc') globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  else if (request.url !== '/constant') return false;
  request.resume().once('end', () => response.end('{}'));
  return true;
};
// Connections may wait long for their turn.
const listen = handler => createServer({ keepAliveTimeout: 120_000 }, (request, response) => {
  if (!beside(request, response)) handler(request, response);
}).listen(Number(port), '127.0.0.1');

/** The factory of a server of the workload, and what serves it over HTTP. */
async function made(filled = fill) {
  if (which === 'server') {
    const { McpServer, createMcpHandler } = await load('@modelcontextprotocol/server');
    const make = () => filled(new McpServer(info));
    return { make, handler: () => createMcpHandler(make, { responseMode: 'json' }) };
  }
  const { McpServer } = await load('@modelcontextprotocol/sdk/server/mcp.js');
  return { make: () => filled(new McpServer(info)) };
}

// A session of the handshake era is one transport and one server, as the examples of the package have it.
async function withSessions(make) {
  const { randomUUID } = await import('node:crypto');
  const { StreamableHTTPServerTransport } = await load('@modelcontextprotocol/sdk/server/streamableHttp.js');
  const channels = new Map();
  return async (request, response) => {
    let channel = channels.get(request.headers['mcp-session-id']);
    if (channel === undefined) {
      channel = new StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: true,
        onsessioninitialized: id => channels.set(id, channel),
      });
      await make().connect(channel);
    }
    await channel.handleRequest(request, response);
  };
}

async function main() {
  const { make, handler } = await made();
  if (transport === 'inproc' || transport === 'tools') {
    const parts = await import('./node_inproc.mjs');
    await parts[transport]({ load, which, made, z }, Number(port));
  } else if (which === 'server' && transport === 'stdio') {
    const { serveStdio } = await load('@modelcontextprotocol/server/stdio');
    serveStdio(make);
  } else if (which === 'server') {
    const { toNodeHandler } = await load('@modelcontextprotocol/node');
    const answer = toNodeHandler(handler());
    if (transport === 'express') {
      const { default: express } = await load('express');
      const app = express();
      app.all('/mcp', (request, response) => answer(request, response));
      app.listen(Number(port), '127.0.0.1');
    } else {
      listen(answer);
    }
  } else if (transport === 'stdio') {
    const { StdioServerTransport } = await load('@modelcontextprotocol/sdk/server/stdio.js');
    await make().connect(new StdioServerTransport());
  } else if (transport === 'sessions') {
    listen(await withSessions(make));
  } else {
    const { StreamableHTTPServerTransport } = await load('@modelcontextprotocol/sdk/server/streamableHttp.js');
    listen(async (request, response) => {
      const channel = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined, enableJsonResponse: true });
      await make().connect(channel);
      await channel.handleRequest(request, response);
    });
  }
}

await main();
