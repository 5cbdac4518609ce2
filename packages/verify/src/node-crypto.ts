import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
import { fromHex } from "@confcom/sgx";
import type { P256Key, VerificationCrypto } from "./crypto.ts";

/** DER header of a SubjectPublicKeyInfo for an uncompressed P-256 point. */
const SPKI_P256 = Uint8Array.of(
  0x30,
  0x59,
  0x30,
  0x13,
  0x06,
  0x07,
  0x2a,
  0x86,
  0x48,
  0xce,
  0x3d,
  0x02,
  0x01,
  0x06,
  0x08,
  0x2a,
  0x86,
  0x48,
  0xce,
  0x3d,
  0x03,
  0x01,
  0x07,
  0x03,
  0x42,
  0x00,
);

/** One INTEGER of an ECDSA-Sig-Value from 32 big-endian bytes; returns where it ends. */
function putInteger(out: Uint8Array, at: number, signature: Uint8Array, start: number): number {
  let from = start;
  const last = start + 31;
  while (from < last && signature[from] === 0) from++;
  const pad = (signature[from] as number) >= 0x80 ? 1 : 0;
  const size = start + 32 - from;
  out[at] = 2;
  out[at + 1] = size + pad;
  let to = at + 2;
  if (pad === 1) out[to++] = 0;
  for (let i = from; i <= last; i++) out[to++] = signature[i] as number;
  return to;
}

/** Written anew for each check: everything here is synchronous, and what Node is given it has read when it returns. */
const signatureDer = new Uint8Array(72);
const spki = new Uint8Array(SPKI_P256.length + 65);
spki.set(SPKI_P256);

/** OpenSSL's own form; asking Node for `ieee-p1363` costs more on older versions. */
function toDerSignature(signature: Uint8Array): Uint8Array {
  const end = putInteger(signatureDer, putInteger(signatureDer, 2, signature, 0), signature, 32);
  signatureDer[0] = 0x30;
  signatureDer[1] = end - 2;
  return signatureDer.subarray(0, end);
}

/** As a string, which costs half of what a Buffer does: that has memory of its own, outside of the heap. */
function digest(algorithm: string, data: Uint8Array): Uint8Array {
  return fromHex(hash(algorithm, data, "hex"));
}

/** The crypto provider over `node:crypto`. */
export const nodeCrypto: VerificationCrypto = {
  sha256: (data) => digest("sha256", data),
  sha384: (data) => digest("sha384", data),
  sha512: (data) => digest("sha512", data),
  importP256(point) {
    if (point.length !== 65 || point[0] !== 4) return undefined;
    try {
      spki.set(point, SPKI_P256.length);
      const key: KeyObject = createPublicKey({ key: spki as Buffer, format: "der", type: "spki" });
      return key as unknown as P256Key;
    } catch {
      return undefined;
    }
  },
  verifyP256(key, message, signature) {
    if (signature.length !== 64) return false;
    return verify("sha256", message, key as unknown as KeyObject, toDerSignature(signature));
  },
};
