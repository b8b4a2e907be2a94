// A service of others: asked at most once a minute for each currency (lru-cache), and left alone while it is down (opossum).
import { LRUCache } from "lru-cache";
import CircuitBreaker from "opossum";
import { ToolError, type Server } from "mcpgraft";
import { z } from "zod";

/** The exchange rates of a currency. */
export type Rates = (currency: string, signal: AbortSignal) => Promise<Record<string, number>>;

export function registerUpstream(server: Server, rates: Rates): void {
  const breaker = new CircuitBreaker((currency: string) => rates(currency, AbortSignal.timeout(3_000)), {
    timeout: 3_500,
    errorThresholdPercentage: 50,
    volumeThreshold: 3,
    resetTimeout: 60_000,
  });
  const cache = new LRUCache<string, Record<string, number>>({
    max: 100,
    ttl: 60_000,
    fetchMethod: (currency) => breaker.fire(currency), // callers of one moment share one request
  });

  server.tool(
    "exchange_rate",
    {
      description: "What one unit of a currency is worth in another one.",
      input: z.object({ from: z.string().length(3), to: z.string().length(3) }),
      output: z.object({ rate: z.number(), cached: z.boolean() }),
    },
    async ({ from, to }) => {
      const cached = cache.has(from);
      const rate = (await cache.fetch(from))?.[to];
      if (rate === undefined) throw new ToolError(`there is no rate from ${from} to ${to}`);
      return { rate, cached };
    },
  );
}
