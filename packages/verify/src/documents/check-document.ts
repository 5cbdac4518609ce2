import { type AsyncVerificationCrypto, runStep, runStepAsync, type Step, type VerificationCrypto } from "../crypto.ts";
import { Memory, type VerificationCache } from "../memory.ts";
import { checkTrustedRoots } from "../trusted-root.ts";
import { checkCrlOfAnyone, checkPckCrl, checkRootCaCrl, verifyRootCaCrl } from "./crl.ts";
import type { CollateralDocument, DocumentFacts, FactsOf } from "./document.ts";
import { readCrl, type Trust } from "./issuer.ts";
import { checkPckChain } from "./pck-chain.ts";
import { DocumentRefusal, refusalOf } from "./refusal.ts";
import { checkIdentity, checkTcbInfo } from "./signed-json.ts";

export interface DocumentTerms {
  /** Root keys of which one must have signed what is checked: 65 bytes each, 04 and x and y. */
  readonly trustedRoots: readonly Uint8Array[];
  /** The time at which the document must be valid; left out, dates are facts and refuse nothing. */
  readonly now?: Date;
  /** The root's CRL, itself checked: an issuer on it is refused as revoked. Its own dates refuse nothing. */
  readonly rootCaCrl?: Uint8Array | string;
}

function* checkKind(memory: Memory, document: CollateralDocument, trust: Trust): Step<DocumentFacts> {
  switch (document.kind) {
    case "pck-chain":
      return yield* checkPckChain(memory, document, trust);
    case "pck-crl":
      return yield* checkPckCrl(memory, document, trust);
    case "root-ca-crl":
      return yield* checkRootCaCrl(memory, document, trust);
    case "crl":
      return yield* checkCrlOfAnyone(memory, document, trust);
    case "tcb-info":
      return yield* checkTcbInfo(memory, document, trust);
    case "identity":
      return yield* checkIdentity(memory, document, trust);
  }
}

function checkDates({ issued, nextUpdate, kind }: DocumentFacts, now: Date): void {
  const time = now.getTime();
  const date = (ms: number) => new Date(ms).toISOString();
  if (time > nextUpdate) throw new DocumentRefusal("expired", `the document or its chain ended ${date(nextUpdate)}`);
  // As in the verifier, only a CRL's beginning counts (spec: DCAP §10 B).
  if (kind.endsWith("crl") && time < issued) {
    throw new DocumentRefusal("expired", `the CRL is not valid before ${date(issued)}`);
  }
}

function* documentCheck(memory: Memory, document: CollateralDocument, terms: DocumentTerms): Step<DocumentFacts> {
  const { trustedRoots, rootCaCrl: given, now } = terms;
  checkTrustedRoots(trustedRoots);
  try {
    let rootCaCrl: Trust["rootCaCrl"];
    if (given !== undefined) {
      rootCaCrl = yield* readCrl(memory, "rootCaCrl", given, "the root CA CRL");
      yield* verifyRootCaCrl(rootCaCrl, trustedRoots);
    }
    const facts = yield* checkKind(memory, document, { trustedRoots, rootCaCrl });
    if (now !== undefined) checkDates(facts, now);
    return facts;
  } catch (error) {
    throw refusalOf(error);
  } finally {
    memory.endOfVerification();
  }
}

/**
 * Checks one document of the collateral by itself (spec: DCAP §8-§10) and says what it is. Pure: no clock, no network.
 * What is wrong with the document is a {@link DocumentRefusal}, told apart by its `reason`; wrong use a VerifyError.
 *
 * Unlike `verifyQuote` this wants nothing in the document that the signature does not cover, because documents are handed
 * on as they came: see form.ts.
 */
export function checkDocument<D extends CollateralDocument>(
  document: D,
  terms: DocumentTerms & { readonly crypto: VerificationCrypto },
): FactsOf<D> {
  return runStep(documentCheck(new Memory(), document, terms), terms.crypto) as FactsOf<D>;
}

/** {@link checkDocument} over crypto that answers later, such as WebCrypto. Bytes must not be changed meanwhile. */
export async function checkDocumentAsync<D extends CollateralDocument>(
  document: D,
  terms: DocumentTerms & { readonly crypto: AsyncVerificationCrypto },
): Promise<FactsOf<D>> {
  return (await runStepAsync(documentCheck(new Memory(), document, terms), terms.crypto)) as FactsOf<D>;
}

export interface DocumentChecker {
  check<D extends CollateralDocument>(document: D, terms: DocumentTerms): FactsOf<D>;
}

/**
 * {@link checkDocument} that remembers chains, CRLs and JSON texts it has seen, with what it found of their signatures, in
 * a cache that the caller bounds and owns. Time and trust are never remembered. A cache belongs to one crypto provider.
 */
export function createDocumentChecker(options: {
  readonly crypto: VerificationCrypto;
  readonly cache: VerificationCache;
}): DocumentChecker {
  const memory = new Memory(options.cache);
  return {
    check<D extends CollateralDocument>(document: D, terms: DocumentTerms): FactsOf<D> {
      return runStep(documentCheck(memory, document, terms), options.crypto) as FactsOf<D>;
    },
  };
}
