/** What known clients refuse or misread about a server's tools, named before their users find out. Nothing that is sent changes. */

import { dumps, isObject, type JsonObject } from "./json.js";
import { DEEP, HUGE, LONG_DESCRIPTION, LONG_NAME, RULES, type Rule, type Severity } from "./lint-rules.js";

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;
/** Formats of strings that every known client passes on. */
const FORMATS = new Set(["date-time", "enum"]);

/** One thing about one tool that some client does not take. As text it is a line for people. */
export class Problem {
  /** `error`: a client refuses it; `warning`: misreads it; `note`: good to know. */
  readonly severity: Severity;
  /** What happens, and what helps. */
  readonly why: string;
  /** Who is known for it, with the public issue that shows it where there is one; empty: no one in particular. */
  readonly clients: readonly string[];

  constructor(
    /** The tool's name. */
    readonly tool: string,
    /** Where in the definition, as a JSON Pointer; empty for the tool as a whole. */
    readonly path: string,
    /** A short name for it that stays the same, e.g. `root-union`. */
    readonly rule: keyof typeof RULES,
  ) {
    const { severity, why, clients = [] }: Rule = RULES[rule];
    this.severity = severity;
    this.why = why;
    this.clients = clients;
  }

  toString(): string {
    const known = this.clients.length > 0 ? ` (${this.clients.join(", ")})` : "";
    return `${this.severity}: ${this.tool}${this.path === "" ? "" : ` ${this.path}`}: ${this.why} [${this.rule}]${known}`;
  }
}

type Hit = [rule: keyof typeof RULES, path: string];

/** Look at definitions of tools as clients will. */
export function lint(tools: readonly JsonObject[]): Problem[] {
  const titles = new Map<string, string>();
  return tools.flatMap((tool) => {
    const name = textOf(tool["name"]);
    const hits = [...ofTool(tool), ...ofSchemas(tool)];
    const title = titleOf(tool);
    if (title !== "" && (titles.get(title) ?? name) !== name) hits.push(["title", "/title"]);
    if (!titles.has(title)) titles.set(title, name);
    const once = new Map(hits.map((hit) => [hit.join(" "), hit]));
    return [...once.values()].map(([rule, path]) => new Problem(name, path, rule));
  });
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

function titleOf(tool: JsonObject): string {
  const { annotations } = tool;
  return (textOf(tool["title"]) || textOf(isObject(annotations) ? annotations["title"] : "")).trim().toLowerCase();
}

// Lengths of texts are in characters, not in UTF-16 units.
function* ofTool(tool: JsonObject): Generator<Hit> {
  const name = textOf(tool["name"]);
  if (!NAME.test(name)) yield ["name", "/name"];
  if (name.includes(".")) yield ["name-dot", "/name"];
  if ([...name].length > LONG_NAME) yield ["name-length", "/name"];
  const description = textOf(tool["description"]).trim();
  if (description === "") yield ["description", ""];
  if ([...description].length > LONG_DESCRIPTION) yield ["description-length", "/description"];
  if (Buffer.byteLength(dumps(tool)) > HUGE) yield ["size", ""];
}

function* ofSchemas(tool: JsonObject): Generator<Hit> {
  for (const side of ["inputSchema", "outputSchema"]) {
    const root = tool[side];
    if (!isObject(root)) continue;
    const label = root["$schema"];
    if (typeof label === "string") yield [label.includes("2020-12") ? "label" : "draft", `/${side}/$schema`];
    if (side === "inputSchema") {
      for (const key of ["allOf", "anyOf", "not", "oneOf"]) if (key in root) yield ["root-union", `/${side}/${key}`];
      if (!isObject(root["properties"])) yield ["properties", `/${side}`];
    } else if (root["type"] !== "object") yield ["output-root", `/${side}`];
    for (const { schema, path, depth } of walk(root, `/${side}`)) {
      // What every generator writes to close or open an object is understood.
      if (typeof schema === "boolean" && !/\/(additional|unevaluated)Properties$/.test(path)) yield ["boolean", path];
      else if (isObject(schema)) yield* ofSchema(schema, path, depth);
    }
  }
}

function* ofSchema(schema: JsonObject, path: string, depth: number): Generator<Hit> {
  const { type, required, format } = schema;
  const types: unknown[] = Array.isArray(type) ? type : [type];
  if (depth === DEEP + 1 && (types.includes("object") || types.includes("array"))) yield ["depth", path];
  if ("$ref" in schema || "$dynamicRef" in schema) yield ["reference", path];
  if (Array.isArray(type)) yield ["type-list", `${path}/type`];
  for (const key of ["anyOf", "oneOf"]) {
    const options = schema[key];
    if (Array.isArray(options) && options.some((one) => dumps(one) === '{"type":"null"}')) yield ["nullable", `${path}/${key}`];
  }
  if (types.includes("array") && !("items" in schema) && !("prefixItems" in schema)) yield ["array-items", path];
  if (Array.isArray(required) && types.includes("object")) {
    const known = isObject(schema["properties"]) ? schema["properties"] : {};
    if (required.some((one) => !Object.hasOwn(known, String(one)))) yield ["required", `${path}/required`];
  }
  if (format === "int64" || format === "uint64" || ["minimum", "maximum", "default"].some((key) => isBeyond(schema[key]))) yield ["int64", path];
  else if (typeof format === "string" && types.includes("string") && !FORMATS.has(format)) yield ["format", `${path}/format`];
}

// Integers beyond 2^53 are rounded by whoever reads JSON numbers as floats, as JavaScript does: what is seen here may be rounded.
function isBeyond(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && Math.abs(value) > 2 ** 53;
}

interface Place {
  schema: unknown;
  path: string;
  /** How many objects and arrays it is inside of. */
  depth: number;
}

const ONE = ["items", "additionalProperties", "unevaluatedProperties", "propertyNames", "contains", "if", "then", "else"];
const SEVERAL = ["anyOf", "oneOf", "allOf", "prefixItems"];
const NAMED = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

// Every schema inside a schema.
function* walk(root: unknown, at: string): Generator<Place> {
  const left: Place[] = [{ schema: root, path: at, depth: 1 }];
  for (let place = left.pop(); place !== undefined; place = left.pop()) {
    yield place;
    const { schema, path, depth } = place;
    if (!isObject(schema)) continue;
    const inner: Place[] = [];
    for (const key of NAMED) {
      const named = schema[key];
      const own = key === "$defs" || key === "definitions" ? depth : depth + 1;
      for (const [name, one] of isObject(named) ? Object.entries(named) : []) {
        inner.push({ schema: one, path: `${path}/${key}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, depth: own });
      }
    }
    for (const key of SEVERAL) {
      const several = schema[key];
      const own = key === "prefixItems" ? depth + 1 : depth;
      if (Array.isArray(several)) several.forEach((one, index) => inner.push({ schema: one, path: `${path}/${key}/${index}`, depth: own }));
    }
    for (const key of ONE) if (key in schema) inner.push({ schema: schema[key], path: `${path}/${key}`, depth: depth + 1 });
    left.push(...inner.reverse());
  }
}
