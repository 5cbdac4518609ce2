import { type Quote, Quote3, type Quote3ErrorCode, REPORT_OFFSET, readU16, SGX_TYPE } from "@confcom/sgx";
import type { QeIdentity } from "./collateral/qe-identity.ts";
import type { TcbInfo } from "./collateral/tcb-info.ts";
import { type Step, sha384 } from "./crypto.ts";
import type { CollateralDates } from "./steps/collateral-dates.ts";
import { matchQeTcbLevel } from "./steps/enclave-report.ts";
import { matchTcbLevels } from "./steps/tcb-level.ts";
import type { Certificate } from "./x509/certificate.ts";
import type { PckCertificate } from "./x509/chain.ts";
import type { Crl } from "./x509/crl.ts";

/** Limits of the reference verifier's advisory list (spec: DCAP §11). */
const MAX_ADVISORIES = 20;
const MAX_ADVISORY_BYTES = 20;
const MAX_ADVISORY_LIST_BYTES = 320;

/** sgx_ql_qv_supplemental_t, version 3.3 (spec: DCAP §11), with the reference verifier's way of filling it. */
export interface SupplementalData extends Omit<CollateralDates, "latestExpirationDate"> {
  /** Seconds since 1970. */
  readonly tcbLevelDateTag: number;
  readonly pckCrlNumber: number;
  readonly rootCaCrlNumber: number;
  /** The lower of the TCB info's and the QE identity's tcbEvaluationDataNumber. */
  readonly tcbEvalRefNumber: number;
  /** 48 bytes: SHA-384 of the root public key. */
  readonly rootKeyId: Uint8Array;
  /** 16 bytes. */
  readonly pckPpid: Uint8Array;
  /** 16 bytes. */
  readonly tcbCpuSvn: Uint8Array;
  readonly tcbPceIsvSvn: number;
  /** The first byte of PCE-ID only. */
  readonly pceId: number;
  readonly teeType: number;
  readonly sgxType: number;
  /** 16 bytes; zero without a Platform CA certificate. */
  readonly platformInstanceId: Uint8Array;
  /** Undefined stands for the structure's value 2. `dynamicPlatform` and `cachedKeys` are never false. */
  readonly dynamicPlatform: boolean | undefined;
  readonly cachedKeys: boolean | undefined;
  readonly smtEnabled: boolean | undefined;
  /** Advisories of the matched TCB level, comma-separated. */
  readonly advisoryList: string;
  readonly qeIdentityTcbLevelDateTag: number;
  readonly qeIdentityTcbEvalRefNumber: number;
}

export interface SupplementalInput {
  readonly quote: Quote;
  readonly pck: PckCertificate;
  readonly root: Certificate;
  readonly tcbInfo: TcbInfo;
  readonly qeIdentity: QeIdentity;
  readonly rootCaCrl: Crl;
  readonly pckCrl: Crl;
  readonly dates: CollateralDates;
}

/** Why the structure cannot be filled; the reference verifier then fails as a whole (spec: DCAP §16 13c). */
export interface SupplementalFailure {
  readonly ret: Quote3ErrorCode;
  readonly detail: string;
}

function failure(detail: string, ret: Quote3ErrorCode = Quote3.UNEXPECTED): SupplementalFailure {
  return { ret, detail };
}

/** The list ends at the first advisory that is too long or does not fit any more; that is not an error. */
function joinAdvisories(advisories: readonly string[]): string {
  const encoder = new TextEncoder();
  const kept: string[] = [];
  let size = 0;
  for (const advisory of advisories) {
    const bytes = encoder.encode(advisory).length;
    size += bytes + 1;
    if (bytes > MAX_ADVISORY_BYTES || size > MAX_ADVISORY_LIST_BYTES) break;
    kept.push(advisory);
  }
  return kept.join(",");
}

