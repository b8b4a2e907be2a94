/**
 * Running a handler again with what the client answered.
 *
 * A handler that asks is run from its start until it needs an answer that is not there yet; then the run is left (by a
 * `Suspended` that it throws), the client is asked, and the handler runs again. Questions that are answered give their
 * answers at once, `memo` gives what it gave before, and what was said before (progress, logs) is not said again.
 */

import { ElicitUrl, fromSpec, NeedInput, Question, type Questions, type Spec } from "./ask.js";
import type { Context } from "./context.js";
import { AskError, InvalidAnswer, MissingClientCapability, NoChannel, Refused, Suspended, Unaskable } from "./errors.js";
import { dumps, isObject, loadsObject } from "./json.js";
import { token } from "./keys.js";
import type { Ask } from "./native.js";
import { nothingKept, table, type Kept, type Known } from "./state.js";

/** Kinds of requests whose results may be questions (basic/patterns/mrtr). */
export const MAY_ASK = new Set(["tool", "prompt", "resource"]);

/** A question without an answer. */
export interface Need {
  key: string;
  question: Question;
  native: Ask;
  digest: string;
}

/** What a client of the handshake era answered: a result or an error object as JSON text, or why there is no answer. */
export type Answered = { ok: boolean; text: string } | AskError;

/** The questions and answers of one call. */
export class Replay {
  readonly kept: Kept;
  /** What this run needs. */
  needs = new Map<string, Need>();
  /** What the handler says now was said in a run before. */
  muted: boolean;
  #bound: boolean;
  readonly #ctx: Context;
  readonly #given: Record<string, string> = table();
  readonly #askedNow = new Map<string, string>();

  constructor(ctx: Context, kept?: Kept) {
    this.#ctx = ctx;
    this.kept = kept ?? nothingKept();
    this.#bound = kept !== undefined;
    for (const [key, value] of Object.entries(loadsObject(ctx.call.inputResponses))) this.#given[key] = dumps(value);
    this.muted = this.#isBehind();
  }

  // --- one run of the handler ---------------------------------------------------------------------------------------

  /** Before the handler runs once more in the same call. */
  restart(): void {
    this.#askedNow.clear();
    this.needs.clear();
    this.muted = this.#isBehind();
  }

  /**
   * The answers, by key.
   *
   * @param errors Put an `AskError` in the place of an answer instead of throwing it.
   * @throws AskError One of the questions cannot be asked, or has no answer and never will have.
   * @throws Suspended Answers are not there yet.
   */
  ask(questions: Questions, errors = false): Record<string, unknown> {
    // From here on the handler does what it has not done before.
    if (Object.keys(questions).some((key) => key in this.kept.open)) this.muted = false;
    const found = table<unknown>();
    const needs: Need[] = [];
    for (const [key, question] of Object.entries(questions)) {
      try {
        const need = this.need(key, question);
        const known = this.#known(need);
        if (known !== undefined) {
          found[key] = read(need, known);
        } else {
          this.#check(need);
          needs.push(need);
          found[key] = undefined;
        }
      } catch (error) {
        if (!errors || !(error instanceof AskError)) throw error;
        found[key] = error;
      }
    }
    if (needs.length === 0) return found;
    for (const need of needs) this.needs.set(need.key, need);
    throw new Suspended();
  }

  /** Take what a handler in steps returned. False: all answers are there already, so it can be called again. */
  require(step: NeedInput): boolean {
    const { kept } = this;
    kept.steps = true;
    kept.state = JSON.parse(dumps(step.state ?? null));
    this.#askedNow.clear(); // a later step may ask something else under the same key
    const needs = Object.entries(step.asks).map(([key, question]) => this.need(key, question));
    for (const need of needs) delete kept.answers[need.key]; // of an earlier step
    this.#keepOpen(needs);
    return needs.length === 0 || this.needs.size > 0;
  }

  /** Take the answers for a handler in steps. True: some are missing, which is what is needed again. */
  resume(): boolean {
    const open = this.kept.steps ? Object.entries(this.kept.open) : [];
    this.#keepOpen(open.map(([key, spec]) => this.need(key, fromSpec(spec as Spec))));
    return this.needs.size > 0;
  }

  /** All answers so far, for a handler in steps: what has none, because the client refused, has an `AskError`. */
  answers(): Record<string, unknown> {
    const out = table<unknown>();
    for (const [key, known] of Object.entries(this.kept.answers)) {
      if (known.spec === undefined) continue;
      try {
        out[key] = known.error ?? fromSpec(known.spec).read(known.value, key);
      } catch (wrong) {
        if (!(wrong instanceof InvalidAnswer)) throw wrong;
        out[key] = wrong;
      }
    }
    return out;
  }

  // --- between two runs ---------------------------------------------------------------------------------------------

  /** The questions of this round, for a stateless client; they are open from now on. */
  asked(): [string, Ask][] {
    this.#open();
    return [...this.needs.values()].map((need) => [need.key, need.native]);
  }

