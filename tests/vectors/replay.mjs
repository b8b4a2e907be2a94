// Replays the transcripts through the Node addon, byte for byte; see README.md beside this file. `replay.py` is the same in
// Python, and says more.
//
//   node tests/vectors/replay.mjs
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";

const here = dirname(fileURLToPath(import.meta.url));
const native = createRequire(import.meta.url)("../../bindings-node/native");
const read = (...path) => JSON.parse(readFileSync(join(here, ...path), "utf8"));
const compact = (value) => Buffer.from(JSON.stringify(value));
const text = (bytes) => bytes.toString("utf8");
const given = (value, otherwise) => (value === undefined ? otherwise : value);

function incoming(step, key) {
  if (`${key}_hex` in step) return Buffer.from(step[`${key}_hex`], "hex");
  return step[key] === undefined || step[key] === null ? null : Buffer.from(step[key]);
}

function make(file) {
  const { catalogue: name, limits: over = {}, options: laid = {} } = file.server;
  const catalogue = read("catalogues", `${name}.json`);
  const { line_bytes: lineBytes = native.LIMITS.messageBytes, ...limits } = over;
  const { listens = false, instructions, ...options } = { ...catalogue.options, ...laid };
  for (const member of ["experimental", "extensions"]) {
    if (options[member] !== undefined) options[member] = compact(options[member]);
  }
  const core = new native.Core(compact(catalogue.info), { instructions, limits, options });
  for (const kind of ["tool", "resource", "template", "prompt"]) {
    for (const definition of catalogue[kind] ?? []) core.put(kind, compact(definition));
  }
  return { core, lineBytes, listens };
}

function checkCall(step, call) {
  const wanted = step.call;
  assert(wanted, `no call was expected: ${call.method}`);
  assert.deepEqual([call.kind, call.name], [wanted.kind, wanted.name]);
  if ("arguments" in wanted) {
    assert.equal(text(call.arguments), wanted.arguments);
    assert.equal(call.argumentsText, wanted.arguments);
  }
  if ("entry" in wanted) assert.equal(call.entry, wanted.entry);
  if ("variables" in wanted) assert.deepEqual(call.variables, wanted.variables);
  if ("input_responses" in wanted) assert.equal(call.inputResponsesText, wanted.input_responses);
  if ("request_state" in wanted) assert.equal(call.requestState, wanted.request_state);
}

function question(item) {
  if ("form" in item) return { kind: "form", message: item.form, schema: item.schema };
  if ("url" in item) return { kind: "url", message: item.message, url: item.url, id: item.id };
  return "sample" in item ? { kind: "sample", params: item.sample } : { kind: "roots" };
}

/** Whether the client can be asked, which has to be what the step says. */
function able(item, target, key, ask) {
  const why = target.canAsk(key, ask);
  assert.equal(why?.why, item.unable);
  return why === null;
}

/** Asks; null where that cannot be, with an error that the host knows. */
function tryAsk(ask) {
  try {
    return ask();
  } catch (error) {
    assert.equal(typeof error.number, "number", error);
    return null;
  }
}

function answer(step, target, key) {
  if (step.require) {
    const asks = (step.require.asks ?? []).map((item) => [item.key, question(item)]);
    return target.requireInput(key, asks, step.require.state);
  }
  if (!step.fail) return target.reply(key, Buffer.from(step.reply));
  const { failure, message = "", code, data } = step.fail;
  return target.fail(key, failure, message, { code, data });
}

function during(step, target, key) {
  const sent = [];
  for (const item of step.during ?? []) {
    if ("ask" in item) {
      const ask = question(item.ask);
      const can = able(item, target, key, ask);
      const asked = tryAsk(() => ({ emit: target.ask(key, item.id, ask) }));
      if (asked === null) assert(!can || item.no_way, JSON.stringify(item));
      else sent.push(asked.emit);
    } else if ("open_stream" in item) {
      sent.push(target.openStream(key));
    } else if ("close_stream" in item) {
      sent.push(target.closeStream(key, item.close_stream));
    } else if ("log" in item) {
      sent.push(target.log(key, item.log, item.data, item.logger));
    } else {
      sent.push(target.progress(key, item.progress, item.total, item.message));
    }
  }
  return sent;
}

