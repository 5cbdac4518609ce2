const FIRST_MS = 250;
const MOST_MS = 5_000;

/** Waiting times between attempts: 250 ms, doubled each time up to 5 s, each shortened by up to a half at random so that many nodes do not keep step. */
export class Backoff {
  readonly #random: () => number;
  #attempts = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** How often `next` was asked since the last `reset`. */
  get attempts(): number {
    return this.#attempts;
  }

  /** Milliseconds until the next attempt. */
  next(): number {
    const whole = Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(this.#attempts, 10));
    this.#attempts += 1;
    return Math.round(whole * (0.5 + this.#random() / 2));
  }

  reset(): void {
    this.#attempts = 0;
  }
}
