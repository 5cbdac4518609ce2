import type { Clock } from "../clock.ts";
import type { ServiceLimits } from "./limits.ts";
import type { ServiceReport, UpstreamShare } from "./report.ts";
import { ServiceRefusal } from "./status.ts";
import { TokenBucket } from "./token-bucket.ts";

interface Waiter {
  readonly start: () => void;
}

/** One share of the upstream: a rate, so many calls at once, and a bounded queue for them. */
class Share {
  readonly bucket: TokenBucket;
  readonly #concurrency: number;
  readonly #queueLimit: number;
  readonly #queue = new Set<Waiter>();
  #running = 0;

  constructor(bucket: TokenBucket, concurrency: number, queueLimit: number) {
    this.bucket = bucket;
    this.#concurrency = concurrency;
    this.#queueLimit = queueLimit;
  }

  get full(): boolean {
    return this.#running >= this.#concurrency && this.#queue.size >= this.#queueLimit;
  }

  /** Resolves when it is this caller's turn, who then must {@link leave}. Undefined: the queue is full. */
  enter(signal: AbortSignal): Promise<void> | undefined {
    if (this.full) return undefined;
    if (this.#running < this.#concurrency) {
      this.#running += 1;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        start: () => {
          signal.removeEventListener("abort", aborted);
          resolve();
        },
      };
      const aborted = () => {
        this.#queue.delete(waiter);
        reject(signal.reason);
      };
      signal.addEventListener("abort", aborted, { once: true });
      this.#queue.add(waiter);
    });
  }

  leave(): void {
    for (const next of this.#queue) {
      this.#queue.delete(next);
      next.start();
      return;
    }
    this.#running -= 1;
  }
}

/**
 * What the upstream is spared. Misses, which anybody can cause, have one share; registration and refresh, which need a
 * token, another: neither can use up the other's.
 */
export class UpstreamBudget {
  readonly #clock: Clock;
  readonly #report: ServiceReport;
  readonly #shares: Readonly<Record<UpstreamShare, Share>>;

  constructor(limits: ServiceLimits, clock: Clock, report: ServiceReport) {
    const now = () => clock.now();
    const share = (rate: number, burst: number) =>
      new Share(new TokenBucket(rate, burst, now), limits.concurrency, limits.queue);
    this.#clock = clock;
    this.#report = report;
    this.#shares = {
      misses: share(limits.missRate, limits.missBurst),
      trusted: share(limits.trustedRate, limits.trustedBurst),
    };
  }

  /** Throws ServiceRefusal 503 where a miss would be refused anyway: before anything else is done for it. */
  checkMiss(): void {
    const { bucket, full } = this.#shares.misses;
    if (full) throw this.#refusal("misses", "concurrency", 1000);
    const waitMs = bucket.waitMs();
    if (waitMs > 0) throw this.#refusal("misses", "rate", waitMs);
  }

  /**
   * One upstream call within the budget. `patient`: waits for the rate as long as the signal lets it; otherwise 503 at
   * once. Fails with ServiceRefusal 503, the signal's reason, or as `call` does.
   */
  async run<T>(share: UpstreamShare, patient: boolean, signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const { bucket } = this.#shares[share];
    for (let waitMs = bucket.take(); waitMs > 0; waitMs = bucket.take()) {
      if (!patient) throw this.#refusal(share, "rate", waitMs);
      await this.#sleep(waitMs, signal);
    }
    const turn = this.#shares[share].enter(signal);
    if (turn === undefined) throw this.#refusal(share, "concurrency", 1000);
    await turn;
    try {
      return await call();
    } finally {
      this.#shares[share].leave();
    }
  }

  #refusal(share: UpstreamShare, limit: "rate" | "concurrency", retryAfterMs: number): ServiceRefusal {
    this.#report({ event: "budget-refused", share, limit, retryAfterMs });
    const retryAfter = Math.max(1, Math.ceil(retryAfterMs / 1000));
    return new ServiceRefusal(503, `the upstream budget is used up (${limit} of ${share})`, { retryAfter });
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const timer = this.#clock.setTimeout(() => {
        signal.removeEventListener("abort", aborted);
        resolve();
      }, ms);
      const aborted = () => {
        this.#clock.clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener("abort", aborted, { once: true });
    });
  }
}
