import type { TdReport } from "@confcom/sgx";
import { bytesEqual, isZero } from "@confcom/sgx";
import type { TcbInfo } from "../collateral/tcb-info.ts";
import { moduleStatus } from "../collateral/tcb-status.ts";
import type { TdxModule, TdxModuleIdentity, TdxModuleTcbLevel } from "../collateral/tdx-module.ts";
import { type QvlStatus, Rejection } from "../status.ts";

function mismatch(detail: string): never {
  throw new Rejection("STATUS_TDX_MODULE_MISMATCH", detail);
}

/** The identity of a module version, its id compared without regard to ASCII case (spec: DCAP §10 D 4). */
export function findModuleIdentity(tcbInfo: TcbInfo, version: number): TdxModuleIdentity | undefined {
  const id = `TDX_${version.toString(16).toUpperCase().padStart(2, "0")}`;
  return tcbInfo.tdxModuleIdentities.find(
    (identity) => identity.id.replace(/[a-z]/g, (letter) => letter.toUpperCase()) === id,
  );
}

/** Version 0 is the module the TCB info itself names; others have identities of their own. Throws {@link Rejection}. */
export function checkTdxModule(report: TdReport, tcbInfo: TcbInfo): TdxModuleIdentity | undefined {
  const version = report.teeTcbSvn[1] as number;
  const identity = version > 0 ? findModuleIdentity(tcbInfo, version) : undefined;
  if (version > 0 && identity === undefined) mismatch(`the TCB info has no identity for TDX module version ${version}`);
  const module: TdxModule | undefined = identity ?? tcbInfo.tdxModule;
  if (module === undefined) return mismatch("the TCB info names no TDX module");
  if (!bytesEqual(report.mrSignerSeam, module.mrSigner)) mismatch("MRSIGNERSEAM is not the signer of the TDX module");
  if (!isZero(report.seamAttributes) || !bytesEqual(report.seamAttributes, module.attributes)) {
    mismatch("SEAMATTRIBUTES are not zero in both the report and the TCB info");
  }
  return identity;
}

export function matchModuleLevel(identity: TdxModuleIdentity, isvSvn: number): TdxModuleTcbLevel | undefined {
  return identity.tcbLevels.find((level) => isvSvn >= level.isvSvn);
}

/** Status of the module's ISVSVN. Throws Rejection `STATUS_TCB_NOT_SUPPORTED` if no level reaches down to it. */
export function moduleTcbStatus(report: TdReport, identity: TdxModuleIdentity | undefined): QvlStatus {
  if (report.teeTcbSvn[1] === 0) return "STATUS_OK";
  if (identity === undefined) return mismatch("the TDX module has no identity");
  const isvSvn = report.teeTcbSvn[0] as number;
  const level = matchModuleLevel(identity, isvSvn);
  if (level === undefined) {
    throw new Rejection("STATUS_TCB_NOT_SUPPORTED", `no level of ${identity.id} is as low as ISVSVN ${isvSvn}`);
  }
  return moduleStatus(level.tcbStatus);
}
