/**
 * What is registered: one entry per tool, resource, template, prompt, completion or custom method. An entry knows how a
 * call's bytes become arguments, and how the returned value becomes the JSON of a result. It knows nothing about hosts.
 */

import { ToolResult } from "./content.js";
import type { Context } from "./context.js";
import { ArgumentError, InvalidParams, InvalidResult } from "./errors.js";
import { dumps, isObject, loads, loadsObject, type JsonObject } from "./json.js";
import { completionResult, isWhole, promptResult, resourceResult, structuredOf, toolResult } from "./results.js";
import { checkArguments, checkResult, inWords, type Checked, type Compiled } from "./schema.js";

/** Runs before the arguments are looked at. Returns false or throws to refuse. */
export type Guard = (ctx: Context) => unknown;

/** Whether a call of a tool may become a task; see `tasks`. */
export type TaskMode = "never" | "optional" | "required" | "deferred";

/** All of them. */
export const TASK_MODES: readonly TaskMode[] = ["never", "optional", "required", "deferred"];

/** A function of the host's. */
export type Handler = (given: any, ctx: Context) => unknown;

/** Base of all entries. */
export abstract class Entry {
  abstract readonly kind: string;
  task: TaskMode = "never";
  /** Whether a returned string is a text block, and nothing else. */
  readonly saysText: boolean = false;

  constructor(
    readonly key: string,
    protected readonly fn: Handler,
    readonly guards: readonly Guard[] = [],
  ) {}

  /** Look at the arguments of a call before it is run. Throws as `run` does. */
  async check(_ctx: Context): Promise<void> {
    // Only tools have more to check than their handler sees anyway.
  }

  /**
   * Run the function on the arguments of a call. What needs no waiting does not wait: a call that is answered at once costs no
   * promise.
   *
   * @throws ArgumentError They do not fit; or it rejects with it.
   */
  abstract run(ctx: Context): unknown;

  /** The JSON of the result object for what the function returned. */
  abstract encode(value: unknown, ctx: Context): string | Promise<string>;
}

/** A function as a tool. */
export class ToolEntry extends Entry {
  readonly kind = "tool";
  override readonly saysText: boolean;

  constructor(
    key: string,
    fn: Handler,
    guards: readonly Guard[],
    private readonly input: Compiled | undefined,
    private readonly output: Compiled | undefined,
    private readonly validate: boolean,
  ) {
    super(key, fn, guards);
    this.saysText = output === undefined;
  }

  override async check(ctx: Context): Promise<void> {
    await this.#arguments(ctx);
  }

  run(ctx: Context): unknown {
    const given = this.#arguments(ctx);
    return given instanceof Promise ? given.then((checked) => this.fn(checked, ctx)) : this.fn(given, ctx);
  }

  #arguments(ctx: Context): unknown {
    const text = ctx.call.argumentsText;
    const given = loads(text);
    const { input } = this;
    return input === undefined || !this.validate ? given : checkArguments(input, given, text, (repair) => ctx.server.repaired(repair, ctx));
  }

  encode(value: unknown, _ctx: Context): string | Promise<string> {
    const { output } = this;
    return output === undefined ? toolResult(value) : this.#promised(value, output);
  }

  async #promised(value: unknown, output: Compiled): Promise<string> {
    if (!this.validate) return toolResult(value, !(value instanceof ToolResult || isPrepared(value)));
    if (!(value instanceof ToolResult) && !isPrepared(value)) {
      return toolResult((await checkResult(output, this.key, value ?? null)) ?? null, true);
    }
    // An `isError` result promises nothing.
    const said = structuredOf(value);
    if (!said.isError) {
      if (!said.has) {
        throw new InvalidResult(`tool ${JSON.stringify(this.key)} has an output schema but gave no structured content`);
      }
      await checkResult(output, this.key, said.value);
    }
    return toolResult(value);
  }
}

// A whole result, as people write it by hand. With an output schema an object that merely has `content` is data.
function isPrepared(value: unknown): value is JsonObject {
  return isWhole(value) && ("structuredContent" in value || value["isError"] === true);
}

/** A function behind one URI, or behind all URIs of a template. */
export class ResourceEntry extends Entry {
  readonly kind = "resource";

  constructor(
    key: string,
    fn: Handler,
    guards: readonly Guard[],
    private readonly mimeType: string | undefined,
    private readonly input: Compiled | undefined,
  ) {
    super(key, fn, guards);
  }

  run(ctx: Context): unknown {
    const { variables } = ctx.call;
    return this.input === undefined ? this.fn({ ...variables, uri: ctx.name }, ctx) : this.#checked(this.input, variables, ctx);
  }

