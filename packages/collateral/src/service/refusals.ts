import { CollateralError, type CollateralErrorCode, messageOf } from "../errors.ts";
import { ServiceRefusal } from "./status.ts";

/**
 * What each failure is on the wire (spec: DCAP §12). As in Intel's PCCS, what the provisioning service has not, or does not
 * give, is 404, and what could not be asked is 502. An upstream that is itself a PCCS keeps its 461 and 462. Where
 * Intel's answers 404 once its retries of a 429 or 5xx are used up, this one says 503 or 502: "no such data" would be a lie.
 */
const STATUS: Readonly<Partial<Record<CollateralErrorCode, ServiceRefusal["status"]>>> = {
  NOT_FOUND: 404,
  SOURCE_REFUSED: 404,
  PLATFORM_UNKNOWN: 461,
  CERTIFICATES_UNAVAILABLE: 462,
  ANSWER_UNTRUSTED: 460,
  ANSWER_EXPIRED: 502,
  SOURCE_UNREACHABLE: 502,
  SOURCE_TIMEOUT: 502,
  SOURCE_UNTRUSTED: 502,
  SOURCE_ANSWER: 502,
  SOURCE_SUSPENDED: 502,
  DEADLINE: 502,
  SOURCE_BUSY: 503,
  STORE_BUSY: 503,
  STORE_FULL: 503,
  STORE_UNREACHABLE: 503,
  PARAMETER: 400,
  PLATFORM_CONFLICT: 400,
};

const DEFAULT_RETRY_AFTER_S = 5;

/** A refusal for any failure; one that is a refusal already stays what it is. */
export function refusalFor(error: unknown): ServiceRefusal {
  if (error instanceof ServiceRefusal) return error;
  if (!(error instanceof CollateralError)) {
    return new ServiceRefusal(500, messageOf(error), { cause: error });
  }
  const status = STATUS[error.code] ?? 500;
  if (status !== 503) return new ServiceRefusal(status, error.message, { cause: error });
  const retryAfter =
    error.retryAfterMs === undefined ? DEFAULT_RETRY_AFTER_S : Math.max(1, Math.ceil(error.retryAfterMs / 1000));
  return new ServiceRefusal(503, error.message, { cause: error, retryAfter });
}

/** Whether the upstream said no for good, so that asking again at once is no use: what the negative cache remembers. */
export function isDefinite(refusal: ServiceRefusal): boolean {
  return refusal.status === 404 || refusal.status === 461 || refusal.status === 462 || refusal.status === 460;
}
