/** So many per second in the long run, and a burst after a quiet time. */
export class TokenBucket {
  readonly #ratePerMs: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #at: number;

  constructor(ratePerSecond: number, burst: number, now: () => number) {
    this.#ratePerMs = ratePerSecond / 1000;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#at = now();
  }

  /** 0: one was taken. Otherwise none was, and there will be one in so many milliseconds. */
  take(): number {
    const wait = this.waitMs();
    if (wait === 0) this.#tokens -= 1;
    return wait;
  }

  /** Milliseconds until there is one. */
  waitMs(): number {
    const now = this.#now();
    // A clock that was set back gives nothing, and takes nothing.
    if (now > this.#at) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#ratePerMs);
    this.#at = now;
    // A hair's breadth below one is rounding, not want.
    return this.#tokens >= 1 - 1e-6 ? 0 : Math.ceil((1 - this.#tokens) / this.#ratePerMs);
  }
}
