import type { Clock } from "../clock.ts";

/** So many at once, then one in `refillMs`. */
export class TokenBucket {
  readonly #clock: Clock;
  readonly #size: number;
  readonly #refillMs: number;
  #tokens: number;
  #countedAt: number;

  constructor(clock: Clock, { size, refillMs }: { size: number; refillMs: number }) {
    this.#clock = clock;
    this.#size = size;
    this.#refillMs = refillMs;
    this.#tokens = size;
    this.#countedAt = clock.now();
  }

  /** Whether there was one to take. */
  take(): boolean {
    const gained = Math.floor((this.#clock.now() - this.#countedAt) / this.#refillMs);
    if (gained > 0) {
      this.#tokens = Math.min(this.#size, this.#tokens + gained);
      this.#countedAt += gained * this.#refillMs;
    }
    if (this.#tokens === 0) return false;
    this.#tokens--;
    return true;
  }
}
