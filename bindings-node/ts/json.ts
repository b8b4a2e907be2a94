/** JSON as this package writes and reads it. */

/** Any JSON value. */
export type Json = null | boolean | number | string | Json[] | { [name: string]: Json | undefined };

/** A JSON object whose members are not known in advance. */
export type JsonObject = Record<string, unknown>;

/**
 * The JSON text of a value.
 *
 * @throws TypeError It has none: undefined, a function, a bigint, or something that holds itself.
 */
export function dumps(value: unknown): string {
  const text = JSON.stringify(value) as string | undefined;
  if (text === undefined) throw new TypeError(`a value of type ${typeof value} has no JSON form`);
  return text;
}

/** The value of JSON text or UTF-8 bytes that are known to hold JSON. */
export function loads(text: Uint8Array | string): unknown {
  return JSON.parse(typeof text === "string" ? text : asBuffer(text).toString("utf8"));
}

/** The object in JSON bytes; an empty one if there are none, or if they hold anything else. */
export function loadsObject(text: Uint8Array | string | null | undefined): JsonObject {
  const value = text ? loads(text) : undefined;
  return isObject(value) ? value : {};
}

/** Whether a value is a JSON object: no array, no null. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A text without lone surrogates, which UTF-8 has no bytes for. */
export function clean(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

/** Whether a text has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

/** The same bytes as a Buffer, without a copy. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** An object without its undefined and null members. */
export function present<T extends object>(fields: T): Partial<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null)) as Partial<T>;
}