/** A session, the calls and questions it has open, and what steps have saved. */
class Line {
  constructor(core) {
    this.session = core.session();
    this.open = {};
    this.asked = {};
    this.saved = {};
  }

  ask(step, key) {
    const sent = [];
    for (const item of step.asks ?? []) {
      const ask = question(item);
      const can = able(item, this.session, key, ask);
      const asked = tryAsk(() => this.session.ask(key, ask));
      assert.equal(asked !== null, can, JSON.stringify(item));
      if (asked === null) continue;
      this.asked[item.as] = asked.ask;
      sent.push(asked.send);
    }
    return sent;
  }

  tell(what) {
    if ("list_changed" in what) return this.session.listChanged(what.list_changed);
    if ("updated" in what) return this.session.resourceUpdated(what.updated);
    return "complete" in what ? this.session.elicitationComplete(what.complete) : this.session.endListening();
  }

  run(step, call) {
    checkCall(step, call);
    const sent = [...during(step, this.session, call.key), ...this.ask(step, call.key)];
    if ("as" in step) this.open[step.as] = call.key;
    else sent.push(answer(step, this.session, call.key));
    return sent;
  }

  checkAnswered(step, made) {
    const wanted = step.answered;
    assert.equal(made.event === "answer", wanted !== undefined, `${made.event}: ${step.about}`);
    if (wanted === undefined) return;
    const seen = [made.key, made.ask, made.ok, text(made.params), made.left];
    assert.deepEqual(seen, [this.open[wanted.call], this.asked[wanted.ask], wanted.ok, wanted.params, wanted.left]);
  }

  arrives(step) {
    const message = Object.entries(this.saved).reduce(
      (bytes, [name, value]) => Buffer.from(bytes.toString("latin1").replaceAll(`{${name}}`, value), "latin1"),
      incoming(step, "in"),
    );
    const made = this.session.accept(message);
    const sent = [made.send];
    if (made.call) {
      sent.push(...this.run(step, made.call));
    } else {
      assert(made.batch || !("call" in step), `a call was expected: ${step.about}`);
      this.checkAnswered(step, made);
    }
    for (let part = made.batch?.next(); part; part = made.batch.next()) {
      sent.push(part.send);
      if (part.call) sent.push(...this.run(step, part.call));
    }
    return sent;
  }

  step(step) {
    if ("tell" in step) return [this.tell(step.tell)];
    if ("give_up" in step) return [this.session.giveUp(this.asked[step.give_up])];
    if ("of" in step) return this.ask(step, this.open[step.of]);
    if ("answer" in step) {
      const key = this.open[step.answer];
      delete this.open[step.answer];
      return [answer(step, this.session, key)];
    }
    return this.arrives(step);
  }
}

function duplex(file) {
  const { core } = make(file);
  let line = new Line(core);
  return file.steps.map((step) => {
    if (step.fresh) line = new Line(core);
    const sent = line.step(step);
    // Several messages at once come as lines.
    const out = sent.filter((message) => message !== null).flatMap((message) => text(message).split("\n"));
    if ("save" in step) line.saved[step.save] = JSON.parse(out.at(-1)).result.nextCursor;
    return { out };
  });
}

/** What a host keeps between requests, under the names that the steps give. */
class Kept {
  sessions = {};
  events = {};

  event(session, stream, event) {
    if (event === null) return;
    const kept = (this.events[JSON.stringify([session, stream])] ??= []);
    assert.equal(event.number, kept.length + 1);
    kept.push(event);
  }

  of(session, stream) {
    return this.events[JSON.stringify([session, stream])];
  }
}

/** What an open response writes when it is told what has changed. */
function tell(listener, kept, step) {
  const name = given(step.request.session, null);
  const session = name === null ? null : kept.sessions[name];
  const all = [];
  for (const what of step.tell ?? []) {
    let body;
    if ("list_changed" in what) body = listener.listChanged(what.list_changed);
    else if ("updated" in what) body = listener.resourceUpdated(what.updated, session);
    else body = listener.end();
    if (body === null) continue;
    if (listener.event !== null) kept.event(name, listener.stream, { number: listener.event, body });
    all.push(body);
  }
  return all;
}

