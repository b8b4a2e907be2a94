/**
 * Schemas of other libraries, by the Standard Schema specification (https://standardschema.dev), whose types it asks
 * everyone to copy. zod 4, valibot and arktype implement it.
 */

import type { FromJsonSchema } from "./infer.js";

/** A schema that validates, version 1. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": StandardProps<Input, Output>;
}

/** What such a schema has under `~standard`. */
export interface StandardProps<Input = unknown, Output = Input> {
  readonly version: 1;
  /** Name of the library. */
  readonly vendor: string;
  readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
  readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  /** Converters to JSON Schema, where the library has them (Standard JSON Schema). */
  readonly jsonSchema?: StandardConverter | undefined;
}

/** Gives the JSON Schema of what a schema takes and of what it gives. */
export interface StandardConverter {
  readonly input: (options: { readonly target: string }) => Record<string, unknown>;
  readonly output: (options: { readonly target: string }) => Record<string, unknown>;
}

/** The value, or what is wrong with it. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] };

/** One thing that is wrong. */
export interface StandardIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** What a schema's validation gives; for JSON Schema, what it describes. */
export type Output<S> = S extends StandardSchema<infer _Input, infer Given> ? Given : FromJsonSchema<S>;

/** What a schema takes; for plain JSON Schema, anything. */
export type Input<S> = S extends StandardSchema<infer Taken, infer _Output> ? Taken : unknown;

/** Whether a value is such a schema. Some libraries make theirs functions. */
export function isStandard(value: unknown): value is StandardSchema {
  const holder = (typeof value === "object" && value !== null) || typeof value === "function";
  const props = holder ? (value as { "~standard"?: { validate?: unknown } })["~standard"] : undefined;
  return typeof props?.validate === "function";
}

/** The parts of the path of an issue. */
export function keysOf(issue: StandardIssue): PropertyKey[] {
  return (issue.path ?? []).map((part) => (typeof part === "object" ? part.key : part));
}

/** `filters.tags[0]` */
export function pathOf(issue: StandardIssue): string {
  let text = "";
  for (const key of keysOf(issue)) {
    if (typeof key === "number") text += `[${key}]`;
    else text += text === "" ? String(key) : `.${String(key)}`;
  }
  return text;
}
