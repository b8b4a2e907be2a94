// Questions: the same handler in both eras, over HTTP and a session; what is remembered between its runs; what is refused.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Elicit, ElicitUrl, NeedInput, Sample, AskRoots, Server, Suspended, UrlElicitationRequired } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { z } from "zod";

const SECRETS = ["a secret for tests, only for them"];
const WAYS = [{}, { era: "legacy" }, { transport: "stdio" }, { transport: "stdio", era: "legacy" }];
const Name = z.object({ name: z.string().min(2) });
const textOf = (result) => result.content.map((one) => one.text ?? "").join("");

function make(options) {
  return new Server({ name: "asks", version: "1.0.0" }, { secrets: SECRETS, sessions: "memory", onError: () => undefined, ...options });
}

test("a handler asks, twice, and remembers what happened once", async () => {
  for (const way of WAYS) {
    const server = make();
    let effects = 0;
    server.tool("book", { input: z.object({ what: z.string() }) }, async ({ what }, ctx) => {
      ctx.progress(1);
      const price = await ctx.memo("price", () => (effects += 1));
      const who = await ctx.elicit("who", `Who books ${what}?`, Name);
      if (!who.accepted) return `not booked: ${who.action}`;
      const sure = await ctx.elicit("sure", `${who.data.name}, sure?`, { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] });
      return `${who.data.name} ${sure.data.ok} ${price}`;
    });
    const asked = [];
    const answers = {
      elicit: ({ message, requestedSchema }) => {
        asked.push(message);
        return "name" in requestedSchema.properties ? { name: "Bo" } : { ok: true };
      },
    };
    const client = await connect(server, { ...way, answers, progress: true });
    assert.equal(textOf(await client.call("book", { what: "a room" })), "Bo true 1", JSON.stringify(way));
    assert.deepEqual(asked, ["Who books a room?", "Bo, sure?"]);
    assert.equal(effects, 1);
    // What was said before the first question is not said again.
    assert.equal(client.notifications.filter((one) => one.method === "notifications/progress").length, 1);
    const no = await connect(server, { ...way, answers: { elicit: () => ({ action: "decline" }) } });
    assert.equal(textOf(await no.call("book", { what: "a room" })), "not booked: decline");
  }
});

test("several questions at once, also by Promise.all", async () => {
  const server = make();
  server.tool("all", {}, async (_, ctx) => {
    const { who, says, where } = await ctx.askAll({ who: new Elicit("Who?", Name), says: new Sample("Say hello", { maxTokens: 5 }), where: new AskRoots() });
    return `${who.data.name} ${says.text} ${where[0].uri}`;
  });
  server.tool("parallel", {}, async (_, ctx) => {
    const [one, two] = await Promise.all([ctx.elicit("one", "One?", Name), ctx.sample("two", "Two?")]);
    return `${one.data.name} ${two.text}`;
  });
  for (const way of WAYS) {
    let rounds = 0;
    const answers = { elicit: () => ((rounds += 1), { name: "Bo" }), sample: () => "hello", roots: () => ["file:///a"] };
    const client = await connect(server, { ...way, answers });
    assert.equal(textOf(await client.call("all")), "Bo hello file:///a");
    assert.equal(textOf(await client.call("parallel")), "Bo hello");
    assert.equal(rounds, 2);
  }
  const client = await connect(server, { capabilities: { elicitation: {}, sampling: {}, roots: {} } });
  const round = await client.request("tools/call", { name: "parallel", arguments: {} });
  assert.deepEqual(Object.keys(round.inputRequests), ["one", "two"]);
});

test("an answer that does not fit is asked for again, unless the handler wants to see it", async () => {
  const server = make();
  server.tool("again", {}, async (_, ctx) => (await ctx.elicit("who", "Who?", Name)).data.name);
  server.tool("once", {}, async (_, ctx) => (await ctx.elicit("who", "Who?", Name, { again: false })).data.name);
  for (const way of WAYS) {
    let tries = 0;
    const client = await connect(server, { ...way, answers: { elicit: () => ({ name: (tries += 1) === 1 ? "B" : "Bo" }) } });
    assert.equal(textOf(await client.call("again")), "Bo");
    assert.equal(tries, 2);
    const other = await connect(server, { ...way, answers: { elicit: () => ({ name: "B" }) } });
    const result = await other.call("once");
    assert.equal(result.isError, true);
    assert.match(textOf(result), /"who" does not fit: name/);
  }
});

test("a handler in steps has a state of its own", async () => {
  const server = make();
  server.tool("steps", {}, (_, ctx) => {
    if (ctx.state === null) return new NeedInput({ who: new Elicit("Who?", Name) }, { step: 1 });
    if (ctx.state.step === 1) return new NeedInput({ sure: new Elicit("Sure?", Name) }, { step: 2, who: ctx.answers.who.data.name });
    return `${ctx.state.who} ${ctx.answers.sure.data.name}`;
  });
  for (const way of WAYS) {
    const client = await connect(server, { ...way, answers: { elicit: ({ message }) => ({ name: message === "Who?" ? "Bo" : "yes" }) } });
    assert.equal(textOf(await client.call("steps")), "Bo yes");
  }
});

