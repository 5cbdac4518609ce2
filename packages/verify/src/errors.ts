/**
 * Misuse of this package's functions. What is wrong with a quote or its collateral is never thrown by `verifyQuote`: it is
 * in the result. The keys are stable; callers may match on them.
 */
export const VERIFY_ERRORS = {
  TRUSTED_ROOT:
    "A trusted root is not a P-256 public key. Pass 65 bytes starting with 04, or use trustedRootFromCertificate.",
  CERTIFICATE: "Text or bytes given as a certificate are not one X.509 certificate.",
  EMBEDDED_QUOTE: "A certificate carries no quote, or its extension for one is damaged.",
  COLLATERAL:
    "The collateral is in neither of the two known shapes. Pass the nine fields, or the seven with whole JSON.",
  POLICY:
    "A policy has an unknown field or an impossible value, or needs something that was not passed. The message names it.",
} as const;

export type VerifyErrorCode = keyof typeof VERIFY_ERRORS;

/** Wrong use of this package, with a stable `code`. */
export class VerifyError extends Error {
  readonly code: VerifyErrorCode;

  constructor(code: VerifyErrorCode, detail: string, options?: ErrorOptions) {
    super(detail, options);
    this.name = "VerifyError";
    this.code = code;
  }
}
