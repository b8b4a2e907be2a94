/** What clients answer. */

import { Declined, Dismissed, InvalidAnswer } from "./errors.js";
import type { JsonObject } from "./json.js";

/** What the user did with a form or address: accepted it, said no, or closed it without an answer. */
export type Action = "accept" | "decline" | "cancel";

/** How the user answered an elicitation. */
export class Elicited<T = unknown> {
  readonly #data: T;

  constructor(
    /** What the user did. */
    readonly action: Action,
    data: T,
    /** The form as it came; undefined unless accepted, and for a URL. */
    readonly content: JsonObject | undefined,
    /** The question's key. */
    readonly key: string,
    /** The elicitation's id, for a URL. */
    readonly id?: string,
  ) {
    this.#data = data;
  }

  /** Whether the user accepted. */
  get accepted(): boolean {
    return this.action === "accept";
  }

  /**
   * What the user filled in, as the schema gives it; undefined for a URL.
   *
   * @throws Declined The user said no.
   * @throws Dismissed The user closed the form.
   */
  get data(): T {
    if (this.action === "decline") throw new Declined(`the user declined: ${this.key}`, this.key);
    if (this.action === "cancel") throw new Dismissed(`the user did not answer: ${this.key}`, this.key);
    return this.#data;
  }
}

/** What the client's model wrote. */
export class Sampled {
  /** @param raw The `CreateMessageResult` as it came. */
  constructor(readonly raw: JsonObject) {}

  /** Its content blocks; clients may send one alone. */
  get content(): JsonObject[] {
    const content = this.raw["content"];
    return (Array.isArray(content) ? content : [content]) as JsonObject[];
  }

  /** Its texts, joined. */
  get text(): string {
    return this.content.map((one) => (one["type"] === "text" ? String(one["text"] ?? "") : "")).join("");
  }

  /** `assistant`, as a rule. */
  get role(): string {
    return String(this.raw["role"]);
  }

  /** The model's name. */
  get model(): string {
    return String(this.raw["model"]);
  }

  /** Why it ended, if the client says so: `endTurn`, `stopSequence`, `maxTokens`, `toolUse`, ... */
  get stopReason(): string | undefined {
    const reason = this.raw["stopReason"];
    return typeof reason === "string" ? reason : undefined;
  }
}

/** A folder, file or other place the client works in. */
export interface Root {
  uri: string;
  name?: string;
}

/** The roots of a client's answer. */
export function rootsOf(answer: unknown, key: string): Root[] {
  const roots = (answer as { roots: unknown[] }).roots;
  if (!roots.every((one) => typeof (one as Root | null)?.uri === "string")) {
    throw new InvalidAnswer(`the answer to ${JSON.stringify(key)} does not fit: a root has no uri`, key);
  }
  return roots as Root[];
}
