import type { Clock } from "@confcom/kubernetes";

/** The machine's, for every library that is given its time. */
export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  setTimeout: (run, milliseconds) => setTimeout(run, milliseconds),
  clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
};
