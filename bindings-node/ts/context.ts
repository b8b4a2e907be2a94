/**
 * The context a handler gets as its second argument: who is calling, progress, logs, cancellation, and questions.
 *
 *     server.tool("book", { description: "Books a day", input: z.object({ date: z.string() }) }, async ({ date }, ctx) => {
 *       const quote = await ctx.memo("quote", () => reserve(date)); // runs once, whatever happens below
 *       const answer = await ctx.elicit("confirm", `Book for ${quote.price}?`, z.object({ card: z.string() }));
 *       return answer.accepted ? pay(quote, answer.data.card) : "Not booked.";
 *     });
 *
 * A handler that asks is run from its start until it needs an answer that is not there; the client is asked; then it is run
 * again, and the same question now has its answer. So what comes before a question happens more than once: keep it free of
 * side effects, or put them in `memo`. Each question of a call has a key of its own, the same in every run.
 *
 * What may happen to a question: the user accepts, declines or closes it (`Elicited.action`); or it has no answer, which is
 * an `AskError` the handler may catch. Not caught, it becomes the call's error, in words the model can read.
 */

import { AskRoots, Elicit, ElicitUrl, Sample, type AskOptions, type ElicitOptions, type Question, type Questions, type SampleOptions, type Said } from "./ask.js";
import type { Elicited, Root, Sampled } from "./answers.js";
import { Cancelled } from "./errors.js";
import { clean, dumps, loadsObject, type JsonObject } from "./json.js";
import { isOver, type Ask, type Call, type Pace, type Task, type Unable } from "./native.js";
import { MAY_ASK, Replay, type Answered } from "./replay.js";
import type { HeaderMap, McpRequest } from "./request.js";
import type { Schema } from "./schema.js";
import type { Server } from "./server.js";
import type { Output, StandardSchema } from "./standard.js";
import { CurrentTask } from "./task-run.js";

/** Severity of a log message, least first (RFC 5424). */
export type Level = "debug" | "info" | "notice" | "warning" | "error" | "critical" | "alert" | "emergency";

/** Waits for the answer to one question. */
export interface Waiting {
  /** The answer; `lost` when none can come any more. Never rejects. */
  readonly answer: Promise<Answered | "lost">;
  /** Nobody waits any more. */
  close(): void;
}

/** Where a running call speaks to its peer. Nothing here blocks. */
export interface Channel {
  /** What names the client, where it has no principal: its session; empty: its connection. Null: nothing does. */
  readonly client: string | null;
  /** The client has left the stream of this call, and cannot come back to it. */
  readonly isLeft: boolean;
  progress(key: number, progress: number, total: number | undefined, message: string | undefined): void;
  log(key: number, level: string, data: string, logger: string | undefined): void;
  /** Why this client cannot be asked that; null if it can. */
  canAsk(key: number, ask: Ask): Unable | null;
  /** Why no question reaches the client of a handshake-era call; undefined if one would. */
  noWay(call: Call): string | undefined;
  /** Ask the client of a handshake-era call. Throws what the addon throws if it cannot be asked after all. */
  ask(key: number, ask: Ask): Waiting;
  elicitationComplete(key: number, id: string): void;
  /** Begin the response, as a stream if it can be one, before there is anything to say. */
  beginStream(key: number): void;
  /** To a call that waits for a task: the task has come so far. */
  taskCame(key: number, task: Task, progress: number, total: number | undefined, message: string | undefined): void;
  /** End the response now; the client comes back for the rest. False: it cannot. */
  closeStream(key: number, retryMs: number): boolean;
}

const PROBES: Record<string, Ask> = {
  form: { kind: "form", message: "", schema: '{"type":"object","properties":{}}' },
  url: { kind: "url", message: "", url: "https://example.invalid/", id: "" },
  sample: { kind: "sample", params: '{"messages":[],"maxTokens":1}' },
  tools: { kind: "sample", params: '{"messages":[],"maxTokens":1,"tools":[]}' },
  roots: { kind: "roots" },
};

/** Answers of questions that are asked together: each as its question reads it. */
export type AnswersOf<Q extends Questions> = { [K in keyof Q]: Q[K] extends Question<infer T> ? T : never };

/** What a handler can know and say about the call it answers. Valid until the handler returns. */
export class Context {
  /** Used inside: what the call asked so far. */
  replay: Replay | undefined;
  /** Used inside. */
  currentTask: CurrentTask | undefined;
  // Made when a handler asks for it: a controller costs more than a small call.
  #abort: AbortController | undefined;
  #taken = false;
  #pace: Pace | undefined;
  #decoded: Map<string, unknown> | undefined;

  constructor(
    /** The native call, for what this class does not show. */
    readonly call: Call,
    /** Used inside: where the call speaks to its peer. */
    readonly channel: Channel,
    /** The server that answers. */
    readonly server: Server,
    /** The HTTP request it came in, or an empty one on stdio. */
    readonly request: McpRequest,
  ) {}

  // --- what is asked ------------------------------------------------------------------------------------------------

