// What the compiler infers, and what it refuses. Only compiled, under both module resolutions; never run.
import { bearer, type Context, Elicit, redisFanout, Sample, Server, type SessionStore, type TaskStore } from "mcpgraft";
import { connect } from "mcpgraft/testing";
import { Core } from "mcpgraft/native";
import { type } from "arktype";
import express from "express";
import fastify from "fastify";
import { createServer } from "node:http";
import * as v from "valibot";
import { z } from "zod";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(_same: Same<A, B>): void => undefined;

const server = new Server({ name: "types", version: "1" }, { auth: bearer((token) => (token === "x" ? { sub: "x" } : undefined)) });

server.tool("zod", { input: z.object({ query: z.string(), limit: z.number().default(10), tags: z.array(z.string()).optional() }) }, (args, ctx) => {
  same<typeof args, { query: string; limit: number; tags?: string[] | undefined }>(true);
  same<typeof ctx, Context>(true);
});
server.tool("valibot", { input: v.object({ n: v.number() }), inputSchema: { type: "object" } }, async ({ n }) => same<typeof n, number>(true));
server.tool("arktype", { input: type({ n: "number", "s?": "string" }) }, ({ n, s }) => [same<typeof n, number>(true), same<typeof s, string | undefined>(true)]);
const choices = { enum: ["fast", "slow"] } as const;
server.tool(
  "json",
  {
    input: {
      type: "object",
      properties: {
        a: { type: "string" }, b: { type: ["integer", "null"] }, how: choices, rows: { type: "array", items: { type: "object" } },
        at: { type: "object", properties: { x: { type: "number" } }, required: ["x"], additionalProperties: false }, free: {},
        either: { anyOf: [{ type: "boolean" }, { const: "auto" }] },
      },
      required: ["a", "how", "at"],
    },
  },
  (args) => {
    same<typeof args.a, string>(true);
    same<typeof args.b, number | null | undefined>(true);
    same<typeof args.how, "fast" | "slow">(true);
    same<typeof args.at, { x: number }>(true);
    same<typeof args.rows, any[] | undefined>(true);
    same<typeof args.either, boolean | "auto" | undefined>(true);
    same<typeof args.free, any>(true);
    // @ts-expect-error The schema has no such property.
    return args.other;
  },
);
server.tool("open", { input: { type: "object", additionalProperties: { type: "number" } } }, ({ anything }) => same<typeof anything, number>(true));
server.tool("free", { input: { type: "object" } }, ({ anything }: { anything: string }) => anything);
server.tool("read", { input: JSON.parse("{}") as Record<string, unknown> }, ({ anything }) => same<typeof anything, any>(true));
// @ts-expect-error There are no arguments.
server.tool("none", {}, ({ query }: { query: string }) => query);

server.tool("kept", { output: z.object({ n: z.number() }) }, () => ({ n: 1 }));
// @ts-expect-error The result does not fit the schema.
server.tool("broken", { output: z.object({ n: z.number() }) }, () => ({ n: "1" }));

server.resource("db://{table}/{id}", {}, (variables) => {
  same<typeof variables.table, string>(true);
  same<typeof variables.id, string>(true);
  // @ts-expect-error There is no such variable.
  return variables.other;
});
server.resource("n://{n}", { input: z.object({ n: z.coerce.number() }) }, ({ n }) => [same<typeof n, number>(true)]);
server.prompt("p", { input: z.object({ topic: z.string() }) }, ({ topic }) => `About ${topic}`);
// @ts-expect-error A prompt is made of texts and messages.
server.prompt("wrong", {}, () => 5);

server.tool("ask", {}, async (_, ctx) => {
  const answer = await ctx.elicit("who", "Who?", z.object({ name: z.string() }));
  same<typeof answer.data, { name: string }>(true);
  const both = await ctx.askAll({ who: new Elicit<{ name: string }>("Who?", { type: "object" }), says: new Sample("Say") });
  same<typeof both.who.data, { name: string }>(true);
  const { where } = await ctx.askAll({ where: new Elicit("Where?", z.object({ city: z.string() })) });
  same<typeof where.data, { city: string }>(true);
  same<typeof both.says.text, string>(true);
  const kept = await ctx.memo("n", () => 5);
  same<typeof kept, number>(true);
  const sent: AbortSignal = ctx.signal;
  return sent.aborted;
});

// The hosts take the handlers as they are.
express().all("/mcp", server.express());
fastify().register(server.fastify(), { prefix: "/mcp" });
createServer(server.node());
const answered: Promise<Response> = server.fetch()(new Request("http://localhost/mcp"));

// Stores and clients of others fit by their shape.
const sessions: SessionStore = { load: async () => new Uint8Array(), save: () => undefined };
const tasks: TaskStore = { add: () => true, get: async () => undefined, swap: async () => false };
const fanout = redisFanout({ publish: async () => 1, duplicate: () => ({}) });
export const used = [answered, sessions, tasks, fanout, connect, Core];
