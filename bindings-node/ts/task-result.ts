/**
 * What the experimental tasks of 2025-11-25 have beside those of the extension: `tasks/result`, a call that waits until a task
 * is over, and `tasks/list`.
 *
 * While it waits it asks the client what the task needs, by requests on its own stream, and passes the answers on. Nothing but
 * the connection is held meanwhile.
 *
 * A client is known by its principal; without one by its session, and on stdio by its connection. Where it has none of these
 * (HTTP without auth and sessions) whoever knows the id of a task may ask for it, and there is no `tasks/list`.
 */

import { createHash } from "node:crypto";
import type { Context, Waiting } from "./context.js";
import { Failure, type Outcome } from "./dispatch.js";
import { InvalidParams, NoChannel } from "./errors.js";
import { dumps, isObject, type JsonObject } from "./json.js";
import { isOver, Task, taskPage, type Ask } from "./native.js";
import type { Answered } from "./replay.js";
import { principalText } from "./state.js";
import type { ListingStore, TaskStore } from "./task-store.js";
import type { Tasks } from "./tasks.js";

/** Milliseconds between two looks at a task that is waited for: another process may have changed it. */
const LOOK_MS = 1_000;
/** Milliseconds that an answer is waited for when the client has left the stream it was asked on. */
const GRACE_MS = 30_000;
/** Most tasks in one answer to `tasks/list`. */
const PAGE = 50;

/** Whose a task is that this call makes; null: whose knows its id. */
export function ownerOf(ctx: Context): string | null {
  const principal = principalText(ctx.principal);
  return principal !== null || ctx.call.stateless ? principal : ctx.channel.client || null;
}

/** Which tasks the client of a handshake-era call may list; null: it is not known well enough for that. */
export function groupOf(ctx: Context): string | null {
  return principalText(ctx.principal) ?? ctx.channel.client;
}

/** Whether a store can list. */
export function lists(store: TaskStore): store is ListingStore {
  return typeof (store as Partial<ListingStore>).list === "function";
}

/** Answer `tasks/list`. */
export async function listed(tasks: Tasks, ctx: Context): Promise<Outcome> {
  const group = groupOf(ctx);
  const { store } = tasks;
  const after = ctx.call.cursor === null ? "" : afterOf(ctx.call.cursor, group);
  const found = group === null || !lists(store) ? [] : await store.list(group, after, PAGE + 1, tasks.now());
  const page = found.slice(0, PAGE);
  const last = page.at(-1);
  const shown = page.map((one) => Task.restore(one.task)).filter((one) => one !== null);
  return taskPage(shown, found.length > PAGE && last !== undefined ? cursorOf(last.id, group) : null);
}

// It is no secret and guards nothing; but one of somebody else's, or a wrong one, is to be found out.
function cursorOf(id: string, group: string | null): string {
  return `${id}.${createHash("sha256").update(`${group} ${id}`).digest("hex").slice(0, 12)}`;
}

function afterOf(cursor: string, group: string | null): string {
  const id = cursor.slice(0, Math.max(0, cursor.lastIndexOf(".")));
  if (cursor === cursorOf(id, group)) return id;
  throw new InvalidParams("cursor was not issued by this server; list again from the start", { field: "cursor" });
}

/** Answer `tasks/result`: wait until the task is over, and give what its call would have been answered. */
export async function result(tasks: Tasks, ctx: Context): Promise<Outcome> {
  let task = await tasks.find(ctx);
  if (!task.over) task = await new Wait(tasks, ctx).over();
  const ended = task.outcome();
  if (ended?.error === undefined) return ended?.result ?? "{}";
  const { code, message, data } = ended.error;
  return new Failure("custom", message, { code, ...(data === null ? {} : { data: data.toString("utf8") }) });
}

/** A call that waits for a task. */
interface Watch {
  readonly ctx: Context;
  wake(): void;
}

/** The calls of this process that wait for tasks, and what they ask. */
export class Watches {
  readonly #waiting = new Map<string, Set<Watch>>();
  readonly #asking = new Set<string>();

