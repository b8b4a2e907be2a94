/**
 * Questions that only the client can answer (client/elicitation, client/sampling, client/roots).
 *
 * A question knows how it is written for the native core, whether it is still the same one when the handler runs again,
 * and how its answer is read.
 */

import { createHash } from "node:crypto";
import { Elicited, rootsOf, Sampled, type Action, type Root } from "./answers.js";
import type { Message } from "./content.js";
import { InvalidAnswer } from "./errors.js";
import { formOf } from "./forms.js";
import { clean, dumps, isObject, present, type JsonObject } from "./json.js";
import { accepts, type Ask } from "./native.js";
import { samplingMessages } from "./results.js";
import type { StandardSchema } from "./standard.js";

/** A question as JSON, for a state that outlives this process. */
export type Spec = string[];

/** A question, of one of the four kinds; `T` is what its answer is read as. */
export abstract class Question<T = unknown> {
  /** Ask again when the answer does not fit, instead of throwing `InvalidAnswer`. */
  readonly again: boolean = true;
  /**
   * How many milliseconds its answer is waited for, where waiting is how the client is asked (handshake era); then it is
   * `TimedOut`, and the client is told that nobody waits any more. Undefined: the server's `askTimeoutMs`.
   */
  readonly timeoutMs: number | undefined;

  constructor(options: AskOptions = {}) {
    this.timeoutMs = options.timeoutMs;
  }

  /** As the core takes it. */
  abstract native(): Ask;
  /** The question written down; without what is made up anew where nothing is remembered. */
  abstract spec(): Spec;
  /**
   * A decoded answer that `fits`, as the handler sees it.
   *
   * @throws InvalidAnswer It does not fit what was asked for.
   */
  abstract read(answer: unknown, key: string): T;

  /** The same for the same question: an answer to another one of that key is not taken for its answer. */
  digest(): string {
    return createHash("sha256").update(JSON.stringify(this.spec())).digest("hex").slice(0, 24);
  }

  /** Whether an answer (JSON text) is of the kind that was asked for. */
  fits(answer: string): boolean {
    return accepts(this.native(), answer);
  }
}

/** How any question is asked. */
export interface AskOptions {
  /** See `Question.timeoutMs`. */
  timeoutMs?: number | undefined;
}

/** How a form is asked for. */
export interface ElicitOptions extends AskOptions {
  /** Ask again when what was filled in does not fit; false: throw `InvalidAnswer`. Default: true. */
  again?: boolean;
}

/** The user fills in a form. */
export class Elicit<T = unknown> extends Question<Elicited<T>> {
  override readonly again: boolean;

  /**
   * @param message For the user: what is needed, and why.
   * @param schema A Standard Schema of a flat object, or a flat JSON Schema: strings, numbers, booleans and choices.
   */
  constructor(
    readonly message: string,
    readonly schema: StandardSchema<unknown, T> | JsonObject,
    options: ElicitOptions = {},
  ) {
    super(options);
    this.again = options.again ?? true;
  }

  native(): Ask {
    return { kind: "form", message: clean(this.message), schema: dumps(formOf(this.schema).wire) };
  }

  spec(): Spec {
    return ["form", clean(this.message), dumps(formOf(this.schema).wire)];
  }

  read(answer: unknown, key: string): Elicited<T> {
    const { action, content } = answer as { action: Action; content?: JsonObject };
    if (action !== "accept") return new Elicited<T>(action, undefined as T, undefined, key);
    const found = formOf(this.schema).read(content ?? {});
    if ("wrong" in found) throw new InvalidAnswer(`the answer to ${JSON.stringify(key)} does not fit: ${found.wrong}`, key);
    return new Elicited<T>(action, found.value as T, content ?? {}, key);
  }
}

/** The user opens an address: for what must not pass through the client, such as a password or a consent. */
export class ElicitUrl extends Question<Elicited<undefined>> {
  /**
   * @param message For the user.
   * @param url Where to go. No secrets in it: it is the user who opens it, not the client.
   * @param id Names this elicitation in `Context.elicitationComplete`; made up unless given.
   */
  constructor(
    readonly message: string,
    readonly url: string,
    readonly id?: string,
    options: AskOptions = {},
  ) {
    super(options);
  }

