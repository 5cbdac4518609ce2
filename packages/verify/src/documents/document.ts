import type { PckTcb } from "@confcom/sgx";
import type { QeTcbLevel } from "../collateral/qe-identity.ts";
import type { TcbLevel } from "../collateral/tcb-level.ts";

/** A PCK certificate with the chain that its issuer serves it with. */
export interface PckChainDocument {
  readonly kind: "pck-chain";
  /** PEM: the leaf alone. */
  readonly certificate: string;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
}

/** The CRL of one of the two PCK CAs. */
export interface PckCrlDocument {
  readonly kind: "pck-crl";
  /** DER as bytes; PEM or hexadecimal as text. */
  readonly crl: Uint8Array | string;
  /** PEM: intermediate and root. */
  readonly issuerChain: string;
}

export interface RootCaCrlDocument {
  readonly kind: "root-ca-crl";
  readonly crl: Uint8Array | string;
}

/** A CRL had from a distribution point: the root's, or that of an intermediate of one of `issuerChains`. */
export interface CrlDocument {
  readonly kind: "crl";
  readonly crl: Uint8Array | string;
  /** PEM, each intermediate and root. */
  readonly issuerChains?: readonly string[];
}

export interface SignedJsonDocument<Kind extends "tcb-info" | "identity"> {
  readonly kind: Kind;
  /** The whole text: {"tcbInfo":{…},"signature":"…"} or {"enclaveIdentity":{…},"signature":"…"}. */
  readonly body: string;
  /** PEM: TCB signing certificate and root. */
  readonly issuerChain: string;
}

export type TcbInfoDocument = SignedJsonDocument<"tcb-info">;
export type IdentityDocument = SignedJsonDocument<"identity">;

export type CollateralDocument =
  | PckChainDocument
  | PckCrlDocument
  | RootCaCrlDocument
  | CrlDocument
  | TcbInfoDocument
  | IdentityDocument;

/** Milliseconds since 1970. */
export interface DocumentDates {
  /** issueDate, thisUpdate or notBefore. */
  readonly issued: number;
  /** The first end of the document and of its issuers' certificates: nextUpdate or notAfter. */
  readonly nextUpdate: number;
}

export type CertificationCaName = "processor" | "platform";

export interface PckChainFacts extends DocumentDates {
  readonly kind: "pck-chain";
  readonly ca: CertificationCaName;
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 2 bytes, as they stand in the certificate. */
  readonly pceId: Uint8Array;
  readonly tcb: PckTcb;
}

export interface CrlFacts extends DocumentDates {
  readonly kind: "pck-crl" | "root-ca-crl" | "crl";
  readonly issuer: CertificationCaName | "root";
  /** The CRL Number; -1 if it is negative or over 64 bits. */
  readonly number: number;
}

export interface TcbInfoFacts extends DocumentDates {
  readonly kind: "tcb-info";
  readonly version: 2 | 3;
  readonly tee: "sgx" | "tdx";
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  readonly tcbEvaluationDataNumber: number;
  /** Highest first. */
  readonly tcbLevels: readonly TcbLevel[];
}

export interface IdentityFacts extends DocumentDates {
  readonly kind: "identity";
  readonly id: "QE" | "TD_QE" | "QVE";
  readonly tcbEvaluationDataNumber: number;
  readonly tcbLevels: readonly QeTcbLevel[];
}

export type DocumentFacts = PckChainFacts | CrlFacts | TcbInfoFacts | IdentityFacts;

interface FactsByKind {
  readonly "pck-chain": PckChainFacts;
  readonly "pck-crl": CrlFacts;
  readonly "root-ca-crl": CrlFacts;
  readonly crl: CrlFacts;
  readonly "tcb-info": TcbInfoFacts;
  readonly identity: IdentityFacts;
}

export type FactsOf<D extends CollateralDocument> = FactsByKind[D["kind"]];
