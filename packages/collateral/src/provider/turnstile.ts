import { CollateralError } from "../errors.ts";

/** So many at a time, so many waiting, first come first served. */
export class Turnstile {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #head = 0;
  #running = 0;

  constructor(concurrency: number, maxWaiting: number) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
  }

  /** Runs `work` when it is its turn. Fails with SOURCE_BUSY where too many wait. */
  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length - this.#head >= this.#maxWaiting)
        throw new CollateralError("SOURCE_BUSY", `${this.#maxWaiting} requests for collateral wait already`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** The place goes to who waits longest, without becoming free in between. */
  #next(): void {
    const next = this.#waiting[this.#head];
    if (next === undefined) {
      this.#running--;
      return;
    }
    this.#head++;
    if (this.#head > 1024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting.splice(0, this.#head);
      this.#head = 0;
    }
    next();
  }
}
