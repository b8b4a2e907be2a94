/**
 * What handlers return, as result objects of revision 2026-07-28 in JSON text. The core translates for older peers.
 * Structured content is any JSON value here, unwrapped.
 */

import { base64, Contents, isBlock, isContent, sniff, ToolResult, type Completion, type Content } from "./content.js";
import { NotFound } from "./errors.js";
import { dumps, isObject, present, type JsonObject } from "./json.js";

const MAX_COMPLETIONS = 100; // the protocol's limit

/**
 * The result of a tool.
 *
 * @param value string: a text block. undefined or null: nothing. Blocks, bytes, `Contents`, or an array in which there is
 *   one: content. `ToolResult`, or an object with `content` as the protocol has it: as it says. Anything else: its JSON as
 *   text and as structured content.
 * @param promised The tool has an output schema: everything but a `ToolResult` is structured content.
 * @throws TypeError The value has no JSON form.
 */
export function toolResult(value: unknown, promised = false): string {
  if (value instanceof ToolResult) return ready(value);
  if (!promised) {
    if (typeof value === "string") return `{"content":[{"type":"text","text":${dumps(value)}}]}`;
    if (value === undefined || value === null) return '{"content":[]}';
    if (isContent(value) || (Array.isArray(value) && value.some(isContent))) return `{"content":${dumps(blocks(value))}}`;
    if (isWhole(value)) return dumps(value);
  }
  const json = dumps(value ?? null);
  return `{"content":[{"type":"text","text":${quoted(json)}}],"structuredContent":${json}}`;
}

/**
 * A tool result with `isError`.
 *
 * @param reason The text, or content as for `toolResult`. Never becomes structured content: clients would check it
 *   against the schema of good results.
 */
export function errorResult(reason: unknown): string {
  return `{"content":${dumps(blocks(reason === undefined || reason === "" ? "the tool failed" : reason))},"isError":true}`;
}

/** What a tool result promises: its structured content, if it is no error and has some. */
export function structuredOf(result: ToolResult | JsonObject): { isError: boolean; has: boolean; value: unknown } {
  const [isError, value] =
    result instanceof ToolResult
      ? [result.parts.isError === true, result.parts.structured]
      : [result["isError"] === true, result["structuredContent"]];
  return { isError, has: value !== undefined, value };
}

/** Whether a value is a whole tool result as the protocol has it: `{content: [blocks], ...}`. */
export function isWhole(value: unknown): value is JsonObject & { content: Content[] } {
  return isObject(value) && Array.isArray(value["content"]) && value["content"].every(isBlock);
}

function ready(result: ToolResult): string {
  const { content, structured, isError, meta } = result.parts;
  const json = structured === undefined ? undefined : dumps(structured);
  const said = content !== undefined ? blocks(content) : json === undefined ? [] : [{ type: "text", text: unquoted(json) }];
  const parts = [`"content":${dumps(said)}`];
  if (json !== undefined) parts.push(`"structuredContent":${json}`);
  if (isError === true) parts.push('"isError":true');
  if (meta !== undefined) parts.push(`"_meta":${dumps(meta)}`);
  return `{${parts.join(",")}}`;
}

// JSON that is a string already reads best as that string.
const quoted = (json: string): string => (json.startsWith('"') ? json : dumps(json));
const unquoted = (json: string): string => (json.startsWith('"') ? (JSON.parse(json) as string) : json);

/** Blocks of what a handler gives as content. */
export function blocks(value: unknown): unknown[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(block);
}

function block(value: unknown): unknown {
  if (typeof value === "string") return { type: "text", text: value };
  if (isBlock(value)) return value;
  if (value instanceof Contents) return { type: "resource", resource: value.wire(undefined) };
  if (value instanceof Uint8Array) {
    const mimeType = sniff(value);
    if (mimeType !== undefined) return { type: mimeType.startsWith("image/") ? "image" : "audio", data: base64(value), mimeType };
    // An embedded resource must have some URI; this one says only that it can be read nowhere else.
    const blob = base64(value);
    return { type: "resource", resource: { uri: "mcp-content://result", mimeType: "application/octet-stream", blob } };
  }
  return { type: "text", text: unquoted(dumps(value)) };
}

/**
 * The result of a prompt.
 *
 * @param value A text or block (one message of the user), a message (`role` and `content`), or an array of these. An object
 *   with `messages` is the whole result.
 * @param description Sent with it if given.
 * @throws TypeError It is none of these.
 */
