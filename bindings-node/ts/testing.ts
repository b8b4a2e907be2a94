/**
 * A client for tests. No socket, but real bytes: what it sends and gets is what goes over a wire.
 *
 *     const client = await connect(server);                           // newest revision, over HTTP
 *     const client = await connect(server, { era: "legacy" });        // with the handshake
 *     const client = await connect(server, { transport: "stdio" });
 *     const result = await client.call("search_policies", { query: "leave" });
 */

import type { Auth } from "./auth.js";
import { Connection } from "./connection.js";
import { handle } from "./http.js";
import { isObject, type JsonObject } from "./json.js";
import { REVISIONS, SESSION_HEADER } from "./native.js";
import { McpRequest, type HeaderList } from "./request.js";
import type { Server } from "./server.js";
import type { Sink } from "./sink.js";

const META = "io.modelcontextprotocol/";
const NAMED: Record<string, string> = {
  "tools/call": "name", "prompts/get": "name", "resources/read": "uri",
  "tasks/get": "taskId", "tasks/update": "taskId", "tasks/cancel": "taskId",
};
const MOST_ROUNDS = 20;

/** The server answered with a JSON-RPC error. */
export class ProtocolError extends Error {
  readonly code: number;
  readonly data: any;

  constructor(
    error: JsonObject,
    /** HTTP status; undefined on stdio. */
    readonly status?: number,
  ) {
    super(`${error["code"]}: ${error["message"]}`);
    this.name = "ProtocolError";
    this.code = Number(error["code"]);
    this.data = error["data"];
  }
}

/** The server answered with HTTP that holds no answer, such as 401. */
export class HttpError extends Error {
  readonly status: number;

  constructor(readonly answer: RawAnswer) {
    super(`HTTP ${answer.status}: ${answer.body.toString("utf8", 0, 200)}`);
    this.name = "HttpError";
    this.status = answer.status;
  }
}

/** A response as it went over the wire. */
export class RawAnswer {
  constructor(
    readonly status: number,
    readonly headers: HeaderList,
    readonly body: Buffer,
  ) {}

  /** The first header of that name. */
  header(name: string): string | undefined {
    return this.headers.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  }

  /** The JSON-RPC messages in it: of one JSON body, or of an event stream. */
  get messages(): JsonObject[] {
    const kind = this.header("content-type") ?? "";
    const text = this.body.toString("utf8");
    if (kind.startsWith("text/event-stream")) return events(text);
    if (text === "" || !kind.includes("json")) return [];
    const value: unknown = JSON.parse(text);
    return (Array.isArray(value) ? value : [value]) as JsonObject[];
  }
}

function events(text: string): JsonObject[] {
  return text.replaceAll("\r\n", "\n").split("\n\n").flatMap((event) => {
    const data = event.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim()).join("\n");
    return data === "" ? [] : [JSON.parse(data) as JsonObject];
  });
}

/** Answers what the server asks. Each may be async. What is missing is not declared as a capability. */
export interface Answers {
  /** A form: what to fill in (accept), or the whole `ElicitResult`. */
  elicit?: (params: JsonObject) => unknown;
  /** An address: an action; `accept` unless something else is returned. */
  elicitUrl?: (params: JsonObject) => unknown;
  /** A text, or the whole `CreateMessageResult`. */
  sample?: (params: JsonObject) => unknown;
  /** URIs, or roots. */
  roots?: () => unknown;
}

/** How a test client connects. */
export interface ClientOptions {
  /** `modern` sends the envelope with every request; `legacy` shakes hands first. */
  era?: "modern" | "legacy";
  /** Default: the newest one of the era. */
  revision?: string;
  /** `http` goes through the gate, auth and exchange; `stdio` through a session. */
  transport?: "http" | "stdio";
  /** Sent with every HTTP request, for example an API key. */
  headers?: Record<string, string>;
  /** As a mount's `auth`: overrides the server's own. */
  auth?: Auth;
  /** What the server takes for its URL. */
  url?: string;
  /** Address the requests come from. */
  peer?: string;
  /** The client's declared capabilities; made of `answers` unless given. */
  capabilities?: JsonObject;
  /** Ask for progress with every request; see `Client.notifications`. */
  progress?: boolean;
  /** Ask for log messages from this level on. */
  logLevel?: string;
  /** On stdio: what handlers see as `Context.principal`. */
  principal?: unknown;
  /** Answers what the server asks. */
  answers?: Answers;
}

