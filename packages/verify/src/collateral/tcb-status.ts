import { type QvlStatus, Rejection } from "../status.ts";

/** What a TCB level says of a platform (spec: DCAP §9), and the status of a verification that stops there. */
export const TCB_STATUSES = {
  UpToDate: "STATUS_OK",
  SWHardeningNeeded: "STATUS_TCB_SW_HARDENING_NEEDED",
  ConfigurationNeeded: "STATUS_TCB_CONFIGURATION_NEEDED",
  ConfigurationAndSWHardeningNeeded: "STATUS_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED",
  OutOfDate: "STATUS_TCB_OUT_OF_DATE",
  OutOfDateConfigurationNeeded: "STATUS_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED",
  Revoked: "STATUS_TCB_REVOKED",
} as const satisfies Readonly<Record<string, QvlStatus>>;

export type TcbStatus = keyof typeof TCB_STATUSES;

export function isTcbStatus(text: string): text is TcbStatus {
  return Object.hasOwn(TCB_STATUSES, text);
}

/** A TDX module may be in three of these. Throws Rejection `STATUS_TCB_UNRECOGNIZED_STATUS`. */
export function moduleStatus(text: string): QvlStatus {
  if (text === "UpToDate" || text === "OutOfDate" || text === "Revoked") return TCB_STATUSES[text];
  throw new Rejection("STATUS_TCB_UNRECOGNIZED_STATUS", `a TDX module level has the unknown status "${text}"`);
}
