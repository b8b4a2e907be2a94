// From the bytes of a request to the bytes of its answer in one process: what ours and the peers in Node share. Prints lines of
// JSON, as the load generator does.
export const HANDSHAKE = "2025-11-25";
export const STATELESS = "2026-07-28";
const clientInfo = { name: "inproc", version: "1" };
const meta = {
  "io.modelcontextprotocol/protocolVersion": STATELESS,
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": clientInfo,
};
export const initialize = JSON.stringify({
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: { protocolVersion: HANDSHAKE, capabilities: {}, clientInfo },
});
export const initialized = '{"jsonrpc":"2.0","method":"notifications/initialized"}';
const asked = {
  add: { method: "tools/call", params: { name: "add", arguments: { a: 1, b: 2 } } },
  "tools/list": { method: "tools/list", params: {} },
};
export const requests = Object.keys(asked);

/** One request of the workload, as text. */
export function message(name, era) {
  const { method, params } = asked[name];
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: era === STATELESS ? { ...params, _meta: meta } : params });
}

/** What a client says beside it over HTTP. */
export function headers(name, era) {
  const said = { "content-type": "application/json", accept: "application/json, text/event-stream", "mcp-protocol-version": era };
  if (era === STATELESS) said["mcp-method"] = asked[name].method;
  if (era === STATELESS && name === "add") said["mcp-name"] = "add";
  return said;
}

const valid = (answer) => {
  const text = Buffer.from(answer).toString();
  if (!text.includes('"result"') || text.includes('"isError":true')) throw new Error(text.slice(0, 400));
  return Buffer.byteLength(text);
};

/** CPU time of one request in microseconds, the best of some rounds. `many` makes so many, and resolves when all are answered. */
export async function best(many, ms = 60, rounds = 7, first = 50) {
  const spent = async (times) => {
    const begin = process.cpuUsage();
    await many(times);
    const { user, system } = process.cpuUsage(begin);
    return user + system;
  };
  let [times, took] = [first, 0];
  while (took < ms * 1000) {
    times *= 2;
    took = await spent(times);
  }
  let least = took;
  for (let n = 0; n < rounds; n += 1) least = Math.min(least, await spent(times));
  return least / times;
}

/** Prints what one kind of request costs. */
export async function say(way, era, request, many, answer) {
  const bytes = valid(answer);
  console.log(JSON.stringify({ way, era, request, cpu_us: Math.round((await best(many)) * 1000) / 1000, bytes }));
}

/** A fetch handler: from a request of its own to the text of the response. */
export async function overFetch(fetch, eras = [HANDSHAKE, STATELESS]) {
  for (const era of eras) {
    for (const name of requests) {
      const [said, body] = [headers(name, era), Buffer.from(message(name, era))];
      const once = async () => {
        const response = await fetch(new Request("http://127.0.0.1:8000/mcp", { method: "POST", headers: said, body }));
        return response.arrayBuffer();
      };
      const many = async (times) => {
        for (let n = 0; n < times; n += 1) await once();
      };
      await say("HTTP", era, name, many, await once());
    }
  }
}

/** CPU time of registering one of so many tools, in microseconds. */
export function register(count, put) {
  const begin = process.cpuUsage();
  for (let n = 0; n < count; n += 1) put(`tool_${String(n).padStart(4, "0")}`, `Does nothing much, number ${n}.`);
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / count;
}

/** Prints what a catalogue of so many tools costs: to register one, and to list all. `ask` gives the answer to tools/list. */
export async function sayTools(count, registerUs, ask) {
  const answer = await ask();
  const many = async (times) => {
    for (let n = 0; n < times; n += 1) await ask();
  };
  const bytes = valid(answer);
  // Pages would make a long list look cheap.
  const listed = Buffer.from(answer).toString().split('"inputSchema"').length - 1;
  if (listed !== count) throw new Error(`${listed} tools in one answer`);
  const line = { tools: count, register_us: Math.round(registerUs * 100) / 100, cpu_us: await best(many, 60, 3, 1), bytes };
  console.log(JSON.stringify(line));
}
