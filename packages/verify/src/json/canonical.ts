import { rapidJsonDouble, writeDouble } from "./number.ts";

const INTEGER = /^-?\d+$/;
const encoder = new TextEncoder();

function writeNumber(token: string, maxDecimalPlaces: number): string {
  if (INTEGER.test(token)) {
    const exact = BigInt(token);
    if (exact >= -(1n << 63n) && exact < 1n << 64n) return exact.toString();
  }
  const value = rapidJsonDouble(token);
  return value === undefined ? token : writeDouble(value, maxDecimalPlaces);
}

const SHORT: Readonly<Record<number, string>> = { 8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 34: '"', 92: "\\" };

/** A code point as RapidJSON's writer puts it into a string: it escapes what it must and nothing else. */
function writeCodePoint(codePoint: number): Uint8Array {
  const short = SHORT[codePoint];
  if (short !== undefined) return encoder.encode(`\\${short}`);
  if (codePoint < 0x20) return encoder.encode(`\\u${codePoint.toString(16).toUpperCase().padStart(4, "0")}`);
  return encoder.encode(String.fromCodePoint(codePoint));
}

function hex4(text: Uint8Array, at: number): number {
  return Number.parseInt(String.fromCharCode(...text.subarray(at, at + 4)), 16);
}

/** Copies one string from its opening quote; returns the offset after its closing one. */
function copyString(text: Uint8Array, start: number, out: number[]): number {
  out.push(0x22);
  let at = start + 1;
  for (;;) {
    const byte = text[at] as number;
    if (byte === 0x22) {
      out.push(byte);
      return at + 1;
    }
    if (byte !== 0x5c) {
      // 7F and everything above is written as it is, even where it is not UTF-8.
      out.push(byte);
      at++;
      continue;
    }
    const letter = text[at + 1] as number;
    at += 2;
    if (letter === 0x75) {
      let codePoint = hex4(text, at);
      at += 4;
      if (codePoint >= 0xd800 && codePoint <= 0xdbff) {
        codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (hex4(text, at + 2) - 0xdc00);
        at += 6;
      }
      out.push(...writeCodePoint(codePoint));
    } else {
      const plain: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };
      out.push(...writeCodePoint(plain[letter] ?? letter));
    }
  }
}

/**
 * The text that RapidJSON writes for a value it has parsed: no blanks, shortest escapes, numbers in its own form. The
 * signatures of collateral are over this, not over the text as served (spec: DCAP §9). `text` from `start` to `end` must
 * have been parsed as one value.
 */
export function canonicalJson(text: Uint8Array, start: number, end: number, maxDecimalPlaces: number): Uint8Array {
  const out: number[] = [];
  let at = start;
  while (at < end) {
    const byte = text[at] as number;
    if (byte === 0x22) {
      at = copyString(text, at, out);
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      const from = at;
      while (at < end && /[-+.eE0-9]/.test(String.fromCharCode(text[at] as number))) at++;
      const token = String.fromCharCode(...text.subarray(from, at));
      out.push(...encoder.encode(writeNumber(token, maxDecimalPlaces)));
    } else {
      if (byte > 0x20) out.push(byte);
      at++;
    }
  }
  return Uint8Array.from(out);
}
