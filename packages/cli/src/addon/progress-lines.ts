import type { Progress } from "@confcom/kubernetes/addon";
import type { Output } from "../terminal/output.ts";
import { printable } from "../terminal/printable.ts";
import { isWriteFailure } from "../terminal/write-failure.ts";

/** A line on standard error for each step with its time, and one for whatever a step waits for. */
export class ProgressLines implements Progress {
  readonly #output: Output;
  readonly #now: () => number;
  readonly #quiet: boolean;
  readonly #started: number;
  readonly #steps: { readonly step: string; readonly seconds: number }[] = [];
  #current: { readonly name: string; readonly since: number } | undefined;

  /** `now` in milliseconds. */
  constructor(output: Output, now: () => number, quiet: boolean) {
    this.#output = output;
    this.#now = now;
    this.#quiet = quiet;
    this.#started = now();
  }

  step(name: string): void {
    this.#end();
    this.#current = { name, since: this.#now() };
  }

  detail(text: string): void {
    if (!this.#quiet && text !== "") this.#note(this.#output.style.faint(`           ${printable(text)}`));
  }

  warning(text: string): void {
    if (!this.#quiet) this.#note(`${this.#output.style.caution("WARNING")}: ${printable(text)}`);
  }

  /** The present step has failed: it is not told as done. */
  abandon(): void {
    this.#current = undefined;
  }

  /** Ends the last step. */
  finish(): {
    readonly seconds: number;
    readonly steps: readonly { readonly step: string; readonly seconds: number }[];
  } {
    this.#end();
    return { seconds: rounded(this.#now() - this.#started), steps: this.#steps };
  }

  /** A reader that has gone away (`2>&1 | head`) must not leave an installation half done. */
  #note(line: string): void {
    try {
      this.#output.note(line);
    } catch (error) {
      if (!isWriteFailure(error)) throw error;
    }
  }

  #end(): void {
    if (this.#current === undefined) return;
    const { name, since } = this.#current;
    const seconds = rounded(this.#now() - since);
    this.#steps.push({ step: name, seconds });
    if (!this.#quiet) this.#note(`${seconds.toFixed(1).padStart(7)} s  ${printable(name)}`);
    this.#current = undefined;
  }
}

const rounded = (milliseconds: number): number => Math.round(milliseconds / 100) / 10;
