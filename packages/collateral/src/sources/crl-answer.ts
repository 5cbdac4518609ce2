import { fromHex } from "@confcom/sgx";
import { unusable } from "./unusable.ts";

const DIGITS = /^[0-9A-Fa-f]+$/;
const PEM = /^-----BEGIN X509 CRL-----([A-Za-z0-9+/=\s]+)-----END X509 CRL-----\s*$/;

/** Bytes of the outer SEQUENCE with its header; 0 if it is none. */
function derSize(bytes: Uint8Array): number {
  if (bytes[0] !== 0x30 || bytes.length < 2) return 0;
  const first = bytes[1] as number;
  if (first < 0x80) return 2 + first;
  const digits = first & 0x7f;
  if (digits < 1 || digits > 4 || bytes.length < 2 + digits) return 0;
  let size = 0;
  for (let i = 0; i < digits; i++) size = size * 256 + (bytes[2 + i] as number);
  return 2 + digits + size;
}

/**
 * The DER of a CRL that came as DER, as hexadecimal of it (PCCS: /pckcrl and /rootcacrl) or as PEM (Azure), whichever
 * Content-Type it had: services disagree about that. Fails with SOURCE_ANSWER if it is neither, or not one whole SEQUENCE.
 */
export function crlDer(body: Uint8Array, source: string, part: string): Uint8Array {
  let der = body;
  if (body[0] !== 0x30 || derSize(body) !== body.length) {
    const text = new TextDecoder("latin1").decode(body).trim();
    const base64 = PEM.exec(text)?.[1];
    if (base64 !== undefined) der = new Uint8Array(Buffer.from(base64, "base64"));
    else if (DIGITS.test(text) && text.length % 2 === 0) der = fromHex(text);
  }
  if (der.length === 0 || derSize(der) !== der.length)
    throw unusable(source, part, "is no CRL in DER, hexadecimal or PEM");
  return der;
}
