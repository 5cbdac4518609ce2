/** Every failure of this package: the code, what it means, what to do. */
export const COLLATERAL_ERRORS = {
  SOURCE_UNREACHABLE: "the collateral source cannot be reached; check its address, name resolution, proxy and firewall",
  SOURCE_TIMEOUT: "the collateral source did not answer in time; check the network path and its load",
  SOURCE_UNTRUSTED:
    "the collateral source's TLS certificate is not trusted; name its CA (--tls-ca), or set use_secure_cert to false knowingly",
  SOURCE_BUSY: "the collateral source asks to come back later; try again after the time it names",
  SOURCE_REFUSED: "the collateral source refused the request; check API key, token and parameters",
  SOURCE_ANSWER: "the collateral source answered with something that cannot be used; see the message",
  SOURCE_SUSPENDED: "the collateral source failed repeatedly and is left alone for a while; see the cause",
  NOT_FOUND: "the collateral source has no such collateral; check the path of its address",
  PLATFORM_UNKNOWN:
    "the cache does not know the platform; register it there (PCK ID retrieval tool, or POST /platforms)",
  CERTIFICATES_UNAVAILABLE:
    "the provisioning service has no certificate for this TCB; update the platform's BIOS or register it",
  ANSWER_UNTRUSTED: "an answer is not signed under the trusted root; check the source and which root is trusted",
  ANSWER_EXPIRED: "what could be had is past its nextUpdate; check the clock and the source's own upstream",
  DEADLINE: "no source answered within the time for one request; see the causes",
  NO_SOURCE: "no collateral source is configured; name one with --pccs-url, a qcnl.conf or AZDCAP_* variables",
  CONFIGURATION: "the collateral configuration cannot be used; the message names the key",
  PARAMETER: "a parameter is malformed; see the message for its form",
  CACHE_UNUSABLE: "the cache directory cannot be used; check owner, permissions and space, or name another one",
  STORE_DAMAGED:
    "the database is damaged; restore a backup (confcom pccs restore) or start with an empty state directory",
  STORE_BUSY: "the database is locked by another process; let it end, or name another state directory",
  STORE_FULL: "the database cannot grow: the disk is full; make room and try again",
  STORE_VERSION: "the database was written by a version this one cannot work with; see the message",
  STORE_UNREACHABLE: "the database server cannot be reached; check its address and that it runs",
  STORE_IO: "the database failed; see the cause",
  PLATFORM_CONFLICT:
    "the platform is registered with other keys; remove that registration first if it is known to be gone",
  SERVICE_CONFIGURATION: "the service's configuration cannot be used; the message names the option",
} as const;

export type CollateralErrorCode = keyof typeof COLLATERAL_ERRORS;

export interface CollateralErrorOptions {
  readonly cause?: unknown;
  /** The source that failed, by its name. */
  readonly source?: string;
  /** HTTP status of the source's answer. */
  readonly status?: number;
  /** How long the source asked to be left alone. */
  readonly retryAfterMs?: number;
}

/** A failure with its cause kept to the end: the message says what happened, to what; {@link COLLATERAL_ERRORS} what to do. */
export class CollateralError extends Error {
  readonly code: CollateralErrorCode;
  readonly nextStep: string;
  readonly source: string | undefined;
  readonly status: number | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: CollateralErrorCode, message: string, options: CollateralErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CollateralError";
    this.code = code;
    this.nextStep = COLLATERAL_ERRORS[code];
    this.source = options.source;
    this.status = options.status;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** What failed, in its own words, whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
