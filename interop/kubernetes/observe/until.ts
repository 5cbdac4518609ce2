import { setTimeout as sleep } from "node:timers/promises";

export interface Reached<T> {
  readonly value: T;
  /** How long it took, by whole polls. */
  readonly ms: number;
}

/** Something that must never be, seen once: no reason to look again. */
export class Violation extends Error {}

/** Milliseconds between two looks. */
const PAUSE = 200;

/**
 * Looks again and again until `look` no longer throws; its result and the time it took. After `limit` milliseconds the
 * last reason is the error: `what` says what was waited for.
 */
export async function until<T>(
  what: string,
  limit: number,
  look: () => Promise<T> | T,
  pause: number = PAUSE,
): Promise<Reached<T>> {
  const started = performance.now();
  for (;;) {
    try {
      const value = await look();
      return { value, ms: Math.round(performance.now() - started) };
    } catch (error) {
      if (error instanceof Violation) throw error;
      if (performance.now() - started > limit) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new Error(`${what}: not within ${limit / 1000} s: ${reason}`);
      }
    }
    await sleep(pause);
  }
}

/** Looks for `duration` milliseconds and throws as soon as `look` does: what must stay true meanwhile. */
export async function throughout(
  duration: number,
  look: () => Promise<void> | void,
  pause: number = PAUSE,
): Promise<number> {
  const end = performance.now() + duration;
  let looks = 0;
  while (performance.now() < end) {
    await look();
    looks++;
    await sleep(pause);
  }
  return looks;
}
