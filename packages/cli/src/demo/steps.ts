import type { Output } from "../terminal/output.ts";

export interface DoneStep {
  readonly name: string;
  readonly milliseconds: number;
  readonly found: string;
}

/** Runs steps one after the other and prints each as it happens: number, name, time, what came of it. */
export class Steps {
  readonly done: DoneStep[] = [];
  readonly #output: Output;
  readonly #silent: boolean;

  constructor(output: Output, silent: boolean) {
    this.#output = output;
    this.#silent = silent;
  }

  heading(text: string): void {
    if (this.#silent) return;
    this.#output.line(this.#output.style.strong(text));
    this.#output.line();
  }

  async run<T>(name: string, work: () => Promise<{ value: T; found: string }>): Promise<T> {
    const started = performance.now();
    const { value, found } = await work();
    const milliseconds = Math.round((performance.now() - started) * 100) / 100;
    this.done.push({ name, milliseconds, found });
    if (!this.#silent) {
      const { style } = this.#output;
      const number = String(this.done.length).padStart(2);
      const time = `${milliseconds.toFixed(milliseconds < 10 ? 2 : 0)} ms`.padStart(8);
      this.#output.line(
        `${style.good("✓")} ${number}  ${style.strong(name.padEnd(33))} ${style.faint(time)}  ${found}`,
      );
    }
    return value;
  }
}
