import type { Clock, Random } from "../clock.ts";
import { CollateralError } from "../errors.ts";
import type { CollateralSource } from "../source.ts";
import { sourceAround } from "./around.ts";
import { mayHeal } from "./healing.ts";

export type BreakerState = "closed" | "open" | "half-open";

export interface BreakerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** Failures in a row that open it; 5 if left out. */
  readonly failures?: number;
  /** How long it stays open at first, milliseconds; 5,000 if left out. Doubled each time the trial fails. */
  readonly openMs?: number;
  /** It never stays open for longer, whatever the source asks for; 5 minutes if left out. */
  readonly longestMs?: number;
  /** Told of each change: for metric and log. */
  readonly onState?: (state: BreakerState, source: string) => void;
}

/**
 * Leaves a source alone that failed repeatedly. Closed, requests pass; after so many failures in a row that may heal
 * ({@link mayHeal}: not 404, 461 or 462, which are answers) it opens, and requests fail at once with SOURCE_SUSPENDED,
 * the last failure as cause and the time left as `retryAfterMs`. Afterwards one request at a time is let through as a
 * trial: its success closes the breaker, its failure opens it for twice as long.
 */
export function withBreaker<S extends CollateralSource>(source: S, options: BreakerOptions): S {
  const { clock, random, failures = 5, openMs = 5_000, longestMs = 300_000 } = options;
  let state: BreakerState = "closed";
  let inARow = 0;
  let opened = 0;
  let until = 0;
  let trial = false;
  let lastFailure: unknown;

  const enter = (next: BreakerState) => {
    if (state === next) return;
    state = next;
    options.onState?.(next, source.name);
  };
  const open = (error: unknown) => {
    const asked = (error instanceof CollateralError ? error.retryAfterMs : undefined) ?? 0;
    const time = Math.min(Math.max(openMs * 2 ** Math.min(opened, 20), asked), longestMs);
    opened++;
    // Up to a quarter longer by chance: replicas that lost the source together do not try it together.
    until = clock.now() + time * (1 + random() / 4);
    enter("open");
  };
  const suspended = () => {
    const left = Math.max(until - clock.now(), 0);
    const when = state === "open" ? `next attempt in ${Math.ceil(left / 1000)} s` : "a trial is under way";
    const reason = lastFailure instanceof Error ? lastFailure.message : "unknown";
    const message = `${source.name} failed ${inARow} times in a row and is left alone, ${when}; last: ${reason}`;
    return new CollateralError("SOURCE_SUSPENDED", message, {
      cause: lastFailure,
      source: source.name,
      retryAfterMs: left,
    });
  };

  return sourceAround(source, async (work, signal) => {
    if (state === "open" && clock.now() >= until) enter("half-open");
    if (state === "open" || (state === "half-open" && trial)) throw suspended();
    const isTrial = state === "half-open";
    if (isTrial) trial = true;
    try {
      const answer = await work();
      inARow = 0;
      opened = 0;
      enter("closed");
      return answer;
    } catch (error) {
      // Whoever gave up before its deadline says nothing about the source.
      const givenUp = signal.aborted && (signal.reason as { readonly name?: unknown } | null)?.name !== "TimeoutError";
      if (givenUp) throw error;
      if (mayHeal(error) === "no") {
        inARow = 0;
        opened = 0;
        enter("closed");
      } else {
        inARow++;
        lastFailure = error;
        // Requests that were under way when it opened do not open it for longer.
        if (isTrial || (state === "closed" && inARow >= failures)) open(error);
      }
      throw error;
    } finally {
      if (isTrial) trial = false;
    }
  });
}
