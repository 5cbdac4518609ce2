import { DER_TAG, DerReader } from "@confcom/sgx/der";

/**
 * An ECDSA-Sig-Value (RFC 3279 §2.2.3) as 64 bytes, r and s big-endian. `undefined` if it is not that structure;
 * `"unverifiable"` if it is, but no P-256 signature can look so: it parses, and then fails every check.
 */
export function decodeEcdsaSignature(
  bytes: Uint8Array,
  start = 0,
  stop = bytes.length,
): Uint8Array | "unverifiable" | undefined {
  return decodeUsual(bytes, start, stop) ?? decodeAny(bytes.subarray(start, stop));
}

/** Every valid signature of P-256; undefined for everything else, and for some that are longer than they need be. */
function decodeUsual(bytes: Uint8Array, start: number, stop: number): Uint8Array | undefined {
  const size = stop - start;
  if (size < 8 || size > 72 || bytes[start] !== 0x30 || bytes[start + 1] !== size - 2) return undefined;
  const s = start + 4 + (bytes[start + 3] as number);
  if (s + 2 > stop || s + 2 + (bytes[s + 1] as number) !== stop) return undefined;
  const raw = new Uint8Array(64);
  return putUsual(raw, 0, bytes, start + 2, s) && putUsual(raw, 32, bytes, s, stop) ? raw : undefined;
}

/** Copies the INTEGER from `start` to `stop` if it is positive, in its shortest form and of at most 32 bytes. */
function putUsual(out: Uint8Array, offset: number, bytes: Uint8Array, start: number, stop: number): boolean {
  let at = start + 2;
  if (bytes[start] !== DER_TAG.INTEGER || at >= stop || (bytes[at] as number) >= 0x80) return false;
  if (bytes[at] === 0 && (++at === stop || (bytes[at] as number) < 0x80)) return false;
  if (stop - at > 32) return false;
  for (let to = offset + 32 - (stop - at); at < stop; at++) out[to++] = bytes[at] as number;
  return true;
}

/** The same by the strict reader. */
export function decodeAny(der: Uint8Array): Uint8Array | "unverifiable" | undefined {
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
