import type { QvResultName } from "@confcom/sgx";
import { VerifyError } from "./errors.ts";
import type { PlatformKind } from "./result.ts";

/** Verdicts a policy may allow: those that leave the decision to the relying party. */
export const ALLOWABLE_RESULTS = [
  "OK",
  "SW_HARDENING_NEEDED",
  "CONFIG_NEEDED",
  "CONFIG_AND_SW_HARDENING_NEEDED",
  "OUT_OF_DATE",
  "OUT_OF_DATE_CONFIG_NEEDED",
  "TD_RELAUNCH_ADVISED",
  "TD_RELAUNCH_ADVISED_CONFIG_NEEDED",
] as const satisfies readonly QvResultName[];

export type AllowableResult = (typeof ALLOWABLE_RESULTS)[number];

export const ALLOWABLE_PLATFORMS = ["hardware", "other", "software"] as const satisfies readonly PlatformKind[];

export const HASH_ALGORITHMS = ["sha256", "sha384", "sha512"] as const;

export type HashAlgorithm = (typeof HASH_ALGORITHMS)[number];

/** What an enclave must be. Byte strings are compared exactly; a list means any one of it. */
export interface EnclavePolicy {
  /** 32 bytes each. */
  readonly mrEnclave?: readonly Uint8Array[];
  /** 32 bytes each. */
  readonly mrSigner?: readonly Uint8Array[];
  readonly isvProdId?: number;
  readonly minimumIsvSvn?: number;
}

/** Bytes of which `mask` says which bits count, and `value` what they must be. */
export interface MaskedBits {
  readonly mask: Uint8Array;
  readonly value: Uint8Array;
}

/** What a TD must be. Byte strings are compared exactly; a list means any one of it. */
export interface TdPolicy {
  /** 48 bytes each. */
  readonly mrTd?: readonly Uint8Array[];
  /** 48 bytes each: what every one of RTMR0 to RTMR3 must be; undefined for one that does not matter. */
  readonly rtmr?: readonly (Uint8Array | undefined)[];
  /** 48 bytes each: the TDX module. */
  readonly mrSeam?: readonly Uint8Array[];
  /** 48 bytes. */
  readonly mrConfigId?: Uint8Array;
  readonly mrOwner?: Uint8Array;
  readonly mrOwnerConfig?: Uint8Array;
  /** 48 bytes; only a TD report of version 1.5 has it, and no other meets this. */
  readonly mrServiceTd?: Uint8Array;
  /** 8 bytes each. */
  readonly tdAttributes?: MaskedBits;
  /** 8 bytes each. */
  readonly xfam?: MaskedBits;
  /** 16 bytes: what every byte of TEE_TCB_SVN must at least be. */
  readonly minimumTeeTcbSvn?: Uint8Array;
}

/** What a relying party wants of a verified quote. Everything left out is strict: an empty policy is the strictest. */
export interface Policy {
  /** Default: OK alone. */
  readonly allowedResults?: readonly AllowableResult[];
  /** Default: hardware and other, so any root the caller trusted, but no software platform. */
  readonly allowedPlatforms?: readonly PlatformKind[];
  /** Default: false. */
  readonly allowExpiredCollateral?: boolean;
  /** Default: false. Debug enclaves and TDs keep no secrets. */
  readonly allowDebug?: boolean;
  /** Seconds since the oldest of TCB info, QE identity and PCK CRL was issued. Default: no limit. */
  readonly maximumCollateralAge?: number;
  /** The lower of the TCB info's and the QE identity's tcbEvaluationDataNumber must be at least this. */
  readonly minimumTcbEvaluationDataNumber?: number;
  /** Advisories that do not matter. Default: all are tolerated, because `allowedResults` decides. Empty: none. */
  readonly toleratedAdvisories?: readonly string[];
  /** ISVSVN of the quoting enclave's report. */
  readonly minimumQeIsvSvn?: number;
  /** PCESVN of the PCK certificate. */
  readonly minimumPceSvn?: number;
  /** Bytes that the 64 bytes of report data must start with, the rest zero; give all 64 to compare them exactly. */
  readonly reportData?: Uint8Array;
  /** Bytes whose hash the report data must be, the rest zero. `validate` needs hash functions for it. */
  readonly reportDataHashOf?: { readonly algorithm: HashAlgorithm; readonly bytes: Uint8Array };
  /** `sgx` and `td` refuse a quote of the other kind. */
  readonly sgx?: EnclavePolicy;
  readonly td?: TdPolicy;
}

function bad(detail: string): never {
  throw new VerifyError("POLICY", detail);
}

function checkSize(bytes: Uint8Array | undefined, size: number, name: string): void {
  if (bytes !== undefined && bytes.length !== size) bad(`${name} is ${size} bytes, got ${bytes.length}`);
}

function checkNumber(value: number | undefined, name: string): void {
  if (value !== undefined && !(Number.isInteger(value) && value >= 0)) bad(`${name} is not a whole number`);
}

function checkTd(td: TdPolicy): void {
  for (const bytes of td.mrTd ?? []) checkSize(bytes, 48, "mrTd");
  if ((td.rtmr?.length ?? 0) > 4) bad("there are four RTMRs");
  for (const bytes of td.rtmr ?? []) checkSize(bytes, 48, "rtmr");
  for (const bytes of td.mrSeam ?? []) checkSize(bytes, 48, "mrSeam");
  for (const name of ["mrConfigId", "mrOwner", "mrOwnerConfig", "mrServiceTd"] as const) checkSize(td[name], 48, name);
  for (const name of ["tdAttributes", "xfam"] as const) {
    checkSize(td[name]?.mask, 8, `${name}.mask`);
    checkSize(td[name]?.value, 8, `${name}.value`);
  }
  checkSize(td.minimumTeeTcbSvn, 16, "minimumTeeTcbSvn");
}

/** Refuses a policy that no quote could be measured by. Throws VerifyError `POLICY`. */
export function checkPolicy(policy: Policy): void {
  for (const result of policy.allowedResults ?? []) {
    if (!ALLOWABLE_RESULTS.includes(result)) bad(`the result ${result} cannot be allowed`);
  }
  for (const platform of policy.allowedPlatforms ?? []) {
    if (!ALLOWABLE_PLATFORMS.includes(platform)) bad(`the platform ${platform} is not known`);
  }
  for (const name of [
    "maximumCollateralAge",
    "minimumTcbEvaluationDataNumber",
    "minimumQeIsvSvn",
    "minimumPceSvn",
  ] as const) {
    checkNumber(policy[name], name);
  }
  if (policy.reportData !== undefined && policy.reportData.length > 64) bad("reportData is over 64 bytes");
  if (policy.reportDataHashOf !== undefined && !HASH_ALGORITHMS.includes(policy.reportDataHashOf.algorithm)) {
    bad(`the hash ${policy.reportDataHashOf.algorithm} is not one of ${HASH_ALGORITHMS.join(", ")}`);
  }
  for (const bytes of policy.sgx?.mrEnclave ?? []) checkSize(bytes, 32, "mrEnclave");
  for (const bytes of policy.sgx?.mrSigner ?? []) checkSize(bytes, 32, "mrSigner");
  checkNumber(policy.sgx?.isvProdId, "isvProdId");
  checkNumber(policy.sgx?.minimumIsvSvn, "minimumIsvSvn");
  if (policy.td !== undefined) checkTd(policy.td);
}
