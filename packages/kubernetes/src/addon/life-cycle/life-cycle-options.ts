import type { Clock } from "../../clock.ts";
import type { ClusterAccess } from "../cluster-access.ts";

/** Tells a person what a command does and how long it took. */
export interface Progress {
  /** A step begins; the one before it is done. */
  step(name: string): void;
  /** What the present step waits for, or has found. */
  detail(text: string): void;
}

export interface LifeCycleOptions {
  readonly access: ClusterAccess;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Of this confcom. */
  readonly version: string;
  /** Undefined: wherever the add-on is, else the values' own namespace. */
  readonly namespace: string | undefined;
  readonly wait: boolean;
  /** For all waiting of one command together, ms. */
  readonly timeoutMs: number;
}

/** What was done to an object, or with a dry run would be. */
export type ObjectAction = "created" | "changed" | "unchanged" | "pruned" | "kept";

export interface ObjectChange {
  readonly object: string;
  readonly action: ObjectAction;
}

/** `milliseconds` of the given clock. */
export function pause(clock: Clock, milliseconds: number): Promise<void> {
  return new Promise((resolve) => void clock.setTimeout(resolve, milliseconds));
}
