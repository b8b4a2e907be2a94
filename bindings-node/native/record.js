"use strict";

/**
 * What the addon gives back, taken apart when it is asked for. A record is one string with a table of its parts at the
 * beginning; `src/record.rs` says how it is made.
 */

/** The same lists stand in `src/record.rs`. */
const SLOTS = [
  "Event", "Body", "Flags", "Key", "Left", "Ask", "Method", "Params", "Text", "Kind", "Name", "Entry", "Arguments",
  "Variables", "Cursor", "Meta", "Revision", "ClientInfo", "ClientCapabilities", "InputResponses", "RequestState",
  "LogLevel", "Origin", "Token", "TaskTtl", "Status", "Headers", "Session", "Stream", "After", "Number", "Kept",
];
const S = Object.fromEntries(SLOTS.map((name, at) => [name, at * 10]));
const FLAGS = [
  "", "BATCH", "CALL", "LISTENER", "END", "STATELESS", "PROGRESS", "BATCHED", "TASKS", "WANTS_TASK", "WAITS", "OVER",
  "EXPERIMENTAL", "FAILED",
];
const F = Object.fromEntries(FLAGS.map((name, at) => [name, 1 << at]));

/** A number of five characters, lowest seven bits first. */
function half(record, at) {
  return (
    (record.charCodeAt(at) |
      (record.charCodeAt(at + 1) << 7) |
      (record.charCodeAt(at + 2) << 14) |
      (record.charCodeAt(at + 3) << 21)) +
    record.charCodeAt(at + 4) * 0x10000000
  );
}

function number(record, at) {
  return half(record, at) + half(record, at + 5) * 0x800000000;
}

/** A part of the record; null if there is none. */
function text(record, at) {
  const start = half(record, at);
  return start === 0 ? null : record.slice(start, start + half(record, at + 5));
}

function has(record, flag) {
  return (half(record, S.Flags) & flag) !== 0;
}

/** The UTF-8 of a text; null for null. */
function bytes(text) {
  return text === null ? null : Buffer.from(text);
}

function pairs(record, at) {
  const found = text(record, at);
  return found === null ? [] : JSON.parse(found);
}

/** Names and values of headers as `[name, value]` pairs. The same few texts come again and again: each is taken apart once. */
const seen = new Map();
function headers(record) {
  const found = text(record, S.Headers);
  if (found === null) return [];
  const before = seen.get(found);
  if (before !== undefined) return before;
  const parts = found.split("\0");
  const all = [];
  for (let at = 0; at + 1 < parts.length; at += 2) all.push(Object.freeze([parts[at], parts[at + 1]]));
  // A peer may have a say in some (CORS): they are not kept for ever.
  if (seen.size >= 32) seen.clear();
  seen.set(found, Object.freeze(all));
  return all;
}

module.exports = { F, S, bytes, half, has, headers, number, pairs, text };
