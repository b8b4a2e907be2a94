/** Content a handler may return: blocks, resources, messages. Field names are the protocol's. */

import { readFileSync } from "node:fs";
import { asBuffer, isObject, present, type JsonObject } from "./json.js";

/** Who says something. */
export type Role = "user" | "assistant";

/** Hints for whoever shows the content. */
export interface Annotations {
  audience?: Role[];
  /** From 0 (optional) to 1 (required). */
  priority?: number;
  /** ISO 8601. Revisions before 2025-06-18 do not get it. */
  lastModified?: string;
}

/** A picture for a server, tool, resource or prompt. */
export interface Icon {
  /** An `https:` or `data:` URL; clients refuse others. */
  src: string;
  mimeType?: string;
  /** E.g. `48x48`, or `any`. */
  sizes?: string[];
  theme?: "light" | "dark";
}

/** Hints about a tool. Clients do not rely on them. */
export interface ToolAnnotations {
  title?: string;
  /** It changes nothing. Taken as false when absent. */
  readOnlyHint?: boolean;
  /** It may destroy something; means something only if not read-only. Taken as true when absent. */
  destructiveHint?: boolean;
  /** Calling it again with the same arguments changes nothing more. Taken as false when absent. */
  idempotentHint?: boolean;
  /** It deals with things outside of this server. Taken as true when absent. */
  openWorldHint?: boolean;
}

interface Block {
  annotations?: Annotations;
  _meta?: JsonObject;
}

/** A text block. */
export interface TextContent extends Block {
  type: "text";
  text: string;
}

/** An image block; `data` is base64. */
export interface ImageContent extends Block {
  type: "image";
  data: string;
  mimeType: string;
}

/** An audio block; `data` is base64. */
export interface AudioContent extends Block {
  type: "audio";
  data: string;
  mimeType: string;
}

/** What a resource holds: `text`, or `blob` in base64. */
export interface ResourceContents {
  uri: string;
  mimeType?: string;
  text?: string;
  blob?: string;
  _meta?: JsonObject;
}

/** A block that holds a whole resource. */
export interface EmbeddedResource extends Block {
  type: "resource";
  resource: ResourceContents;
}

/** A block that points to a resource, which clients may read. */
export interface ResourceLink extends Block {
  type: "resource_link";
  uri: string;
  name: string;
  title?: string;
  description?: string;
  mimeType?: string;
  /** Bytes, before base64. */
  size?: number;
  icons?: Icon[];
}

/** Any block. */
export type Content = TextContent | ImageContent | AudioContent | EmbeddedResource | ResourceLink;

/** One message of a prompt or of a sampling request. */
export interface Message {
  role: Role;
  /** A string is a text block; several blocks become several messages of a prompt, and stay together for sampling. */
  content: string | Uint8Array | Content | (string | Uint8Array | Content)[];
}

/** Suggestions for an argument's value. */
export interface Completion {
  /** At most 100 are sent. */
  values: string[];
  total?: number;
  hasMore?: boolean;
}

/** Hints and `_meta` of a block. */
export interface BlockOptions {
  annotations?: Annotations;
  meta?: JsonObject;
}

const head = (options: BlockOptions): Block => present({ annotations: options.annotations, _meta: options.meta });

/** A text block. */
export function text(words: string, options: BlockOptions = {}): TextContent {
  return { type: "text", text: words, ...head(options) };
}

/**
 * An image block.
 *
 * @param data The bytes; a string is taken as base64 that is ready.
 * @param mimeType Read from the data unless given.
 * @throws TypeError No type is given and the data is of no kind that is recognised.
 */
export function image(data: Uint8Array | string, mimeType?: string, options: BlockOptions = {}): ImageContent {
  return { type: "image", data: base64(data), mimeType: mimeType ?? mimeOf(data, "image"), ...head(options) };
}

/** An audio block; as `image`. */
export function audio(data: Uint8Array | string, mimeType?: string, options: BlockOptions = {}): AudioContent {
  return { type: "audio", data: base64(data), mimeType: mimeType ?? mimeOf(data, "audio"), ...head(options) };
}

/** An image or audio block of a file, read now; its type is read from the data. */
export function file(path: string, options: BlockOptions = {}): ImageContent | AudioContent {
  const data = readFileSync(path);
  const mime = sniff(data) ?? "";
  if (mime === "") throw new TypeError(`${path} is no image and no audio of a kind that is recognised`);
  return mime.startsWith("image/") ? image(data, mime, options) : audio(data, mime, options);
}

