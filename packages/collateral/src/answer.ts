import type { CertificationCa, CollateralRequest } from "./request.ts";

/** What is answered to each request. Texts are exactly as served: signatures are over their bytes. */

export interface PckCertificateAnswer {
  readonly kind: "pck-certificate";
  /** PEM: the leaf alone. */
  readonly certificate: string;
  /** PEM: intermediate and root, not URL-encoded. */
  readonly issuerChain: string;
  /** 36 hexadecimal digits, upper case: CPUSVN and PCESVN (little-endian bytes) that the certificate stands for. */
  readonly tcbm: string;
  /** 12 hexadecimal digits, upper case. */
  readonly fmspc: string;
  readonly ca: CertificationCa;
}

export interface PckCrlAnswer {
  readonly kind: "pck-crl";
  /** DER. */
  readonly crl: Uint8Array;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
}

export interface SignedJsonAnswer<Kind extends "tcb-info" | "identity"> {
  readonly kind: Kind;
  /** The whole JSON text with its signature. */
  readonly body: string;
  /** PEM: TCB signing certificate and root. */
  readonly issuerChain: string;
}

export type TcbInfoAnswer = SignedJsonAnswer<"tcb-info">;
export type IdentityAnswer = SignedJsonAnswer<"identity">;

export interface RootCaCrlAnswer {
  readonly kind: "root-ca-crl";
  /** DER. */
  readonly crl: Uint8Array;
}

export interface CrlAnswer {
  readonly kind: "crl";
  /** DER. */
  readonly crl: Uint8Array;
}

export type CollateralAnswer =
  | PckCertificateAnswer
  | PckCrlAnswer
  | TcbInfoAnswer
  | IdentityAnswer
  | RootCaCrlAnswer
  | CrlAnswer;

export type AnswerTo<R extends CollateralRequest> = Extract<CollateralAnswer, { readonly kind: R["kind"] }>;
