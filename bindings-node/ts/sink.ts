/** What an HTTP host gives for the answer to one request. Each host has its own; see `node-http`, `fetch`, `fastify`. */

import type { HeaderList } from "./request.js";

/** Bytes that may wait for a slow reader before notifications of a call are dropped. */
export const FULL_BYTES = 1_048_576;

/** A response that is not yet written. */
export interface Sink {
  /** A whole response. */
  answer(status: number, headers: HeaderList, body: Buffer | string): void;
  /** The head of a response that is written in pieces. */
  start(status: number, headers: HeaderList): void;
  /** A piece of the body. */
  write(data: Buffer): void;
  /** The body is complete. */
  end(): void;
  /** How many bytes wait for the reader. */
  waiting(): number;
  /**
   * Settles when the reader has taken what was written, as far as the host can tell; or is gone. Undefined if it has taken
   * enough already.
   */
  drained(): Promise<void> | undefined;
  /** Called once if the reader goes away before the end; at once if it is gone already. */
  onGone(callback: () => void): void;
}

/** Whether a response of that status may have a body. */
export function hasBody(status: number): boolean {
  return status !== 204 && status !== 304;
}
