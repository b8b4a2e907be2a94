/** Fetch-style hosts: `(request: Request) => Promise<Response>`, as Hono, Next, Bun and Deno have them. */

import { Gone, handle, type MountOptions, type ReadBody } from "./http.js";
import { McpRequest, type HeaderList } from "./request.js";
import type { Server } from "./server.js";
import { hasBody, type Sink } from "./sink.js";

/** What a fetch-style host may know besides the request. */
export interface FetchInfo {
  /** Address of the peer, without port. */
  peer?: string;
}

/** A handler for fetch-style hosts. */
export type FetchHandler = (request: Request, info?: FetchInfo) => Promise<Response>;

/** The handler of a server. It rejects for mistakes of the host, such as an auth function that throws. */
export function fetchHandler(server: Server, options: MountOptions = {}): FetchHandler {
  return (request, info = {}) => {
    const sink = new FetchSink(request.signal);
    const url = new URL(request.url);
    const query = url.search.slice(1);
    url.search = url.hash = "";
    const headers = [...request.headers];
    // Hosts leave out what is in the URL.
    if (!request.headers.has("host")) headers.push(["host", url.host]);
    const seen = new McpRequest({
      method: request.method,
      headers,
      url: url.href,
      query,
      native: request,
      ...(info.peer === undefined ? {} : { peer: info.peer }),
    });
    Promise.resolve(handle(server, seen, (limit) => read(request, limit), sink, options)).then(
      () => sink.unanswered(),
      (error: unknown) => sink.fail(error),
    );
    return sink.response;
  };
}

const read: (request: Request, limit: number) => ReturnType<ReadBody> = async (request, limit) => {
  const parts: Uint8Array[] = [];
  let size = 0;
  const reader = request.body?.getReader();
  while (reader !== undefined && size < limit) {
    const { done, value } = await reader.read().catch((error: unknown) => {
      throw new Gone("the peer went away before its request was complete", { cause: error });
    });
    if (done) break;
    parts.push(value as Uint8Array);
    size += (value as Uint8Array).length;
  }
  if (size >= limit) await reader?.cancel();
  return Buffer.concat(parts).subarray(0, limit);
};

const headersOf = (list: HeaderList): [string, string][] => list.map(([name, value]) => [name, value]);

class FetchSink implements Sink {
  /** The response, as soon as its head is known. */
  readonly response: Promise<Response>;
  #resolve: (response: Response) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  #gone: (() => void)[] = [];
  #lostAlready = false;
  #wake: () => void = () => undefined;
  #over = false;

  constructor(signal: AbortSignal | undefined) {
    this.response = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted === true) this.#lost();
    signal?.addEventListener("abort", () => this.#lost(), { once: true });
  }

  answer(status: number, headers: HeaderList, body: Buffer | string): void {
    this.#over = true;
    const withBody = hasBody(status) && status !== 101;
    this.#resolve(new Response(withBody ? Buffer.from(body as string) : null, { status, headers: headersOf(headers) }));
  }

  start(status: number, headers: HeaderList): void {
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
      },
      pull: () => this.#wake(),
      cancel: () => this.#lost(),
    });
    this.#resolve(new Response(body, { status, headers: headersOf(headers) }));
  }

  write(data: Buffer): void {
    if (!this.#over) this.#controller?.enqueue(new Uint8Array(data));
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#controller?.close();
  }

  waiting(): number {
    // The stream counts pieces; what they hold is small.
    return 1024 * Math.max(0, 1 - (this.#controller?.desiredSize ?? 1));
  }

  drained(): Promise<void> | undefined {
    if (this.#over || (this.#controller?.desiredSize ?? 1) > 0) return undefined;
    return new Promise((resolve) => (this.#wake = resolve));
  }

  onGone(callback: () => void): void {
    if (this.#lostAlready) callback();
    else this.#gone.push(callback);
  }

  /** The request is dealt with. A response may have begun, and stay open. */
  unanswered(): void {
    this.#reject(new Error("the request was not answered"));
  }

  /** Nothing more will be answered. */
  fail(error: unknown): void {
    this.#reject(error);
    this.end();
  }

  #lost(): void {
    if (this.#over) return;
    this.#over = true;
    this.#resolve(new Response(null, { status: 499 })); // nobody sees it, but the host waits for something
    this.#lostAlready = true;
    this.#wake();
    const callbacks = this.#gone;
    this.#gone = [];
    for (const callback of callbacks) callback();
  }
}
