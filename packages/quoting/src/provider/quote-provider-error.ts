import { AesmError, QuotingError } from "@confcom/aesm";
import { QUOTE3_ERRORS, Quote3, type Quote3ErrorCode, quote3ErrorName, sgxStatusToQuote3 } from "@confcom/sgx";
import { PlatformError } from "../errors.ts";

/** A failure as DCAP's quote library reports it: a quote3_error_t with its name (spec: DCAP §11). */
export class QuoteProviderError extends Error {
  readonly code = "PROVIDER_FAILED";
  readonly quote3: Quote3ErrorCode;
  /** `INVALID_REPORT` for 0xE015, and so on. */
  readonly quote3Name: string;
  /** What the caller or the operator can do. */
  readonly nextStep: string;

  constructor(quote3: Quote3ErrorCode, message: string, options: { nextStep?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "QuoteProviderError";
    this.quote3 = quote3;
    this.quote3Name = quote3ErrorName(quote3);
    this.nextStep = options.nextStep ?? QUOTE3_ERRORS[quote3].explanation;
  }
}

/**
 * Names any failure of either mode. In-process failures carry their code; out of process the service's answer went
 * through Intel's client codes first, which loses detail (spec: AESM §5.4): the cause keeps it.
 */
export function asProviderError(error: unknown): Error {
  if (error instanceof QuoteProviderError) return error;
  if (error instanceof QuotingError) {
    return new QuoteProviderError(error.quote3, error.message, { nextStep: error.nextStep, cause: error });
  }
  if (error instanceof AesmError) {
    const quote3 = error.status === undefined ? Quote3.UNEXPECTED : sgxStatusToQuote3(error.status);
    return new QuoteProviderError(quote3, error.message, { cause: error });
  }
  if (error instanceof PlatformError) {
    if (error.code === "PROVIDER_MODE_FIXED") return error;
    const message = `the quoting platform did not load: ${error.message}`;
    return new QuoteProviderError(Quote3.ENCLAVE_LOAD_ERROR, message, { nextStep: error.nextStep, cause: error });
  }
  return new QuoteProviderError(Quote3.UNEXPECTED, "quoting failed unexpectedly; see the cause", { cause: error });
}
