import type { StoredRegistration } from "../store.ts";
import type { WriteJob } from "./database-writer.ts";
import type { PortableFailure } from "./failure.ts";

/** What the thread that writes is started with. */
export interface WorkerSettings {
  readonly directory: string;
  /** How long another process's lock is waited for, milliseconds. */
  readonly busyMs: number;
  /** The database never grows beyond this: then STORE_FULL. */
  readonly maximumBytes: number | undefined;
}

export type WorkerRequest = { readonly id: number } & (
  | WriteJob
  | { readonly kind: "write-packed"; readonly packed: ArrayBuffer }
  | { readonly kind: "probe" }
  | { readonly kind: "backup"; readonly path: string }
  | { readonly kind: "close" }
);

export interface WorkerReply {
  readonly id: number;
  readonly failure?: PortableFailure;
  readonly taken?: readonly StoredRegistration[];
  /** With {@link OPENED}: what an operator should know. */
  readonly warnings?: readonly string[];
}

/** Id of the first message: the database is open, or why not. */
export const OPENED = 0;