function platformFields({ pck }: SupplementalInput) {
  const { platform, sgxType } = pck.sgx;
  const scalable = sgxType === SGX_TYPE.SCALABLE || sgxType === SGX_TYPE.SCALABLE_WITH_INTEGRITY;
  if (!scalable || platform === undefined) {
    return {
      platformInstanceId: new Uint8Array(16),
      dynamicPlatform: undefined,
      cachedKeys: undefined,
      smtEnabled: undefined,
      missing: scalable,
    };
  }
  return {
    platformInstanceId: platform.platformInstanceId,
    dynamicPlatform: platform.dynamicPlatform || undefined,
    cachedKeys: platform.cachedKeys || undefined,
    smtEnabled: platform.smtEnabled,
    missing: false,
  };
}

function firstProblem(input: SupplementalInput, tcbDate: number | undefined, qeDate: number): string | undefined {
  const { pck, pckCrl, rootCaCrl } = input;
  if (tcbDate === undefined) return "no TCB level matches";
  if (tcbDate < 0 || qeDate < 0) return "a TCB level's date is before 1970";
  for (const { number } of [pckCrl, rootCaCrl]) {
    if (number < 0 || number > 0xffffffff) return "a CRL number does not fit 32 bits";
  }
  if (pck.sgx.tcb.pceSvn > 0xffff) return "the PCK certificate's PCESVN does not fit 16 bits";
  if (pck.sgx.sgxType > 0xff) return "the PCK certificate's SGX type does not fit 8 bits";
  return undefined;
}

function* keyIdOf(root: Certificate): Step<Uint8Array> {
  root.keyId ??= yield* sha384(root.publicKey);
  return root.keyId;
}

/** Fills the supplemental data of a verification that succeeded, or says why that fails. */
export function* fillSupplemental(input: SupplementalInput): Step<SupplementalData | SupplementalFailure> {
  const { quote, pck, tcbInfo, qeIdentity, dates } = input;
  const { latestExpirationDate: _, ...ownDates } = dates;
  const qeIsvSvn = readU16(quote.signatureData.qeReport, REPORT_OFFSET.ISVSVN);
  const qeDate = matchQeTcbLevel(qeIdentity, qeIsvSvn)?.tcbDate ?? 0;
  const teeTcbSvn = quote.body.kind === "sgx" ? undefined : quote.body.report.teeTcbSvn;
  const level = matchTcbLevels(tcbInfo.tcbLevels, pck.sgx.tcb, teeTcbSvn).final;
  if (level !== undefined && level.advisoryIds.length > MAX_ADVISORIES) {
    return failure(`the TCB level has ${level.advisoryIds.length} advisories, more than ${MAX_ADVISORIES}`);
  }
  const problem = firstProblem(input, level?.tcbDate, qeDate);
  if (problem !== undefined || level === undefined) return failure(problem ?? "no TCB level matches");
  const { missing, ...platform } = platformFields(input);
  if (missing) {
    return failure(
      `a multi-package platform without ${pck.sgx.platformProblem ?? "platform instance ID and configuration"}`,
      Quote3.PCK_CERT_UNSUPPORTED_FORMAT,
    );
  }
  return {
    ...ownDates,
    tcbLevelDateTag: level.tcbDate,
    pckCrlNumber: input.pckCrl.number,
    rootCaCrlNumber: input.rootCaCrl.number,
    tcbEvalRefNumber: Math.min(tcbInfo.tcbEvaluationDataNumber, qeIdentity.tcbEvaluationDataNumber),
    rootKeyId: yield* keyIdOf(input.root),
    pckPpid: pck.sgx.ppid,
    tcbCpuSvn: pck.sgx.tcb.cpuSvn,
    tcbPceIsvSvn: pck.sgx.tcb.pceSvn,
    pceId: pck.sgx.pceId[0] as number,
    teeType: quote.header.teeType,
    sgxType: pck.sgx.sgxType & 0xff,
    ...platform,
    advisoryList: joinAdvisories(level.advisoryIds),
    qeIdentityTcbLevelDateTag: qeDate,
    qeIdentityTcbEvalRefNumber: qeIdentity.tcbEvaluationDataNumber,
  };
}
