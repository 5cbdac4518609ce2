import { createHash } from "node:crypto";
import type { SoftwareEnclave } from "@confcom/quoting/software";
import { bytesEqual, isZero, REPORT_OFFSET } from "@confcom/sgx";

/** True when the QE's report is for `enclave` and vouches for exactly this nonce and quote (spec: AESM §6, get_quote_ex). */
export function qeReportMatches(
  qeReport: Uint8Array,
  nonce: Uint8Array,
  quote: Uint8Array,
  enclave: SoftwareEnclave,
): boolean {
  if (!enclave.verifyReport(qeReport)) return false;
  const expected = createHash("sha256").update(nonce).update(quote).digest();
  const reportData = qeReport.subarray(REPORT_OFFSET.REPORTDATA, REPORT_OFFSET.KEYID);
  return bytesEqual(reportData.subarray(0, 32), expected) && isZero(reportData.subarray(32));
}
