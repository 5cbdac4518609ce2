import { createHash, createPublicKey, generateKeyPair, type KeyObject } from "node:crypto";
import { promisify } from "node:util";
import { P256_ORDER, p256KeyPair } from "../../../crypto/p256.ts";
import type { RandomBytes } from "../../cpu/fuses.ts";

/** A P-256 private key from 320 random bits, reduced to 1..n-1 (FIPS 186-5 A.2.1: 64 bits more than the order). */
export function newSigningKey(random: RandomBytes): KeyObject {
  const seed = BigInt(`0x${Buffer.from(random(40)).toString("hex")}`);
  const scalar = (seed % (P256_ORDER - 1n)) + 1n;
  return p256KeyPair(Uint8Array.from(Buffer.from(scalar.toString(16).padStart(64, "0"), "hex"))).privateKey;
}

/**
 * The RSA-3072 private key that PPIDs are encrypted to. Made by the crypto library on its own thread and from its own
 * randomness, some 0.1 to 0.5 s, while the certificates are made on this one.
 */
export async function newPpidKey(): Promise<KeyObject> {
  const { privateKey } = await promisify(generateKeyPair)("rsa", { modulusLength: 3072, publicExponent: 0x10001 });
  return privateKey;
}

/** SubjectPublicKeyInfo (DER) of a key's public half. */
export function subjectPublicKeyInfo(key: KeyObject): Uint8Array {
  return (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "der" });
}

/** SHA-1 of the 65-byte public point, lower-case hex: the key identifier of RFC 5280 §4.2.1.2 (1). */
export function keyIdentifier(spki: Uint8Array): string {
  return createHash("sha1").update(spki.subarray(-65)).digest("hex");
}

/** 20 bytes, positive and never shorter (RFC 5280 §4.1.2.2), lower-case hex. */
export function newSerialNumber(random: RandomBytes): string {
  const serial = Uint8Array.from(random(20));
  serial[0] = ((serial[0] as number) & 0x7f) | 0x40;
  return Buffer.from(serial).toString("hex");
}
