import type { ServiceContext } from "./context.ts";
import type { Refresh } from "./refresh.ts";

/** After a round in which something failed the next one comes this soon, then twice as late each time. */
const RETRY_MS = 5 * 60_000;
/** The first look after a start comes within this, so that replicas started together do not ask together. */
const FIRST_MS = 60_000;
/** How much of the interval a round may come earlier: the jitter between replicas. */
const JITTER = 0.1;
const LEASE = "refresh";

/**
 * Refreshes all documents once per interval, by one of the replicas, and earlier what would end before the next round. The
 * replica that did a round keeps the lease until the next is near, so that the others leave theirs out; if it dies, another
 * takes over when that lease is over.
 */
export class RefreshSchedule {
  readonly #context: ServiceContext;
  readonly #refresh: Refresh;
  readonly #intervalMs: number;
  #timer: unknown;
  #round: Promise<void> = Promise.resolve();
  #failures = 0;
  #first = true;

  constructor(context: ServiceContext, refresh: Refresh, intervalMs: number) {
    this.#context = context;
    this.#refresh = refresh;
    this.#intervalMs = intervalMs;
  }

  start(): void {
    this.#in(this.#context.random() * Math.min(FIRST_MS, this.#intervalMs));
  }

  /** Waits for a round under way. */
  async stop(): Promise<void> {
    this.#context.clock.clearTimeout(this.#timer);
    await this.#round;
  }

  #in(ms: number): void {
    const { clock, ended } = this.#context;
    if (ended.aborted) return;
    this.#timer = clock.setTimeout(() => {
      this.#round = this.#runRound().then((delay) => this.#in(delay));
    }, ms);
  }

  /** Milliseconds until the next. */
  async #runRound(): Promise<number> {
    const { clock, random, store, report } = this.#context;
    const jittered = (ms: number) => ms * (1 - JITTER * random());
    // Right after a start only what is about to end: a service that is restarted often refreshes no more often.
    const soonOnly = this.#first;
    this.#first = false;
    try {
      // Ends before the same replica's own next round, or it would leave that one out.
      if (!(await store.leases.acquire(LEASE, Math.ceil(this.#intervalMs * (1 - JITTER) - 1)))) {
        report({ ...ELSEWHERE });
        return jittered(this.#intervalMs);
      }
      const endingBefore = soonOnly ? clock.now() + this.#intervalMs : undefined;
      const { failed, earliestNextUpdate } = await this.#refresh.documents("schedule", endingBefore);
      if (soonOnly || failed > 0) await store.leases.release(LEASE);
      this.#failures = failed > 0 ? this.#failures + 1 : 0;
      const left = (earliestNextUpdate ?? Number.POSITIVE_INFINITY) - clock.now();
      // What ends before the next round would be served stale: half of its time before is soon enough.
      const early = left > 0 && left < this.#intervalMs ? Math.max(RETRY_MS, left / 2) : this.#intervalMs;
      if (failed === 0 && early < this.#intervalMs) await store.leases.release(LEASE);
      return jittered(Math.min(this.#intervalMs, early, failed > 0 ? this.#retryMs() : Number.POSITIVE_INFINITY));
    } catch {
      // The store failed, which readiness says; the next round may find it well.
      this.#failures += 1;
      return jittered(Math.min(this.#intervalMs, this.#retryMs()));
    }
  }

  #retryMs(): number {
    return RETRY_MS * 2 ** Math.min(8, this.#failures - 1);
  }
}

const ELSEWHERE = {
  event: "refresh",
  what: "documents",
  trigger: "schedule",
  outcome: "elsewhere",
  refreshed: 0,
  failed: 0,
  durationMs: 0,
} as const;
