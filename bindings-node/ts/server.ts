/** The server a user writes: registration, options, hooks, and ways into the hosts. */

import type { Auth } from "./auth.js";
import { Catalogue } from "./catalogue.js";
import type { Completion } from "./content.js";
import type { Context } from "./context.js";
import { RegistrationError } from "./errors.js";
import { fastifyPlugin, type FastifyPlugin } from "./fastify.js";
import { fetchHandler, type FetchHandler } from "./fetch.js";
import type { MountOptions } from "./http.js";
import { Hub } from "./hub.js";
import { dumps, type JsonObject } from "./json.js";
import { KeyRing } from "./keys.js";
import { lint, type Problem } from "./lint.js";
import { LowLevel, type ModuleScope, type RequestHandler } from "./lowlevel.js";
import type { Middleware } from "./middleware.js";
import type { Call, Core, CoreOptions } from "./native.js";
import { nodeHandler, type NodeHandler } from "./node-http.js";
import type {
  Described, Later, PromptOptions, PromptValue, ResourceOptions, ResourceValue, ServerInfo, ServerOptions, ToolHandler, ToolOptions,
  Variables,
} from "./options.js";
import {
  CompletionEntry, listedArguments, MethodEntry, PromptEntry, ResourceEntry, ToolEntry,
  type CompletionRequest, type Entry, type Guard, type Handler,
} from "./registry.js";
import type { Repair } from "./repair.js";
import { compileSchema, type Compiled, type Schema } from "./schema.js";
import { Events } from "./events.js";
import { sessionsOf, type Sessions } from "./sessions.js";
import type { Output } from "./standard.js";
import { runStdio, type StdioOptions } from "./stdio.js";
import { lists } from "./task-result.js";
import { EXTENSION, Tasks } from "./tasks.js";

const NO_ARGUMENTS: JsonObject = { type: "object", additionalProperties: false };

/**
 * A set of tools, resources and prompts under one name. It opens nothing by itself: mount it in a host, or `stdio()`. Things
 * may be registered and removed while it serves.
 */
export class Server {
  readonly info: ServerInfo;
  readonly limits: Readonly<Record<string, number>>;
  readonly keys: KeyRing;
  readonly sessions: Sessions | undefined;
  /** What was said on streams, as it is kept. */
  readonly events: Events | undefined;
  readonly hub: Hub;
  readonly auth: Auth | undefined;
  readonly hideErrors: boolean;
  readonly askTimeoutMs: number;
  readonly stateTtlMs: number;
  readonly onStateUse: ((nonce: string) => boolean | Promise<boolean>) | undefined;
  readonly listenStreams: number;
  readonly keepAliveMs: number;
  /** Told of every unexpected error. May be set at any time. */
  onerror: ((error: unknown, ctx?: Context) => void) | undefined;
  middlewares: readonly Middleware[] = [];
  /** What runs tools as tasks; undefined until a tool needs it. */
  tasks: Tasks | undefined;
  readonly #catalogue: Catalogue;
  readonly #lowLevel: LowLevel;
  readonly #repairHooks: ((repair: Repair, ctx: Context) => void)[] = [];

