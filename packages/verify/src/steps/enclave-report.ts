import { bytesEqual, REPORT_OFFSET, readU16, readU32 } from "@confcom/sgx";
import type { QeIdentity, QeTcbLevel } from "../collateral/qe-identity.ts";
import type { QvlStatus } from "../status.ts";

/** The level of an identity that an ISVSVN reaches: the first in the document's order. */
export function matchQeTcbLevel(identity: QeIdentity, isvSvn: number): QeTcbLevel | undefined {
  return identity.tcbLevels.find((level) => level.isvSvn <= isvSvn);
}

function attributesMatch(report: Uint8Array, identity: QeIdentity): boolean {
  for (let i = 0; i < 16; i++) {
    const masked = (report[REPORT_OFFSET.ATTRIBUTES + i] as number) & (identity.attributesMask[i] as number);
    if (masked !== identity.attributes[i]) return false;
  }
  return true;
}

/** Compares a report body of 384 bytes with an enclave identity (spec: DCAP §10 D 6). */
export function checkEnclaveReport(report: Uint8Array, identity: QeIdentity): QvlStatus {
  const miscSelect = (readU32(report, REPORT_OFFSET.MISCSELECT) & identity.miscSelectMask) >>> 0;
  if (miscSelect !== identity.miscSelect) return "STATUS_SGX_ENCLAVE_REPORT_MISCSELECT_MISMATCH";
  if (!attributesMatch(report, identity)) return "STATUS_SGX_ENCLAVE_REPORT_ATTRIBUTES_MISMATCH";
  const mrSigner = report.subarray(REPORT_OFFSET.MRSIGNER, REPORT_OFFSET.MRSIGNER + 32);
  if (!bytesEqual(mrSigner, identity.mrSigner)) return "STATUS_SGX_ENCLAVE_REPORT_MRSIGNER_MISMATCH";
  if (readU16(report, REPORT_OFFSET.ISVPRODID) !== identity.isvProdId) {
    return "STATUS_SGX_ENCLAVE_REPORT_ISVPRODID_MISMATCH";
  }
  switch (matchQeTcbLevel(identity, readU16(report, REPORT_OFFSET.ISVSVN))?.tcbStatus) {
    case "UpToDate":
      return "STATUS_OK";
    case "Revoked":
      return "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_REVOKED";
    case undefined:
      return "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_NOT_SUPPORTED";
    default:
      return "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE";
  }
}
