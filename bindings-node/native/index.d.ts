/**
 * The native addon: bytes in, bytes out. No protocol knowledge lives here or above; each class wraps one of the core's.
 *
 * An object belongs to the thread (main thread or worker) that made it; every worker loads the addon and makes its own.
 *
 * Errors. Every `Error` thrown here has a `code`, the same text in every language:
 *
 * - the host's mistakes by the core's names, with their stable `number`: `output_full`, `unknown_call`, `bad_json`, `bad_result`,
 *   `bad_definition`, `not_allowed`, `batch_pending`, `over`; nothing has changed;
 * - `invalid_argument`: an argument of the wrong type or value; nothing has changed;
 * - `bad_seal`: a sealed text is not valid here; why is not told;
 * - `poisoned`: an earlier call failed inside, and the object cannot be used any more; make a new one.
 *
 * A call that fails inside (a panic, which is a bug) throws `internal`, and poisons the object.
 */

/** Bytes, or text that stands for its UTF-8. Text is the faster of the two where it has just been made (`JSON.stringify`). */
export type Bytes = Uint8Array | string;

/** A question to the client. Schemas and parameters are JSON objects. */
export type Ask =
  | { kind: "form"; message: string; schema: Bytes }
  | { kind: "url"; message: string; url: string; id: string }
  | { kind: "sample"; params: Bytes }
  | { kind: "roots" };

/** Why a client cannot be asked. */
export interface Unable {
  why: "capability" | "revision" | "wrong";
  /** For people. */
  message: string;
  /** The capabilities that are needed, as JSON; only with `capability`. */
  needs: Buffer | null;
}

/** What a failure may carry besides its message. */
export interface FailOptions {
  /** The JSON-RPC code; needed by `custom`, ignored by others. */
  code?: number | null | undefined;
  /** JSON; the needed capabilities with `missing_capability`. */
  data?: Bytes | null | undefined;
}

/** How a call failed. `custom` needs a `code`, `missing_capability` needs `data`. */
export type Failure =
  | "tool"
  | "not_found"
  | "invalid_params"
  | "method_not_found"
  | "internal"
  | "missing_capability"
  | "custom";

/** A table of the catalogue. */
export type Kind = "tool" | "resource" | "template" | "prompt";

/** A list that a client can be told of. */
export type ListKind = "tools" | "resources" | "prompts";

/** What the server says of itself, and how it is served. Absent: `false`, `0`, none. */
export interface CoreOptions {
  logging?: boolean | undefined;
  completions?: boolean | undefined;
  listChanged?: boolean | undefined;
  subscribe?: boolean | undefined;
  /** How long lists may be cached, in ms. */
  ttlMs?: number | undefined;
  /** Default `private`. */
  cacheScope?: "private" | "public" | undefined;
  /** Default `off`. */
  sessions?: "off" | "fixed" | "kept" | undefined;
  /** Served protocol revisions; default all of `REVISIONS`. */
  revisions?: readonly string[] | undefined;
  /** Lists that the host answers itself: `tools`, `resources`, `templates`, `prompts`. */
  hostLists?: readonly string[] | undefined;
  /** Methods of the host's own that lead to calls of kind `custom`. */
  customMethods?: readonly string[] | undefined;
  /** Accepted `Host` values; default any. */
  allowedHosts?: readonly string[] | null | undefined;
  /** Accepted `Origin` values beyond the request's own; default none. */
  allowedOrigins?: readonly string[] | undefined;
  /** Capabilities that are no part of the protocol, as a JSON object. */
  experimental?: Bytes | undefined;
  /** Offered extensions, as a JSON object. */
  extensions?: Bytes | undefined;
}

export declare const VERSION: string;
/** Served protocol revisions, newest first. */
export declare const REVISIONS: readonly string[];
/** Names and defaults of every limit that `Core` takes. */
export declare const LIMITS: Readonly<Record<string, number>>;
/** The header that names a session. */
export declare const SESSION_HEADER: string;
/** The comment that keeps an idle event stream open. */
export declare const KEEP_ALIVE: Buffer;
/** How many random bytes a nonce of `Keys` has. */
export declare const NONCE_BYTES: number;

