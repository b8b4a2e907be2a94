/**
 * One HTTP request, whatever the host: gate, auth, body, session, calls, answer. The response is decided late: one JSON body,
 * unless the handler says something first, which makes it an event stream.
 */

import { authenticate, metadataFor, type Auth } from "./auth.js";
import { HttpChannel } from "./channel.js";
import { Context } from "./context.js";
import { Failure, runCall } from "./dispatch.js";
import { token } from "./keys.js";
import { stay, Stream, type Readable } from "./listening.js";
import { SESSION_HEADER, type Exchange, type HttpStep, type Reply } from "./native.js";
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

/** Answer one request. Rejects only for mistakes of the host, such as an auth function that throws. */
export async function handle(server: Server, request: McpRequest, read: ReadBody, sink: Sink, options: MountOptions): Promise<void> {
  const auth = options.auth ?? server.auth;
  const document = metadataFor(auth, request);
  if (document !== undefined) {
    // Any page may read it, it holds nothing secret.
    const headers: HeaderList = [["Content-Type", "application/json"], ["Access-Control-Allow-Origin", "*"]];
    sink.answer(200, headers, Buffer.from(document));
    return;
  }
  if (options.sse === true) {
    await unlessGone(handleSse(server, request, read, sink, auth));
    return;
  }
  const listen = server.listenStreams > 0;
  const exchange = server.core.exchange(request.method, request.headers.raw, {
    peer: request.peer,
    stream: true,
    listen,
    events: streamName(server, request),
  });
  const refused = exchange.gate();
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
  const visit = async (): Promise<void> => {
    const body = await read(exchange.maxBody + 1);
    await new Visit(server, request, exchange, sink).run(body);
  };
  await unlessGone(visit());
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

/** One request at the sessions of its server. */
class Visit {
  readonly #sessions: Sessions | undefined;
  readonly #id: string | null;
  #known = false;
  #owner: Buffer = Buffer.alloc(0);

  constructor(
    private readonly server: Server,
    private readonly request: McpRequest,
    private readonly exchange: Exchange,
    private readonly sink: Sink,
  ) {
    this.#sessions = server.sessions;
    this.#id = server.sessions === undefined ? null : exchange.sessionId;
  }

  async run(body: Buffer): Promise<void> {
    try {
      const step = await this.#accept(body);
      if (step.resume !== null) await this.#resume(step, step.resume);
      else if (step.listener !== null) await this.#listen(step);
      else if (step.reply !== null) await this.#reply(step, step.reply);
      else await this.#work(step);
    } catch (wrong) {
      if (!(wrong instanceof TooManySessions || wrong instanceof StoreFailed)) throw wrong;
      const busy = wrong instanceof TooManySessions;
      this.#unavailable(busy ? "too many sessions are in use" : "sessions cannot be reached now");
    }
  }

  // Reads the body, with what is known of the session; saves what that changed.
  async #accept(body: Buffer): Promise<HttpStep> {
    const sessions = this.#sessions;
    if (sessions === undefined) return this.exchange.accept(body);
    this.#owner = ownerOf(this.request.principal);
    const id = this.#id;
    if (id === null) return this.exchange.accept(body);
    const saved = await this.#load(sessions, id);
    this.#known = saved !== undefined;
    const step = this.exchange.accept(body, saved);
    const changed = step.session;
    if (changed !== null && this.#known) {
      await this.#stored(() => sessions.save(id, Buffer.concat([this.#owner, changed])));
    }
    return step;
  }

  async #reply(step: HttpStep, reply: Reply): Promise<void> {
    const sessions = this.#sessions;
    const id = this.#known ? this.#id : null;
    const opened = step.session;
    if (sessions !== undefined && step.event === "opened" && opened !== null) {
      const made = await this.#stored(() => sessions.open(Buffer.concat([this.#owner, opened])));
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

  async #listen(step: HttpStep): Promise<void> {
    const { server } = this;
    const sessions = this.#sessions;
    const id = this.#id;
    const { listener, reply } = step;
    if (listener === null || reply === null) return;
    const own =
      this.request.method === "GET" && sessions !== undefined && id !== null
        ? { id, load: () => this.#load(sessions, id) }
        : undefined;
    const stream = new Stream(listener, {
      first: reply.body,
      principal: principalText(this.request.principal),
      keepAliveMs: server.keepAliveMs,
      ...(own === undefined ? {} : { session: own }),
    });
    if (!server.hub.open(stream, server.listenStreams)) {
      this.#unavailable("no more clients can listen here now");
      return;
    }
    if (own !== undefined && sessions !== undefined) stream.onClose(sessions.hold(own.id));
    const ready = server.hub.ready();
    if (ready !== undefined) await ready;
    await this.#stay(reply, stream);
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
    await this.#stay(reply, resumed);
  }

  // The session store may fail meanwhile. The client will come again, and hear then that it is down.
  #stay(reply: Reply, stream: Readable): Promise<void> {
    return stay(this.sink, reply, stream, (wrong) => wrong instanceof StoreFailed || this.server.report(wrong));
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
          channel.answer(step.reply.status, step.reply.headers, step.reply.body);
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
      // A call that was taken back has no answer, but its HTTP request must get one.
      if (!channel.over && !channel.started) {
        const nothing = exchange.refuse(202, [], "");
        channel.answer(nothing.status, nothing.headers, nothing.body);
      }
    } finally {
      channel.close();
      leave();
      release?.();
    }
  }

  async #load(sessions: Sessions, id: string): Promise<Buffer | undefined> {
    // Somebody else's session is as good as none.
    return ofOwner(await this.#stored(() => sessions.load(id)), this.#owner);
  }

  async #stored<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (wrong) {
      if (wrong instanceof TooManySessions) throw wrong;
      this.server.report(new Error("the session store failed", { cause: wrong }));
      throw new StoreFailed("the session store failed", { cause: wrong });
    }
  }

  #unavailable(message: string): void {
    const body = JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32603, message } });
    send(this.sink, this.exchange.refuse(503, [["Content-Type", "application/json"], ["Retry-After", "5"]], body));
  }
}

function send(sink: Sink, reply: Reply, more: HeaderList = []): void {
  sink.answer(reply.status, [...reply.headers, ...more], reply.body);
}
