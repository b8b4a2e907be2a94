/**
 * Responses that stay open: `subscriptions/listen` of the stateless era, and the GET stream of a session.
 *
 * A stream holds no queue of messages but the set of what has changed: a list that changes a hundred times while the reader
 * is busy is told of once, and so is a resource. A reader that leaves more than `BACKLOG` of them unread is too slow, and its
 * stream is cut. It then connects again, as after any broken connection.
 */

import { digest, type OpenStream } from "./hub.js";
import { KEEP_ALIVE, type Listener, type ListKind, type Reply, type Task } from "./native.js";
import type { Sink } from "./sink.js";

/** Most different things that wait to be told. */
export const BACKLOG = 1000;

/** How a stream of a session looks its session up. */
export type Load = () => Promise<Buffer | undefined>;

/** The body of a response that stays open. */
export class Stream implements OpenStream {
  readonly session: string | undefined;
  readonly #listener: Listener;
  readonly #load: Load | undefined;
  readonly #principal: string | null;
  readonly #keepAliveMs: number;
  readonly #pending = new Map<string, Buffer | undefined>();
  readonly #atClose: (() => void)[] = [];
  #first: Buffer;
  #over = false;
  #closed = false;
  #wake: (() => void) | undefined;

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
    this.#first = options.first;
    this.#principal = options.principal;
    this.#keepAliveMs = options.keepAliveMs;
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
    this.#wake?.();
  }

  /** The reader is gone, or has no right to more: nothing more is written. */
  close(): void {
    this.#over = true;
    this.#pending.clear();
    this.#first = Buffer.alloc(0);
    if (!this.#closed) {
      this.#closed = true;
      for (const callback of this.#atClose) callback();
    }
    this.#wake?.();
  }

  onClose(callback: () => void): void {
    if (this.#closed) callback();
    else this.#atClose.push(callback);
  }

  /** The next bytes to write; undefined at the end. Rejects when the session cannot be looked up. */
  async next(): Promise<Buffer | undefined> {
    for (;;) {
      if (this.#first.length > 0) {
        const first = this.#first;
        this.#first = Buffer.alloc(0);
        return first;
      }
      const [entry] = this.#pending;
      if (entry === undefined) {
        if (this.#over) break;
        if (await this.#changed()) continue;
        // The session may be over, here or on another worker.
        if (this.#load !== undefined && (await this.#load()) === undefined) break;
        return KEEP_ALIVE;
      }
      const [key, ready] = entry;
      this.#pending.delete(key);
      if (ready !== undefined) return ready;
      const saved = await this.#load?.();
      if (saved === undefined) break;
      const data = this.#listener.resourceUpdated(key.slice("uri ".length), saved);
      if (data !== null) return data;
    }
    this.close();
    return undefined;
  }

  #put(key: string, data: Buffer | undefined): void {
    if (this.#over) return;
    this.#pending.set(key, data);
    if (this.#pending.size > BACKLOG) this.close();
    else this.#wake?.();
  }

  // Whether something changed within the time of a keep-alive.
  #changed(): Promise<boolean> {
    return new Promise((resolve) => {
      const time = setTimeout(() => done(false), this.#keepAliveMs);
      const done = (changed: boolean): void => {
        clearTimeout(time);
        this.#wake = undefined;
        resolve(changed);
      };
      this.#wake = () => done(true);
    });
  }
}

/** A stream that waits for what it has to say. */
export interface Readable extends OpenStream {
  /** The next bytes to write; undefined at the end. */
  next(): Promise<Buffer | undefined>;
}

/** Write what an open response has to say, until it ends. `report` is told why it cannot go on. */
export async function stay(sink: Sink, head: Reply, stream: Readable, report: (wrong: unknown) => unknown): Promise<void> {
  let gone = false;
  sink.start(head.status, head.headers);
  sink.onGone(() => {
    gone = true;
    stream.close();
  });
  const closed = new Promise<void>((resolve) => stream.onClose(resolve));
  try {
    for (let data = await stream.next(); data !== undefined && !gone; data = await stream.next()) {
      sink.write(data);
      await Promise.race([sink.drained(), closed]); // what changes meanwhile is told once
    }
  } catch (wrong) {
    report(wrong);
    stream.close();
  }
  if (!gone) sink.end();
}
