/**
 * Event streams that survive their connection (sessions of the handshake era): the host keeps what was said.
 *
 *     new Server(info, { sessions: "memory", events: new MemoryEvents() })      // one process
 *
 * Without it nothing is kept and no event has an id (the default). With it the events of a call in a session carry ids. A
 * client whose connection breaks asks for the rest with a GET; and `Context.closeStream` ends the response of a long call on
 * purpose, so that the client comes back for its answer (polling, `2025-11-25` only).
 *
 * A session's own GET stream, which tells of changes, is not kept: who missed something lists again.
 */

import { digest } from "./hub.js";
import { KEEP_ALIVE, type Emit } from "./native.js";
import type { Piece, Readable } from "./pump.js";

/** What is kept of a stream after one of its events. */
export interface KeptEvents {
  /** Number and bytes of each, in order. */
  events: readonly (readonly [number, Uint8Array])[];
  /** The stream has ended: nothing more will come. */
  over: boolean;
}

/** Where a host keeps events. `key` stands for a stream of a session: text of at most 80 characters. */
export interface EventStore {
  /** Milliseconds after which a reader looks again for what another process has appended; undefined if there is no other. */
  readonly pollMs?: number | undefined;
  /**
   * Keep an event. Numbers are 1, 2, 3 ...; 0 without an event says that the stream has begun. `over`: it has ended; without
   * an event if the call was taken back. Calls come in order, and none waits for a promise it gives. What it throws is
   * reported, and the call goes on.
   */
  append(key: string, number: number, event: Uint8Array | undefined, over: boolean): unknown;
  /** All events after that number; undefined or null: there is no such stream, or some of them are lost. */
  read(key: string, after: number): KeptEvents | undefined | null | Promise<KeptEvents | undefined | null>;
}

interface Kept {
  events: [number, Uint8Array][];
  bytes: number;
  last: number;
  over: boolean;
  until: number;
}

/**
 * Keeps events in this process, within bounds: right for one process, or for several behind a sticky proxy. Beyond a bound
 * the streams that were not used for longest are forgotten.
 */
export class MemoryEvents implements EventStore {
  readonly pollMs = undefined;
  // In the order of their last use, so that the first one is the first to go.
  readonly #streams = new Map<string, Kept>();
  readonly #maxBytes: number;
  readonly #ttlMs: number;
  readonly #maxStreams: number;
  readonly #clock: () => number;
  #bytes = 0;

  constructor(
    options: {
      /** Most bytes of events, all in all. Default: 16 MiB. */
      maxBytes?: number;
      /** How long a stream is kept after something was added to it or it was read. Default: 5 minutes. */
      ttlMs?: number;
      /** Most streams. Default: 10,000. */
      maxStreams?: number;
      /** Gives the time in ms; it does not go back. */
      clock?: () => number;
    } = {},
  ) {
    this.#maxBytes = options.maxBytes ?? 16 << 20;
    this.#ttlMs = options.ttlMs ?? 300_000;
    this.#maxStreams = options.maxStreams ?? 10_000;
    this.#clock = options.clock ?? (() => performance.now());
  }

  /** How many bytes of events are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How many streams are kept. */
  get size(): number {
    return this.#streams.size;
  }

  append(key: string, number: number, event: Uint8Array | undefined, over: boolean): void {
    const known = this.#streams.get(key);
    if (known === undefined && number > 1) return; // forgotten: what is left of it is of no use
    const now = this.#clock();
    const stream = known ?? { events: [], bytes: 0, last: 0, over, until: 0 };
    this.#use(key, stream, now);
    stream.over = over;
    if (event !== undefined) {
      stream.events.push([number, event]);
      stream.bytes += event.length;
      stream.last = number;
      this.#bytes += event.length;
    }
    for (const [oldest, { bytes, until }] of this.#streams) {
      if (this.#bytes <= this.#maxBytes && this.#streams.size <= this.#maxStreams && until > now) break;
      this.#streams.delete(oldest);
      this.#bytes -= bytes;
    }
  }

  read(key: string, after: number): KeptEvents | undefined {
    const stream = this.#streams.get(key);
    const now = this.#clock();
    if (stream === undefined || stream.until <= now || after > stream.last) return undefined;
    this.#use(key, stream, now);
    return { events: stream.events.filter(([number]) => number > after), over: stream.over };
  }

  #use(key: string, stream: Kept, now: number): void {
    stream.until = now + this.#ttlMs;
    this.#streams.delete(key);
    this.#streams.set(key, stream);
  }
}

/** The kept events of one server, and who waits for more of them in this process. */
export class Events {
  readonly #readers = new Map<string, Resumed>();

