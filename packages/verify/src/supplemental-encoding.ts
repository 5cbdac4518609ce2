import { QvResult, writeU16, writeU32, writeU64 } from "@confcom/sgx";
import type { SupplementalData } from "./supplemental.ts";

/** Size of sgx_ql_qv_supplemental_t, version 3.3, where time_t has 64 bits. */
export const SUPPLEMENTAL_SIZE = 536;

const VERSION = { major: 3, minor: 3 } as const;

/** Where each field stands (spec: DCAP §11). Padding is zero. */
const OFFSET = {
  majorVersion: 0,
  minorVersion: 2,
  earliestIssueDate: 8,
  latestIssueDate: 16,
  earliestExpirationDate: 24,
  tcbLevelDateTag: 32,
  pckCrlNumber: 40,
  rootCaCrlNumber: 44,
  tcbEvalRefNumber: 48,
  rootKeyId: 52,
  pckPpid: 100,
  tcbCpuSvn: 116,
  tcbPceIsvSvn: 132,
  pceId: 134,
  teeType: 136,
  sgxType: 140,
  platformInstanceId: 141,
  dynamicPlatform: 160,
  cachedKeys: 164,
  smtEnabled: 168,
  advisoryList: 172,
  qeIdentityEarliestIssueDate: 496,
  qeIdentityLatestIssueDate: 504,
  qeIdentityEarliestExpirationDate: 512,
  qeIdentityTcbLevelDateTag: 520,
  qeIdentityTcbEvalRefNumber: 528,
  qeIdentityStatus: 532,
} as const;

/** pck_cert_flag_enum_t. */
const FLAG_UNDEFINED = 2;

function flag(value: boolean | undefined): number {
  return value === undefined ? FLAG_UNDEFINED : Number(value);
}

/**
 * The supplemental data as the C structure that callers of the reference verifier get: 536 bytes, little-endian (spec:
 * DCAP §11). `qe_iden_status` is always 0: the reference verifier puts there that the QE identity could be parsed, not
 * what its TCB level says.
 */
export function encodeSupplementalData(data: SupplementalData): Uint8Array {
  const out = new Uint8Array(SUPPLEMENTAL_SIZE);
  writeU16(out, OFFSET.majorVersion, VERSION.major);
  writeU16(out, OFFSET.minorVersion, VERSION.minor);
  const times = [
    "earliestIssueDate",
    "latestIssueDate",
    "earliestExpirationDate",
    "tcbLevelDateTag",
    "qeIdentityEarliestIssueDate",
    "qeIdentityLatestIssueDate",
    "qeIdentityEarliestExpirationDate",
    "qeIdentityTcbLevelDateTag",
  ] as const;
  // time_t is signed: a certificate may begin before 1970.
  for (const name of times) writeU64(out, OFFSET[name], BigInt.asUintN(64, BigInt(data[name])));
  const numbers = [
    "pckCrlNumber",
    "rootCaCrlNumber",
    "tcbEvalRefNumber",
    "teeType",
    "qeIdentityTcbEvalRefNumber",
  ] as const;
  for (const name of numbers) writeU32(out, OFFSET[name], data[name]);
  for (const name of ["rootKeyId", "pckPpid", "tcbCpuSvn", "platformInstanceId"] as const) {
    out.set(data[name], OFFSET[name]);
  }
  writeU16(out, OFFSET.tcbPceIsvSvn, data.tcbPceIsvSvn);
  writeU16(out, OFFSET.pceId, data.pceId);
  out[OFFSET.sgxType] = data.sgxType;
  for (const name of ["dynamicPlatform", "cachedKeys", "smtEnabled"] as const) {
    writeU32(out, OFFSET[name], flag(data[name]));
  }
  out.set(new TextEncoder().encode(data.advisoryList), OFFSET.advisoryList);
  writeU32(out, OFFSET.qeIdentityStatus, QvResult.OK);
  return out;
}
