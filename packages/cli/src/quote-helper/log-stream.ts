import { constants, openSync, writeSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

/** How soon a full pipe is tried again. Milliseconds. */
const AGAIN_MS = 50;

/**
 * Lines to a descriptor, each written before the call returns: a daemon that dies has said why. What does not fit into a
 * pipe that nobody reads is lost and counted, and no daemon waits for its reader. That needs a descriptor that does not
 * block; one that does is waited for.
 */
export class LogStream {
  readonly #fd: number;
  #lost = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(line: string): void {
    // On a line of its own: the one before may have been cut.
    if (this.#lost > 0 && this.#put(Buffer.from(`\n${JSON.stringify({ level: 40, lost: this.#lost })}\n`)) > 0) {
      this.#lost = 0;
    }
    const bytes = Buffer.from(line);
    if (this.#put(bytes) < bytes.length) this.#lost++;
  }

  /** Resolves when all of it is written, however long that takes. */
  async writeAll(lines: string): Promise<void> {
    let rest: Uint8Array = Buffer.from(lines);
    for (;;) {
      rest = rest.subarray(this.#put(rest));
      if (rest.length === 0) return;
      await sleep(AGAIN_MS, undefined, { ref: false });
    }
  }

  /** Bytes written; a descriptor that fails otherwise takes everything, as nobody can be told. */
  #put(bytes: Uint8Array): number {
    try {
      return writeSync(this.#fd, bytes);
    } catch (error) {
      return error instanceof Error && "code" in error && error.code === "EAGAIN" ? 0 : bytes.length;
    }
  }
}

let stream: LogStream | undefined;

/** Standard error, opened once more so that it does not block; where that cannot be (a socket), as it is. */
export function standardError(): LogStream {
  stream ??= new LogStream(nonBlocking());
  return stream;
}

function nonBlocking(): number {
  try {
    return openSync("/proc/self/fd/2", constants.O_WRONLY | constants.O_APPEND | constants.O_NONBLOCK);
  } catch {
    return 2;
  }
}
