import { createHash } from "node:crypto";
import type { PpidEncryptionKey } from "@confcom/quoting/software";

/**
 * The key that a registered platform's quoting enclave encrypts its PPID to: a modulus made of SHA-256 of plain words,
 * whose factors nobody knows. The manifest carries the PPID, so nobody needs to decrypt what the key blob keeps of it,
 * and no key of the service has to be known before it has been asked for the first time.
 */
export function nobodysKey(): PpidEncryptionKey {
  const digests = Array.from({ length: 12 }, (_, i) =>
    createHash("sha256").update(`confcom: a PPID encrypted to nobody ${i}`).digest(),
  );
  const n = Uint8Array.from(Buffer.concat(digests));
  // Of full length, and odd.
  n[0] = (n[0] as number) | 0x80;
  n[383] = (n[383] as number) | 1;
  return { n, e: Uint8Array.of(0, 1, 0, 1) };
}
