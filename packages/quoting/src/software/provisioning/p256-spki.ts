import { concatBytes, fromHex } from "@confcom/sgx";

/** SubjectPublicKeyInfo up to the point's x: id-ecPublicKey, prime256v1, uncompressed (RFC 5480 §2). */
const PREFIX = fromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");

/** SubjectPublicKeyInfo (DER, 91 bytes) of a P-256 point given as x || y, 64 bytes. */
export function p256Spki(point: Uint8Array): Uint8Array {
  return concatBytes(PREFIX, point);
}