  /** `tool`, `resource`, `prompt`, `completion`, `list` or `custom`. */
  get kind(): string {
    return this.call.kind;
  }

  /** Name of the tool or prompt, the URI of the resource, or the method. */
  get name(): string {
    return this.call.name;
  }

  /** The arguments as the peer sent them, decoded but not validated. */
  get arguments(): JsonObject {
    return this.#object("arguments", this.call.arguments);
  }

  /** The request's `_meta`; empty if there was none. */
  get meta(): JsonObject {
    return this.#object("meta", this.call.meta);
  }

  /** The protocol revision spoken for this call. */
  get revision(): string {
    return this.call.revision;
  }

  /** Name and version of the client, when known. */
  get clientInfo(): JsonObject {
    return this.#object("clientInfo", this.call.clientInfo);
  }

  /** What the client declared it can do, when known. */
  get capabilities(): JsonObject {
    return this.#object("capabilities", this.call.clientCapabilities);
  }

  // --- who asks -----------------------------------------------------------------------------------------------------

  /** HTTP headers of the request; none on stdio. */
  get headers(): HeaderMap {
    return this.request.headers;
  }

  /** Who calls, as the server's `auth` found out; undefined without auth. */
  get principal(): any {
    return this.request.principal;
  }

  /** W3C trace context of the caller: from `_meta`, else from the HTTP header. */
  get traceparent(): string | undefined {
    return this.#trace("traceparent");
  }

  /** W3C vendor trace state that belongs to `traceparent`. */
  get tracestate(): string | undefined {
    return this.#trace("tracestate");
  }

  /** W3C baggage of the caller. */
  get baggage(): string | undefined {
    return this.#trace("baggage");
  }

  // --- saying something while running -------------------------------------------------------------------------------

  /**
   * Tell the peer how far the work is. Best effort: without a peer that asked for progress, or on a channel that cannot
   * carry it, nothing is sent.
   *
   * @param progress Must grow from one call to the next; what does not is left out. So is what comes too fast for a client to
   *   follow (limit `progressRate`), but for the last one.
   * @param total May be unknown.
   */
  progress(progress: number, total?: number, message?: string): void {
    if (!this.call.progressWanted || this.replay?.muted === true) return;
    this.#pace ??= this.server.core.pace();
    if (!this.#pace.admits(progress, total, { now: Math.floor(performance.now()) })) return;
    this.#tell(() => this.channel.progress(this.call.key, progress, total, message === undefined ? message : clean(message)));
  }

  /** Send a log message to the peer: any JSON value, usually a text. Best effort, as `progress`. */
  log(level: Level, data: unknown, logger?: string): void {
    if (this.call.logLevel === null || this.replay?.muted === true) return;
    this.#tell(() => this.channel.log(this.call.key, level, logged(data), logger));
  }

  /**
   * End the response of this call now, while the handler goes on: the client comes back for the answer, and for what is said
   * meanwhile (polling, basic/transports, "Sending Messages to the Server"). It frees a connection during long work.
   *
   * @param retryMs How long the client is to wait before it comes back, in ms.
   * @returns False, and nothing has changed, if this client cannot come back: it has to be in a session of `2025-11-25`, take
   *   event streams, and the server to keep events (the option `events`).
   */
  closeStream(retryMs = 1000): boolean {
    if (this.replay?.muted === true) return false;
    return this.channel.closeStream(this.call.key, retryMs);
  }

  /** `log` at level debug. */
  debug(data: unknown, logger?: string): void {
    this.log("debug", data, logger);
  }

  /** `log` at level info. */
  info(data: unknown, logger?: string): void {
    this.log("info", data, logger);
  }

  /** `log` at level warning. */
  warning(data: unknown, logger?: string): void {
    this.log("warning", data, logger);
  }

  /** `log` at level error. */
  error(data: unknown, logger?: string): void {
    this.log("error", data, logger);
  }

  /** The task this handler runs as; `task.id` is undefined if it runs within its request. */
  get task(): CurrentTask {
    return (this.currentTask ??= new CurrentTask());
  }

  // --- being taken back ---------------------------------------------------------------------------------------------

  /** Aborted once nobody wants the result: a cancellation, or a disconnect where that counts as one. For `fetch` and such. */
  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.cancelled && !this.#abort.signal.aborted) this.#abort.abort(new Cancelled(this.name));
    return this.#abort.signal;
  }

  /** True once the peer took the call back. */
  get cancelled(): boolean {
    return this.#taken || this.call.cancelled;
  }

  /** Throw `Cancelled` if the peer took the call back. Call it between the steps of long work. */
  throwIfCancelled(): void {
    if (this.cancelled) throw new Cancelled(this.name);
  }

