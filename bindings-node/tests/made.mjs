// One of each of the addon's objects, and ways through it; for the tests of the addon itself.
const INFO = JSON.stringify({ name: "s", version: "1" });
const FORM = { kind: "form", message: "?", schema: '{"type":"object","properties":{}}' };
export const NOW = 1_800_000_000_000;
const NONCE = new Uint8Array(24);

const rpc = (id, method, params) => JSON.stringify({ jsonrpc: "2.0", id, method, params });
const META = {
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "c", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": { elicitation: {}, extensions: { "io.modelcontextprotocol/tasks": {} } },
};

/** A `tools/call` of 2026-07-28. */
export const call = (id = 1) => rpc(id, "tools/call", { name: "echo", arguments: { text: "hällo" }, _meta: { ...META, progressToken: id } });

export const head = (name = "echo") => [
  ["Host", "localhost"],
  ["Content-Type", "application/json"],
  ["Accept", "application/json, text/event-stream"],
  ["MCP-Protocol-Version", "2026-07-28"],
  ["Mcp-Method", "tools/call"],
  ["Mcp-Name", name],
];

export const RESULT = '{"content":[{"type":"text","text":"hällo"}]}';

/** A core with one tool. */
export function core(native) {
  const made = new native.Core(INFO, {
    instructions: "i",
    options: { logging: true, listChanged: true, subscribe: true, extensions: '{"io.modelcontextprotocol/tasks":{}}' },
  });
  made.put("tool", JSON.stringify({ name: "echo", inputSchema: { type: "object" } }));
  return made;
}

/** An exchange with a call in work. */
export function exchange(native, from = core(native)) {
  const made = from.exchange("POST", head());
  const refusal = made.gate();
  if (refusal !== null) throw new Error(`${refusal.status} ${refusal.body}`);
  const step = made.accept(call());
  if (step.call === null) throw new Error(`${step.reply?.status} ${step.reply?.body}`);
  return { exchange: made, step, call: step.call };
}

/** Makers by class: each object fresh, with everything behind it. */
export const makers = {
  Core: core,
  Session: (native) => core(native).session(),
  Framer: (native) => new native.Framer(),
  Exchange: (native) => exchange(native).exchange,
  HttpStep: (native) => exchange(native).step,
  Call: (native) => exchange(native).call,
  Emit(native) {
    const { exchange: one, call: made } = exchange(native);
    return one.reply(made.key, RESULT);
  },
  Reply: (native) => core(native).exchange("PUT", head()).gate(),
  Step: (native) => core(native).session().accept(call()),
  Batch(native) {
    const session = core(native).session();
    session.accept(rpc(0, "initialize", { protocolVersion: "2025-03-26", capabilities: {}, clientInfo: { name: "c", version: "1" } }));
    session.accept('{"jsonrpc":"2.0","method":"notifications/initialized"}');
    return session.accept(`[${rpc(1, "ping")},${rpc(2, "tools/call", { name: "echo", arguments: {} })}]`).batch;
  },
  Listener(native) {
    const listening = rpc(1, "subscriptions/listen", { notifications: { toolsListChanged: true }, _meta: META });
    const headers = head().map(([name, value]) => [name, name === "Mcp-Method" ? "subscriptions/listen" : value]);
    const one = core(native).exchange("POST", headers.filter(([name]) => name !== "Mcp-Name"), { listen: true });
    one.gate();
    const step = one.accept(listening);
    if (step.listener === null) throw new Error(`${step.reply?.status} ${step.reply?.body}`);
    return step.listener;
  },
  Task: (native) => exchange(native).call.newTask("t1", { owner: null, now: NOW, ttlMs: 1000, pollMs: 10 }),
  Pace: (native) => core(native).pace(),
  Keys: (native) => new native.Keys([new Uint8Array(32), "an older secret of thirty-two bytes"]),
  Validator: (native) => new native.Validator('{"type":"object","properties":{"n":{"type":"integer"}}}'),
};

