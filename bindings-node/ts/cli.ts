#!/usr/bin/env node
/** The command line: `mcpgraft run`, `mcpgraft inspect`, `mcpgraft call`. Status: 0 fine, 1 the call failed, 2 wrong usage. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { text as readAll } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isObject, type JsonObject } from "./json.js";
import { VERSION } from "./native.js";
import { Server } from "./server.js";
import { connect, ProtocolError } from "./testing.js";

/** Rough, for JSON and English text; real tokenizers differ by some 20 %. */
const BYTES_PER_TOKEN = 4;

const USAGE = `usage: mcpgraft run FILE[:NAME] [--transport stdio|http] [--host HOST] [--port PORT] [--path PATH]
       mcpgraft inspect FILE[:NAME] [--era modern|legacy] [--json]
       mcpgraft inspect FILE[:NAME] --lint [--json]
       mcpgraft call FILE[:NAME] TOOL [KEY=VALUE...] [--era modern|legacy] [--json OBJECT|-]
       mcpgraft --version

--lint says what known clients refuse or misread; status 1 if there are errors.
FILE is a JavaScript (or, where Node takes it, TypeScript) file that exports a Server; NAME picks one of several exports.`;

/** Something on the command line is wrong; the text says what and how to do it right. */
class UsageError extends Error {}

/** Run a command and give its exit status. */
export async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  try {
    if (command === "run") return await run(rest);
    if (command === "inspect") return await inspect(rest);
    if (command === "call") return await call(rest);
    if (command === "--version") return say(VERSION);
    if (command === "--help" || command === "-h") return say(USAGE);
    throw new UsageError(USAGE);
  } catch (wrong) {
    const usage = wrong instanceof UsageError || String((wrong as { code?: unknown }).code).startsWith("ERR_PARSE_ARGS");
    if (!usage) throw wrong;
    process.stderr.write(`mcpgraft: ${(wrong as Error).message}\n`);
    return 2;
  }
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

/** The server that `FILE[:NAME]` names. Without a name there must be just one among its exports. */
export async function load(target: string): Promise<Server> {
  const [, file = target, name] = /^(.+?)(?::([A-Za-z_$][\w$]*))?$/.exec(target) ?? [];
  let module: JsonObject;
  try {
    module = (await import(pathToFileURL(resolve(file)).href)) as JsonObject;
  } catch (wrong) {
    if ((wrong as { code?: unknown }).code === "ERR_MODULE_NOT_FOUND") throw new UsageError((wrong as Error).message);
    throw wrong;
  }
  const exported: JsonObject = { ...(isObject(module["default"]) && !(module["default"] instanceof Server) ? module["default"] : {}), ...module };
  if (name !== undefined) {
    let found = exported[name];
    if (typeof found === "function") found = await (found as () => unknown)(); // a factory
    if (found instanceof Server) return found;
    throw new UsageError(`${file} exports no server named ${JSON.stringify(name)}`);
  }
  const servers = new Set(Object.values(exported).filter((one) => one instanceof Server));
  const [only] = servers;
  if (only !== undefined && servers.size === 1) return only;
  if (servers.size === 0) throw new UsageError(`${file} exports no server: add \`export const server = new Server(...)\``);
  const names = Object.keys(exported).filter((key) => exported[key] instanceof Server && key !== "default");
  throw new UsageError(`${file} exports several servers: name one of ${names.map((one) => `${file}:${one}`).join(", ")}`);
}

async function run(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { transport: { type: "string" }, host: { type: "string" }, port: { type: "string" }, path: { type: "string" } },
  });
  const transport = values.transport ?? process.env["MCP_TRANSPORT"] ?? "stdio";
  const server = await load(only(positionals));
  if (transport === "stdio") {
    await server.stdio();
    return 0;
  }
  if (transport !== "http") throw new UsageError(`--transport must be stdio or http, not ${transport}`);
  const path = values.path ?? process.env["MCP_PATH"] ?? "/mcp";
  const port = Number(values.port ?? process.env["MCP_PORT"] ?? 8000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new UsageError(`--port must be a number up to 65535, not ${values.port}`);
  await listen(server, values.host ?? process.env["MCP_HOST"] ?? "127.0.0.1", port, path);
  return 0;
}

