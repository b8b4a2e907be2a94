/**
 * The native addon: bytes in, bytes out. No protocol knowledge lives here or above; each class wraps one of the core's.
 *
 * An object belongs to the thread (main thread or worker) that made it; every worker loads the addon and makes its own. Nothing
 * here runs JavaScript or waits.
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

/** It may be left out, or be none. */
export type Maybe<T> = T | null | undefined;

/** A question to the client. Schemas and parameters are JSON objects. */
export type Ask =
  | { kind: "form"; message: string; schema: Bytes }
  | { kind: "url"; message: string; url: string; id: string }
  | { kind: "sample"; params: Bytes }
  | { kind: "roots" }
  /** A question that a task has kept; see `Task.questions`. */
  | { kind: "task"; id: string; request: Bytes };

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
  code?: Maybe<number>;
  /** JSON; the needed capabilities with `missing_capability`. */
  data?: Maybe<Bytes>;
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
  allowedHosts?: Maybe<readonly string[]>;
  /** Accepted `Origin` values beyond the request's own; default none. */
  allowedOrigins?: readonly string[] | undefined;
  /** Capabilities that are no part of the protocol, as a JSON object. */
  experimental?: Bytes | undefined;
  /** Tasks of 2025-11-25: default `no`; `listed`: also `tasks/list`. */
  experimentalTasks?: "no" | "offered" | "listed" | undefined;
  /** Offered extensions, as a JSON object whose names have a prefix, as in `com.example/name`. */
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
      instructions?: Maybe<string>;
      /** By the names in `LIMITS`. */
      limits?: Readonly<Record<string, number>> | null | undefined;
      options?: Maybe<CoreOptions>;
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
  /** For one call, by the limits. */
  pace(): Pace;
  /**
   * One HTTP request. Header values are text decoded from Latin-1, as `node:http` gives them.
   *
   * `peer`: the address of the other side. `stream` (default true): the host can send a body in pieces.
   * `listen` (default false): a response may stay open. `events`: the name of a stream whose events are numbered and kept, 1 to
   * 32 letters, digits, `-` and `_` of ASCII.
   */
  exchange(
    method: string,
    headers: readonly (readonly [string, string])[],
    options?: {
      peer?: Maybe<string>;
      stream?: boolean | undefined;
      listen?: boolean | undefined;
      events?: Maybe<string>;
    } | null,
  ): Exchange;
  /**
   * The same for hosts in a hurry: one call for the head, the gate, and the body, if it is given and no session has to be
   * loaded for it. `headers`: names and values in turn, as `rawHeaders` of `node:http` has them.
   */
  begin(
    method: string,
    headers: readonly string[],
    options?: {
      peer?: Maybe<string>;
      stream?: boolean | undefined;
      listen?: boolean | undefined;
      events?: Maybe<string>;
      body?: Maybe<Bytes>;
    } | null,
  ): Exchange;
}

/** Limits how often one call tells its progress. */
export declare class Pace {
  private constructor();
  /** Whether to tell it now; `now` in ms, whole, by a clock that does not go back. */
  admits(progress: number, total: Maybe<number>, options: { now: number }): boolean;
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
  /** The client asks for a task with this very call (2025-11-25): nothing else answers it. */
  get wantsTask(): boolean;
  /** How long it wants it kept, in ms. */
  get taskTtlMs(): number | null;
  /** Its answer waits for something that is not run for it, maybe for long (`tasks/result`). */
  get waits(): boolean;
  /** The client takes a task for an answer to this call (of a server that offers them). */
  get tasks(): boolean;
  /** A task for this call, as it begins. `now` in ms since the epoch; durations in ms, more than 0. */
  newTask(
    id: string,
    options: {
      owner?: Maybe<string>;
      now: number;
      ttlMs?: Maybe<number>;
      pollMs?: Maybe<number>;
    },
  ): Task;
}

