"use strict";

/** What goes to the addon: objects taken apart here, since the addon reads no property. */

function invalid(message) {
  return Object.assign(new TypeError(message), { code: "invalid_argument" });
}

/** An options object, or none. */
function options(given, needed) {
  if (given === undefined || given === null) {
    if (needed) throw invalid("an options object is needed as the last argument");
    return {};
  }
  if (typeof given !== "object") throw invalid("options must be an object");
  return given;
}

/** Text, or bytes that are UTF-8. */
function asText(value, name) {
  if (typeof value === "string") return value;
  if (value instanceof Uint8Array) {
    // Also where its memory was given away.
    return value.length === 0 ? "" : Buffer.from(value.buffer, value.byteOffset, value.length).toString();
  }
  throw invalid(`${name} must be a Uint8Array or a string`);
}

function parts(ask) {
  if (typeof ask !== "object" || ask === null) throw invalid("ask must be an object with a kind");
  switch (ask.kind) {
    case "form":
      return ["form", asText(ask.message, "ask.message"), asText(ask.schema, "ask.schema")];
    case "url":
      return ["url", asText(ask.message, "ask.message"), asText(ask.url, "ask.url"), asText(ask.id, "ask.id")];
    case "sample":
      return ["sample", asText(ask.params, "ask.params")];
    case "roots":
      return ["roots"];
    case "task":
      return ["task", asText(ask.id, "ask.id"), asText(ask.request, "ask.request")];
    default:
      throw invalid('ask.kind must be "form", "url", "sample", "roots" or "task"');
  }
}

/** A question, as the addon reads it. */
function question(ask) {
  return JSON.stringify(parts(ask));
}

/** Questions with their keys, as the addon reads them. */
function questions(asks) {
  if (!Array.isArray(asks)) throw invalid("asks must be an array of [key, question]");
  return JSON.stringify(
    asks.map((pair) => {
      if (!Array.isArray(pair)) throw invalid("asks must be an array of [key, question]");
      return [asText(pair[0], "the key of a question"), parts(pair[1])];
    }),
  );
}

/** The parts of `[name, value]` pairs in turn. */
function inTurn(given) {
  if (!Array.isArray(given)) throw invalid("headers must be an array of [name, value]");
  const all = [];
  for (const pair of given) {
    const [name, value] = Array.isArray(pair) ? pair : [];
    if (typeof name !== "string" || typeof value !== "string") throw invalid("headers must be an array of [name, value]");
    all.push(name, value);
  }
  return all;
}

/** Headers, as the addon reads them: a NUL after each name and each value. */
function headers(given) {
  const all = inTurn(given);
  if (all.some((part) => part.includes("\0"))) throw invalid("a header must not hold a NUL");
  return all.map((part) => `${part}\0`).join("");
}

/** JSON of an object or of nothing; in `texts` are members that hold JSON themselves. */
function json(given, name, texts = []) {
  if (given === undefined || given === null) return "{}";
  if (typeof given !== "object" || Array.isArray(given)) throw invalid(`${name} must be an object`);
  const copy = { ...given };
  for (const member of texts) {
    if (copy[member] !== undefined && copy[member] !== null) copy[member] = asText(copy[member], member);
  }
  try {
    return JSON.stringify(copy);
  } catch (error) {
    throw invalid(`${name}: ${error.message}`);
  }
}

/** What the addon says of a client that cannot be asked; null if it can. */
function unable(said) {
  if (said === null) return null;
  const [why, message, needs] = JSON.parse(said);
  return { why, message, needs: needs === null ? null : Buffer.from(needs) };
}

module.exports = { asText, headers, inTurn, invalid, json, options, question, questions, unable };
