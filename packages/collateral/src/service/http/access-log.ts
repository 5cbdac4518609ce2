import type { Clock } from "../../clock.ts";

/** Where lines go: many in one text, each ended. While a promise of it is open, nothing more is given. */
export type AccessLogSink = (lines: string) => void | Promise<void>;

const FLUSH_INTERVAL_MS = 50;

/** An answer that was not a built response. `method`, `peer` and `id` are safe in a JSON text, and so is `key`. */
export interface LoggedAnswer {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly id: string;
  readonly peer: string;
  readonly method: string;
  /** As it was sent. */
  readonly path: string;
  /** Which document or platform; empty where it is not known. */
  readonly key: string;
  readonly status: number;
  readonly bytes: number;
  readonly ms: number;
  /** Why it was refused; empty where it was not. */
  readonly reason: string;
}

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

  /** A built response: path and representation were looked at when it was built. */
  hit(
    time: number,
    id: string,
    peer: string,
    { path, representation }: { readonly path: string; readonly representation: string },
    bytes: number,
  ): void {
    this.push(
      `{"time":${time},"id":"${id}","peer":"${peer}","method":"GET","path":"${path}","key":"${representation}","status":200,"bytes":${bytes},"ms":0,"cache":true}`,
    );
  }

  answer({ time, id, peer, method, path, key, status, bytes, ms, reason }: LoggedAnswer): void {
    const about = key === "" ? "" : `,"key":"${key.slice(0, MAX_KEY)}"`;
    const why = reason === "" ? "" : `,"reason":${logText(reason)}`;
    this.push(
      `{"time":${time},"id":"${id}","peer":"${peer}","method":"${method}","path":${logText(path)}${about},"status":${status},"bytes":${bytes},"ms":${ms},"cache":false${why}}`,
    );
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
const MAX_KEY = 2200;

/** A text of somebody else's inside a line: bounded, no long hexadecimal (an encrypted PPID), nothing that ends the line. */
export function logText(text: string): string {
  return JSON.stringify(
    text
      .slice(0, 4096)
      .replace(/[0-9A-Fa-f]{300,}/g, "<hexadecimal>")
      .slice(0, MAX_TEXT),
  ).replace(/[\u007f-\uffff]/g, "?");
}
