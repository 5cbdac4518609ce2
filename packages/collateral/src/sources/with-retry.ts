import type { Clock, Random } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import type { CollateralSource } from "../source.ts";
import { sourceAround } from "./around.ts";
import { mayHeal } from "./healing.ts";

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Attempts after the first; 3 if left out. */
  readonly retries?: number;
  /** Milliseconds before the second attempt, doubled for every further one; 200 if left out. */
  readonly delayMs?: number;
  /** No wait is longer, in milliseconds; 10,000 if left out. A source that asks for more time is not asked again. */
  readonly longestMs?: number;
}

/** True when the time is over, false when the signal came first. */
function sleep(ms: number, clock: Clock, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const end = (slept: boolean) => {
      clock.clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
      resolve(slept);
    };
    const onAbort = () => end(false);
    const timer = clock.setTimeout(() => end(true), ms);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
  });
}

/**
 * Asks again what may heal ({@link mayHeal}): after half to all of a delay that doubles, never before the Retry-After that
 * the source named, and never past the signal. What comes out in the end is the last failure as it was.
 * Belongs around {@link withBreaker}: a breaker that is open ends the attempts, with what the source itself failed with
 * where it was asked.
 */
export function withRetry<S extends CollateralSource>(source: S, options: RetryOptions): S {
  const { clock, random, retries = 3, delayMs = 200, longestMs = 10_000 } = options;
  return sourceAround(source, async (work, signal) => {
    let internalErrors = 0;
    let lastFailure: unknown;
    for (let attempt = 0; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const heals = mayHeal(error);
        if (error instanceof CollateralError && error.code === "SOURCE_SUSPENDED") throw lastFailure ?? error;
        lastFailure = error;
        if (heals === "no" || attempt >= retries || signal.aborted) throw error;
        if (heals === "once" && ++internalErrors > 1) throw error;
        const asked = (error instanceof CollateralError ? error.retryAfterMs : undefined) ?? 0;
        if (asked > longestMs) throw error;
        const delay = Math.min(delayMs * 2 ** attempt, longestMs);
        // Half of it is chance, so that clients that failed together do not come back together.
        const wait = Math.max(asked, delay / 2) + (random() * delay) / 2;
        if (!(await sleep(wait, clock, signal))) throw error;
      }
    }
  });
}
