/** What a running call says to its peer over HTTP: notifications first, if the peer can hear them, then the result. */

import type { Channel, Context, Waiting } from "./context.js";
import { Failure, settle, type Ending } from "./dispatch.js";
import type { Record } from "./events.js";
import type { Hub } from "./hub.js";
import { token } from "./keys.js";
import { KEEP_ALIVE, type Ask, type Call, type Emit, type Exchange, type Task, type Unable } from "./native.js";
import { sessionOwner } from "./state.js";
import { FULL_BYTES, type Sink } from "./sink.js";
import type { HeaderList } from "./request.js";

/**
 * Milliseconds that an answer is waited for when the stream of its question broke; in the handshake era that takes no call
 * back, and the answer comes in a request of its own.
 */
const GRACE_MS = 30_000;

/** The response to the request of one call, or of one batch. */
export class HttpChannel implements Channel {
  /** Whether the response has begun. */
  started = false;
  readonly #exchange: Exchange;
  readonly #sink: Sink;
  readonly #hub: Hub;
  readonly #record: Record | undefined;
  readonly #session: string | undefined;
  readonly #streams: boolean;
  readonly #keepAliveMs: number;
  #idle: NodeJS.Timeout | undefined;
  #over = false;
  #gone = false;
  /** The response was ended on purpose; the client comes back for the rest. */
  #closed = false;
  #lost: Promise<"lost"> | undefined;
  #isLost = false;
  #grace: NodeJS.Timeout | undefined;
  #lose: (() => void) | undefined;

  constructor(options: {
    exchange: Exchange;
    sink: Sink;
    hub: Hub;
    /** The session the request belongs to, if it may be asked in it. */
    session: string | undefined;
    /** Whether this response may be an event stream. */
    streams: boolean;
    keepAliveMs: number;
    /** Keeps the events, if the server keeps any. */
    record?: Record | undefined;
  }) {
    this.#exchange = options.exchange;
    this.#sink = options.sink;
    this.#hub = options.hub;
    this.#record = options.record;
    this.#session = options.session;
    this.#streams = options.streams;
    this.#keepAliveMs = options.keepAliveMs;
  }

  /** A hash: made for who asks for it, few calls do. */
  get client(): string | null {
    return this.#session === undefined ? null : sessionOwner(this.#session);
  }

