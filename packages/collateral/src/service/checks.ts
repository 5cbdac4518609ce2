import type { AnswerTo } from "../answer.ts";
import type { AnswerFacts } from "../check/facts.ts";
import type { CollateralRequest } from "../request.ts";
import type { PckCertificates } from "../source.ts";
import type { MaybePromise, StoredPckCertificate } from "../store/store.ts";

/** What checks go by. */
export interface CheckContext {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** DER: what it revokes is not trusted. */
  readonly rootCaCrl?: Uint8Array;
  /** PEM: CAs whose CRLs may come from a distribution point, beside the root's. */
  readonly pckIssuerChains?: readonly string[];
}

/** What an upstream's answer must pass before it is stored or served, and the choice among a platform's certificates. */
export interface CollateralChecks {
  /** Fails with CollateralError ANSWER_UNTRUSTED or SOURCE_ANSWER. Expiry is a fact, not a failure. */
  answer<R extends CollateralRequest>(
    request: R,
    answer: AnswerTo<R>,
    context: CheckContext,
  ): MaybePromise<AnswerFacts>;
  /** The same for all certificates of a platform. `pceId`: 4 digits, little-endian bytes. */
  pckCertificates(certificates: PckCertificates, pceId: string, context: CheckContext): MaybePromise<void>;
  /** When a certificate or its chain ends, milliseconds since 1970. Of what was checked when it was stored. */
  certificateEnd(answer: { readonly certificate: string; readonly issuerChain: string }): number;
  /** The certificate for a raw TCB as Intel's library chooses it (spec: DCAP §12); undefined: none fits. */
  select(
    certificates: readonly StoredPckCertificate[],
    tcbInfo: string,
    rawTcb: { readonly cpuSvn: string; readonly pceSvn: string; readonly pceId: string },
  ): StoredPckCertificate | undefined;
}
