// What the addon tells of plain schemas without the whole validator is what the whole validator says: `allOf` is beyond the
// plain part, and changes nothing else.
import assert from "node:assert/strict";
import { test } from "node:test";
import { require } from "./common.mjs";

const { Validator } = require("../../native");

const object = (properties, more = {}) => ({ type: "object", properties, ...more });
const SCHEMAS = [
  {},
  ...["string", "number", "integer", "boolean", "object", "array", "null"].map((type) => ({ type })),
  { type: ["string", "null"] },
  { type: ["integer", "string"], minimum: 0 },
  { type: "integer", minimum: -3, maximum: 12 },
  { type: "number", minimum: 1 },
  { minimum: 2, minLength: 2 },
  { type: "string", minLength: 1, maxLength: 3, format: "date" },
  { type: "string", enum: ["a", "é", "abc"] },
  { enum: ["a"] },
  { type: "array", items: { type: "integer" }, minItems: 1, maxItems: 2 },
  { type: "array" },
  object({ a: { type: "integer" }, b: { type: "number", default: 1 } }, { required: ["a"] }),
  object({ a: { type: "string" }, é: {} }, { required: ["a", "é"], additionalProperties: false }),
  object({ inner: object({ a: { type: "array", items: { enum: ["x", "y"] } } }, { additionalProperties: false }) }),
  { properties: { a: { type: "null" } }, title: "t", description: "d", additionalProperties: true },
];
const TEXTS = [
  '""', '"a"', '"abc"', '"abcd"', '"é"', '"\\u00e9"', '"\\ud800"', '"\\n"', '"😀😀😀"', "0", "-0", "1", "1.0", "1.5", "-3", "-4", "12", "13", "1e2", "1E400",
  "1e-400", "123456789012345678901234567890", "-123456789012345678", "true", "false", "null", "[]", "[1]", "[1,2]", "[1,2,3]", "[1.0]", '["1"]', "[1e999]",
  "{}", '{"a":1}', '{"a":1.0}', '{"a":"x"}', '{"a":null}', '{"a":1,"b":"2"}', '{"a":1,"b":2.5}', '{"a":"x","é":[1e999]}', '{"a":"x","\\u00e9":1}',
  '{"a":"x","é":1}', '{"a":"x","é":1,"c":2}', '{"a":1,"a":"x"}', '{"a":"x","a":1}', '{"c":{"d":[[]]}}', '{"inner":{"a":["x","y"]}}', '{"inner":{"a":["z"]}}',
  '{"inner":{"b":1}}', '{"inner":1}', "", "nul", "{", '{"a":1}x', `${"[".repeat(40)}${"]".repeat(40)}`, `${"[".repeat(200)}${"]".repeat(200)}`,
];

test("both say the same of every value", () => {
  let fit = 0;
  for (const schema of SCHEMAS) {
    const [plain, whole] = [schema, { allOf: [schema] }].map((one) => new Validator(JSON.stringify(one)));
    for (const text of TEXTS) {
      const found = plain.check(text);
      assert.deepEqual(found, whole.check(text), `${JSON.stringify(schema)}: ${text}`);
      fit += found.length === 0 ? 1 : 0;
    }
  }
  assert(fit > 200, `${fit} fit`);
});

test("a schema that is none is none, however plain it looks", () => {
  for (const wrong of [
    '{"type":"text"}', '{"type":[]}', '{"type":["string","string"]}', '{"type":1}', '{"properties":[]}', '{"properties":{"a":1}}', '{"required":"a"}',
    '{"required":["a","a"]}', '{"minimum":"1"}', '{"minLength":-1}', '{"minLength":1.5}', '{"items":[]}', '{"title":1}', '{"description":null}',
    '{"additionalProperties":1}', '{"readOnly":"yes"}', '{"$schema":1}', '{"$schema":"https://example.com/none"}', '{"enum":1}', '{"format":1}', "1", "", "{",
  ]) {
    assert.throws(() => new Validator(wrong), { code: "invalid_argument" }, wrong);
  }
});
