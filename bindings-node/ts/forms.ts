/**
 * Forms of an elicitation: a flat JSON Schema for the client, and a look at what came back. The protocol allows an object
 * of strings, numbers, booleans and choices (client/elicitation, "Requested Schema").
 */

import { isObject, type JsonObject } from "./json.js";
import { compileSchema, inWords, type Compiled, type Schema } from "./schema.js";
import { isStandard } from "./standard.js";

interface Form {
  /** What the client is shown. */
  readonly wire: JsonObject;
  /** What is wrong with an answer, or the answer as the handler gets it. */
  read(content: JsonObject): { value: unknown } | { wrong: string };
}

const known = new WeakMap<object, Form>();

/**
 * The form of a schema; kept, because handlers ask many times.
 *
 * @throws TypeError It is no object of simple fields, or it validates asynchronously when it is used.
 */
export function formOf(schema: Schema): Form {
  let form = known.get(schema);
  if (form === undefined) known.set(schema, (form = isStandard(schema) ? typed(schema) : plain(schema)));
  return form;
}

function typed(schema: Schema): Form {
  const compiled: Compiled = compileSchema("a form", schema, "input");
  const properties = compiled.schema["properties"];
  if (compiled.schema["type"] !== "object" || !isObject(properties)) throw new TypeError("a form is an object with fields");
  const fields = Object.entries(properties).map(([name, one]) => [name, field(one as JsonObject)]);
  const required = compiled.schema["required"];
  return {
    wire: { type: "object", properties: Object.fromEntries(fields), ...(Array.isArray(required) ? { required } : {}) },
    read(content) {
      const found = compiled.check(content);
      if (found instanceof Promise) throw new TypeError("the schema of a form must not validate asynchronously");
      return "value" in found ? found : { wrong: inWords("form", found.problems) };
    },
  };
}

// A single choice is said with `enum`; some generators say `const`. What generators add beyond the protocol's words is
// left to the check of the answer.
function field(given: JsonObject): JsonObject {
  const { const: only, pattern: _pattern, ...out } = given;
  if (only !== undefined) out["enum"] = [only];
  return out;
}

function plain(schema: JsonObject): Form {
  return {
    wire: schema,
    read(content) {
      const wrong = misfit(schema, content);
      return wrong === undefined ? { value: content } : { wrong };
    },
  };
}

/** What is wrong with the content of a form; undefined: nothing. */
export function misfit(schema: JsonObject, content: JsonObject): string | undefined {
  const properties = isObject(schema["properties"]) ? schema["properties"] : {};
  for (const name of Array.isArray(schema["required"]) ? (schema["required"] as string[]) : []) {
    if (!(name in content)) return `${name} is missing`;
  }
  for (const [name, value] of Object.entries(content)) {
    const one = properties[name];
    const wrong = isObject(one) ? wrongWith(one, value) : undefined;
    if (wrong !== undefined) return `${name} ${wrong}`;
  }
  return undefined;
}

const KINDS: Record<string, (value: unknown) => boolean> = {
  string: (value) => typeof value === "string",
  boolean: (value) => typeof value === "boolean",
  integer: (value) => Number.isInteger(value),
  number: (value) => typeof value === "number",
};

function wrongWith(one: JsonObject, value: unknown): string | undefined {
  const kind = one["type"];
  if (kind === "array") {
    if (!Array.isArray(value)) return "is not a list";
    if (value.length < number(one, "minItems", 0) || value.length > number(one, "maxItems", Infinity)) {
      return "has too few or too many choices";
    }
    const items = isObject(one["items"]) ? one["items"] : {};
    return value.every((chosen) => isChoice(items, chosen)) ? undefined : "has something that is no choice";
  }
  if (typeof kind === "string" && KINDS[kind]?.(value) === false) return `is not a ${kind}`;
  if (!isChoice(one, value)) return "is none of the choices";
  if (typeof value === "string") return wrongText(one, value);
  if (typeof value === "number" && (value < number(one, "minimum", -Infinity) || value > number(one, "maximum", Infinity))) {
    return "is out of range";
  }
  return undefined;
}

const number = (one: JsonObject, name: string, otherwise: number): number =>
  typeof one[name] === "number" ? one[name] : otherwise;

function isChoice(one: JsonObject, value: unknown): boolean {
  const titled = one["oneOf"] ?? one["anyOf"];
  const choices = one["enum"] ?? (Array.isArray(titled) ? titled.map((each: JsonObject) => each["const"]) : undefined);
  return !Array.isArray(choices) || choices.includes(value);
}

const FORMATS: Record<string, [RegExp, string]> = {
  email: [/^[^@\s]+@[^@\s]+$/, "is not an e-mail address"],
  uri: [/^[A-Za-z][A-Za-z0-9+.-]*:/, "is not a URI"],
  date: [/^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])$/, "is not a date"],
  "date-time": [/^\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2})?$/i, "is not a date and time"],
};

function wrongText(one: JsonObject, value: string): string | undefined {
  const length = [...value].length;
  if (length < number(one, "minLength", 0) || length > number(one, "maxLength", Infinity)) return "is too short or too long";
  const format = FORMATS[String(one["format"])];
  return format !== undefined && !format[0].test(value) ? format[1] : undefined;
}
