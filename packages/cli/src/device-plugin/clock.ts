import type { Clock } from "@confcom/kubernetes";

/** The real one. */
export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  setTimeout: (run, milliseconds) => setTimeout(run, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
