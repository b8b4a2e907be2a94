/** What a host knows about the request a call came in: headers, peer, URL, principal, and its own request object. */

/** Header names and values as they came, in order. */
export type HeaderList = readonly (readonly [string, string])[];

/** HTTP headers with case-insensitive names. A name that came more than once reads as one value joined by `, `. */
export class HeaderMap {
  // Private, not only because they are nobody's business: values may be secrets (Authorization, cookies), and what prints this
  // object must not show them. Both are made when somebody looks: most handlers never do.
  #flat: readonly string[];
  #raw: HeaderList | undefined;
  #values: Map<string, string> | undefined;

  /** @param raw The headers as they came, in order: pairs, or names and values in turn. */
  constructor(raw: HeaderList | readonly string[]) {
    this.#flat = (typeof raw[0] === "string" ? raw : raw.flat()) as readonly string[];
  }

  /** The headers as they came, in order. */
  get raw(): HeaderList {
    if (this.#raw === undefined) {
      const pairs: [string, string][] = [];
      for (let at = 0; at + 1 < this.#flat.length; at += 2) pairs.push([this.#flat[at] as string, this.#flat[at + 1] as string]);
      this.#raw = pairs;
    }
    return this.#raw;
  }

  /** Used inside: the same as names and values in turn. */
  get flat(): readonly string[] {
    return this.#flat;
  }

  /** The value of a header; undefined if it did not come. */
  get(name: string): string | undefined {
    return this.#map().get(name.toLowerCase());
  }

  /** Whether a header came. */
  has(name: string): boolean {
    return this.#map().has(name.toLowerCase());
  }

  /** How many header lines of that name came. */
  count(name: string): number {
    const wanted = name.toLowerCase();
    return this.raw.filter(([key]) => key.toLowerCase() === wanted).length;
  }

  /** The names, in lower case. */
  names(): string[] {
    return [...this.#map().keys()];
  }

  #map(): Map<string, string> {
    if (this.#values === undefined) {
      this.#values = new Map();
      for (const [name, value] of this.raw) {
        const key = name.toLowerCase();
        const before = this.#values.get(key);
        this.#values.set(key, before === undefined ? value : `${before}, ${value}`);
      }
    }
    return this.#values;
  }
}

/** What a request is made of. */
export interface RequestFields {
  method?: string;
  headers?: HeaderList | readonly string[];
  peer?: string | undefined;
  url?: string | undefined;
  query?: string;
  /** Gives both, of `native`, when somebody asks for one of them. */
  place?: (native: any) => { url: string | undefined; query: string };
  native?: unknown;
  principal?: unknown;
}

/** One HTTP request, or the local process on stdio (`method` is then empty and `headers` has nothing). */
export class McpRequest {
  readonly method: string;
  /** Address of the peer as the host saw it, without port. */
  readonly peer: string | undefined;
  /** The host's own object: Express, Fastify or node:http request, fetch Request; undefined on stdio. */
  readonly native: unknown;
  /** Who calls, as the server's auth found out; undefined without auth. */
  principal: unknown;
  /** The auth that let the request in. */
  auth: unknown;
  readonly #given: RequestFields;
  #headers: HeaderMap | undefined;
  #place: { url: string | undefined; query: string } | undefined;

  constructor(fields: RequestFields = {}) {
    this.method = fields.method ?? "";
    this.peer = fields.peer;
    this.native = fields.native;
    this.principal = fields.principal;
    this.auth = undefined;
    this.#given = fields;
  }

  /** Its headers. */
  get headers(): HeaderMap {
    return (this.#headers ??= new HeaderMap(this.#given.headers ?? []));
  }

  /** Absolute URL of the endpoint, without query; undefined on stdio. */
  get url(): string | undefined {
    return this.#where()?.url;
  }

  /** The query of the URL, without its `?`; it may hold secrets, so that it is not among what is printed. */
  get query(): string {
    return this.#where()?.query ?? "";
  }

  #where(): { url: string | undefined; query: string } | undefined {
    const { place, native, url, query = "" } = this.#given;
    return (this.#place ??= place === undefined ? { url, query } : place(native));
  }
}
