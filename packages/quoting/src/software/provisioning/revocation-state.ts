import { PlatformError } from "../../errors.ts";
import type { StateDirectory } from "../../state/index.ts";
import type { CertificationCa } from "./profile.ts";
import { decodeStateRecord, encodeStateRecord, isObject } from "./state-record.ts";

export const REVOCATION_FILE = "crl-state.json";
const KIND = "confcom certificate revocation state 1";

/** CRLReason by its name in RFC 5280 §5.3.1. `unspecified` is not among them: such an entry carries no reason at all. */
export const REVOCATION_REASONS = [
  "keyCompromise",
  "cACompromise",
  "affiliationChanged",
  "superseded",
  "cessationOfOperation",
  "privilegeWithdrawn",
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

export type CrlIssuer = "root" | CertificationCa;
export const CRL_ISSUERS: readonly CrlIssuer[] = ["root", "platform", "processor"];

export interface RevokedCertificate {
  /** Lower-case hex. */
  readonly serial: string;
  /** ISO-8601, whole seconds. */
  readonly date: string;
  readonly reason: RevocationReason;
}

export interface RevocationLedger {
  /** CRL number of the list signed last, or about to be signed; 0 before the first. */
  readonly number: number;
  readonly revoked: readonly RevokedCertificate[];
}

/** What must never go backwards: who is revoked, the CRL numbers, and the number of the TCB evaluation. */
export interface RevocationState extends Readonly<Record<CrlIssuer, RevocationLedger>> {
  readonly tcbEvaluationDataNumber: number;
}

const EMPTY: RevocationState = {
  root: { number: 0, revoked: [] },
  platform: { number: 0, revoked: [] },
  processor: { number: 0, revoked: [] },
  tcbEvaluationDataNumber: 0,
};

/** Creates the empty state unless there is one already. */
export function createRevocationState(state: StateDirectory): void {
  state.createOnce(REVOCATION_FILE, encodeStateRecord(KIND, EMPTY));
}

/** Reads the state. A damaged or missing file is refused: going on would forget revocations and repeat CRL numbers. */
export function readRevocationState(state: StateDirectory): RevocationState {
  const bytes = state.read(REVOCATION_FILE);
  const content = bytes && decodeStateRecord(KIND, bytes);
  if (isRevocationState(content)) return content;
  throw new PlatformError(
    "STATE_DAMAGED",
    `${REVOCATION_FILE} in ${state.path} is ${bytes === undefined ? "missing" : "damaged"}; it holds the revoked certificates and the CRL numbers already used`,
  );
}

/**
 * Takes the next CRL number of every issuer and raises the TCB evaluation number to at least `evaluation`. Written
 * before anything is signed: a stop in between skips numbers and never uses one twice.
 */
export function advanceRevocationState(state: StateDirectory, evaluation: number): RevocationState {
  const before = readRevocationState(state);
  const next = (ledger: RevocationLedger) => ({ ...ledger, number: ledger.number + 1 });
  return write(state, {
    root: next(before.root),
    platform: next(before.platform),
    processor: next(before.processor),
    tcbEvaluationDataNumber: Math.max(before.tcbEvaluationDataNumber, evaluation),
  });
}

/** Enters a certificate in its issuer's list; one that is there already stays as it was entered. */
export function addRevocation(state: StateDirectory, issuer: CrlIssuer, entry: RevokedCertificate): RevocationState {
  const before = readRevocationState(state);
  const ledger = before[issuer];
  if (ledger.revoked.some(({ serial }) => serial === entry.serial)) return before;
  return write(state, {
    ...before,
    [issuer]: { number: ledger.number + 1, revoked: [...ledger.revoked, entry] },
  });
}

function write(state: StateDirectory, content: RevocationState): RevocationState {
  state.replace(REVOCATION_FILE, encodeStateRecord(KIND, content));
  return content;
}

function isRevocationState(content: unknown): content is RevocationState {
  return (
    isObject(content) &&
    Number.isSafeInteger(content.tcbEvaluationDataNumber) &&
    CRL_ISSUERS.every((issuer) => isLedger(content[issuer]))
  );
}

function isLedger(value: unknown): value is RevocationLedger {
  if (!isObject(value) || !Number.isSafeInteger(value.number) || !Array.isArray(value.revoked)) return false;
  const reasons: readonly unknown[] = REVOCATION_REASONS;
  return value.revoked.every(
    (entry: unknown) =>
      isObject(entry) &&
      typeof entry.serial === "string" &&
      typeof entry.date === "string" &&
      reasons.includes(entry.reason),
  );
}
