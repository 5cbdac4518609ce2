import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when it holds; fails with `what` after half a minute, which nothing here takes. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1_500; tries++) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`still not so: ${what}`);
}
