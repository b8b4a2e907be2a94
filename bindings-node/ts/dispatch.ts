/**
 * Running one call: find its entry, go through middlewares and guards to the handler, turn the outcome into JSON. Nothing a
 * handler throws gets past here. A handler that asks the client is run again when the answers are there (see `rounds`).
 */

import { NeedInput } from "./ask.js";
import { InsufficientScope, Bearer } from "./auth.js";
import type { Context } from "./context.js";
import {
  ArgumentError, AskError, Cancelled, Forbidden, InvalidParams, InvalidResult, McpError, MissingClientCapability, NotFound,
  ToolError, Unauthorized,
} from "./errors.js";
import { clean, dumps, isWellFormed } from "./json.js";
import { isOver, type Ask, type Call, type FailOptions } from "./native.js";
import type { HeaderList } from "./request.js";
import type { Entry } from "./registry.js";
import { errorResult } from "./results.js";
import { rounds } from "./rounds.js";

const HIDDEN = "the server could not do this; its log has the details";

/** A call that has no result: arguments of the native `fail`, and what an HTTP host adds to its head. */
export class Failure {
  constructor(
    readonly failure: string,
    readonly message: string,
    readonly options: { code?: number; data?: string; http?: { status: number; headers: HeaderList } } = {},
  ) {}
}

/** A stateless call that needs answers first: the questions, and the sealed state for the client to bring back. */
export class Requirement {
  constructor(
    readonly asks: [string, Ask][],
    readonly state: string,
  ) {}
}

/** What a tool without an output schema said: a well-formed text, which needs no JSON of its own. */
export class Said {
  constructor(readonly text: string) {}
}

/** The JSON text of a result object, why there is none, or what is needed for one. */
export type Outcome = string | Buffer | Failure | Requirement;

/** How a call ended: with an outcome, or a text that nothing has been made of yet. */
export type Ending = Outcome | Said;

/** Run a call. Never throws nor rejects. A call whose handler returns at once has its outcome at once. */
export function runCall(ctx: Context): Ending | Promise<Ending> {
  const { server, call } = ctx;
  try {
    if (server.tasks !== undefined && call.kind === "task") return explained(ctx, server.tasks.answer(ctx));
    const entry = server.entryOf(call);
    if (entry === undefined) return nothingThere(call);
    if (entry.task !== "never" && server.tasks !== undefined) return explained(ctx, server.tasks.call(ctx, entry));
    const isPlain = entry.guards.length === 0 && server.middlewares.length === 0 && call.requestState === null;
    if (!isPlain || call.inputResponses !== null) return explained(ctx, rounds(ctx, entry));
    return straight(ctx, entry);
  } catch (error) {
    return explain(ctx, error);
  }
}

async function explained(ctx: Context, work: Promise<Outcome>): Promise<Outcome> {
  try {
    return await work;
  } catch (error) {
    return explain(ctx, error);
  }
}

// The way of nearly all calls: nothing stands around the handler, and it asks nothing. What else comes of it is for `rounds`.
function straight(ctx: Context, entry: Entry): Ending | Promise<Ending> {
  const wrong = (error: unknown): Promise<Outcome> => explained(ctx, rounds(ctx, entry, Promise.reject(error)));
  const right = (value: unknown): Ending | Promise<Ending> => {
    if (value instanceof NeedInput || ctx.replay !== undefined) return explained(ctx, rounds(ctx, entry, Promise.resolve(value)));
    if (entry.saysText && typeof value === "string" && isWellFormed(value)) return new Said(value);
    try {
      const text = entry.encode(value, ctx);
      return typeof text === "string" ? text : explained(ctx, text);
    } catch (error) {
      return wrong(error);
    }
  };
  let value: unknown;
  try {
    value = entry.run(ctx);
  } catch (error) {
    return wrong(error);
  }
  if (value instanceof Promise) return value.then(right, wrong);
  return typeof (value as { then?: unknown } | null)?.then === "function" ? Promise.resolve(value).then(right, wrong) : right(value);
}

/** What an outcome is given to: a native session or exchange. */
export interface Target<E> {
  reply(key: number, result: Uint8Array | string): E;
  /** Answers a tool call with a text. */
  say(key: number, text: string): E;
  fail(key: number, failure: string, message: string, options?: FailOptions | null): E;
  requireInput(key: number, asks: [string, Ask][], state?: string | null): E;
}

