import type {
  CollateralErrorCode,
  CollateralRequest,
  Fetched,
  PckCertificates,
  PlatformCredential,
} from "@confcom/collateral";
import type { QuotingErrorCode } from "@confcom/quoting";

/** The authority's directory. */
export interface SoftwareThreadSettings {
  readonly path: string;
}

export type SoftwareCall =
  | { readonly id: number; readonly kind: "fetch"; readonly request: CollateralRequest }
  | {
      readonly id: number;
      readonly kind: "certificates";
      readonly platform: PlatformCredential;
      readonly pceId: string;
    };

/** An error as it crosses: structured cloning keeps neither class nor code. */
export type PortableError =
  | {
      readonly kind: "collateral";
      readonly code: CollateralErrorCode;
      readonly message: string;
      readonly source: string | undefined;
      readonly status: number | undefined;
      readonly retryAfterMs: number | undefined;
    }
  | { readonly kind: "platform"; readonly code: QuotingErrorCode; readonly message: string }
  | { readonly kind: "other"; readonly message: string };

export type SoftwareReply =
  | { readonly opened: { readonly name: string; readonly rootCertificatePem: string } }
  | { readonly warning: string }
  | { readonly id: number; readonly result: Fetched | PckCertificates }
  /** Without an id: the directory cannot be used. */
  | { readonly id?: number; readonly failure: PortableError };
