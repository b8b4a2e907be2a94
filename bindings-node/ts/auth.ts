/**
 * Who may call over HTTP: an API key in a header, a bearer token, or the application's own check.
 *
 *     new Server(info, { auth: apiKey({ s3cret: "billing" }) })
 *     new Server(info, { auth: bearer(verify, { resource: "https://example.com/mcp", authorizationServers: ["https://login.example.com"] }) })
 *     new Server(info, { auth: (request) => currentUser(request) })
 *
 * A refused request gets 401 with a challenge; a bearer resource also publishes its metadata document (RFC 9728), which the
 * challenge points to. What the check finds out reaches handlers as `Context.principal`.
 */

import { timingSafeEqual, createHash } from "node:crypto";
import type { Context } from "./context.js";
import { Forbidden, RegistrationError } from "./errors.js";
import { isObject, type JsonObject } from "./json.js";
import type { Guard } from "./registry.js";
import type { HeaderList, McpRequest } from "./request.js";

/** RFC 9728 section 3; the path of the resource is appended. */
export const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** Who calls. */
export interface Principal {
  /** Name or id: the key's name, or the token's `sub`. */
  subject: string;
  scopes: ReadonlySet<string>;
  /** What else is known, for example the token's claims. */
  claims: JsonObject;
}

/** The application's own check: who calls; false, null or undefined refuses. */
export type Check = (request: McpRequest) => unknown;

/** What `auth` may be. */
export type Auth = Authenticator | Check;

/** A way of finding out who calls. */
export interface Authenticator {
  authenticate(request: McpRequest): Promise<unknown>;
}

/** A refused request: status, challenge, and words for people. */
export class Refusal {
  constructor(
    readonly status: number,
    readonly challenge: string,
    readonly error: string,
    readonly description: string,
  ) {}

  /** Response headers. A page of another origin may read the challenge. */
  headers(): HeaderList {
    return [
      ["Content-Type", "application/json"],
      ["WWW-Authenticate", this.challenge],
      ["Cache-Control", "no-store"],
      ["Access-Control-Expose-Headers", "WWW-Authenticate"],
    ];
  }

  /** A small JSON object (names of RFC 6749 section 5.2). */
  body(): string {
    return JSON.stringify({ error: this.error, error_description: this.description });
  }
}

/** The caller is known but lacks a scope. Over HTTP: 403 with a challenge that names it (RFC 6750 section 3.1). */
export class InsufficientScope extends Forbidden {
  readonly scopes: readonly string[];
  /** What an HTTP host answers with. */
  readonly http: { status: number; headers: HeaderList };

  constructor(scopes: readonly string[], challenge?: string) {
    super(`this needs the scope ${JSON.stringify(scopes.join(" "))}`);
    this.scopes = scopes;
    const words = challenge ?? challengeOf("Bearer", { error: "insufficient_scope", scope: scopes.join(" ") });
    this.http = { status: 403, headers: [["WWW-Authenticate", words]] };
  }
}

/**
 * A fixed secret in a header of your choice.
 *
 * @param keys Secret to name (or principal) of its owner; one secret or several without names; or
 *   `(key) => principal | undefined`, which should look up a hash or compare in constant time.
 * @param options `header`: name of the header that carries the key; `x-api-key` unless given.
 * @throws RegistrationError There is no key, or an empty one.
 */
export function apiKey(
  keys: Record<string, string | Principal> | readonly string[] | string | ((key: string) => unknown),
  options: { header?: string } = {},
): ApiKey {
  return new ApiKey(keys, options.header ?? "x-api-key");
}

/** Made by `apiKey`. */
export class ApiKey implements Authenticator {
  readonly #keys: [Buffer, Principal][];
  readonly #verify: ((key: string) => unknown) | undefined;

