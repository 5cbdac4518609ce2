import type { Clock } from "../../clock.ts";
import { type Progress, pause } from "./life-cycle-options.ts";

export interface Waiting {
  readonly clock: Clock;
  readonly progress: Progress;
  /** Of the clock; null: look once. */
  readonly deadline: number | null;
  /** Between two looks, ms. */
  readonly every: number;
}

/**
 * Looks again and again. `look` answers what there is to wait for, which a person is told whenever it changes, or undefined
 * when that is over. Resolves with what was still waited for at the deadline, or undefined.
 */
export async function waitUntil(
  { clock, progress, deadline, every }: Waiting,
  look: () => Promise<string | undefined>,
): Promise<string | undefined> {
  for (let said = ""; ; ) {
    const why = await look();
    if (why === undefined || deadline === null || clock.now() >= deadline) return why;
    if (why !== said) progress.detail(why);
    said = why;
    await pause(clock, every);
  }
}