/** Whether an answer of the client (JSON) is of the kind that was asked for. */
export declare function accepts(ask: Ask, answer: Bytes): boolean;

/** What a server offers: identity, capabilities, limits, catalogue. Shared by all its sessions and exchanges. */
export declare class Core {
  /** @param info JSON: an object with at least `name` and `version`. */
  constructor(
    info: Bytes,
    options?: {
      instructions?: string | null | undefined;
      /** By the names in `LIMITS`. */
      limits?: Readonly<Record<string, number>> | null | undefined;
      options?: CoreOptions | null | undefined;
    } | null,
  );
  /** Adds a definition (JSON, newest shape) or replaces the one of its name; whether it is new. */
  put(kind: Kind, definition: Bytes): boolean;
  /** Whether there was one. */
  remove(kind: Kind, key: string): boolean;
  keys(kind: Kind): string[];
  get(kind: Kind, key: string): Buffer | null;
  session(): Session;
  /** Newline framing within this server's limit of a message. */
  framer(): Framer;
  /**
   * One HTTP request. Header values are text decoded from Latin-1, as `node:http` gives them.
   *
   * `peer`: the address of the other side. `stream` (default true): the host can send a body in pieces.
   * `listen` (default false): a response may stay open.
   */
  exchange(
    method: string,
    headers: readonly (readonly [string, string])[],
    options?: { peer?: string | null | undefined; stream?: boolean | undefined; listen?: boolean | undefined } | null,
  ): Exchange;
}

/** One thing to run. Frozen, except `cancelled`, which is live. A getter makes its value when it is read. */
export declare class Call {
  private constructor();
  get key(): number;
  get kind(): "tool" | "prompt" | "resource" | "completion" | "task" | "list" | "custom";
  get method(): string;
  get name(): string;
  get entry(): string | null;
  /** JSON. */
  get arguments(): Buffer;
  /** The same as text, for `JSON.parse`. */
  get argumentsText(): string;
  get variables(): Record<string, string>;
  get cursor(): string | null;
  get meta(): Buffer | null;
  get metaText(): string | null;
  get revision(): string;
  get stateless(): boolean;
  get clientInfo(): Buffer | null;
  get clientInfoText(): string | null;
  get clientCapabilities(): Buffer | null;
  get clientCapabilitiesText(): string | null;
  get inputResponses(): Buffer | null;
  get inputResponsesText(): string | null;
  get requestState(): string | null;
  get progressWanted(): boolean;
  get logLevel(): string | null;
  get batched(): boolean;
  get cancelled(): boolean;
  /** The client takes a task for an answer to this call (of a server that offers them). */
  get tasks(): boolean;
  /** A task for this call, as it begins. `now` in ms since the epoch; durations in ms, more than 0. */
  newTask(
    id: string,
    options: {
      owner?: string | null | undefined;
      now: number;
      ttlMs?: number | null | undefined;
      pollMs?: number | null | undefined;
    },
  ): Task;
}

/** What a message on a duplex channel led to; `send` must be written whatever `event` is. */
export declare class Step {
  private constructor();
  get send(): Buffer | null;
  get event():
    | "done"
    | "ignored"
    | "call"
    | "batch"
    | "opened"
    | "ready"
    | "cancelled"
    | "level"
    | "subscribed"
    | "unsubscribed"
    | "roots_changed"
    | "listening"
    | "answer"
    | "response"
    | "notification";
  get call(): Call | null;
  get batch(): Batch | null;
  get key(): number | null;
  get method(): string | null;
  get params(): Buffer | null;
  get text(): string | null;
  get ask(): number | null;
  get ok(): boolean;
  get left(): number;
}

