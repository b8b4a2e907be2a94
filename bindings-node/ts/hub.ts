/**
 * Where things meet that belong to one client but come in on different requests or processes: a call that waits for an
 * answer of its client and the request that brings the answer; a call that runs and the request that takes it back; a
 * change and the streams that are to tell of it. One hub per server. With a `Fanout` it reaches the hubs of the other
 * processes; without one it ends at its own.
 */

import { createHash, randomBytes } from "node:crypto";
import type { Fanout } from "./fanout.js";
import type { Exchange, ListKind, Task } from "./native.js";
import type { Answered } from "./replay.js";

/** Which form published messages have: workers of two releases may share a fan-out for a while. */
const FORM = 1;

/** Longest time, in ms, that a client waits for the other processes to be reached. */
const PATIENCE_MS = 2_000;

/** A connection that stays open and can be told that something changed. */
export interface Live {
  listChanged(kind: ListKind): void;
  resourceUpdated(uri: string): void;
  taskChanged(task: Task): void;
  /** A task that a call on this very connection became has come so far (2025-11-25). */
  taskProgress?(task: Task, progress: number, total: number | undefined, message: string | undefined): void;
  /** A notification that is not the protocol's own. */
  notify?(method: string, params: string | undefined): void;
  /** The server closes: say goodbye to who listens. */
  end(): void;
}

/** A response that stays open. */
export interface OpenStream extends Live {
  /** Digest of the id of the session whose only stream this is. */
  readonly session: string | undefined;
  close(): void;
  onClose(callback: () => void): void;
}

/** A question that is on its way. */
export interface Expected {
  readonly answer: Promise<Answered>;
  close(): void;
}

interface Running {
  exchange: Exchange;
  cancel: () => void;
}

/** One per server. */
export class Hub {
  readonly #waiting = new Map<string, (answer: Answered) => void>();
  readonly #running = new Map<string, Set<Running>>();
  readonly #lives = new Set<Live>();
  readonly #streams = new Set<OpenStream>();
  readonly #ofSession = new Map<string, OpenStream>();
  readonly #fanout: Fanout | undefined;
  readonly #name: string;
  readonly #report: (error: unknown) => void;
  readonly #onTask: (id: string) => unknown;
  #ownName: string | undefined;
  #link: Promise<(() => unknown) | undefined> | undefined;
  #ready: Promise<unknown> | undefined;
  /** True after `close`: no stream is given away any more. */
  closed = false;

  /**
   * @param name Servers of one name are one server to a fan-out.
   * @param report Told of what goes wrong where nobody waits for it.
   * @param onTask Hears the id of a task that changed in another process, if somebody listens here.
   */
  constructor(name: string, fanout: Fanout | undefined, report: (error: unknown) => void, onTask: (id: string) => unknown = () => undefined) {
    this.#name = name;
    this.#fanout = fanout;
    this.#report = report;
    this.#onTask = onTask;
  }

  // What tells its own messages from those of other processes; made when there are any.
  #origin(): string {
    return (this.#ownName ??= randomBytes(12).toString("hex"));
  }

  // --- questions ----------------------------------------------------------------------------------------------------

