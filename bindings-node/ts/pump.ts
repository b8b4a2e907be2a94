/**
 * Writing responses that stay open. There may be thousands, and nearly all of them are silent: between two things to say
 * nothing is kept of one but what it is and where it writes to. It holds no promise, no function in work and no timer of
 * its own.
 */

import type { OpenStream } from "./hub.js";
import type { Reply } from "./native.js";
import type { Sink } from "./sink.js";

/** What there is to write: bytes; null: nothing now; undefined: the stream has ended. */
export type Piece = Buffer | null | undefined;

/** A stream that waits for what it has to say. */
export interface Readable extends OpenStream {
  /** Called when there is more to write, and when the stream is closed. */
  wake: (() => void) | undefined;
  /** Milliseconds of silence after which `silent` is asked. */
  readonly silenceMs: number;
  /** The next piece. Rejects or throws when it cannot go on. */
  next(): Piece | Promise<Piece>;
  /** What to write after that silence: mostly a comment, so that proxies keep the connection. */
  silent(): Piece | Promise<Piece>;
}

/** Write what an open response has to say, until it ends. `report` is told why it cannot go on. */
export function stay(sink: Sink, head: Reply, stream: Readable, report: (wrong: unknown) => unknown): void {
  sink.start(head.status, head.headers);
  const pump = new Pump(sink, stream, report);
  sink.onGone(() => pump.gone());
  stream.wake = () => pump.wake();
  pump.wake();
}

class Pump {
  #isBusy = false;
  #isLate = false;
  #isGone = false;
  #isOver = false;

  constructor(
    private readonly sink: Sink,
    private readonly stream: Readable,
    private readonly report: (wrong: unknown) => unknown,
  ) {}

  /** There is more to write, or no more is to be written. */
  wake(): void {
    if (this.#isBusy) this.#isLate = true;
    else this.#write(false);
  }

  /** Nothing was said for a while. */
  silent(): void {
    if (!this.#isBusy) this.#write(true);
  }

  /** The reader went away. */
  gone(): void {
    this.#isGone = true;
    this.stream.close();
  }

  // Most streams have one thing to say and need not wait for its reader: that costs no promise.
  #write(silent: boolean): void {
    if (this.#isOver) return;
    const { stream } = this;
    this.#isBusy = true;
    this.#isLate = false;
    Silence.of(stream.silenceMs).leave(this);
    try {
      const rest = this.#pieces(silent ? stream.silent() : stream.next());
      if (rest === undefined) this.#written();
      else rest.then(() => this.#written(), (wrong: unknown) => this.#failed(wrong));
    } catch (wrong) {
      this.#failed(wrong);
    }
  }

  #written(): void {
    this.#isBusy = false;
    if (this.#isOver) return;
    if (this.#isLate) this.#write(false);
    else Silence.of(this.stream.silenceMs).rest(this);
  }

  #failed(wrong: unknown): void {
    this.report(wrong);
    this.stream.close();
    this.#end();
    this.#isBusy = false;
  }

  // Undefined: all is written that there was.
  #pieces(found: Piece | Promise<Piece>): Promise<void> | undefined {
    for (;;) {
      if (found instanceof Promise) return this.#waiting(found, undefined);
      if (!this.#put(found)) return undefined;
      const drained = this.sink.drained();
      if (drained !== undefined) return this.#waiting(null, drained);
      found = this.stream.next();
    }
  }

  // The same from where something has to be waited for.
  async #waiting(found: Piece | Promise<Piece>, drained: Promise<void> | undefined): Promise<void> {
    const { stream } = this;
    let closed: Promise<void> | undefined;
    for (;;) {
      if (drained !== undefined) {
        await Promise.race([drained, (closed ??= new Promise((resolve) => stream.onClose(resolve)))]);
        found = stream.next(); // what has changed meanwhile is told once
      }
      if (!this.#put(found instanceof Promise ? await found : found)) return;
      drained = this.sink.drained();
      if (drained === undefined) found = stream.next();
    }
  }

  // False: there is nothing more to write now.
  #put(piece: Piece): boolean {
    if (piece === null) return false;
    if (piece === undefined || this.#isGone) {
      this.#end();
      return false;
    }
    this.sink.write(piece);
    return true;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.stream.wake = undefined;
    if (!this.#isGone) this.sink.end();
  }
}

/** Tells pumps that were silent for so long. One timer for all of them. */
class Silence {
  static readonly #all = new Map<number, Silence>();
  // When each was silent last; the one that is silent for longest is the first.
  readonly #since = new Map<Pump, number>();
  #timer: NodeJS.Timeout | undefined;

  static of(ms: number): Silence {
    const known = Silence.#all.get(ms);
    if (known !== undefined) return known;
    const made = new Silence(ms);
    Silence.#all.set(ms, made);
    return made;
  }

  private constructor(private readonly ms: number) {}

  rest(pump: Pump): void {
    this.#since.set(pump, performance.now());
    this.#timer ??= setTimeout(() => this.#ring(), this.ms);
  }

  leave(pump: Pump): void {
    this.#since.delete(pump);
    if (this.#since.size > 0) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #ring(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const [pump, since] of this.#since) {
      const left = since + this.ms - now;
      if (left > 0) {
        this.#timer ??= setTimeout(() => this.#ring(), left);
        return;
      }
      pump.silent();
    }
  }
}
