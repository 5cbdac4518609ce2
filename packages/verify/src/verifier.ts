import type { Collateral } from "@confcom/sgx";
import type { QveCollateral } from "./collateral/collateral.ts";
import { type AsyncVerificationCrypto, runStep, runStepAsync, type VerificationCrypto } from "./crypto.ts";
import { Memory, type VerificationCache } from "./memory.ts";
import type { VerificationResult } from "./result.ts";
import { type VerificationTerms, verification } from "./verify.ts";

export interface VerifyOptions extends VerificationTerms {
  readonly crypto: VerificationCrypto;
}

export interface VerifyAsyncOptions extends VerificationTerms {
  readonly crypto: AsyncVerificationCrypto;
}

/**
 * Verifies an SGX (v3, v4, v5) or TDX (v4, v5) quote with the reference verifier's verdicts and order of errors (spec:
 * DCAP §10, §11). Pure: no network, no clock, nothing remembered. What is wrong with quote or collateral is in the
 * result; only wrong use throws ({@link VerifyError}).
 *
 * `quote` may be longer than the quote; `collateral` is the nine-field shape or Intel's seven fields. A result with
 * `ret` 0 means the quote is genuine, not that its enclave is the one wanted: `validate` compares it with a policy.
 */
export function verifyQuote(
  quote: Uint8Array,
  collateral: Collateral | QveCollateral,
  options: VerifyOptions,
): VerificationResult {
  return runStep(verification(quote, collateral, options, new Memory()), options.crypto);
}

/**
 * {@link verifyQuote} over crypto that answers later, such as WebCrypto: the same steps, the same results. The quote is
 * copied first, so that a change of it in the meantime changes nothing.
 */
export function verifyQuoteAsync(
  quote: Uint8Array,
  collateral: Collateral | QveCollateral,
  options: VerifyAsyncOptions,
): Promise<VerificationResult> {
  return runStepAsync(verification(quote.slice(), collateral, options, new Memory()), options.crypto);
}

export interface Verifier {
  verify(quote: Uint8Array, collateral: Collateral | QveCollateral, terms: VerificationTerms): VerificationResult;
}

export interface AsyncVerifier {
  verify(
    quote: Uint8Array,
    collateral: Collateral | QveCollateral,
    terms: VerificationTerms,
  ): Promise<VerificationResult>;
}

/**
 * A verifier that remembers chains, CRLs and JSON documents it has seen, by their SHA-256, in a cache that the caller
 * bounds and owns. Results are those of {@link verifyQuote}: time and trust are never remembered. A cache belongs to one
 * crypto provider, because it holds that provider's keys.
 */
export function createVerifier(options: { crypto: VerificationCrypto; cache: VerificationCache }): Verifier {
  const memory = new Memory(options.cache);
  return {
    verify: (quote, collateral, terms) => runStep(verification(quote, collateral, terms, memory), options.crypto),
  };
}

/** {@link createVerifier} over crypto that answers later. */
export function createAsyncVerifier(options: {
  crypto: AsyncVerificationCrypto;
  cache: VerificationCache;
}): AsyncVerifier {
  const memory = new Memory(options.cache);
  return {
    verify: (quote, collateral, terms) =>
      runStepAsync(verification(quote.slice(), collateral, terms, memory), options.crypto),
  };
}
