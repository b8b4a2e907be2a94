/**
 * Where tasks are kept. In memory unless a store is given; a store that several processes share lets each of them answer for
 * the tasks of all. A store knows nothing of what it keeps: it adds records, gives them, and swaps one for its next version.
 */

/** A task as it is stored. */
export interface TaskRecord {
  /** ASCII, at most 128 characters. */
  readonly id: string;
  /** Its state: JSON. */
  readonly task: string;
  /** What it takes to go on with it, in any process: JSON. */
  readonly job: string;
  /** 1 at first, one more with every change. */
  readonly version: number;
  /** When it may be forgotten, in ms since the Unix epoch; null: never. Never earlier. */
  readonly expires: number | null;
  /** Tasks of one group are listed together; those of none, never. */
  readonly group?: string | undefined;
}

/** What `Tasks` needs. `now` is in ms since the Unix epoch. */
export interface TaskStore {
  /** Keep a new record: when this is done, every process finds it. False: there is no room. */
  add(record: TaskRecord, now: number): boolean | Promise<boolean>;
  /** The record of that id, unless it has expired. */
  get(id: string, now: number): TaskRecord | undefined | Promise<TaskRecord | undefined>;
  /** Put it in the place of the version before it. False: that is not what is there, or nothing is. */
  swap(record: TaskRecord, now: number): boolean | Promise<boolean>;
}

/** What it needs for `tasks/list` (2025-11-25). */
export interface ListingStore extends TaskStore {
  /** The records of a group whose ids sort after `after` (by code units), by id, so many at most; none that has expired. */
  list(group: string, after: string, limit: number, now: number): readonly TaskRecord[] | Promise<readonly TaskRecord[]>;
}

/** Keeps tasks in this process: they end with it, and other processes do not know them. */
export class MemoryTasks implements ListingStore {
  readonly #records = new Map<string, TaskRecord>();
  readonly #limit: number;
  /** When the next one expires, at the earliest. */
  #next = Infinity;

  /** @param limit Most tasks at once, finished ones until they expire among them; more are refused. */
  constructor(limit = 10_000) {
    if (!(limit >= 1)) throw new RangeError("limit must be at least 1");
    this.#limit = limit;
  }

  /** How many there are, expired ones that are not yet forgotten among them. */
  get size(): number {
    return this.#records.size;
  }

  add(record: TaskRecord, now: number): boolean {
    if (this.#next <= now) this.#forget(now);
    if (this.#records.size >= this.#limit || this.#records.has(record.id)) return false;
    this.#records.set(record.id, record);
    this.#next = Math.min(this.#next, record.expires ?? Infinity);
    return true;
  }

  get(id: string, now: number): TaskRecord | undefined {
    const found = this.#records.get(id);
    return found !== undefined && (found.expires === null || found.expires > now) ? found : undefined;
  }

  swap(record: TaskRecord, now: number): boolean {
    if (this.get(record.id, now)?.version !== record.version - 1) return false;
    this.#records.set(record.id, record);
    return true;
  }

  list(group: string, after: string, limit: number, now: number): TaskRecord[] {
    const ids = [...this.#records.values()].filter((one) => one.group === group && one.id > after).map(({ id }) => id);
    const alive = ids.sort((one, other) => (one < other ? -1 : 1)).flatMap((id) => this.get(id, now) ?? []);
    return alive.slice(0, limit);
  }

  #forget(now: number): void {
    this.#next = Infinity;
    for (const [id, { expires }] of this.#records) {
      if (expires !== null && expires <= now) this.#records.delete(id);
      else this.#next = Math.min(this.#next, expires ?? Infinity);
    }
  }
}
