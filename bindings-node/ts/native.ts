/**
 * The native addon as the rest of this package sees it, for people who keep their own tool table, transport and types:
 * bytes go in, a step comes out; nothing here opens, reads or starts anything.
 *
 * A mistake of the host throws an `Error` whose `code` is a stable name such as `unknown_call` and whose `number` is the
 * same in every language; nothing has changed then.
 */
export * from "../native/index.js";

/** The stable name of a mistake the addon reports, e.g. `over`; undefined for any other error. */
export function localName(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return error instanceof Error && typeof code === "string" ? code : undefined;
}

/** Whether an error only says that nobody waits any more: the call was answered, taken back, or its peer is gone. */
export function isOver(error: unknown): boolean {
  const name = localName(error);
  return name === "unknown_call" || name === "over";
}
