/**
 * From one process to the others: changes, and answers and cancellations that arrived at the wrong one.
 *
 *     new Server(info, { sessions: "sealed", secrets: [...], fanout: redisFanout(client) })
 *
 * It is at most once, as publish and subscribe are: a change that is missed is one notification less; an answer that is
 * missed lets its call time out. Whoever may publish in the same Redis may forge both, so keep others out of it.
 */

/** A way to every process, the publishing one included or not. */
export interface Fanout {
  /** Give a message to all subscribers. If it throws or rejects, that is reported, and this process goes on alone. */
  publish(message: string): unknown;
  /** Call `callback` with every message from now on; gives the function that ends it. It keeps up the subscription by itself. */
  subscribe(callback: (message: string) => void): (() => unknown) | Promise<() => unknown>;
}

/** Between servers of one process: for tests. */
export class LocalFanout implements Fanout {
  readonly #callbacks = new Set<(message: string) => void>();

  publish(message: string): void {
    for (const callback of [...this.#callbacks]) callback(message);
  }

  subscribe(callback: (message: string) => void): () => void {
    this.#callbacks.add(callback);
    return () => void this.#callbacks.delete(callback);
  }
}

/** What is needed of a connected client of npm `redis` (4 or newer) or `ioredis`. */
export interface RedisLike {
  publish(channel: string, message: string): Promise<unknown>;
  duplicate(): any;
}

/**
 * Redis publish and subscribe over your client of npm `redis` or `ioredis`; a duplicate of it subscribes. Both reconnect
 * and subscribe again by themselves.
 *
 * @param client A client that is connected; it stays yours.
 * @param channel The same in all processes.
 */
export function redisFanout(client: RedisLike, channel = "mcpgraft"): Fanout {
  return {
    publish: (message) => client.publish(channel, message),
    async subscribe(callback) {
      const own = client.duplicate();
      // Without a listener an `error` event ends the process; the client reconnects.
      own.on?.("error", () => undefined);
      if (typeof own.pSubscribe === "function") {
        await own.connect(); // npm redis
        await own.subscribe(channel, callback);
        return () => (typeof own.close === "function" ? own.close() : own.disconnect());
      }
      own.on("message", (from: string, message: string) => {
        if (from === channel) callback(message);
      });
      await own.subscribe(channel); // ioredis
      return () => own.disconnect();
    },
  };
}
