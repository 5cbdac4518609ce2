import type { AnswerFacts } from "../check/facts.ts";
import type { CachedAnswer } from "./cached-answer.ts";

/** A stored time that is further ahead of the clock than this means that the clock was wrong then, or is now. */
const CLOCK_TOLERANCE_MS = 5 * 60_000;

export interface Freshness {
  /** From here on the answer is asked for again before it is used. Milliseconds since 1970. */
  readonly freshUntil: number;
  /** From here on it is asked for in the background. */
  readonly refreshAt: number;
}

/**
 * An answer is fresh until the earliest of its nextUpdate, what Cache-Control allows and the configured lifetime, and is refreshed
 * when 80 to 90 % of that are over: `share` (0 to below 1) spreads processes that stored it at the same moment. One that was stored
 * in the future is not fresh: its age is not known.
 */
export function freshness(
  { storedAt, maxAgeMs = Number.POSITIVE_INFINITY }: Pick<CachedAnswer, "storedAt" | "maxAgeMs">,
  { nextUpdate }: Pick<AnswerFacts, "nextUpdate">,
  lifetimeMs: number,
  terms: { readonly now: number; readonly share: number },
): Freshness {
  if (storedAt > terms.now + CLOCK_TOLERANCE_MS) return { freshUntil: 0, refreshAt: 0 };
  const freshUntil = Math.min(nextUpdate, storedAt + Math.min(maxAgeMs, lifetimeMs));
  return { freshUntil, refreshAt: storedAt + (freshUntil - storedAt) * (0.8 + terms.share / 10) };
}

/**
 * Below 0 if `a` is older than `b`, above 0 if newer: by number of the TCB evaluation, or of the CRL, where both have one, then by issue
 * date, then by nextUpdate.
 */
export function compareAge(a: AnswerFacts, b: AnswerFacts): number {
  for (const number of ["tcbEvaluationDataNumber", "crlNumber"] as const) {
    const [one, other] = [a[number], b[number]];
    if (one !== undefined && other !== undefined && one !== other) return one - other;
  }
  return a.issued === b.issued ? a.nextUpdate - b.nextUpdate : a.issued - b.issued;
}
