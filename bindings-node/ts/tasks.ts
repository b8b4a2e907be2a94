/**
 * Tasks: tool calls whose result comes later (extension `io.modelcontextprotocol/tasks` of 2026-07-28).
 *
 *     server.tool("render", { task: "optional", input: z.object({ scene: z.string() }) }, async ({ scene }, ctx) => {
 *       for (let frame = 0; frame < 100; frame += 1) {
 *         ctx.throwIfCancelled();
 *         await ctx.task.status(`frame ${frame}`);
 *         ...
 *       }
 *     });
 *
 * A client that declared the extension gets a task at once and asks for it (`tasks/get`). Any other client gets the result of
 * the same call, when it is there:
 *
 * - `never` (the default): the tool is never a task;
 * - `optional`: a task where the client takes one, within the request elsewhere;
 * - `required`: clients that take no task are refused (-32021; older ones read why in an `isError` result);
 * - `deferred`: the call begins within its request, where questions are asked before there is a task, and becomes one when the
 *   handler calls `ctx.task.begin()`.
 *
 * Questions inside a task show in `tasks/get` and are answered by `tasks/update`; the handler is run again when the answers
 * are there, with the request that brought them as its `ctx.request`. A task belongs to the principal that made it. Who
 * listens hears how it stands whenever it changes; in another process, if the two share the store and a `fanout`.
 *
 * `new Tasks({ experimental: true })` offers the form that 2025-11-25 had, too: there it is the client that asks for a task, with
 * each call, and collects the result by `tasks/result`; see `task-result`. `required` tools then refuse calls that ask for none
 * (-32601), and a `deferred` tool is a task from its start. It is off unless asked for: an experiment that the next revision
 * took back, without which 2025-11-25 can call all tools but `required` ones.
 */

import type { Context } from "./context.js";
import { explain, Failure, headOf, Requirement, type Outcome } from "./dispatch.js";
import { InvalidParams, McpError, MissingClientCapability } from "./errors.js";
import { dumps } from "./json.js";
import { token } from "./keys.js";
import { admit } from "./middleware.js";
import { isOver, Task, type Failure as FailureName } from "./native.js";
import type { Entry } from "./registry.js";
import { Replay } from "./replay.js";
import type { McpRequest } from "./request.js";
import { LOOK_MS, onlySuspended, play, rounds } from "./rounds.js";
import type { Server } from "./server.js";
import { contextOf, jobOf, keeping, wired, type Job } from "./task-job.js";
import { groupOf, listed, ownerOf, result, Watches } from "./task-result.js";
import { Begin, CurrentTask } from "./task-run.js";
import { MemoryTasks, type TaskRecord, type TaskStore } from "./task-store.js";

/** The extension's name. */
export const EXTENSION = "io.modelcontextprotocol/tasks";
/** How often a change is tried again when another one came first. */
const RETRIES = 20;
/** Milliseconds between two looks into the store: another process may have taken the task back, or it has expired. */
const WATCH_MS = 1_000;

/** How tasks run and are kept. */
export interface TasksOptions {
  /** Where tasks are kept; in this process unless given. */
  store?: TaskStore;
  /** How long a task is kept after it was made; null: for ever. A task that still runs then is lost. Default: an hour. */
  ttlMs?: number | null;
  /** How often clients should ask for a task. Default: a second. */
  pollMs?: number;
  /** The time, in ms since the Unix epoch. */
  clock?: () => number;
  /** Offer the experimental tasks of 2025-11-25, too; with `tasks/list` if the store has `list`. Default: false. */
  experimental?: boolean;
}

/** Runs and remembers the tasks of a server. */
export class Tasks {
  readonly store: TaskStore;
  /** Whether the experimental tasks of 2025-11-25 are offered. */
  readonly experimental: boolean;
  /** Used inside: the calls that wait for a task. */
  readonly watches = new Watches();
  readonly #clock: () => number;
  readonly #ttlMs: number | null;
  readonly #pollMs: number;
  readonly #running = new Map<string, { abort: AbortController; done: Promise<void> }>();
  /** By task, the last of what is being told of it. */
  readonly #telling = new Map<string, Promise<unknown>>();

