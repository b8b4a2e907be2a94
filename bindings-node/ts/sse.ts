/**
 * The HTTP+SSE transport of revision 2024-11-05, for clients that know nothing newer. It has a path of its own:
 *
 *     app.all("/sse", server.express({ sse: true }));
 *
 * GET opens an event stream whose first event says where messages are to be posted (the same path, with an unguessable session
 * id); every answer comes on the stream. Each client has a session in this process, so several processes need a proxy that sends
 * a client to the same one; and each takes one of the streams that the option `listenStreams` allows.
 */

import { authenticate, type Auth } from "./auth.js";
import { Connection } from "./connection.js";
import { token } from "./keys.js";
import { stay, type Piece, type Readable } from "./pump.js";
import { KEEP_ALIVE, type Exchange } from "./native.js";
import type { HeaderList, McpRequest } from "./request.js";
import type { ReadBody } from "./http.js";
import type { Server } from "./server.js";
import { ownerOf } from "./sessions.js";
import type { Sink } from "./sink.js";

const EVENTS: HeaderList = [
  ["Content-Type", "text/event-stream"],
  ["Cache-Control", "no-cache, no-transform"],
  ["X-Accel-Buffering", "no"],
];
/** Most unread messages; a reader that leaves more is cut off, and its session with it. */
const BACKLOG = 1000;

const peers = new WeakMap<Server, Map<string, Peer>>();

/** Answer one request of this transport. */
export async function handleSse(server: Server, request: McpRequest, read: ReadBody, sink: Sink, auth: Auth | undefined): Promise<void> {
  const exchange = server.core.exchange(request.method, request.headers.raw, { peer: request.peer });
  const gate = exchange.gate();
  // 405 is said of the newer transport, on whose path a GET is something else.
  const refused = gate !== null && request.method === "GET" && gate.status === 405 ? null : gate;
  if (refused !== null && (refused.status === 403 || refused.status === 421 || refused.status < 400)) {
    sink.answer(refused.status, refused.headers, refused.body);
    return;
  }
  const denied = auth === undefined ? undefined : await authenticate(auth, request);
  if (denied !== undefined) {
    const said = exchange.refuse(denied.status, denied.headers(), denied.body());
    sink.answer(said.status, said.headers, said.body);
    return;
  }
  const say = (status: number, text: string, ...more: HeaderList): void => {
    const said = exchange.refuse(status, [["Content-Type", "text/plain; charset=utf-8"], ...more], text);
    sink.answer(said.status, said.headers, said.body);
  };
  if (request.method === "GET") open(server, request, exchange, sink, say);
  else if (request.method !== "POST") say(405, "only GET and POST are possible here", ["Allow", "GET, POST"]);
  else if (refused !== null) sink.answer(refused.status, refused.headers, refused.body);
  else await take(server, request, exchange.maxBody, read, say);
}

type Say = (status: number, text: string, ...more: HeaderList) => void;

function open(server: Server, request: McpRequest, exchange: Exchange, sink: Sink, say: Say): void {
  const id = token();
  const peer = new Peer(server, request, id);
  if (!server.hub.open(peer, server.listenStreams)) {
    peer.close();
    say(503, "no more clients can be served here now", ["Retry-After", "60"]);
    return;
  }
  const table = peers.get(server) ?? new Map<string, Peer>();
  peers.set(server, table);
  table.set(id, peer);
  peer.onClose(() => table.delete(id));
  stay(sink, exchange.refuse(200, EVENTS, ""), peer, (wrong) => server.report(wrong));
}

async function take(server: Server, request: McpRequest, most: number, read: ReadBody, say: Say): Promise<void> {
  const ids = new URLSearchParams(request.query).getAll("sessionId");
  if (ids.length !== 1) {
    say(400, "the parameter sessionId is missing: post to where the event `endpoint` says");
    return;
  }
  const peer = peers.get(server)?.get(ids[0] as string);
  if (peer === undefined || !peer.owner.equals(ownerOf(request.principal))) {
    say(404, "this session is over, or at another process");
    return;
  }
  const body = await read(most + 1);
  if (body.length > most) {
    say(413, `the body is longer than ${most} bytes`);
    return;
  }
  try {
    JSON.parse(body.toString("utf8"));
  } catch {
    say(400, "the body is not JSON");
    return;
  }
  peer.take(body, request);
  say(202, "Accepted");
}

/** One client: the body of its event stream, and the connection behind it. */
class Peer implements Readable {
  wake: (() => void) | undefined;
  readonly silenceMs: number;
  /** It is none of the streams of which a session has only one. */
  readonly session = undefined;
  /** Whose it is. */
  readonly owner: Buffer;
  readonly #connection: Connection;
  readonly #report: (error: unknown) => void;
  readonly #unread: Buffer[];
  readonly #atClose: (() => void)[] = [];
  #over = false;
  #closed = false;

  constructor(server: Server, request: McpRequest, id: string) {
    this.owner = ownerOf(request.principal);
    this.silenceMs = server.keepAliveMs;
    this.#report = (error) => server.report(error);
    // Relative to the URL the client knows, whatever a proxy has made of the path (RFC 3986 section 5.2).
    this.#unread = [Buffer.from(`event: endpoint\ndata: ?sessionId=${id}\n\n`)];
    this.#connection = Connection.overMessages(server, (message) => this.#put(message), request);
  }

  /** A message was posted. */
  take(body: Buffer, request: McpRequest): void {
    // What a handler throws is answered; this cannot reject but for a mistake in this package.
    this.#connection.take(body, request)?.catch(this.#report);
  }

  // The connection hears of changes by itself.
  listChanged(): void {}
  resourceUpdated(): void {}
  taskChanged(): void {}

  /** The server closes: what is unread is still told. */
  end(): void {
    this.#over = true;
    this.wake?.();
  }

  close(): void {
    this.#over = true;
    this.#unread.length = 0;
    if (!this.#closed) {
      this.#closed = true;
      void this.#connection.drain(0); // takes back what runs
      for (const callback of this.#atClose) callback();
    }
    this.wake?.();
  }

  onClose(callback: () => void): void {
    if (this.#closed) callback();
    else this.#atClose.push(callback);
  }

  next(): Piece {
    const data = this.#unread.shift();
    if (data !== undefined) return data;
    if (!this.#over) return null;
    this.close();
    return undefined;
  }

  silent(): Piece {
    return this.next() ?? (this.#over ? undefined : KEEP_ALIVE);
  }

  #put(message: Buffer): void {
    if (this.#over) return;
    if (this.#unread.length >= BACKLOG) {
      this.close();
      return;
    }
    this.#unread.push(Buffer.concat([Buffer.from("event: message\ndata: "), message, Buffer.from("\n\n")]));
    this.wake?.();
  }
}
