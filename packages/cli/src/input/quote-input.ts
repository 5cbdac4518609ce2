import { decodeQuote } from "@confcom/sgx";
import { decodePemCertificates, looksLikeCertificate, parseCertificate, readEmbeddedQuote } from "@confcom/verify";
import { decodeBinaryText } from "./binary-text.ts";
import { readInput } from "./read-input.ts";

/** Quotes are a few KiB, and certificates around them twice that; anything over this is something else. */
const QUOTE_LIMIT = 1024 * 1024;

/** What was given in the place of a quote: a quote, a certificate that may carry one (DER or PEM), or nothing at all. */
export interface QuoteInput {
  readonly kind: "quote" | "certificate" | "empty";
  readonly bytes: Uint8Array;
}

/** Reads a quote or a certificate: binary, hexadecimal or base64; certificates as PEM too. Throws CommandError. */
export function readQuoteInput(path: string): QuoteInput {
  const input = readInput(path, "the quote", QUOTE_LIMIT);
  // PEM first: its characters are those of base64.
  if (looksLikeCertificate(input)) return { kind: "certificate", bytes: input };
  const { bytes } = decodeBinaryText(input);
  if (bytes.length === 0) return { kind: "empty", bytes };
  return { kind: looksLikeCertificate(bytes) ? "certificate" : "quote", bytes };
}

/** Which CA issued the quote's PCK certificate; the Platform CA where that cannot be read, as verification then says why. */
export function issuingCa({ kind, bytes }: QuoteInput): "platform" | "processor" {
  try {
    const quote = decodeQuote(kind === "certificate" ? readEmbeddedQuote(bytes).quote : bytes);
    const chain = decodePemCertificates(quote.signatureData.certificationData) ?? [];
    const processor = chain.some((der) => parseCertificate(der).issuer.commonName.includes("Processor"));
    return processor ? "processor" : "platform";
  } catch {
    return "platform";
  }
}
