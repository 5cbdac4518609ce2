import { oidFromText } from "./oid.ts";
import { DER_TAG } from "./tags.ts";

/** Header and content of one element; `content` parts are joined. */
export function derElement(tag: number, ...content: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of content) length += part.length;
  const lengthBytes: number[] = [];
  if (length < 0x80) {
    lengthBytes.push(length);
  } else {
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) lengthBytes.unshift(rest & 0xff);
    lengthBytes.unshift(0x80 | lengthBytes.length);
  }
  const out = new Uint8Array(1 + lengthBytes.length + length);
  out[0] = tag;
  out.set(lengthBytes, 1);
  let at = 1 + lengthBytes.length;
  for (const part of content) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export function derSequence(...parts: readonly Uint8Array[]): Uint8Array {
  return derElement(DER_TAG.SEQUENCE, ...parts);
}

export function derOid(text: string): Uint8Array {
  return derElement(DER_TAG.OID, oidFromText(text));
}

export function derOctetString(bytes: Uint8Array): Uint8Array {
  return derElement(DER_TAG.OCTET_STRING, bytes);
}

export function derBoolean(value: boolean): Uint8Array {
  return derElement(DER_TAG.BOOLEAN, Uint8Array.of(value ? 0xff : 0));
}

/** An INTEGER, or an ENUMERATED with its tag, in its shortest form. */
export function derInteger(value: number | bigint, tag: number = DER_TAG.INTEGER): Uint8Array {
  let rest = BigInt(value);
  const bytes: number[] = [];
  do {
    bytes.unshift(Number(rest & 0xffn));
    rest >>= 8n;
  } while (!((rest === 0n && (bytes[0] as number) < 0x80) || (rest === -1n && (bytes[0] as number) >= 0x80)));
  return derElement(tag, Uint8Array.from(bytes));
}
