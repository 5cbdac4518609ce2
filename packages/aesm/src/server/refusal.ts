import { Aesm, type AesmErrorCode } from "@confcom/sgx";
import { QuotingError } from "../platform.ts";

/** Why a request is answered with an error code, in words for the person who runs the service. */
export interface Refusal {
  readonly code: AesmErrorCode;
  readonly cause: string;
  readonly nextStep: string;
  readonly error?: unknown;
}

export const UNAVAILABLE_HERE: Refusal = {
  code: Aesm.SERVICE_UNAVAILABLE,
  cause: "EPID, launch and white list services are not part of this helper",
  nextStep: "Use the ECDSA calls (init_quote_ex, get_quote_size_ex, get_quote_ex).",
};

export const NO_QUOTING_ENCLAVE = "the platform offers no attestation key: its quoting enclave did not load";
export const LOOK_AT_PLATFORM = "Look for the platform's own error at start, then restart the quote helper.";

export const MISSING_FIELD: Refusal = {
  code: Aesm.UNEXPECTED_ERROR,
  cause: "the request lacks a required field",
  nextStep: "The client is broken or the request was cut; update the client.",
};

export const QUEUE_FULL: Refusal = {
  code: Aesm.BUSY,
  cause: "too many requests wait for the platform",
  nextStep: "Callers should try again; if it lasts, see why the platform is slow.",
};

export const WAITED_TOO_LONG: Refusal = {
  code: Aesm.BUSY,
  cause: "the request waited for the platform until its caller would give up",
  nextStep: "Callers should try again; if it lasts, see why the platform is slow.",
};

export const EXECUTED_TOO_LONG: Refusal = {
  code: Aesm.SERVICE_UNAVAILABLE,
  cause: "the platform did not answer before the deadline; the call was abandoned",
  nextStep: "See why the platform is slow: a provisioning server that does not answer is the usual cause.",
};

/** A refusal for wrong parameters. */
export function badParameter(cause: string): Refusal {
  return {
    code: Aesm.PARAMETER_ERROR,
    cause,
    nextStep: "Correct the client: the request breaks the protocol's rules.",
  };
}

/** What a failed platform call is answered with: the platform's own code, or 1 for anything it should not have thrown. */
export function refusalOf(error: unknown): Refusal {
  if (error instanceof QuotingError) {
    return { code: error.aesm, cause: error.message, nextStep: error.nextStep, error };
  }
  if (error instanceof RefusalError) return error.refusal;
  return {
    code: Aesm.UNEXPECTED_ERROR,
    cause: error instanceof Error ? error.message : String(error),
    nextStep: "This is a defect of the platform or the server; report it with the error's stack.",
    error,
  };
}

/** Carries a refusal out of a platform call. */
export class RefusalError extends Error {
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(refusal.cause);
    this.name = "RefusalError";
    this.refusal = refusal;
  }
}
