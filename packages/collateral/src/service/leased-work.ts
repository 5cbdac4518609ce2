import type { Clock } from "../clock.ts";
import type { Leases } from "../store/store.ts";

/** Longer than the work may take, so that a lease is never lost under way; a dead owner's is free after it. */
const LEASE_MARGIN_MS = 5_000;
/** How long to wait for another's lease before looking into the store again. */
const WAIT_MS = 2_000;

export interface LeasedWork<T> {
  readonly key: string;
  /** The work's own deadline, milliseconds from now. */
  readonly withinMs: number;
  /** What another replica may have stored meanwhile. */
  readonly stored: () => T | undefined | Promise<T | undefined>;
  readonly work: () => Promise<T>;
  readonly signal: AbortSignal;
}

/**
 * Does work that only one replica shall do at a time: the others wait until its lease is free, and look into the store
 * again before they do it themselves. Ends with the signal at the latest.
 */
export async function underLease<T>(leases: Leases, clock: Clock, task: LeasedWork<T>): Promise<T> {
  const { key, signal } = task;
  const end = clock.now() + task.withinMs;
  for (;;) {
    signal.throwIfAborted();
    if (await leases.acquire(key, task.withinMs + LEASE_MARGIN_MS)) {
      try {
        // Between the first look and the lease another replica may have finished.
        return (await task.stored()) ?? (await task.work());
      } finally {
        // A lease that cannot be given back runs out; the answer is there all the same.
        await leases.release(key).catch(() => {});
      }
    }
    await leases.released(key, Math.max(1, Math.min(WAIT_MS, end - clock.now())), signal);
    const stored = await task.stored();
    if (stored !== undefined) return stored;
  }
}
