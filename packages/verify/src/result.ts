import type { PckExtension, Quote, Quote3ErrorCode, Quote3ErrorName, QvResultName } from "@confcom/sgx";
import type { TcbStatus } from "./collateral/tcb-status.ts";
import type { QvlStatus } from "./status.ts";
import type { SupplementalData } from "./supplemental.ts";

/** One thing that was looked at, in the order in which the reference verifier looks. */
export interface VerificationStep {
  readonly name: string;
  readonly status: QvlStatus;
  /** `passed`; `noted` marks the result without ending the verification; `failed` ends it. */
  readonly outcome: "passed" | "noted" | "failed";
  /** What was found, for a person. */
  readonly found: string;
}

/**
 * Who stands behind the quote. `hardware`: the chain ends in Intel's root key. `software`: the PCK certificate carries the
 * marker of a software platform, whatever root it ends in: the quote proves nothing about hardware. `other`: another
 * root that the caller trusts.
 */
export type PlatformKind = "hardware" | "software" | "other";

/** What every report on a software platform's quote must say. */
export const SOFTWARE_PLATFORM_NOTE =
  "This quote was made by a software platform. It proves that the holder of that platform's keys made it, not that any " +
  "enclave ran on SGX hardware: whoever controls the machine controls the keys, the measurements and the report data.";

export interface MatchedTcbLevel {
  readonly status: TcbStatus;
  readonly date: Date;
  /** 16 SVNs. */
  readonly sgxComponents: Uint8Array;
  readonly pceSvn: number;
  /** 16 SVNs, TDX only. */
  readonly tdxComponents: Uint8Array | undefined;
}

export interface VerificationResult {
  /** quote3_error_t: 0 means that the quote is genuine, and `result` says how good the platform is. */
  readonly ret: Quote3ErrorCode;
  readonly retName: Quote3ErrorName;
  /** sgx_ql_qv_result_t without its prefix; `UNSPECIFIED` whenever `ret` is not 0. */
  readonly result: QvResultName;
  /** What decided: the reference verifier's name for it, and in words. */
  readonly status: QvlStatus;
  readonly reason: string;
  /** Whether a part of the collateral is outside its validity. True when the verification ended before that was known. */
  readonly collateralExpired: boolean;
  /** When the oldest of TCB info, QE identity and PCK CRL was issued; absent if that was not reached. */
  readonly collateralIssued?: Date;
  /** The matched TCB level; absent unless `ret` is 0. */
  readonly tcbLevel?: MatchedTcbLevel;
  /** Advisories of the matched TCB level; empty unless `ret` is 0. */
  readonly advisories: readonly string[];
  /** Absent unless `ret` is 0. */
  readonly supplemental?: SupplementalData;
  /** The quote, decoded, as soon as its format is right: not to be trusted unless `ret` is 0. */
  readonly quote?: Quote;
  /** The PCK certificate's SGX extension, as soon as the chain is readable: not to be trusted unless `ret` is 0. */
  readonly pck?: PckExtension;
  /** 65 bytes: the root key that the quote's chain ends in, once it was found to be trusted. */
  readonly rootKey?: Uint8Array;
  /** Absent until the chain is known to end in a trusted root, but `software` as soon as the marker is seen. */
  readonly platform?: PlatformKind;
  readonly steps: readonly VerificationStep[];
  /** Things the reference verifier lets pass and a reader should know. */
  readonly warnings: readonly string[];
}
