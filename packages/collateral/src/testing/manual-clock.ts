import type { Clock } from "../clock.ts";

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

/** When the tests' clock starts. */
export const TEST_START = Date.UTC(2026, 10, 21, 12, 0, 0);

/** A clock that a test moves. Timers fire, in order, while it moves; nothing fires by itself. */
export class ManualClock implements Clock {
  #now: number;
  readonly #timers = new Set<Timer>();

  constructor(now: number = TEST_START) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): Timer {
    const timer = { at: this.#now + Math.max(0, ms), callback };
    this.#timers.add(timer);
    return timer;
  }

  clearTimeout(timer: unknown): void {
    this.#timers.delete(timer as Timer);
  }

  /** How many timers wait. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Sets the time without firing anything: a clock that was wrong and is put right. */
  set(now: number): void {
    this.#now = now;
  }

  /** Moves on by so many milliseconds and fires what comes due, earliest first; what that starts is fired too if due. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      let next: Timer | undefined;
      for (const timer of this.#timers) {
        if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
      }
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.callback();
    }
    this.#now = Math.max(this.#now, end);
  }

  /** {@link advance}, step by step with a turn of the event loop between, for code that awaits between its timers. */
  async advanceSlowly(ms: number, step: number = Math.max(1, ms / 20)): Promise<void> {
    for (let moved = 0; moved < ms; moved += step) {
      this.advance(Math.min(step, ms - moved));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
