import type { CertificationCa, IdentityName, Tee } from "../request.ts";

/** What a checked answer is, read from the signed bytes themselves. Times in milliseconds since 1970. */
export interface AnswerFacts {
  readonly issued: number;
  /** The earliest end of the answer: nextUpdate; for a PCK certificate the chain's notAfter. */
  readonly nextUpdate: number;
  /** Of TCB info and identities. */
  readonly tcbEvaluationDataNumber?: number;
  /** Of CRLs: grows with each one that an issuer gives out. */
  readonly crlNumber?: number;
  readonly fmspc?: string;
  readonly tee?: Tee;
  readonly id?: IdentityName;
  readonly ca?: CertificationCa;
}