  /** Get ready for the answer to a question of a session, before the question is sent; `ask` is its id. */
  expect(session: string, ask: string): Expected {
    const key = `${digest(session)} ${ask}`;
    const answer = new Promise<Answered>((resolve) => this.#waiting.set(key, resolve));
    void this.#linked();
    return { answer, close: () => void this.#waiting.delete(key) };
  }

  /** A client has answered: `text` is the JSON of the result, or of the error object. */
  answer(session: string, ask: string, ok: boolean, text: string): void {
    const secret = digest(session);
    if (!this.#answer(secret, ask, ok, text)) this.#publish("answer", secret, ask, ok, text);
  }

  #answer(secret: string, ask: string, ok: boolean, text: string): boolean {
    const key = `${secret} ${ask}`;
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.({ ok, text });
    return waiting !== undefined;
  }

  // --- calls in work ------------------------------------------------------------------------------------------------

  /** Until the function given back is called, a cancellation that another request brings finds `exchange`. */
  working(session: string, exchange: Exchange, cancel: () => void): () => void {
    const secret = digest(session);
    void this.#linked();
    const mine = this.#running.get(secret) ?? new Set();
    this.#running.set(secret, mine);
    const one = { exchange, cancel };
    mine.add(one);
    return () => {
      mine.delete(one);
      if (mine.size === 0 && this.#running.get(secret) === mine) this.#running.delete(secret);
    };
  }

  /** A client took a call back; `request` is the JSON text of the id of its request. */
  cancel(session: string, request: string): void {
    const secret = digest(session);
    if (!this.#cancel(secret, request)) this.#publish("cancel", secret, request);
  }

  #cancel(secret: string, request: string): boolean {
    for (const one of this.#running.get(secret) ?? []) {
      if (one.exchange.cancel(request)) {
        one.cancel();
        return true;
      }
    }
    return false;
  }

  /** A session is over: its calls are taken back and its stream is closed. */
  end(session: string): void {
    const secret = digest(session);
    this.#end(secret);
    this.#publish("end", secret);
  }

  #end(secret: string): void {
    for (const one of this.#running.get(secret) ?? []) one.cancel();
    this.#supersede(secret);
  }

  // --- changes ------------------------------------------------------------------------------------------------------

  /** Until the function given back is called, tell `live` about changes. */
  attach(live: Live): () => void {
    void this.#linked();
    this.#lives.add(live);
    return () => void this.#lives.delete(live);
  }

  /** Whether anybody could hear of a change: here, or in another process. */
  get listenedTo(): boolean {
    return this.#fanout !== undefined || this.#listenedToHere;
  }

  get #listenedToHere(): boolean {
    return this.#lives.size + this.#streams.size > 0;
  }

  /** A list is another one now, in this process; `everywhere`: in the others, too. */
  changed(kind: ListKind, everywhere = false): void {
    this.#tell((live) => live.listChanged(kind));
    if (everywhere) this.#publish("changed", kind);
  }

  /** The content of a resource is another one now. */
  updated(uri: string): void {
    this.#tell((live) => live.resourceUpdated(uri));
    this.#publish("updated", uri);
  }

  /** A task stands otherwise now. With `everywhere` other processes get its id, and look into the store they share. */
  taskChanged(task: Task, everywhere = true): void {
    this.#tell((live) => live.taskChanged(task));
    if (everywhere) this.#publish("task", task.id);
  }

  /** A task of 2025-11-25 has come so far: its client hears it on the connection of its call, if it keeps one. */
  taskProgress(task: Task, progress: number, total: number | undefined, message: string | undefined): void {
    this.#tell((live) => live.taskProgress?.(task, progress, total, message));
  }

  /** Send a notification of the host's own to every duplex connection. */
  notify(method: string, params: string | undefined): void {
    this.#tell((live) => live.notify?.(method, params));
  }

  #tell(say: (live: Live) => void): void {
    for (const live of [...this.#streams, ...this.#lives]) {
      try {
        say(live);
      } catch (wrong) {
        this.#report(wrong);
      }
    }
  }

  // --- streams ------------------------------------------------------------------------------------------------------

  /**
   * Give away a stream. False if `limit` of them are open in this process, or the server is closed.
   *
   * A session has one stream, for no message may be sent on two (basic/transports, "Multiple Connections"): an older one is
   * closed. It is most often one whose reader is gone and was not yet missed.
   */
  open(stream: OpenStream, limit: number): boolean {
    if (stream.session !== undefined) {
      this.#supersede(stream.session);
      this.#publish("opened", stream.session);
    }
    void this.#linked();
    if (this.closed || this.#streams.size >= limit) return false;
    this.#streams.add(stream);
    if (stream.session !== undefined) this.#ofSession.set(stream.session, stream);
    stream.onClose(() => this.#left(stream));
    return true;
  }

  #left(stream: OpenStream): void {
    this.#streams.delete(stream);
    const { session } = stream;
    if (session !== undefined && this.#ofSession.get(session) === stream) this.#ofSession.delete(session);
  }

  #supersede(secret: string): void {
    this.#ofSession.get(secret)?.close();
  }

  /** How many streams are open in this process. */
  get streams(): number {
    return this.#streams.size;
  }

  /** End all streams in good order, and the connection to other processes. */
  async close(): Promise<void> {
    this.closed = true;
    for (const live of [...this.#lives, ...this.#streams]) live.end();
    const unsubscribe = await this.#link;
    this.#link = undefined;
    await unsubscribe?.();
  }

  // --- other processes ----------------------------------------------------------------------------------------------

  /**
   * Settles when what other processes publish is heard here, or 2 s after that was first tried; undefined: now. To be waited
   * for before a client is told that it hears of everything, or is asked what it may answer elsewhere.
   */
  ready(): Promise<unknown> | undefined {
    void this.#linked();
    return this.#ready;
  }

  #linked(): Promise<unknown> | undefined {
    if (this.#fanout === undefined || this.closed) return undefined;
    if (this.#link === undefined) {
      this.#link = this.#subscribe(this.#fanout);
      let time: NodeJS.Timeout | undefined;
      const patience = new Promise((resolve) => (time = setTimeout(resolve, PATIENCE_MS)));
      this.#ready = Promise.race([this.#link, patience]).finally(() => {
        clearTimeout(time);
        this.#ready = undefined;
      });
    }
    return this.#link;
  }

  async #subscribe(fanout: Fanout): Promise<(() => unknown) | undefined> {
    try {
      return await fanout.subscribe((message) => this.#heard(message));
    } catch (cause) {
      this.#report(new Error("the fan-out cannot be subscribed to: this process hears nothing of the others", { cause }));
      return undefined;
    }
  }

  #publish(what: string, ...values: (string | boolean)[]): void {
    if (this.#fanout === undefined || this.closed) return;
    const message = JSON.stringify([FORM, this.#name, this.#origin(), what, ...values]);
    Promise.resolve(this.#linked())
      .then(() => this.#fanout?.publish(message))
      .catch((wrong: unknown) => this.#report(new Error("the fan-out did not take a message", { cause: wrong })));
  }

  #heard(message: string): void {
    const [form, name, origin, what, ...values] = JSON.parse(message) as [number, string, string, string, ...never[]];
    if (form !== FORM || name !== this.#name || origin === this.#origin()) return;
    const act: Record<string, (...values: never[]) => unknown> = {
      answer: (secret, ask, ok, text) => void this.#answer(secret, ask, ok, text),
      cancel: (secret, request) => void this.#cancel(secret, request),
      end: (secret) => this.#end(secret),
      changed: (kind) => this.#tell((live) => live.listChanged(kind)),
      updated: (uri) => this.#tell((live) => live.resourceUpdated(uri)),
      opened: (secret) => this.#supersede(secret),
      task: (id) => this.#listenedToHere && this.#onTask(id),
    };
    if (Object.hasOwn(act, what)) act[what]?.(...values);
  }
}

/** Stands for a session's id in everything that is published or logged: who has the id has the session. */
export function digest(session: string): string {
  return createHash("sha256").update(session).digest("hex").slice(0, 32);
}
