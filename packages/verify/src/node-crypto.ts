import { createPublicKey, hash, type KeyObject, verify } from "node:crypto";
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

/** OpenSSL's own form; asking Node for `ieee-p1363` costs more on older versions. */
function toDerSignature(signature: Uint8Array): Uint8Array {
  const out = new Uint8Array(72);
  const end = putInteger(out, putInteger(out, 2, signature, 0), signature, 32);
  out[0] = 0x30;
  out[1] = end - 2;
  return out.subarray(0, end);
}

function importSpki(point: Uint8Array): KeyObject {
  const spki = new Uint8Array(91);
  spki.set(SPKI_P256);
  spki.set(point, 26);
  return createPublicKey({ key: spki as Buffer, format: "der", type: "spki" });
}

function importRaw(point: Uint8Array): KeyObject {
  const input = { key: point, format: "raw-public", asymmetricKeyType: "ec", namedCurve: "P-256" };
  return createPublicKey(input as unknown as Parameters<typeof createPublicKey>[0]);
}

/** The curve's base point, a key that every way of importing must accept. */
const GENERATOR = Uint8Array.from(
  Buffer.from(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    "hex",
  ),
);

/** Importing the bare point takes half the time, where the runtime can (Node 26). */
const importPoint = (() => {
  try {
    importRaw(GENERATOR);
    return importRaw;
  } catch {
    return importSpki;
  }
})();

/** The crypto provider over `node:crypto`. */
export const nodeCrypto: VerificationCrypto = {
  sha256: (data) => hash("sha256", data, "buffer"),
  sha384: (data) => hash("sha384", data, "buffer"),
  sha512: (data) => hash("sha512", data, "buffer"),
  importP256(point) {
    if (point.length !== 65 || point[0] !== 4) return undefined;
    try {
      return importPoint(point) as unknown as P256Key;
    } catch {
      return undefined;
    }
  },
  verifyP256(key, message, signature) {
    if (signature.length !== 64) return false;
    return verify("sha256", message, key as unknown as KeyObject, toDerSignature(signature));
  },
};
