/**
 * Responses that stay open: `subscriptions/listen` of the stateless era, and the GET stream of a session.
 *
 * A stream holds no queue of messages but the set of what has changed: a list that changes a hundred times while the reader
 * is busy is told of once, and so is a resource. A reader that leaves more than `BACKLOG` of them unread is too slow, and its
 * stream is cut. It then connects again, as after any broken connection.
 */

import { digest } from "./hub.js";
import { KEEP_ALIVE, type Listener, type ListKind, type Task } from "./native.js";
import type { Piece, Readable } from "./pump.js";

/** Most different things that wait to be told. */
export const BACKLOG = 1000;

/** How a stream of a session looks its session up. */
export type Load = () => Promise<Buffer | undefined>;

/** The body of a response that stays open. */
export class Stream implements Readable {
  wake: (() => void) | undefined;
  readonly silenceMs: number;
  readonly session: string | undefined;
  readonly #listener: Listener;
  readonly #load: Load | undefined;
  readonly #principal: string | null;
  // Nearly all streams are silent: what they need to speak is made when they do.
  #pending: Map<string, Buffer | undefined> | undefined;
  #atClose: (() => void)[] = [];
  #first: Buffer | undefined;
  #over = false;
  #closed = false;

  constructor(
    listener: Listener,
    options: {
      /** The bytes that came with it. */
      first: Buffer;
      /** Whose tasks may be told of. */
      principal: string | null;
      /** Milliseconds of silence after which a comment is sent, so that proxies keep the connection. */
      keepAliveMs: number;
      /** For a GET stream: the id of its session, and what gives its saved form as it is now. */
      session?: { id: string; load: Load };
    },
  ) {
    this.#listener = listener;
    this.#first = options.first.length === 0 ? undefined : options.first;
    this.#principal = options.principal;
    this.silenceMs = options.keepAliveMs;
    this.#load = options.session?.load;
    this.session = options.session === undefined ? undefined : digest(options.session.id);
  }

  listChanged(kind: ListKind): void {
    const data = this.#listener.listChanged(kind);
    if (data !== null) this.#put(`list ${kind}`, data);
  }

  resourceUpdated(uri: string): void {
    // What the session watches may be in a store: the reader looks, not who changes the resource.
    const data = this.#load === undefined ? this.#listener.resourceUpdated(uri) : undefined;
    if (data !== null) this.#put(`uri ${uri}`, data);
  }

  taskChanged(task: Task): void {
    const data = this.#listener.taskChanged(task, this.#principal);
    if (data !== null) this.#put(`task ${task.id}`, data);
  }

  /** End in good order: tell what is left, then say so, as the protocol has it. */
  end(): void {
    if (this.#over) return;
    const last = this.#listener.end();
    if (last !== null) this.#put("end", last);
    this.#over = true;
    this.wake?.();
  }

  /** The reader is gone, or has no right to more: nothing more is written. */
  close(): void {
    this.#over = true;
    this.#pending = undefined;
    this.#first = undefined;
    if (!this.#closed) {
      this.#closed = true;
      for (const callback of this.#atClose) callback();
      this.#atClose = [];
    }
    this.wake?.();
  }

  onClose(callback: () => void): void {
    if (this.#closed) callback();
    else this.#atClose.push(callback);
  }

  next(): Piece | Promise<Piece> {
    if (this.#first !== undefined) {
      const first = this.#first;
      this.#first = undefined;
      return first;
    }
    const [entry] = this.#pending ?? [];
    if (entry === undefined) return this.#over ? this.#ended() : null;
    const [key, ready] = entry;
    this.#pending?.delete(key);
    return ready ?? this.#updated(key.slice("uri ".length));
  }

  silent(): Piece | Promise<Piece> {
    if (this.#over || this.#load === undefined) return this.#over ? this.next() : KEEP_ALIVE;
    // The session may be over, here or on another worker.
    return this.#load().then((saved) => (saved === undefined ? this.#ended() : KEEP_ALIVE));
  }

  // Whether the session watches that resource shows only now.
  async #updated(uri: string): Promise<Piece> {
    const saved = await this.#load?.();
    if (saved === undefined) return this.#ended();
    return this.#listener.resourceUpdated(uri, saved) ?? this.next();
  }

  #ended(): undefined {
    this.close();
    return undefined;
  }

  #put(key: string, data: Buffer | undefined): void {
    if (this.#over) return;
    this.#pending ??= new Map();
    this.#pending.set(key, data);
    if (this.#pending.size > BACKLOG) this.close();
    else this.wake?.();
  }
}