  constructor(options: TasksOptions = {}) {
    this.store = options.store ?? new MemoryTasks();
    this.experimental = options.experimental ?? false;
    this.#clock = options.clock ?? Date.now;
    this.#ttlMs = options.ttlMs === undefined ? 3_600_000 : options.ttlMs;
    this.#pollMs = options.pollMs ?? 1_000;
    if ((this.#ttlMs !== null && this.#ttlMs < 1) || this.#pollMs < 1) throw new RangeError("ttlMs and pollMs must be at least 1");
  }

  /** Used inside: the time, in ms since the Unix epoch. */
  now(): number {
    return this.#clock();
  }

  /** Settles when no task runs in this process; tasks that wait for a client do not run. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all([...this.#running.values()].map((one) => one.done));
  }

  // --- requests -----------------------------------------------------------------------------------------------------

  /** Answer a call of a tool that may be a task. */
  async call(ctx: Context, entry: Entry): Promise<Outcome> {
    if (!ctx.call.tasks) {
      if (entry.task !== "required") return rounds(ctx, entry);
      const text = `tool ${JSON.stringify(ctx.name)} takes long: only clients that take tasks (${EXTENSION}) may call it`;
      throw new MissingClientCapability({ extensions: { [EXTENSION]: {} } }, text);
    }
    let job = jobOf(ctx.call);
    const { wantsTask } = ctx.call;
    if (entry.task === "deferred" && !wantsTask) {
      ctx.currentTask = new CurrentTask(undefined, undefined, true);
      try {
        return await rounds(ctx, entry);
      } catch (error) {
        if (!begins(error)) throw error;
      }
    } else {
      try {
        // Who may not call hears it now, and so who calls wrongly.
        await admit(ctx, entry);
        await entry.check(ctx);
      } catch (error) {
        // A guard that asks does so within the task. Who asked for a task reads a failure as its outcome; what is for the head
        // of an HTTP response cannot wait.
        const toldLater = wantsTask && headOf(ctx, error) === undefined;
        if (!toldLater && !onlySuspended(error)) throw error;
      }
    }
    if (ctx.replay !== undefined) job = keeping(job, ctx.replay.kept);
    return this.#start(ctx, entry, job);
  }

  /** Answer a method of tasks. */
  async answer(ctx: Context): Promise<Outcome> {
    const { method } = ctx.call;
    if (ctx.call.waits) return result(this, ctx);
    if (method === "tasks/list") return listed(this, ctx);
    const task = await this.find(ctx);
    if (method === "tasks/get") return task.detailed();
    if (method === "tasks/cancel") return this.#cancel(ctx, task);
    await this.take(ctx, ctx.call.arguments);
    return task.acknowledged();
  }

  /**
   * Used inside: take the client's answers to questions of the task the call names, a JSON object by key; run the handler again
   * if none is missing.
   */
  async take(ctx: Context, answers: Uint8Array | string): Promise<void> {
    const changed = await this.#change(ctx.name, ctx.server, (task) => task.update(answers, { now: this.#clock() }));
    if (changed?.task.status === "working") {
      const job = JSON.parse(changed.record.job) as Job;
      this.#launch(changed.task, ctx.server.toolEntry(job.tool), job, ctx.server, ctx.request);
    }
  }

  async #cancel(ctx: Context, task: Task): Promise<Outcome> {
    const changed = await this.#change(task.id, ctx.server, (one) => one.cancel({ now: this.#clock() }));
    if (changed === undefined && task.experimental) throw new InvalidParams("the task is over already", { field: "taskId" });
    this.#running.get(task.id)?.abort.abort();
    return (changed?.task ?? task).acknowledged();
  }

  async #start(ctx: Context, entry: Entry, job: Job): Promise<Outcome> {
    const now = this.#clock();
    const wanted = [this.#ttlMs, ctx.call.taskTtlMs].filter((ms) => ms !== null);
    const ttlMs = wanted.length === 0 ? null : Math.min(...wanted);
    const task = ctx.call.newTask(token(), { owner: ownerOf(ctx), now, ttlMs, pollMs: this.#pollMs });
    const group = task.experimental ? (groupOf(ctx) ?? undefined) : undefined;
    const record = { id: task.id, task: task.save().toString("utf8"), job: dumps(job), version: 1, expires: task.expires, group };
    if (!(await this.store.add(record, now))) throw new McpError("too many tasks are kept here; try again later");
    this.#launch(task, entry, job, ctx.server, ctx.request);
    return task.created();
  }

  /**
   * Used inside: the task that a call names.
   *
   * @throws InvalidParams There is none, or it is not this caller's: the one is not told from the other.
   */
  async find(ctx: Context): Promise<Task> {
    const record = await this.store.get(ctx.name, this.#clock());
    const task = record === undefined ? null : Task.restore(record.task);
    if (task === null || !task.isOf(ctx.revision) || !task.belongsTo(ownerOf(ctx))) {
      throw new InvalidParams("there is no task of that id, or it has expired", { field: "taskId" });
    }
    return task;
  }

  // --- running ------------------------------------------------------------------------------------------------------

  #launch(task: Task, entry: Entry | undefined, job: Job, server: Server, request: McpRequest): void {
    const { id } = task;
    const abort = new AbortController();
    const say = async (message: string): Promise<void> => {
      await this.#change(id, server, (one) => one.say(message, { now: this.#clock() }));
    };
    let told = -Infinity;
    const ctx = contextOf(job, task, server, request, abort.signal, say, (progress, total, message) => {
      if (this.#running.get(id)?.abort !== abort || abort.signal.aborted || progress <= told) return;
      told = progress;
      server.hub.taskProgress(task, progress, total, message);
      this.watches.progress(task, progress, total, message);
    });
    // The request is answered first: the handler runs in a turn of its own.
    const turn = new Promise<void>((resolve) => setImmediate(resolve));
    const done = turn
      .then(() => this.#work(id, abort, ctx, entry, job))
      .catch((error: unknown) => server.report(error, ctx))
      .finally(() => {
        if (this.#running.get(id)?.abort === abort) this.#running.delete(id);
      });
    this.#running.set(id, { abort, done });
  }

  async #work(id: string, abort: AbortController, ctx: Context, entry: Entry | undefined, job: Job): Promise<void> {
    const watch = setInterval(() => {
      this.#gone(id).then(
        (gone) => gone && abort.abort(),
        () => undefined,
      );
    }, WATCH_MS);
    watch.unref();
    try {
      const gone = new Failure("not_found", `tool ${JSON.stringify(job.tool)} is gone`);
      const outcome = entry === undefined ? gone : await this.#play(id, ctx, entry, job, abort.signal);
      if (outcome !== undefined) await this.#end(id, ctx, outcome);
    } catch (error) {
      // The store fails, or this package: whoever asks for the task should know.
      await this.#end(id, ctx, new Failure("internal", "the server stopped working on it"));
      throw error;
    } finally {
      clearInterval(watch);
    }
  }

  // Runs the handler to its end; undefined: it waits for its client.
  async #play(id: string, ctx: Context, entry: Entry, job: Job, taken: AbortSignal): Promise<Outcome | undefined> {
    try {
      for (;;) {
        const played = await play(ctx, entry);
        if (!(played instanceof Replay)) return played;
        if (played.needs.size > 0) {
          await this.#park(id, ctx, job, played);
          return undefined;
        }
        // A step that asks nothing wants to be called again, a little later.
        played.asked();
        await pause(LOOK_MS * 2 ** played.kept.round, taken);
        played.restart();
      }
    } catch (error) {
      return explain(ctx, error);
    }
  }

  async #end(id: string, ctx: Context, outcome: Outcome): Promise<void> {
    await this.#change(id, ctx.server, (task) => {
      const now = this.#clock();
      if (outcome instanceof Requirement) throw new Error("a task does not end in a question");
      if (outcome instanceof Failure) {
        const { code, data } = outcome.options;
        return task.fail(outcome.failure as FailureName, outcome.message, { now, code, data });
      }
      try {
        return task.complete(outcome, { now });
      } catch (wrong) {
        if (isOver(wrong)) throw wrong;
        ctx.server.report(wrong, ctx);
        return task.fail("internal", `the result cannot be sent: ${(wrong as Error).message}`, { now });
      }
    });
  }

