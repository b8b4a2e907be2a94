/**
 * One HTTP request, whatever the host: gate, auth, body, session, calls, answer. The response is decided late: one JSON body,
 * unless the handler says something first, which makes it an event stream.
 */

import { authenticate, metadataFor, type Auth } from "./auth.js";
import { HttpChannel } from "./channel.js";
import { Context } from "./context.js";
import { Failure, runCall, type Ending } from "./dispatch.js";
import { token } from "./keys.js";
import { Stream, type Load } from "./listening.js";
import { SESSION_HEADER, type Call, type Exchange, type HttpStep, type Reply } from "./native.js";
import { stay, type Readable } from "./pump.js";
import type { HeaderList, McpRequest } from "./request.js";
import { ofOwner, ownerOf, TooManySessions, type Sessions } from "./sessions.js";
import type { Sink } from "./sink.js";
import { handleSse } from "./sse.js";
import { principalText } from "./state.js";
import type { Server } from "./server.js";

/** How one mount differs from the server's own options. */
export interface MountOptions {
  /** Who may call here; instead of the server's own. */
  auth?: Auth;
  /** Serve the HTTP+SSE transport of 2024-11-05 here, instead of the newer one; see `sse`. */
  sse?: boolean;
}

/** Reads at most so many bytes of a body, fewer only at its end. Rejects with `Gone` if the peer went away. */
export type ReadBody = (limit: number) => Promise<Buffer> | Buffer;

/** The peer went away before its request was complete: there is nobody to answer. */
export class Gone extends Error {}

/**
 * Answer one request. Throws or rejects only for mistakes of the host, such as an auth function that throws. What needs no
 * waiting does not wait: promises, timers and listeners for a peer that leaves cost more than a small call, so that they are
 * made when something waits.
 *
 * @param body The body, where the host has it already; else it is read when the head is good.
 */
export function handle(
  server: Server,
  request: McpRequest,
  body: Buffer | ReadBody,
  sink: Sink,
  options: MountOptions,
): Promise<void> | undefined {
  const auth = options.auth ?? server.auth;
  if (auth !== undefined || options.sse === true || typeof body === "function") {
    const read: ReadBody = typeof body === "function" ? body : (limit) => body.subarray(0, limit);
    return unlessGone(handleInSteps(server, request, read, sink, auth, options.sse === true));
  }
  const exchange = begin(server, request, body);
  return new Visit(server, request, exchange, sink).run(body, exchange.first);
}

function begin(server: Server, request: McpRequest, body?: Buffer): Exchange {
  const listen = server.listenStreams > 0;
  return server.core.begin(request.method, request.headers.flat, { peer: request.peer, listen, events: streamName(server, request), body });
}

async function handleInSteps(
  server: Server,
  request: McpRequest,
  read: ReadBody,
  sink: Sink,
  auth: Auth | undefined,
  sse: boolean,
): Promise<void> {
  const document = metadataFor(auth, request);
  if (document !== undefined) {
    // Any page may read it, it holds nothing secret.
    const headers: HeaderList = [["Content-Type", "application/json"], ["Access-Control-Allow-Origin", "*"]];
    sink.answer(200, headers, document);
    return;
  }
  if (sse) return handleSse(server, request, read, sink, auth);
  const exchange = begin(server, request);
  const refused = exchange.first?.reply ?? null;
  // A hostile page or host must not learn anything, not even whether its key is right; who is merely unauthenticated hears
  // that first, whatever else is wrong with the request. A preflight carries no credentials.
  if (refused !== null && (refused.status === 403 || refused.status === 421 || refused.status < 400)) {
    send(sink, refused);
    return;
  }
  if (auth !== undefined) {
    const denied = await authenticate(auth, request);
    if (denied !== undefined) {
      send(sink, exchange.refuse(denied.status, denied.headers(), denied.body()));
      return;
    }
  }
  if (refused !== null) {
    send(sink, refused);
    return;
  }
  const body = await read(exchange.maxBody + 1);
  await new Visit(server, request, exchange, sink).run(body, null);
}

async function unlessGone(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (wrong) {
    if (!(wrong instanceof Gone)) throw wrong;
  }
}

/** What the stream of a request is called, if what is said on it is kept. A session's own stream is not. */
function streamName(server: Server, request: McpRequest): string | undefined {
  if (server.events === undefined || (request.method === "GET" && request.headers.get("last-event-id") === undefined)) return undefined;
  return token(16);
}

// What failed in the host's store of sessions: reported, and 503 for the client.
class StoreFailed extends Error {}

async function stored<T>(server: Server, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (wrong) {
    if (wrong instanceof TooManySessions) throw wrong;
    server.report(new Error("the session store failed", { cause: wrong }));
    throw new StoreFailed("the session store failed", { cause: wrong });
  }
}

/** Looks a session up. Somebody else's is as good as none. */
function loader(server: Server, sessions: Sessions, id: string, owner: Buffer): Load {
  return async () => ofOwner(await stored(server, () => sessions.load(id)), owner);
}

