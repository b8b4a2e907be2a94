/**
 * Errors a handler may throw, and those this package throws at registration.
 *
 * What the peer sees: `McpError`, `NotFound` and `InvalidParams` are JSON-RPC protocol errors (a tool's `NotFound` becomes
 * an `isError` result); `ToolError` and `ArgumentError` are tool results with `isError`, which the model can read and act
 * on; `Forbidden` and `Unauthorized` take the form the host's transport has for a refusal. `AskError` and its kinds say
 * why a question to the client has no answer: for a tool an `isError` result, else an internal error with that text.
 * Anything else is unexpected: it is reported to `onError`, and its text is shown unless the server hides it.
 */

/** Base of the errors of this package: `name` is the class's. */
abstract class Named extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A JSON-RPC error, sent to the peer as it is. */
export class McpError extends Named {
  /** JSON-RPC error code; -32603 (internal error) unless given. */
  readonly code: number;
  /** Any JSON value with details; undefined: none is sent. */
  readonly data: unknown;

  constructor(message = "", options: { code?: number; data?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = options.code ?? -32603;
    this.data = options.data;
  }
}

/** There is no such thing. The core picks the code that the peer's revision has for it. */
export class NotFound extends McpError {
  /** What was looked for, as it was given. */
  readonly what: string;

  /**
   * @param what A URI or name (`config://app`), or a whole sentence (`there is no customer 5`). Of a resource the peer hears
   *   the URI it asked for.
   */
  constructor(what = "") {
    super(what.includes(" ") ? what : what === "" ? "not found" : `not found: ${what}`, { code: -32002 });
    this.what = what;
  }
}

/** The request's parameters are wrong: code -32602. */
export class InvalidParams extends McpError {
  /** The parameter it is about, if one. */
  readonly field: string | undefined;

  /** @param options `field` is also sent as `{field}` when `data` is left out. */
  constructor(message = "", options: { field?: string; data?: unknown; cause?: unknown } = {}) {
    const data = options.data ?? (options.field === undefined ? undefined : { field: options.field });
    super(message, { code: -32602, data, cause: options.cause });
    this.field = options.field;
  }
}

/** A tool could not do what was asked: an `isError` result whose text the model reads. */
export class ToolError extends Named {
  /** Content values to send instead of the message; undefined: the message. */
  readonly content: unknown;

  /** @param message The text, or content (a block, or several in an array) to send instead of a text. */
  constructor(message: unknown = "", options?: ErrorOptions) {
    super(typeof message === "string" ? message : "the tool failed", options);
    this.content = typeof message === "string" ? undefined : message;
  }
}

/** One thing that is wrong with arguments: where, what would fit there, and what came (shortened). */
export interface Problem {
  field: string;
  expected: string;
  got: string;
}

/** Arguments do not fit what the tool takes. */
export class ArgumentError extends ToolError {
  /** Path of the first wrong argument, e.g. `filters.tags[0]`. */
  readonly field: string;

  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}

/**
 * A tool's structured result does not fit its output schema: reported, and an internal error (-32603) to the peer. Not
 * an `isError` result: a model cannot do better, and only the server's author can mend it.
 */
export class InvalidResult extends Named {}

/** The caller is known and may not do this. */
export class Forbidden extends Named {
  constructor(message = "forbidden") {
    super(message);
  }
}

/** The caller did not show who it is, or not convincingly. */
export class Unauthorized extends Named {
  constructor(message = "unauthorized") {
    super(message);
  }
}

/** The host's mistake, found when something is registered. Names the thing and the fix. */
export class RegistrationError extends Named {}

/** The peer no longer wants the result (`Context.throwIfCancelled`, and the reason of `Context.signal`). */
export class Cancelled extends Named {
  constructor(what = "") {
    super(what === "" ? "the call was taken back" : `${what}: the call was taken back`);
  }
}

/** A question to the client has no answer. Base of all that may go wrong with one. */
export class AskError extends Named {
  /** The question's key; empty if it is about none in particular. */
  readonly key: string;

  constructor(message: string, key = "") {
    super(message);
    this.key = key;
  }
}

/** The user said no to an elicitation (action `decline`); thrown by `Elicited.data`. */
export class Declined extends AskError {}

/** The user closed an elicitation without an answer (action `cancel`); thrown by `Elicited.data`. */
export class Dismissed extends AskError {}

/**
 * The client answered with an error: its code (-1: the user refused) and its own words. Handshake era only; a client of
 * the stateless era that refuses does not come back.
 */
export class Refused extends AskError {
  /** The error's code; undefined if the client sent none. */
  readonly code: number | undefined;

  constructor(message: string, key = "", code?: number) {
    super(message, key);
    this.code = code;
  }
}

/** No answer came within `askTimeout`. Handshake era only. */
export class TimedOut extends AskError {}

/** The answer does not fit what was asked for (`again: false`; else the question is asked again). */
export class InvalidAnswer extends AskError {}

/** There is no way to ask this client: no session or no event stream over HTTP, or a method that may not ask. */
export class NoChannel extends AskError {}

/** The client's revision has no form for the question, or the question is wrong in itself. */
export class Unaskable extends AskError {}

/** A call asked again and again and is given up. */
export class TooManyRounds extends AskError {}

/** The call needs something that the client did not declare (-32021 from 2026-07-28 on). */
export class MissingClientCapability extends AskError {
  /** A `ClientCapabilities` object with what is missing, e.g. `{sampling: {}}`. */
  readonly needed: object;

  constructor(needed: object, message = "the client did not declare the capability that is needed", key = "") {
    super(message, key);
    this.needed = needed;
  }
}

/**
 * Leaves a run of a handler that needs an answer first; the handler is run again when it is there. Let it pass: a
 * handler that catches everything should throw it on.
 */
export class Suspended extends Named {
  constructor() {
    super("the client has to answer first; this leaves the handler, which is run again with the answer");
  }
}
