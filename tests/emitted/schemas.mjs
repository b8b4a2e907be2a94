// Prints the published JSON Schemas of the protocol, by revision: the ones that the official conformance suite carries inside
// its bundle. Each is found by what it is, an object literal that defines JSONRPCMessage, not by where it stands.
//
//   node schemas.mjs path/to/conformance/dist/index.js
import { readFileSync } from "node:fs";
import { runInNewContext } from "node:vm";

const text = readFileSync(process.argv[2], "utf8");

/** The object literal that begins at `from`, with strings and templates skipped. */
function literal(from) {
  let depth = 0;
  for (let at = from; at < text.length; at += 1) {
    const c = text[at];
    if (c === "{") depth += 1;
    else if (c === "}") {
      depth -= 1;
      if (depth === 0) return text.slice(from, at + 1);
    } else if (c === '"' || c === "'" || c === "`") {
      for (at += 1; text[at] !== c; at += 1) if (text[at] === "\\") at += 1;
    }
  }
  return "{}";
}

/** Which revision a schema is of, by what only that one defines. */
function revision(defs, draft7) {
  if ("DiscoverRequest" in defs) return "2026-07-28";
  if (!draft7) return "2025-11-25";
  return "JSONRPCBatchRequest" in defs ? "2025-03-26" : "2025-06-18";
}

const found = {};
for (const { index } of text.matchAll(/\{\$schema:[`"']/g)) {
  const piece = literal(index);
  if (!piece.includes("JSONRPCMessage:")) continue;
  const schema = runInNewContext(`(${piece})`);
  const defs = schema.$defs ?? schema.definitions;
  found[revision(defs, "definitions" in schema)] = schema;
}
console.log(JSON.stringify(found));