  async #checked(input: Compiled, variables: Record<string, string>, ctx: Context): Promise<unknown> {
    const found = await input.check(variables);
    if ("value" in found) return this.fn({ ...(found.value as object), uri: ctx.name }, ctx);
    throw new InvalidParams(inWords("uri", found.problems), { field: found.problems[0]?.path ?? "uri" });
  }

  encode(value: unknown, ctx: Context): string {
    return resourceResult(value, ctx.name, this.mimeType);
  }
}

/** One argument of a prompt, as clients see it. */
export interface PromptArgument {
  name: string;
  title?: string;
  description?: string;
  required?: boolean;
}

/** A function that builds the messages of a prompt. */
export class PromptEntry extends Entry {
  readonly kind = "prompt";

  constructor(
    key: string,
    fn: Handler,
    guards: readonly Guard[],
    private readonly description: string | undefined,
    private readonly input: Compiled | undefined,
    private readonly listed: readonly PromptArgument[],
  ) {
    super(key, fn, guards);
  }

  run(ctx: Context): unknown {
    const text = ctx.call.argumentsText;
    const sent = loadsObject(text);
    for (const [name, value] of Object.entries(sent)) {
      if (typeof value !== "string") throw new InvalidParams(`prompt argument ${JSON.stringify(name)} must be a string`, { field: name });
    }
    const missing = this.listed.find((one) => one.required === true && !(one.name in sent));
    if (missing !== undefined) {
      throw new InvalidParams(`prompt argument ${JSON.stringify(missing.name)} is missing`, { field: missing.name });
    }
    if (this.input === undefined) return this.fn(sent, ctx);
    const found = this.input.check(sent, text);
    return found instanceof Promise ? found.then((one) => this.#checked(one, ctx)) : this.#checked(found, ctx);
  }

  #checked(found: Checked, ctx: Context): unknown {
    if ("value" in found) return this.fn(found.value, ctx);
    throw new InvalidParams(inWords("arguments", found.problems), { field: found.problems[0]?.path ?? "" });
  }

  encode(value: unknown, _ctx: Context): string {
    return promptResult(value, this.description);
  }
}

/** The arguments of a prompt by the JSON Schema of what it takes. */
export function listedArguments(schema: JsonObject): PromptArgument[] {
  const required = Array.isArray(schema["required"]) ? (schema["required"] as string[]) : [];
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  return Object.entries(properties).map(([name, one]) => {
    const { title, description } = isObject(one) ? one : {};
    return {
      name,
      ...(typeof title === "string" ? { title } : {}),
      ...(typeof description === "string" ? { description } : {}),
      required: required.includes(name),
    };
  });
}

/** What a completion gets besides what was typed so far. */
export interface CompletionRequest {
  /** Name of the argument. */
  argument: string;
  /** Prompt name, resource URI or template. */
  ref: string;
  /** Arguments that are chosen already. */
  resolved: Record<string, string>;
}

/** A function that suggests values for an argument: it gets what the user typed so far. */
export class CompletionEntry extends Entry {
  readonly kind = "completion";
  readonly #suggest: (typed: string, request: CompletionRequest, ctx: Context) => unknown;

  constructor(key: string, suggest: (typed: string, request: CompletionRequest, ctx: Context) => unknown) {
    super(key, suggest as never);
    this.#suggest = suggest;
  }

  async run(ctx: Context): Promise<unknown> {
    const params = ctx.arguments;
    const argument = isObject(params["argument"]) ? params["argument"] : {};
    const context = isObject(params["context"]) ? params["context"] : {};
    const request = {
      argument: String(argument["name"] ?? ""),
      ref: ctx.name,
      resolved: (isObject(context["arguments"]) ? context["arguments"] : {}) as Record<string, string>,
    };
    return this.#suggest(String(argument["value"] ?? ""), request, ctx);
  }

  encode(value: unknown, _ctx: Context): string {
    return completionResult(value);
  }
}

/** A function behind a request method that is not the protocol's own. */
export class MethodEntry extends Entry {
  readonly kind = "custom";

  constructor(
    key: string,
    fn: Handler,
    guards: readonly Guard[],
    private readonly input: Compiled | undefined,
  ) {
    super(key, fn, guards);
  }

  async run(ctx: Context): Promise<unknown> {
    const given = loads(ctx.call.argumentsText);
    if (this.input === undefined) return this.fn(given, ctx);
    try {
      return await this.fn(await checkArguments(this.input, given, ctx.call.argumentsText, (repair) => ctx.server.repaired(repair, ctx)), ctx);
    } catch (wrong) {
      if (!(wrong instanceof ArgumentError)) throw wrong;
      throw new InvalidParams(wrong.message, { field: wrong.field, cause: wrong });
    }
  }

  encode(value: unknown, _ctx: Context): string {
    if (value === undefined || value === null) return "{}";
    if (isObject(value)) return dumps(value);
    throw new TypeError(`method ${JSON.stringify(this.key)} must return an object, not a ${typeof value}`);
  }
}
