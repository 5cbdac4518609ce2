import type { AnswerTo } from "./answer.ts";
import type { CertificationCa, CollateralRequest } from "./request.ts";

/**
 * Where collateral comes from: Intel's PCS, a PCCS, Azure THIM, a directory of files, the software platform's authority.
 * A source reads and decodes; whether an answer is genuine is decided by whoever uses it (`check/`).
 */
export interface CollateralSource {
  readonly kind: "pcs" | "pccs" | "thim" | "directory" | "software";
  /** For messages and metrics: kind and place, without secrets. */
  readonly name: string;
  /**
   * One request, once: retries, breakers and caches are around it. Fails with CollateralError: SOURCE_UNREACHABLE,
   * SOURCE_TIMEOUT, SOURCE_BUSY, SOURCE_REFUSED, SOURCE_ANSWER, NOT_FOUND, PLATFORM_UNKNOWN, CERTIFICATES_UNAVAILABLE.
   */
  fetch<R extends CollateralRequest>(request: R, options: FetchOptions): Promise<Fetched<R>>;
}

export interface FetchOptions {
  /** Ends the request at its deadline. */
  readonly signal: AbortSignal;
}

export interface Fetched<R extends CollateralRequest = CollateralRequest> {
  readonly answer: AnswerTo<R>;
  /** From Cache-Control's max-age; 0: not to be cached; undefined: the source says nothing. */
  readonly maxAgeMs?: number;
}

/** Who a platform is to the provisioning service: an encrypted PPID (single package) or a manifest (registered). */
export type PlatformCredential =
  /** 768 hexadecimal digits. */
  | { readonly encryptedPpid: string }
  /** The text as the platform sent it. */
  | { readonly platformManifest: string };

/** A source that also issues or hands out every PCK certificate of a platform: what a PCCS has behind it. */
export interface CollateralUpstream extends CollateralSource {
  /** `pceId`: 4 hexadecimal digits, little-endian bytes. Fails as {@link CollateralSource.fetch} does. */
  pckCertificates(platform: PlatformCredential, pceId: string, options: FetchOptions): Promise<PckCertificates>;
}

export interface PckCertificates {
  readonly ca: CertificationCa;
  /** 12 hexadecimal digits, upper case. */
  readonly fmspc: string;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
  readonly certificates: readonly {
    /** 36 hexadecimal digits, upper case. */
    readonly tcbm: string;
    /** PEM leaf; undefined where the service says "Not available". */
    readonly certificate: string | undefined;
  }[];
}
