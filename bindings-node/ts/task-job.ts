/** What it takes to go on with a task, in any process, and the call that its handler sees. */

import { Context, type Channel } from "./context.js";
import { loadsObject, type JsonObject } from "./json.js";
import type { Call, Task } from "./native.js";
import { Replay } from "./replay.js";
import type { McpRequest } from "./request.js";
import type { Server } from "./server.js";
import { packed, unpacked, type Kept } from "./state.js";
import { refusalIn } from "./task-result.js";
import { CurrentTask } from "./task-run.js";

/** The job of a task, as JSON has it. What the client sent is JSON text. */
export interface Job {
  tool: string;
  arguments: string;
  revision: string;
  meta: string | null;
  clientInfo: string | null;
  clientCapabilities: string | null;
  /** What the run before has left; absent before the first one ended. */
  kept?: { round: number; what: JsonObject };
  /** Every question the client was asked, and under which key of the handler's; the client never sees one twice. */
  wires: Record<string, string>;
}

/** The job of a tool call. */
export function jobOf(call: Call): Job {
  return {
    tool: call.entry ?? call.name,
    arguments: call.argumentsText,
    revision: call.revision,
    meta: call.metaText,
    clientInfo: call.clientInfoText,
    clientCapabilities: call.clientCapabilitiesText,
    wires: {},
  };
}

/** The job with what a run leaves for the next one. */
export function keeping(job: Job, kept: Kept): Job {
  return { ...job, kept: { round: kept.round, what: packed(kept) } };
}

/** The job with a key for the client that it has not seen before, for a question of the handler's. */
export function wired(job: Job, key: string): [wire: string, job: Job] {
  let wire = key;
  for (let number = 2; Object.hasOwn(job.wires, wire); number += 1) wire = `${key}.${number}`;
  return [wire, { ...job, wires: { ...job.wires, [wire]: key } }];
}

/** Passes on how far a task has come. */
type Tell = (progress: number, total: number | undefined, message: string | undefined) => void;

/** The context of one run of a task's handler, with the answers that came since the one before. */
export function contextOf(
  job: Job,
  task: Task,
  server: Server,
  request: McpRequest,
  taken: AbortSignal,
  say: (message: string) => Promise<void>,
  tell: Tell,
): Context {
  const given = loadsObject(task.answers);
  const answers: JsonObject = {};
  const refused = new Map<string, string>();
  // Of questions asked twice the last one counts: they stand in the order they were asked.
  for (const [wire, key] of Object.entries(job.wires)) if (Object.hasOwn(given, wire)) answers[key] = given[wire];
  for (const [key, answer] of Object.entries(answers)) {
    const error = task.experimental ? refusalIn(answer) : undefined;
    if (error === undefined) continue;
    refused.set(key, error);
    delete answers[key];
  }
  const bytes = (text: string | null): Buffer | null => (text === null ? null : Buffer.from(text));
  const responses = job.kept === undefined ? null : JSON.stringify(answers);
  const call = {
    key: -1,
    kind: "tool",
    method: "tools/call",
    name: job.tool,
    entry: job.tool,
    arguments: Buffer.from(job.arguments),
    argumentsText: job.arguments,
    variables: {},
    cursor: null,
    meta: bytes(job.meta),
    metaText: job.meta,
    revision: job.revision,
    stateless: true,
    clientInfo: bytes(job.clientInfo),
    clientInfoText: job.clientInfo,
    clientCapabilities: bytes(job.clientCapabilities),
    clientCapabilitiesText: job.clientCapabilities,
    inputResponses: bytes(responses),
    inputResponsesText: responses,
    requestState: null,
    progressWanted: task.progressWanted,
    logLevel: null,
    batched: false,
    get cancelled() {
      return taken.aborted;
    },
    wantsTask: false,
    taskTtlMs: null,
    waits: false,
    tasks: false,
  };
  const ctx = new Context(call as unknown as Call, apart(task, tell), server, request);
  taken.addEventListener("abort", () => ctx.cancel(), { once: true });
  ctx.currentTask = new CurrentTask(task.id, say);
  if (job.kept !== undefined) ctx.replay = new Replay(ctx, unpacked(job.kept.round, job.kept.what));
  for (const [key, error] of refused) ctx.replay?.refuse(key, error);
  return ctx;
}

// Tasks have no logs, and progress in 2025-11-25 only; what they ask, their client collects by requests of its own.
function apart(task: Task, tell: Tell): Channel {
  return {
    client: null,
    isLeft: false,
    progress: (_key, progress, total, message) => tell(progress, total, message),
    log: () => undefined,
    beginStream: () => undefined,
    taskCame: () => undefined,
    canAsk: (_key, ask) => task.canAsk(ask),
    noWay: () => undefined,
    closeStream: () => false,
    ask: () => {
      throw new Error("a task is no call of the handshake era");
    },
    elicitationComplete: () => undefined,
  };
}