  constructor(
    keys: Parameters<typeof apiKey>[0],
    /** Name of the header that carries the key. */
    readonly header: string,
  ) {
    this.#verify = typeof keys === "function" ? keys : undefined;
    const given = typeof keys === "string" ? [keys] : typeof keys === "function" ? {} : keys;
    const named: [string, string | Principal][] = Array.isArray(given)
      ? given.map((key: string, at) => [key, `key ${at + 1}`])
      : Object.entries(given as Record<string, string | Principal>);
    if (named.some(([key]) => !key)) throw new RegistrationError("an API key is empty; is the environment variable set?");
    if (named.length === 0 && this.#verify === undefined) throw new RegistrationError("apiKey needs keys or a function");
    this.#keys = named.map(([key, owner]) => [digest(key), principalOf(owner) as Principal]);
  }

  async authenticate(request: McpRequest): Promise<unknown> {
    const sent = request.headers.get(this.header);
    if (!sent) return this.#refuse(`missing header ${this.header}`);
    if (request.headers.count(this.header) > 1) return this.#refuse(`header ${this.header} came more than once`);
    const found = this.#verify === undefined ? this.#find(sent) : await this.#verify(sent);
    return accepted(found) ? principalOf(found) : this.#refuse("unknown key");
  }

  #find(sent: string): Principal | undefined {
    // Every key is compared, so the time says nothing about which one was nearly right.
    const wanted = digest(sent);
    let found: Principal | undefined;
    for (const [key, owner] of this.#keys) if (timingSafeEqual(key, wanted)) found = owner;
    return found;
  }

  #refuse(why: string): Refusal {
    return new Refusal(401, challengeOf("ApiKey", { realm: "mcp", header: this.header }), "unauthorized", why);
  }
}

/** How bearer tokens are checked and described. */
export interface BearerOptions {
  /**
   * Absolute URL of the endpoint as clients know it. Default: as the request came in, which is only right when the proxy in
   * front keeps scheme and host.
   */
  resource?: string;
  /** Issuer URLs; with them the metadata document is published and named in challenges. */
  authorizationServers?: readonly string[];
  /** For the metadata document. */
  scopesSupported?: readonly string[];
  /** Scopes that every call needs. */
  requiredScopes?: readonly string[];
  /** For the challenge. */
  realm?: string;
  /** More members of the metadata document (RFC 9728 section 2). */
  metadata?: JsonObject;
}

/**
 * An access token in the Authorization header (RFC 6750), checked by your own function.
 *
 * @param verify `(token) => principal | undefined`. It must check signature, expiry and audience. A string it returns is
 *   the subject, an object with `sub` the token's claims (`scope` or `scp`); anything else is handed on as it is.
 */
export function bearer(verify: (token: string) => unknown, options: BearerOptions = {}): Bearer {
  return new Bearer(verify, options);
}

/** Made by `bearer`. */
export class Bearer implements Authenticator {
  readonly #verify: (token: string) => unknown;
  readonly #options: BearerOptions;

  constructor(verify: (token: string) => unknown, options: BearerOptions) {
    this.#verify = verify;
    this.#options = options;
  }

