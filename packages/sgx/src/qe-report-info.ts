import { assertSize, putBytes } from "./bytes.ts";
import { REPORT_SIZE } from "./report.ts";
import { TARGET_INFO_SIZE } from "./target-info.ts";

/** sgx_ql_qe_report_info_t: 960 bytes (spec: DCAP §1). */
export const QE_REPORT_INFO_SIZE = 960;

/** Asks the QE for its own report over the quote, so that the caller can tell a rogue AESM. */
export interface QeReportInfo {
  /** 16 bytes. */
  readonly nonce: Uint8Array;
  /** 512 bytes: the application enclave, which will check the QE's report. */
  readonly appEnclaveTargetInfo: Uint8Array;
  /** 432 bytes: zero in the request, the QE's report in the reply. */
  readonly qeReport: Uint8Array;
}

export function decodeQeReportInfo(bytes: Uint8Array): QeReportInfo {
  assertSize(bytes, QE_REPORT_INFO_SIZE, "qe_report_info");
  return {
    nonce: bytes.slice(0, 16),
    appEnclaveTargetInfo: bytes.slice(16, 528),
    qeReport: bytes.slice(528, 960),
  };
}

export function encodeQeReportInfo(info: QeReportInfo): Uint8Array {
  const out = new Uint8Array(QE_REPORT_INFO_SIZE);
  putBytes(out, 0, info.nonce, 16, "nonce");
  putBytes(out, 16, info.appEnclaveTargetInfo, TARGET_INFO_SIZE, "target info");
  putBytes(out, 528, info.qeReport, REPORT_SIZE, "QE report");
  return out;
}
