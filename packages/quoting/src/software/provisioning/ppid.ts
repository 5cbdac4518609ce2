import { constants, createPublicKey, type KeyObject, privateDecrypt } from "node:crypto";
import { PlatformError } from "../../errors.ts";
import type { PpidEncryptionKey } from "../provisioning-authority.ts";

/** The public half of an RSA-3072 key as the quoting enclave hands it to the PCE: n (384) and e (4), big-endian. */
export function ppidEncryptionKey(privateKey: KeyObject): PpidEncryptionKey {
  const { n, e } = createPublicKey(privateKey).export({ format: "jwk" });
  return { n: bigEndian(n, 384), e: bigEndian(e, 4) };
}

/** The 16-byte PPID out of 384 bytes of RSA-OAEP with SHA-256 and an empty label (spec: DCAP §6). */
export function decryptPpid(privateKey: KeyObject, encrypted: Uint8Array): Uint8Array {
  try {
    const padding = constants.RSA_PKCS1_OAEP_PADDING;
    const ppid = privateDecrypt({ key: privateKey, padding, oaepHash: "sha256" }, encrypted);
    if (ppid.length === 16) return Uint8Array.from(ppid);
  } catch (cause) {
    throw new PlatformError("ISSUER_REFUSED", "the PPID is not encrypted to this authority's key", { cause });
  }
  throw new PlatformError("ISSUER_REFUSED", "what is encrypted to this authority's key is not a PPID of 16 bytes");
}

function bigEndian(base64url: string | undefined, size: number): Uint8Array {
  const value = Buffer.from(base64url ?? "", "base64url");
  const out = new Uint8Array(size);
  out.set(value, size - value.length);
  return out;
}