  /** Until the function given back is called, `watch` hears of the task its call names. */
  add(watch: Watch): () => void {
    const { name } = watch.ctx;
    const mine = this.#waiting.get(name) ?? new Set();
    this.#waiting.set(name, mine);
    mine.add(watch);
    return () => {
      mine.delete(watch);
      if (mine.size === 0 && this.#waiting.get(name) === mine) this.#waiting.delete(name);
    };
  }

  /** A task has changed. */
  wake(id: string): void {
    for (const watch of this.#waiting.get(id) ?? []) watch.wake();
  }

  /** A task has come so far. */
  progress(task: Task, progress: number, total: number | undefined, message: string | undefined): void {
    for (const { ctx } of this.#waiting.get(task.id) ?? []) {
      try {
        ctx.channel.taskCame(ctx.call.key, task, progress, total, message);
      } catch (wrong) {
        if (!isOver(wrong)) throw wrong; // its call has just been answered
      }
    }
  }

  /** Whether a question of a task is to be asked by this caller, who lets go of it by `release`. */
  claim(id: string, key: string): boolean {
    const one = dumps([id, key]);
    if (this.#asking.has(one)) return false;
    this.#asking.add(one);
    return true;
  }

  /** The question is not asked any more. */
  release(id: string, key: string): void {
    this.#asking.delete(dumps([id, key]));
    this.wake(id); // another call may ask it
  }
}

// One call that waits: looks at the task, asks what it needs, passes the answers on.
class Wait implements Watch {
  readonly #asked = new Map<string, Waiting>();
  readonly #came = new Map<string, Answered | "lost">();
  readonly #answered = new Set<string>();
  #left: number | undefined;
  #fresh = false;
  #wake: (() => void) | undefined;

  constructor(
    private readonly tasks: Tasks,
    readonly ctx: Context,
  ) {}

  wake(): void {
    this.#fresh = true;
    this.#wake?.();
  }

  async over(): Promise<Task> {
    const { ctx, tasks } = this;
    const leave = tasks.watches.add(this);
    const taken = (): void => this.wake();
    ctx.signal.addEventListener("abort", taken, { once: true });
    try {
      ctx.channel.beginStream(ctx.call.key);
      for (;;) {
        this.#fresh = false;
        const task = await tasks.find(ctx);
        if (task.over) return task;
        this.#ask(task);
        await this.#changed();
        ctx.throwIfCancelled();
        await this.#take();
        this.#checkLeft();
      }
    } finally {
      leave();
      ctx.signal.removeEventListener("abort", taken);
      for (const key of [...this.#asked.keys()]) this.#drop(key);
    }
  }

  #ask(task: Task): void {
    const { ctx, tasks } = this;
    const questions = new Map(task.questions());
    for (const key of [...this.#asked.keys()]) if (!questions.has(key)) this.#drop(key); // answered by another way
    for (const [key, question] of questions) {
      if (this.#asked.has(key) || this.#answered.has(key)) continue;
      const why = ctx.channel.noWay(ctx.call) ?? ctx.channel.canAsk(ctx.call.key, question)?.message;
      if (why !== undefined) throw new NoChannel(`the task needs input, but ${why}`, key);
      if (tasks.watches.claim(task.id, key)) this.#say(key, question);
    }
  }

  #say(key: string, question: Ask): void {
    const { ctx, tasks } = this;
    let waiting: Waiting;
    try {
      waiting = ctx.channel.ask(ctx.call.key, question);
    } catch (wrong) {
      tasks.watches.release(ctx.name, key);
      throw wrong;
    }
    this.#asked.set(key, waiting);
    void waiting.answer.then((answer) => {
      this.#came.set(key, answer);
      this.wake();
    });
  }

  // Something may be otherwise now.
  #changed(): Promise<void> {
    if (this.#fresh || this.ctx.cancelled) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(time);
        this.#wake = undefined;
        resolve();
      };
      const time = setTimeout(done, LOOK_MS);
      this.#wake = done;
    });
  }

  // Passes on what the client has answered.
  async #take(): Promise<void> {
    if (this.#came.size === 0) return;
    const answers: JsonObject = {};
    for (const [key, answer] of this.#came) {
      if (!this.#asked.has(key)) continue;
      if (answer === "lost") throw new NoChannel("the connection ended before the client answered", key);
      if (answer instanceof Error) throw answer;
      answers[key] = kept(answer);
      this.#answered.add(key);
    }
    this.#came.clear();
    await this.tasks.take(this.ctx, dumps(answers));
    for (const key of Object.keys(answers)) this.#drop(key);
  }

  #drop(key: string): void {
    this.#asked.get(key)?.close();
    this.#asked.delete(key);
    this.tasks.watches.release(this.ctx.name, key);
  }

  #checkLeft(): void {
    if (!this.ctx.channel.isLeft) return;
    const now = Date.now();
    this.#left ??= now;
    if (this.#asked.size === 0 || now - this.#left > GRACE_MS) throw new NoChannel("the client went away");
  }
}

function kept({ ok, text }: { ok: boolean; text: string }): unknown {
  const said: unknown = JSON.parse(text);
  if (!ok) return { refused: said };
  // What is no object answers nothing, whatever was asked.
  return isObject(said) ? said : { refused: { message: "the answer is no object" } };
}

/** The error in what was kept in the place of an answer that the client refused to give, as JSON; undefined in a real answer. */
export function refusalIn(answer: unknown): string | undefined {
  return isObject(answer) && "refused" in answer ? dumps(answer["refused"]) : undefined;
}