  /** Take what a client of the handshake era answered to `needs`. */
  take(answered: Map<string, Answered>): void {
    this.#open();
    this.#bound = true;
    for (const [key, outcome] of answered) {
      const need = this.needs.get(key);
      if (need === undefined) continue;
      if (outcome instanceof AskError) this.#keep(need, { error: outcome });
      else if (outcome.ok) this.#given[key] = outcome.text;
      else this.#keep(need, { error: refusal(key, outcome.text) });
    }
  }

  /** Take an error object (JSON) for the answer to a question of the round before, which a task kept. */
  refuse(key: string, error: string): void {
    const was = this.kept.open[key];
    if (was === undefined) return;
    const asked = typeof was === "string" ? { digest: was } : { digest: fromSpec(was).digest(), spec: was };
    this.kept.answers[key] = { ...asked, error: refusal(key, error) };
  }

  /** A question of this run, under its key. */
  need(key: string, question: Question): Need {
    if (!(question instanceof Question)) {
      throw new TypeError(`question ${JSON.stringify(key)} must be an Elicit, ElicitUrl, Sample or AskRoots`);
    }
    const named = question instanceof ElicitUrl ? this.#named(key, question) : question;
    const digest = named.digest();
    const before = this.#askedNow.get(key);
    if (before !== undefined && before !== digest) {
      throw new TypeError(`two different questions of one call have the key ${JSON.stringify(key)}`);
    }
    this.#askedNow.set(key, digest);
    return { key, question: named, native: named.native(), digest };
  }

  /** Throw if the client's capabilities or revision do not allow the question. */
  checkClient(need: Need): void {
    const unable = this.#ctx.channel.canAsk(this.#ctx.call.key, need.native);
    if (unable === null) return;
    if (unable.why === "capability") {
      throw new MissingClientCapability(loadsObject(unable.needs), unable.message, need.key);
    }
    if (unable.why === "wrong") throw new TypeError(`question ${JSON.stringify(need.key)}: ${unable.message}`);
    throw new Unaskable(unable.message, need.key);
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  #isBehind(): boolean {
    return Object.keys(this.kept.open).length > 0 && !this.kept.steps;
  }

  #open(): void {
    this.kept.round += 1;
    this.kept.open = table();
    for (const need of this.needs.values()) this.kept.open[need.key] = this.#mark(need);
  }

  #keepOpen(needs: Need[]): void {
    this.needs = new Map(needs.filter((need) => this.#known(need) === undefined).map((need) => [need.key, need]));
    for (const need of this.needs.values()) this.#check(need);
  }

  #named(key: string, question: ElicitUrl): ElicitUrl {
    // Before the client is told the id, and then always the same.
    const id = question.id ?? this.kept.ids[key] ?? token(18);
    this.kept.ids[key] = id;
    return new ElicitUrl(question.message, question.url, id, question);
  }

  #known(need: Need): Known | undefined {
    const known = this.kept.answers[need.key];
    if (known?.digest === need.digest) return known;
    const given = this.#given[need.key];
    if (given === undefined) return undefined;
    delete this.#given[need.key];
    // With a state we know what was asked: an answer to anything else is an old one, or made up.
    if (this.#bound && !same(this.kept.open[need.key], this.#mark(need))) return undefined;
    if (!need.question.fits(given)) return undefined;
    const value: unknown = JSON.parse(given);
    if (need.question.again) {
      try {
        need.question.read(value, need.key);
      } catch (wrong) {
        if (wrong instanceof InvalidAnswer) return undefined;
        throw wrong;
      }
    }
    return this.#keep(need, { value });
  }

  #mark(need: Need): string | Spec {
    return this.kept.steps ? need.question.spec() : need.digest;
  }

  #keep(need: Need, outcome: { value?: unknown; error?: AskError }): Known {
    const known: Known = { digest: need.digest, ...outcome, ...(this.kept.steps ? { spec: need.question.spec() } : {}) };
    this.kept.answers[need.key] = known;
    return known;
  }

  // Whether this client can be asked that, here and now.
  #check(need: Need): void {
    const { call, kind, channel } = this.#ctx;
    if (call.stateless) {
      if (!MAY_ASK.has(kind)) throw new NoChannel(`a ${kind} request may not ask the client`, need.key);
    } else {
      const why = channel.noWay(call);
      if (why !== undefined) throw new NoChannel(why, need.key);
    }
    this.checkClient(need);
  }
}

const same = (one: unknown, other: unknown): boolean => one !== undefined && dumps(one) === dumps(other);

function read(need: Need, known: Known): unknown {
  if (known.error !== undefined) throw known.error;
  return need.question.read(known.value, need.key);
}

function refusal(key: string, text: string): Refused {
  const found: unknown = JSON.parse(text);
  const { code, message } = isObject(found) ? found : {};
  const words = typeof message === "string" && message !== "" ? message : "the client refused";
  return new Refused(words, key, typeof code === "number" ? code : undefined);
}
