"use strict";

/** Steps, calls and responses: classes over records, and what the addon made besides. */

const { F, S, bytes, has, headers, number, pairs, text } = require("./record.js");
const { newTask, savedTask } = require("./task.js");

/** What only the addon makes is made with this. */
const MADE = Symbol("made by the addon");

function closed(made, name) {
  if (made === MADE) return;
  throw Object.assign(new TypeError(`${name} is made by the addon; it has no constructor`), { code: "invalid_argument" });
}

class Call {
  #record;
  #owner;
  /** `owner`: the addon's session or exchange. */
  constructor(made, record, owner) {
    closed(made, "Call");
    this.#record = record;
    this.#owner = owner;
  }
  get key() { return number(this.#record, S.Key); }
  get kind() { return text(this.#record, S.Kind); }
  get method() { return text(this.#record, S.Method); }
  get name() { return text(this.#record, S.Name); }
  get entry() { return text(this.#record, S.Entry); }
  get arguments() { return bytes(text(this.#record, S.Arguments)); }
  get argumentsText() { return text(this.#record, S.Arguments); }
  get variables() { return Object.fromEntries(pairs(this.#record, S.Variables)); }
  get cursor() { return text(this.#record, S.Cursor); }
  get meta() { return bytes(text(this.#record, S.Meta)); }
  get metaText() { return text(this.#record, S.Meta); }
  get revision() { return text(this.#record, S.Revision); }
  get stateless() { return has(this.#record, F.STATELESS); }
  get clientInfo() { return bytes(text(this.#record, S.ClientInfo)); }
  get clientInfoText() { return text(this.#record, S.ClientInfo); }
  get clientCapabilities() { return bytes(text(this.#record, S.ClientCapabilities)); }
  get clientCapabilitiesText() { return text(this.#record, S.ClientCapabilities); }
  get inputResponses() { return bytes(text(this.#record, S.InputResponses)); }
  get inputResponsesText() { return text(this.#record, S.InputResponses); }
  get requestState() { return text(this.#record, S.RequestState); }
  get progressWanted() { return has(this.#record, F.PROGRESS); }
  get logLevel() { return text(this.#record, S.LogLevel); }
  get batched() { return has(this.#record, F.BATCHED); }
  get cancelled() { return this.#owner.isCancelled(this.key); }
  get wantsTask() { return has(this.#record, F.WANTS_TASK); }
  get taskTtlMs() { return number(this.#record, S.TaskTtl) || null; }
  get waits() { return has(this.#record, F.WAITS); }
  get tasks() { return has(this.#record, F.TASKS); }
  newTask(id, options) {
    return newTask(number(this.#record, S.Origin), text(this.#record, S.Token), id, options);
  }
}

class Step {
  #record;
  #call;
  #batch;
  /** `owner`: the addon's session. */
  constructor(made, record, owner) {
    closed(made, "Step");
    this.#record = record;
    this.#call = has(record, F.CALL) ? new Call(MADE, record, owner) : null;
    this.#batch = has(record, F.BATCH) ? new Batch(MADE, owner) : null;
  }
  get send() { return bytes(text(this.#record, S.Body)); }
  get sendText() { return text(this.#record, S.Body); }
  get event() { return text(this.#record, S.Event); }
  get call() { return this.#call; }
  get batch() { return this.#batch; }
  get key() {
    const event = this.event;
    return event === "cancelled" || event === "answer" ? number(this.#record, S.Key) : null;
  }
  get method() { return this.#call === null ? text(this.#record, S.Method) : null; }
  get params() { return bytes(text(this.#record, S.Params)); }
  get paramsText() { return text(this.#record, S.Params); }
  get text() { return text(this.#record, S.Text); }
  get ask() { return this.event === "answer" ? number(this.#record, S.Ask) : null; }
  get ok() { return !has(this.#record, F.FAILED); }
  get left() { return number(this.#record, S.Left); }
}

class Batch {
  #owner;
  #raw;
  constructor(made, owner) {
    closed(made, "Batch");
    this.#owner = owner;
    this.#raw = owner.takeBatch();
  }
  next() {
    const record = this.#raw.next();
    return record === null ? null : new Step(MADE, record, this.#owner);
  }
}

class Reply {
  #record;
  #whole;
  constructor(made, record, whole) {
    closed(made, "Reply");
    this.#record = record;
    this.#whole = whole;
  }
  get status() { return number(this.#record, S.Status); }
  get headers() { return headers(this.#record); }
  get body() { return Buffer.from(this.bodyText); }
  get bodyText() { return this.#whole ? text(this.#record, S.Body) : ""; }
}

class HttpStep {
  #record;
  #call;
  #listener;
  /** `owner`: the addon's exchange. */
  constructor(made, record, owner) {
    closed(made, "HttpStep");
    this.#record = record;
    this.#call = has(record, F.CALL) ? new Call(MADE, record, owner) : null;
    this.#listener = has(record, F.LISTENER) ? new Listener(MADE, owner.takeListener()) : null;
  }
  get reply() { return number(this.#record, S.Status) === 0 ? null : new Reply(MADE, this.#record, true); }
  get call() { return this.#call; }
  get batch() { return has(this.#record, F.BATCH); }
  get event() { return text(this.#record, S.Event); }
  get method() { return this.#call === null ? text(this.#record, S.Method) : null; }
  get params() { return bytes(text(this.#record, S.Params)); }
  get paramsText() { return text(this.#record, S.Params); }
  get text() { return text(this.#record, S.Text); }
  get ok() { return !has(this.#record, F.FAILED); }
  get clientInfo() { return this.#call === null ? bytes(text(this.#record, S.ClientInfo)) : null; }
  get clientCapabilities() { return this.#call === null ? bytes(text(this.#record, S.ClientCapabilities)) : null; }
  get session() {
    const saved = text(this.#record, S.Session);
    return saved === null ? null : Buffer.from(saved, "hex");
  }
  get listener() { return this.#listener; }
  get resume() {
    const stream = text(this.#record, S.Stream);
    return stream === null ? null : { stream, after: number(this.#record, S.After) };
  }
}

class Emit {
  #record;
  constructor(made, record) {
    closed(made, "Emit");
    this.#record = record;
  }
  get head() { return number(this.#record, S.Status) === 0 ? null : new Reply(MADE, this.#record, false); }
  get body() { return Buffer.from(this.bodyText); }
  get bodyText() { return text(this.#record, S.Body); }
  get end() { return has(this.#record, F.END); }
  get event() {
    const kept = text(this.#record, S.Kept);
    return kept === null ? null : { number: number(this.#record, S.Number), body: Buffer.from(kept) };
  }
}

class Listener {
  #raw;
  constructor(made, raw) {
    closed(made, "Listener");
    this.#raw = raw;
  }
  listChanged(kind) { return bytes(this.#raw.listChanged(kind)); }
  resourceUpdated(uri, session) { return bytes(this.#raw.resourceUpdated(uri, session)); }
  taskChanged(task, principal) { return bytes(this.#raw.taskChanged(savedTask(task), principal)); }
  end() { return bytes(this.#raw.end()); }
  get stream() { return this.#raw.stream(); }
  get event() { return this.#raw.event(); }
}

module.exports = { Batch, Call, Emit, HttpStep, Listener, MADE, Reply, Step, closed };
