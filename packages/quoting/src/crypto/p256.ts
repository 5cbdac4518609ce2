import { createECDH, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from "node:crypto";
import { PlatformError } from "../errors.ts";

/** Order n of P-256's base point (SEC 2 §2.4.2). */
export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export interface P256KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** 64 bytes: x || y, each 32 bytes big-endian. */
  readonly publicPoint: Uint8Array;
}

function base64url(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64url");
}

/** x || y of `scalar` (32 bytes, big-endian) times the base point. Fails with KEY_INVALID outside 1..n-1. */
export function p256PublicPoint(scalar: Uint8Array): Uint8Array {
  const ecdh = createECDH("prime256v1");
  try {
    ecdh.setPrivateKey(scalar);
  } catch (cause) {
    throw new PlatformError("KEY_INVALID", "a P-256 private key must be 32 bytes in 1..n-1", { cause });
  }
  return Uint8Array.from(ecdh.getPublicKey().subarray(1));
}

/** Key objects for a private scalar of 32 bytes, big-endian. Made once per key: importing costs more than signing. */
export function p256KeyPair(scalar: Uint8Array): P256KeyPair {
  const publicPoint = p256PublicPoint(scalar);
  const x = base64url(publicPoint.subarray(0, 32));
  const y = base64url(publicPoint.subarray(32));
  const privateKey = createPrivateKey({
    key: { kty: "EC", crv: "P-256", x, y, d: base64url(scalar) },
    format: "jwk",
  });
  return { privateKey, publicKey: createPublicKey(privateKey), publicPoint };
}

/** Copies one DER INTEGER's value right-aligned into 32 bytes at `offset`; returns where the next one starts. */
function putInteger(der: Uint8Array, at: number, out: Uint8Array, offset: number): number {
  let length = der[at + 1] as number;
  let from = at + 2;
  const next = from + length;
  // DER puts one zero byte before a value whose top bit is set, and drops leading zero bytes.
  while (length > 32) {
    from++;
    length--;
  }
  out.fill(0, offset, offset + 32 - length);
  out.set(der.subarray(from, next), offset + 32 - length);
  return next;
}

/**
 * Signs with ECDSA P-256 and SHA-256 and writes r || s (32 bytes each, big-endian) at `offset`.
 *
 * The signature is made as DER and converted here: asking the crypto library for r || s directly costs as much again
 * as the signature on one of the supported runtimes.
 */
export function signP256Into(privateKey: KeyObject, message: Uint8Array, out: Uint8Array, offset: number): void {
  const der = sign("sha256", message, privateKey);
  // SEQUENCE, one length byte (at most 70 content bytes), INTEGER r, INTEGER s: made by our own library, not hostile.
  putInteger(der, putInteger(der, 2, out, offset), out, offset + 32);
}

/** r || s, 64 bytes. */
export function signP256(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  const out = new Uint8Array(64);
  signP256Into(privateKey, message, out, 0);
  return out;
}

/** Checks an r || s signature (64 bytes). */
export function verifyP256(publicKey: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false;
  return verify("sha256", message, { key: publicKey, dsaEncoding: "ieee-p1363" }, signature);
}
