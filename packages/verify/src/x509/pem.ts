import { BUDGETS } from "../budgets.ts";
import { decodeBase64 } from "./base64.ts";
import { decodeRegularPem } from "./regular-pem.ts";

const DASH = 0x2d;
const LF = 0x0a;

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

const BEGIN_CERTIFICATE = ascii("-----BEGIN CERTIFICATE-----");
const END_CERTIFICATE = ascii("-----END CERTIFICATE-----");
const BEGIN_ANY = ascii("-----BEGIN ");
const BEGIN_CRL = ascii("-----BEGIN X509 CRL-----");
const END_CRL = ascii("-----END X509 CRL-----");

function startsWith(text: Uint8Array, at: number, marker: Uint8Array): boolean {
  if (at + marker.length > text.length) return false;
  for (let i = 0; i < marker.length; i++) if (text[at + i] !== marker[i]) return false;
  return true;
}

/** Dashes at the start of every marker. */
const MARKER_DASHES = 5;

/** Offset of the marker's first occurrence from `at` on, before `end`; -1 if there is none. */
function find(text: Uint8Array, at: number, end: number, marker: Uint8Array): number {
  let i = text.indexOf(DASH, at);
  while (i >= 0 && i + marker.length <= end) {
    if (startsWith(text, i, marker)) return i;
    // In a run of dashes only the last ones can begin a marker.
    let after = i + 1;
    while (text[after] === DASH) after++;
    const last = after - MARKER_DASHES;
    if (last > i && last + marker.length <= end && startsWith(text, last, marker)) return last;
    i = text.indexOf(DASH, after);
  }
  return -1;
}

/** Decodes the block whose BEGIN line starts at `begin`; `end` is the offset of its END marker. */
function decodeBlock(text: Uint8Array, begin: number, beginMarker: Uint8Array, end: number): Uint8Array | undefined {
  const start = begin + beginMarker.length;
  // BEGIN and END stand on lines of their own.
  let lineEnd = start;
  while (lineEnd < end && text[lineEnd] !== LF) if ((text[lineEnd++] as number) > 32) return undefined;
  if (lineEnd >= end || text[end - 1] !== LF) return undefined;
  return decodeBase64(text, lineEnd + 1, end);
}

/** The BEGIN line in a stretch of text: at its very start or at the start of a line. */
function findBeginLine(text: Uint8Array, from: number, end: number): number {
  for (let at = find(text, from, end, BEGIN_CERTIFICATE); at >= 0; at = find(text, at + 1, end, BEGIN_CERTIFICATE)) {
    if (at === from || text[at - 1] === LF) return at;
  }
  return -1;
}

/** Whether another block begins in the text before one: OpenSSL would read that one, and not find its end. */
function otherBlockBegins(text: Uint8Array, from: number, end: number): boolean {
  for (let at = find(text, from, end, BEGIN_ANY); at >= 0; at = find(text, at + 1, end, BEGIN_ANY)) {
    if (at === from || text[at - 1] === LF) return true;
  }
  return false;
}

/**
 * The DER of every certificate in a PEM text, in its order, cut the way the reference verifier cuts a chain: at END
 * markers, text between blocks ignored, a NUL ends the text. Undefined if a block is damaged or there are more than
 * the budget allows; an empty list if there is no block.
 */
export function decodePemCertificates(input: Uint8Array): Uint8Array[] | undefined {
  return decodeRegularPem(input) ?? decodeAnyPem(input);
}

/** {@link decodePemCertificates} without its short cut for texts in their usual form. */
export function decodeAnyPem(input: Uint8Array): Uint8Array[] | undefined {
  const nul = input.indexOf(0);
  const text = nul < 0 ? input : input.subarray(0, nul);
  const first = find(text, 0, text.length, BEGIN_CERTIFICATE);
  let end = find(text, 0, text.length, END_CERTIFICATE);
  if (first < 0 || end < 0 || first >= end) return [];
  const blocks: Uint8Array[] = [];
  let from = first;
  for (let markers = 0; end >= 0; markers++) {
    if (markers > 2 * BUDGETS.certificates) return undefined;
    const dash = text.indexOf(DASH, from);
    if (find(text, dash, end, BEGIN_CERTIFICATE) >= 0) {
      const begin = findBeginLine(text, dash, end);
      const der =
        begin < 0 || otherBlockBegins(text, dash, begin) ? undefined : decodeBlock(text, begin, BEGIN_CERTIFICATE, end);
      if (der === undefined || blocks.length === BUDGETS.certificates) return undefined;
      blocks.push(der);
    }
    from = end + END_CERTIFICATE.length;
    end = find(text, from, text.length, END_CERTIFICATE);
    if (end === from) return [];
  }
  return blocks;
}

/** Whether the text starts as a PEM CRL does. */
export function isPemCrl(text: Uint8Array): boolean {
  return startsWith(text, 0, BEGIN_CRL);
}

/** The DER of a text that {@link isPemCrl}. Undefined if the block is damaged; what follows it is ignored. */
export function decodePemCrl(text: Uint8Array): Uint8Array | undefined {
  const end = find(text, 0, text.length, END_CRL);
  return end < 0 ? undefined : decodeBlock(text, 0, BEGIN_CRL, end);
}