/** Connect to a server object. */
export async function connect(server: Server, options: ClientOptions = {}): Promise<Client> {
  const client = new Client(server, options);
  await client.open();
  return client;
}

/** Speaks to a server object. Answers are plain objects; protocol errors are thrown. Made by `connect`. */
export class Client {
  /** The revision that is spoken. */
  revision: string;
  /** All notifications that came so far, oldest first. */
  readonly notifications: JsonObject[] = [];
  /** Result of the handshake (legacy). */
  serverInfo: JsonObject = {};
  /** Id of the session, where the server keeps one. */
  sessionId: string | undefined;
  readonly #server: Server;
  readonly #options: ClientOptions;
  readonly #modern: boolean;
  readonly #capabilities: JsonObject;
  readonly #duplex: Duplex | undefined;
  #ids = 0;

  constructor(server: Server, options: ClientOptions) {
    this.#server = server;
    this.#options = options;
    this.#modern = options.era !== "legacy";
    this.revision = options.revision ?? (REVISIONS[this.#modern ? 0 : 1] as string);
    this.#capabilities = options.capabilities ?? capabilitiesOf(options.answers ?? {});
    this.#duplex = options.transport === "stdio" ? new Duplex(server, options.principal, (message) => this.#hear(message)) : undefined;
  }

  /** Shake hands, in the handshake era. */
  async open(): Promise<void> {
    if (this.#modern) return;
    const clientInfo = { name: "mcpgraft-test-client", version: "0" };
    this.serverInfo = await this.request("initialize", { protocolVersion: this.revision, capabilities: this.#capabilities, clientInfo });
    this.revision = String(this.serverInfo["protocolVersion"]);
    await this.notify("notifications/initialized");
    if (this.#options.logLevel !== undefined) await this.request("logging/setLevel", { level: this.#options.logLevel });
  }

  /** All tools, over all pages. */
  listTools(): Promise<JsonObject[]> {
    return this.#all("tools/list", "tools");
  }

  /** All resources, over all pages. */
  listResources(): Promise<JsonObject[]> {
    return this.#all("resources/list", "resources");
  }

  /** All resource templates, over all pages. */
  listTemplates(): Promise<JsonObject[]> {
    return this.#all("resources/templates/list", "resourceTemplates");
  }

  /** All prompts, over all pages. */
  listPrompts(): Promise<JsonObject[]> {
    return this.#all("prompts/list", "prompts");
  }

  /** Call a tool; the result may have `isError`. */
  call(name: string, args: JsonObject = {}): Promise<any> {
    return this.request("tools/call", { name, arguments: args });
  }

  /** Read a resource. */
  read(uri: string): Promise<any> {
    return this.request("resources/read", { uri });
  }

  /** Get a prompt. */
  get(name: string, args: Record<string, string> = {}): Promise<any> {
    return this.request("prompts/get", { name, arguments: args });
  }

  /** Ask for values of an argument of a prompt, or of a resource template (`ref` has `://`). */
  async complete(ref: string, argument: string, value = "", resolved?: Record<string, string>): Promise<any> {
    const kind = ref.includes("://") ? { type: "ref/resource", uri: ref } : { type: "ref/prompt", name: ref };
    const context = resolved === undefined ? {} : { context: { arguments: resolved } };
    return (await this.request("completion/complete", { ref: kind, argument: { name: argument, value }, ...context }))["completion"];
  }

  /**
   * Send a request and give its result. With `answers` the server's questions are answered on the way; without,
   * `input_required` is a result.
   *
   * @throws ProtocolError, HttpError
   */
  async request(method: string, params: JsonObject = {}): Promise<JsonObject> {
    let full = params;
    for (let round = 0; round < MOST_ROUNDS; round += 1) {
      const result = await this.#request(method, full);
      if (this.#options.answers === undefined || result["resultType"] !== "input_required") return result;
      const responses: JsonObject = {};
      for (const [key, ask] of Object.entries(result["inputRequests"] as JsonObject)) {
        const { method: asked, params: given } = ask as { method: string; params?: JsonObject };
        responses[key] = await answerTo(this.#options.answers, asked, given ?? {});
      }
      const { requestState } = result;
      full = { ...params, inputResponses: responses, ...(requestState === undefined ? {} : { requestState }) };
    }
    throw new Error(`${method} asked ${MOST_ROUNDS} times`);
  }

  /** Send a notification. */
  async notify(method: string, params?: JsonObject): Promise<void> {
    await this.raw(JSON.stringify({ jsonrpc: "2.0", method, params }), { headers: this.#head(method, {}) });
  }

  /** Send bytes as they are and give what came back as it is. `headers` replace the ones the client would send. */
  async raw(
    body: string | Uint8Array,
    options: { method?: string; headers?: Record<string, string>; onMessage?: (message: JsonObject) => void } = {},
  ): Promise<RawAnswer> {
    if (this.#duplex !== undefined) return this.#duplex.send(body);
    const bytes = Buffer.from(body as string);
    const headers = Object.entries(options.headers ?? this.#head("", {}));
    if (!headers.some(([name]) => name.toLowerCase() === "content-length")) headers.push(["content-length", String(bytes.length)]);
    const url = this.#options.url ?? "http://localhost/mcp";
    const request = new McpRequest({ method: options.method ?? "POST", headers, peer: this.#options.peer ?? "127.0.0.1", url });
    const sink = new TestSink(options.onMessage ?? (() => undefined));
    const { auth } = this.#options;
    await handle(this.#server, request, bytes, sink, auth === undefined ? {} : { auth });
    return sink.raw();
  }

  async #request(method: string, params: JsonObject): Promise<JsonObject> {
    this.#ids += 1;
    const id = this.#ids;
    const full = this.#enveloped(params, id);
    const message = JSON.stringify({ jsonrpc: "2.0", id, method, ...(Object.keys(full).length > 0 || this.#modern ? { params: full } : {}) });
    const answer = await this.raw(message, { headers: this.#head(method, params), onMessage: (one) => this.#hear(one) });
    const session = answer.header(SESSION_HEADER);
    if (session !== undefined) this.sessionId = session;
    if (!(answer.header("content-type") ?? "").startsWith("text/event-stream")) answer.messages.forEach((one) => this.#hear(one));
    const found = answer.messages.find((one) => isObject(one) && one["id"] === id && !("method" in one) && "jsonrpc" in one);
    const failed = found ?? answer.messages.find((one) => isObject(one["error"]) && "jsonrpc" in one);
    if (isObject(failed?.["error"])) throw new ProtocolError(failed["error"], this.#duplex === undefined ? answer.status : undefined);
    if (found === undefined) throw new HttpError(answer);
    return found["result"] as JsonObject;
  }

  // A message that is no answer: a notification is kept, a question is answered.
  #hear(message: JsonObject): void {
    const { method, id, params } = message;
    if (typeof method !== "string") return;
    if (id === undefined) {
      this.notifications.push(message);
      return;
    }
    const { answers } = this.#options;
    if (answers === undefined) return;
    void answerTo(answers, method, (params ?? {}) as JsonObject).then(
      (result) => this.raw(JSON.stringify({ jsonrpc: "2.0", id, result })),
      (error: Error) => this.raw(JSON.stringify({ jsonrpc: "2.0", id, error: { code: -1, message: error.message } })),
    );
  }

  #enveloped(params: JsonObject, id: number): JsonObject {
    const meta: JsonObject = { ...(params["_meta"] as JsonObject | undefined) };
    if (this.#modern) {
      meta[`${META}protocolVersion`] ??= this.revision;
      meta[`${META}clientInfo`] ??= { name: "mcpgraft-test-client", version: "0" };
      meta[`${META}clientCapabilities`] ??= this.#capabilities;
      if (this.#options.logLevel !== undefined) meta[`${META}logLevel`] ??= this.#options.logLevel;
    }
    if (this.#options.progress === true) meta["progressToken"] ??= id;
    return Object.keys(meta).length > 0 ? { ...params, _meta: meta } : params;
  }

  #head(method: string, params: JsonObject): Record<string, string> {
    const head: Record<string, string> = {
      Host: new URL(this.#options.url ?? "http://localhost/mcp").host,
      "Content-Type": "application/json",
      Accept: "application/json, text/event-stream",
    };
    if (method !== "initialize") head["MCP-Protocol-Version"] = this.revision;
    if (this.sessionId !== undefined) head[SESSION_HEADER] = this.sessionId;
    const named = params[NAMED[method] ?? ""];
    if (this.#modern && method !== "") {
      head["Mcp-Method"] = method;
      if (typeof named === "string") head["Mcp-Name"] = headerText(named);
    }
    return { ...head, ...this.#options.headers };
  }

  async #all(method: string, field: string): Promise<JsonObject[]> {
    const found: JsonObject[] = [];
    let cursor: unknown;
    do {
      const page: JsonObject = await this.request(method, cursor === undefined ? {} : { cursor });
      found.push(...(page[field] as JsonObject[]));
      cursor = page["nextCursor"];
    } while (cursor !== undefined);
    return found;
  }
}

// What cannot stand in a header as it is travels in base64 (basic/transports of 2026-07-28, "Custom Headers").
function headerText(text: string): string {
  if (/^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?")) return text;
  return `=?base64?${Buffer.from(text).toString("base64")}?=`;
}

function capabilitiesOf(answers: Answers): JsonObject {
  const modes = { ...(answers.elicit && { form: {} }), ...(answers.elicitUrl && { url: {} }) };
  return {
    ...(Object.keys(modes).length > 0 && { elicitation: modes }),
    ...(answers.sample && { sampling: {} }),
    ...(answers.roots && { roots: {} }),
  };
}

async function answerTo(answers: Answers, method: string, params: JsonObject): Promise<JsonObject> {
  if (method === "elicitation/create" && params["mode"] === "url") {
    const said = await answers.elicitUrl?.(params);
    return isObject(said) ? said : { action: typeof said === "string" ? said : "accept" };
  }
  if (method === "elicitation/create" && answers.elicit !== undefined) {
    const said = await answers.elicit(params);
    return isObject(said) && typeof said["action"] === "string" ? said : { action: "accept", content: said };
  }
  if (method === "sampling/createMessage" && answers.sample !== undefined) {
    const said = await answers.sample(params);
    return isObject(said) ? said : { role: "assistant", model: "test", content: { type: "text", text: String(said) } };
  }
  if (method === "roots/list" && answers.roots !== undefined) {
    const said = (await answers.roots()) as unknown[];
    return isObject(said) ? said : { roots: said.map((one) => (typeof one === "string" ? { uri: one } : one)) };
  }
  throw new Error(`the test client has no answer to ${method}`);
}

class TestSink implements Sink {
  #status = 0;
  #headers: HeaderList = [];
  readonly #parts: Buffer[] = [];
  readonly #hear: (message: JsonObject) => void;

  constructor(hear: (message: JsonObject) => void) {
    this.#hear = hear;
  }

  answer(status: number, headers: HeaderList, body: Buffer | string): void {
    [this.#status, this.#headers] = [status, headers];
    this.#parts.push(Buffer.from(body as string));
  }

  start(status: number, headers: HeaderList): void {
    [this.#status, this.#headers] = [status, headers];
  }

  write(data: Buffer): void {
    this.#parts.push(data);
    events(data.toString("utf8")).forEach((one) => this.#hear(one));
  }

  end(): void {
    // Whoever waits for the response sees it when the server is done with it.
  }

  waiting(): number {
    return 0;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  onGone(): void {
    // A test client does not go away.
  }

  raw(): RawAnswer {
    return new RawAnswer(this.#status, this.#headers, Buffer.concat(this.#parts));
  }
}

/** The other end of a duplex channel. */
class Duplex {
  readonly #connection: Connection;
  #lines: Buffer[] = [];
  /** How many sends wait for what they are answered with. */
  #open = 0;

  constructor(server: Server, principal: unknown, hear: (message: JsonObject) => void) {
    this.#connection = Connection.overMessages(
      server,
      (message) => {
        this.#lines.push(message);
        const value = JSON.parse(message.toString("utf8")) as JsonObject;
        if ("method" in value) hear(value);
      },
      new McpRequest({ principal }),
    );
  }

  async send(body: string | Uint8Array): Promise<RawAnswer> {
    if (this.#open === 0) this.#lines = []; // nobody waits for what came before
    const before = this.#lines.length;
    this.#open += 1;
    try {
      await this.#connection.take(typeof body === "string" ? body : Buffer.from(body));
    } finally {
      this.#open -= 1;
    }
    const lines = this.#lines.slice(before).map((line) => `data: ${line.toString("utf8")}\n\n`);
    return new RawAnswer(0, [["content-type", "text/event-stream"]], Buffer.from(lines.join("")));
  }
}