  /** Used inside: the call was taken back. */
  cancel(): void {
    if (this.#taken) return;
    this.#taken = true;
    this.#abort?.abort(new Cancelled(this.name));
  }

  // --- questions ----------------------------------------------------------------------------------------------------

  /**
   * Have the user fill in a form.
   *
   * @param key Names the question in this call.
   * @param message For the user: what is needed, and why.
   * @param schema A Standard Schema of a flat object, or a flat JSON Schema, of strings, numbers, booleans and choices.
   *   Never ask for passwords or keys this way; see `elicitUrl`.
   * @returns What the user did, and `data`: what was filled in.
   */
  async elicit<const S extends Schema>(key: string, message: string, schema: S, options?: ElicitOptions): Promise<Elicited<Output<S>>> {
    return this.#ask(key, new Elicit<Output<S>>(message, schema as StandardSchema<unknown, Output<S>>, options));
  }

  /**
   * Have the user open an address; accepted means that it was opened, not that the user is done there.
   *
   * @param url Where to go. What happens there is the host's; it must check that the same user comes.
   * @param id Names the elicitation in `elicitationComplete`; made up unless given.
   */
  async elicitUrl(key: string, message: string, url: string, id?: string, options?: AskOptions): Promise<Elicited<undefined>> {
    return this.#ask(key, new ElicitUrl(message, url, id, options));
  }

  /** Have the client's model write. */
  async sample(key: string, messages: Said, options?: SampleOptions): Promise<Sampled> {
    return this.#ask(key, new Sample(messages, options));
  }

  /** Which folders the client works in. */
  async roots(key = "roots", options?: AskOptions): Promise<Root[]> {
    return this.#ask(key, new AskRoots(options));
  }

  /** Ask several questions at once: one round instead of many. The first one without an answer throws its `AskError`. */
  async askAll<Q extends Questions>(questions: Q): Promise<AnswersOf<Q>> {
    return this.replaying().ask(questions) as AnswersOf<Q>;
  }

  /** The same, with the `AskError` in the place of an answer that is not to be had. */
  async askAllSettled<Q extends Questions>(questions: Q): Promise<{ [K in keyof Q]: AnswersOf<Q>[K] | Error }> {
    return this.replaying().ask(questions, true) as AnswersOf<Q>;
  }

  /** Whether this client can be asked by a form, here and now. */
  get canElicit(): boolean {
    return this.#can("form");
  }

  /** Whether this client can be sent to an address. */
  get canElicitUrl(): boolean {
    return this.#can("url");
  }

  /** Whether this client can be asked to sample. */
  get canSample(): boolean {
    return this.#can("sample");
  }

  /** Whether this client can be asked to sample with tools. */
  get canSampleTools(): boolean {
    return this.#can("tools");
  }

  /** Whether this client can be asked for its roots. */
  get canListRoots(): boolean {
    return this.#can("roots");
  }

  /**
   * What `fn` gave when it ran first: for side effects, and for what must be the same in every run.
   *
   * @param key Names it in this call; apart from the keys of questions.
   * @param fn Gives a JSON value: what comes back is made of it, in the first run too. It travels through stateless
   *   clients, encrypted.
   */
  async memo<T>(key: string, fn: () => T | Promise<T>): Promise<T> {
    const kept = this.replaying().kept.memo;
    if (!(key in kept)) kept[key] = JSON.parse(dumps((await fn()) ?? null));
    return kept[key] as T;
  }

  /** For a handler in steps: the answers so far, by key; empty in its first step. See `NeedInput`. */
  get answers(): Record<string, any> {
    return this.replay?.answers() ?? {};
  }

  /** For a handler in steps: the state of the `NeedInput` before; null in its first step. */
  get state(): any {
    return this.replay?.kept.state ?? null;
  }

  /** Tell the client that the user is done at the address of an elicitation (2025-11-25; else nothing is sent). */
  elicitationComplete(id: string): void {
    this.#tell(() => this.channel.elicitationComplete(this.call.key, id));
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  /** Used inside: what the call asked so far, from now on. */
  replaying(): Replay {
    return (this.replay ??= new Replay(this));
  }

  #ask<T>(key: string, question: Question<T>): T {
    return this.replaying().ask({ [key]: question })[key] as T;
  }

  #can(kind: string): boolean {
    const reachable = this.call.stateless ? MAY_ASK.has(this.call.kind) : this.channel.noWay(this.call) === undefined;
    return reachable && this.channel.canAsk(this.call.key, PROBES[kind] as Ask) === null;
  }

  #tell(say: () => void): void {
    try {
      say();
    } catch (wrong) {
      // Said after the call ended, or after the peer left: nobody is there to hear it.
      if (!isOver(wrong)) throw wrong;
    }
  }

  #object(field: string, text: Uint8Array | null): JsonObject {
    const decoded = (this.#decoded ??= new Map<string, unknown>());
    let found = decoded.get(field);
    if (found === undefined) decoded.set(field, (found = loadsObject(text)));
    return found as JsonObject;
  }

  #trace(field: string): string | undefined {
    const value = this.meta[field];
    return typeof value === "string" ? value : this.headers.get(field);
  }
}

function logged(data: unknown): string {
  try {
    return dumps(data instanceof Error ? (data.stack ?? data.message) : data);
  } catch {
    return dumps(String(data));
  }
}

