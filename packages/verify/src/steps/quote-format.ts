import { bytesEqual, decodeQuote, QUOTE_VENDOR_INTEL, type Quote, SgxFormatError } from "@confcom/sgx";
import { Rejection } from "../status.ts";

/** Smallest quote the reference verifier looks at: v3 without authentication and certification data (spec: DCAP §3). */
export const MINIMUM_QUOTE_SIZE = 1020;

function unsupported(detail: string): never {
  throw new Rejection("STATUS_UNSUPPORTED_QUOTE_FORMAT", detail);
}

/**
 * Decodes a quote and checks what a verifier must before it trusts any of it (spec: DCAP §10 D 1): layout, vendor id,
 * certification data of type 1 to 5. Throws Rejection `STATUS_UNSUPPORTED_QUOTE_FORMAT`.
 */
export function readQuote(bytes: Uint8Array): Quote {
  if (bytes.length < MINIMUM_QUOTE_SIZE)
    unsupported(`a quote has at least ${MINIMUM_QUOTE_SIZE} bytes, got ${bytes.length}`);
  let quote: Quote;
  try {
    quote = decodeQuote(bytes);
  } catch (error) {
    if (error instanceof SgxFormatError) return unsupported(error.message);
    throw error;
  }
  if (!bytesEqual(quote.header.qeVendorId, QUOTE_VENDOR_INTEL)) unsupported("the QE vendor id is not Intel's");
  const { certificationDataType } = quote.signatureData;
  if (certificationDataType < 1 || certificationDataType > 5) {
    unsupported(`certification data of type ${certificationDataType} is not 1 to 5`);
  }
  return quote;
}
