import type { PckTcb, QuoteBody } from "@confcom/sgx";
import type { TcbInfo } from "../collateral/tcb-info.ts";
import type { TcbLevel } from "../collateral/tcb-level.ts";
import { TCB_STATUSES } from "../collateral/tcb-status.ts";
import type { TdxModuleIdentity } from "../collateral/tdx-module.ts";
import { type QvlStatus, Rejection } from "../status.ts";
import { convergeWithModule, convergeWithQe } from "./converge.ts";
import { checkRelaunch } from "./relaunch.ts";
import { moduleTcbStatus } from "./tdx-module.ts";

function reaches(svns: Uint8Array, wanted: Uint8Array, from: number): boolean {
  for (let i = from; i < 16; i++) if ((svns[i] as number) < (wanted[i] as number)) return false;
  return true;
}

export interface MatchedLevels {
  /** The highest level that the certified TCB reaches. */
  readonly sgx: TcbLevel | undefined;
  /** The highest of those that the TD's own SVNs reach too; the SGX level where there is no TD. */
  readonly final: TcbLevel | undefined;
}

/** Tries the levels from the highest down (spec: DCAP §10 D 8). `teeTcbSvn` is given for TDX only. */
export function matchTcbLevels(
  levels: readonly TcbLevel[],
  tcb: PckTcb,
  teeTcbSvn: Uint8Array | undefined,
): MatchedLevels {
  let sgx: TcbLevel | undefined;
  // With a module version of its own, the first two SVNs belong to the module and have their own levels.
  const from = teeTcbSvn !== undefined && (teeTcbSvn[1] as number) > 0 ? 2 : 0;
  for (const level of levels) {
    if (!reaches(tcb.components, level.sgxComponents, 0) || tcb.pceSvn < level.pceSvn) continue;
    sgx ??= level;
    if (teeTcbSvn === undefined) return { sgx, final: level };
    if (level.tdxComponents !== undefined && reaches(teeTcbSvn, level.tdxComponents, from))
      return { sgx, final: level };
  }
  return { sgx, final: undefined };
}

export interface TcbLevelInput {
  readonly tcbInfo: TcbInfo;
  readonly tcb: PckTcb;
  readonly body: QuoteBody;
  readonly qeStatus: QvlStatus;
  readonly moduleIdentity: TdxModuleIdentity | undefined;
}

export interface TcbLevelVerdict {
  readonly status: QvlStatus;
  readonly level: TcbLevel;
}

/** Finds the TCB level and what it means together with module, relaunch and QE. Throws {@link Rejection}. */
export function checkTcbLevel(input: TcbLevelInput): TcbLevelVerdict {
  const { tcbInfo, tcb, body, qeStatus, moduleIdentity } = input;
  const td = body.kind === "sgx" ? undefined : body.report;
  const { sgx, final } = matchTcbLevels(tcbInfo.tcbLevels, tcb, td?.teeTcbSvn);
  if (sgx === undefined)
    throw new Rejection("STATUS_TCB_NOT_SUPPORTED", "no TCB level is as low as the PCK certificate's TCB");
  const sgxStatus: QvlStatus = TCB_STATUSES[sgx.tcbStatus];
  if (td === undefined) return { status: convergeWithQe(sgxStatus, qeStatus), level: sgx };
  if (final === undefined)
    throw new Rejection("STATUS_TCB_NOT_SUPPORTED", "no TCB level is as low as the TD's TEE_TCB_SVN");
  const moduleStatus = moduleTcbStatus(td, moduleIdentity);
  let status = convergeWithModule(TCB_STATUSES[final.tcbStatus], moduleStatus);
  if (status === "STATUS_TCB_REVOKED") return { status, level: final };
  if (td.teeTcbSvn2 !== undefined) {
    const { teeTcbSvn2 } = td;
    status = checkRelaunch({ teeTcbSvn2, tcbInfo, sgxStatus, tdxStatus: status, moduleStatus, qeStatus });
  }
  return { status: convergeWithQe(status, qeStatus), level: final };
}
