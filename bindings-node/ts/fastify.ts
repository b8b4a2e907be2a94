/**
 * A plugin for Fastify 5: its hooks, CORS and error handling still run, and nothing is hijacked.
 *
 *     await app.register(server.fastify(), { prefix: "/mcp" });
 */

import { PassThrough } from "node:stream";
import { handle, type MountOptions } from "./http.js";
import { dumps } from "./json.js";
import { LIMITS } from "./native.js";
import { drained, requestOf, type NodeRequest } from "./node-http.js";
import type { HeaderList } from "./request.js";
import type { Server } from "./server.js";
import { hasBody, type Sink } from "./sink.js";

/** What is needed of a Fastify instance. */
interface Instance {
  removeAllContentTypeParsers(): unknown;
  addContentTypeParser(type: string, options: any, parser: any): unknown;
  route(options: any): unknown;
  supportedMethods?: string[];
}

interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
  send(body?: unknown): Reply;
  raw: { once(event: "close", callback: () => void): unknown; writableFinished: boolean; destroyed: boolean; closed: boolean };
}

/** The plugin: it answers at the prefix it is registered with. */
export type FastifyPlugin = (instance: any, options: unknown, done: (error?: Error) => void) => void;

/** The plugin of a server. */
export function fastifyPlugin(server: Server, options: MountOptions = {}): FastifyPlugin {
  return (instance: Instance, _options, done) => {
    // In this plugin only: the body stays as it came.
    instance.removeAllContentTypeParsers();
    instance.addContentTypeParser("*", { parseAs: "buffer" }, (_request: unknown, body: Buffer, ready: (error: null, body: Buffer) => void) =>
      ready(null, body),
    );
    instance.route({
      method: ["GET", "POST", "DELETE", "OPTIONS", "PUT", "PATCH", "HEAD"],
      url: "/",
      exposeHeadRoute: false,
      bodyLimit: server.limits["messageBytes"] ?? LIMITS["messageBytes"],
      handler: (request: { raw: NodeRequest; body: unknown; protocol: string; originalUrl: string }, reply: Reply) => {
        const body = request.body === undefined || request.body === null ? Buffer.alloc(0) : bytes(request.body);
        const sink = new FastifySink(reply);
        const fail = (error: unknown): void => sink.fail(error);
        // Those of one turn in a row; see `node-http`.
        setImmediate(() => {
          try {
            handle(server, requestOf(request.raw, request), body, sink, options)?.catch(fail);
          } catch (error) {
            fail(error);
          }
        });
        return reply;
      },
    });
    done();
  };
}

function bytes(body: unknown): Buffer {
  if (body instanceof Uint8Array) return Buffer.from(body);
  return Buffer.from(typeof body === "string" ? body : dumps(body));
}

class FastifySink implements Sink {
  readonly #reply: Reply;
  #stream: PassThrough | undefined;

  constructor(reply: Reply) {
    this.#reply = reply;
  }

  answer(status: number, headers: HeaderList, body: Buffer | string): void {
    this.#head(status, headers);
    this.#reply.send(hasBody(status) ? body : undefined);
  }

  start(status: number, headers: HeaderList): void {
    this.#head(status, headers);
    this.#stream = new PassThrough();
    this.#stream.on("error", () => undefined); // the peer went away; `close` says so too
    this.#reply.send(this.#stream);
  }

  write(data: Buffer): void {
    this.#stream?.write(data);
  }

  end(): void {
    this.#stream?.end();
  }

  waiting(): number {
    return (this.#stream?.readableLength ?? 0) + (this.#stream?.writableLength ?? 0);
  }

  drained(): Promise<void> | undefined {
    return this.#stream === undefined ? undefined : drained(this.#stream);
  }

  onGone(callback: () => void): void {
    const { raw } = this.#reply;
    if (raw.destroyed || raw.closed) callback();
    else raw.once("close", () => raw.writableFinished || callback());
  }

  fail(error: unknown): void {
    if (this.#stream === undefined) this.#reply.send(error);
    else this.#stream.destroy();
  }

  #head(status: number, headers: HeaderList): void {
    this.#reply.code(status);
    for (const [name, value] of headers) this.#reply.header(name, value);
  }
}
