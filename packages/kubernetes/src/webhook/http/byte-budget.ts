/** Gives bytes back. */
export type Release = () => void;

interface Waiting {
  readonly bytes: number;
  readonly start: (release: Release) => void;
}

/** Bounds what request bodies hold together. Who finds no room waits in turn; a bounded number may wait. */
export class ByteBudget {
  readonly #queueLimit: number;
  readonly #queue = new Set<Waiting>();
  readonly #total: number;
  #free: number;

  constructor(bytes: number, queueLimit: number) {
    this.#total = bytes;
    this.#free = bytes;
    this.#queueLimit = queueLimit;
  }

  /**
   * Calls `start` as soon as there is room, at once where there is. Answers how to stop waiting; undefined where too
   * many wait already.
   */
  take(bytes: number, start: (release: Release) => void): (() => void) | undefined {
    const waiting = { bytes: Math.min(bytes, this.#total), start };
    if (this.#queue.size === 0 && waiting.bytes <= this.#free) {
      this.#start(waiting);
      return () => {};
    }
    if (this.#queue.size >= this.#queueLimit) return undefined;
    this.#queue.add(waiting);
    return () => {
      if (this.#queue.delete(waiting)) this.#serve();
    };
  }

  #start({ bytes, start }: Waiting): void {
    this.#free -= bytes;
    let held = true;
    start(() => {
      if (!held) return;
      held = false;
      this.#free += bytes;
      this.#serve();
    });
  }

  #serve(): void {
    for (const waiting of this.#queue) {
      if (waiting.bytes > this.#free) return;
      this.#queue.delete(waiting);
      this.#start(waiting);
    }
  }
}