/** A JSON-RPC batch: answer each call before asking for the next. */
export declare class Batch {
  private constructor();
  next(): Step | null;
}

/** One duplex channel: stdio, a WebSocket. What is returned as `Buffer` is one message to write, without a newline. */
export declare class Session {
  private constructor();
  accept(message: Bytes): Step;
  /** The answer to a message that the framer skipped. */
  tooLong(): Buffer | null;
  reply(key: number, result: Bytes): Buffer | null;
  fail(key: number, failure: Failure, message: string, options?: FailOptions | null): Buffer | null;
  progress(
    key: number,
    progress: number,
    total?: number | null | undefined,
    message?: string | null | undefined,
  ): Buffer | null;
  /** @param key `null`: of no call. */
  log(key: number | null | undefined, level: string, data: Bytes, logger?: string | null | undefined): Buffer | null;
  listChanged(kind: ListKind): Buffer | null;
  resourceUpdated(uri: string): Buffer | null;
  taskChanged(task: Task, principal?: string | null | undefined): Buffer | null;
  notify(method: string, params?: Bytes | null | undefined): Buffer | null;
  canAsk(key: number, ask: Ask): Unable | null;
  /** The question to write, and its handle. */
  ask(key: number, ask: Ask): { send: Buffer; ask: number };
  giveUp(ask: number): Buffer | null;
  requireInput(key: number, asks: readonly (readonly [string, Ask])[], state?: string | null | undefined): Buffer | null;
  elicitationComplete(id: string): Buffer | null;
  endListening(): Buffer | null;
  isCancelled(key: number): boolean;
  get inFlight(): number;
  get revision(): string | null;
  get clientInfo(): Buffer | null;
  get clientCapabilities(): Buffer | null;
}

/** Newline framing. `null` in a result stands for a line that was too long and skipped. */
export declare class Framer {
  /** @param limit Longest line in bytes; default `LIMITS.messageBytes`. */
  constructor(limit?: number | null | undefined);
  feed(data: Bytes): (Buffer | null)[];
  finish(): (Buffer | null)[];
}

/** A complete HTTP response, or the head of one. */
export declare class Reply {
  private constructor();
  get status(): number;
  get headers(): [string, string][];
  get body(): Buffer;
}

/** What a request body led to: a reply, a call to run, or a batch to walk with `Exchange.next`. */
export declare class HttpStep {
  private constructor();
  get reply(): Reply | null;
  get call(): Call | null;
  get batch(): boolean;
  /** What happened besides. */
  get event():
    | "notification"
    | "response"
    | "cancelled"
    | "roots_changed"
    | "ready"
    | "level"
    | "subscribed"
    | "unsubscribed"
    | "opened"
    | "ended"
    | "listening"
    | null;
  get method(): string | null;
  get params(): Buffer | null;
  get text(): string | null;
  get ok(): boolean;
  get clientInfo(): Buffer | null;
  get clientCapabilities(): Buffer | null;
  /** The session as it is to be stored now: a new one, or one that has changed. */
  get session(): Buffer | null;
  get listener(): Listener | null;
}

/** A response that stays open: told what has changed, it gives the bytes to write, or null. */
export declare class Listener {
  private constructor();
  listChanged(kind: ListKind): Buffer | null;
  resourceUpdated(uri: string, session?: Uint8Array | null | undefined): Buffer | null;
  taskChanged(task: Task, principal?: string | null | undefined): Buffer | null;
  end(): Buffer | null;
}

