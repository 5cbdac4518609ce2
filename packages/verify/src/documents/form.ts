import { bytesEqual } from "@confcom/sgx";
import { BUDGETS } from "../budgets.ts";
import { malformed, untrusted } from "./refusal.ts";

/**
 * Documents are served on as they came, so nothing may stand in them that no signature covers: no text around PEM blocks,
 * no third member of a signed JSON text, no bytes after a CRL. The verifier alone ignores such things.
 */

const PEM_BLOCKS = /^(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----\s*)+$/;
/** Far above any real chain of three certificates. */
const PEM_CHARACTERS = 64 * 1024;

/** Refuses PEM that is anything but certificates. */
export function checkPem(pem: string, what: string): void {
  if (typeof pem !== "string") malformed(`${what} is not text`);
  if (pem.length > PEM_CHARACTERS) malformed(`${what} has ${pem.length} characters`);
  if (!PEM_BLOCKS.test(pem)) malformed(`${what} is not PEM certificates alone`);
}

/** Length of the element that DER begins with; 0 if that is no SEQUENCE. */
function sequenceLength(der: Uint8Array): number {
  if (der[0] !== 0x30) return 0;
  const first = der[1] ?? 0;
  if (first < 0x80) return 2 + first;
  let length = 0;
  for (let i = 0; i < (first & 0x7f); i++) length = length * 256 + (der[2 + i] ?? 0);
  return 2 + (first & 0x7f) + length;
}

/** Refuses bytes that are not one DER element, and what is too large to be looked at. */
export function checkCrlForm(crl: Uint8Array | string, what: string): void {
  if (crl.length > BUDGETS.fieldBytes) malformed(`${what} has ${crl.length} bytes`);
  if (typeof crl !== "string" && sequenceLength(crl) !== crl.length) malformed(`${what} is not DER`);
}

const HEAD = { tcbInfo: /^\s*\{\s*"tcbInfo"\s*:\s*/, enclaveIdentity: /^\s*\{\s*"enclaveIdentity"\s*:\s*/ } as const;
const TAIL = /\s*,\s*"signature"\s*:\s*"[0-9A-Fa-f]{128}"\s*\}\s*$/;
/** Blanks that may stand around the members, at most. */
const MARGIN = 256;

/** Refuses JSON that is not exactly the signed text and its signature. `signedBytes`: what the signature was checked over. */
export function checkSignedJsonForm(body: string, name: keyof typeof HEAD, signedBytes: Uint8Array): void {
  const head = HEAD[name].exec(body.slice(0, MARGIN))?.[0];
  const tail = TAIL.exec(body.slice(-MARGIN))?.[0];
  if (head === undefined || tail === undefined || head.length + tail.length > body.length) {
    malformed(`the text is not {"${name}":…,"signature":"…"} and nothing else`);
  }
  const inner = new TextEncoder().encode(body.slice(head.length, body.length - tail.length));
  if (!bytesEqual(inner, signedBytes)) untrusted("the signature is not over the text as it stands");
}
