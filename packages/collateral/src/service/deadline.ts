import type { Clock } from "../clock.ts";
import { CollateralError } from "../errors.ts";

/**
 * Runs work that gets `ms` milliseconds and is told by its signal when they are over, or when `ended` fires. It fails
 * then with DEADLINE, whether the work heeds the signal or not.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  ended: AbortSignal,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = () => controller.abort(new CollateralError("DEADLINE", `${what}: the service stops`));
  const timer = clock.setTimeout(() => {
    controller.abort(new CollateralError("DEADLINE", `${what}: nothing within ${ms} ms`));
  }, ms);
  if (ended.aborted) stop();
  ended.addEventListener("abort", stop, { once: true });
  let aborted: () => void = () => {};
  const over = new Promise<never>((_, reject) => {
    aborted = () => reject(signal.reason);
    if (signal.aborted) aborted();
    signal.addEventListener("abort", aborted, { once: true });
  });
  try {
    return await Promise.race([work(signal), over]);
  } finally {
    clock.clearTimeout(timer);
    ended.removeEventListener("abort", stop);
    signal.removeEventListener("abort", aborted);
  }
}
