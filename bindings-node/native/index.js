"use strict";

/** The face of the addon. Its documentation stands in `index.d.ts`. */

const { asText, headers, inTurn, invalid, json, options, question, questions, unable } = require("./give.js");
const { addon, about } = require("./load.js");
const { bytes, half } = require("./record.js");
const { Batch, Call, Emit, HttpStep, Listener, MADE, Reply, Step, closed } = require("./steps.js");
const { Task, savedTask, taskPage } = require("./task.js");

const camel = (name) => name.replace(/_(.)/g, (_, letter) => letter.toUpperCase());

/** An exchange of the addon with its busiest entries. */
function reusable(raw) {
  return { raw, begin: raw.beginFunction(), reply: raw.replyFunction(), say: raw.sayFunction() };
}

/** Headers in turn, as the addon reads them. */
function flat(given) {
  const wrong = "headers must be an array of names and values in turn";
  if (!Array.isArray(given)) throw invalid(wrong);
  for (let at = 0; at < given.length; at += 1) if (typeof given[at] !== "string") throw invalid(wrong);
  return given.length === 0 ? "" : `${given.join("\0")}\0`;
}

/** So many exchanges wait for their next request. */
const IDLE = 64;

class Core {
  #raw;
  /** Exchanges that are over. */
  #idle = [];
  constructor(info, given) {
    const { instructions, limits, options: served } = options(given);
    const said = json(served, "options", ["experimental", "extensions"]);
    this.#raw = new addon.Core(info, instructions, json(limits, "limits"), said);
  }
  put(kind, definition) { return this.#raw.put(kind, definition); }
  remove(kind, key) { return this.#raw.remove(kind, key); }
  keys(kind) { return this.#raw.keys(kind); }
  get(kind, key) { return bytes(this.#raw.get(kind, key)); }
  session() { return new Session(MADE, this.#raw.session()); }
  framer() { return new Framer(this.#raw.framer(), MADE); }
  pace() { return new Pace(MADE, this.#raw.pace()); }
  begin(method, given, how) {
    const { peer, stream = true, listen = false, events, body } = options(how);
    const head = flat(given);
    // Not back among the idle ones if it throws.
    const used = this.#idle.pop() ?? reusable(this.#raw.blank());
    const can = (stream ? 1 : 0) + (listen ? 2 : 0);
    const first = used.begin(method, head, given.length, peer, can, events, body);
    return new Exchange(MADE, used.raw, this.#idle, first, used);
  }
  exchange(method, given, how) { return this.begin(method, inTurn(given), { ...options(how), body: undefined }); }
}

class Pace {
  #raw;
  constructor(made, raw) {
    closed(made, "Pace");
    this.#raw = raw;
  }
  admits(progress, total, given) { return this.#raw.admits(progress, total, options(given, true).now); }
}

class Session {
  #raw;
  #next = () => null;
  #reply = null;
  #say = null;
  constructor(made, raw) {
    closed(made, "Session");
    this.#raw = raw;
  }
  accept(message) { return new Step(MADE, this.#raw.accept(message), this.#raw); }
  hold() {
    this.#raw.hold();
    this.#next = this.#raw.nextFunction();
    this.#reply = this.#raw.replyFunction();
    this.#say = this.#raw.sayFunction();
  }
  get held() { return this.#raw.held(); }
  take() { return this.#raw.take(); }
  feed(data) {
    if (this.#reply === null) this.hold();
    return this.#step(this.#raw.feed(data));
  }
  next() { return this.#step(this.#next()); }
  #step(record) { return record === null ? null : new Step(MADE, record, this.#raw); }
  tooLong() { return bytes(this.#raw.tooLong()); }
  reply(key, result) { return bytes(this.#reply === null ? this.#raw.reply(key, result) : this.#reply(key, result)); }
  replyText(key, result) { return this.#raw.reply(key, result); }
  say(key, said) { return bytes((this.#say ??= this.#raw.sayFunction())(key, said)); }
  fail(key, failure, message, given) { return bytes(this.failText(key, failure, message, given)); }
  failText(key, failure, message, given) {
    const { code, data } = options(given);
    return this.#raw.fail(key, failure, message, code, data);
  }
  progress(key, progress, total, message) { return bytes(this.#raw.progress(key, progress, total, message)); }
  log(key, level, data, logger) { return bytes(this.#raw.log(key, level, data, logger)); }
  listChanged(kind) { return bytes(this.#raw.listChanged(kind)); }
  resourceUpdated(uri) { return bytes(this.#raw.resourceUpdated(uri)); }
  taskChanged(task, principal) { return bytes(this.#raw.taskChanged(savedTask(task), principal)); }
  taskProgress(task, progress, total, message) {
    return bytes(this.#raw.taskProgress(savedTask(task), progress, total, message));
  }
  notify(method, params) { return bytes(this.#raw.notify(method, params)); }
  canAsk(key, ask) { return unable(this.#raw.canAsk(key, question(ask))); }
  ask(key, given) {
    const [send, ask] = this.#raw.ask(key, question(given));
    return { send: Buffer.from(send), ask };
  }
  giveUp(ask) { return bytes(this.#raw.giveUp(ask)); }
  requireInput(key, asks, state) { return bytes(this.#raw.requireInput(key, questions(asks), state)); }
  elicitationComplete(id) { return bytes(this.#raw.elicitationComplete(id)); }
  endListening() { return bytes(this.#raw.endListening()); }
  abandon() { this.#raw.abandon(); }
  isCancelled(key) { return this.#raw.isCancelled(key); }
  get inFlight() { return this.#raw.inFlight(); }
  get revision() { return this.#raw.revision(); }
  get clientInfo() { return bytes(this.#raw.clientInfo()); }
  get clientCapabilities() { return bytes(this.#raw.clientCapabilities()); }
}

/** What stands for a frame instead of where it begins. */
const TOO_LONG = 0;
const COPIED = 1;

class Framer {
  #raw;
  constructor(limit, made) {
    this.#raw = made === MADE ? limit : new addon.Framer(limit);
  }
  feed(data) {
    const input = typeof data === "string" ? Buffer.from(data) : data;
    return this.#frames(this.#raw.feed(input), input);
  }
  finish() { return this.#frames(this.#raw.finish(), null); }
  #frames(found, input) {
    const frames = [];
    if (found === null) return frames;
    for (let at = 0; at < found.length; at += 10) {
      const start = half(found, at);
      if (start === TOO_LONG) frames.push(null);
      else if (start === COPIED) frames.push(this.#raw.take());
      else frames.push(Buffer.from(input.buffer, input.byteOffset + start - 2, half(found, at + 5)));
    }
    return frames;
  }
}

/** Stands for the addon's exchange where that serves another request. */
const OVER = new Proxy({}, {
  get: () => () => {
    throw Object.assign(new Error("the exchange is released"), { code: "over" });
  },
});

class Exchange {
  #raw;
  #idle;
  #first;
  #used;
  /** `used`: what goes back among the `idle` ones. */
  constructor(made, raw, idle = null, first = null, used = null) {
    closed(made, "Exchange");
    this.#raw = raw;
    this.#idle = idle;
    this.#first = first;
    this.#used = used;
  }
  get first() { return this.#first === null ? null : new HttpStep(MADE, this.#first, this.#raw); }
  release() {
    if (this.#used === null) return;
    if (this.#idle.length < IDLE) this.#idle.push(this.#used);
    this.#raw = OVER;
    this.#used = null;
  }
  gate() { return this.#first === null ? null : this.first.reply; }
  get maxBody() { return this.#raw.maxBody(); }
  get canStream() { return this.#raw.canStream(); }
  get dropped() { return this.#raw.dropped(); }
  get sessionId() { return this.#raw.sessionId(); }
  get stream() { return this.#raw.stream(); }
  accept(body, session) { return new HttpStep(MADE, this.#raw.accept(body, session), this.#raw); }
  next() { return new HttpStep(MADE, this.#raw.next(), this.#raw); }
  reply(key, result) { return emit((this.#used ?? this.#raw).reply(key, result)); }
  say(key, said) { return emit((this.#used ?? this.#raw).say(key, said)); }
  fail(key, failure, message, given) {
    const { code, data } = options(given);
    return emit(this.#raw.fail(key, failure, message, code, data));
  }
  progress(key, progress, total, message) { return emit(this.#raw.progress(key, progress, total, message)); }
  taskProgress(key, task, progress, total, message) {
    return emit(this.#raw.taskProgress(key, savedTask(task), progress, total, message));
  }
  beginStream(key) { return emit(this.#raw.beginStream(key)); }
  log(key, level, data, logger) { return emit(this.#raw.log(key, level, data, logger)); }
  canAsk(key, ask) { return unable(this.#raw.canAsk(key, question(ask))); }
  ask(key, id, ask) { return emit(this.#raw.ask(key, id, question(ask))); }
  giveUp(key, id) { return emit(this.#raw.giveUp(key, id)); }
  elicitationComplete(key, id) { return emit(this.#raw.elicitationComplete(key, id)); }
  requireInput(key, asks, state) { return emit(this.#raw.requireInput(key, questions(asks), state)); }
  openStream(key) { return emit(this.#raw.openStream(key)); }
  closeStream(key, retryMs) { return emit(this.#raw.closeStream(key, retryMs)); }
  refuseResume() { return reply(this.#raw.refuseResume()); }
  resumeListening(last) { return new Listener(MADE, this.#raw.resumeListening(last)); }
  cancel(id) { return this.#raw.cancel(id); }
  abandon() { this.#raw.abandon(); }
  refuse(status, given, body) { return reply(this.#raw.refuse(status, headers(given), body)); }
  close() { return this.#raw.close(); }
  isCancelled(key) { return this.#raw.isCancelled(key); }
}

function reply(record) {
  return record === null ? null : new Reply(MADE, record, true);
}

function emit(record) {
  return record === null ? null : new Emit(MADE, record);
}

class Keys {
  #raw;
  constructor(secrets) {
    if (!Array.isArray(secrets)) throw invalid("secrets must be an array of Uint8Array or string");
    this.#raw = new addon.Keys();
    for (const secret of secrets) this.#raw.add(secret);
    this.#raw.ready();
  }
  seal(purpose, plain, nonce) { return this.#raw.seal(purpose, plain, nonce); }
  open(purpose, sealed) { return this.#raw.open(purpose, sealed); }
  sealState(method, target, args, given) {
    const { principal, round, kept, now, ttl, nonce } = options(given, true);
    return this.#raw.sealState(method, target, args, principal, round, kept, now, ttl, nonce);
  }
  openState(method, target, args, principal, sealed, given) {
    return this.#raw.openState(method, target, args, principal, sealed, options(given, true).now);
  }
}

class Validator {
  #check;
  constructor(schema) {
    if (addon.Validator === undefined) throw invalid("this addon was built without the feature schema");
    this.#check = new addon.Validator(schema).checkFunction();
  }
  check(instance) {
    const found = this.#check(instance);
    return found === null ? [] : JSON.parse(found);
  }
}

function accepts(ask, answer) {
  return addon.accepts(question(ask), asText(answer, "answer"));
}

module.exports = {
  Batch,
  Call,
  Core,
  Emit,
  Exchange,
  Framer,
  HttpStep,
  Keys,
  Listener,
  Pace,
  Reply,
  Session,
  Step,
  Task,
  Validator,
  accepts,
  taskPage,
  KEEP_ALIVE: Buffer.from(about.KEEP_ALIVE),
  LIMITS: Object.freeze(Object.fromEntries(Object.entries(about.LIMITS).map(([name, value]) => [camel(name), value]))),
  NONCE_BYTES: about.NONCE_BYTES,
  REVISIONS: Object.freeze(about.REVISIONS),
  SESSION_HEADER: about.SESSION_HEADER,
  VERSION: about.VERSION,
};
