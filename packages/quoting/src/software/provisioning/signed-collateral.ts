import { X509Certificate } from "node:crypto";
import type { Collateral } from "@confcom/sgx";
import type { StateDirectory } from "../../state/index.ts";
import type { QeIdentityFacts } from "../provisioning-authority.ts";
import type { AuthorityKeys } from "./authority-record.ts";
import { type CertificationCa, COLLATERAL_LIFE_MS, COLLATERAL_RENEWAL_MS, LEAF_RENEWAL_MS } from "./profile.ts";
import { qeIdentityText } from "./qe-identity.ts";
import { CRL_ISSUERS, type CrlIssuer, type RevocationState } from "./revocation-state.ts";
import { decodeStateRecord, encodeStateRecord, hasTexts, isObject } from "./state-record.ts";
import { tcbInfoText } from "./tcb-info.ts";
import { TCB_EVALUATION_DATA_NUMBER } from "./tcb-levels.ts";

export const COLLATERAL_FILE = "collateral.json";
const KIND = "confcom signed collateral 1";

/** All that the authority signs for verifiers, signed in one go. */
export interface SignedCollateral {
  /** PEM: ties the collateral to its authority. */
  readonly rootCertificate: string;
  /** ISO-8601: thisUpdate and issueDate of every document. */
  readonly issued: string;
  /** PEM. */
  readonly tcbSigningCertificate: string;
  /** DER as lower-case hex. */
  readonly crls: Readonly<Record<CrlIssuer, string>>;
  readonly crlNumbers: Readonly<Record<CrlIssuer, number>>;
  readonly tcbInfo: string;
  /** r || s as 128 hex digits, over the UTF-8 bytes of the text. */
  readonly tcbInfoSignature: string;
  readonly qeIdentity: string;
  readonly qeIdentitySignature: string;
}

/** The stored collateral; undefined when there is none or it is damaged, for it can be made again. */
export function readSignedCollateral(state: StateDirectory): SignedCollateral | undefined {
  const bytes = state.read(COLLATERAL_FILE);
  const content = bytes && decodeStateRecord(KIND, bytes);
  return isSignedCollateral(content) ? content : undefined;
}

export function writeSignedCollateral(state: StateDirectory, collateral: SignedCollateral): void {
  state.replace(COLLATERAL_FILE, encodeStateRecord(KIND, collateral));
}

/**
 * Whether stored collateral may still be handed out: of this authority, not from the future, with at least ten days
 * left, its CRLs the latest, and saying what would be signed today.
 */
export function isCurrent(
  collateral: SignedCollateral,
  keys: AuthorityKeys,
  revocations: RevocationState,
  qe: QeIdentityFacts,
  now: Date,
): boolean {
  const issued = new Date(collateral.issued);
  const evaluation = Math.max(revocations.tcbEvaluationDataNumber, TCB_EVALUATION_DATA_NUMBER);
  return (
    collateral.rootCertificate === keys.root.certificate &&
    issued.getTime() <= now.getTime() &&
    issued.getTime() + COLLATERAL_LIFE_MS - now.getTime() >= COLLATERAL_RENEWAL_MS &&
    CRL_ISSUERS.every((issuer) => collateral.crlNumbers[issuer] === revocations[issuer].number) &&
    collateral.tcbInfo === tcbInfoText(issued, evaluation) &&
    collateral.qeIdentity === qeIdentityText(qe, issued, evaluation) &&
    outlivesRenewal(collateral.tcbSigningCertificate, now)
  );
}

/** Whether a leaf certificate (PEM) is valid now and need not be renewed yet. */
export function outlivesRenewal(certificate: string, now: Date): boolean {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return validFromDate.getTime() <= now.getTime() && validToDate.getTime() - now.getTime() >= LEAF_RENEWAL_MS;
}

/** The nine texts that a verifier of a quote certified by this CA needs (spec: DCAP §11). */
export function collateralFor(signed: SignedCollateral, keys: AuthorityKeys, ca: CertificationCa): Collateral {
  const root = keys.root.certificate;
  const signerChain = signed.tcbSigningCertificate + root;
  return {
    pck_crl_issuer_chain: keys[ca].certificate + root,
    root_ca_crl: signed.crls.root,
    pck_crl: signed.crls[ca],
    tcb_info_issuer_chain: signerChain,
    tcb_info: signed.tcbInfo,
    tcb_info_signature: signed.tcbInfoSignature,
    qe_identity_issuer_chain: signerChain,
    qe_identity: signed.qeIdentity,
    qe_identity_signature: signed.qeIdentitySignature,
  };
}

function isSignedCollateral(content: unknown): content is SignedCollateral {
  if (!isObject(content)) return false;
  const members: Readonly<Record<string, unknown>> = content;
  const { crls, crlNumbers } = members;
  return (
    hasTexts(content, "rootCertificate", "issued", "tcbSigningCertificate") &&
    hasTexts(content, "tcbInfo", "tcbInfoSignature", "qeIdentity", "qeIdentitySignature") &&
    hasTexts(crls, ...CRL_ISSUERS) &&
    isObject(crlNumbers) &&
    CRL_ISSUERS.every((issuer) => Number.isSafeInteger(crlNumbers[issuer])) &&
    !Number.isNaN(Date.parse(members.issued as string))
  );
}
