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
    else void this.#write(false);
  }

  /** Nothing was said for a while. */
  silent(): void {
    if (!this.#isBusy) void this.#write(true);
  }

  /** The reader went away. */
  gone(): void {
    this.#isGone = true;
    this.stream.close();
  }

  // Never rejects.
  async #write(silent: boolean): Promise<void> {
    if (this.#isOver) return;
    const { stream } = this;
    this.#isBusy = true;
    Silence.of(stream.silenceMs).leave(this);
    try {
      do {
        this.#isLate = false;
        await this.#pieces(silent);
        silent = false;
      } while (this.#isLate && !this.#isOver);
    } catch (wrong) {
      this.report(wrong);
      stream.close();
      this.#end();
    }
    this.#isBusy = false;
    if (!this.#isOver) Silence.of(stream.silenceMs).rest(this);
  }

  async #pieces(silent: boolean): Promise<void> {
    const { stream, sink } = this;
    let closed: Promise<void> | undefined;
    for (let found = silent ? stream.silent() : stream.next(); ; found = stream.next()) {
      const piece = found instanceof Promise ? await found : found;
      if (piece === undefined || this.#isGone) return this.#end();
      if (piece === null) return;
      sink.write(piece);
      const drained = sink.drained(); // what changes meanwhile is told once
      if (drained !== undefined) await Promise.race([drained, (closed ??= new Promise((resolve) => stream.onClose(resolve)))]);
    }
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