  constructor(
    readonly store: EventStore,
    private readonly report: (error: unknown) => void,
  ) {}

  /** Keep the events of a stream of this session from now on. */
  record(session: string, stream: string): Record {
    return new Record(this, keyOf(session, stream));
  }

  /** What a client gets that goes on after an event; undefined if it cannot. */
  async resume(session: string, stream: string, after: number, keepAliveMs: number): Promise<Resumed | undefined> {
    const key = keyOf(session, stream);
    const kept = await this.store.read(key, after);
    return kept === undefined || kept === null ? undefined : new Resumed(this, key, after, kept, keepAliveMs);
  }

  append(key: string, number: number, event: Uint8Array | undefined, over: boolean): void {
    const wrong = (error: unknown): void => this.report(new Error("an event was not kept", { cause: error }));
    try {
      Promise.resolve(this.store.append(key, number, event, over)).catch(wrong);
    } catch (error) {
      wrong(error);
    }
    this.#readers.get(key)?.look();
  }

  /** No message may be sent on two streams: who reads this one already has lost its connection. */
  enter(key: string, reader: Resumed): void {
    const older = this.#readers.get(key);
    this.#readers.set(key, reader);
    older?.close();
  }

  leave(key: string, reader: Resumed): void {
    if (this.#readers.get(key) === reader) this.#readers.delete(key);
  }
}

/** The stream of one call, as it is kept. */
export class Record {
  #begun = false;
  #last = 0;

  constructor(
    private readonly events: Events,
    private readonly key: string,
  ) {}

  /** Keep what is about to be sent, before it is sent; `over`: nothing follows. */
  keep(emit: Emit, over: boolean): void {
    if (!this.#begun) {
      this.#begun = true;
      this.events.append(this.key, 0, undefined, false);
    }
    const { event } = emit;
    if (event === null) return;
    this.#last = event.number;
    this.events.append(this.key, event.number, event.body, over);
  }

  /** The call was taken back: there is no last event. */
  end(): void {
    if (this.#begun) this.events.append(this.key, this.#last, undefined, true);
  }
}

/** The rest of a stream, on a connection of its own. */
export class Resumed implements Readable {
  wake: (() => void) | undefined;
  readonly silenceMs: number;
  /** It is none of the streams of which a session has only one. */
  readonly session = undefined;
  readonly #atClose: (() => void)[] = [];
  #kept: KeptEvents | undefined;
  #begun = false;
  #said = Date.now();
  #over = false;

  constructor(
    private readonly events: Events,
    private readonly key: string,
    private after: number,
    kept: KeptEvents,
    private readonly keepAliveMs: number,
  ) {
    this.#kept = kept;
    this.silenceMs = Math.min(keepAliveMs, events.store.pollMs ?? keepAliveMs);
  }

  /** Nothing more will come than what is there. */
  get isWhole(): boolean {
    return this.#kept?.over === true;
  }

  /** What is there. */
  whole(): Buffer {
    return Buffer.concat((this.#kept?.events ?? []).map(([, event]) => event));
  }

  /** Wait for more, from now on. */
  open(): void {
    this.events.enter(this.key, this);
    this.#kept = undefined; // something may have come before we were told of it
    this.onClose(() => this.events.leave(this.key, this));
  }

  /** There is more. */
  look(): void {
    this.wake?.();
  }

  listChanged(): void {}
  resourceUpdated(): void {}
  taskChanged(): void {}

  /** The server closes; the client will look for the rest elsewhere. */
  end(): void {
    this.close();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    for (const callback of this.#atClose) callback();
    this.wake?.();
  }

  onClose(callback: () => void): void {
    if (this.#over) callback();
    else this.#atClose.push(callback);
  }

  async next(): Promise<Piece> {
    if (this.#over) return undefined;
    const kept = this.#kept ?? (await this.events.store.read(this.key, this.after));
    this.#kept = undefined;
    const last = kept?.events.at(-1);
    if (kept && last !== undefined) {
      this.after = last[0];
      this.#said = Date.now();
      this.#begun = true;
      if (kept.over) this.#kept = { events: [], over: true };
      return Buffer.concat(kept.events.map(([, event]) => event));
    }
    if (!kept || kept.over) {
      this.close();
      return undefined;
    }
    if (this.#begun) return null;
    this.#begun = true;
    return KEEP_ALIVE; // the head leaves with the first bytes
  }

  // Another process may have appended something.
  async silent(): Promise<Piece> {
    const piece = await this.next();
    if (piece !== null || Date.now() - this.#said < this.keepAliveMs) return piece;
    this.#said = Date.now();
    return KEEP_ALIVE;
  }
}

function keyOf(session: string, stream: string): string {
  return `${digest(session)}:${stream}`;
}
