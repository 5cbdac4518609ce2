/** Time as this package reads it; `{ now: Date.now, setTimeout, clearTimeout }` in production. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  setTimeout(run: () => void, milliseconds: number): unknown;
  clearTimeout(timer: unknown): void;
}
