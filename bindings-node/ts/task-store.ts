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

/** Keeps tasks in this process: they end with it, and other processes do not know them. */
export class MemoryTasks implements TaskStore {
  readonly #records = new Map<string, TaskRecord>();
  readonly #limit: number;

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
    // All tasks of a server live equally long: the oldest ones come first.
    for (const [id, one] of this.#records) {
      if (one.expires === null || one.expires > now) break;
      this.#records.delete(id);
    }
    if (this.#records.size >= this.#limit || this.#records.has(record.id)) return false;
    this.#records.set(record.id, record);
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
}
