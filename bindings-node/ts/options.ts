/** What servers and registrations may say: types only. */

import type { NeedInput } from "./ask.js";
import type { Auth } from "./auth.js";
import type { Content, Contents, Icon, Message, ToolAnnotations, ToolResult } from "./content.js";
import type { Context } from "./context.js";
import type { EventStore } from "./events.js";
import type { Fanout } from "./fanout.js";
import type { JsonObject } from "./json.js";
import type { Guard, PromptArgument, TaskMode } from "./registry.js";
import type { SessionsOption } from "./sessions.js";
import type { Input, Output } from "./standard.js";
import type { Tasks } from "./tasks.js";

/** Who the server is (`Implementation` of the protocol). */
export interface ServerInfo {
  /** Identifies the server to clients and in logs. */
  name: string;
  /** The server's own version, not the protocol's. */
  version: string;
  /** Name for people. */
  title?: string;
  /** What the server is, for people. */
  description?: string;
  /** Where people read more. */
  websiteUrl?: string;
  icons?: Icon[];
}

/** Capabilities, as people declare them who register handlers by method. Typed registration declares by itself. */
export interface Capabilities {
  tools?: { listChanged?: boolean };
  resources?: { listChanged?: boolean; subscribe?: boolean };
  prompts?: { listChanged?: boolean };
  completions?: object;
  logging?: object;
  extensions?: JsonObject;
  experimental?: JsonObject;
}

/** Options of a server. Times in milliseconds. */
export interface ServerOptions {
  /** What a model should know before it uses the tools. */
  instructions?: string;
  /** Who may call over HTTP; mounts may override it. */
  auth?: Auth;
  /** Do not show the text of unexpected errors to clients (they are always reported). */
  hideErrors?: boolean;
  /** Told of every unexpected error; default: written to standard error. */
  onError?: (error: unknown, ctx?: Context) => void;
  /** What is declared to clients, for handlers by method; see `setRequestHandler`. */
  capabilities?: Capabilities;
  /** Offer log messages (`Context.log`) to clients. Default: true. */
  logging?: boolean;
  /** Most items per page of a list; unset means one page. */
  pageItems?: number;
  /** How long clients may keep a list. */
  ttlMs?: number;
  /** Whether shared caches may keep lists. */
  cacheScope?: "private" | "public";
  /** Host names the endpoint answers to; unset means decide by what is known. */
  allowedHosts?: readonly string[];
  /** Origins of web pages that may call the endpoint. */
  allowedOrigins?: readonly string[];
  /** Protocol revisions to serve; default: all. */
  revisions?: readonly string[];
  /** Overrides of the limits in `LIMITS` of `mcpgraft/native`. */
  limits?: Record<string, number>;
  /**
   * What seals the state of questions to stateless clients, newest first, each at least 16 bytes; the same in all processes.
   * Default: a random one, so that a retry must reach the process that asked.
   */
  secrets?: readonly (string | Uint8Array)[];
  /** How long an answer is waited for, where waiting is how a client is asked. Default: 10 minutes. */
  askTimeoutMs?: number;
  /** How long a stateless client has for its retry. Default: 10 minutes. */
  stateTtlMs?: number;
  /**
   * False if a state with this nonce came back before; for handlers that must not run twice for one answer. Keep nonces for
   * `stateTtlMs`, where all processes see them.
   */
  onStateUse?: (nonce: string) => boolean | Promise<boolean>;
  /** For clients of the handshake era over HTTP; they need one to be asked and to take requests back. Default: `off`. */
  sessions?: SessionsOption;
  /**
   * Keeps what was said on the streams of calls in sessions, so that clients can come back for it: `new MemoryEvents()`, or a
   * store of your own. Default: nothing is kept.
   */
  events?: EventStore;
  /** How many HTTP responses this process keeps open for clients that listen for changes. Default: 1,000. 0: none. */
  listenStreams?: number;
  /** Silence on an open stream after which a comment is sent. Default: 15 seconds. */
  keepAliveMs?: number;
  /** A way to the other processes of this server, for changes, answers and cancellations. */
  fanout?: Fanout;
  /** How tools run as tasks, and where tasks are kept; made with its defaults when a tool needs it. */
  tasks?: Tasks;
}

/** What all registrations may say. */
export interface Described {
  title?: string;
  description?: string;
  icons?: Icon[];
  /** The definition's `_meta`. */
  meta?: JsonObject;
  /** Runs before the arguments are looked at; false or an error refuses the call. */
  guard?: Guard | readonly Guard[];
}

/** A tool's options. `S` and `O` are the schemas of what it takes and gives. */
export interface ToolOptions<S, O> extends Described {
  /** What it takes: a Standard Schema (zod, valibot, arktype) or a JSON Schema object. Left out: no arguments. */
  input?: S;
  /** JSON Schema of `input` for clients, where its library makes none. */
  inputSchema?: JsonObject;
  /** What it gives, as structured content. */
  output?: O;
  /** JSON Schema of `output` for clients, where its library makes none. */
  outputSchema?: JsonObject;
  annotations?: ToolAnnotations;
  /** Check arguments and results. False: somebody else does, such as the server behind a proxy. Default: true. */
  validate?: boolean;
  /** Whether a call may become a task. Default: `never`. */
  task?: TaskMode;
}

/** What a handler may return: its value, or a promise of it. */
export type Later<T> = T | Promise<T>;

/** What a tool may return: by its output schema, or anything. */
export type ToolValue<O> = O extends undefined ? unknown : Input<O> | ToolResult | NeedInput;

/** What a tool's handler gets. */
export type Arguments<S> = S extends undefined ? Record<string, never> : Output<S>;

/** A tool's function. */
export type ToolHandler<S, O> = (args: Arguments<S>, ctx: Context) => Later<ToolValue<O>>;

/** A resource's options; `S` is a schema of the template's variables. */
export interface ResourceOptions<S> extends Described {
  /** Default: the URI. */
  name?: string;
  mimeType?: string;
  annotations?: JsonObject;
  /** Bytes; for plain URIs only. */
  size?: number;
  /** Checks and converts the variables of a template; they are strings without it. */
  input?: S;
}

/** The variables of a URI template (`{name}` expressions), by name. */
export type Variables<U extends string> = string extends U
  ? Record<string, string>
  : U extends `${string}{${infer V}}${infer Rest}`
    ? { [K in V]: string } & Variables<Rest>
    : unknown;

/** What a resource may return: text, bytes, contents, blocks, or a JSON value. */
export type ResourceValue = string | Uint8Array | Contents | Contents[] | Content | NeedInput | object | number | boolean | null | undefined;

/** A prompt's options. */
export interface PromptOptions<S> extends Described {
  /** What it takes: an object of strings. Its JSON Schema gives the arguments that clients see. */
  input?: S;
  /** JSON Schema of `input`, where its library makes none. */
  inputSchema?: JsonObject;
  /** The arguments, instead of a schema. */
  arguments?: readonly PromptArgument[];
}

/** What a prompt may return: a text (one message of the user), messages or blocks, or the whole result. */
export type PromptValue = string | Message | Content | (string | Message | Content)[] | { messages: unknown[]; description?: string } | NeedInput;