  async #park(id: string, ctx: Context, job: Job, replay: Replay): Promise<void> {
    let next = job;
    const asks = replay.asked().map(([key, ask]): [string, typeof ask] => {
      const [wire, changed] = wired(next, key);
      next = changed;
      return [wire, ask];
    });
    const saved = dumps(keeping(next, replay.kept));
    await this.#change(id, ctx.server, (task) => task.requireInput(asks, { now: this.#clock() }), saved);
  }

  // The changed task; undefined if it is over, or gone, or the change is none.
  async #change(
    id: string,
    server: Server,
    change: (task: Task) => Task | null,
    job?: string,
  ): Promise<{ record: TaskRecord; task: Task } | undefined> {
    for (let tries = 0; tries < RETRIES; tries += 1) {
      const now = this.#clock();
      const record = await this.store.get(id, now);
      const task = record === undefined ? null : Task.restore(record.task);
      if (record === undefined || task === null || task.over) return undefined;
      const changed = change(task);
      if (changed === null) return undefined;
      const after = { ...record, task: changed.save().toString("utf8"), job: job ?? record.job, version: record.version + 1 };
      if (!(await this.store.swap(after, now))) continue;
      await this.#tell(id, server);
      this.watches.wake(id);
      return { record: after, task: changed };
    }
    throw new Error(`task ${JSON.stringify(id)} was changed by others again and again`);
  }

  /** Used inside: tell those who listen in this process how a task that changed in another one stands now. */
  tellHere(id: string, server: Server): void {
    this.#tell(id, server, false).catch((error: unknown) => server.report(error));
  }

  // What is told is how it stands now, and one after the other: of two changes at once the later one must not be told first.
  async #tell(id: string, server: Server, everywhere = true): Promise<void> {
    if (!server.hub.listenedTo) return;
    const told = (this.#telling.get(id) ?? Promise.resolve()).then(async () => {
      const record = await this.store.get(id, this.#clock());
      const task = record === undefined ? null : Task.restore(record.task);
      if (task !== null) server.hub.taskChanged(task, everywhere);
    });
    // The next one waits for this one, however it ends.
    const over = told.catch(() => undefined).finally(() => this.#telling.get(id) === over && this.#telling.delete(id));
    this.#telling.set(id, over);
    await told;
  }

  async #gone(id: string): Promise<boolean> {
    const record = await this.store.get(id, this.#clock());
    return record === undefined || Task.restore(record.task)?.over !== false;
  }
}

/** Whether an error is `Begin`, as it was thrown, or as the cause of another one. */
function begins(error: unknown): boolean {
  return error instanceof Begin || (error instanceof Error && error.cause !== undefined && begins(error.cause));
}

function pause(ms: number, taken: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const time = setTimeout(resolve, ms);
    taken.addEventListener("abort", () => (clearTimeout(time), resolve()), { once: true });
  });
}
