/** What was done when: `ms` is the time from the beginning to the end of the step. */
export class Timeline {
  readonly steps: { step: string; ms: number }[] = [];
  readonly #begun: number;
  readonly #now: () => number;
  readonly #log: (line: string) => void;

  constructor(now: () => number, log: (line: string) => void) {
    this.#begun = now();
    this.#now = now;
    this.#log = log;
  }

  async step<T>(step: string, work: () => Promise<T>): Promise<T> {
    const begun = this.#now();
    const result = await work();
    const end = this.#now();
    const ms = Math.round(end - this.#begun);
    this.steps.push({ step, ms });
    this.#log(`${(ms / 1000).toFixed(1).padStart(6)} s  ${step} (${((end - begun) / 1000).toFixed(1)} s)`);
    return result;
  }
}
