import { bytesEqual, toHex } from "@confcom/sgx";
import { runStep, type Step, sha256, sha384, sha512, type VerificationCrypto } from "../crypto.ts";
import type { HashAlgorithm } from "../policy.ts";
import type { EmbeddedQuote } from "./embedded-quote.ts";

/** Whether a quote vouches for the public key of the certificate that carries it. */
export interface KeyBinding {
  readonly bound: boolean;
  /** What was compared and found, for a person. */
  readonly found: string;
}

/** The PEM of a public key as mbed TLS and OpenSSL write it, lines of 64 characters, with the NUL of a C string. */
export function publicKeyPem(publicKeyInfo: Uint8Array): Uint8Array {
  let binary = "";
  for (const byte of publicKeyInfo) binary += String.fromCharCode(byte);
  const lines = btoa(binary).replace(/.{64}(?=.)/g, "$&\n");
  return new TextEncoder().encode(`-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n\0`);
}

function* digest(algorithm: HashAlgorithm, data: Uint8Array): Step<Uint8Array | undefined> {
  if (algorithm === "sha256") return yield* sha256(data);
  return yield* algorithm === "sha384" ? sha384(data) : sha512(data);
}

/** What the first 32 bytes of report data must be the SHA-256 of, and its name. */
function signedValue({ keyReference, certificate }: EmbeddedQuote): readonly [Uint8Array, string] {
  switch (keyReference.kind) {
    case "public-key":
      return [certificate.publicKeyInfo, "the public key (SubjectPublicKeyInfo)"];
    case "public-key-pem":
      return [publicKeyPem(certificate.publicKeyInfo), "the public key's PEM"];
    default:
      return [keyReference.claims, "the claims"];
  }
}

/**
 * Compares a quote's report data with the public key of its certificate, the way the extension's scheme says. Only the
 * first 32 bytes count, as for the schemes' own verifiers. The quote itself must be verified too.
 */
export function* checkKeyBinding(embedded: EmbeddedQuote, reportData: Uint8Array): Step<KeyBinding> {
  const [value, name] = signedValue(embedded);
  const hash = yield* sha256(value);
  if (!bytesEqual(hash, reportData.subarray(0, 32))) {
    const found = toHex(reportData.subarray(0, 32));
    return { bound: false, found: `SHA-256 of ${name} is ${toHex(hash)}, but the report data is ${found}` };
  }
  const { keyReference, certificate } = embedded;
  const rest = reportData.subarray(32).some((byte) => byte !== 0) ? "; the other 32 bytes are not zero" : "";
  const named = `the report data is the SHA-256 of ${name}${rest}`;
  if (keyReference.kind === "pem-claims") {
    return bytesEqual(keyReference.claims, publicKeyPem(certificate.publicKeyInfo))
      ? { bound: true, found: `${named}, which are the public key's PEM` }
      : { bound: false, found: `${named}, but they are not the public key's PEM` };
  }
  if (keyReference.kind !== "hash-claims") return { bound: true, found: named };
  const keyHash = yield* digest(keyReference.algorithm, certificate.publicKeyInfo);
  const { algorithm } = keyReference;
  if (keyHash === undefined) return { bound: false, found: `${named}, but no ${algorithm} is at hand to compare them` };
  return bytesEqual(keyHash, keyReference.hash)
    ? { bound: true, found: `${named}, which hold the ${algorithm} of the public key` }
    : { bound: false, found: `${named}, but their ${algorithm} of a public key is not this key's` };
}

/**
 * Compares the report data of a decoded quote with the public key of the certificate it came in. Says nothing about the
 * quote itself: `verifyCertificate` does both.
 */
export function compareKey(embedded: EmbeddedQuote, reportData: Uint8Array, crypto: VerificationCrypto): KeyBinding {
  return runStep(checkKeyBinding(embedded, reportData), crypto);
}
