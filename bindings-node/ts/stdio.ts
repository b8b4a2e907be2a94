/**
 * MCP on standard input and output.
 *
 * While it runs, `console.log` and everything else that writes to `process.stdout` goes to standard error, so that it cannot
 * disturb the protocol. What writes to descriptor 1 by itself (a child process with inherited output, a native library) is
 * not caught.
 */

import type { Readable, Writable } from "node:stream";
import { Connection } from "./connection.js";
import { McpRequest } from "./request.js";
import type { Server } from "./server.js";

/** How a server runs on stdio. */
export interface StdioOptions {
  /** How long running handlers may go on after the end of input, in ms; 5,000 unless given. */
  drainMs?: number;
  /** What handlers see as `Context.principal`: the process's own user, so to say. */
  principal?: unknown;
  /** Instead of `process.stdin`. */
  input?: Readable;
  /** Instead of `process.stdout`. */
  output?: Writable;
}

/** Serve until the input ends and what runs is finished. */
export async function runStdio(server: Server, options: StdioOptions = {}): Promise<void> {
  const input = options.input ?? process.stdin;
  const [write, release] = options.output === undefined ? claim() : [writerOf(options.output), () => undefined];
  let broken = false;
  let flushing = false;
  // Answers leave together when everything that was read has been looked at: one system call instead of many.
  const flush = (): void => {
    flushing = false;
    const data = connection.held();
    if (data !== null && !broken) write(data, () => (broken = true));
  };
  const connection = Connection.overStream(
    server,
    (full) => {
      if (full) flush();
      else if (!flushing) {
        flushing = true;
        setImmediate(flush);
      }
    },
    new McpRequest({ principal: options.principal }),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      const data = (chunk: Buffer | string): void => {
        try {
          connection.feed(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
        } catch (wrong) {
          reject(wrong);
        }
      };
      input.on("data", data).once("end", resolve).once("close", resolve).once("error", resolve);
    });
    connection.feed(null);
    await connection.drain(options.drainMs ?? 5_000);
  } finally {
    flush();
    release();
  }
}

type Write = (data: Buffer, failed: () => void) => void;

function writerOf(output: Writable): Write {
  let failed = (): void => undefined;
  output.on("error", () => failed()); // nobody reads any more; the end of input follows
  return (data, onError) => {
    failed = onError;
    output.write(data);
  };
}

function claim(): [Write, () => void] {
  const { stdout, stderr } = process;
  const original = stdout.write;
  const write = original.bind(stdout);
  let failed = (): void => undefined;
  const onError = (): void => failed();
  stdout.on("error", onError);
  stdout.write = stderr.write.bind(stderr) as typeof stdout.write;
  return [
    (data, onFailure) => {
      failed = onFailure;
      write(data);
    },
    () => {
      stdout.write = original;
      stdout.off("error", onError);
    },
  ];
}
