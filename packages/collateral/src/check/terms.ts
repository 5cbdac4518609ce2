import { createVerificationCache, type VerificationCrypto } from "@confcom/verify";
import { createDocumentChecker, type DocumentChecker, type DocumentTerms } from "@confcom/verify/documents";
import { nodeCrypto } from "@confcom/verify/node";

/** On what terms answers are taken. Time is none of them: see {@link import("./facts.ts").AnswerFacts}. */
export interface AnswerTerms {
  /** Root keys of which one must have signed: 65 bytes each, 04 and x and y. */
  readonly trustedRoots: readonly Uint8Array[];
  readonly crypto?: VerificationCrypto;
  /** DER: an issuer that this CRL revokes is not trusted. The CRL is itself checked under the roots; its age is not. */
  readonly rootCaCrl?: Uint8Array;
  /** PEM, each intermediate and root: whose CRLs may come from a distribution point beside the root's. */
  readonly pckIssuerChains?: readonly string[];
  /** Remembers issuer chains and their signatures from one check to the next; see {@link createAnswerChecker}. */
  readonly checker?: DocumentChecker;
}

/**
 * A memory for {@link AnswerTerms.checker}, of at most so many chains, CRLs and JSON texts. With it a PCK certificate costs
 * one signature check instead of three, and a document that was seen before none.
 */
export function createAnswerChecker(
  options: { readonly crypto?: VerificationCrypto; readonly maxEntries?: number } = {},
): DocumentChecker {
  const { crypto = nodeCrypto, maxEntries = 64 } = options;
  return createDocumentChecker({ crypto, cache: createVerificationCache({ maxEntries }) });
}

/** What the checks of one answer go by. */
export function documentTerms(terms: AnswerTerms): { checker: DocumentChecker; documentTerms: DocumentTerms } {
  const { trustedRoots, rootCaCrl, crypto } = terms;
  const checker = terms.checker ?? createAnswerChecker(crypto === undefined ? {} : { crypto });
  return { checker, documentTerms: rootCaCrl === undefined ? { trustedRoots } : { trustedRoots, rootCaCrl } };
}
