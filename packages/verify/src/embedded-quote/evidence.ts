import type { HashAlgorithm } from "../policy.ts";

/** How the quote of an evidence names the public key of the certificate around it. */
export type KeyReference =
  /** REPORTDATA starts with the SHA-256 of the SubjectPublicKeyInfo, in DER. */
  | { readonly kind: "public-key" }
  /** REPORTDATA starts with the SHA-256 of the SubjectPublicKeyInfo, as PEM with a NUL at its end. */
  | { readonly kind: "public-key-pem" }
  /** REPORTDATA starts with the SHA-256 of these claims, and they are that PEM. */
  | { readonly kind: "pem-claims"; readonly claims: Uint8Array }
  /** REPORTDATA starts with the SHA-256 of these claims, and they hold a hash of the SubjectPublicKeyInfo, in DER. */
  | {
      readonly kind: "hash-claims";
      readonly claims: Uint8Array;
      readonly algorithm: HashAlgorithm;
      readonly hash: Uint8Array;
      /** The claim of that name: a relying party's challenge, if the certificate was made for one. */
      readonly nonce?: Uint8Array;
    };

/** What an extension of a certificate holds. */
export interface Evidence {
  /** What it is, in words. */
  readonly format: string;
  /** May be followed by other bytes, as any quote may. */
  readonly quote: Uint8Array;
  readonly keyReference: KeyReference;
}

/** An extension that is not what its identifier says. Its message says why; it never leaves this folder. */
export class EvidenceError extends Error {}