/** What a message on a duplex channel led to; `send` must be written whatever `event` is. */
export declare class Step {
  private constructor();
  get send(): Buffer | null;
  /** The same as text. */
  get sendText(): string | null;
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
  get paramsText(): string | null;
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

/**
 * One duplex channel: stdio, a WebSocket. What is returned as `Buffer` is one message to write, without a newline; null: nothing
 * is to be written. The methods whose names end with `Text` give the same as text.
 */
export declare class Session {
  private constructor();
  accept(message: Bytes): Step;
  /** From now on messages to send are kept, a newline behind each, until `take`; what would return them returns null (`ask`: an empty one). */
  hold(): void;
  /** How many bytes are kept. */
  get held(): number;
  take(): Buffer | null;
  /**
   * The next bytes of a stream of messages, a line each; null: it has ended. Gives the first step that is more than an answer,
   * or one that is `done` and says that enough is kept, which must be taken then; null: all is looked at. It holds what is to be sent, as `hold`.
   */
  feed(data: Maybe<Bytes>): Step | null;
  /** The next such step of what was fed. */
  next(): Step | null;
  /** The answer to a message that the framer skipped. */
  tooLong(): Buffer | null;
  reply(key: number, result: Bytes): Buffer | null;
  replyText(key: number, result: Bytes): string | null;
  /** Answers a tool call with a text, without the JSON of a result; otherwise as `reply`. A lone surrogate becomes U+FFFD. */
  say(key: number, text: string): Buffer | null;
  fail(key: number, failure: Failure, message: string, options?: FailOptions | null): Buffer | null;
  failText(key: number, failure: Failure, message: string, options?: FailOptions | null): string | null;
  progress(key: number, progress: number, total?: Maybe<number>, message?: Maybe<string>): Buffer | null;
  /** @param key `null`: of no call. */
  log(key: Maybe<number>, level: string, data: Bytes, logger?: Maybe<string>): Buffer | null;
  listChanged(kind: ListKind): Buffer | null;
  resourceUpdated(uri: string): Buffer | null;
  taskChanged(task: Task, principal?: Maybe<string>): Buffer | null;
  taskProgress(task: Task, progress: number, total?: Maybe<number>, message?: Maybe<string>): Buffer | null;
  notify(method: string, params?: Maybe<Bytes>): Buffer | null;
  canAsk(key: number, ask: Ask): Unable | null;
  /** The question to write, and its handle. */
  ask(key: number, ask: Ask): { send: Buffer; ask: number };
  giveUp(ask: number): Buffer | null;
  requireInput(key: number, asks: readonly (readonly [string, Ask])[], state?: Maybe<string>): Buffer | null;
  elicitationComplete(id: string): Buffer | null;
  endListening(): Buffer | null;
  /** The peer is gone: takes back all calls in work. */
  abandon(): void;
  isCancelled(key: number): boolean;
  get inFlight(): number;
  get revision(): string | null;
  get clientInfo(): Buffer | null;
  get clientCapabilities(): Buffer | null;
}

/**
 * Newline framing. `null` in a result stands for a line that was too long and skipped. A line that lies whole within the input is
 * given as a view of it: use it, or copy it, before the input is overwritten.
 */
export declare class Framer {
  /** @param limit Longest line in bytes; default `LIMITS.messageBytes`. */
  constructor(limit?: Maybe<number>);
  feed(data: Bytes): (Buffer | null)[];
  finish(): (Buffer | null)[];
}

/** A complete HTTP response, or the head of one. */
export declare class Reply {
  private constructor();
  get status(): number;
  get headers(): [string, string][];
  get body(): Buffer;
  get bodyText(): string;
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
    | "resuming"
    | null;
  get method(): string | null;
  get params(): Buffer | null;
  get paramsText(): string | null;
  get text(): string | null;
  get ok(): boolean;
  get clientInfo(): Buffer | null;
  get clientCapabilities(): Buffer | null;
  /** The session as it is to be stored now: a new one, or one that has changed. */
  get session(): Buffer | null;
  get listener(): Listener | null;
  /** With `resuming`: the stream to go on with, and the last event its client has seen. */
  get resume(): { stream: string; after: number } | null;
}

/** A response that stays open: told what has changed, it gives the bytes to write, or null. */
export declare class Listener {
  private constructor();
  listChanged(kind: ListKind): Buffer | null;
  resourceUpdated(uri: string, session?: Uint8Array | null | undefined): Buffer | null;
  taskChanged(task: Task, principal?: Maybe<string>): Buffer | null;
  end(): Buffer | null;
  /** The name of the stream, if its events are numbered. */
  get stream(): string | null;
  /** The number of the event given last, if events are numbered. */
  get event(): number | null;
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
  belongsTo(principal: Maybe<string>): boolean;
  /** It was made by the experimental tasks of 2025-11-25. */
  get experimental(): boolean;
  get progressWanted(): boolean;
  /** Whether a client of that revision can know it. */
  isOf(revision: string): boolean;
  created(): Buffer;
  detailed(): Buffer;
  acknowledged(): Buffer;
  /** For `tasks/result`; null if it is not over. */
  outcome():
    | { result: Buffer; error?: undefined }
    | { error: { code: number; message: string; data: Buffer | null }; result?: undefined }
    | null;
  /** The open questions with their keys, to be asked on `tasks/result`. */
  questions(): [string, Ask][];
  canAsk(ask: Ask): Unable | null;
  say(message: string, options: { now: number }): Task;
  requireInput(asks: readonly (readonly [string, Ask])[], options: { now: number }): Task;
  /** The next state; null if no answer was to an open question. */
  update(responses: Bytes, options: { now: number }): Task | null;
  complete(result: Bytes, options: { now: number }): Task;
  fail(failure: Failure, message: string, options: { now: number } & FailOptions): Task;
  cancel(options: { now: number }): Task;
}

/** The result of `tasks/list`. */
export declare function taskPage(tasks: readonly Task[], next?: Maybe<string>): Buffer;

/** Something to write: `head` starts the response (once), `end` completes it. */
export declare class Emit {
  private constructor();
  get head(): Reply | null;
  get body(): Buffer;
  get bodyText(): string;
  get end(): boolean;
  /** The event to be kept: its number in its stream, and its bytes. */
  get event(): { number: number; body: Buffer } | null;
}

/** One HTTP request. */
export declare class Exchange {
  private constructor();
  /** Where `begin` has led: a refusal of the gate, or what `accept` gives; null: the gate let it in, and `accept` comes next. */
  get first(): HttpStep | null;
  /** The request is answered: what `begin` made serves another one from now on, and this object throws `over`. */
  release(): void;
  /** What the head led to: a refusal, or null to go on with `accept`. */
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
  /** Answers a tool call with a text, without the JSON of a result; otherwise as `reply`. A lone surrogate becomes U+FFFD. */
  say(key: number, text: string): Emit;
  fail(key: number, failure: Failure, message: string, options?: FailOptions | null): Emit;
  progress(key: number, progress: number, total?: Maybe<number>, message?: Maybe<string>): Emit | null;
  taskProgress(key: number, task: Task, progress: number, total?: Maybe<number>, message?: Maybe<string>): Emit | null;
  /** Begins the response as a stream, if it can be one. */
  beginStream(key: number): Emit | null;
  log(key: number, level: string, data: Bytes, logger?: Maybe<string>): Emit | null;
  canAsk(key: number, ask: Ask): Unable | null;
  ask(key: number, id: string, ask: Ask): Emit | null;
  giveUp(key: number, id: string): Emit | null;
  elicitationComplete(key: number, id: string): Emit | null;
  requireInput(key: number, asks: readonly (readonly [string, Ask])[], state?: Maybe<string>): Emit;
  /** The name of the call's stream, if its events are numbered. */
  get stream(): string | null;
  openStream(key: number): Emit | null;
  closeStream(key: number, retryMs: number): Emit | null;
  /** The answer to a resuming client whose stream, or the events after the one it names, are not kept. */
  refuseResume(): Reply;
  /** Goes on with a session's GET stream after its event `last`. */
  resumeListening(last: number): Listener;
  /** Whether the request of this id (JSON text) is in work here; then it is taken back. */
  cancel(id: string): boolean;
  /** Takes back the call in work: the session it belongs to is over. */
  abandon(): void;
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
      principal?: Maybe<string>;
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
    principal: Maybe<string>,
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
