import type { QvlStatus } from "../status.ts";

/** Statuses that a TCB level, alone or after its TDX module and relaunch checks, may have. */
const KNOWN: ReadonlySet<QvlStatus> = new Set<QvlStatus>([
  "STATUS_OK",
  "STATUS_TCB_SW_HARDENING_NEEDED",
  "STATUS_TCB_CONFIGURATION_NEEDED",
  "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
  "STATUS_TCB_OUT_OF_DATE",
  "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED",
  "STATUS_TCB_REVOKED",
  "STATUS_TCB_NOT_SUPPORTED",
  "STATUS_TCB_TD_RELAUNCH_ADVISED",
  "STATUS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED",
]);

/** What an up-to-date or not up-to-date level becomes when a part above it is out of date (spec: DCAP §10 D 9). */
function outdated(level: QvlStatus): QvlStatus {
  switch (level) {
    case "STATUS_OK":
    case "STATUS_TCB_SW_HARDENING_NEEDED":
      return "STATUS_TCB_OUT_OF_DATE";
    case "STATUS_TCB_CONFIGURATION_NEEDED":
    case "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED":
      return "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED";
    default:
      return KNOWN.has(level) ? level : "STATUS_TCB_UNRECOGNIZED_STATUS";
  }
}

function unchanged(level: QvlStatus): QvlStatus {
  return KNOWN.has(level) ? level : "STATUS_TCB_UNRECOGNIZED_STATUS";
}

/** A level's status together with that of the quoting enclave's ISVSVN. */
export function convergeWithQe(level: QvlStatus, qe: QvlStatus): QvlStatus {
  switch (qe) {
    case "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE":
      return outdated(level);
    case "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_REVOKED":
      return "STATUS_TCB_REVOKED";
    case "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_NOT_SUPPORTED":
      return "STATUS_TCB_NOT_SUPPORTED";
    default:
      return unchanged(level);
  }
}

/** A level's status together with that of the TDX module. */
export function convergeWithModule(level: QvlStatus, module: QvlStatus): QvlStatus {
  if (module === "STATUS_TCB_OUT_OF_DATE") return outdated(level);
  if (module === "STATUS_TCB_REVOKED") return "STATUS_TCB_REVOKED";
  return unchanged(level);
}
