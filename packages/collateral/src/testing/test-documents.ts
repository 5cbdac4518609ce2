import type { ApiVersion, IdentityName, Tee } from "../request.ts";

/** The inner texts of TCB info and enclave identities (spec: DCAP §9): compact JSON, members in Intel's order. */

export interface TestTcb {
  /** 16 values. */
  readonly components: Uint8Array;
  readonly pceSvn: number;
}

export interface TestTcbLevel extends TestTcb {
  readonly status: string;
  readonly advisoryIds?: readonly string[];
}

export interface TestTcbInfo {
  readonly tee: Tee;
  /** 12 hexadecimal digits. */
  readonly fmspc: string;
  /** 4 hexadecimal digits, as in the document. */
  readonly pceId: string;
  /** 4: TCB info version 3; 3: version 2, for SGX alone. */
  readonly version: ApiVersion;
  readonly tcbEvaluationDataNumber: number;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly nextUpdate: number;
  readonly levels: readonly TestTcbLevel[];
}

export interface TestIdentity {
  readonly id: IdentityName;
  readonly tcbEvaluationDataNumber: number;
  /** Milliseconds since 1970. */
  readonly issued: number;
  readonly nextUpdate: number;
}

const all = (svn: number) => new Uint8Array(16).fill(svn);

/** What platforms and TCB infos have when a test asks for nothing else; highest first, each below the one before it. */
export const TEST_TCB_LEVELS: readonly TestTcbLevel[] = [
  { components: all(7), pceSvn: 13, status: "UpToDate" },
  { components: all(5), pceSvn: 11, status: "SWHardeningNeeded", advisoryIds: ["CONFCOM-SA-00001"] },
  { components: all(3), pceSvn: 9, status: "OutOfDate", advisoryIds: ["CONFCOM-SA-00001", "CONFCOM-SA-00002"] },
];

export function isoSeconds(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}

const TCB_DATE = "2026-01-01T00:00:00Z";

function namedComponents(components: Uint8Array): Record<string, number> {
  const named: Record<string, number> = {};
  components.forEach((svn, i) => {
    named[`sgxtcbcomp${String(i + 1).padStart(2, "0")}svn`] = svn;
  });
  return named;
}

/** A level's `tcb` as the two versions of the API write it: also what a list of PCK certificates has. */
export function tcbObject(tcb: TestTcb, version: ApiVersion, tee: Tee = "sgx"): Record<string, unknown> {
  if (version === 3) return { ...namedComponents(tcb.components), pcesvn: tcb.pceSvn };
  return {
    sgxtcbcomponents: Array.from(tcb.components, (svn) => ({ svn })),
    pcesvn: tcb.pceSvn,
    ...(tee === "tdx" ? { tdxtcbcomponents: Array.from(all(0), (svn) => ({ svn })) } : {}),
  };
}

const TDX_MODULE = { mrsigner: "0".repeat(96), attributes: "0".repeat(16), attributesMask: "F".repeat(16) };

export function tcbInfoText(info: TestTcbInfo): string {
  const { tee, version } = info;
  const moduleLevels = [{ tcb: { isvsvn: 1 }, tcbDate: TCB_DATE, tcbStatus: "UpToDate" }];
  return JSON.stringify({
    ...(version === 4 ? { id: tee.toUpperCase(), version: 3 } : { version: 2 }),
    issueDate: isoSeconds(info.issued),
    nextUpdate: isoSeconds(info.nextUpdate),
    fmspc: info.fmspc,
    pceId: info.pceId,
    tcbType: 0,
    tcbEvaluationDataNumber: info.tcbEvaluationDataNumber,
    ...(tee === "tdx"
      ? { tdxModule: TDX_MODULE, tdxModuleIdentities: [{ id: "TDX_01", ...TDX_MODULE, tcbLevels: moduleLevels }] }
      : {}),
    tcbLevels: info.levels.map((level) => ({
      tcb: tcbObject(level, version, tee),
      tcbDate: TCB_DATE,
      tcbStatus: level.status,
      ...(level.advisoryIds === undefined ? {} : { advisoryIDs: level.advisoryIds }),
    })),
  });
}

const PRODUCT: Readonly<Record<IdentityName, number>> = { QE: 1, TD_QE: 2, QVE: 2 };

export function identityText(identity: TestIdentity): string {
  return JSON.stringify({
    id: identity.id,
    version: 2,
    issueDate: isoSeconds(identity.issued),
    nextUpdate: isoSeconds(identity.nextUpdate),
    tcbEvaluationDataNumber: identity.tcbEvaluationDataNumber,
    miscselect: "00000000",
    miscselectMask: "FFFFFFFF",
    attributes: "11000000000000000000000000000000",
    attributesMask: "FBFFFFFFFFFFFFFF0000000000000000",
    mrsigner: "C0".repeat(32),
    isvprodid: PRODUCT[identity.id],
    tcbLevels: [{ tcb: { isvsvn: 8 }, tcbDate: TCB_DATE, tcbStatus: "UpToDate" }],
  });
}
