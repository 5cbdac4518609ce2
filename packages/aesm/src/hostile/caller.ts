import { parentPort, workerData } from "node:worker_threads";
import { AesmClient } from "../client/aesm-client.ts";

export interface CallerReport {
  readonly calls: number;
  readonly failures: readonly string[];
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** A well-behaved application in a thread of its own: one call after the other, a report whenever it is asked for one. */
const client = new AesmClient({ socketPath: workerData as string, timeoutMs: 5_000 });
let latencies: number[] = [];
let failures: string[] = [];

parentPort?.on("message", () => {
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round(sorted[Math.floor(sorted.length * share)] ?? 0);
  const report: CallerReport = { calls: sorted.length, failures, p50: at(0.5), p99: at(0.99) };
  latencies = [];
  failures = [];
  parentPort?.postMessage(report);
});

for (;;) {
  const start = performance.now();
  try {
    await client.supportedKeyIdCount();
    latencies.push((performance.now() - start) * 1000);
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
  await new Promise((resolve) => setTimeout(resolve, 1));
}
