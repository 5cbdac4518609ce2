import type { Random } from "../../clock.ts";

const FIRST_MS = 50;
const LONGEST_MS = 3_000;

/**
 * Milliseconds before try number `attempt` + 1 (from 1 on): doubling, at most 3 s, and of each the upper half at random, so
 * that replicas which lost the same server do not come back in step.
 */
export function backoffMs(attempt: number, random: Random): number {
  const longest = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(attempt - 1, 16));
  return longest / 2 + (longest / 2) * random();
}
