import type { Clock } from "../../clock.ts";
import type { Leases } from "../../store/store.ts";

/** Leases of one process, for tests: exclusive, released, or over in time. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock;
  readonly #held = new Map<string, number>();
  readonly #waiters = new Map<string, Set<() => void>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async acquire(key: string, ttlMs: number): Promise<boolean> {
    if (this.#isHeld(key)) return false;
    this.#held.set(key, this.#clock.now() + ttlMs);
    return true;
  }

  async release(key: string): Promise<void> {
    this.#held.delete(key);
    for (const wake of this.#waiters.get(key) ?? []) wake();
  }

  released(key: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || !this.#isHeld(key)) return Promise.resolve();
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters);
    return new Promise((resolve) => {
      const wake = () => {
        waiters.delete(wake);
        if (waiters.size === 0 && this.#waiters.get(key) === waiters) this.#waiters.delete(key);
        this.#clock.clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        resolve();
      };
      const left = (this.#held.get(key) ?? 0) - this.#clock.now();
      const timer = this.#clock.setTimeout(wake, Math.min(timeoutMs, left));
      signal.addEventListener("abort", wake, { once: true });
      waiters.add(wake);
    });
  }

  #isHeld(key: string): boolean {
    return (this.#held.get(key) ?? Number.NEGATIVE_INFINITY) > this.#clock.now();
  }
}
