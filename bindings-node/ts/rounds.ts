/**
 * The rounds of a call whose handler may ask: run it, ask the client what it needs, run it again.
 *
 * In the stateless era a round ends with `input_required`, and the next one begins with the client's retry, maybe on
 * another worker. In the handshake era the questions are requests of the server's own, and this call waits for the answers.
 */

import { ElicitUrl, NeedInput, UrlElicitationRequired } from "./ask.js";
import type { Elicited } from "./answers.js";
import type { Context, Waiting } from "./context.js";
import { Failure, Requirement, type Outcome } from "./dispatch.js";
import { Cancelled, NoChannel, Suspended, TimedOut, TooManyRounds } from "./errors.js";
import { dumps } from "./json.js";
import { through } from "./middleware.js";
import { isOver } from "./native.js";
import type { Entry } from "./registry.js";
import { Replay, type Answered, type Need } from "./replay.js";
import { MAX_ROUNDS, openState, sealState } from "./state.js";

/** How long a handler that asks nothing waits before it is called again, in ms; doubled with every round. */
export const LOOK_MS = 250;

/**
 * Run a call to its result, or as far as it gets without its client.
 *
 * @param first What came of the handler's first run, if there was one.
 * @throws What the handler threw, or an `AskError`.
 */
export async function rounds(ctx: Context, entry: Entry, first?: Promise<unknown>): Promise<Outcome> {
  if (ctx.call.requestState !== null || ctx.call.inputResponses !== null) ctx.replay = new Replay(ctx, await openState(ctx));
  let begun = first;
  for (;;) {
    const played = await play(ctx, entry, begun);
    begun = undefined;
    if (!(played instanceof Replay)) return played;
    if (ctx.call.stateless) {
      const asks = played.asked();
      return new Requirement(asks, sealState(ctx, played.kept));
    }
    played.take(await askClient(ctx, [...played.needs.values()], played.kept.round));
    played.restart();
  }
}

/**
 * One round: the call's outcome, or what it needs from its client.
 *
 * @throws As `rounds`.
 */
export async function play(ctx: Context, entry: Entry, begun?: Promise<unknown>): Promise<Outcome | Replay> {
  // A handler in steps is not called before all its answers are there.
  let replay = ctx.replay;
  if (begun !== undefined || replay === undefined || !replay.resume()) {
    const ended = await run(ctx, entry, begun);
    if (!(ended instanceof Replay)) return ended;
    replay = ended;
  }
  if (replay.kept.round >= MAX_ROUNDS) throw new TooManyRounds(`the client was asked ${MAX_ROUNDS} times for one call`);
  return replay;
}

// Runs the handler: its result, or what it needs.
async function run(ctx: Context, entry: Entry, begun?: Promise<unknown>): Promise<Outcome | Replay> {
  let first = begun;
  for (;;) {
    try {
      const value = await (first ?? through(ctx.server.middlewares, ctx, entry));
      if (!(value instanceof NeedInput)) {
        // With needs left it caught what was to leave the run.
        return ctx.replay === undefined || ctx.replay.needs.size === 0 ? await entry.encode(value, ctx) : ctx.replay;
      }
      first = undefined;
      const replay = ctx.replaying();
      if (replay.require(value)) return replay;
      replay.restart();
    } catch (error) {
      if (error instanceof UrlElicitationRequired) {
        return ctx.call.stateless ? await asQuestions(ctx, error) : required(ctx, error);
      }
      if (ctx.replay === undefined || !onlySuspended(error)) throw error;
      return ctx.replay;
    }
  }
}

/** Whether an error is `Suspended`, as it was thrown, as the cause of another one, or as all of several. */
export function onlySuspended(error: unknown): boolean {
  if (error instanceof Suspended) return true;
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(onlySuspended);
  return error instanceof Error && error.cause !== undefined && onlySuspended(error.cause);
}

// Asks the client of a handshake-era call, and waits.
async function askClient(ctx: Context, needs: Need[], round: number): Promise<Map<string, Answered>> {
  const answered = new Map<string, Answered>();
  const waiting = new Map<string, Waiting>();
  const pause = needs.length === 0; // the handler wants to be called again later
  const times = new Map<number, ReturnType<typeof timer>>();
  const begun = performance.now();
  // All are asked now: each has its own time from here on.
  const within = (ms: number): Promise<"over"> => {
    const time = times.get(ms) ?? timer(Math.max(0, ms - (performance.now() - begun)));
    times.set(ms, time);
    return time.over;
  };
  const patience = (key: string): number => needs.find((need) => need.key === key)?.question.timeoutMs ?? ctx.server.askTimeoutMs;
  const stop = new Promise<"cancelled">((resolve) => {
    if (ctx.cancelled) resolve("cancelled");
    ctx.signal.addEventListener("abort", () => resolve("cancelled"), { once: true });
  });
  try {
    for (const need of needs) {
      try {
        waiting.set(need.key, ctx.channel.ask(ctx.call.key, need.native));
      } catch (wrong) {
        if (ctx.cancelled) throw new Cancelled(ctx.name);
        if (!isOver(wrong)) throw wrong;
        answered.set(need.key, new NoChannel((wrong as Error).message, need.key));
      }
    }
    if (pause && (await Promise.race([within(LOOK_MS * 2 ** round), stop])) === "cancelled") throw new Cancelled(ctx.name);
    for (const [key, one] of waiting) {
      const came = await Promise.race([one.answer, within(patience(key)), stop]);
      if (came === "cancelled") throw new Cancelled(ctx.name);
      if (came === "lost") answered.set(key, new NoChannel("the connection ended before the client answered", key));
      else if (came !== "over") answered.set(key, came);
      else answered.set(key, new TimedOut(`no answer came within ${patience(key) / 1000} seconds: ${key}`, key));
    }
  } finally {
    for (const time of times.values()) time.clear();
    for (const one of waiting.values()) one.close();
  }
  return answered;
}

function timer(ms: number): { over: Promise<"over">; clear(): void } {
  let handle: NodeJS.Timeout | undefined;
  const over = new Promise<"over">((resolve) => {
    handle = setTimeout(() => resolve("over"), ms);
  });
  return { over, clear: () => clearTimeout(handle) };
}

async function asQuestions(ctx: Context, error: UrlElicitationRequired): Promise<Replay> {
  const replay = ctx.replaying();
  const questions = Object.fromEntries(error.elicitations.map((one, at) => [`elicitation_${at}`, one]));
  try {
    // A no of the user ends the call.
    for (const answer of Object.values(replay.ask(questions))) void (answer as Elicited).data;
  } catch (left) {
    if (left instanceof Suspended) return replay;
    throw left;
  }
  // All addresses were opened, but the user is not done there: the same question once more.
  for (const key of Object.keys(questions)) delete replay.kept.answers[key];
  replay.restart();
  try {
    replay.ask(questions);
  } catch (left) {
    if (!(left instanceof Suspended)) throw left;
  }
  return replay;
}

// Not asked but told: the client comes back by itself when the user is done.
function required(ctx: Context, error: UrlElicitationRequired): Failure {
  const replay = ctx.replaying();
  const elicitations = error.elicitations.map((one, at) => {
    const need = replay.need(`elicitation_${at}`, one);
    replay.checkClient(need);
    const { message, url, id } = need.question as ElicitUrl;
    return { mode: "url", message, url, elicitationId: id };
  });
  return new Failure("custom", error.message, { code: -32042, data: dumps({ elicitations }) });
}