function listen(server: Server, host: string, port: number, path: string): Promise<void> {
  const answer = server.node();
  const own = new Set([path, path.replace(/\/+$/, ""), `${path.replace(/\/+$/, "")}/`]);
  const http = createServer((request, response) => {
    const asked = (request.url ?? "/").split("?", 1)[0] as string;
    if (own.has(asked) || asked.startsWith("/.well-known/oauth-protected-resource")) answer(request, response);
    else response.writeHead(404, { "Content-Type": "text/plain; charset=utf-8" }).end("not found\n");
  });
  const stop = (): void => {
    http.close();
    void server.close().then(() => http.closeAllConnections());
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return new Promise((done, fail) => {
    http.once("error", fail).once("close", done);
    http.listen(port, host, () => {
      const { address, port: bound } = http.address() as AddressInfo;
      process.stderr.write(`mcpgraft: http://${address.includes(":") ? `[${address}]` : address}:${bound}${path}\n`);
    });
  });
}

async function inspect(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "boolean" }, era: { type: "string" }, lint: { type: "boolean" } },
  });
  const server = await load(only(positionals));
  if (values.lint === true) return problems(server, values.json === true);
  const client = await connect(server, { era: eraOf(values.era) });
  const lists: Record<string, JsonObject[]> = {};
  const ask = { tools: "listTools", resources: "listResources", templates: "listTemplates", prompts: "listPrompts" } as const;
  for (const [name, method] of Object.entries(ask)) {
    try {
      lists[name] = await client[method]();
    } catch (wrong) {
      if (!(wrong instanceof ProtocolError)) throw wrong;
      lists[name] = []; // not offered
    }
  }
  if (values.json === true) return say(JSON.stringify(lists, null, 2));
  for (const [name, items] of Object.entries(lists)) {
    if (items.length === 0) continue;
    const bytes = Buffer.byteLength(JSON.stringify(items));
    say(`${name}: ${items.length}, ${bytes} bytes, about ${Math.ceil(bytes / BYTES_PER_TOKEN)} tokens`);
    for (const one of items) {
      const key = String(one["uri"] ?? one["uriTemplate"] ?? one["name"]);
      const words = String(one["description"] ?? "").split("\n", 1)[0];
      say(`  ${key}  ${Buffer.byteLength(JSON.stringify(one))} bytes  ${words}`);
    }
  }
  return 0;
}

function problems(server: Server, asJson: boolean): number {
  const found = server.lint();
  const errors = found.filter(({ severity }) => severity === "error").length;
  if (asJson) say(JSON.stringify(found, null, 2));
  else {
    for (const one of found) say(String(one));
    say(found.length > 0 ? `${found.length} problems, ${errors} of them errors` : "nothing that a known client refuses");
  }
  return errors > 0 ? 1 : 0;
}

async function call(args: string[]): Promise<number> {
  const { positionals, values } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: "string" }, era: { type: "string" } },
  });
  const [target, tool, ...pairs] = positionals;
  if (target === undefined || tool === undefined) throw new UsageError(USAGE);
  const client = await connect(await load(target), { era: eraOf(values.era) });
  const definition = (await client.listTools()).find((one) => one["name"] === tool);
  if (definition === undefined) throw new UsageError(`there is no tool ${JSON.stringify(tool)}; see mcpgraft inspect`);
  const given = values.json === undefined ? {} : objectOf(values.json === "-" ? await readAll(process.stdin) : values.json);
  const schema = definition["inputSchema"] as JsonObject;
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw new UsageError(`${pair}: arguments are written KEY=VALUE`);
    const key = pair.slice(0, at);
    given[key] = valueOf(pair.slice(at + 1), properties[key]);
  }
  try {
    const result = await client.call(tool, given);
    say(JSON.stringify(result, null, 2));
    return result["isError"] === true ? 1 : 0;
  } catch (wrong) {
    if (!(wrong instanceof ProtocolError)) throw wrong;
    process.stderr.write(`mcpgraft: ${wrong.message}\n`);
    return 1;
  }
}

// A text, or JSON where the schema wants more.
function valueOf(text: string, schema: unknown): unknown {
  if (isObject(schema) && schema["type"] === "string") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function objectOf(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // said below
  }
  throw new UsageError("--json takes one JSON object");
}

function eraOf(era: string | undefined): "modern" | "legacy" {
  if (era === undefined || era === "modern" || era === "legacy") return era ?? "modern";
  throw new UsageError(`--era must be modern or legacy, not ${era}`);
}

function only(positionals: string[]): string {
  const [target, ...more] = positionals;
  if (target === undefined || more.length > 0) throw new UsageError(USAGE);
  return target;
}

if (require.main === module) {
  main(process.argv.slice(2)).then(
    (status) => {
      process.exitCode = status;
    },
    (error: unknown) => {
      console.error(error);
      process.exitCode = 1;
    },
  );
}