  constructor(info: ServerInfo, options: ServerOptions = {}) {
    this.info = info;
    this.auth = options.auth;
    this.hideErrors = options.hideErrors ?? false;
    this.onerror = options.onError;
    this.askTimeoutMs = options.askTimeoutMs ?? 600_000;
    this.stateTtlMs = options.stateTtlMs ?? 600_000;
    this.onStateUse = options.onStateUse;
    this.listenStreams = options.listenStreams ?? 1000;
    this.keepAliveMs = options.keepAliveMs ?? 15_000;
    this.keys = new KeyRing(options.secrets, (message) => console.warn(`mcpgraft: ${message}`));
    this.sessions = sessionsOf(options.sessions, this.keys);
    if (options.events !== undefined && this.sessions === undefined) {
      throw new RegistrationError('events: they belong to sessions; choose some, as in { sessions: "memory" }');
    }
    this.events = options.events && new Events(options.events, (error) => this.report(error));
    this.hub = new Hub(
      info.name,
      options.fanout,
      (error) => this.report(error),
      (id) => this.tasks?.tellHere(id, this),
    );
    const declared = options.capabilities;
    this.limits = { ...options.limits, ...(options.pageItems === undefined ? {} : { pageItems: options.pageItems }) };
    const lists = [declared?.tools, declared?.resources, declared?.prompts].filter((one) => one !== undefined);
    const core: CoreOptions = {
      logging: options.logging ?? (declared === undefined || declared.logging !== undefined),
      completions: declared?.completions !== undefined,
      sessions: this.sessions?.kind ?? "off",
      listChanged: lists.length === 0 || lists.some((one) => one.listChanged === true),
      subscribe: declared?.resources === undefined || declared.resources.subscribe === true,
      ttlMs: options.ttlMs,
      cacheScope: options.cacheScope,
      allowedHosts: options.allowedHosts,
      allowedOrigins: options.allowedOrigins,
      revisions: options.revisions,
    };
    const { instructions } = options;
    const extensions = { ...declared?.extensions };
    const experimental = { ...declared?.experimental };
    this.#catalogue = new Catalogue(
      { info: { ...info }, instructions, limits: { ...this.limits }, options: core, extensions, experimental },
      this.hub,
    );
    this.#lowLevel = new LowLevel(this, this.#catalogue);
    this.tasks = options.tasks;
    if (this.tasks !== undefined) this.#offerTasks(this.tasks);
  }

  // --- tools --------------------------------------------------------------------------------------------------------

  /**
   * Make a function a tool.
   *
   * @param name What it is called by. Clients want letters, digits, `_`, `-` and `.`, at most 128 of them.
   * @param options Its description and schemas.
   * @param handler Gets the arguments as the schema gives them, and a context. It returns a text, a JSON value (sent as text
   *   and as structured content), content, or nothing.
   * @throws RegistrationError The name is taken or not allowed, or a schema is none.
   */
  tool<const S extends Schema | undefined = undefined, O extends Schema | undefined = undefined>(
    name: string,
    options: ToolOptions<S, O>,
    handler: ToolHandler<S, O>,
  ): this {
    if (typeof handler !== "function") throw new RegistrationError(`tool ${JSON.stringify(name)}: the third argument must be its function`);
    this.#unique("tool", name);
    const what = `tool ${JSON.stringify(name)}`;
    const taken = options.input ?? options.inputSchema ?? NO_ARGUMENTS;
    const input = compileSchema(`${what}: input`, taken, "input", options.input && options.inputSchema);
    const promised = options.output ?? options.outputSchema;
    const output = promised && compileSchema(`${what}: output`, promised, "output", options.output && options.outputSchema);
    const entry = new ToolEntry(name, handler as Handler, guards(options.guard), input, output, options.validate ?? true);
    entry.task = this.#catalogue.mode(name, options.task ?? "never");
    if (entry.task !== "never") this.#offerTasks((this.tasks ??= new Tasks()));
    const support = entry.task === "required" ? "required" : "optional";
    this.#catalogue.put("tool", entry, {
      name,
      ...described(options),
      inputSchema: input.schema,
      outputSchema: output?.schema,
      annotations: options.annotations,
      execution: entry.task !== "never" && this.tasks?.experimental === true ? { taskSupport: support } : undefined,
    });
    return this;
  }

  /** Remove a tool. False if there was none of that name. */
  removeTool(name: string): boolean {
    return this.#catalogue.remove("tool", name);
  }

  // --- resources ----------------------------------------------------------------------------------------------------

  /**
   * Put a function behind a URI, or behind all URIs of a template (`dataset://sample/{rows}`).
   *
   * @param handler Gets the variables of the template, and a context (`ctx.name` is the URI). It returns text, bytes,
   *   contents, or a JSON value; undefined or null: there is nothing at this URI.
   * @throws RegistrationError The URI is taken or is none.
   */
  resource<U extends string, const S extends Schema | undefined = undefined>(
    uri: U,
    options: ResourceOptions<S>,
    handler: (variables: S extends undefined ? Variables<U> : Output<S>, ctx: Context) => Later<ResourceValue>,
  ): this {
    const kind = uri.includes("{") ? "template" : "resource";
    this.#unique("resource", uri);
    const input = options.input && compileSchema(`resource ${JSON.stringify(uri)}: input`, options.input, "input");
    const entry = new ResourceEntry(uri, handler as Handler, guards(options.guard), options.mimeType, input as Compiled | undefined);
    this.#catalogue.put(kind, entry, {
      ...(kind === "template" ? { uriTemplate: uri } : { uri, size: options.size }),
      name: options.name ?? uri,
      ...described(options),
      mimeType: options.mimeType,
      annotations: options.annotations,
    });
    return this;
  }

  /** Remove a resource or template by its URI. False if there was none. */
  removeResource(uri: string): boolean {
    return this.#catalogue.remove(uri.includes("{") ? "template" : "resource", uri);
  }

  /** Tell clients that watch `uri` that its content changed. */
  resourceUpdated(uri: string): void {
    this.hub.updated(uri);
  }

  // --- prompts, completions, methods --------------------------------------------------------------------------------

  /** Make a function a prompt; as `tool`. Its arguments are strings. */
  prompt<const S extends Schema | undefined = undefined>(
    name: string,
    options: PromptOptions<S>,
    handler: (args: S extends undefined ? Record<string, string> : Output<S>, ctx: Context) => Later<PromptValue>,
  ): this {
    this.#unique("prompt", name);
    const given = options.input ?? options.inputSchema;
    const input = given && compileSchema(`prompt ${JSON.stringify(name)}: input`, given, "input", options.input && options.inputSchema);
    const listed = options.arguments ?? (input === undefined ? [] : listedArguments(input.schema));
    const entry = new PromptEntry(name, handler as Handler, guards(options.guard), options.description, input, listed);
    this.#catalogue.put("prompt", entry, { name, ...described(options), arguments: listed.length > 0 ? listed : undefined });
    return this;
  }

  /** Remove a prompt. False if there was none of that name. */
  removePrompt(name: string): boolean {
    return this.#catalogue.remove("prompt", name);
  }

  /**
   * Suggest values for an argument of a prompt or template.
   *
   * @param ref Name of the prompt, or the template; undefined: any.
   * @param argument Name of the argument; undefined: any.
   * @param suggest Gets what was typed so far. At most 100 values are sent.
   */
  completion(
    ref: string | undefined,
    argument: string | undefined,
    suggest: (typed: string, request: CompletionRequest, ctx: Context) => Later<readonly string[] | Completion | undefined>,
  ): this {
    this.#catalogue.complete(ref, argument, new CompletionEntry(ref ?? "", suggest));
    return this;
  }

  /** Answer a request method that is not the protocol's own. The handler returns an object. */
  method<const S extends Schema | undefined = undefined>(
    name: string,
    options: { input?: S; guard?: Guard | readonly Guard[] },
    handler: (params: S extends undefined ? any : Output<S>, ctx: Context) => Later<object | undefined>,
  ): this {
    const input = options.input && compileSchema(`method ${JSON.stringify(name)}: input`, options.input, "input");
    const entry = new MethodEntry(name, handler as Handler, guards(options.guard), input as Compiled | undefined);
    this.#catalogue.add(entry, { customMethods: this.#catalogue.methodsWith(name) });
    return this;
  }

  // --- handlers by method -------------------------------------------------------------------------------------------

  /**
   * Answer requests of a method yourself, in the protocol's own shapes: `tools/list`, `tools/call`, `resources/list`,
   * `resources/templates/list`, `resources/read`, `prompts/list`, `prompts/get`, `completion/complete`, or one of your own.
   * Several handlers of one method serve together; see `lowlevel`.
   */
  setRequestHandler(method: string, handler: RequestHandler): this {
    this.#lowLevel.set(method, handler);
    return this;
  }

  /** A part of the server with request handlers of its own; its `tools/call` gets the tools of its `tools/list`. */
  module(name: string): ModuleScope {
    return this.#lowLevel.module(name);
  }

  /**
   * Send a notification: `notifications/tools/list_changed` and its like, `notifications/resources/updated` (to who watches
   * `params.uri`), or one that is not the protocol's own (`acme/changed`: to duplex connections with a handshake).
   *
   * @throws TypeError It is another one of the protocol's own, or it has no `uri`.
   */
  notification(message: { method: string; params?: JsonObject }): void {
    const list = /^notifications\/(tools|resources|prompts)\/list_changed$/.exec(message.method)?.[1];
    const { uri } = message.params ?? {};
    if (list !== undefined) this.hub.changed(list as "tools", true);
    else if (!message.method.startsWith("notifications/")) {
      this.hub.notify(message.method, message.params === undefined ? undefined : dumps(message.params));
    } else if (message.method !== "notifications/resources/updated") {
      throw new TypeError(`${message.method} belongs to a call: use the context of its handler`);
    } else if (typeof uri === "string") this.resourceUpdated(uri);
    else throw new TypeError("notifications/resources/updated needs params.uri");
  }

  // --- hooks --------------------------------------------------------------------------------------------------------

  /** Put a function around every call; see `middleware`. */
  middleware(fn: Middleware): this {
    this.middlewares = [...this.middlewares, fn];
    return this;
  }

  /** Call `fn` for every argument that came in the wrong JSON type and was repaired; see `Repair`. */
  onRepair(fn: (repair: Repair, ctx: Context) => void): this {
    this.#repairHooks.push(fn);
    return this;
  }

  /** Used inside: an argument was repaired. */
  repaired(repair: Repair, ctx: Context): void {
    if (ctx.replay !== undefined) return; // what was repaired once is not news when the handler is run again
    for (const hook of this.#repairHooks) {
      try {
        hook(repair, ctx);
      } catch (wrong) {
        this.report(wrong, ctx);
      }
    }
  }

  /** Report an unexpected error. Never throws. */
  report(error: unknown, ctx?: Context): void {
    const hook = this.onerror;
    if (hook === undefined) {
      const what = ctx === undefined ? "" : ` ${ctx.kind} ${JSON.stringify(ctx.name)} failed:`;
      console.error(`mcpgraft:${what}`, error);
      return;
    }
    try {
      hook(error, ctx);
    } catch (wrong) {
      console.error("mcpgraft: the onerror hook failed:", wrong, "on", error);
    }
  }

  /** What known clients refuse or misread about the registered tools; nothing that is sent changes. Best asked in a test. */
  lint(): Problem[] {
    return lint(this.#catalogue.definitions("tool"));
  }

  /** End the open streams in good order, for a shutdown; nothing else is kept open. */
  async close(): Promise<void> {
    await this.hub.close();
  }

  // --- ways in ------------------------------------------------------------------------------------------------------

  /**
   * A handler for Express 5 and 4: `app.all("/mcp", server.express())`. A body parser may have run before it; then its limit
   * counts too, and ids of requests that are numbers beyond 2^53 come back as JavaScript has them.
   */
  express(options: MountOptions = {}): NodeHandler {
    return nodeHandler(this, options);
  }

  /** A handler for `http.createServer`, Connect and the like; it answers every request it gets. */
  node(options: MountOptions = {}): NodeHandler {
    return nodeHandler(this, options);
  }

  /** A plugin for Fastify 5: `app.register(server.fastify(), { prefix: "/mcp" })`. */
  fastify(options: MountOptions = {}): FastifyPlugin {
    return fastifyPlugin(this, options);
  }

  /** A handler `(Request) => Promise<Response>`, for Hono, Next, Bun and Deno. */
  fetch(options: MountOptions = {}): FetchHandler {
    return fetchHandler(this, options);
  }

  /** Serve on standard input and output until the input ends. */
  stdio(options: StdioOptions = {}): Promise<void> {
    return runStdio(this, options);
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  /** Used inside: the native catalogue. */
  get core(): Core {
    return this.#catalogue.core;
  }

  /** Used inside: what answers a call. */
  entryOf(call: Call): Entry | undefined {
    return this.#catalogue.entryOf(call);
  }

  /** Used inside: the entry of a tool. */
  toolEntry(name: string): Entry | undefined {
    return this.#catalogue.get("tool", name);
  }

  #offerTasks(tasks: Tasks): void {
    this.#catalogue.extend(EXTENSION);
    if (tasks.experimental) this.#catalogue.declare({ experimentalTasks: lists(tasks.store) ? "listed" : "offered" });
  }

  // Two functions under one name are a copy-and-paste mistake.
  #unique(kind: string, key: string): void {
    if (this.#catalogue.get(kind, key) === undefined) return;
    const remove = `remove${kind.charAt(0).toUpperCase()}${kind.slice(1)}`;
    throw new RegistrationError(`${kind} ${JSON.stringify(key)} is already registered; call ${remove}() first to replace it`);
  }
}

function guards(guard: Guard | readonly Guard[] | undefined): readonly Guard[] {
  if (guard === undefined) return [];
  return typeof guard === "function" ? [guard] : guard;
}

function described(options: Described): JsonObject {
  const { title, description, icons, meta } = options;
  return { title, description, icons, _meta: meta };
}
