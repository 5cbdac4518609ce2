import type { Clock } from "../../clock.ts";

/** Where lines go: many in one text, each ended. While a promise of it is open, nothing more is given. */
export type AccessLogSink = (lines: string) => void | Promise<void>;

const FLUSH_INTERVAL_MS = 50;

/** JSON lines, written together some 20 times a second. Bounded: what does not fit is dropped and counted. */
export class AccessLog {
  readonly #sink: AccessLogSink | undefined;
  readonly #clock: Clock;
  readonly #maxLines: number;
  #lines: string[] = [];
  #timer: unknown;
  #writing = false;
  dropped = 0;

  constructor(sink: AccessLogSink | undefined, clock: Clock, maxLines: number) {
    this.#sink = sink;
    this.#clock = clock;
    this.#maxLines = maxLines;
  }

  get wanted(): boolean {
    return this.#sink !== undefined;
  }

  /** One line, without its end. */
  push(line: string): void {
    if (this.#lines.length >= this.#maxLines) {
      this.dropped++;
      return;
    }
    this.#lines.push(line);
    this.#timer ??= this.#clock.setTimeout(() => this.flush(), FLUSH_INTERVAL_MS);
  }

  flush(): void {
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#sink === undefined || this.#writing || this.#lines.length === 0) return;
    const text = `${this.#lines.join("\n")}\n`;
    this.#lines = [];
    // A log that cannot be written is no reason not to answer.
    try {
      const written = this.#sink(text);
      if (written === undefined) return;
      this.#writing = true;
      const done = () => {
        this.#writing = false;
        this.flush();
      };
      written.then(done, done);
    } catch {
      this.dropped++;
    }
  }
}

const MAX_TEXT = 256;

/** A text of somebody else's inside a line: bounded, no long hexadecimal (an encrypted PPID), nothing that ends the line. */
export function logText(text: string): string {
  return JSON.stringify(
    text
      .slice(0, 4096)
      .replace(/[0-9A-Fa-f]{300,}/g, "<hexadecimal>")
      .slice(0, MAX_TEXT),
  ).replace(/[\u007f-\uffff]/g, "?");
}
