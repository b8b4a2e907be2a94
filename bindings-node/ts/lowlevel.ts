/**
 * Handlers by method, in the protocol's own shapes, as many servers are written already:
 *
 *     const server = new Server({ name: "files", version: "1.0.0" }, { capabilities: { tools: {} } });
 *     server.setRequestHandler("tools/list", () => ({ tools: [{ name: "read", inputSchema: { type: "object" } }] }));
 *     server.setRequestHandler("tools/call", ({ params }) => ({ content: [{ type: "text", text: `read ${params.name}` }] }));
 *
 * Several modules may each set theirs; none overwrites another. Lists are joined, in the order of registration, and a call goes
 * to the module whose list has the name: `tools/call` belongs to the `tools/list` that was set along with it, or to the one
 * of the same `server.module(name)`. Results are given in the newest revision's shape; the core translates for older peers.
 */

import type { Catalogue } from "./catalogue.js";
import type { Context } from "./context.js";
import { InvalidParams, McpError, NotFound, RegistrationError } from "./errors.js";
import { dumps, isObject, present, type JsonObject } from "./json.js";
import type { ListKind } from "./native.js";
import { CompletionEntry, Entry } from "./registry.js";
import type { Server } from "./server.js";

/** A request as a handler by method sees it. */
export interface LowLevelRequest {
  method: string;
  params: any;
}

/** Answers a request with a result object. */
export type RequestHandler = (request: LowLevelRequest, ctx: Context) => unknown;

/** A part of a server with request handlers of its own. */
export interface ModuleScope {
  readonly name: string;
  /** @throws RegistrationError This module has a handler of that method already. */
  setRequestHandler(method: string, handler: RequestHandler): ModuleScope;
}

interface Family {
  kind: "tool" | "resource" | "prompt";
  /** What is declared. */
  lists: ListKind;
  /** Methods of its lists, each with the kind of list and the member it fills. */
  listed: [method: string, list: string, field: string, key: string][];
}

const FAMILIES: Record<string, Family> = {
  "tools/call": { kind: "tool", lists: "tools", listed: [["tools/list", "tools", "tools", "name"]] },
  "prompts/get": { kind: "prompt", lists: "prompts", listed: [["prompts/list", "prompts", "prompts", "name"]] },
  "resources/read": {
    kind: "resource",
    lists: "resources",
    listed: [
      ["resources/list", "resources", "resources", "uri"],
      ["resources/templates/list", "templates", "resourceTemplates", "uriTemplate"],
    ],
  },
};
const OWNED = /^(initialize|ping|server\/|logging\/|resources\/(un)?subscribe$|subscriptions\/|tasks\/|notifications\/)/;
const MOST_PAGES = 1000;

/** The request handlers of one server. */
export class LowLevel {
  readonly #server: Server;
  readonly #catalogue: Catalogue;
  readonly #parts: Part[] = [];

  constructor(server: Server, catalogue: Catalogue) {
    this.#server = server;
    this.#catalogue = catalogue;
  }

  /** Add a handler; see `Server.setRequestHandler`. */
  set(method: string, handler: RequestHandler): void {
    const free = this.#parts.find((part) => !part.named && !part.handlers.has(method));
    const part = free ?? new Part(`module ${this.#parts.length + 1}`, false);
    this.#set(part, method, handler);
    if (free === undefined) this.#parts.push(part);
  }

  /** A module; the same one for the same name. */
  module(name: string): ModuleScope {
    let part = this.#parts.find((one) => one.named && one.name === name);
    if (part === undefined) this.#parts.push((part = new Part(name, true)));
    const found = part;
    const scope: ModuleScope = {
      name,
      setRequestHandler: (method, handler) => {
        if (found.handlers.has(method)) {
          throw new RegistrationError(`module ${JSON.stringify(name)} has a handler of ${method} already`);
        }
        this.#set(found, method, handler);
        return scope;
      },
    };
    return scope;
  }

