import { COLLATERAL_FIELDS, type Collateral } from "@confcom/sgx";
import { BUDGETS } from "../budgets.ts";
import { VerifyError } from "../errors.ts";

/** Intel's sgx_ql_qve_collateral_t: seven fields, JSON documents whole with their signatures (spec: DCAP §11). */
export interface QveCollateral {
  /** 1, 3, 0x00010003 (3.1) or 4; 3 if absent. */
  readonly version?: number;
  readonly pck_crl_issuer_chain: string;
  /** PEM or hexadecimal as text, DER as bytes. */
  readonly root_ca_crl: string | Uint8Array;
  readonly pck_crl: string | Uint8Array;
  readonly tcb_info_issuer_chain: string;
  readonly tcb_info: string;
  readonly qe_identity_issuer_chain: string;
  readonly qe_identity: string;
}

export const COLLATERAL_VERSIONS: readonly number[] = [1, 3, 0x00010003, 4];

/** The seven fields, whichever shape they came in. */
export interface CollateralTexts {
  readonly version: number;
  readonly pckCrlIssuerChain: string;
  readonly rootCaCrl: string | Uint8Array;
  readonly pckCrl: string | Uint8Array;
  readonly tcbInfoIssuerChain: string;
  readonly tcbInfo: string;
  readonly qeIdentityIssuerChain: string;
  readonly qeIdentity: string;
}

const TEXT_FIELDS = [
  "pck_crl_issuer_chain",
  "tcb_info_issuer_chain",
  "tcb_info",
  "qe_identity_issuer_chain",
  "qe_identity",
] as const;

function isNine(collateral: Collateral | QveCollateral): collateral is Collateral {
  return "tcb_info_signature" in collateral || "qe_identity_signature" in collateral;
}

/** A whole document from an inner object and its signature. */
function join(name: string, body: string, signature: string): string {
  return `{"${name}":${body},"signature":"${signature}"}`;
}

/** Brings either shape into one. Throws VerifyError `COLLATERAL` if it is no object, or a field is missing or of another type. */
export function normalizeCollateral(collateral: Collateral | QveCollateral): CollateralTexts {
  // What a caller parsed from a file or a reply may be null, whatever the types say.
  if (typeof collateral !== "object" || collateral === null) {
    throw new VerifyError("COLLATERAL", "the collateral is not an object");
  }
  for (const name of TEXT_FIELDS) {
    if (typeof collateral[name] !== "string") throw new VerifyError("COLLATERAL", `the field ${name} is not text`);
  }
  for (const name of ["root_ca_crl", "pck_crl"] as const) {
    const value: unknown = collateral[name];
    if (typeof value !== "string" && !(value instanceof Uint8Array)) {
      throw new VerifyError("COLLATERAL", `the field ${name} is neither text nor bytes`);
    }
  }
  const common = {
    pckCrlIssuerChain: collateral.pck_crl_issuer_chain,
    rootCaCrl: collateral.root_ca_crl,
    pckCrl: collateral.pck_crl,
    tcbInfoIssuerChain: collateral.tcb_info_issuer_chain,
    qeIdentityIssuerChain: collateral.qe_identity_issuer_chain,
  };
  if (!isNine(collateral)) {
    const { version = 3, tcb_info: tcbInfo, qe_identity: qeIdentity } = collateral;
    if (typeof version !== "number") throw new VerifyError("COLLATERAL", "the field version is not a number");
    return { ...common, version, tcbInfo, qeIdentity };
  }
  for (const name of ["tcb_info_signature", "qe_identity_signature"] as const) {
    if (typeof collateral[name] !== "string") throw new VerifyError("COLLATERAL", `the field ${name} is not text`);
  }
  return {
    ...common,
    version: 3,
    tcbInfo: join("tcbInfo", collateral.tcb_info, collateral.tcb_info_signature),
    qeIdentity: join("enclaveIdentity", collateral.qe_identity, collateral.qe_identity_signature),
  };
}

/** Why a field cannot be taken at all, undefined if every one can: a NUL inside a text, or too many bytes. */
export function collateralProblem(texts: CollateralTexts): string | undefined {
  for (const [name, value] of Object.entries(texts)) {
    if (typeof value === "number") continue;
    if (value.length > BUDGETS.fieldBytes) return `${name} has ${value.length} bytes`;
    if (typeof value === "string" && value.includes("\0") && !name.endsWith("Crl")) return `${name} contains a NUL`;
  }
  return undefined;
}

/** A collateral taken apart, and why it cannot be used, if so. */
export class ReadCollateral {
  readonly texts: CollateralTexts;
  readonly problem: string | undefined;
  readonly #given: readonly unknown[];

  /** Throws VerifyError `COLLATERAL` like {@link normalizeCollateral}. */
  constructor(collateral: Collateral | QveCollateral) {
    this.#given = COLLATERAL_FIELDS.map((name) => (collateral as unknown as Record<string, unknown> | null)?.[name]);
    this.texts = normalizeCollateral(collateral);
    this.problem = collateralProblem(this.texts);
  }

  /** Whether another collateral has the same nine texts, so that reading it would give the same. */
  isOf(collateral: Collateral | QveCollateral): boolean {
    if (typeof collateral !== "object" || collateral === null) return false;
    for (let i = 0; i < COLLATERAL_FIELDS.length; i++) {
      const value: unknown = (collateral as Collateral)[COLLATERAL_FIELDS[i] as keyof Collateral];
      if (typeof value !== "string" || value !== this.#given[i]) return false;
    }
    return true;
  }
}
