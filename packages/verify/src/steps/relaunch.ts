import type { TcbInfo } from "../collateral/tcb-info.ts";
import type { TcbLevel } from "../collateral/tcb-level.ts";
import type { QvlStatus } from "../status.ts";
import { findModuleIdentity } from "./tdx-module.ts";

export interface RelaunchInput {
  /** TEE_TCB_SVN2: what is loaded now, unlike TEE_TCB_SVN, which is what the TD was launched under. */
  readonly teeTcbSvn2: Uint8Array;
  readonly tcbInfo: TcbInfo;
  readonly sgxStatus: QvlStatus;
  readonly tdxStatus: QvlStatus;
  readonly moduleStatus: QvlStatus;
  readonly qeStatus: QvlStatus;
}

const QE_BAD: ReadonlySet<QvlStatus> = new Set<QvlStatus>([
  "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_OUT_OF_DATE",
  "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_REVOKED",
  "STATUS_SGX_ENCLAVE_REPORT_ISVSVN_NOT_SUPPORTED",
]);

const SGX_GOOD: ReadonlySet<QvlStatus> = new Set<QvlStatus>([
  "STATUS_OK",
  "STATUS_TCB_SW_HARDENING_NEEDED",
  "STATUS_TCB_CONFIGURATION_NEEDED",
  "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
]);

function applies({ sgxStatus, tdxStatus, moduleStatus, qeStatus }: RelaunchInput): boolean {
  return (
    !QE_BAD.has(qeStatus) &&
    SGX_GOOD.has(sgxStatus) &&
    (tdxStatus === "STATUS_TCB_OUT_OF_DATE" || tdxStatus === "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED") &&
    moduleStatus === "STATUS_TCB_OUT_OF_DATE"
  );
}

/**
 * The TDX status of a TD 1.5 after asking whether a relaunch alone would bring it up to date (spec: DCAP §10 D 10). A
 * TEE_TCB_SVN2 with an unknown module version gives `STATUS_TDX_MODULE_MISMATCH`.
 */
export function checkRelaunch(input: RelaunchInput): QvlStatus {
  const { teeTcbSvn2, tcbInfo, sgxStatus, tdxStatus } = input;
  if (!applies(input)) return tdxStatus;
  const newest = (tcbInfo.tcbLevels[0] as TcbLevel).tdxComponents;
  if (newest === undefined) return tdxStatus;
  const [isvSvn, version, microcode] = teeTcbSvn2 as unknown as [number, number, number];
  let wanted = newest[0] as number;
  if (version !== 0) {
    const identity = findModuleIdentity(tcbInfo, version);
    if (identity === undefined) return "STATUS_TDX_MODULE_MISMATCH";
    wanted = identity.tcbLevels[0]?.isvSvn ?? 0;
  }
  if (isvSvn < wanted || microcode < (newest[2] as number)) return tdxStatus;
  return sgxStatus.includes("CONFIGURATION") || tdxStatus.includes("CONFIGURATION")
    ? "STATUS_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED"
    : "STATUS_TCB_TD_RELAUNCH_ADVISED";
}
