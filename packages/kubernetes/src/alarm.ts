import type { Clock } from "./clock.ts";

/** Sleep that can be cut short. A ring while nobody sleeps is remembered. */
export class Alarm {
  readonly #clock: Clock;
  #rung = false;
  #wake: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Until `milliseconds` have passed, somebody rings (unless `deaf`), or the signal aborts. */
  wait(milliseconds: number, signal: AbortSignal, { deaf = false }: { deaf?: boolean } = {}): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#clock.clearTimeout(timer);
        signal.removeEventListener("abort", done);
        this.#wake = undefined;
        if (!deaf) this.#rung = false;
        resolve();
      };
      const timer = this.#clock.setTimeout(done, milliseconds);
      signal.addEventListener("abort", done);
      if (!deaf) this.#wake = done;
      if (signal.aborted || (this.#rung && !deaf)) done();
    });
  }
}
