/** What a handler knows of the task it runs as. */

/** Leaves a handler that goes on as a task. Let it pass, as `Suspended`. */
export class Begin extends Error {
  constructor() {
    super("the call goes on as a task; this leaves the handler, which is run again in the background");
    this.name = "Begin";
  }
}

/** The task a handler runs as (`Context.task`). */
export class CurrentTask {
  readonly #say: ((message: string) => Promise<void>) | undefined;
  readonly #begins: boolean;

  constructor(
    /** The task's id; undefined if the handler runs within its request. */
    readonly id?: string,
    say?: (message: string) => Promise<void>,
    begins = false,
  ) {
    this.#say = say;
    this.#begins = begins;
  }

  /** Say for people what it is doing: `statusMessage` of the task. Without a task nothing is said. */
  async status(message: string): Promise<void> {
    await this.#say?.(message);
  }

  /**
   * In a tool with `task: "deferred"`: from here on run as a task, if the client takes one. The call is answered, and the
   * handler is run again from its start, in the background: what it asked the client before is answered, `memo` gives what it
   * gave, and this does nothing.
   */
  begin(): void {
    if (this.#begins) throw new Begin();
  }
}
