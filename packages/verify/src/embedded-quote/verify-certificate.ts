import { type Collateral, Quote3 } from "@confcom/sgx";
import type { QveCollateral } from "../collateral/collateral.ts";
import { runStep, runStepAsync, type Step } from "../crypto.ts";
import { VerifyError } from "../errors.ts";
import { Memory } from "../memory.ts";
import type { VerificationResult, VerificationStep } from "../result.ts";
import { Ended, Run } from "../run.ts";
import type { VerifyAsyncOptions, VerifyOptions } from "../verifier.ts";
import { type VerificationTerms, verification } from "../verify.ts";
import { type EmbeddedQuote, readEmbeddedQuote } from "./embedded-quote.ts";
import { checkKeyBinding, type KeyBinding } from "./key-binding.ts";

/**
 * The result for the quote that a certificate carries. `ret` is 0 only if the quote is genuine and vouches for the
 * certificate's public key. Nothing else in the certificate is vouched for: not its names, not its dates.
 */
export interface CertificateVerificationResult extends VerificationResult {
  /** Absent if the certificate carries no readable quote. */
  readonly embedded?: EmbeddedQuote;
  /** Absent if the quote could not be decoded; only meaningful if the quote is genuine. */
  readonly keyBinding?: KeyBinding;
}

function read(certificate: Uint8Array): EmbeddedQuote | VerificationResult {
  try {
    return readEmbeddedQuote(certificate);
  } catch (error) {
    if (!(error instanceof VerifyError)) throw error;
    const run = new Run();
    run.enter("certificate");
    return run.failure(new Ended("STATUS_UNSUPPORTED_QUOTE_FORMAT", Quote3.QUOTE_FORMAT_UNSUPPORTED, error.message));
  }
}

function describe({ scheme, oid, format, quote, certificate, others }: EmbeddedQuote): VerificationStep {
  const more = others.length === 0 ? "" : `; not looked at: ${others.join(", ")}`;
  const name = `calls itself "${certificate.subject.text}", which nobody vouches for`;
  const found = `${name}; ${format}, ${quote.length} bytes, in ${oid} (${scheme})${more}`;
  return { name: "certificate", status: "STATUS_OK", outcome: "passed", found };
}

function datesWarning({ certificate: { notBefore, notAfter } }: EmbeddedQuote, now: Date): string[] {
  const seconds = now.getTime() / 1000;
  return seconds >= notBefore && seconds <= notAfter
    ? []
    : ["the certificate with the quote is not valid at this time"];
}

/** The quote's result with what the certificate around it adds: steps before the verdict, and its own refusal. */
function join(result: VerificationResult, embedded: EmbeddedQuote, binding: KeyBinding | undefined, now: Date) {
  const warnings = [...result.warnings, ...datesWarning(embedded, now)];
  const steps = [describe(embedded), ...result.steps];
  if (binding === undefined) return { ...result, steps, warnings, embedded };
  const status = binding.bound ? "STATUS_OK" : "STATUS_CERTIFICATE_KEY_NOT_BOUND";
  const outcome = binding.bound ? "passed" : "failed";
  const step: VerificationStep = { name: "key binding", status, outcome, found: binding.found };
  const common = { warnings, embedded, keyBinding: binding };
  if (result.ret !== Quote3.SUCCESS) return { ...result, ...common, steps: [...steps, step] };
  const verdict = steps.pop() as VerificationStep;
  if (binding.bound) return { ...result, ...common, steps: [...steps, step, verdict] };
  const { tcbLevel: _level, supplemental: _supplemental, ...found } = result;
  const refusal = new Run().failure(new Ended("STATUS_CERTIFICATE_KEY_NOT_BOUND", Quote3.UNEXPECTED, binding.found));
  const { ret, retName, reason } = refusal;
  const refused = { ret, retName, result: refusal.result, status, reason, advisories: [] } as const;
  return { ...found, ...refused, ...common, steps: [...steps, step] };
}

function* certificateVerification(
  certificate: Uint8Array,
  collateral: Collateral | QveCollateral,
  terms: VerificationTerms,
): Step<CertificateVerificationResult> {
  const embedded = read(certificate);
  if ("ret" in embedded) return embedded;
  const result = yield* verification(embedded.quote, collateral, terms, new Memory());
  const reportData = result.quote?.body.report.reportData;
  const binding = reportData === undefined ? undefined : yield* checkKeyBinding(embedded, reportData);
  return join(result, embedded, binding, terms.now);
}

/**
 * Verifies the quote that a certificate carries (DER or PEM; `readEmbeddedQuote` says which kinds) as `verifyQuote` does,
 * and that it vouches for the certificate's public key. The certificate's own signature and dates are not checked: that
 * its key is used by the peer is for TLS to prove. SHA-512 is needed of the crypto provider for some certificates.
 */
export function verifyCertificate(
  certificate: Uint8Array,
  collateral: Collateral | QveCollateral,
  options: VerifyOptions,
): CertificateVerificationResult {
  return runStep(certificateVerification(certificate, collateral, options), options.crypto);
}

/** {@link verifyCertificate} over crypto that answers later, such as WebCrypto. */
export function verifyCertificateAsync(
  certificate: Uint8Array,
  collateral: Collateral | QveCollateral,
  options: VerifyAsyncOptions,
): Promise<CertificateVerificationResult> {
  return runStepAsync(certificateVerification(certificate.slice(), collateral, options), options.crypto);
}
