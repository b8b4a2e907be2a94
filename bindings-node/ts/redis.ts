/**
 * What many processes share in Redis, or in what speaks its protocol: sessions, and events that are kept.
 *
 *     const redis = await createClient({ url }).connect();   // npm redis; or new Redis(url) of ioredis
 *     new Server(info, { sessions: redisSessions(redis), events: redisEvents(redis), fanout: redisFanout(redis) });
 *
 * What is kept is not sealed: whoever reads it learns the ids of live sessions, though not how to pass for their principals.
 */

import type { EventStore, KeptEvents } from "./events.js";
import type { SessionStore } from "./sessions.js";

/** What is needed of a connected client of npm `redis` (4 or newer): `sendCommand`; of `ioredis`: `call`. It stays yours. */
export interface RedisCommands {
  call?(...command: any[]): Promise<unknown>;
  sendCommand?(command: any): Promise<unknown>;
}

/**
 * Keeps sessions, each under the prefix and its id; Redis forgets them when their time is over.
 *
 * @param prefix What keys begin with; servers that share a Redis need one each.
 */
export function redisSessions(client: RedisCommands, prefix = "mcpgraft:session:"): SessionStore {
  const run = commandOf(client);
  return {
    async load(id) {
      const found = await run("GET", prefix + id);
      return found === null ? undefined : Buffer.from(String(found), "base64");
    },
    async save(id, saved, ttlMs) {
      if (saved === undefined) await run("DEL", prefix + id);
      else await run("SET", prefix + id, Buffer.from(saved).toString("base64"), "PX", String(Math.max(1, Math.ceil(ttlMs))));
    },
  };
}

/** How events are kept in Redis. */
export interface RedisEventsOptions {
  /** How long a stream is kept after something was added to it or it was read. Default: 5 minutes. */
  ttlMs?: number;
  /** Most events of one stream; of a longer one the first ones are lost. Default: 1,000. */
  maxEvents?: number;
  /** What keys begin with. */
  prefix?: string;
  /** How often a reader looks for what another process has written. Default: 250 ms. */
  pollMs?: number;
}

/** Keeps events in Redis streams, for all processes. Each stream has one key, with a time to live. */
export function redisEvents(client: RedisCommands, options: RedisEventsOptions = {}): EventStore {
  const run = commandOf(client);
  const { ttlMs = 300_000, maxEvents = 1000, prefix = "mcpgraft:events:", pollMs = 250 } = options;
  const ttl = String(Math.max(1, Math.ceil(ttlMs)));
  return {
    pollMs,
    // Entry 0-1 begins a stream; event n is n-1; n-2 ends it without one.
    async append(key, number, event, over) {
      const name = prefix + key;
      const fields = ["e", Buffer.from(event ?? []).toString("utf8"), "o", over ? "1" : ""];
      const id = `${number}-${over && event === undefined ? 2 : 1}`;
      // Sent in order, over one connection.
      await Promise.all([run("XADD", name, "MAXLEN", String(maxEvents + 2), id, ...fields), run("PEXPIRE", name, ttl)]);
    },
    async read(key, after): Promise<KeptEvents | undefined> {
      const name = prefix + key;
      const entries = (await run("XRANGE", name, `(${after}-1`, "+")) as [unknown, unknown[]][];
      // The event that the client has seen may still be on its way here. Who asks keeps the stream alive.
      if (entries.length === 0) return Number(await run("PEXPIRE", name, ttl)) === 1 ? { events: [], over: false } : undefined;
      const events: [number, Buffer][] = [];
      let over = false;
      for (const [id, [, event, , last]] of entries) {
        over ||= String(last) !== "";
        if (String(event) !== "") events.push([Number.parseInt(String(id), 10), Buffer.from(String(event))]);
      }
      const [first] = events;
      return first !== undefined && first[0] !== after + 1 ? undefined : { events, over };
    },
  };
}

function commandOf(client: RedisCommands): (...command: string[]) => Promise<unknown> {
  const { call, sendCommand } = client;
  // ioredis has a `sendCommand` of its own, which takes something else.
  if (typeof call === "function") return (...command) => call.apply(client, command);
  if (typeof sendCommand === "function") return (...command) => sendCommand.call(client, command);
  throw new TypeError("a connected client of npm redis or ioredis is needed");
}
