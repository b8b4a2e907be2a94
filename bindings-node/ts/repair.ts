/**
 * Repair of arguments that models send in the wrong JSON type: where a schema refuses a string that is JSON, what it says is
 * tried in its place (`"5"` for a number, `"[1]"` for a list); where it refuses null, leaving it out is tried. Only what the
 * schema then accepts as a whole is used.
 */

import { isObject } from "./json.js";
import type { Checked, Compiled } from "./schema.js";

/** One argument that was taken differently from how it was sent. */
export interface Repair {
  /** Path of the argument, e.g. `limit` or `filters.tags`. */
  param: string;
  /** The JSON value that came. */
  sent: unknown;
  /** The JSON value that was used; undefined: none. */
  used: unknown;
}

/** Most repairs of one call: bounds the work a peer can cause. */
const ROUNDS = 64;
const STARTS_JSON = /^\s*(?:[[{\-0-9]|true|false|null)/;

/** The accepted value and what was repaired for it; undefined if that is not enough. */
export async function repaired(
  compiled: Compiled,
  value: unknown,
  first: Extract<Checked, { problems: unknown }>,
): Promise<{ value: unknown; repairs: Repair[] } | undefined> {
  const tree: unknown = structuredClone(value);
  const repairs = new Map<string, Repair>();
  let problems = first.problems;
  for (let round = 0; round < ROUNDS; round += 1) {
    const [problem] = problems;
    const { keys = [], path = "" } = problem ?? {};
    const last = keys.at(-1);
    const holder = keys.slice(0, -1).reduce((at: unknown, key) => (isObject(at) || Array.isArray(at) ? (at as never)[key] : undefined), tree);
    if (last === undefined || repairs.has(path) || !(isObject(holder) || Array.isArray(holder))) return undefined;
    const sent: unknown = (holder as Record<PropertyKey, unknown>)[last];
    let used: unknown;
    if (typeof sent === "string" && STARTS_JSON.test(sent)) {
      try {
        used = JSON.parse(sent);
      } catch {
        return undefined;
      }
      (holder as Record<PropertyKey, unknown>)[last] = used;
    } else if (sent === null && isObject(holder)) {
      delete holder[last as string];
    } else {
      return undefined;
    }
    repairs.set(path, { param: path, sent, used });
    const found = await compiled.check(tree);
    if ("value" in found) return { value: found.value, repairs: [...repairs.values()] };
    problems = found.problems;
  }
  return undefined;
}
