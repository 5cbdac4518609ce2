import { toHex } from "@confcom/sgx";
import { PCE_ID } from "../pce/pce-identity.ts";
import { COLLATERAL_LIFE_MS, FMSPC } from "./profile.ts";
import { TCB_LEVELS, type TcbLevel } from "./tcb-levels.ts";
import { isoSeconds } from "./timestamps.ts";

/**
 * TCB info version 3 of the software platform: the text that is signed, byte for byte (spec: DCAP §9). Compact, members
 * in the order of Intel's documents, which verifiers that serialise it again before checking depend on.
 */
export function tcbInfoText(issued: Date, tcbEvaluationDataNumber: number): string {
  return documentText({ id: "SGX", version: 3 }, issued, tcbEvaluationDataNumber, (level) => ({
    sgxtcbcomponents: Array.from(level.cpuSvn, (svn) => ({ svn })),
  }));
}

/**
 * The same in version 2, which version 3 of the provisioning API serves: no `id`, and one member for each component
 * (spec: DCAP §9).
 */
export function tcbInfoVersion2Text(issued: Date, tcbEvaluationDataNumber: number): string {
  return documentText({ version: 2 }, issued, tcbEvaluationDataNumber, (level) =>
    Object.fromEntries(Array.from(level.cpuSvn, (svn, i) => [`sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`, svn])),
  );
}

/** What the versions share: they differ in their first members and in how a level's components are written. */
function documentText(
  first: object,
  issued: Date,
  tcbEvaluationDataNumber: number,
  components: (level: TcbLevel) => object,
): string {
  return JSON.stringify({
    ...first,
    issueDate: isoSeconds(issued),
    nextUpdate: isoSeconds(new Date(issued.getTime() + COLLATERAL_LIFE_MS)),
    fmspc: toHex(FMSPC).toUpperCase(),
    pceId: PCE_ID.toString(16).padStart(4, "0"),
    tcbType: 0,
    tcbEvaluationDataNumber,
    tcbLevels: TCB_LEVELS.map((level) => ({
      tcb: { ...components(level), pcesvn: level.pceSvn },
      tcbDate: level.tcbDate,
      tcbStatus: level.tcbStatus,
      ...(level.advisoryIds.length > 0 ? { advisoryIDs: level.advisoryIds } : {}),
    })),
  });
}
