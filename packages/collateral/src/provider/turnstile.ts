import { CollateralError } from "../errors.ts";

/** So many at a time, so many waiting, first come first served. */
export class Turnstile {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: { gone: boolean; readonly go: () => void }[] = [];
  #head = 0;
  #running = 0;

  constructor(concurrency: number, maxWaiting: number) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs `work` when it is its turn, or without one when the signal comes first: it then asks nobody. Fails with SOURCE_BUSY where
   * too many wait.
   */
  async pass<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#running >= this.#concurrency) {
      if (this.#waiting.length - this.#head >= this.#maxWaiting)
        throw new CollateralError("SOURCE_BUSY", `${this.#maxWaiting} requests for collateral wait already`);
      if (!(await this.#turn(signal))) return work();
    } else this.#running++;
    try {
      return await work();
    } finally {
      this.#next();
    }
  }

  /** False: the signal came first. */
  #turn(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const onAbort = () => {
        waiter.gone = true;
        resolve(false);
      };
      const waiter = {
        gone: false,
        go: () => {
          signal.removeEventListener("abort", onAbort);
          resolve(true);
        },
      };
      this.#waiting.push(waiter);
      signal.addEventListener("abort", onAbort, { once: true });
      if (signal.aborted) onAbort();
    });
  }

  /** The place goes to who waits longest, without becoming free in between. */
  #next(): void {
    while (this.#waiting[this.#head]?.gone === true) this.#head++;
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
    next.go();
  }
}
