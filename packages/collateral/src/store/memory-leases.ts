import type { Clock } from "../clock.ts";
import type { Leases } from "./store.ts";

interface Held {
  readonly until: number;
  readonly timer: unknown;
  /** Called when the lease is free. */
  readonly waiting: Set<() => void>;
}

/** How many keys may be held at once: each is a fetch under way, so that more of them are a defect or an attack. */
const MAXIMUM_KEYS = 100_000;

/** Leases of a store that only one process opens: they live and die with it. */
export class MemoryLeases implements Leases {
  readonly #clock: Clock;
  readonly #held = new Map<string, Held>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async acquire(key: string, ttlMs: number): Promise<boolean> {
    const now = this.#clock.now();
    const held = this.#held.get(key);
    if (held !== undefined && held.until > now) return false;
    if (held === undefined && this.#held.size >= MAXIMUM_KEYS) return false;
    if (held !== undefined) this.#free(key, held);
    const timer = this.#clock.setTimeout(() => this.#expire(key), ttlMs);
    this.#held.set(key, { until: now + ttlMs, timer, waiting: new Set() });
    return true;
  }

  async release(key: string): Promise<void> {
    const held = this.#held.get(key);
    if (held !== undefined) this.#free(key, held);
  }

  released(key: string, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const held = this.#held.get(key);
    if (held === undefined || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clearTimeout(timer);
        signal.removeEventListener("abort", done);
        held.waiting.delete(done);
        resolve();
      };
      const timer = this.#clock.setTimeout(done, timeoutMs);
      signal.addEventListener("abort", done);
      held.waiting.add(done);
    });
  }

  /** Lets go of everything: nobody waits for a store that is closed. */
  close(): void {
    for (const [key, held] of this.#held) this.#free(key, held);
  }

  #expire(key: string): void {
    const held = this.#held.get(key);
    if (held === undefined) return;
    // A timer may fire early by the clock that `acquire` asks.
    const left = held.until - this.#clock.now();
    if (left <= 0) this.#free(key, held);
    else this.#held.set(key, { ...held, timer: this.#clock.setTimeout(() => this.#expire(key), left) });
  }

  #free(key: string, held: Held): void {
    this.#clock.clearTimeout(held.timer);
    this.#held.delete(key);
    for (const done of [...held.waiting]) done();
  }
}
