// The official TypeScript SDK 1.x and the experimental tasks of 2025-11-25: uses them, and prints what it saw.
// `tasks.mjs MODULES` is given {"url": ...} or {"command": [...], "env": {...}} on standard input.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(pathToFileURL(`${process.argv[2]}/`));
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { Client } = await load('@modelcontextprotocol/sdk/client/index.js');
const { StdioClientTransport } = await load('@modelcontextprotocol/sdk/client/stdio.js');
const { StreamableHTTPClientTransport } = await load('@modelcontextprotocol/sdk/client/streamableHttp.js');
const { ElicitRequestSchema } = await load('@modelcontextprotocol/sdk/types.js');

const plan = JSON.parse(readFileSync(0, 'utf8'));
const client = new Client({ name: 'tasks', version: '1' }, { capabilities: { elicitation: {} } });
const seen = { asked: [] };
client.setRequestHandler(ElicitRequestSchema, (request) => {
  seen.asked.push(request.params._meta ?? null);
  return { action: 'accept', content: { name: 'Ada' } };
});
await client.connect(
  plan.url
    ? new StreamableHTTPClientTransport(new URL(plan.url))
    : new StdioClientTransport({ command: plan.command[0], args: plan.command.slice(1), env: plan.env }),
);
await client.listTools(); // it learns from the list which tools are tasks
const tasks = client.experimental.tasks;
const stream = async (name, args) => {
  const all = [];
  for await (const one of tasks.callToolStream({ name, arguments: args }, undefined, { task: { ttl: 60_000 } })) {
    all.push(one);
  }
  return { kinds: all.map((one) => one.type), last: all.at(-1), task: all[0].task?.taskId };
};
seen.added = await stream('add', { a: 20, b: 22 });
seen.greeted = await stream('greet', {});
seen.broken = await stream('broken', {});
const first = tasks.callToolStream({ name: 'forever', arguments: {} }, undefined, { task: {} });
const { value } = await first.next();
seen.cancelled = (await tasks.cancelTask(value.task.taskId)).status;
seen.list = (await tasks.listTasks()).tasks.map((task) => task.status).sort();
await client.close();
console.log(JSON.stringify(seen));
process.exit(0);
