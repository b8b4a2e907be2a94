/** The host `node:http`, and with it Express and everything else whose requests and responses are Node's. */

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Writable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { Gone, handle, type MountOptions, type ReadBody } from "./http.js";
import { dumps } from "./json.js";
import { McpRequest, type HeaderList } from "./request.js";
import type { Server } from "./server.js";
import { hasBody, type Sink } from "./sink.js";

const nothing = (): void => undefined;

/** A request of `node:http`, with what frameworks add to it. */
export type NodeRequest = IncomingMessage & {
  body?: unknown;
  rawBody?: unknown;
  originalUrl?: string;
  protocol?: string;
};

/** A handler for `http.createServer`, Express, Connect and the like. */
export type NodeHandler = (request: NodeRequest, response: ServerResponse, next?: (error?: unknown) => void) => void;

/** The handler of a server. Errors of the host go to `next`, if there is one; else they are reported and answered with 500. */
export function nodeHandler(server: Server, options: MountOptions = {}): NodeHandler {
  return (request, response, next) => {
    serveNode(server, request, response, options, (error: unknown) => {
      if (next !== undefined && !response.headersSent) {
        next(error);
        return;
      }
      server.report(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(500, { "Content-Length": "0" }).end();
    });
  };
}

/** Bodies up to this length, in bytes, are read before the head is looked at, so that both are looked at in one go. */
const EARLY = 65_536;

/**
 * Answer one request. `fail` is told of mistakes of the host.
 *
 * A short message is answered when Node has read what all connections have sent by now: what runs for several requests in a row
 * costs a fraction of what it costs between two requests of Node's own work, which leaves nothing of it in the processor's
 * caches. Each has its own place in that row, and so the asynchronous context it came in.
 */
export function serveNode(
  server: Server,
  request: NodeRequest,
  response: ServerResponse,
  options: MountOptions,
  fail: (error: unknown) => void,
): void {
  const act = (body: Buffer | ReadBody): void => {
    try {
      handle(server, requestOf(request), body, new NodeSink(request, response), options)?.catch(fail);
    } catch (error) {
      fail(error);
    }
  };
  const length = Number(request.headers["content-length"]);
  if (request.method !== "POST" || !(length <= EARLY) || request.readableDidRead || request.rawBody !== undefined) {
    act(bodyOf(request));
    return;
  }
  request.pause(); // who else listens gets what is read here
  setImmediate(() => {
    if (request.destroyed) return; // the peer went away, there is nobody to answer
    if (!request.complete) {
      readBody(request, EARLY + 1).then((body) => setImmediate(act, body), nothing);
      return;
    }
    const body: unknown = request.read() ?? Buffer.alloc(0);
    act(body instanceof Uint8Array && body.length === length ? (body as Buffer) : bodyOf(request));
  });
}

/** What a framework knows better of a request's URL than `node:http`. */
type Asked = Pick<NodeRequest, "originalUrl" | "protocol">;

/** The request as handlers see it. `asked`: what knows its URL, if it is not the request itself. */
export function requestOf(request: NodeRequest, asked?: Asked): McpRequest {
  return new McpRequest({
    method: request.method,
    headers: request.rawHeaders,
    place: asked === undefined ? placeOf : (native: NodeRequest) => placeOf(native, asked),
    native: request,
    peer: peerOf(request.socket.remoteAddress),
  });
}

function placeOf(request: NodeRequest, asked: Asked = request): { url: string | undefined; query: string } {
  const scheme = asked.protocol ?? ((request.socket as TLSSocket).encrypted ? "https" : "http");
  const target = asked.originalUrl ?? request.url ?? "/";
  const path = target.split("?", 1)[0] as string;
  return { url: urlOf(scheme, request.headers.host ?? "localhost", path), query: target.slice(path.length + 1) };
}

/** An absolute URL of its parts; undefined if the request's are no such thing. */
export function urlOf(scheme: string, host: string, path: string): string | undefined {
  const url = `${scheme}://${host}${path.startsWith("/") ? path : "/"}`;
  return URL.canParse(url) ? url : undefined;
}

/** The address of a peer, without what marks IPv4 inside IPv6. */
export function peerOf(address: string | undefined): string | undefined {
  return address?.startsWith("::ffff:") === true ? address.replace(/^::ffff:(?=\d+\.)/, "") : address;
}

/** The body of a request: as a parser left it, else as it comes. */
export function bodyOf(request: NodeRequest): ReadBody {
  return (limit) => {
    const parsed = parsedBody(request);
    return parsed === undefined ? readBody(request, limit) : parsed.subarray(0, limit);
  };
}

function parsedBody(request: NodeRequest): Buffer | undefined {
  if (request.rawBody instanceof Uint8Array) return Buffer.from(request.rawBody);
  // Express 4 gives every request a body, also what its parser left alone.
  if (!request.readableDidRead && !request.readableEnded) return undefined;
  const { body } = request;
  if (body instanceof Uint8Array) return Buffer.from(body);
  if (typeof body === "string") return Buffer.from(body);
  if (body !== undefined) return Buffer.from(dumps(body));
  const length = request.headers["content-length"];
  if ((length === undefined || length === "0") && request.headers["transfer-encoding"] === undefined) return Buffer.alloc(0);
  throw new Error("something read the request's body and left no request.body: mount the server before it");
}

function readBody(request: NodeRequest, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let size = 0;
    const done = (act: () => void): void => {
      request.off("data", take).off("end", end).off("error", gone).off("close", gone);
      act();
    };
    const end = (): void => done(() => resolve(Buffer.concat(parts)));
    const gone = (): void => done(() => reject(new Gone("the peer went away before its request was complete")));
    const take = (part: Buffer): void => {
      parts.push(part.subarray(0, limit - size));
      size += part.length;
      if (size >= limit) {
        request.pause();
        end();
      }
    };
    request.on("data", take).on("end", end).on("error", gone).on("close", gone).resume();
  });
}

