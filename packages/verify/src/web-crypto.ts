import type { AsyncVerificationCrypto, P256Key } from "./crypto.ts";

/** The part of the Web Crypto API that verification uses. */
export interface SubtleCryptoLike {
  digest(algorithm: string, data: Uint8Array): Promise<ArrayBuffer>;
  importKey(
    format: "raw",
    keyData: Uint8Array,
    algorithm: { name: "ECDSA"; namedCurve: "P-256" },
    extractable: boolean,
    usages: ["verify"],
  ): Promise<unknown>;
  verify(
    algorithm: { name: "ECDSA"; hash: "SHA-256" },
    key: unknown,
    signature: Uint8Array,
    data: Uint8Array,
  ): Promise<boolean>;
}

/** The crypto provider over a page's or a worker's `crypto.subtle`, for `verifyQuoteAsync`. */
export function webCrypto(subtle: SubtleCryptoLike): AsyncVerificationCrypto {
  return {
    sha256: async (data) => new Uint8Array(await subtle.digest("SHA-256", data)),
    sha384: async (data) => new Uint8Array(await subtle.digest("SHA-384", data)),
    sha512: async (data) => new Uint8Array(await subtle.digest("SHA-512", data)),
    async importP256(point) {
      if (point.length !== 65 || point[0] !== 4) return undefined;
      try {
        const key = await subtle.importKey("raw", point, { name: "ECDSA", namedCurve: "P-256" }, false, ["verify"]);
        return key as P256Key;
      } catch {
        return undefined;
      }
    },
    async verifyP256(key, message, signature) {
      if (signature.length !== 64) return false;
      return subtle.verify({ name: "ECDSA", hash: "SHA-256" }, key, signature, message);
    },
  };
}
