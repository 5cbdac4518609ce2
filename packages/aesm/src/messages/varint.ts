/** Bytes that a varint of this value (0 to 2^32-1) takes. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5;
}

/** Writes a value of 0 to 2^32-1 and returns the offset behind it. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  let at = offset;
  let rest = value;
  while (rest >= 0x80) {
    out[at++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  out[at++] = rest;
  return at;
}

/** As {@link varintSize}, for a u64 given as two halves. */
export function varint64Size(low: number, high: number): number {
  if (high === 0) return varintSize(low);
  return high < 0x8 ? 5 : high < 0x400 ? 6 : high < 0x20000 ? 7 : high < 0x1000000 ? 8 : high < 0x80000000 ? 9 : 10;
}

/** As {@link writeVarint}, for a u64 given as two halves: no bigint on the server's path. */
export function writeVarint64(out: Uint8Array, offset: number, low: number, high: number): number {
  let at = offset;
  let lowRest = low >>> 0;
  let highRest = high >>> 0;
  while (highRest !== 0 || lowRest >= 0x80) {
    out[at++] = (lowRest & 0x7f) | 0x80;
    lowRest = ((lowRest >>> 7) | (highRest << 25)) >>> 0;
    highRest >>>= 7;
  }
  out[at++] = lowRest;
  return at;
}
