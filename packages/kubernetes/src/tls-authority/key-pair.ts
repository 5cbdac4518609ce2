import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";

/** A certificate and the private key of the public key in it: PEM, the key PKCS#8. */
export interface CertifiedKey {
  readonly certificate: string;
  readonly privateKey: string;
}

/** `size` unpredictable bytes; `randomBytes` of node:crypto in production. */
export type RandomBytes = (size: number) => Uint8Array;

/** A P-256 private key, from the crypto library's own randomness. */
export async function newSigningKey(): Promise<KeyObject> {
  return (await promisify(generateKeyPair)("ec", { namedCurve: "P-256" })).privateKey;
}

/** SubjectPublicKeyInfo (DER) of a private key's public half. */
export function subjectPublicKeyInfo(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ type: "spki", format: "der" });
}

/** SHA-1 of the 65-byte public point, lower-case hex: the key identifier of RFC 5280 §4.2.1.2 (1). */
export function keyIdentifier(spki: Uint8Array): string {
  return createHash("sha1").update(spki.subarray(-65)).digest("hex");
}

/** 16 bytes, positive and never shorter (RFC 5280 §4.1.2.2), lower-case hex. */
export function newSerialNumber(random: RandomBytes): string {
  const serial = Uint8Array.from(random(16));
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return Buffer.from(serial).toString("hex");
}
