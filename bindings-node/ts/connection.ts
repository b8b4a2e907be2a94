/** One peer on a duplex channel, such as stdio: takes its messages, runs handlers, gives the messages to write. */

import { Context, type Channel, type Waiting } from "./context.js";
import { runCall, settle, type Ending } from "./dispatch.js";
import type { Live } from "./hub.js";
import type { Ask, Batch, Call, ListKind, Session, Step, Task, Unable } from "./native.js";
import type { Answered } from "./replay.js";
import type { McpRequest } from "./request.js";
import type { Server } from "./server.js";
import { principalText } from "./state.js";

/** So many bytes are enough to be written at once. */
const FULL = 65_536;

interface Open {
  key: number;
  resolve: (answer: Answered | "lost") => void;
}

/**
 * One peer. What comes in is given to `take`, and what is to be written goes to `write`, one message at a time
 * (`overMessages`); or both are bytes of a stream (`overStream`): they come in by `feed`, and what is to be written is taken by `held`.
 */
export class Connection implements Channel, Live {
  readonly client = "";
  /** A connection that ends ends its questions; nothing else hangs on who reads. */
  readonly isLeft = false;
  readonly #server: Server;
  readonly #session: Session;
  readonly #write: (message: Buffer) => void;
  /** Told that there is something to write, or that there is so much that it must be written now. */
  readonly #ready: ((full: boolean) => void) | undefined;
  readonly #request: McpRequest;
  readonly #principal: string | null;
  readonly #running = new Map<number, Context>();
  readonly #work = new Set<Promise<void>>();
  readonly #questions = new Map<number, Open>();
  readonly #detach: () => void;
  #over = false;

  // `request`: what handlers see as `Context.request`.
  private constructor(server: Server, request: McpRequest, write: (message: Buffer) => void, ready?: (full: boolean) => void) {
    this.#server = server;
    this.#session = server.core.session();
    this.#write = write;
    this.#ready = ready;
    if (ready !== undefined) this.#session.hold();
    this.#request = request;
    this.#principal = principalText(request.principal);
    this.#detach = server.hub.attach(this);
  }

  /** Over single messages. */
  static overMessages(server: Server, write: (message: Buffer) => void, request: McpRequest): Connection {
    return new Connection(server, request, write);
  }

  /**
   * Over a stream of bytes, a message each line. Lines are cut, and what needs no handler is answered, without a step in between.
   *
   * @param ready Told that there is something to write; `full`: that it must be written now.
   */
  static overStream(server: Server, ready: (full: boolean) => void, request: McpRequest): Connection {
    return new Connection(server, request, () => undefined, ready);
  }

  /** Bytes came in; null: no more will. */
  feed(data: Buffer | null): void {
    const session = this.#session;
    for (let step = session.feed(data); step !== null; step = session.next()) {
      // What a handler throws is answered; this cannot reject but for a mistake in this package.
      if (step.call === null && step.event === "done") this.#ready?.(true);
      else this.#act(step, this.#request)?.catch((wrong: unknown) => this.#server.report(wrong));
    }
    this.#ready?.(false);
  }

  /** What is to be written, as far as it goes; null: nothing. */
  held(): Buffer | null {
    return this.#session.take();
  }

  /** A message came in (in that request); null: one that was too long. Gives what runs because of it. */
  take(message: Buffer | Uint8Array | string | null, request = this.#request): Promise<void> | undefined {
    if (message === null) {
      this.#say(this.#session.tooLong());
      return undefined;
    }
    const step = this.#session.accept(message);
    this.#say(step.send);
    return this.#act(step, request);
  }