/** What the host learns besides the answer, as a step says it. */
function told(made) {
  if (made.event === "response") {
    return [{ response: made.text, ok: made.ok, params: made.params && text(made.params) }];
  }
  return made.event === "cancelled" ? [{ cancelled: made.text }] : [];
}

/** What a client gets that goes on with a stream. */
function resumed(one, made, kept, step) {
  const { stream, after } = made.resume;
  const events = kept.of(given(step.request.session, null), stream);
  if (events === undefined) return { head: one.refuseResume(), body: [] };
  const again = events.filter((event) => event.number > after).map((event) => event.body);
  return { head: made.reply, body: [...again, ...tell(one.resumeListening(events.at(-1).number), kept, step)] };
}

function exchange(step, core, kept, listens) {
  const { request } = step;
  const name = given(request.session, null);
  const one = core.exchange(request.method, request.headers, { listen: listens, events: request.events });
  let head = one.gate();
  let body = [];
  if (head === null) {
    let made = one.accept(incoming(request, "body") ?? "", name === null ? null : kept.sessions[name]);
    assert(made.event === "opened" || !("opens" in step), `${made.event}: ${step.about}`);
    assert.equal(made.event === "ended", "ends" in step);
    const notices = told(made);
    const to = given(step.opens, name);
    if (made.session !== null && to !== null) kept.sessions[to] = made.session;
    if (made.listener) body.push(...tell(made.listener, kept, step));
    if ("ends" in step) delete kept.sessions[step.ends];
    const { batch } = made;
    while (made.reply === null) {
      if (made.call) {
        checkCall(step, made.call);
        const { stream } = one;
        const emits = [...during(step, one, made.call.key), answer(step, one, made.call.key)];
        let closed = false;
        for (const emit of emits.filter((emit) => emit !== null)) {
          kept.event(name, stream, emit.event);
          head = emit.head ?? head;
          if (!closed) body.push(emit.body);
          closed ||= emit.end;
        }
        if (!batch) break;
      }
      made = one.next();
      notices.push(...told(made));
      if (made.session !== null) kept.sessions[name] = made.session;
    }
    if (made.reply) head = made.reply;
    if (made.resume) ({ head, body } = resumed(one, made, kept, step));
    assert.deepEqual(notices, step.notices ?? notices);
  }
  const headers = Object.fromEntries(head.headers.map(([key, value]) => [key.toLowerCase(), value]));
  const { response: wanted } = step;
  const response = { ...wanted, status: head.status, body: text(Buffer.concat([head.body, ...body])) };
  if ("headers" in wanted) {
    response.headers = Object.fromEntries(Object.keys(wanted.headers).map((key) => [key, given(headers[key], null)]));
  }
  return { response };
}

function framing(file, piece) {
  const { lineBytes } = make(file);
  let framer = new native.Framer(lineBytes);
  return file.steps.map((step) => {
    if (step.fresh) framer = new native.Framer(lineBytes);
    const data = incoming(step, "feed") ?? Buffer.alloc(0);
    const frames = [];
    for (let at = 0; at < data.length; at += piece) frames.push(...framer.feed(data.subarray(at, at + piece)));
    if (step.finish) frames.push(...framer.finish());
    return { frames: frames.map((frame) => frame && text(frame)) };
  });
}

function replay(file) {
  if (file.channel === "duplex") return duplex(file);
  if (file.channel === "http") {
    const { core, listens } = make(file);
    const kept = new Kept();
    return file.steps.map((step) => exchange(step, core, kept, listens));
  }
  const whole = framing(file, 1 << 20);
  assert.deepEqual(whole, framing(file, 1), "frames depend on how the input was cut");
  return whole;
}

let steps = 0;
let differing = 0;
for (const name of readdirSync(here).filter((name) => name.endsWith(".json")).sort()) {
  const file = read(name);
  replay(file).forEach((seen, at) => {
    steps += 1;
    const step = file.steps[at];
    const wanted = Object.fromEntries(Object.keys(seen).map((key) => [key, step[key]]));
    if (isDeepStrictEqual(wanted, seen)) return;
    differing += 1;
    console.log(`${file.name}: ${step.about}\n  wanted ${JSON.stringify(wanted)}\n  seen   ${JSON.stringify(seen)}`);
  });
}
console.log(`${steps} steps, ${differing} differ`);
process.exitCode = differing === 0 && steps > 0 ? 0 : 1;
