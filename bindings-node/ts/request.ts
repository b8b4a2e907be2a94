/** What a host knows about the request a call came in: headers, peer, URL, principal, and its own request object. */

/** Header names and values as they came, in order. */
export type HeaderList = [string, string][];

/** HTTP headers with case-insensitive names. A name that came more than once reads as one value joined by `, `. */
export class HeaderMap {
  readonly #values = new Map<string, string>();

  /** @param raw The headers as they came, in order. */
  constructor(readonly raw: HeaderList) {
    for (const [name, value] of raw) {
      const key = name.toLowerCase();
      const before = this.#values.get(key);
      this.#values.set(key, before === undefined ? value : `${before}, ${value}`);
    }
    // Values may be secrets (Authorization, cookies): what prints this object must not show them.
    Object.defineProperty(this, "raw", { enumerable: false });
  }

  /** The value of a header; undefined if it did not come. */
  get(name: string): string | undefined {
    return this.#values.get(name.toLowerCase());
  }

  /** Whether a header came. */
  has(name: string): boolean {
    return this.#values.has(name.toLowerCase());
  }

  /** How many header lines of that name came. */
  count(name: string): number {
    const wanted = name.toLowerCase();
    return this.raw.filter(([key]) => key.toLowerCase() === wanted).length;
  }

  /** The names, in lower case. */
  names(): string[] {
    return [...this.#values.keys()];
  }
}

/** One HTTP request, or the local process on stdio (`method` is then empty and `headers` has nothing). */
export class McpRequest {
  readonly method: string;
  readonly headers: HeaderMap;
  /** Address of the peer as the host saw it, without port. */
  readonly peer: string | undefined;
  /** Absolute URL of the endpoint, without query; undefined on stdio. */
  readonly url: string | undefined;
  /** The query of the URL, without its `?`; it may hold secrets. */
  readonly query: string;
  /** The host's own object: Express, Fastify or node:http request, fetch Request; undefined on stdio. */
  readonly native: unknown;
  /** Who calls, as the server's auth found out; undefined without auth. */
  principal: unknown;
  /** The auth that let the request in. */
  auth: unknown;

  constructor(
    fields: { method?: string; headers?: HeaderList; peer?: string; url?: string; query?: string; native?: unknown; principal?: unknown } = {},
  ) {
    this.method = fields.method ?? "";
    this.headers = new HeaderMap(fields.headers ?? []);
    this.peer = fields.peer;
    this.url = fields.url;
    this.query = fields.query ?? "";
    Object.defineProperty(this, "query", { enumerable: false });
    this.native = fields.native;
    this.principal = fields.principal;
  }
}
