/** Time, as everything here is given it. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(callback: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
}

/** 0 to below 1: for jitter, never for secrets. */
export type Random = () => number;
