/** What a tool takes and gives: a schema that validates, and the JSON Schema that clients see of it. */

import { ArgumentError, InvalidResult, RegistrationError } from "./errors.js";
import { dumps, isObject, type JsonObject } from "./json.js";
import { Validator } from "./native.js";
import { repaired, type Repair } from "./repair.js";
import { isStandard, keysOf, pathOf, type StandardIssue, type StandardSchema } from "./standard.js";

/** A schema of zod 4, valibot, arktype or another library of the Standard Schema, or a JSON Schema object. */
export type Schema = StandardSchema | JsonObject;

/** What is validated against, and what clients see. */
export interface Compiled {
  /** The JSON Schema as JSON text; 2020-12 unless its `$schema` says otherwise. */
  readonly json: string;
  /** The same, decoded. */
  readonly schema: JsonObject;
  /** Gives the value as the handler or the client gets it, or what is wrong with it: at most three problems. */
  check(value: unknown, text?: Uint8Array | string): Promise<Checked> | Checked;
}

/** The outcome of a validation. */
export type Checked = { readonly value: unknown } | { readonly problems: readonly Wrong[] };

/** Where something is wrong (`filters.tags[0]`; empty: the whole) and what. */
export interface Wrong {
  readonly path: string;
  /** The path in parts, where a library of schemas gave it. */
  readonly keys?: readonly PropertyKey[];
  readonly text: string;
}

const DIALECT = "https://json-schema.org/draft/2020-12/schema";
const MOST = 3;

/**
 * Compile a schema.
 *
 * @param what Where it stands, for errors: `tool "x": input`.
 * @param given The schema.
 * @param side Which JSON Schema of it clients see: of what it takes, or of what it gives.
 * @param beside JSON Schema for clients, for a library that makes none.
 * @throws RegistrationError It is no schema, has a reference that leads out of it, or has no JSON Schema.
 */
export function compileSchema(what: string, given: unknown, side: "input" | "output", beside?: JsonObject): Compiled {
  if (isStandard(given)) {
    const schema = beside ?? jsonSchemaOf(what, given, side);
    compileNative(what, dumps(schema)); // what clients are shown must be a schema, too
    const check = given["~standard"].validate;
    return {
      schema,
      json: dumps(schema),
      check(value) {
        const result = check(value);
        return result instanceof Promise ? result.then(checked) : checked(result);
      },
    };
  }
  if (!isObject(given)) {
    throw new RegistrationError(`${what}: needs a Standard Schema (zod, valibot, arktype) or a JSON Schema object`);
  }
  if (beside !== undefined) throw new RegistrationError(`${what}: is a JSON Schema already, and there is another beside it`);
  const json = dumps(given);
  const validator = compileNative(what, json);
  return {
    schema: given,
    json,
    check(value, text) {
      const found = validator.check(text ?? dumps(value));
      if (found.length === 0) return { value };
      return {
        problems: found.map((one) => ({
          path: one.path,
          text: `expected ${one.expected}, got ${one.got}`,
        })),
      };
    },
  };
}

/**
 * The arguments of a call as its handler gets them.
 *
 * @param onRepair Told of what came in the wrong JSON type and was taken all the same.
 * @throws ArgumentError They do not fit; it names each wrong field. Where something was waited for it rejects with it.
 */
export function checkArguments(
  compiled: Compiled,
  value: unknown,
  text: Uint8Array | string,
  onRepair: (repair: Repair) => void,
): unknown {
  const found = compiled.check(value, text);
  if (found instanceof Promise) return found.then((one) => ("value" in one ? one.value : mend(compiled, value, one, onRepair)));
  return "value" in found ? found.value : mend(compiled, value, found, onRepair);
}

async function mend(
  compiled: Compiled,
  value: unknown,
  found: Extract<Checked, { problems: unknown }>,
  onRepair: (repair: Repair) => void,
): Promise<unknown> {
  const mended = await repaired(compiled, value, found);
  if (mended !== undefined) {
    mended.repairs.forEach(onRepair);
    return mended.value;
  }
  throw new ArgumentError(found.problems[0]?.path ?? "", inWords("arguments", found.problems));
}

/**
 * What a tool promised in its output schema, as it is sent.
 *
 * @throws InvalidResult It does not fit.
 */
export async function checkResult(compiled: Compiled, tool: string, value: unknown): Promise<unknown> {
  const found = await compiled.check(value);
  if ("value" in found) return found.value;
  throw new InvalidResult(`the result of tool ${JSON.stringify(tool)} does not fit its output schema: ${inWords("result", found.problems)}`);
}

/** Problems as one text. */
export function inWords(root: string, problems: readonly Wrong[]): string {
  return problems.map((one) => `${one.path === "" ? root : one.path}: ${one.text}`).join("; ");
}

function checked(result: { value?: unknown; issues?: readonly StandardIssue[] | undefined }): Checked {
  if (result.issues === undefined) return { value: result.value };
  return { problems: result.issues.slice(0, MOST).map((one) => ({ path: pathOf(one), keys: keysOf(one), text: one.message })) };
}

function compileNative(what: string, json: string): Validator {
  try {
    return new Validator(json);
  } catch (wrong) {
    throw new RegistrationError(`${what}: ${(wrong as Error).message}`, { cause: wrong });
  }
}

function jsonSchemaOf(what: string, given: StandardSchema, side: "input" | "output"): JsonObject {
  const props = given["~standard"];
  let made: JsonObject | undefined;
  try {
    if (props.jsonSchema !== undefined) made = props.jsonSchema[side]({ target: "draft-2020-12" });
    else if (props.vendor === "zod") made = zodSchema(given, side);
  } catch (wrong) {
    throw new RegistrationError(`${what}: ${props.vendor} makes no JSON Schema of it: ${(wrong as Error).message}`, { cause: wrong });
  }
  if (!isObject(made)) {
    const name = `${side}Schema`;
    throw new RegistrationError(
      `${what}: ${props.vendor} makes no JSON Schema by itself; give one beside it (${name}: {...})` +
        (props.vendor === "valibot" ? ", or wrap it with toStandardJsonSchema of @valibot/to-json-schema" : ""),
    );
  }
  // The dialect is the one a schema has without saying so.
  const { $schema, ...rest } = plain(made) as JsonObject;
  return $schema === undefined || $schema === DIALECT ? rest : { $schema, ...rest };
}

// Without the bounds zod gives every integer: they say no more than that it is one, and cost context.
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  const bound = (name: string, one: unknown): boolean =>
    (name === "minimum" && one === Number.MIN_SAFE_INTEGER) || (name === "maximum" && one === Number.MAX_SAFE_INTEGER);
  return Object.fromEntries(Object.entries(value).filter(([name, one]) => !bound(name, one)).map(([name, one]) => [name, plain(one)]));
}

// zod before it had `~standard.jsonSchema`.
function zodSchema(given: StandardSchema, side: "input" | "output"): JsonObject | undefined {
  const options = { target: "draft-2020-12", io: side };
  const method = (given as { toJSONSchema?: unknown }).toJSONSchema;
  if (typeof method === "function") return method.call(given, options) as JsonObject;
  let zod: { toJSONSchema?: (schema: unknown, options: object) => JsonObject };
  try {
    zod = require("zod") as typeof zod;
  } catch {
    return undefined;
  }
  return zod.toJSONSchema?.(given, options);
}