/** What a resource holds, for `resource` and for handlers of resources. `text` or `blob`, one of them. */
export interface ContentsGiven {
  /** Default, when a resource is read: the URI that was asked for. */
  uri?: string;
  mimeType?: string;
  text?: string;
  /** The bytes; a string is taken as base64 that is ready. */
  blob?: Uint8Array | string;
  meta?: JsonObject;
}

/** What a resource holds, as a handler of resources returns it. */
export function contents(given: ContentsGiven): Contents {
  return new Contents(given);
}

/** Made by `contents`. */
export class Contents {
  constructor(readonly given: ContentsGiven) {
    if ((given.text === undefined) === (given.blob === undefined)) {
      throw new TypeError("the contents of a resource are text or blob, one of them");
    }
  }

  /** As the protocol has it, for the resource of that URI. */
  wire(uri: string | undefined, mimeType?: string): ResourceContents {
    const { given } = this;
    const where = given.uri ?? uri;
    if (where === undefined) throw new TypeError("an embedded resource needs a uri");
    const mime = given.mimeType ?? mimeType ?? (given.blob === undefined ? "text/plain" : "application/octet-stream");
    const held = given.blob === undefined ? { text: given.text ?? "" } : { blob: base64(given.blob) };
    return { uri: where, mimeType: mime, ...held, ...present({ _meta: given.meta }) };
  }
}

/** A block that holds a whole resource. */
export function resource(given: ContentsGiven & { uri: string }, options: BlockOptions = {}): EmbeddedResource {
  return { type: "resource", resource: contents(given).wire(given.uri), ...head(options) };
}

/** A block that points to a resource. */
export function link(fields: Omit<ResourceLink, "type" | "_meta"> & { meta?: JsonObject }): ResourceLink {
  const { meta, ...rest } = fields;
  return { type: "resource_link", ...rest, ...present({ _meta: meta }) };
}

/** A message in the user's name. */
export function user(content: Message["content"]): Message {
  return { role: "user", content };
}

/** A message in the model's name. */
export function assistant(content: Message["content"]): Message {
  return { role: "assistant", content };
}

/** A whole tool result, for handlers that want to say every part of it. */
export class ToolResult {
  constructor(
    readonly parts: {
      /** A text, bytes, a block, or an array of these. Left out: the JSON of `structured`. */
      content?: unknown;
      /** Any JSON value. */
      structured?: unknown;
      isError?: boolean;
      meta?: JsonObject;
    },
  ) {}
}

const TYPES = new Set(["text", "image", "audio", "resource", "resource_link"]);

/** Whether a value is a block as the protocol has it. */
export function isBlock(value: unknown): value is Content {
  return isObject(value) && typeof value["type"] === "string" && TYPES.has(value["type"]);
}

/** Whether a value is sent as content, never as structured data. */
export function isContent(value: unknown): boolean {
  return isBlock(value) || value instanceof Contents || value instanceof Uint8Array;
}

const MAGIC: [Buffer, string][] = [
  [Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), "image/png"],
  [Buffer.from("\xff\xd8\xff", "latin1"), "image/jpeg"],
  [Buffer.from("GIF87a", "latin1"), "image/gif"],
  [Buffer.from("GIF89a", "latin1"), "image/gif"],
  [Buffer.from("BM", "latin1"), "image/bmp"],
  [Buffer.from("ID3", "latin1"), "audio/mpeg"],
  [Buffer.from("\xff\xfb", "latin1"), "audio/mpeg"],
  [Buffer.from("fLaC", "latin1"), "audio/flac"],
  [Buffer.from("OggS", "latin1"), "audio/ogg"],
];

/** MIME type of an image or of audio, by its first bytes; undefined if it is neither. */
export function sniff(data: Uint8Array): string | undefined {
  const start = asBuffer(data).subarray(0, 16);
  if (start.toString("latin1", 0, 4) === "RIFF") {
    return { WEBP: "image/webp", WAVE: "audio/wav" }[start.toString("latin1", 8, 12)];
  }
  return MAGIC.find(([magic]) => start.subarray(0, magic.length).equals(magic))?.[1];
}

/** Bytes in base64; a string is ready. */
export function base64(data: Uint8Array | string): string {
  return typeof data === "string" ? data : asBuffer(data).toString("base64");
}

function mimeOf(data: Uint8Array | string, kind: string): string {
  const mime = typeof data === "string" ? undefined : sniff(data);
  if (mime === undefined) throw new TypeError(`mimeType is needed: the data is no ${kind} of a kind that is recognised`);
  return mime;
}
