function hexDigit(byte: number | undefined): number {
  if (byte === undefined) return -1;
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 87 : -1;
}

/** The number that four hexadecimal digits of either case spell; -1 if they are not that. */
export function readHex4(text: Uint8Array, at: number): number {
  let value = 0;
  for (let i = at; i < at + 4; i++) {
    const digit = hexDigit(text[i]);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** Writes a code point as UTF-8; returns the offset after it. */
export function writeUtf8(out: Uint8Array, at: number, codePoint: number): number {
  if (codePoint < 0x80) {
    out[at] = codePoint;
    return at + 1;
  }
  const more = codePoint < 0x800 ? 1 : codePoint < 0x10000 ? 2 : 3;
  out[at] = ([0xc0, 0xe0, 0xf0][more - 1] as number) | (codePoint >> (6 * more));
  for (let i = 1; i <= more; i++) out[at + i] = 0x80 | ((codePoint >> (6 * (more - i))) & 0x3f);
  return at + more + 1;
}
