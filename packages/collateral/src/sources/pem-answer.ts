import { decodePemCertificates } from "@confcom/verify";
import { unusable } from "./unusable.ts";

const encoder = new TextEncoder();

function pem(text: string, count: number, source: string, part: string): string {
  // Answers are served on byte for byte: nothing but PEM may ride along, into a header least of all.
  const regular = /^(?:-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\r\n]*-----END CERTIFICATE-----\s*)+$/.test(text);
  const found = regular ? decodePemCertificates(encoder.encode(text)) : undefined;
  if (found?.length !== count) {
    throw unusable(source, part, `is not ${count === 1 ? "one PEM certificate" : `${count} PEM certificates`}`);
  }
  // Azure's cache sends no line end after the last line; chains are put together by concatenation.
  return text.endsWith("\n") ? text : `${text}\n`;
}

/** A PEM leaf certificate alone. Fails with SOURCE_ANSWER. */
export function leafPem(text: string, source: string, part: string): string {
  return pem(text, 1, source, part);
}

/** An issuer chain, CA or signer and then root, as services put it into a header: URL-encoded PEM. Fails with SOURCE_ANSWER. */
export function issuerChainPem(value: string | undefined, source: string, part: string): string {
  if (value === undefined || value === "") throw unusable(source, part, "is missing");
  let text: string;
  try {
    text = decodeURIComponent(value);
  } catch (error) {
    throw unusable(source, part, "is not URL-encoded text", error);
  }
  return pem(text, 2, source, part);
}

/** A URL-encoded leaf. Fails with SOURCE_ANSWER. */
export function encodedLeafPem(value: string, source: string, part: string): string {
  try {
    return leafPem(decodeURIComponent(value), source, part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw unusable(source, part, "is not URL-encoded text", error);
  }
}
