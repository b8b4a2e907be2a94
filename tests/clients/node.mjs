// The official TypeScript clients: connects, lists, reads and calls as its plan on standard input says, and prints
// what it saw. `node node.mjs client` is the 2.x package (both eras), `node node.mjs sdk` the 1.x package (handshake).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [, , which, modules] = process.argv;
const require = createRequire(pathToFileURL(`${modules}/`));
const load = name => import(pathToFileURL(require.resolve(name)));

const plan = JSON.parse(readFileSync(0, 'utf8'));
let Client, StreamableHTTPClientTransport, StdioClientTransport;
if (which === 'client') {
  ({ Client, StreamableHTTPClientTransport } = await load('@modelcontextprotocol/client'));
  ({ StdioClientTransport } = await load('@modelcontextprotocol/client/stdio'));
} else {
  ({ Client } = await load('@modelcontextprotocol/sdk/client/index.js'));
  ({ StreamableHTTPClientTransport } = await load('@modelcontextprotocol/sdk/client/streamableHttp.js'));
  ({ StdioClientTransport } = await load('@modelcontextprotocol/sdk/client/stdio.js'));
}

const era = plan.era === 'legacy' || plan.era === 'auto' ? plan.era : { pin: plan.era };
const options = which === 'client' ? { versionNegotiation: { mode: era } } : {};
const client = new Client({ name: `mcpgraft-tests-${which}`, version: '1.0.0' }, options);
const transport = plan.url
  ? new StreamableHTTPClientTransport(new URL(plan.url), { requestInit: { headers: plan.headers ?? {} } })
  : new StdioClientTransport({ command: plan.command[0], args: plan.command.slice(1), env: plan.env, stderr: 'inherit' });

await client.connect(transport, { timeout: 20_000 });
const seen = { protocol: client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? null };
seen.tools = (await client.listTools()).tools.map(tool => tool.name);
seen.calls = [];
for (const call of plan.calls ?? []) seen.calls.push(await client.callTool(call));
if (plan.read) {
  seen.templates = (await client.listResourceTemplates()).resourceTemplates.map(template => template.uriTemplate);
  seen.read = await client.readResource({ uri: plan.read });
}
if (plan.prompt) {
  seen.prompts = (await client.listPrompts()).prompts.map(prompt => prompt.name);
  seen.prompt = await client.getPrompt(plan.prompt);
}
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);
