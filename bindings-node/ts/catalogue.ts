/** What a server has registered, kept in step with the native catalogue that every session and exchange reads. */

import { RegistrationError } from "./errors.js";
import { dumps, isObject, loadsObject, present, type JsonObject } from "./json.js";
import { Core, type Call, type CoreOptions, type Kind, type ListKind } from "./native.js";
import { TASK_MODES, type CompletionEntry, type Entry, type TaskMode } from "./registry.js";
import type { Hub } from "./hub.js";

const LISTS: Record<Kind, ListKind> = { tool: "tools", resource: "resources", template: "resources", prompt: "prompts" };
const KINDS = Object.keys(LISTS) as Kind[];

/** What stays the same while a server serves. */
export interface Identity {
  info: JsonObject;
  instructions: string | undefined;
  limits: Record<string, number>;
  options: CoreOptions;
  extensions: JsonObject;
  experimental: JsonObject;
}

/** The registered entries of one server. They may come and go while it serves. */
export class Catalogue {
  readonly #identity: Identity;
  readonly #hub: Hub;
  /** By kind, and by key. */
  readonly #entries = new Map<string, Map<string, Entry>>();
  readonly #completions = new Map<string, CompletionEntry>();
  #core: Core;
  #served = false;

  constructor(identity: Identity, hub: Hub) {
    this.#identity = identity;
    this.#hub = hub;
    this.#core = this.#make();
  }

  /** The native catalogue. Reading it fixes the declared capabilities: a client may see them from now on. */
  get core(): Core {
    this.#served = true;
    return this.#core;
  }

  /** The entry that answers a call; undefined if it went away since. */
  entryOf(call: Call): Entry | undefined {
    const { kind } = call; // it is cut out of a text each time
    if (kind === "completion") return this.#completionOf(call);
    if (kind === "list") return this.get(kind, call.name);
    const entries = this.#entries.get(kind);
    return entries?.get(call.entry ?? call.name) ?? entries?.get("*");
  }

  /** One entry by its kind (`tool`, `resource`, `prompt`, ...) and key. */
  get(kind: string, key: string): Entry | undefined {
    return this.#entries.get(kind)?.get(key);
  }

  /** Definitions of a kind, as clients of the newest revision see them, in their order. */
  definitions(kind: Kind): JsonObject[] {
    return this.#core.keys(kind).map((key) => loadsObject(this.#core.get(kind, key)));
  }

  /** Register an entry with its definition; replaces the one of its key. */
  put(kind: Kind, entry: Entry, fields: JsonObject): void {
    if (this.#identity.options.hostLists?.includes(LISTS[kind]) === true) {
      throw new RegistrationError(
        `${kind} ${JSON.stringify(entry.key)}: the list of ${LISTS[kind]} has a request handler of its own; put it into that, or ` +
          "register all of them by methods of Server",
      );
    }
    try {
      this.#core.put(kind, dumps(present(fields)));
    } catch (wrong) {
      throw new RegistrationError(`${kind} ${JSON.stringify(entry.key)}: ${(wrong as Error).message}`, { cause: wrong });
    }
    this.#keep(entry);
    this.#hub.changed(LISTS[kind]);
  }

  /** Whether there was one. */
  remove(kind: Kind, key: string): boolean {
    const found = this.#core.remove(kind, key);
    this.#entries.get(kind === "template" ? "resource" : kind)?.delete(key);
    if (found) this.#hub.changed(LISTS[kind]);
    return found;
  }

  /** Register a completion for an argument of a prompt or template; undefined means any. */
  complete(ref: string | undefined, argument: string | undefined, entry: CompletionEntry): void {
    this.declare({ completions: true });
    this.#completions.set(dumps([ref ?? null, argument ?? null]), entry);
  }

  /** Register an entry that has no definition: a custom method, or the handler of a whole list. */
  add(entry: Entry, options: CoreOptions): void {
    this.declare(options);
    this.#keep(entry);
  }

  /** The list of methods with one more. */
  methodsWith(name: string): string[] {
    return [...new Set([...(this.#identity.options.customMethods ?? []), name])].sort();
  }

  /** The host-made lists with one more. */
  listsWith(name: ListKind): string[] {
    if (this.#entriesOf(name)) {
      throw new RegistrationError(`${name} are registered by methods already; a request handler for their list would hide them`);
    }
    return [...new Set([...(this.#identity.options.hostLists ?? []), name])].sort();
  }

  /** Check the mode of a tool. */
  mode(key: string, task: TaskMode): TaskMode {
    if (TASK_MODES.includes(task)) return task;
    const modes = TASK_MODES.join(", ");
    throw new RegistrationError(`tool ${JSON.stringify(key)}: task must be one of ${modes}, not ${JSON.stringify(task)}`);
  }

  /** Offer an extension. */
  extend(name: string): void {
    if (name in this.#identity.extensions) return;
    this.#identity.extensions[name] = {};
    this.declare({}, true);
  }

  /**
   * Change what is declared.
   *
   * @throws RegistrationError A client may have seen the declaration already.
   */
  declare(options: CoreOptions, always = false): void {
    const before = this.#identity.options;
    const changed = Object.entries(options).filter(([name, value]) => dumps(before[name as keyof CoreOptions] ?? null) !== dumps(value));
    if (changed.length === 0 && !always) return;
    if (this.#served) {
      const what = changed.map(([name]) => name).join(", ") || "extensions";
      throw new RegistrationError(`${what} must be registered before the server answers its first message`);
    }
    this.#identity.options = { ...before, ...options };
    // Capabilities are fixed when the native core is made; until somebody saw them it can be made again.
    const old = this.#core;
    this.#core = this.#make();
    for (const kind of KINDS) {
      for (const key of old.keys(kind)) {
        const found = old.get(kind, key);
        if (found !== null) this.#core.put(kind, found);
      }
    }
  }

  #keep(entry: Entry): void {
    const entries = this.#entries.get(entry.kind) ?? new Map<string, Entry>();
    this.#entries.set(entry.kind, entries.set(entry.key, entry));
  }

  #entriesOf(list: ListKind): boolean {
    return KINDS.some((kind) => LISTS[kind] === list && this.#core.keys(kind).length > 0);
  }

  #completionOf(call: Call): CompletionEntry | undefined {
    const { argument } = loadsObject(call.arguments);
    const name = isObject(argument) ? argument["name"] : undefined;
    const wanted = [[call.name, name], [call.entry, name], [call.name, null], [call.entry, null], [null, null]];
    for (const key of wanted) {
      const found = this.#completions.get(dumps(key));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  #make(): Core {
    const { info, instructions, limits, options, extensions, experimental } = this.#identity;
    const some = (value: JsonObject): string | undefined => (Object.keys(value).length > 0 ? dumps(value) : undefined);
    try {
      return new Core(dumps(info), {
        instructions,
        limits,
        options: present({ ...options, extensions: some(extensions), experimental: some(experimental) }) as CoreOptions,
      });
    } catch (wrong) {
      throw new RegistrationError(`new Server(${JSON.stringify(info["name"])}): ${(wrong as Error).message}`, { cause: wrong });
    }
  }
}