/** One request at the sessions of its server. */
class Visit {
  readonly #sessions: Sessions | undefined;
  readonly #id: string | null;
  #known = false;

  constructor(
    private readonly server: Server,
    private readonly request: McpRequest,
    private readonly exchange: Exchange,
    private readonly sink: Sink,
  ) {
    this.#sessions = server.sessions;
    this.#id = server.sessions === undefined ? null : exchange.sessionId;
  }

  /** @param first What the body led to, if that is known already. */
  run(body: Buffer, first: HttpStep | null): Promise<void> | undefined {
    const work =
      this.#id === null
        ? this.#act(first ?? this.exchange.accept(body))
        : this.#withStore(async () => this.#act(first ?? (await this.#accept(body))));
    // Exchanges are used again: what the addon holds for one is not small, and its garbage is collected late.
    if (work !== undefined) return work.finally(() => this.exchange.release());
    this.exchange.release();
    return undefined;
  }

  #act(step: HttpStep): Promise<void> | undefined {
    const { call, reply } = step;
    if (call !== null && !step.batch) return this.#one(call, step);
    if (step.resume !== null) return this.#resume(step, step.resume);
    if (step.listener !== null) return this.#listen(step);
    if (reply === null) return this.#work(step);
    if (this.#sessions !== undefined) return this.#withStore(() => this.#reply(step, reply));
    send(this.sink, reply);
    return undefined;
  }

