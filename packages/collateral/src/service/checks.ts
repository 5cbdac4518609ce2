import type { AnswerTo } from "../answer.ts";
import type { AnswerFacts } from "../check/facts.ts";
import type { CollateralRequest } from "../request.ts";
import type { PckCertificates } from "../source.ts";
import type { MaybePromise, StoredPckCertificate } from "../store/store.ts";

/** What an upstream's answer must pass before it is stored or served, and the choice among a platform's certificates. */
export interface CollateralChecks {
  /** Fails with CollateralError ANSWER_UNTRUSTED or SOURCE_ANSWER. Expiry is a fact, not a failure. */
  answer<R extends CollateralRequest>(
    request: R,
    answer: AnswerTo<R>,
    context: { readonly now: number; readonly rootCaCrl?: Uint8Array },
  ): MaybePromise<AnswerFacts>;
  /** The same for all certificates of a platform. `pceId`: 4 digits, little-endian bytes. */
  pckCertificates(
    certificates: PckCertificates,
    pceId: string,
    context: { readonly now: number; readonly rootCaCrl?: Uint8Array },
  ): MaybePromise<void>;
  /** The certificate for a raw TCB as Intel's library chooses it (spec: DCAP §12); undefined: none fits. */
  select(
    certificates: readonly StoredPckCertificate[],
    tcbInfo: string,
    rawTcb: { readonly cpuSvn: string; readonly pceSvn: string; readonly pceId: string },
  ): StoredPckCertificate | undefined;
}
