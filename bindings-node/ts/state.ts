/**
 * What a call remembers between two runs of its handler, and how it travels through a stateless client.
 *
 * The state is sealed (encrypted, because it may hold what the client must not read; see `keys`) and bound to method,
 * target, arguments and principal: what comes back is untrusted (basic/patterns/mrtr of 2026-07-28).
 */

import { createHash } from "node:crypto";
import type { Spec } from "./ask.js";
import type { Context } from "./context.js";
import { InvalidParams, type AskError } from "./errors.js";
import { dumps, isObject, type JsonObject } from "./json.js";
import { nonce } from "./keys.js";
import { localName } from "./native.js";

/** Most times that one call may ask its client. */
export const MAX_ROUNDS = 10;
/** Longest sealed state, in bytes. */
export const MAX_STATE_BYTES = 32_768;
const INVALID_STATE = "requestState is not valid for this request; send the request again without it";

/** An answer, or why there is none, and the question it belongs to. */
export interface Known {
  digest: string;
  value?: unknown;
  /** The whole question, for a handler in steps. */
  spec?: Spec;
  /** Handshake era only, where nothing is sealed. */
  error?: AskError;
}

/** What is remembered. */
export interface Kept {
  /** How many times the client has been asked. */
  round: number;
  answers: Record<string, Known>;
  memo: Record<string, unknown>;
  /** Questions that were asked last: key to digest; to the whole question, for a handler in steps. */
  open: Record<string, string | Spec>;
  /** Ids of elicitations by URL. */
  ids: Record<string, string>;
  /** The handler works in steps (`NeedInput`). */
  steps: boolean;
  /** The handler's own, in steps. */
  state: unknown;
}

/** Nothing remembered yet. Its tables have no prototype: keys are the handler's, and come from clients. */
export function nothingKept(): Kept {
  return { round: 0, answers: table(), memo: table(), open: table(), ids: table(), steps: false, state: null };
}

/** An object without a prototype, with the members of another one. */
export function table<T>(from: Record<string, T> = {}): Record<string, T> {
  return Object.assign(Object.create(null) as Record<string, T>, from);
}

/**
 * The state for the client to bring back.
 *
 * @throws Error It is too long.
 */
export function sealState(ctx: Context, kept: Kept): string {
  const { call, server } = ctx;
  const plain = dumps(packed(kept));
  let sealed = "";
  try {
    sealed = server.keys.get().sealState(call.method, call.name, call.arguments, {
      principal: principalText(ctx.principal),
      round: kept.round,
      kept: Buffer.from(plain),
      now: Date.now(),
      ttl: server.stateTtlMs,
      nonce: nonce(),
    });
  } catch (wrong) {
    if (localName(wrong) !== "bad_seal") throw wrong;
  }
  if (sealed !== "" && sealed.length <= MAX_STATE_BYTES) return sealed;
  throw new Error(
    `${ctx.kind} ${JSON.stringify(ctx.name)} remembers ${plain.length} characters between two questions, too much for a client ` +
      `to carry (sealed at most ${MAX_STATE_BYTES} bytes): keep less in memo, answers and the state of NeedInput`,
  );
}

/**
 * What came back with a call; undefined if it is a first one.
 *
 * @throws InvalidParams The state is tampered with, expired, used up, or of another request; which of these is not told.
 */
export async function openState(ctx: Context): Promise<Kept | undefined> {
  const { call, server } = ctx;
  if (call.requestState === null) return undefined;
  let opened;
  let kept: Kept;
  try {
    const principal = principalText(ctx.principal);
    const keys = server.keys.get();
    opened = keys.openState(call.method, call.name, call.arguments, principal, call.requestState, { now: Date.now() });
    kept = unpacked(opened.round, JSON.parse(opened.kept.toString("utf8")));
  } catch (wrong) {
    if (localName(wrong) !== "bad_seal" && !(wrong instanceof SyntaxError)) throw wrong;
    throw new InvalidParams(INVALID_STATE);
  }
  if (server.onStateUse !== undefined && (await server.onStateUse(opened.nonce.toString("hex"))) !== true) {
    throw new InvalidParams(INVALID_STATE);
  }
  return kept;
}

/** What is kept as JSON with short names, without errors: those are never sealed. */
export function packed(kept: Kept): JsonObject {
  const answers = Object.entries(kept.answers).map(([key, one]) => [key, [one.digest, one.value ?? null, one.spec ?? null]]);
  const out: JsonObject = { a: Object.fromEntries(answers), m: kept.memo, o: kept.open, i: kept.ids };
  if (kept.steps) Object.assign(out, { s: true, v: kept.state });
  return out;
}

/** The other way round. */
export function unpacked(round: number, value: unknown): Kept {
  const given = isObject(value) ? value : {};
  const part = <T>(name: string): Record<string, T> => table(given[name] as Record<string, T>);
  const answers = table<Known>();
  for (const [key, [digest, answer, spec]] of Object.entries(part<[string, unknown, Spec | null]>("a"))) {
    answers[key] = { digest, value: answer, ...(spec === null ? {} : { spec }) };
  }
  return {
    round,
    answers,
    memo: part("m"),
    open: part("o"),
    ids: part("i"),
    steps: given["s"] === true,
    state: given["v"] ?? null,
  };
}

/**
 * Who calls, as a text that is the same whenever the same one calls, on any worker; undefined: nobody in particular.
 *
 * @throws TypeError There is no such text.
 */
export function principalText(principal: unknown): string | null {
  if (principal === undefined || principal === null) return null;
  if (typeof principal === "string") return principal;
  for (const name of ["subject", "sub", "id", "username"]) {
    const value = (principal as Record<string, unknown>)[name];
    if (typeof value === "string" || typeof value === "number" || typeof value === "bigint") return `${name}:${value}`;
  }
  try {
    return dumps(principal);
  } catch (wrong) {
    throw new TypeError(
      "a principal needs a property subject, sub, id or username, so that an answer can be told to come from the one who was asked",
      { cause: wrong },
    );
  }
}

/** What names the client of a session as long as it lasts, and is no principal's name. */
export function sessionOwner(session: string): string {
  return `session\0${createHash("sha256").update(session).digest("hex")}`;
}
