/**
 * Middleware: functions around every call, for logging, rate limits, caching, transactions.
 *
 *     server.middleware(async (ctx, next) => {
 *       const start = performance.now();
 *       try {
 *         return await next();
 *       } finally {
 *         console.error(`${ctx.name} took ${performance.now() - start} ms`);
 *       }
 *     });
 *
 * The first one registered is the outermost. `next()` gives what the handler returned (not yet encoded) or throws what it
 * threw; a middleware may return something else, throw, or not call it at all.
 */

import type { Context } from "./context.js";
import { Forbidden } from "./errors.js";
import type { Entry } from "./registry.js";

/** A function around every call. */
export type Middleware = (ctx: Context, next: () => Promise<unknown>) => unknown;

/** Run a call through the middlewares, its guards and its handler, and give the handler's value. */
export async function through(chain: readonly Middleware[], ctx: Context, entry: Entry): Promise<unknown> {
  const [first, ...rest] = chain;
  if (first !== undefined) return first(ctx, () => through(rest, ctx, entry));
  await admit(ctx, entry);
  ctx.throwIfCancelled(); // a handler that was not begun need not begin
  return entry.run(ctx);
}

/**
 * Let the guards of an entry see a call.
 *
 * @throws Forbidden A guard said no; or what it threw.
 */
export async function admit(ctx: Context, entry: Entry): Promise<void> {
  for (const guard of entry.guards) {
    if ((await guard(ctx)) === false) throw new Forbidden(`not allowed: ${ctx.name}`);
  }
}