export function promptResult(value: unknown, description?: string): string {
  let more: JsonObject = {};
  let several = value;
  if (isObject(value) && Array.isArray(value["messages"])) {
    const { messages, ...rest } = value;
    [several, more] = [messages, rest];
  }
  const messages = (Array.isArray(several) ? several : [several]).flatMap(messagesOf);
  return dumps({ ...present({ description }), ...more, messages });
}

function messagesOf(value: unknown): JsonObject[] {
  let role: unknown = "user";
  let content = value;
  if (isObject(value) && "role" in value && "content" in value) [role, content] = [value["role"], value["content"]];
  else if (typeof value !== "string" && !isContent(value)) {
    throw new TypeError(`a prompt returns text, messages or content blocks, not ${kindOf(value)}`);
  }
  if (role !== "user" && role !== "assistant") {
    throw new TypeError(`a message's role is "user" or "assistant", not ${JSON.stringify(role)}`);
  }
  // A message holds one block in every revision: several become several messages.
  return blocks(content).map((one) => ({ role, content: one }));
}

/**
 * The messages of a sampling request: what a prompt may return; the content of a message may moreover be an array, which
 * stays together.
 */
export function samplingMessages(value: unknown): JsonObject[] {
  return (Array.isArray(value) ? value : [value]).flatMap((one: unknown) =>
    isObject(one) && "role" in one && Array.isArray(one["content"])
      ? [{ ...one, content: one["content"].map(sampled) }]
      : messagesOf(one),
  );
}

// Tools bring blocks of their own into sampling (tool_use, tool_result): what has a type is left alone.
const sampled = (value: unknown): unknown => (isObject(value) && typeof value["type"] === "string" ? value : block(value));

/**
 * The result of reading a resource.
 *
 * @param value A text, bytes, `Contents`, a block, an array of `Contents`, an object with `contents` as the protocol has
 *   it, or any other value (its JSON).
 * @param uri The URI that was asked for.
 * @param mimeType The one the resource was registered with; guessed from the value if left out.
 * @throws NotFound The value is undefined or null: there is nothing at this URI.
 */
export function resourceResult(value: unknown, uri: string, mimeType?: string): string {
  if (value === undefined || value === null) throw new NotFound(uri);
  if (isObject(value) && Array.isArray(value["contents"])) return dumps(value);
  const several = Array.isArray(value) && value.some((one) => one instanceof Contents) ? (value as unknown[]) : [value];
  return dumps({ contents: several.map((one) => contentsOf(one, uri, mimeType)) });
}

function contentsOf(value: unknown, uri: string, mimeType?: string): unknown {
  if (value instanceof Contents) return value.wire(uri, mimeType);
  if (isBlock(value)) {
    if (value.type === "resource") return value.resource;
    if (value.type === "image" || value.type === "audio") return { uri, mimeType: value.mimeType, blob: value.data };
    if (value.type === "text") return { uri, mimeType: mimeType ?? "text/plain", text: value.text };
  }
  if (typeof value === "string") return { uri, mimeType: mimeType ?? "text/plain", text: value };
  if (value instanceof Uint8Array) {
    return { uri, mimeType: mimeType ?? sniff(value) ?? "application/octet-stream", blob: base64(value) };
  }
  return { uri, mimeType: mimeType ?? "application/json", text: dumps(value) };
}

/**
 * The result of a completion.
 *
 * @param value Strings, a `Completion`, or nothing. Of more than 100 the first 100 are sent, and that there are more.
 * @throws TypeError It is none of these.
 */
export function completionResult(value: unknown): string {
  let total: number | undefined;
  let hasMore: boolean | undefined;
  let values: unknown = value ?? [];
  if (isObject(values) && "values" in values) {
    const given = values as unknown as Completion;
    [total, hasMore, values] = [given.total, given.hasMore, given.values];
  }
  if (!Array.isArray(values)) throw new TypeError(`a completion returns an array of strings, not ${kindOf(values)}`);
  if (values.length > MAX_COMPLETIONS) {
    total ??= values.length;
    hasMore = true;
  }
  return dumps({ completion: { values: values.slice(0, MAX_COMPLETIONS).map(String), ...present({ total, hasMore }) } });
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === "object" ? (value.constructor?.name ?? "object") : typeof value;
}