  /** Nothing comes in any more: wait for running handlers, but no longer than that. */
  async drain(ms: number): Promise<void> {
    this.#over = true;
    for (const one of this.#questions.values()) one.resolve("lost");
    this.#questions.clear();
    let time: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => (time = setTimeout(resolve, ms)));
    while (this.#work.size > 0) {
      const finished = await Promise.race([Promise.allSettled([...this.#work]).then(() => true), patience]);
      if (finished !== true) break;
    }
    clearTimeout(time);
    this.#detach();
    for (const ctx of this.#running.values()) ctx.cancel();
  }

  // --- what the server says -----------------------------------------------------------------------------------------

  listChanged(kind: ListKind): void {
    this.#say(this.#session.listChanged(kind));
  }

  resourceUpdated(uri: string): void {
    this.#say(this.#session.resourceUpdated(uri));
  }

  taskChanged(task: Task): void {
    this.#say(this.#session.taskChanged(task, this.#principal));
  }

  taskProgress(task: Task, progress: number, total: number | undefined, message: string | undefined): void {
    this.#say(this.#session.taskProgress(task, progress, total, message));
  }

  notify(method: string, params: string | undefined): void {
    // Stateless peers know only notifications that belong to a request.
    if (this.#session.revision !== null) this.#say(this.#session.notify(method, params));
  }

  end(): void {
    this.#say(this.#session.endListening());
  }

  // --- what a call says ---------------------------------------------------------------------------------------------

  progress(key: number, progress: number, total: number | undefined, message: string | undefined): void {
    this.#say(this.#session.progress(key, progress, total, message));
  }

  log(key: number, level: string, data: string, logger: string | undefined): void {
    this.#say(this.#session.log(key, level, data, logger));
  }

  canAsk(key: number, ask: Ask): Unable | null {
    return this.#session.canAsk(key, ask);
  }

  beginStream(): void {
    // There is one stream for all calls.
  }

  taskCame(): void {
    // The connection is told itself.
  }

  /** There is one stream for all calls. */
  closeStream(): boolean {
    return false;
  }

  noWay(_call: Call): string | undefined {
    return this.#over ? "this client cannot be asked: its connection has ended" : undefined;
  }

  ask(key: number, ask: Ask): Waiting {
    const { send, ask: number } = this.#session.ask(key, ask);
    const answer = new Promise<Answered | "lost">((resolve) => this.#questions.set(number, { key, resolve }));
    this.#say(send);
    return {
      answer,
      close: () => {
        // The client is told, unless it has answered or taken the call back.
        if (this.#questions.delete(number)) this.#say(this.#session.giveUp(number));
      },
    };
  }

  elicitationComplete(_key: number, id: string): void {
    this.#say(this.#session.elicitationComplete(id));
  }

  // --- inside -------------------------------------------------------------------------------------------------------

  #act(step: Step, request: McpRequest): Promise<void> | undefined {
    const { call, batch } = step;
    if (call !== null) return this.#run(call, request);
    if (batch !== null) return this.#start(this.#walk(batch, request));
    if (step.event === "answer") {
      const number = step.ask ?? -1;
      const open = this.#questions.get(number);
      this.#questions.delete(number);
      open?.resolve({ ok: step.ok, text: step.params?.toString("utf8") ?? "null" });
    } else if (step.event === "cancelled" && step.key !== null) {
      this.#running.get(step.key)?.cancel();
    }
    return undefined;
  }

  #start(work: Promise<void>): Promise<void> {
    this.#work.add(work);
    return work.finally(() => this.#work.delete(work));
  }

  async #walk(batch: Batch, request: McpRequest): Promise<void> {
    for (let step = batch.next(); step !== null; step = batch.next()) {
      this.#say(step.send);
      if (step.call !== null) await this.#run(step.call, request);
      else if (step.batch === null) void this.#act(step, request);
    }
  }

  #run(call: Call, request: McpRequest): Promise<void> | undefined {
    const ctx = new Context(call, this, this.#server, request);
    const { key } = call;
    this.#running.set(key, ctx);
    const end = (outcome: Ending): void => {
      this.#running.delete(key);
      this.#say(settle(this.#session, ctx, outcome));
    };
    const outcome = runCall(ctx);
    if (outcome instanceof Promise) {
      const late = (one: Ending): void => {
        end(one);
        if (this.#session.held > FULL) this.#ready?.(true);
      };
      return this.#start(outcome.then(late));
    }
    end(outcome);
    return undefined;
  }

  #say(message: Buffer | null): void {
    if (this.#ready !== undefined) this.#ready(false); // the session keeps it
    else if (message !== null) this.#write(message);
  }
}