  async #withStore(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (wrong) {
      if (!(wrong instanceof TooManySessions || wrong instanceof StoreFailed)) throw wrong;
      const busy = wrong instanceof TooManySessions;
      this.#unavailable(busy ? "too many sessions are in use" : "sessions cannot be reached now");
    }
  }

  // Reads the body, with what is known of the session; saves what that changed.
  async #accept(body: Buffer): Promise<HttpStep> {
    const sessions = this.#sessions;
    const id = this.#id;
    if (sessions === undefined || id === null) return this.exchange.accept(body);
    const saved = await loader(this.server, sessions, id, this.#owner())();
    this.#known = saved !== undefined;
    const step = this.exchange.accept(body, saved);
    const changed = step.session;
    if (changed !== null && this.#known) {
      await this.#stored(() => sessions.save(id, Buffer.concat([this.#owner(), changed])));
    }
    return step;
  }

  async #reply(step: HttpStep, reply: Reply): Promise<void> {
    const sessions = this.#sessions;
    const id = this.#known ? this.#id : null;
    const opened = step.session;
    if (sessions !== undefined && step.event === "opened" && opened !== null) {
      const made = await this.#stored(() => sessions.open(Buffer.concat([this.#owner(), opened])));
      send(this.sink, reply, [[SESSION_HEADER, made]]);
      return;
    }
    if (sessions !== undefined && id !== null) await this.#route(sessions, id, step);
    send(this.sink, reply);
  }

  // An answer goes to the call that asked, a cancellation to its call, wherever they are.
  async #route(sessions: Sessions, id: string, step: HttpStep): Promise<void> {
    const { hub } = this.server;
    const { event, text } = step;
    if (event === "ended") {
      await this.#stored(() => sessions.end(id));
      hub.end(id);
    } else if (event === "cancelled" && text !== null) {
      hub.cancel(id, text);
    } else if (event === "response" && text !== null) {
      const ask: unknown = JSON.parse(text);
      if (typeof ask === "string") hub.answer(id, ask, step.ok, step.params?.toString("utf8") ?? "null"); // ours are strings
    }
  }

  #listen(step: HttpStep): Promise<void> | undefined {
    const { server } = this;
    const sessions = this.#sessions;
    const id = this.#id;
    const { listener, reply } = step;
    if (listener === null || reply === null) return undefined;
    const own =
      this.request.method === "GET" && sessions !== undefined && id !== null
        ? { id, load: loader(server, sessions, id, this.#owner()) }
        : undefined;
    const stream = new Stream(listener, {
      first: reply.body,
      principal: principalText(this.request.principal),
      keepAliveMs: server.keepAliveMs,
      ...(own === undefined ? {} : { session: own }),
    });
    if (!server.hub.open(stream, server.listenStreams)) {
      this.#unavailable("no more clients can listen here now");
      return undefined;
    }
    if (own !== undefined && sessions !== undefined) stream.onClose(sessions.hold(own.id));
    const ready = server.hub.ready();
    if (ready !== undefined) return ready.then(() => this.#stay(reply, stream));
    this.#stay(reply, stream);
    return undefined;
  }

  // A client goes on with the stream of a call.
  async #resume(step: HttpStep, { stream, after }: { stream: string; after: number }): Promise<void> {
    const { server, sink, exchange } = this;
    const { events, hub } = server;
    const id = this.#id;
    const { reply } = step;
    if (events === undefined || id === null || reply === null) return;
    const resumed = await this.#stored(() => events.resume(id, stream, after, server.keepAliveMs));
    if (resumed === undefined) {
      send(sink, exchange.refuseResume());
      return;
    }
    // Without a place to wait in the client gets what is there, and comes again.
    if (resumed.isWhole || !hub.open(resumed, server.listenStreams)) {
      sink.answer(reply.status, reply.headers, resumed.whole());
      return;
    }
    resumed.open();
    const release = this.#sessions?.hold(id);
    if (release !== undefined) resumed.onClose(release);
    this.#stay(reply, resumed);
  }

  // The session store may fail meanwhile. The client will come again, and hear then that it is down.
  #stay(reply: Reply, stream: Readable): void {
    const { server } = this; // an open stream holds nothing of its visit
    stay(this.sink, reply, stream, (wrong) => wrong instanceof StoreFailed || server.report(wrong));
  }

  // The call of a request that is no batch.
  #one(call: Call, step: HttpStep): Promise<void> | undefined {
    const { server, exchange, sink, request } = this;
    const { hub, keepAliveMs } = server;
    // What belongs to a session may be answered and taken back by other requests, and its events may be kept.
    if ((this.#known && !call.stateless) || server.events !== undefined) return this.#work(step);
    const channel = new HttpChannel({ exchange, sink, hub, session: undefined, streams: true, keepAliveMs });
    const ctx = new Context(call, channel, server, request);
    const outcome = runCall(ctx);
    if (!(outcome instanceof Promise)) {
      this.#end(channel, ctx, outcome);
      return undefined;
    }
    let leave = (_: Ending): void => undefined;
    const takenBack = new Promise<Ending>((resolve) => (leave = resolve));
    sink.onGone(() => {
      if (!channel.gone()) return;
      ctx.cancel();
      leave(new Failure("internal", "cancelled"));
    });
    // Nobody waits for the answer of a call that was taken back; its handler may go on and learn it by its signal.
    void outcome.then(leave);
    return takenBack.then((ending) => this.#end(channel, ctx, ending));
  }

  #end(channel: HttpChannel, ctx: Context, outcome: Ending): void {
    channel.settle(ctx, outcome);
    finish(channel, this.exchange);
  }

  async #work(first: HttpStep): Promise<void> {
    const { server, exchange, sink, request } = this;
    const session = this.#known && first.call?.stateless !== true ? (this.#id ?? undefined) : undefined;
    const { hub, keepAliveMs } = server;
    const { stream } = exchange;
    // What it asks may be answered in another process, and there it may be taken back.
    const ready = session === undefined ? undefined : hub.ready();
    if (ready !== undefined) await ready;
    const record = session === undefined || stream === null ? undefined : server.events?.record(session, stream);
    // The answers of a batch leave together as one array, so there is nothing to stream into.
    const channel = new HttpChannel({ exchange, sink, hub, session, streams: !first.batch, keepAliveMs, record });
    let running: Context | undefined;
    let taken = (): void => undefined;
    const cancel = (): void => {
      running?.cancel();
      taken();
    };
    sink.onGone(() => {
      if (channel.gone()) cancel();
    });
    const release = session === undefined ? () => undefined : server.sessions?.hold(session);
    const leave = session === undefined ? () => undefined : hub.working(session, exchange, cancel);
    try {
      let step = first;
      for (;;) {
        if (step.reply !== null) {
          channel.answer(step.reply.status, step.reply.headers, step.reply.bodyText);
          return;
        }
        if (step.call !== null) {
          const ctx = new Context(step.call, channel, server, request);
          const takenBack = new Promise<undefined>((resolve) => (taken = () => resolve(undefined)));
          running = ctx;
          // Nobody waits for the answer of a call that was taken back; its handler may go on and learn it by its signal.
          const outcome = await Promise.race([runCall(ctx), takenBack]);
          channel.settle(ctx, outcome ?? new Failure("internal", "cancelled"));
        }
        if (!first.batch) break;
        step = exchange.next();
        if (session !== undefined && server.sessions !== undefined) await this.#route(server.sessions, session, step);
      }
      finish(channel, exchange);
    } finally {
      channel.close();
      leave();
      release?.();
    }
  }

  #owner(): Buffer {
    return ownerOf(this.request.principal);
  }

  #stored<T>(work: () => Promise<T>): Promise<T> {
    return stored(this.server, work);
  }

  #unavailable(message: string): void {
    const body = JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32603, message } });
    send(this.sink, this.exchange.refuse(503, [["Content-Type", "application/json"], ["Retry-After", "5"]], body));
  }
}

// A call that was taken back has no answer, but its HTTP request must get one.
function finish(channel: HttpChannel, exchange: Exchange): void {
  if (!channel.over && !channel.started) {
    const nothing = exchange.refuse(202, [], "");
    channel.answer(nothing.status, nothing.headers, nothing.bodyText);
  }
  channel.close();
}

function send(sink: Sink, reply: Reply, more: HeaderList = []): void {
  sink.answer(reply.status, more.length === 0 ? reply.headers : [...reply.headers, ...more], reply.bodyText);
}