/** Good arguments of every function that takes any, by class and name. */
export const GOOD = {
  Core: {
    put: ["tool", '{"name":"t","inputSchema":{"type":"object"}}'],
    remove: ["tool", "t"],
    keys: ["tool"],
    get: ["tool", "echo"],
    exchange: ["POST", head(), { peer: "127.0.0.1", stream: true, listen: false, events: null }],
    begin: ["POST", head().flat(), { peer: "127.0.0.1", listen: false, events: null, body: call() }],
  },
  Call: { newTask: ["t", { owner: null, now: NOW, ttlMs: null, pollMs: null }] },
  Session: {
    accept: [rpc(1, "ping", { _meta: META })],
    feed: [`${call()}\n`],
    reply: [1, RESULT],
    say: [1, "said"],
    fail: [1, "custom", "m", { code: 5, data: "{}" }],
    progress: [1, 0.5, 1, "m"],
    log: [null, "info", "1", "l"],
    listChanged: ["tools"],
    resourceUpdated: ["u://1"],
    notify: ["notifications/x", "{}"],
    canAsk: [1, FORM],
    ask: [1, FORM],
    giveUp: [1],
    requireInput: [1, [["a", FORM]], "s"],
    elicitationComplete: ["e"],
    isCancelled: [1],
  },
  Framer: { feed: ["a\nb"] },
  Listener: { listChanged: ["tools"], resourceUpdated: ["u://1", null] },
  Pace: { admits: [1, 2, { now: NOW }] },
  Task: {
    belongsTo: [null],
    isOf: ["2026-07-28"],
    canAsk: [FORM],
    say: ["m", { now: NOW }],
    requireInput: [[["a", FORM]], { now: NOW }],
    update: ["{}", { now: NOW }],
    complete: [RESULT, { now: NOW }],
    fail: ["tool", "m", { now: NOW }],
    cancel: [{ now: NOW }],
  },
  Exchange: {
    accept: [call(2), null],
    reply: [1, RESULT],
    say: [1, "said"],
    fail: [1, "tool", "m", null],
    progress: [1, 0.5, 1, "m"],
    beginStream: [1],
    log: [1, "info", "1", "l"],
    canAsk: [1, FORM],
    ask: [1, "a", FORM],
    giveUp: [1, "a"],
    elicitationComplete: [1, "e"],
    requireInput: [1, [["a", FORM]], "s"],
    openStream: [1],
    closeStream: [1, 5],
    resumeListening: [1],
    cancel: ["1"],
    refuse: [403, [["X-A", "b"]], "no"],
    isCancelled: [1],
  },
  Keys: {
    seal: ["p", "plain", NONCE],
    open: ["p", "sealed"],
    sealState: ["m", "t", "{}", { principal: null, round: 1, kept: "k", now: 1, ttl: 2, nonce: NONCE }],
    openState: ["m", "t", "{}", null, "sealed", { now: 1 }],
  },
  Validator: { check: ['{"n":1}'] },
};

/** Functions that take nothing. */
export const BARE = {
  Core: ["session", "framer", "pace"],
  Session: ["tooLong", "endListening", "abandon", "hold", "take", "next"],
  Framer: ["finish"],
  Batch: ["next"],
  Listener: ["end"],
  Task: ["save", "created", "detailed", "acknowledged", "outcome", "questions"],
  Exchange: ["gate", "next", "refuseResume", "abandon", "close", "release"],
};

/** Functions that take a task besides: it is made anew each time. */
export const WITH_TASK = {
  Session: { taskChanged: (task) => [task, null], taskProgress: (task) => [task, 1, 2, "m"] },
  Listener: { taskChanged: (task) => [task, null] },
  Exchange: { taskProgress: (task) => [1, task, 1, 2, "m"] },
};

/** Every function of a class, with good arguments. */
export function* functions(native) {
  for (const [name, make] of Object.entries(makers)) {
    for (const one of BARE[name] ?? []) yield { name, one, make, given: [] };
    for (const [one, given] of Object.entries(GOOD[name] ?? {})) yield { name, one, make, given };
    for (const [one, given] of Object.entries(WITH_TASK[name] ?? {})) yield { name, one, make, given: given(makers.Task(native)) };
  }
}
