"use strict";

/** Tasks: a state, kept as the text that the addon makes of it, and what it turns into. */

const { asText, invalid, options, question, questions, unable } = require("./give.js");
const { addon } = require("./load.js");
const { F, S, bytes, has, number, pairs, text } = require("./record.js");

const MADE = Symbol("made by the addon");

class Task {
  #saved;
  #seen = null;
  constructor(made, saved) {
    if (made !== MADE) throw invalid("a Task is made by Call.newTask or Task.restore");
    this.#saved = saved;
  }
  get #view() { return (this.#seen ??= addon.taskView(this.#saved)); }
  static restore(saved) {
    const kept = asText(saved, "saved");
    return addon.taskView(kept) === null ? null : new Task(MADE, kept);
  }
  static savedText(task) {
    if (typeof task === "object" && task !== null && #saved in task) return task.#saved;
    throw invalid("task must be a Task");
  }
  save() { return Buffer.from(this.#saved); }
  get id() { return text(this.#view, S.Text); }
  get status() { return text(this.#view, S.Event); }
  get over() { return has(this.#view, F.OVER); }
  get message() { return text(this.#view, S.Method); }
  get expires() { return number(this.#view, S.Left) || null; }
  get answers() { return Buffer.from(text(this.#view, S.Arguments)); }
  get open() { return pairs(this.#view, S.Variables).map(([key]) => key); }
  get experimental() { return has(this.#view, F.EXPERIMENTAL); }
  get progressWanted() { return has(this.#view, F.PROGRESS); }
  questions() {
    const { id } = this;
    return pairs(this.#view, S.Variables).map(([key, request]) => [key, { kind: "task", id, request: Buffer.from(request) }]);
  }
  isOf(revision) { return addon.taskIsOf(this.#saved, revision); }
  belongsTo(principal) { return addon.taskBelongsTo(this.#saved, principal); }
  created() { return Buffer.from(addon.taskCreated(this.#saved)); }
  detailed() { return Buffer.from(addon.taskDetailed(this.#saved)); }
  acknowledged() { return Buffer.from(addon.taskAcknowledged(this.#saved)); }
  outcome() {
    const said = addon.taskOutcome(this.#saved);
    if (said === null) return null;
    const [first, message, data] = JSON.parse(said);
    if (message === undefined) return { result: Buffer.from(first) };
    return { error: { code: first, message, data: bytes(data) } };
  }
  canAsk(ask) { return unable(addon.taskCanAsk(this.#saved, question(ask))); }
  say(message, given) { return new Task(MADE, addon.taskSay(this.#saved, message, options(given, true).now)); }
  requireInput(asks, given) {
    return new Task(MADE, addon.taskRequireInput(this.#saved, questions(asks), options(given, true).now));
  }
  update(responses, given) {
    const saved = addon.taskUpdate(this.#saved, responses, options(given, true).now);
    return saved === null ? null : new Task(MADE, saved);
  }
  complete(result, given) { return new Task(MADE, addon.taskComplete(this.#saved, result, options(given, true).now)); }
  fail(failure, message, given) {
    const { now, code, data } = options(given, true);
    return new Task(MADE, addon.taskFail(this.#saved, failure, message, now, code, data));
  }
  cancel(given) { return new Task(MADE, addon.taskCancel(this.#saved, options(given, true).now)); }
}

/** Kept apart: the addon takes a task as its saved text. */
const savedTask = Task.savedText;
delete Task.savedText;

function newTask(origin, token, id, given) {
  const { owner, now, ttlMs, pollMs } = options(given, true);
  return new Task(MADE, addon.taskNew(origin, token, id, owner, now, ttlMs, pollMs));
}

function taskPage(tasks, next) {
  if (!Array.isArray(tasks)) throw invalid("tasks must be an array of Task");
  return Buffer.from(addon.taskPage(JSON.stringify(tasks.map(savedTask)), next));
}

module.exports = { Task, newTask, savedTask, taskPage };
