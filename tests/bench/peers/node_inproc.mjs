// The TypeScript peers from the bytes of a request to the bytes of its answer in one process: server 2.x by its fetch handler, sdk
// 1.x over its in-memory transport.
import { HANDSHAKE, headers, initialize, initialized, message, overFetch, register, requests, say, sayTools } from '../measure/inprocess.mjs';

/** A client of a server over the in-memory transport; sends the text of a message, gives that of its answer. */
async function client(load, server) {
  const { InMemoryTransport } = await load('@modelcontextprotocol/sdk/inMemory.js');
  const [mine, theirs] = InMemoryTransport.createLinkedPair();
  let answered;
  mine.onmessage = answer => answered(JSON.stringify(answer));
  await mine.start();
  await server.connect(theirs);
  const ask = text => new Promise(resolve => {
    answered = resolve;
    mine.send(JSON.parse(text));
  });
  await ask(initialize);
  await mine.send(JSON.parse(initialized));
  return ask;
}

/** What each kind of request costs. */
export async function inproc({ load, which, made }) {
  const { make, handler } = await made();
  if (which === 'server') {
    const served = handler();
    await overFetch(request => served.fetch(request));
    return;
  }
  const ask = await client(load, make());
  for (const name of requests) {
    const text = message(name, HANDSHAKE);
    const many = async times => {
      for (let n = 0; n < times; n++) await ask(text);
    };
    await say('messages', HANDSHAKE, name, many, await ask(text));
  }
}

/** What a large catalogue costs: over HTTP server 2.x registers all of it for each request. */
export async function tools({ load, which, made, z }, count) {
  const fields = { name: z.string(), count: z.number().int().default(1), tags: z.array(z.string()).optional() };
  const inputSchema = which === 'server' ? z.object(fields) : fields;
  const fill = server => {
    const run = given => ({ content: [{ type: 'text', text: given.name }] });
    spent = register(count, (name, description) => server.registerTool(name, { description, inputSchema }, run));
    return server;
  };
  let spent = 0;
  const { make, handler } = await made(fill);
  const server = make();
  const first = spent;
  if (which === 'server') {
    const served = handler();
    const [said, body] = [headers('tools/list', HANDSHAKE), message('tools/list', HANDSHAKE)];
    const ask = async () => (await served.fetch(new Request('http://127.0.0.1/mcp', { method: 'POST', headers: said, body }))).text();
    await sayTools(count, first, ask);
  } else {
    const ask = await client(load, server);
    await sayTools(count, first, () => ask(message('tools/list', HANDSHAKE)));
  }
}