  #set(part: Part, method: string, handler: RequestHandler): void {
    if (typeof handler !== "function") throw new RegistrationError(`setRequestHandler(${JSON.stringify(method)}) needs a function`);
    if (OWNED.test(method)) throw new RegistrationError(`${method} is answered by mcpgraft itself`);
    const family = Object.entries(FAMILIES).find(([call, one]) => call === method || one.listed.some(([list]) => list === method));
    if (family !== undefined) this.#offer(...family);
    else if (method === "completion/complete") {
      this.#catalogue.complete(undefined, undefined, new WholeCompletion((ctx) => this.#complete(ctx)));
    } else {
      this.#catalogue.add(new Whole("custom", method, (ctx) => this.#custom(method, ctx)), {
        customMethods: this.#catalogue.methodsWith(method),
      });
    }
    part.handlers.set(method, handler);
  }

  #offer(call: string, family: Family): void {
    this.#catalogue.add(new Whole(family.kind, "*", (ctx) => this.#call(call, family, ctx)), {
      hostLists: this.#catalogue.listsWith(family.lists),
    });
    for (const [method, list, field, key] of family.listed) {
      this.#catalogue.add(new Whole("list", list, (ctx) => this.#list(method, field, key, ctx)), {});
    }
  }

  // --- lists --------------------------------------------------------------------------------------------------------

  async #list(method: string, field: string, key: string, ctx: Context): Promise<JsonObject> {
    const parts = this.#parts.filter((part) => part.handlers.has(method));
    const [from, inner] = place(ctx.call.cursor, parts.length);
    const found: JsonObject[] = [];
    const seen = new Set<unknown>();
    for (let at = from; at < parts.length; at += 1) {
      const part = parts[at] as Part;
      const page = await part.page(method, field, at === from ? inner : undefined, ctx);
      for (const one of page.items) {
        if (seen.has(one[key])) {
          this.#server.report(new RegistrationError(`${method}: ${JSON.stringify(one[key])} is listed twice; the first one is served`), ctx);
        } else found.push(one);
        seen.add(one[key]);
      }
      if (page.next !== undefined) return { ...page.rest, [field]: found, nextCursor: dumps([at, page.next]) };
      if (parts.length === 1) return { ...page.rest, [field]: found };
    }
    return { [field]: found };
  }

  // --- calls --------------------------------------------------------------------------------------------------------

  async #call(method: string, family: Family, ctx: Context): Promise<unknown> {
    const parts = this.#parts.filter((part) => part.handlers.has(method));
    const part = parts.length <= 1 ? parts[0] : await this.#owner(parts, family, ctx);
    const handler = part?.handlers.get(method);
    if (handler === undefined) throw new NotFound(ctx.name);
    const meta = ctx.call.meta === null ? {} : { _meta: ctx.meta };
    const params =
      family.kind === "resource" ? { uri: ctx.name, ...meta } : { name: ctx.name, arguments: ctx.arguments, ...meta };
    return handler({ method, params }, ctx);
  }

  // The module whose list has the name. Lists are remembered, and read again for a name that none of them had.
  async #owner(parts: Part[], family: Family, ctx: Context): Promise<Part | undefined> {
    for (const fresh of [false, true]) {
      for (const part of parts) {
        if (await part.has(family, ctx.name, fresh, ctx)) return part;
      }
    }
    // One that lists nothing may know it all the same.
    return parts.find((part) => !family.listed.some(([method]) => part.handlers.has(method)));
  }

  async #complete(ctx: Context): Promise<unknown> {
    return this.#first("completion/complete", { method: "completion/complete", params: ctx.arguments }, ctx);
  }

  async #custom(method: string, ctx: Context): Promise<unknown> {
    return this.#first(method, { method, params: ctx.arguments }, ctx);
  }

  // The first one that knows: others throw `NotFound`, or answer nothing.
  async #first(method: string, request: LowLevelRequest, ctx: Context): Promise<unknown> {
    const handlers = this.#parts.flatMap((part) => part.handlers.get(method) ?? []);
    let missing: unknown;
    for (const handler of handlers) {
      try {
        const answer = await handler(request, ctx);
        if (answer !== undefined || handlers.length === 1) return answer ?? {};
      } catch (wrong) {
        if (!(wrong instanceof NotFound)) throw wrong;
        missing = wrong;
      }
    }
    throw missing ?? new McpError(`method ${JSON.stringify(method)} has no handler`, { code: -32601 });
  }
}

