/** What bounds the service's work. Times in milliseconds. */
export interface ServiceLimits {
  /** A whole answer, its upstream calls and waits included. */
  readonly answerMs: number;
  /** Requests that wait for the upstream at the same time; more are refused with 503. */
  readonly waiting: number;
  /** Different answers fetched, or waited for, at the same time. */
  readonly flights: number;
  /** Upstream calls at the same time, for misses; registration and refresh have as many of their own. */
  readonly concurrency: number;
  /** Upstream calls that wait for their turn, for misses; and again for registration and refresh. */
  readonly queue: number;
  /** Upstream calls per second that misses may cause, in the long run. */
  readonly missRate: number;
  /** How many of these at once, after a quiet time. */
  readonly missBurst: number;
  /** Upstream calls per second of registration and refresh. */
  readonly trustedRate: number;
  readonly trustedBurst: number;
  /** How long a "no" of the upstream is remembered, and how many. */
  readonly negativeMs: number;
  readonly negativeEntries: number;
  /** How soon something served past its nextUpdate is asked for again. */
  readonly staleRetryMs: number;
  /** Raw TCBs kept of one platform; more are answered without being kept. */
  readonly rawTcbs: number;
  /** CRLs kept by their distribution point; more are served without being kept. */
  readonly crlUrls: number;
  /** Documents, and platforms, in one round of refresh. */
  readonly refreshDocuments: number;
  readonly refreshPlatforms: number;
  /** How long a request for a refresh is answered with its outcome; the round itself goes on behind it. */
  readonly refreshAnswerMs: number;
}

export const DEFAULT_SERVICE_LIMITS: ServiceLimits = {
  answerMs: 20_000,
  waiting: 20_000,
  flights: 2_048,
  concurrency: 16,
  queue: 1_024,
  missRate: 50,
  missBurst: 200,
  trustedRate: 100,
  trustedBurst: 500,
  negativeMs: 60_000,
  negativeEntries: 20_000,
  staleRetryMs: 30_000,
  rawTcbs: 64,
  crlUrls: 256,
  refreshDocuments: 10_000,
  refreshPlatforms: 1_000_000,
  refreshAnswerMs: 100_000,
};
