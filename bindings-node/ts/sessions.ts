/**
 * What is remembered of a client of the handshake era between its HTTP requests, and where.
 *
 *     new Server(info)                                              nothing: any process serves any request (the default)
 *     new Server(info, { sessions: "memory" })                      a bounded table in this process
 *     new Server(info, { sessions: "sealed", secrets: [...] })      inside the session id: any process, nothing is stored
 *     new Server(info, { sessions: store })                         your store: `load` and `save`
 *
 * Clients of the stateless era need none of it. What is remembered is small: revision, capabilities, log level, watched
 * resources (`sealed`: only the first two). A session belongs to the principal that opened it: for anybody else it does not
 * exist (best practices, "Session Hijacking": ids are no credentials).
 */

import { createHash } from "node:crypto";
import { RegistrationError } from "./errors.js";
import { asBuffer } from "./json.js";
import { nonce, token, type KeyRing } from "./keys.js";
import { localName } from "./native.js";
import { principalText } from "./state.js";

/** A session's saved form starts with a digest of its principal, of this many bytes. */
const OWNER_BYTES = 16;
const IDLE_MS = 3_600_000;
const LIFETIME_MS = 86_400_000;

/** Every place of the table is taken by a session that is in use right now. Answered with 503. */
export class TooManySessions extends Error {}

/** Where a host keeps sessions: two functions, called by every process; they may be async. */
export interface SessionStore {
  /** The bytes saved under an id; undefined or null if there are none, or their time is over. */
  load(id: string): Uint8Array | undefined | null | Promise<Uint8Array | undefined | null>;
  /** Keep the bytes for `ttlMs` from now; undefined: forget them. */
  save(id: string, saved: Uint8Array | undefined, ttlMs: number): unknown;
}

/** A way of keeping sessions. `saved` is opaque; an id that is unknown or over loads as undefined. */
export interface Sessions {
  /** `fixed`: a session cannot change after it was opened. */
  readonly kind: "fixed" | "kept";
  /** Start a session; gives its id. Throws `TooManySessions`. */
  open(saved: Buffer): Promise<string>;
  /** What was saved. A look at a session counts as its use. */
  load(id: string): Promise<Buffer | undefined>;
  /** The session has changed. */
  save(id: string, saved: Buffer): Promise<void>;
  /** The session is over. */
  end(id: string): Promise<void>;
  /** The session is in use (a call runs, a stream is open) until the function given back is called. */
  hold(id: string): () => void;
}

interface Place {
  saved: Buffer;
  used: number;
  held: number;
}

/**
 * A bounded table in this process: right for one process, or for several behind a sticky proxy. Full, it drops the session
 * that was idle longest; those in use stay.
 */
export class MemorySessions implements Sessions {
  readonly kind = "kept";
  // In the order of last use.
  readonly #table = new Map<string, Place>();
  readonly #max: number;
  readonly #idleMs: number;
  readonly #clock: () => number;