  /** Whether there is a metadata document. */
  get publishes(): boolean {
    return (this.#options.authorizationServers ?? []).length > 0;
  }

  async authenticate(request: McpRequest): Promise<unknown> {
    const [, scheme, token] = /^(\S+) +(\S+) *$/.exec(request.headers.get("authorization") ?? "") ?? [];
    if (scheme?.toLowerCase() !== "bearer" || token === undefined || request.headers.count("authorization") > 1) {
      // No error code when no token came in at all (RFC 6750 section 3.1).
      return new Refusal(401, this.#challenge(request, {}), "unauthorized", "a bearer token is needed");
    }
    const found = await this.#verify(token);
    if (!accepted(found)) return new Refusal(401, this.challenge(request), "invalid_token", "unknown or expired token");
    const principal = principalOf(found);
    const needed = this.#options.requiredScopes ?? [];
    const missing = needed.filter((scope) => !scopesOf(principal).has(scope));
    if (missing.length === 0) return principal;
    const lacks = `the token lacks ${missing.join(" ")}`;
    return new Refusal(403, this.insufficient(request, needed), "insufficient_scope", lacks);
  }

  /** The protected resource metadata (RFC 9728 section 2) of the endpoint at that URL. */
  document(resource: string): string {
    const { authorizationServers, scopesSupported, metadata } = this.#options;
    return JSON.stringify({
      resource: this.#options.resource ?? resource,
      authorization_servers: authorizationServers ?? [],
      bearer_methods_supported: ["header"],
      ...(scopesSupported === undefined ? {} : { scopes_supported: scopesSupported }),
      ...metadata,
    });
  }

  /** The challenge for a token that is not, or no longer, good. */
  challenge(request: McpRequest): string {
    return this.#challenge(request, { error: "invalid_token", error_description: "unknown or expired token" });
  }

  /** The challenge for a caller that is known but lacks scopes. */
  insufficient(request: McpRequest, scopes: readonly string[]): string {
    return this.#challenge(request, { error: "insufficient_scope", scope: scopes.join(" ") });
  }

  #challenge(request: McpRequest, fields: Record<string, string>): string {
    const words: Record<string, string> = { realm: this.#options.realm ?? "mcp", ...fields };
    const needed = this.#options.requiredScopes ?? [];
    if (needed.length > 0) words["scope"] ??= needed.join(" ");
    const url = this.#options.resource ?? request.url;
    if (url !== undefined && this.publishes) words["resource_metadata"] = metadataUrl(url);
    return challengeOf("Bearer", words);
  }
}

/** A guard for a tool that needs scopes: `guard: requires("policies:write")`. */
export function requires(...scopes: string[]): Guard {
  return (ctx: Context) => {
    const has = scopesOf(ctx.principal);
    if (scopes.every((scope) => has.has(scope))) return;
    const { auth } = ctx.request;
    throw new InsufficientScope(scopes, auth instanceof Bearer ? auth.insufficient(ctx.request, scopes) : undefined);
  };
}

/** Find out who calls and note it in the request; or give the refusal. */
export async function authenticate(auth: Auth, request: McpRequest): Promise<Refusal | undefined> {
  let found: unknown;
  if (typeof auth === "function") {
    found = await auth(request);
    if (!accepted(found)) found = new Refusal(401, challengeOf("Bearer", { realm: "mcp" }), "unauthorized", "not authenticated");
  } else {
    found = await auth.authenticate(request);
  }
  if (found instanceof Refusal) return found;
  request.principal = found;
  request.auth = auth;
  return undefined;
}

/** Absolute URL of the metadata document of an endpoint. */
export function metadataUrl(resource: string): string {
  const url = new URL(resource);
  url.pathname = WELL_KNOWN + url.pathname.replace(/\/+$/, "");
  url.hash = "";
  return url.href;
}

/** The metadata document, if a request is for it: its JSON text. Undefined: it is for something else, or there is none. */
export function metadataFor(auth: Auth | undefined, request: McpRequest): string | undefined {
  if (!(auth instanceof Bearer) || !auth.publishes || request.url === undefined) return undefined;
  const url = new URL(request.url);
  if (!url.pathname.startsWith(WELL_KNOWN)) return undefined;
  url.pathname = url.pathname.slice(WELL_KNOWN.length);
  return auth.document(url.href);
}

const accepted = (found: unknown): boolean => found !== undefined && found !== null && found !== false;

function principalOf(found: unknown): unknown {
  if (found === true) return { subject: "", scopes: new Set<string>(), claims: {} };
  if (typeof found === "string") return { subject: found, scopes: new Set<string>(), claims: {} };
  if (isObject(found) && typeof found["sub"] === "string" && !("subject" in found)) {
    return { subject: found["sub"], scopes: scopesOf(found), claims: found };
  }
  return found;
}

function scopesOf(principal: unknown): ReadonlySet<string> {
  if (!isObject(principal)) return new Set();
  const scopes = principal["scopes"] ?? principal["scope"] ?? principal["scp"] ?? [];
  return new Set(typeof scopes === "string" ? scopes.split(" ") : (scopes as Iterable<string>));
}

function challengeOf(scheme: string, fields: Record<string, string>): string {
  const quoted = Object.entries(fields).map(([name, value]) => `${name}="${quote(value)}"`);
  return `${scheme} ${quoted.join(", ")}`;
}

// A quoted-string of RFC 9110; what could end the header line is dropped.
const quote = (text: string): string => text.replace(/[^\x20-\x7e]/g, "").replace(/["\\]/g, "\\$&");

// Texts of one length, so that comparing them tells nothing.
const digest = (key: string): Buffer => createHash("sha256").update(key).digest();
