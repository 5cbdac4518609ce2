import type { ReportingCpu } from "./cpu/ereport.ts";

/**
 * The attestation key as quotes need it. Holds the private key: it goes to this process's own threads and nowhere else.
 */
export interface AttestationKeySnapshot {
  /** 32 bytes, big-endian. Secret. */
  readonly privateKey: Uint8Array;
  /** 32 bytes: ECDSA_ID. */
  readonly pubKeyId: Uint8Array;
  /** A whole quote of this key and chain, its report body and signature zero. Its length is the quote size. */
  readonly template: Uint8Array;
}

/**
 * All that a thread needs to answer callers: immutable, and plain data so that it can be posted to worker threads. A
 * change of key, chain or TCB is a new snapshot with a higher generation.
 */
export interface PlatformSnapshot {
  readonly generation: number;
  /** Makes and checks reports. Secret in the `private` profile. */
  readonly cpu: ReportingCpu;
  /** Absent until the first init_quote on fresh state, or after the TCB moved. */
  readonly key?: AttestationKeySnapshot;
}
