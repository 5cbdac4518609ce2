import type { ServerLimits } from "@confcom/aesm";
import type { PlatformSnapshot } from "@confcom/quoting/software";

/** What the main thread, its only writer, gives every worker: immutable, replaced whole. */
export interface SharedState {
  readonly snapshot: PlatformSnapshot;
  readonly limits: ServerLimits;
}

/** What holds for a worker's whole life. */
export interface WorkerSettings {
  /** Whether all event loops but the first sleep while that one can cope. */
  readonly spareLoops: boolean;
}

/** The one thing a worker asks of the main thread: make the attestation key, and have everybody know it. */
export type WorkerRequest = "init-quote";
