import { rmSync } from "node:fs";
import { performance } from "node:perf_hooks";
import { firstQuote } from "./preparation.ts";
import type { ServerProcess } from "./server-process.ts";
import { median } from "./statistics.ts";

export interface StartUp {
  /** Process spawn to the socket's first accept, median milliseconds. */
  readonly acceptingMs: number;
  /** Process spawn to the last byte of the first quote, median milliseconds. */
  readonly firstQuoteMs: number;
  readonly samples: readonly number[];
}

/**
 * Starts the quote helper `times` times and takes from each a first quote: init, size, report, quote. With `fresh` the state directory
 * is removed before each start, so that CA keys, certificates, collateral and attestation key are all made.
 */
export async function measureStartUp(
  start: () => ServerProcess,
  statePath: string,
  times: number,
  fresh: boolean,
  progress: (line: string) => void,
): Promise<StartUp> {
  const accepting: number[] = [];
  const quoted: number[] = [];
  for (let i = 1; i <= times; i++) {
    if (fresh) rmSync(statePath, { recursive: true, force: true });
    const server = start();
    try {
      await server.accepting();
      accepting.push(performance.now() - server.spawnedAt);
      await firstQuote(server.socketPath);
      quoted.push(performance.now() - server.spawnedAt);
    } finally {
      await server.stop();
    }
    progress(
      `start ${i}/${times} with ${fresh ? "no" : "existing"} state: first quote after ${quoted.at(-1)?.toFixed(0)} ms`,
    );
  }
  return { acceptingMs: median(accepting), firstQuoteMs: median(quoted), samples: quoted };
}
