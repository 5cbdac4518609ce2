import { fromHex } from "@confcom/sgx";
import { Rejection } from "../status.ts";
import { type Crl, parseCrl } from "../x509/crl.ts";
import { decodePemCrl, isPemCrl } from "../x509/pem.ts";

/** Shorter texts are not looked at as PEM or hexadecimal, terminating NUL included (spec: DCAP §8). */
const MINIMUM_TEXT = 300;

function unreadable(detail: string): never {
  throw new Rejection("STATUS_SGX_CRL_UNSUPPORTED_FORMAT", detail);
}

function derOf(value: Uint8Array): Uint8Array {
  const nul = value.length > 0 && value[value.length - 1] === 0;
  const text = nul ? value.subarray(0, -1) : value;
  if (text.length + 1 >= MINIMUM_TEXT) {
    if (isPemCrl(text)) return decodePemCrl(text) ?? unreadable("a CRL's PEM block is damaged");
    const hex = hexText(text);
    if (hex !== undefined)
      return hex.length % 2 === 0 ? fromHex(hex) : unreadable("a CRL has an odd number of hex digits");
  }
  // DER begins with a SEQUENCE; a NUL after it is the terminator of a buffer, not part of the CRL.
  return nul && derLength(value) === value.length - 1 ? text : value;
}

function hexText(text: Uint8Array): string | undefined {
  // The first bytes of DER are no digits, so a binary CRL is told at once.
  for (let i = 0; i < text.length; i++) {
    const byte = text[i] as number;
    const digit = (byte >= 0x30 && byte <= 0x39) || ((byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x66);
    if (!digit) return undefined;
  }
  return new TextDecoder("latin1").decode(text);
}

function derLength(bytes: Uint8Array): number {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return 2 + first;
  let length = 0;
  for (let i = 0; i < (first & 0x7f); i++) length = length * 256 + (bytes[2 + i] ?? 0);
  return 2 + (first & 0x7f) + length;
}

/** Reads a CRL given as PEM, as hexadecimal of its DER, or as DER. Throws Rejection `STATUS_SGX_CRL_UNSUPPORTED_FORMAT`. */
export function readCrlText(value: Uint8Array): Crl {
  return parseCrl(derOf(value));
}
