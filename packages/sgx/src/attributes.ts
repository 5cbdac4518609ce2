import { assertSize } from "./bytes.ts";
import { readU64, writeU64 } from "./little-endian.ts";

/** sgx_attributes_t: 16 bytes (spec: DCAP §1). */
export const ATTRIBUTES_SIZE = 16;

/** Bits of `flags`. */
export const ATTRIBUTE_FLAGS = {
  INIT: 0x1n,
  DEBUG: 0x2n,
  MODE64BIT: 0x4n,
  PROVISIONKEY: 0x10n,
  EINITTOKEN_KEY: 0x20n,
  KSS: 0x80n,
  AEXNOTIFY: 0x400n,
} as const;

export interface Attributes {
  readonly flags: bigint;
  /** Extended features (XCR0 bits) the enclave may use. */
  readonly xfrm: bigint;
}

export function decodeAttributes(bytes: Uint8Array): Attributes {
  assertSize(bytes, ATTRIBUTES_SIZE, "attributes");
  return { flags: readU64(bytes, 0), xfrm: readU64(bytes, 8) };
}

export function encodeAttributes(attributes: Attributes): Uint8Array {
  const out = new Uint8Array(ATTRIBUTES_SIZE);
  writeU64(out, 0, attributes.flags);
  writeU64(out, 8, attributes.xfrm);
  return out;
}

/** Names of the flags that are set, unknown bits as hexadecimal. */
export function attributeFlagNames(flags: bigint): string[] {
  const names: string[] = [];
  let rest = flags;
  for (const [name, bit] of Object.entries(ATTRIBUTE_FLAGS)) {
    if ((flags & bit) !== 0n) names.push(name);
    rest &= ~bit;
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names;
}