  native(): Ask {
    return { kind: "url", message: clean(this.message), url: this.url, id: this.id ?? "" };
  }

  spec(): Spec {
    return ["url", clean(this.message), this.url];
  }

  read(answer: unknown, key: string): Elicited<undefined> {
    return new Elicited((answer as { action: Action }).action, undefined, undefined, key, this.id);
  }
}

/** What a model is asked to write, and how. */
export interface SampleOptions extends AskOptions {
  /** The most it may write; 1024 unless given. */
  maxTokens?: number;
  /** System prompt. */
  systemPrompt?: string;
  temperature?: number;
  stopSequences?: readonly string[];
  modelPreferences?: JsonObject;
  includeContext?: "none" | "thisServer" | "allServers";
  /** `Tool` objects the model may use (needs the client's `sampling.tools`). */
  tools?: readonly JsonObject[];
  toolChoice?: JsonObject;
  /** For the provider of the model. */
  metadata?: JsonObject;
}

/** What is said to a model: a text or block (one message of the user), a message, or several. */
export type Said = string | Message | JsonObject | readonly (string | Message | JsonObject)[];

/** The client's model writes. */
export class Sample extends Question<Sampled> {
  constructor(
    readonly messages: Said,
    readonly options: SampleOptions = {},
  ) {
    super(options);
  }

  native(): Ask {
    return { kind: "sample", params: this.#params() };
  }

  spec(): Spec {
    return ["sample", this.#params()];
  }

  read(answer: unknown): Sampled {
    return new Sampled(answer as JsonObject);
  }

  #params(): string {
    const { maxTokens, timeoutMs: _, ...rest } = this.options;
    return dumps({ messages: samplingMessages(this.messages), maxTokens: maxTokens ?? 1024, ...present(rest) });
  }
}

/** Which folders the client works in. */
export class AskRoots extends Question<Root[]> {
  native(): Ask {
    return { kind: "roots" };
  }

  spec(): Spec {
    return ["roots"];
  }

  read(answer: unknown, key: string): Root[] {
    return rootsOf(answer, key);
  }
}

/** Questions by key. */
export type Questions = Record<string, Question>;

/**
 * What a handler in steps returns when it needs answers: it is called again with `ctx.answers` and `ctx.state`. What does
 * not fit a question is asked again before the handler is called.
 */
export class NeedInput {
  /**
   * @param asks Questions by key. None at all: the client is told to try again later.
   * @param state Any JSON value to come back with the answers; sealed, when it travels through the client.
   */
  constructor(
    readonly asks: Questions = {},
    readonly state: unknown = null,
  ) {}
}

/**
 * The call cannot go on before the user has been to some addresses (server/tools of 2025-11-25, code -32042). A client of
 * the stateless era is asked for the same by `input_required`, and the handler runs again afterwards.
 */
export class UrlElicitationRequired extends Error {
  /** @param elicitations Their `id` is made up unless given. */
  constructor(
    readonly elicitations: readonly ElicitUrl[],
    message = "the user has to open an address first",
  ) {
    super(message);
    this.name = "UrlElicitationRequired";
    if (elicitations.length === 0) throw new TypeError("UrlElicitationRequired takes ElicitUrl values");
  }
}

/** The question that `Question.spec` wrote down. */
export function fromSpec([kind, first = "", second = ""]: Spec): Question {
  if (kind === "form") return new Elicit(first, JSON.parse(second) as JsonObject);
  if (kind === "url") return new ElicitUrl(first, second);
  if (kind === "sample") return new Written(first);
  return new AskRoots();
}

// Sampling whose parameters were written down before.
class Written extends Question<Sampled> {
  constructor(readonly params: string) {
    super();
  }

  native(): Ask {
    return { kind: "sample", params: this.params };
  }

  spec(): Spec {
    return ["sample", this.params];
  }

  read(answer: unknown): Sampled {
    return new Sampled(isObject(answer) ? answer : {});
  }
}
