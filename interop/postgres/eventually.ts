import { setTimeout as sleep } from "node:timers/promises";

/** Resolves when it holds; fails with `what` after half a minute, unless told, which nothing here takes. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  patienceMs = 30_000,
): Promise<void> {
  for (const end = performance.now() + patienceMs; performance.now() < end; ) {
    if (await holds()) return;
    await sleep(20);
  }
  throw new Error(`still not so: ${what}`);
}