  /** @param options `max`: most sessions (10,000); `idleMs`: ms after its last use at which one is over (an hour). */
  constructor(options: { max?: number; idleMs?: number; clock?: () => number } = {}) {
    this.#max = options.max ?? 10_000;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#clock = options.clock ?? (() => performance.now());
    if (!(this.#max >= 1) || !(this.#idleMs > 0)) throw new RegistrationError("sessions: max and idleMs must be more than 0");
  }

  /** How many there are. */
  get size(): number {
    return this.#table.size;
  }

  async open(saved: Buffer): Promise<string> {
    this.#makeRoom();
    const id = token();
    this.#table.set(id, { saved, used: this.#clock(), held: 0 });
    return id;
  }

  async load(id: string): Promise<Buffer | undefined> {
    const place = this.#table.get(id);
    if (place === undefined) return undefined;
    this.#table.delete(id);
    if (this.#isOver(place)) return undefined;
    place.used = this.#clock();
    this.#table.set(id, place);
    return place.saved;
  }

  async save(id: string, saved: Buffer): Promise<void> {
    const place = this.#table.get(id); // else it ended meanwhile, and stays so
    if (place !== undefined) place.saved = saved;
  }

  async end(id: string): Promise<void> {
    this.#table.delete(id);
  }

  hold(id: string): () => void {
    const place = this.#table.get(id);
    if (place === undefined) return () => undefined;
    place.held += 1;
    let released = false;
    return () => {
      if (released) return;
      released = true;
      place.held -= 1;
      place.used = this.#clock(); // its idle time starts now
    };
  }

  #isOver(place: Place): boolean {
    return place.held === 0 && this.#clock() - place.used >= this.#idleMs;
  }

  #makeRoom(): void {
    for (const [id, place] of this.#table) {
      if (!this.#isOver(place)) break;
      this.#table.delete(id);
    }
    if (this.#table.size < this.#max) return;
    for (const [id, place] of this.#table) {
      if (place.held > 0) continue;
      this.#table.delete(id);
      return;
    }
    throw new TooManySessions("every session is in use");
  }
}

/**
 * The id itself carries the session, sealed: any process serves it and nothing is stored. It lasts a fixed time, log levels
 * and watched resources are not kept, and DELETE cannot take an id back that somebody has copied; `revoked` is for that.
 */
export class SealedSessions implements Sessions {
  readonly kind = "fixed";
  readonly #keys: KeyRing;
  readonly #ttlMs: number;
  readonly #revoked: SessionStore | undefined;
  readonly #clock: () => number;

  /** @param options `ttlMs`: how long a session lasts (a day); `revoked` remembers the ended ones, by a digest of their id. */
  constructor(keys: KeyRing, options: { ttlMs?: number; revoked?: SessionStore; clock?: () => number } = {}) {
    this.#keys = keys;
    this.#ttlMs = options.ttlMs ?? LIFETIME_MS;
    this.#revoked = options.revoked;
    this.#clock = options.clock ?? Date.now;
  }

  async open(saved: Buffer): Promise<string> {
    const until = Buffer.alloc(8);
    until.writeBigUInt64BE(BigInt(Math.floor(this.#clock() + this.#ttlMs)));
    return this.#keys.get().seal("session", Buffer.concat([until, saved]), nonce());
  }

  async load(id: string): Promise<Buffer | undefined> {
    const opened = this.#opened(id);
    if (opened === undefined) return undefined;
    const revoked = await this.#revoked?.load(digestOf(id));
    return revoked === undefined || revoked === null ? opened.saved : undefined;
  }

  async save(): Promise<void> {
    // The core changes nothing in fixed sessions.
  }

  async end(id: string): Promise<void> {
    const opened = this.#opened(id);
    if (opened !== undefined) await this.#revoked?.save(digestOf(id), Buffer.from("1"), opened.left);
  }

  hold(): () => void {
    return () => undefined;
  }

  #opened(id: string): { saved: Buffer; left: number } | undefined {
    try {
      const plain = this.#keys.get().open("session", id);
      const left = Number(plain.readBigUInt64BE(0)) - this.#clock();
      return left > 0 ? { saved: plain.subarray(8), left } : undefined;
    } catch (wrong) {
      if (localName(wrong) === "bad_seal") return undefined;
      throw wrong;
    }
  }
}

/**
 * Sessions in a host's store, shared by all processes. Two requests of one session that change it in the same moment may
 * lose one of the changes: the last one to save wins.
 */
export class StoredSessions implements Sessions {
  readonly kind = "kept";
  readonly #store: SessionStore;
  readonly #idleMs: number;
  readonly #clock: () => number;

  /** Keep sessions until `idleMs` after their last use (an hour), give or take an eighth. */
  constructor(store: SessionStore, options: { idleMs?: number; clock?: () => number } = {}) {
    this.#store = store;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#clock = options.clock ?? Date.now;
  }

  async open(saved: Buffer): Promise<string> {
    const id = token();
    await this.save(id, saved);
    return id;
  }

  async load(id: string): Promise<Buffer | undefined> {
    if (id.length !== 32) return undefined; // not one of ours; a store need not see what strangers make up
    const loaded = await this.#store.load(id);
    if (loaded === undefined || loaded === null || loaded.length < 8) return undefined;
    const found = asBuffer(loaded);
    const age = this.#clock() - Number(found.readBigUInt64BE(0));
    if (age >= this.#idleMs) return undefined; // a store that does not forget by itself
    const saved = found.subarray(8);
    // Now and then is enough to keep it alive; most requests only read.
    if (age >= this.#idleMs / 8) await this.save(id, saved);
    return saved;
  }

  async save(id: string, saved: Buffer): Promise<void> {
    const stamp = Buffer.alloc(8);
    stamp.writeBigUInt64BE(BigInt(Math.floor(this.#clock())));
    await this.#store.save(id, Buffer.concat([stamp, saved]), this.#idleMs);
  }

  async end(id: string): Promise<void> {
    await this.#store.save(id, undefined, 0);
  }

  hold(): () => void {
    return () => undefined;
  }
}

/** What the option `sessions` may be. */
export type SessionsOption = "off" | "memory" | "sealed" | SessionStore | Sessions;

/** What the option means; undefined: none are kept. */
export function sessionsOf(chosen: SessionsOption | undefined, keys: KeyRing): Sessions | undefined {
  if (chosen === undefined || chosen === "off") return undefined;
  if (chosen === "memory") return new MemorySessions();
  if (chosen === "sealed") return new SealedSessions(keys);
  if (typeof chosen === "object" && "kind" in chosen) return chosen;
  if (typeof (chosen as SessionStore).load === "function" && typeof (chosen as SessionStore).save === "function") {
    return new StoredSessions(chosen as SessionStore);
  }
  throw new RegistrationError('sessions must be "off", "memory", "sealed", or a store with load(id) and save(id, bytes, ttlMs)');
}

const NOBODY = Buffer.alloc(OWNER_BYTES);

/** The first bytes of a session's saved form: whose it is. */
export function ownerOf(principal: unknown): Buffer {
  const text = principalText(principal);
  if (text === null) return NOBODY;
  return createHash("sha256").update(`p${text}`).digest().subarray(0, OWNER_BYTES);
}

/** The rest of a session's saved form, if it is that owner's. */
export function ofOwner(found: Buffer | undefined, owner: Buffer): Buffer | undefined {
  return found?.subarray(0, OWNER_BYTES).equals(owner) === true ? found.subarray(OWNER_BYTES) : undefined;
}

const digestOf = (id: string): string => createHash("sha256").update(id).digest("hex").slice(0, 48);
