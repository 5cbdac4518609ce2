import { SgxFormatError } from "./errors.ts";

const DIGITS = "0123456789abcdef";

/** Lower-case hexadecimal, no separators. */
export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += (DIGITS[byte >> 4] as string) + (DIGITS[byte & 15] as string);
  return text;
}

/** The engine's own decoder (ES2026: Node 26, browsers of 2025), worth its call for long texts. */
const NATIVE = typeof Uint8Array.prototype.setFromHex === "function";
const LONG = 64;

function nibble(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** Reads hexadecimal of either case; with `expectedBytes`, of exactly that many bytes. Throws `SGX_HEX`. */
export function fromHex(text: string, expectedBytes?: number): Uint8Array {
  if (expectedBytes !== undefined && text.length !== expectedBytes * 2) {
    throw new SgxFormatError("SGX_HEX", `expected ${expectedBytes * 2} hex digits, got ${text.length} characters`);
  }
  if (text.length % 2 !== 0) throw new SgxFormatError("SGX_HEX", `an odd number of hex digits (${text.length})`);
  const bytes = new Uint8Array(text.length / 2);
  if (NATIVE && text.length >= LONG) {
    try {
      bytes.setFromHex(text);
      return bytes;
    } catch {
      // Not hexadecimal: found again below, with its place.
    }
  }
  for (let i = 0; i < bytes.length; i++) {
    const high = nibble(text.charCodeAt(2 * i));
    const low = nibble(text.charCodeAt(2 * i + 1));
    if (high < 0 || low < 0) throw new SgxFormatError("SGX_HEX", `not a hex digit near position ${2 * i}`);
    bytes[i] = (high << 4) | low;
  }
  return bytes;
}
