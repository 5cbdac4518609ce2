const INVALID = 255;
const SPACE = 254;
const PAD = 253;
const LF = 0x0a;

/** Value of each character: 0 to 63, or one of the three marks above. */
const VALUES = (() => {
  const table = new Uint8Array(256).fill(INVALID);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (let i = 0; i < 64; i++) table[alphabet.charCodeAt(i)] = i;
  for (const space of [9, 10, 13, 32]) table[space] = SPACE;
  table[61] = PAD;
  return table;
})();

/**
 * Decodes base64 (RFC 4648 §4) between two offsets, ignoring blanks and line ends. Undefined if a character is foreign,
 * the padding is not exactly right, or a line has nothing on it: OpenSSL takes what is before such a line of a PEM body
 * for a header.
 */
export function decodeBase64(text: Uint8Array, start: number, end: number): Uint8Array | undefined {
  const out = new Uint8Array(Math.floor(((end - start) * 3) / 4) + 3);
  let size = 0;
  let group = 0;
  let count = 0;
  let at = start;
  let emptyLine = true;
  while (at < end) {
    // Four plain characters at a time as long as they last; everything else goes one by one.
    if (count === 0 && at + 4 <= end) {
      const a = VALUES[text[at] as number] as number;
      const b = VALUES[text[at + 1] as number] as number;
      const c = VALUES[text[at + 2] as number] as number;
      const d = VALUES[text[at + 3] as number] as number;
      if ((a | b | c | d) < 64) {
        out[size] = (a << 2) | (b >> 4);
        out[size + 1] = (b << 4) | (c >> 2);
        out[size + 2] = (c << 6) | d;
        size += 3;
        at += 4;
        emptyLine = false;
        continue;
      }
    }
    const value = VALUES[text[at] as number] as number;
    if (value === PAD) break;
    if (value === SPACE) {
      if (text[at++] !== LF) continue;
      if (emptyLine) return undefined;
      emptyLine = true;
      continue;
    }
    if (value === INVALID) return undefined;
    at++;
    emptyLine = false;
    group = (group << 6) | value;
    if (++count === 4) {
      out[size++] = group >> 16;
      out[size++] = group >> 8;
      out[size++] = group;
      group = 0;
      count = 0;
    }
  }
  let padding = 0;
  for (; at < end; at++) {
    const value = VALUES[text[at] as number];
    if (value === PAD) {
      padding++;
      emptyLine = false;
    } else if (value !== SPACE || (text[at] === LF && emptyLine)) {
      return undefined;
    } else if (text[at] === LF) {
      emptyLine = true;
    }
  }
  if (padding !== (count === 0 ? 0 : 4 - count) || count === 1) return undefined;
  if (count >= 2) out[size++] = group >> (count === 2 ? 4 : 10);
  if (count === 3) out[size++] = group >> 2;
  return out.subarray(0, size);
}
