/** Status codes of the PCCS and the text of each, byte for byte (spec: DCAP §12). */
export const PCCS_STATUS = {
  200: "Operation successful.",
  400: "Invalid request parameters.",
  401: "Authentication failed.",
  404: "No cache data for this platform.",
  460: "The integrity of the data can't be verified.",
  461: "The platform was not found in the cache.",
  462: "Certificates are not available for certain TCBs.",
  500: "Internal server error occurred.",
  502: "Unable to retrieve the collateral from the Intel SGX PCS.",
  503: "Server is currently unable to process the request.",
} as const;

export type PccsStatus = keyof typeof PCCS_STATUS;

/** A refusal with its status on the wire; the cause is for log and metrics, never for the wire. */
export class ServiceRefusal extends Error {
  readonly status: Exclude<PccsStatus, 200>;
  /** Seconds, for Retry-After. */
  readonly retryAfter: number | undefined;

  constructor(
    status: Exclude<PccsStatus, 200>,
    reason: string,
    options: { cause?: unknown; retryAfter?: number } = {},
  ) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ServiceRefusal";
    this.status = status;
    this.retryAfter = options.retryAfter;
  }
}
