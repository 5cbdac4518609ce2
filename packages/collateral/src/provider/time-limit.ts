import type { Clock } from "../clock.ts";
import { CollateralError } from "../errors.ts";

/** Runs `work` with a signal that comes when `signal` does, or with a TimeoutError when so many milliseconds are over. */
export async function withTimeLimit<T>(
  ms: number,
  signal: AbortSignal,
  clock: Clock,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = clock.setTimeout(() => over.abort(new DOMException("the time is over", "TimeoutError")), ms);
  try {
    return await work(AbortSignal.any([over.signal, signal]));
  } finally {
    clock.clearTimeout(timer);
  }
}

/** Ends at the signal even if the source does not listen to it. */
export function orAborted<T>(work: Promise<T>, signal: AbortSignal, source: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () =>
      reject(new CollateralError("SOURCE_TIMEOUT", `${source} did not answer in its share of the time`, { source }));
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