interface Page {
  items: JsonObject[];
  next: string | undefined;
  rest: JsonObject;
}

class Part {
  readonly handlers = new Map<string, RequestHandler>();
  readonly #known = new Map<string, (name: string) => boolean>();

  constructor(
    readonly name: string,
    readonly named: boolean,
  ) {}

  /** One page of a list of this module. */
  async page(method: string, field: string, cursor: string | undefined, ctx: Context): Promise<Page> {
    const handler = this.handlers.get(method) as RequestHandler;
    const result = await handler({ method, params: present({ cursor }) }, ctx);
    const items = isObject(result) ? result[field] : undefined;
    if (!isObject(result) || !Array.isArray(items)) {
      throw new TypeError(`the handler of ${method} in ${this.name} must return {${field}: [...]}`);
    }
    const { nextCursor, [field]: _items, ...rest } = result;
    return { items: items as JsonObject[], next: typeof nextCursor === "string" ? nextCursor : undefined, rest };
  }

  /** Whether a list of this module has the name (or, for resources, a template that fits). */
  async has(family: Family, name: string, fresh: boolean, ctx: Context): Promise<boolean> {
    for (const [method, , field, key] of family.listed) {
      if (!this.handlers.has(method)) continue;
      let known = this.#known.get(method);
      if (known === undefined || fresh) {
        known = matcher(await this.#all(method, field, key, ctx), key === "uriTemplate");
        this.#known.set(method, known);
      }
      if (known(name)) return true;
    }
    return false;
  }

  async #all(method: string, field: string, key: string, ctx: Context): Promise<string[]> {
    const found: string[] = [];
    let cursor: string | undefined;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const page = await this.page(method, field, cursor, ctx);
      found.push(...page.items.map((one) => String(one[key])));
      cursor = page.next;
      if (cursor === undefined) break;
    }
    return found;
  }
}

function matcher(names: string[], templates: boolean): (name: string) => boolean {
  if (!templates) {
    const all = new Set(names);
    return (name) => all.has(name);
  }
  // Only to find the module: what a template's variables are is its handler's affair.
  const escape = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const patterns = names.map((one) => {
    const parts = one.split(/(\{[^}]*\})/).map((part) => {
      if (!part.startsWith("{")) return escape(part);
      return /^\{[+#]/.test(part) || part.endsWith("*}") ? ".*" : "[^/]*"; // RFC 6570: those reach over slashes
    });
    return new RegExp(`^${parts.join("")}$`);
  });
  return (name) => patterns.some((one) => one.test(name));
}

// A cursor names a module and has that module's own cursor in it.
function place(cursor: string | null, parts: number): [number, string | undefined] {
  if (cursor === null) return [0, undefined];
  try {
    const [at, inner] = JSON.parse(cursor) as [unknown, unknown];
    if (typeof at === "number" && Number.isInteger(at) && at >= 0 && at < parts && typeof inner === "string") return [at, inner];
  } catch {
    // not one of ours
  }
  throw new InvalidParams("cursor: it is none of this server's; list again from the start", { field: "cursor" });
}

/** What answers a request with the whole result. */
class Whole extends Entry {
  constructor(
    readonly kind: string,
    key: string,
    private readonly answer: (ctx: Context) => Promise<unknown>,
  ) {
    super(key, answer as never);
  }

  run(ctx: Context): Promise<unknown> {
    return this.answer(ctx);
  }

  encode(value: unknown, ctx: Context): string {
    if (!isObject(value)) throw new TypeError(`the handler of ${ctx.call.method} must return a result object`);
    return dumps(value);
  }
}

class WholeCompletion extends CompletionEntry {
  constructor(private readonly answer: (ctx: Context) => Promise<unknown>) {
    super("", () => undefined);
  }

  override run(ctx: Context): Promise<unknown> {
    return this.answer(ctx);
  }

  override encode(value: unknown, ctx: Context): string {
    return isObject(value) && isObject(value["completion"]) ? dumps(value) : super.encode(value, ctx);
  }
}