/** Answer a call. Null if there is no one to answer any more. */
export function settle<E>(target: Target<E>, ctx: Context, outcome: Ending): E | null {
  const { key } = ctx.call;
  let failure = outcome;
  if (!(failure instanceof Failure)) {
    try {
      if (failure instanceof Requirement) return target.requireInput(key, failure.asks, failure.state);
      return failure instanceof Said ? target.say(key, failure.text) : target.reply(key, failure);
    } catch (wrong) {
      if (isOver(wrong)) return null;
      // A result the core will not send; its caller must not wait for ever because of that.
      ctx.server.report(wrong, ctx);
      failure = new Failure("internal", `the result cannot be sent: ${(wrong as Error).message}`);
    }
  }
  try {
    const { code, data } = failure.options;
    return target.fail(key, failure.failure, failure.message, { code: code ?? null, data: data ?? null });
  } catch (wrong) {
    if (!isOver(wrong)) ctx.server.report(wrong, ctx);
    return null;
  }
}

/** What the peer is told about an error. */
export function explain(ctx: Context, error: unknown): Outcome {
  const tool = ctx.kind === "tool";
  const words = clean(error instanceof Error ? error.message || error.name : String(error));
  if (error instanceof Cancelled || (ctx.cancelled && ctx.signal.reason === error)) return new Failure("internal", "cancelled");
  const outcome = expected(ctx, error, words);
  if (outcome !== undefined) return withHead(ctx, outcome, error);
  ctx.server.report(error, ctx);
  const shown = ctx.server.hideErrors ? HIDDEN : words;
  return tool && !(error instanceof InvalidResult) ? errorResult(shown) : new Failure("internal", shown);
}

// Errors that are part of the conversation: not reported, never hidden.
function expected(ctx: Context, error: unknown, words: string): Outcome | undefined {
  const tool = ctx.kind === "tool";
  if (error instanceof ToolError) {
    if (tool) return errorResult(error.content ?? words);
    return new Failure(error instanceof ArgumentError ? "invalid_params" : "internal", words);
  }
  if (error instanceof NotFound) {
    if (tool) return errorResult(words);
    // Of a resource the peer hears the URI it asked for, whatever the error says.
    return new Failure("not_found", ctx.kind === "resource" ? ctx.name : words);
  }
  if (error instanceof Forbidden || error instanceof Unauthorized) return tool ? errorResult(words) : new Failure("internal", words);
  if (error instanceof InvalidParams) {
    const data = dataOf(error);
    return data === undefined ? new Failure("invalid_params", words) : new Failure("custom", words, { code: error.code, data });
  }
  if (error instanceof MissingClientCapability) return new Failure("missing_capability", words, { data: dumps(error.needed) });
  if (error instanceof AskError) return tool ? errorResult(words) : new Failure("internal", words);
  if (error instanceof McpError) return new Failure("custom", words, { code: error.code, data: dataOf(error) });
  return undefined;
}

/** Status and headers, if an error is one that HTTP has its own words for (RFC 6750). */
export function headOf(ctx: Context, error: unknown): { status: number; headers: HeaderList } | undefined {
  const { auth } = ctx.request;
  if (error instanceof Unauthorized && auth instanceof Bearer) {
    return { status: 401, headers: [["WWW-Authenticate", auth.challenge(ctx.request)]] };
  }
  return error instanceof InsufficientScope ? error.http : undefined;
}

// Such a refusal needs a head, and so a protocol error.
function withHead(ctx: Context, outcome: Outcome, error: unknown): Outcome {
  const http = headOf(ctx, error);
  if (http === undefined) return outcome;
  const failure = outcome instanceof Failure ? outcome : new Failure("invalid_params", (error as Error).message);
  return new Failure(failure.failure, failure.message, { ...failure.options, http });
}

function nothingThere(call: Call): Outcome {
  if (call.kind === "completion") return '{"completion":{"values":[]}}';
  if (call.kind === "custom") return new Failure("method_not_found", `method ${JSON.stringify(call.name)} has no handler`);
  return new Failure("not_found", call.kind === "resource" ? call.name : `${call.kind} ${JSON.stringify(call.name)} is gone`);
}

function dataOf(error: McpError): string | undefined {
  if (error.data === undefined) return undefined;
  try {
    return dumps(error.data);
  } catch {
    return dumps(String(error.data));
  }
}
