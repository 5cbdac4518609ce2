import type { PlatformError } from "@confcom/quoting";
import type { Random } from "../../clock.ts";

const FIRST_PAUSE_MS = 1000;
/**
 * With half of it more by chance, 30 s at most: 10,000 helpers then ask one service some 500 times a second on average, a
 * fortieth of what one address prefix may.
 */
const LONGEST_PAUSE_MS = 20_000;
/** A service that asks to be left alone is left alone for so long at most. */
const LONGEST_ASKED_MS = 60_000;

export interface AttemptsStatus {
  /** Since the start. */
  readonly succeeded: number;
  /** Since the start, by code. */
  readonly failed: Readonly<Record<string, number>>;
  /** Milliseconds since 1970; undefined: never yet. */
  readonly lastSuccess: number | undefined;
  /** Of the last attempt, if it failed. */
  readonly failure: { readonly code: string; readonly message: string; readonly at: number } | undefined;
  /** Milliseconds since 1970 before which the service is left alone. */
  readonly notBefore: number;
}

/**
 * How often the service is asked: after a failure not again for a second, then twice as long each time up to 20 s,
 * give or take half of it so that helpers which failed together do not come back together. Whoever asks meanwhile gets
 * the last failure at once.
 */
export class Attempts {
  readonly #random: Random;
  readonly #failed: Record<string, number> = {};
  #succeeded = 0;
  #lastSuccess: number | undefined;
  #failure: { readonly error: PlatformError; readonly at: number } | undefined;
  #inRow = 0;
  #notBefore = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The failure to answer with now, without asking; undefined: ask. */
  failureNow(now: number): PlatformError | undefined {
    return now < this.#notBefore ? this.#failure?.error : undefined;
  }

  succeeded(now: number): void {
    this.#succeeded++;
    this.#lastSuccess = now;
    this.#failure = undefined;
    this.#inRow = 0;
    this.#notBefore = 0;
  }

  /** `retryAfterMs`: how long the service itself asked to be left alone. */
  failed(error: PlatformError, now: number, retryAfterMs = 0): void {
    this.#failed[error.code] = (this.#failed[error.code] ?? 0) + 1;
    this.#failure = { error, at: now };
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#inRow);
    this.#inRow = Math.min(this.#inRow + 1, 16);
    const jittered = pause * (0.5 + this.#random());
    this.#notBefore = now + Math.max(jittered, Math.min(retryAfterMs, LONGEST_ASKED_MS));
  }

  get status(): AttemptsStatus {
    const { error, at } = this.#failure ?? {};
    return {
      succeeded: this.#succeeded,
      failed: { ...this.#failed },
      lastSuccess: this.#lastSuccess,
      failure: error === undefined || at === undefined ? undefined : { code: error.code, message: error.message, at },
      notBefore: this.#notBefore,
    };
  }
}
