import { DER_TAG, DerReader } from "@confcom/sgx/der";

/**
 * An ECDSA-Sig-Value (RFC 3279 §2.2.3) as 64 bytes, r and s big-endian. `undefined` if it is not that structure;
 * `"unverifiable"` if it is, but no P-256 signature can look so: it parses, and then fails every check.
 */
export function decodeEcdsaSignature(der: Uint8Array): Uint8Array | "unverifiable" | undefined {
  try {
    const reader = new DerReader(der);
    reader.open(DER_TAG.SEQUENCE);
    const r = reader.integer();
    const s = reader.integer();
    reader.close();
    if ((r[0] as number) >= 0x80 || (s[0] as number) >= 0x80) return undefined;
    const raw = new Uint8Array(64);
    if (!put(raw, 0, r) || !put(raw, 32, s)) return "unverifiable";
    // Bytes after the structure: OpenSSL reads such a signature and never accepts it.
    try {
      reader.finish();
    } catch {
      return "unverifiable";
    }
    return raw;
  } catch {
    return undefined;
  }
}

function put(out: Uint8Array, offset: number, integer: Uint8Array): boolean {
  const bytes = integer[0] === 0 ? integer.subarray(1) : integer;
  if (bytes.length > 32) return false;
  out.set(bytes, offset + 32 - bytes.length);
  return true;
}