/** Settles when a stream has room again, or is closed; undefined: it is so now. */
export function drained(stream: Writable): Promise<void> | undefined {
  if (!stream.writableNeedDrain || stream.destroyed) return undefined;
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off("drain", done).off("close", done);
      resolve();
    };
    stream.on("drain", done).on("close", done);
  });
}

/** Longest body, in characters, that leaves in one piece of text with its head: one copy more, but one system call. */
const SHORT = 16_384;

/** Writes to a response of `node:http`. Headers that the application has set stay, unless the protocol has them too. */
class NodeSink implements Sink {
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse & { flush?: () => void };
  #wrote = false;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
  }

  answer(status: number, headers: HeaderList, body: Buffer | string): void {
    const response = this.#response;
    if (response.destroyed) return; // the peer went away
    const length = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    const more: (string | number)[] = hasBody(status) ? ["Content-Length", length] : [];
    // What was not read of a body that is too long is not wanted.
    if (!this.#request.complete) more.push("Connection", "close");
    this.#head(status, headers, more);
    if (!hasBody(status)) response.end();
    else if (typeof body !== "string") response.end(body);
    else if (length > SHORT) response.end(Buffer.from(body));
    else response.end(body, length === body.length ? "latin1" : "utf8"); // ASCII is both, and is only copied as the former
  }

  start(status: number, headers: HeaderList): void {
    this.#response.on("error", nothing); // the peer went away; `close` says so too
    this.#head(status, headers, []);
    // What is said at once leaves together with the head: each system call wakes the reader.
    process.nextTick(() => {
      if (!this.#wrote) this.#response.flushHeaders();
    });
  }

  write(data: Buffer): void {
    this.#wrote = true;
    this.#response.write(data);
    this.#response.flush?.(); // of the middleware `compression`
  }

  end(): void {
    this.#wrote = true;
    this.#response.end();
  }

  waiting(): number {
    return this.#response.writableLength;
  }

  drained(): Promise<void> | undefined {
    return drained(this.#response);
  }

  onGone(callback: () => void): void {
    const response = this.#response;
    if (response.destroyed || response.closed) callback();
    else response.on("close", () => response.writableFinished || callback());
  }

  #head(status: number, headers: HeaderList, more: (string | number)[]): void {
    const response = this.#response;
    if (response.getHeaderNames().length === 0) {
      for (const one of headers) more.push(one[0], one[1]); // an array that is taken apart costs an iterator
      response.writeHead(status, more);
      return;
    }
    response.statusCode = status;
    for (let at = 0; at < more.length; at += 2) response.setHeader(String(more[at]), more[at + 1] as string | number);
    const [only] = headers;
    // Nearly every answer has no more than its type.
    if (headers.length === 1 && only !== undefined && only[0].toLowerCase() !== "vary") {
      response.setHeader(only[0], only[1]);
      return;
    }
    const values = new Map<string, string[]>();
    for (const [name, value] of headers) values.set(name, [...(values.get(name) ?? []), value]);
    for (const [name, several] of values) {
      const before = name.toLowerCase() === "vary" ? response.getHeader(name) : undefined;
      const all = before === undefined ? several : [String(before), ...several];
      response.setHeader(name, name.toLowerCase() === "vary" ? all.join(", ") : all.length === 1 ? (all[0] as string) : all);
    }
  }
}