  progress(key: number, progress: number, total: number | undefined, message: string | undefined): void {
    if (this.#hears()) this.#emit(this.#exchange.progress(key, progress, total, message));
  }

  log(key: number, level: string, data: string, logger: string | undefined): void {
    if (this.#hears()) this.#emit(this.#exchange.log(key, level, data, logger));
  }

  beginStream(key: number): void {
    if (this.#streams) this.#emit(this.#exchange.beginStream(key));
  }

  taskCame(key: number, task: Task, progress: number, total: number | undefined, message: string | undefined): void {
    if (this.#hears()) this.#emit(this.#exchange.taskProgress(key, task, progress, total, message));
  }

  /** With kept events the client may come back. */
  get isLeft(): boolean {
    return this.#gone && this.#record === undefined;
  }

  canAsk(key: number, ask: Ask): Unable | null {
    return this.#exchange.canAsk(key, ask);
  }

  noWay(call: Call): string | undefined {
    if (this.#session === undefined) return "this client cannot be asked: the server keeps no session for it";
    if (!this.#streams || !this.#exchange.canStream || call.batched) {
      return "this client cannot be asked: its request takes no event stream";
    }
    return undefined;
  }

  ask(key: number, ask: Ask): Waiting {
    const id = token(18);
    // The answer may be here before the question is written out.
    const expected = this.#hub.expect(this.#session ?? "", id);
    let answered = false;
    try {
      this.#emit(this.#exchange.ask(key, id, ask));
    } catch (wrong) {
      expected.close();
      throw wrong;
    }
    void expected.answer.then(() => (answered = true));
    return {
      answer: Promise.race([expected.answer, this.#whenLost()]),
      close: () => {
        expected.close();
        if (answered || this.#over) return;
        answered = true;
        try {
          this.#emit(this.#exchange.giveUp(key, id));
        } catch {
          // The call is over, and its questions with it.
        }
      },
    };
  }

  elicitationComplete(key: number, id: string): void {
    if (this.#streams) this.#emit(this.#exchange.elicitationComplete(key, id));
  }

  closeStream(key: number, retryMs: number): boolean {
    if (!this.#streams || this.#record === undefined || this.#over || this.#closed) return false;
    const emit = this.#exchange.closeStream(key, retryMs);
    if (emit === null) return false;
    this.#stream(emit, false);
    clearTimeout(this.#idle);
    if (!this.#gone) this.#sink.end();
    this.#closed = true;
    return true;
  }

  /** Answer the call. */
  settle(ctx: Context, outcome: Ending): void {
    this.#emit(settle(this.#exchange, ctx, outcome), outcome instanceof Failure ? outcome.options.http : undefined);
  }

  /** The whole response at once, for what is no result of a single call. */
  answer(status: number, headers: HeaderList, body: string): void {
    if (this.#over || this.started) return;
    this.#over = true;
    if (!this.#gone) this.#sink.answer(status, headers, body);
  }

  /** Whether everything is written. */
  get over(): boolean {
    return this.#over;
  }

  /** No more is said on this response. */
  close(): void {
    if (this.#idle !== undefined) clearTimeout(this.#idle);
    if (this.#grace !== undefined) clearTimeout(this.#grace);
    if (this.started && !this.#over && !this.#gone && !this.#closed) this.#sink.end();
    this.#over = true;
  }

  /** The reader went away. True: that took the call back. */
  gone(): boolean {
    if (this.#over) return false; // it left before it had read all of the answer
    this.#gone = true;
    clearTimeout(this.#idle);
    if (this.#record === undefined) {
      this.#grace = setTimeout(() => {
        this.#isLost = true;
        this.#lose?.();
      }, GRACE_MS);
      this.#grace.unref();
    } // else the client may come back for the question
    return this.#exchange.close();
  }

  #whenLost(): Promise<"lost"> {
    return (this.#lost ??= new Promise((resolve) => {
      this.#lose = () => resolve("lost");
      if (this.#isLost) this.#lose();
    }));
  }

  #hears(): boolean {
    if (!this.#streams || this.#over) return false;
    // What is kept is read later.
    if (this.#gone || this.#closed) return this.#record !== undefined;
    return this.#sink.waiting() < FULL_BYTES;
  }

  #emit(emit: Emit | null, http?: { status: number; headers: HeaderList }): void {
    if (emit === null || this.#over) return;
    const { head, bodyText, end } = emit;
    if (head !== null && end) {
      const headers = http === undefined ? head.headers : [...head.headers, ...http.headers];
      this.answer(http?.status ?? head.status, headers, bodyText.length > 0 ? bodyText : head.bodyText);
      return;
    }
    this.#stream(emit, end, http);
    // The end of a call that was taken back, before anything was said, is none of the response.
    if (end && this.started) this.close();
  }

  // A piece of an event stream; `over`: the last one.
  #stream(emit: Emit, over: boolean, http?: { headers: HeaderList }): void {
    const { head, body } = emit;
    const written = !this.#gone && !this.#closed;
    if (head !== null) {
      this.started = true;
      if (written) this.#sink.start(head.status, [...head.headers, ...(http?.headers ?? [])]);
    }
    if (body.length === 0) {
      this.#record?.end();
      return;
    }
    this.#record?.keep(emit, over);
    if (!written) return;
    this.#sink.write(body);
    this.#rest();
  }

  // A comment now and then keeps proxies from taking the connection for dead.
  #rest(): void {
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => {
      this.#sink.write(KEEP_ALIVE);
      this.#rest();
    }, this.#keepAliveMs);
  }
}