test("a client that cannot be asked is told apart", async () => {
  const server = make();
  server.tool("can", {}, (_, ctx) => [ctx.canElicit, ctx.canElicitUrl, ctx.canSample, ctx.canSampleTools, ctx.canListRoots]);
  server.tool("ask", {}, async (_, ctx) => (await ctx.sample("x", "say")).text);
  for (const way of WAYS) {
    const client = await connect(server, { ...way, capabilities: { elicitation: {}, roots: {} } });
    const { content } = await client.call("can");
    assert.deepEqual(JSON.parse(content[0].text), [true, false, false, false, true], JSON.stringify(way));
    if (way.era === "legacy") assert.match(textOf(await client.call("ask")), /did not declare/);
    else await assert.rejects(client.call("ask"), (error) => error.code === -32021 && "sampling" in error.data.requiredCapabilities);
  }
  const forgetful = make({ sessions: "off" });
  forgetful.tool("ask", {}, async (_, ctx) => (await ctx.elicit("x", "?", Name)).action);
  const client = await connect(forgetful, { era: "legacy", answers: { elicit: () => ({}) } });
  assert.match(textOf(await client.call("ask")), /keeps no session/);
});

test("a refusal, silence and a catch-all", async () => {
  const server = make({ askTimeoutMs: 20 });
  server.tool("ask", {}, async (_, ctx) => (await ctx.elicit("who", "Who?", Name)).data.name);
  server.tool("catches", {}, async (_, ctx) => {
    try {
      return (await ctx.elicit("who", "Who?", Name)).data.name;
    } catch (error) {
      return `caught ${error instanceof Suspended}`;
    }
  });
  server.tool("wraps", {}, async (_, ctx) => {
    try {
      return (await ctx.elicit("who", "Who?", Name)).data.name;
    } catch (cause) {
      throw new Error("could not ask", { cause });
    }
  });
  const refusing = await connect(server, { era: "legacy", transport: "stdio", answers: { elicit: () => { throw new Error("no, thanks"); } } });
  assert.match(textOf(await refusing.call("ask")), /no, thanks/);
  const silent = await connect(server, { era: "legacy", transport: "stdio", capabilities: { elicitation: {} } });
  assert.match(textOf(await silent.call("ask")), /no answer came within 0.02 seconds/);
  // A question may have a time of its own; of two each has its own.
  const patient = make();
  patient.tool("ask", {}, async (_, ctx) => {
    const both = { soon: new Elicit("Who?", Name, { timeoutMs: 10 }), later: new Sample("Say", { timeoutMs: 30 }) };
    return Object.values(await ctx.askAllSettled(both)).map((one) => one.message);
  });
  const mute = await connect(patient, { era: "legacy", transport: "stdio", capabilities: { elicitation: {}, sampling: {} } });
  assert.deepEqual(JSON.parse(textOf(await mute.call("ask"))), ["no answer came within 0.01 seconds: soon", "no answer came within 0.03 seconds: later"]);
  const client = await connect(server, { answers: { elicit: () => ({ name: "Bo" }) } });
  assert.equal(textOf(await client.call("catches")), "Bo");
  assert.equal(textOf(await client.call("wraps")), "Bo");
});

test("a state is good for its own call and caller only, and as often as the host says", async () => {
  const used = new Set();
  const server = make({ onStateUse: (nonce) => !used.has(nonce) && Boolean(used.add(nonce)), auth: (request) => request.headers.get("x-user") });
  server.tool("ask", { input: z.object({ n: z.number() }) }, async ({ n }, ctx) => `${(await ctx.elicit("who", "Who?", Name)).data.name} ${n}`);
  const connectAs = (user) => connect(server, { headers: { "x-user": user }, capabilities: { elicitation: {} } });
  const ada = await connectAs("ada");
  const call = (client, n, extra) => client.request("tools/call", { name: "ask", arguments: { n }, ...extra });
  const { requestState } = await call(ada, 1);
  const inputResponses = { who: { action: "accept", content: { name: "Bo" } } };
  const bad = { code: -32602 };
  await assert.rejects(call(ada, 2, { requestState, inputResponses }), bad);
  await assert.rejects(call(await connectAs("eve"), 1, { requestState, inputResponses }), bad);
  await assert.rejects(call(ada, 1, { requestState: `${requestState.slice(0, -2)}xx`, inputResponses }), bad);
  assert.equal(textOf(await call(ada, 1, { requestState, inputResponses })), "Bo 1");
  await assert.rejects(call(ada, 1, { requestState, inputResponses }), bad);
  // An answer to a question that was not asked is not taken.
  const fresh = await call(ada, 1);
  const again = await call(ada, 1, { requestState: fresh.requestState, inputResponses: { other: inputResponses.who } });
  assert.equal(again.resultType, "input_required");
});

test("addresses", async () => {
  const server = make();
  server.tool("pay", {}, async (_, ctx) => {
    const { accepted, id } = await ctx.elicitUrl("pay", "Pay here", "https://pay.example/1");
    if (accepted) ctx.elicitationComplete(id);
    return accepted ? `paid ${id.length}` : "unpaid";
  });
  let signedIn = false;
  server.tool("account", {}, () => {
    if (!signedIn) throw new UrlElicitationRequired([new ElicitUrl("Sign in", "https://login.example/")]);
    return "yours";
  });
  const answers = { elicitUrl: () => void (signedIn = true) };
  const client = await connect(server, { answers });
  assert.equal(textOf(await client.call("pay")), "paid 24");
  signedIn = false;
  assert.equal(textOf(await client.call("account")), "yours");
  signedIn = false;
  const older = await connect(server, { era: "legacy", capabilities: { elicitation: { url: {} } } });
  await assert.rejects(older.call("account"), (error) => error.code === -32042 && error.data.elicitations[0].url === "https://login.example/");
});
