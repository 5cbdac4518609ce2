import { rapidJsonDouble, writeDouble } from "./number.ts";
import { readHex4, writeUtf8 } from "./unicode-escape.ts";

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

/** Letters that follow a backslash, by the character they stand for, and the other way round. */
const SHORT: Readonly<Record<number, number>> = { 8: 98, 9: 116, 10: 110, 12: 102, 13: 114, 34: 34, 92: 92 };
const PLAIN: Readonly<Record<number, number>> = { 98: 8, 102: 12, 110: 10, 114: 13, 116: 9 };

/** -, +, ., e, E and the digits. */
function isNumberByte(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  return (byte >= 0x30 && byte <= 0x39) || byte === 0x2b || byte === 0x2d || byte === 0x2e || (byte | 0x20) === 0x65;
}

/** Bytes written one after the other. Only numbers can come out longer than they went in, so it may have to grow. */
class Output {
  #bytes: Uint8Array;
  size = 0;

  constructor(room: number) {
    this.#bytes = new Uint8Array(room);
  }

  /** The buffer, with room for so many bytes more. */
  #room(bytes: number): Uint8Array {
    if (this.size + bytes > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.size + bytes));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes;
  }

  byte(value: number): void {
    this.#room(1)[this.size++] = value;
  }

  text(text: string): void {
    const bytes = encoder.encode(text);
    this.#room(bytes.length).set(bytes, this.size);
    this.size += bytes.length;
  }

  /** A code point as RapidJSON's writer puts it into a string: it escapes what it must and nothing else. */
  codePoint(codePoint: number): void {
    const short = SHORT[codePoint];
    if (short !== undefined) {
      this.byte(0x5c);
      this.byte(short);
    } else if (codePoint < 0x20) {
      this.text(`\\u${codePoint.toString(16).toUpperCase().padStart(4, "0")}`);
    } else {
      this.size = writeUtf8(this.#room(4), this.size, codePoint);
    }
  }

  /** A copy of what was written. */
  written(): Uint8Array {
    return this.#bytes.slice(0, this.size);
  }
}

/** Copies one string from its opening quote; returns the offset after its closing one. */
function copyString(text: Uint8Array, start: number, out: Output): number {
  out.byte(0x22);
  let at = start + 1;
  for (;;) {
    const byte = text[at++] as number;
    if (byte !== 0x5c) {
      // 7F and everything above is written as it is, even where it is not UTF-8.
      out.byte(byte);
      if (byte === 0x22) return at;
      continue;
    }
    const letter = text[at++] as number;
    if (letter !== 0x75) {
      out.codePoint(PLAIN[letter] ?? letter);
      continue;
    }
    let codePoint = readHex4(text, at);
    at += 4;
    if (codePoint >= 0xd800 && codePoint <= 0xdbff) {
      codePoint = 0x10000 + ((codePoint - 0xd800) << 10) + (readHex4(text, at + 2) - 0xdc00);
      at += 6;
    }
    out.codePoint(codePoint);
  }
}

/**
 * The text that RapidJSON writes for a value it has parsed: no blanks, shortest escapes, numbers in its own form. The
 * signatures of collateral are over this, not over the text as served (spec: DCAP §9). `text` from `start` to `end` must
 * have been parsed as one value.
 */
export function canonicalJson(text: Uint8Array, start: number, end: number, maxDecimalPlaces: number): Uint8Array {
  const out = new Output(end - start);
  let at = start;
  while (at < end) {
    const byte = text[at] as number;
    if (byte === 0x22) {
      at = copyString(text, at, out);
    } else if (byte === 0x2d || (byte >= 0x30 && byte <= 0x39)) {
      const from = at;
      while (at < end && isNumberByte(text[at])) at++;
      const token = String.fromCharCode.apply(null, text.subarray(from, at) as unknown as number[]);
      out.text(writeNumber(token, maxDecimalPlaces));
    } else {
      if (byte > 0x20) out.byte(byte);
      at++;
    }
  }
  return out.written();
}
