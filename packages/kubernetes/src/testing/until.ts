import { setTimeout as delay } from "node:timers/promises";

/** Waits until `holds` does, for at most 20 s; says `what` was waited for when it never did. */
export async function until(what: string, holds: () => boolean): Promise<void> {
  for (let round = 0; round < 2_000; round += 1) {
    if (holds()) return;
    await delay(10);
  }
  throw new Error(`never came: ${what}`);
}
