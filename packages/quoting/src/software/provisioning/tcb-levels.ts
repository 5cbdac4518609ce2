import { bytesEqual } from "@confcom/sgx";
import { CPU_SVNS } from "../cpu/cpu-svn.ts";
import { PCE_ISV_SVN } from "../pce/pce-identity.ts";

export interface TcbLevel {
  /** 16 bytes. They are also the 16 component SVNs, because tcbType 0 says that CPUSVN bytes are components. */
  readonly cpuSvn: Uint8Array;
  readonly pceSvn: number;
  readonly tcbDate: string;
  readonly tcbStatus: "UpToDate" | "OutOfDate";
  readonly advisoryIds: readonly string[];
}

/** Raised whenever {@link TCB_LEVELS} or the QE identity's levels change (spec: DCAP §9). */
export const TCB_EVALUATION_DATA_NUMBER = 1;

/** Every PCK certificate is issued at the security version of the one software PCE there is. */
const PCE_SVN = PCE_ISV_SVN;

/**
 * The TCB levels of the software platform, in the descending order in which Intel publishes them (components, then
 * PCESVN). The three CPUSVNs are incomparable component by component: none is at or above another, so a certificate
 * for one of them meets exactly its own level in any order of search, and PCK selection finds exactly its own
 * certificate. What makes `downgraded` old is its status, not its bytes.
 */
export const TCB_LEVELS: readonly TcbLevel[] = [
  {
    cpuSvn: CPU_SVNS.downgraded,
    pceSvn: PCE_SVN,
    tcbDate: "2025-01-01T00:00:00Z",
    tcbStatus: "OutOfDate",
    advisoryIds: ["CONFCOM-SA-00001"],
  },
  {
    cpuSvn: CPU_SVNS.upgraded,
    pceSvn: PCE_SVN,
    tcbDate: "2026-01-01T00:00:00Z",
    tcbStatus: "UpToDate",
    advisoryIds: [],
  },
  {
    cpuSvn: CPU_SVNS.default,
    pceSvn: PCE_SVN,
    tcbDate: "2026-01-01T00:00:00Z",
    tcbStatus: "UpToDate",
    advisoryIds: [],
  },
];

/** The level that certificates for this CPUSVN (16 bytes) and PCESVN are issued at, if there is one. */
export function tcbLevelFor(cpuSvn: Uint8Array, pceSvn: number): TcbLevel | undefined {
  return TCB_LEVELS.find((level) => level.pceSvn === pceSvn && bytesEqual(level.cpuSvn, cpuSvn));
}
