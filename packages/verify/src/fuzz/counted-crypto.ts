import type { VerificationCrypto } from "../crypto.ts";

/** What the crypto provider was asked for. */
export interface CryptoWork {
  signatureChecks: number;
  keyImports: number;
  hashes: number;
  /** Bytes given to hashes and signature checks. */
  bytes: number;
}

/** What one verification may ask of the crypto provider, for so many bytes of input. */
export interface WorkLimit extends Readonly<CryptoWork> {}

/**
 * Signature checks: 5 for the PCK chain with its CRLs, 4 for each signed document and its chain, 2 for the quote. Keys: one
 * for each certificate that signs and the attestation key. Hashes: one for each of 8 inputs where they are remembered, the
 * attestation key's and the root's. Bytes: each message is a part of an input; the root CRL may be checked with three keys.
 */
export function workLimit(inputBytes: number): WorkLimit {
  return { signatureChecks: 15, keyImports: 8, hashes: 10, bytes: 4 * inputBytes + 65_536 };
}

/** A provider that counts into `work`; set it to zero before every verification. */
export function countedCrypto(crypto: VerificationCrypto, work: CryptoWork): VerificationCrypto {
  return {
    sha256(data) {
      work.hashes++;
      work.bytes += data.length;
      return crypto.sha256(data);
    },
    sha384(data) {
      work.hashes++;
      work.bytes += data.length;
      return crypto.sha384(data);
    },
    importP256(point) {
      work.keyImports++;
      return crypto.importP256(point);
    },
    verifyP256(key, message, signature) {
      work.signatureChecks++;
      work.bytes += message.length;
      return crypto.verifyP256(key, message, signature);
    },
  };
}

/** The first limit that was not kept, undefined if all were. */
export function exceeded(work: CryptoWork, limit: WorkLimit): string | undefined {
  for (const name of ["signatureChecks", "keyImports", "hashes", "bytes"] as const) {
    if (work[name] > limit[name]) return `${name}: ${work[name]} of at most ${limit[name]}`;
  }
  return undefined;
}