/** One state of a task. What changes it gives the next one, or throws `not_allowed` if it is over. Times in ms since the epoch. */
export declare class Task {
  private constructor();
  /** The task of those bytes; null if they are none. */
  static restore(saved: Bytes): Task | null;
  save(): Buffer;
  get id(): string;
  get status(): string;
  get over(): boolean;
  get message(): string | null;
  get expires(): number | null;
  get answers(): Buffer;
  get open(): string[];
  belongsTo(principal: string | null | undefined): boolean;
  created(): Buffer;
  detailed(): Buffer;
  canAsk(ask: Ask): Unable | null;
  say(message: string, options: { now: number }): Task;
  requireInput(asks: readonly (readonly [string, Ask])[], options: { now: number }): Task;
  /** The next state; null if no answer was to an open question. */
  update(responses: Bytes, options: { now: number }): Task | null;
  complete(result: Bytes, options: { now: number }): Task;
  fail(failure: Failure, message: string, options: { now: number } & FailOptions): Task;
  cancel(options: { now: number }): Task;
}

/** Something to write: `head` starts the response (once), `end` completes it. */
export declare class Emit {
  private constructor();
  get head(): Reply | null;
  get body(): Buffer;
  get end(): boolean;
}

/** One HTTP request. */
export declare class Exchange {
  private constructor();
  /** Looks at the head; a refusal, or null to go on with `accept`. */
  gate(): Reply | null;
  /** Longest body, in bytes. */
  get maxBody(): number;
  get canStream(): boolean;
  /** How many messages were not sent because the response is no stream. */
  get dropped(): number;
  /** The session the request names. */
  get sessionId(): string | null;
  accept(body: Bytes, session?: Uint8Array | null | undefined): HttpStep;
  /** The next step of a batch. */
  next(): HttpStep;
  reply(key: number, result: Bytes): Emit;
  fail(key: number, failure: Failure, message: string, options?: FailOptions | null): Emit;
  progress(
    key: number,
    progress: number,
    total?: number | null | undefined,
    message?: string | null | undefined,
  ): Emit | null;
  log(key: number, level: string, data: Bytes, logger?: string | null | undefined): Emit | null;
  canAsk(key: number, ask: Ask): Unable | null;
  ask(key: number, id: string, ask: Ask): Emit | null;
  giveUp(key: number, id: string): Emit | null;
  elicitationComplete(key: number, id: string): Emit | null;
  requireInput(key: number, asks: readonly (readonly [string, Ask])[], state?: string | null | undefined): Emit;
  /** Whether the request of this id (JSON text) is in work here; then it is taken back. */
  cancel(id: string): boolean;
  /** A response of the host's own (401, 403, 503), with what browsers need to see it. */
  refuse(status: number, headers: readonly (readonly [string, string])[], body: Bytes): Reply;
  /** The peer went away; whether that took back a call. */
  close(): boolean;
  isCancelled(key: number): boolean;
}

/** A ring of keys: the first secret seals, all of them open. Nonces are `NONCE_BYTES` random bytes. */
export declare class Keys {
  constructor(secrets: readonly Bytes[]);
  seal(purpose: string, plain: Bytes, nonce: Uint8Array): string;
  open(purpose: string, sealed: string): Buffer;
  /** `now` and `ttl` in one unit of the host's choice. */
  sealState(
    method: string,
    target: string,
    arguments_: Bytes,
    options: {
      principal?: string | null | undefined;
      round: number;
      kept: Bytes;
      now: number;
      ttl: number;
      nonce: Uint8Array;
    },
  ): string;
  openState(
    method: string,
    target: string,
    arguments_: Bytes,
    principal: string | null | undefined,
    sealed: string,
    options: { now: number },
  ): { round: number; kept: Buffer; nonce: Buffer };
}

/** A JSON Schema, compiled once. */
export declare class Validator {
  /**
   * Compiles a schema of at most 1 MiB and 100 levels: 2020-12, or the draft its `$schema` names. Nothing is ever fetched.
   * Throws `invalid_argument` if it is no schema of that draft, its draft is unknown, or a reference leads nowhere inside it.
   */
  constructor(schema: Bytes);
  /**
   * What is wrong with a JSON value, three problems at most. Empty: it fits.
   * The path is as in `filters.tags[0]`, and empty for the value itself. Values are cut to 60 characters.
   */
  check(instance: Bytes): { path: string; expected: string; got: string }[];
}
