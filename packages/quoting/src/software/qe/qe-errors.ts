import { QuotingError } from "@confcom/aesm";
import { Quote3, type Quote3ErrorCode, quote3ToAesm } from "@confcom/sgx";
import { PlatformError, type QuotingErrorCode } from "../../errors.ts";

/** sgx_qe3_error_t (spec: DCAP §5): the number behind each QE_* code. 0xD003 is about memory. */
export const QE_ERROR_NUMBERS = {
  QE_UNEXPECTED: 0xd001,
  QE_INVALID_PARAMETER: 0xd002,
  QE_BLOB_ERROR: 0xd004,
  QE_CRYPTO_ERROR: 0xd005,
  QE_KEY_GENERATION: 0xd006,
  QE_STATE: 0xd007,
  QE_INVALID_REPORT: 0xd008,
  QE_REPORT_FAILED: 0xd009,
} as const satisfies Partial<Record<QuotingErrorCode, number>>;

/**
 * What the quote library answers for a failure inside (spec: DCAP §5, §6). A blob error is one here because it can only
 * surface while a key is made; a caller of get_quote gets ATT_KEY_NOT_INITIALIZED instead. State that cannot be written
 * means a key would not survive, so it is not handed out.
 */
const TO_QUOTE3: Readonly<Partial<Record<QuotingErrorCode, Quote3ErrorCode>>> = {
  QE_INVALID_PARAMETER: Quote3.INVALID_PARAMETER,
  QE_INVALID_REPORT: Quote3.INVALID_REPORT,
  QE_REPORT_FAILED: Quote3.UNABLE_TO_GENERATE_QE_REPORT,
  PCE_INVALID_PARAMETER: Quote3.INVALID_PARAMETER,
  PCE_INVALID_REPORT: Quote3.KEY_CERTIFICATION_ERROR,
  PCE_CRYPTO_ERROR: Quote3.KEY_CERTIFICATION_ERROR,
  PCE_INVALID_PRIVILEGE: Quote3.KEY_CERTIFICATION_ERROR,
  PCE_INVALID_TCB: Quote3.KEY_CERTIFICATION_ERROR,
  STATE_NOT_WRITABLE: Quote3.FILE_ACCESS_ERROR,
  STATE_NOT_READABLE: Quote3.FILE_ACCESS_ERROR,
  STATE_IO: Quote3.FILE_ACCESS_ERROR,
  ISSUER_REFUSED: Quote3.NO_PLATFORM_CERT_DATA,
  ISSUER_EXPIRED: Quote3.NO_PLATFORM_CERT_DATA,
  ISSUER_UNREACHABLE: Quote3.NETWORK_ERROR,
  ISSUER_UNREGISTERED: Quote3.PLATFORM_UNKNOWN,
  ISSUER_NO_CERTIFICATE: Quote3.CERTS_UNAVAILABLE,
  ISSUER_INVALID: Quote3.ATT_KEY_CERT_DATA_INVALID,
};

/** A failure for the wire: the quote3 code, and the AESM code that stands for it (spec: AESM §5.5). */
export function quotingFailure(
  quote3: Exclude<Quote3ErrorCode, typeof Quote3.SUCCESS>,
  message: string,
  nextStep: string,
  cause?: unknown,
): QuotingError {
  return new QuotingError(message, { aesm: quote3ToAesm(quote3), quote3, nextStep, cause });
}

/** Turns whatever went wrong while a key was made or loaded into an answer; a QuotingError stays as it is. */
export function asQuotingFailure(error: unknown): QuotingError {
  if (error instanceof QuotingError) return error;
  const doing = "the attestation key could not be made ready";
  if (!(error instanceof PlatformError)) {
    return quotingFailure(Quote3.UNEXPECTED, doing, "see the cause; if it is not clear, report it as a defect", error);
  }
  const quote3 = TO_QUOTE3[error.code] ?? Quote3.UNEXPECTED;
  return new QuotingError(`${doing}: ${error.message}`, {
    aesm: quote3ToAesm(quote3),
    quote3,
    nextStep: error.nextStep,
    cause: error,
  });
}
