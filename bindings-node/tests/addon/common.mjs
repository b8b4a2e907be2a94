// What the tests of the addon share: a small server, messages, and one of every object.
import { createRequire } from "node:module";

export const require = createRequire(import.meta.url);

export const INFO = JSON.stringify({ name: "addon", version: "1.0.0" });
export const RESULT = JSON.stringify({ content: [{ type: "text", text: "3" }] });
export const TOOL = JSON.stringify({ name: "add", inputSchema: { type: "object" } });

const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientCapabilities": { extensions: { "io.modelcontextprotocol/tasks": {} } },
};
export const CALL = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: { name: "add", arguments: { a: 1, b: 2 }, _meta: META },
});
export const LISTEN = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "subscriptions/listen",
  params: { notifications: { toolsListChanged: true }, _meta: META },
});
export const INITIALIZE = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "t", version: "1" } },
});
export const BATCH = JSON.stringify([
  { jsonrpc: "2.0", id: 1, method: "ping" },
  { jsonrpc: "2.0", id: 2, method: "tools/call", params: { name: "add", arguments: {} } },
]);

const headers = (method, name) => [
  ["Content-Type", "application/json"],
  ["Accept", "application/json, text/event-stream"],
  ["MCP-Protocol-Version", "2026-07-28"],
  ["Mcp-Method", method],
  ...(name ? [["Mcp-Name", name]] : []),
];

/** A server with one tool. */
export function core(native) {
  const made = new native.Core(INFO, { options: { listChanged: true, logging: true } });
  made.put("tool", TOOL);
  return made;
}

/** An exchange that has accepted a call, and the call. */
export function exchange(native) {
  const made = core(native).exchange("POST", headers("tools/call", "add"), { listen: true });
  made.gate();
  return { exchange: made, call: made.accept(CALL).call };
}

export function listener(native) {
  const made = core(native).exchange("POST", headers("subscriptions/listen"), { listen: true });
  made.gate();
  return made.accept(LISTEN).listener;
}

export function batch(native) {
  const session = core(native).session();
  session.accept(INITIALIZE);
  return { session, batch: session.accept(BATCH).batch };
}

export function task(native) {
  const { call } = core(native).session().accept(CALL);
  return call.newTask("a-task-that-nobody-guesses", { now: 1 });
}
